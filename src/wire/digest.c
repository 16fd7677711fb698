/*
 * The digest functions are called directly and not through EVP: the first use of an EVP digest in a process
 * makes OpenSSL 3.0 list all that it knows, which takes longer than fetching a manifest. The code that
 * computes is the same.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "wire/digest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include "base/err.h"

/* State of either algorithm. */
union state {
	SHA256_CTX sha256;
	SHA512_CTX sha512;
};

struct digest {
	enum digest_alg alg;
	union state state;
};

static int begin_256(union state *s)
{
	return SHA256_Init(&s->sha256);
}

static int update_256(union state *s, const void *p, size_t n)
{
	return SHA256_Update(&s->sha256, p, n);
}

static int end_256(union state *s, unsigned char *out)
{
	return SHA256_Final(out, &s->sha256);
}

static int begin_512(union state *s)
{
	return SHA512_Init(&s->sha512);
}

static int update_512(union state *s, const void *p, size_t n)
{
	return SHA512_Update(&s->sha512, p, n);
}

static int end_512(union state *s, unsigned char *out)
{
	return SHA512_Final(out, &s->sha512);
}

/* The functions give 0 on failure, as OpenSSL's do. */
static const struct {
	const char *name;
	size_t bytes;
	int (*begin)(union state *s);
	int (*update)(union state *s, const void *p, size_t n);
	int (*end)(union state *s, unsigned char *out);
} algorithms[] = {
	[DIGEST_SHA256] = { "sha256", SHA256_DIGEST_LENGTH, begin_256, update_256, end_256 },
	[DIGEST_SHA512] = { "sha512", SHA512_DIGEST_LENGTH, begin_512, update_512, end_512 },
};
enum { ALGORITHMS = sizeof algorithms / sizeof *algorithms };

static int failed(davit_err *e)
{
	return err_set(e, DAVIT_EUNSUPPORTED, "computing a digest failed in the crypto library");
}

int digest_new(enum digest_alg alg, struct digest **out, davit_err *e)
{
	struct digest *d = calloc(1, sizeof *d);

	if (!d)
		return err_nomem(e);
	d->alg = alg;
	if (!algorithms[alg].begin(&d->state)) {
		digest_free(d);
		return failed(e);
	}
	*out = d;
	return 0;
}

int digest_update(struct digest *d, const void *p, size_t n)
{
	return algorithms[d->alg].update(&d->state, p, n) ? 0 : failed(NULL);
}

int digest_bytes(const struct digest *d, unsigned char out[64], size_t *n, davit_err *e)
{
	union state copy = d->state;
	unsigned char bytes[64];

	if (!algorithms[d->alg].end(&copy, bytes))
		return failed(e);
	*n = algorithms[d->alg].bytes;
	memcpy(out, bytes, *n);
	return 0;
}

int digest_text(const struct digest *d, char out[DAVIT_DIGEST_MAX], davit_err *e)
{
	const char *name = algorithms[d->alg].name;
	size_t n, at = strlen(name);
	unsigned char bytes[64];
	int r = digest_bytes(d, bytes, &n, e);

	if (r)
		return r;
	snprintf(out, DAVIT_DIGEST_MAX, "%s:", name);
	hex_encode(bytes, n, out + at + 1);
	return 0;
}

void digest_free(struct digest *d)
{
	free(d);
}

int digest_sha1(const void *p, size_t n, unsigned char out[20], davit_err *e)
{
	return SHA1(p, n, out) ? 0 : failed(e);
}

const char *digest_alg_name(enum digest_alg alg)
{
	return algorithms[alg].name;
}

void hex_encode(const void *p, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *from = p;

	for (size_t i = 0; i < n; i++) {
		*out++ = digits[from[i] >> 4];
		*out++ = digits[from[i] & 15];
	}
	*out = 0;
}

static bool is_small_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* The OCI grammar: components of small letters and digits joined by one of + . _ - */
static bool is_algorithm(const char *s, size_t n)
{
	bool after_join = true;

	for (size_t i = 0; i < n; i++) {
		bool join = s[i] && strchr("+._-", s[i]);

		if (!is_small_alnum(s[i]) && (!join || after_join))
			return false;
		after_join = join;
	}
	return n > 0 && !after_join;
}

int digest_parse(const char *text, enum digest_alg *alg, const char **hex, davit_err *e)
{
	const char *colon = strchr(text, ':'), *digits;
	size_t n = colon ? (size_t)(colon - text) : 0, known = 0;

	if (!colon)
		return err_set(e, DAVIT_EARG, "digest \"%s\" has no algorithm (\"sha256:…\")", text);
	digits = colon + 1;
	while (known < ALGORITHMS &&
	       (strlen(algorithms[known].name) != n || memcmp(algorithms[known].name, text, n) != 0))
		known++;
	if (known == ALGORITHMS && is_algorithm(text, n) && *digits)
		return err_set(e, DAVIT_EUNSUPPORTED,
			       "digest \"%s\" uses the algorithm %.*s; sha256 and sha512 are known", text,
			       (int)(n & 0xff), text);
	if (known == ALGORITHMS)
		return err_set(e, DAVIT_EARG, "digest \"%s\" has no valid algorithm in front of the colon",
			       text);
	if (strspn(digits, "0123456789abcdef") != strlen(digits))
		return err_set(e, DAVIT_EARG, "digest \"%s\" holds more than small hexadecimal digits", text);
	if (strlen(digits) != 2 * algorithms[known].bytes)
		return err_set(e, DAVIT_EARG, "digest \"%s\" has %zu digits instead of %zu", text,
			       strlen(digits), 2 * algorithms[known].bytes);
	*alg = (enum digest_alg)known;
	*hex = digits;
	return 0;
}

int davit_digest_bytes(const void *p, size_t n, char out[DAVIT_DIGEST_MAX], davit_err *e)
{
	struct digest *d;
	int r = digest_new(DIGEST_SHA256, &d, e);

	if (r)
		return r;
	r = digest_update(d, p, n) ? failed(e) : digest_text(d, out, e);
	digest_free(d);
	return r;
}

int davit_digest_split(const char *digest, const char **algorithm, const char **hex, davit_err *e)
{
	enum digest_alg alg;
	int r;

	if (!digest)
		return err_set(e, DAVIT_EARG, "digest is missing");
	r = digest_parse(digest, &alg, hex, e);
	if (!r)
		*algorithm = digest_alg_name(alg);
	return r;
}

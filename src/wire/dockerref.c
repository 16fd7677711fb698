#include "wire/dockerref.h"

#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/limits.h"
#include "wire/digest.h"
#include "wire/uri.h"

static bool is_small_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

/* Takes one '.', one or two '_' or any number of '-' in front of more; the reason if that is not there. */
static const char *check_separator(const char **p)
{
	size_t dots = strspn(*p, "."), lines = strspn(*p, "_"), n = strspn(*p, "._-");

	if (is_upper(**p))
		return "holds a capital letter";
	if (!n)
		return "holds a character other than a-z 0-9 . _ - /";
	if (!(*p)[n] || (*p)[n] == '/')
		return "has a part that ends in '.', '_' or '-'";
	if (n != 1 && !(n == 2 && lines == 2) && n != strspn(*p, "-"))
		return dots == n ? "has two dots side by side" : "has a wrong run of '.', '_' and '-'";
	*p += n;
	return NULL;
}

/* The reason why a component of a repository name is not valid, or NULL; *end gets where it ends. */
static const char *check_component(const char *p, const char **end)
{
	if (!*p || *p == '/')
		return "has an empty part";
	if (!is_small_alnum(*p) && strchr("._-", *p))
		return "has a part that does not begin with a small letter or digit";
	for (;;) {
		const char *reason;

		while (is_small_alnum(*p))
			p++;
		*end = p;
		if (!*p || *p == '/')
			return NULL;
		reason = check_separator(&p);
		if (reason)
			return reason;
	}
}

int dockerref_check_repo(const char *repo, davit_err *e)
{
	const char *p = repo, *reason;

	if (!*repo)
		return err_set(e, DAVIT_EARG, "repository name is empty");
	if (strlen(repo) > LIMIT_REPO_NAME)
		return err_set(e, DAVIT_EARG, "repository name is longer than %d characters",
			       LIMIT_REPO_NAME);
	for (;;) {
		reason = check_component(p, &p);
		if (reason)
			return err_set(e, DAVIT_EARG, "repository name \"%s\" %s", repo, reason);
		if (!*p)
			return 0;
		p++;
	}
}

int dockerref_check_tag(const char *tag, davit_err *e)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

	if (!*tag)
		return err_set(e, DAVIT_EARG, "tag is empty");
	if (strlen(tag) > LIMIT_TAG)
		return err_set(e, DAVIT_EARG, "tag \"%s\" is longer than %d characters", tag, LIMIT_TAG);
	if (*tag == '.' || *tag == '-')
		return err_set(e, DAVIT_EARG, "tag \"%s\" begins with '%c'", tag, *tag);
	if (strspn(tag, allowed) != strlen(tag))
		return err_set(e, DAVIT_EARG, "tag \"%s\" holds a character other than A-Z a-z 0-9 _ . -",
			       tag);
	return 0;
}

/* Without port; Docker Hub has several names. */
static bool is_hub(const char *host)
{
	static const char *const names[] = { "docker.io", "index.docker.io", DOCKERREF_HUB };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (!strcasecmp(host, names[i]))
			return true;
	return false;
}

const char *dockerref_host(const char *host)
{
	return is_hub(host) ? DOCKERREF_HUB : host;
}

const char *dockerref_repo(const char *host, const char *repo, struct arena *a)
{
	bool single = is_hub(host) && !strchr(repo, '/');

	return arena_printf(a, single ? "library/%s" : "%s", repo);
}

/* Docker's rule: the part before the first '/' is a host if it looks like no repository. */
static bool is_host(const char *p, size_t n)
{
	if (!n)
		return false;
	if (memchr(p, '.', n) || memchr(p, ':', n) || (n == 9 && !memcmp(p, "localhost", 9)))
		return true;
	for (size_t i = 0; i < n; i++)
		if (is_upper(p[i]))
			return true;
	return false;
}

/* Splits off the host, checks it and writes it in normal form. text gets what is behind it. */
static int take_host(char **text, struct arena *a, const char **out, davit_err *e)
{
	char *slash = strchr(*text, '/'), *name = *text;
	const char *host;
	unsigned port;
	int r;

	if (!slash || !is_host(name, (size_t)(slash - name))) {
		*out = DOCKERREF_HUB;
		return 0;
	}
	*slash = 0;
	r = uri_split_host(name, a, &host, &port, e);
	if (r)
		return err_at(e, r, "host ");
	*text = slash + 1;
	host = strchr(host, ':') ? arena_printf(a, "[%s]", host) : host;
	if (host && port)
		host = arena_printf(a, "%s:%u", host, port);
	if (!host)
		return err_nomem(e);
	*out = dockerref_host(host);
	return 0;
}

/* Splits off "@digest" and ":tag"; the rest of text is the repository. */
static int take_suffixes(char *text, struct dockerref *out, davit_err *e)
{
	char *at = strchr(text, '@'), *colon;
	enum digest_alg alg;
	const char *hex;
	int r;

	if (at) {
		*at = 0;
		out->digest = at + 1;
		r = digest_parse(out->digest, &alg, &hex, e);
		if (r)
			return r;
	}
	colon = strrchr(text, ':');
	if (!colon || strchr(colon, '/'))
		return 0;
	*colon = 0;
	out->tag = colon + 1;
	return dockerref_check_tag(out->tag, e);
}

static bool is_image_id(const char *s)
{
	return strlen(s) == 64 && strspn(s, "0123456789abcdef") == 64;
}

static int parse(char *text, struct arena *a, struct dockerref *out, davit_err *e)
{
	int r = strstr(text, "://") ? err_set(e, DAVIT_EARG, "write it without \"%.*s\"",
					      (int)(strstr(text, "://") - text + 3) & 0xff, text) :
				      0;

	if (!r)
		r = take_host(&text, a, &out->host, e);
	if (!r)
		r = take_suffixes(text, out, e);
	if (!r)
		r = dockerref_check_repo(text, e);
	if (r)
		return r;
	if (is_image_id(text))
		return err_set(e, DAVIT_EARG,
			       "repository name must not be 64 hexadecimal digits: that is an image's id");
	out->repo = dockerref_repo(out->host, text, a);
	return out->repo ? dockerref_check_repo(out->repo, e) : err_nomem(e);
}

int dockerref_parse(const char *text, struct arena *a, struct dockerref *out, davit_err *e)
{
	struct dockerref ref = { 0 };
	char *copy;
	int r;

	if (strlen(text) > LIMIT_URL)
		return err_set(e, DAVIT_EARG, "reference is longer than %d characters", LIMIT_URL);
	copy = arena_strdup(a, text);
	if (!copy)
		return err_nomem(e);
	r = parse(copy, a, &ref, e);
	if (r)
		return r == DAVIT_ENOMEM ? r : err_at(e, r, "reference \"%s\": ", text);
	*out = ref;
	return 0;
}

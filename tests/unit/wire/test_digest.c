#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/digest.h"

#define ABC_256 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define EMPTY_256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ABC_512                                                              \
	"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a" \
	"2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"

static void computes_while_streaming(void **state)
{
	char text[DAVIT_DIGEST_MAX];
	struct digest *d;

	(void)state;
	assert_int_equal(digest_new(DIGEST_SHA256, &d, NULL), 0);
	assert_int_equal(digest_text(d, text, NULL), 0);
	assert_string_equal(text, "sha256:" EMPTY_256);
	assert_int_equal(digest_update(d, "a", 1), 0);
	assert_int_equal(digest_update(d, "", 0), 0);
	assert_int_equal(digest_text(d, text, NULL), 0); /* the state goes on */
	assert_int_equal(digest_update(d, "bc", 2), 0);
	assert_int_equal(digest_text(d, text, NULL), 0);
	assert_string_equal(text, "sha256:" ABC_256);
	digest_free(d);
	digest_free(NULL);
}

static void computes_sha512(void **state)
{
	char text[DAVIT_DIGEST_MAX];
	unsigned char bytes[64];
	struct digest *d;
	size_t n = 0;

	(void)state;
	assert_int_equal(digest_new(DIGEST_SHA512, &d, NULL), 0);
	assert_int_equal(digest_update(d, "abc", 3), 0);
	assert_int_equal(digest_text(d, text, NULL), 0);
	assert_string_equal(text, "sha512:" ABC_512);
	assert_int_equal(digest_bytes(d, bytes, &n, NULL), 0);
	assert_int_equal(n, 64);
	assert_int_equal(bytes[0], 0xdd);
	assert_int_equal(bytes[63], 0x9f);
	digest_free(d);
}

static void computes_sha1(void **state)
{
	unsigned char bytes[20];
	char hex[41];

	(void)state;
	assert_int_equal(digest_sha1("abc", 3, bytes, NULL), 0);
	hex_encode(bytes, 20, hex);
	assert_string_equal(hex, "a9993e364706816aba3e25717850c26c9cd0d89d");
}

static void recognises_texts(void **state)
{
	static const struct {
		const char *text;
		int code;
		const char *message;
	} bad[] = {
		{ "", DAVIT_EARG, "digest \"\" has no algorithm (\"sha256:…\")" },
		{ EMPTY_256, DAVIT_EARG, "digest \"" EMPTY_256 "\" has no algorithm (\"sha256:…\")" },
		{ ":" EMPTY_256, DAVIT_EARG, NULL },
		{ "sha256:", DAVIT_EARG, "digest \"sha256:\" has 0 digits instead of 64" },
		{ "sha256:abc", DAVIT_EARG, "digest \"sha256:abc\" has 3 digits instead of 64" },
		{ "sha256:" EMPTY_256 "0", DAVIT_EARG, NULL },
		{ "sha512:" EMPTY_256, DAVIT_EARG, NULL },
		{ "sha256:E3B0", DAVIT_EARG,
		  "digest \"sha256:E3B0\" holds more than small hexadecimal digits" },
		{ "sha256:../x", DAVIT_EARG, NULL },
		{ "SHA256:" EMPTY_256, DAVIT_EARG, NULL },
		{ "+x:00", DAVIT_EARG, NULL },
		{ "x+:00", DAVIT_EARG, NULL },
		{ "md5:", DAVIT_EARG, NULL },
		{ "md5:00", DAVIT_EUNSUPPORTED,
		  "digest \"md5:00\" uses the algorithm md5; sha256 and sha512 are known" },
		{ "sha256+b64:00", DAVIT_EUNSUPPORTED, NULL },
	};
	enum digest_alg alg;
	const char *hex;

	(void)state;
	assert_int_equal(digest_parse("sha256:" ABC_256, &alg, &hex, NULL), 0);
	assert_int_equal(alg, DIGEST_SHA256);
	assert_string_equal(hex, ABC_256);
	assert_int_equal(digest_parse("sha512:" ABC_512, &alg, &hex, NULL), 0);
	assert_int_equal(alg, DIGEST_SHA512);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		davit_err e = { 0 };

		assert_int_equal(digest_parse(bad[i].text, &alg, &hex, &e), bad[i].code);
		if (bad[i].message)
			assert_string_equal(e.msg, bad[i].message);
	}
}

static void public_functions(void **state)
{
	char text[DAVIT_DIGEST_MAX];
	const char *alg, *hex;

	(void)state;
	assert_int_equal(davit_digest_bytes("abc", 3, text, NULL), 0);
	assert_string_equal(text, "sha256:" ABC_256);
	assert_int_equal(davit_digest_split(text, &alg, &hex, NULL), 0);
	assert_string_equal(alg, "sha256");
	assert_ptr_equal(hex, text + 7);
	assert_int_equal(davit_digest_split("sha1:00", &alg, &hex, NULL), DAVIT_EUNSUPPORTED);
	assert_int_equal(davit_digest_split(NULL, &alg, &hex, NULL), DAVIT_EARG);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(computes_while_streaming), cmocka_unit_test(computes_sha512),
		cmocka_unit_test(computes_sha1),	    cmocka_unit_test(recognises_texts),
		cmocka_unit_test(public_functions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/base64.h"

/* RFC 4648, 10, and bytes that need the last two digits. */
static const struct {
	const char *bytes;
	size_t n;
	const char *standard, *url;
} rows[] = {
	{ "", 0, "", "" }, { "f", 1, "Zg==", "Zg" }, { "fo", 2, "Zm8=", "Zm8" }, { "foo", 3, "Zm9v", "Zm9v" },
	{ "foob", 4, "Zm9vYg==", "Zm9vYg" }, { "fooba", 5, "Zm9vYmE=", "Zm9vYmE" },
	{ "foobar", 6, "Zm9vYmFy", "Zm9vYmFy" }, { "\xfb\xff\xfe\0", 4, "+//+AA==", "-__-AA" },
};

static void encodes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf out = BUF_INIT(100);

		base64_encode(&out, rows[i].bytes, rows[i].n);
		assert_string_equal(buf_str(&out), rows[i].standard);
		buf_clear(&out);
		base64url_encode(&out, rows[i].bytes, rows[i].n);
		assert_string_equal(buf_str(&out), rows[i].url);
		buf_fini(&out);
	}
}

static void expect_bytes(const char *text, const char *bytes, size_t n)
{
	struct buf out = BUF_INIT(100);

	buf_puts(&out, "+");
	assert_true(base64_decode(&out, text, strlen(text)));
	assert_int_equal(out.len, n + 1);
	assert_memory_equal(out.p + 1, bytes, n);
	buf_fini(&out);
}

static void decodes_both_alphabets(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		expect_bytes(rows[i].standard, rows[i].bytes, rows[i].n);
		expect_bytes(rows[i].url, rows[i].bytes, rows[i].n);
	}
	/* Bits behind the last byte do not count. */
	expect_bytes("Zh==", "f", 1);
	expect_bytes("Zm9", "fo", 2);
}

static void refuses_what_is_none(void **state)
{
	static const char *const bad[] = { "Z",      "Zg=",   "Zg===",     "=",     "==",
					   "====",   "Zm9v=", "Zm9vY",     "Zm 9v", "Zg==Zg==",
					   "Zm9v\n", "Z%==",  "\xc3\xa4zz" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct buf out = BUF_INIT(100);

		buf_puts(&out, "kept");
		assert_false(base64_decode(&out, bad[i], strlen(bad[i])));
		assert_string_equal(buf_str(&out), "kept");
		buf_fini(&out);
	}
}

static void respects_the_limit(void **state)
{
	struct buf out = BUF_INIT(2);

	(void)state;
	assert_false(base64_decode(&out, "Zm9v", 4));
	buf_fini(&out);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(encodes),
		cmocka_unit_test(decodes_both_alphabets),
		cmocka_unit_test(refuses_what_is_none),
		cmocka_unit_test(respects_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

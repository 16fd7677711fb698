#include "../unit.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"

static void sets(void **state)
{
	davit_err e = { .http = 404, .remote = "X", .sys = 3 };

	(void)state;
	assert_int_equal(err_set(&e, DAVIT_EPROTO, "bad %s", "thing"), DAVIT_EPROTO);
	assert_int_equal(e.code, DAVIT_EPROTO);
	assert_int_equal(e.http, 0);
	assert_int_equal(e.sys, 0);
	assert_string_equal(e.remote, "");
	assert_string_equal(e.msg, "bad thing");
	assert_int_equal(err_set(NULL, DAVIT_EARG, "x"), DAVIT_EARG);
}

static void escapes(void **state)
{
	davit_err e = { 0 };

	(void)state;
	err_set(&e, DAVIT_EREMOTE, "a\x1b[1m\n%s\x7f", "é");
	assert_string_equal(e.msg, "a\\x1b[1m\\x0aé\\x7f");
	/* U+009B begins a command, too; what looks like its bytes inside of other characters does not. */
	err_set(&e, DAVIT_EREMOTE, "\xc2\x9b" "2J\xc2\xa0\xe2\x82\x9b\xc2");
	assert_string_equal(e.msg, "\\xc2\\x9b2J\xc2\xa0\xe2\x82\x9b\xc2");
}

static void marks_cuts(void **state)
{
	static char text[3 * DAVIT_ERR_MSG_MAX];
	davit_err e = { 0 };
	size_t n = DAVIT_ERR_MSG_MAX - 1;

	(void)state;
	memset(text, 'x', n);
	err_set(&e, DAVIT_EIO, "%s", text);
	assert_string_equal(e.msg, text);
	memset(text, 'x', sizeof text - 1);
	err_set(&e, DAVIT_EIO, "%s", text);
	assert_int_equal(strlen(e.msg), n);
	assert_string_equal(e.msg + n - 4, "x...");
	for (size_t i = 0; i < 4; i++) {
		memset(text, 'x', i);
		for (size_t k = i; k + 2 < sizeof text; k += 2)
			memcpy(text + k, "é", 2);
		err_set(&e, DAVIT_EIO, "%s", text);
		assert_true(strlen(e.msg) <= n && strlen(e.msg) > n - 3);
		assert_string_equal(e.msg + strlen(e.msg) - 5, "é...");
	}
	memset(text, '\n', sizeof text - 1);
	err_set(&e, DAVIT_EIO, "%s", text);
	assert_true(strlen(e.msg) <= n);
	assert_string_equal(e.msg + strlen(e.msg) - 3, "...");
}

static void wraps(void **state)
{
	davit_err e = { 0 };

	(void)state;
	err_errno(&e, ENOENT, "cannot open %s", "f");
	assert_int_equal(e.sys, ENOENT);
	assert_int_equal(err_at(&e, e.code, "reading %s: ", "x"), DAVIT_EIO);
	assert_string_equal(e.msg, "reading x: cannot open f: No such file or directory");
	assert_int_equal(e.sys, ENOENT);
	assert_int_equal(err_at(&e, 0, "no"), 0);
	assert_string_equal(e.msg, "reading x: cannot open f: No such file or directory");
	assert_int_equal(err_errno(&e, ENOMEM, "x"), DAVIT_ENOMEM);
	assert_int_equal(err_errno(&e, EEXIST, "x"), DAVIT_EEXISTS);
	assert_int_equal(err_errno(&e, ETIMEDOUT, "x"), DAVIT_ETIMEOUT);
	assert_int_equal(err_callback(&e, -77, "pulling"), DAVIT_ECALLBACK);
	assert_int_equal(e.callback, -77);
	assert_int_equal(err_nomem(&e), DAVIT_ENOMEM);
	assert_string_equal(e.msg, "out of memory");
}

static void names(void **state)
{
	(void)state;
	for (int code = DAVIT_EEXISTS; code <= DAVIT_OK; code++) {
		assert_string_not_equal(davit_code_name(code), "UNKNOWN");
		assert_string_not_equal(davit_code_text(code), "unknown error");
	}
	assert_string_equal(davit_code_name(DAVIT_EEXISTS - 1), "UNKNOWN");
	assert_string_equal(davit_code_name(1), "UNKNOWN");
	assert_string_equal(davit_code_text(-1000), "unknown error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets), cmocka_unit_test(escapes), cmocka_unit_test(marks_cuts),
		cmocka_unit_test(wraps), cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

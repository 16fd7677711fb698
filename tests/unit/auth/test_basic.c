#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "auth/basic.h"
#include "base/limits.h"

static void makes_the_header(void **state)
{
	static const char *const rows[][3] = {
		{ "fred", "!WordPass0$", "Basic ZnJlZDohV29yZFBhc3MwJA==" },
		{ "Aladdin", "open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==" },
		{ "test", "123\xc2\xa3", "Basic dGVzdDoxMjPCow==" },
		{ "", "", "Basic Og==" },
		{ "u", "a:b", "Basic dTphOmI=" },
		{ "u", NULL, "Basic dTo=" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf out = BUF_INIT_SECRET(100);

		assert_int_equal(basic_header(rows[i][0], rows[i][1], &out, NULL), 0);
		assert_string_equal(buf_str(&out), rows[i][2]);
		buf_fini(&out);
	}
}

static void refuses_what_cannot_be_sent(void **state)
{
	struct buf out = BUF_INIT_SECRET(LIMIT_TOKEN * 2);
	davit_err e = { 0 };

	(void)state;
	assert_int_equal(basic_header("a:b", "c", &out, &e), DAVIT_EARG);
	assert_string_equal(e.msg, "user name \"a:b\" holds a colon, which Basic authentication cannot send");
	assert_int_equal(basic_header("a\n", "secret", &out, &e), DAVIT_EARG);
	assert_int_equal(basic_header("a", "secret\r", &out, &e), DAVIT_EARG);
	assert_null(strstr(e.msg, "secret"));
	assert_int_equal(out.len, 0);
	buf_fini(&out);
}

static void authenticates(void **state)
{
	struct auth_subrequest sub = AUTH_SUBREQUEST_INIT;
	const struct uri uri = { "https", "h", 443, "/", NULL };
	struct headers headers = { 0 };
	struct auth_request req = { .method = "GET", .uri = &uri, .headers = &headers };
	struct auth *a;
	davit_err e = { 0 };

	(void)state;
	assert_int_equal(basic_auth_new("fred", (davit_secret){ "pw" }, &a, NULL), 0);
	assert_int_equal(headers_add(&headers, "authorization", "old", NULL), 0);
	assert_int_equal(a->ops->prepare(a, &req, &sub, NULL), AUTH_READY);
	assert_string_equal(headers_get(&headers, "Authorization"), "Basic ZnJlZDpwdw==");
	assert_int_equal(headers.n, 1);
	assert_true(headers.v[0].secret);
	assert_int_equal(a->ops->challenge(a, &req, &headers, &e), DAVIT_EDENIED);
	assert_int_equal(e.http, 401);
	assert_int_equal(a->ops->feed(a, NULL, NULL), DAVIT_ESTATE);
	auth_free(a);
	auth_free(NULL);
	headers_fini(&headers);
	auth_subrequest_fini(&sub);
	assert_int_equal(basic_auth_new("a:b", (davit_secret){ "pw" }, &a, NULL), DAVIT_EARG);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_the_header),
		cmocka_unit_test(refuses_what_cannot_be_sent),
		cmocka_unit_test(authenticates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

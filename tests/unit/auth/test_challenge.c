#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auth/challenge.h"
#include "base/buf.h"
#include "base/limits.h"

/* Writes what was understood as "scheme[ token68][ name=<value>]…; …". */
static void show(const struct challenges *c, struct buf *out)
{
	for (size_t i = 0; i < c->n; i++) {
		buf_printf(out, "%s%s", i ? "; " : "", c->v[i].scheme);
		if (c->v[i].token68)
			buf_printf(out, " %s", c->v[i].token68);
		for (size_t k = 0; k < c->v[i].params.n; k++)
			buf_printf(out, " %s=<%s>", c->v[i].params.v[k].key, c->v[i].params.v[k].value);
	}
}

static void understands(void **state)
{
	static const char *const rows[][2] = {
		{ "", "" },
		{ " , ,", "" },
		{ "Basic realm=\"Registry Realm\"", "basic realm=<Registry Realm>" },
		{ "Bearer realm=\"https://h/auth\",service=\"Docker "
		  "registry\",scope=\"repository:a/b:pull,push\"",
		  "bearer realm=<https://h/auth> service=<Docker registry> "
		  "scope=<repository:a/b:pull,push>" },
		{ "bEaReR REALM=\"x\" , Service = y", "bearer realm=<x> service=<y>" },
		{ "Bearer realm=\"https://h\",service=\"\",scope=\"\"",
		  "bearer realm=<https://h> service=<> scope=<>" },
		{ "Basic realm=\"r\", Bearer realm=\"s\",service=\"t\"",
		  "basic realm=<r>; bearer realm=<s> service=<t>" },
		{ "Basic, Bearer realm=\"s\"", "basic; bearer realm=<s>" },
		{ "Negotiate, NTLM", "negotiate; ntlm" },
		{ "Negotiate YWJj==, Basic realm=r", "negotiate YWJj==; basic realm=<r>" },
		{ "NTLM TlRMTVNTUAAC/+==", "ntlm TlRMTVNTUAAC/+==" },
		{ "Bearer realm=\"a\\\"b\\\\c, Basic x=y\"", "bearer realm=<a\"b\\c, Basic x=y>" },
		{ "Bearer realm=https://h/auth?x,service=y", "bearer realm=<https://h/auth?x> service=<y>" },
		{ "Bearer realm=\"a\" service=\"b\"", "bearer realm=<a> service=<b>" },
		{ "Bearer realm=\"a\",realm=\"b\"", "bearer realm=<a>" },
		{ "Bearer ,, realm=\"a\",,", "bearer realm=<a>" },
		{ "Newauth realm=\"apps\", type=1, title=\"Login to \\\"apps\\\"\", Basic realm=\"simple\"",
		  "newauth realm=<apps> type=<1> title=<Login to \"apps\">; basic realm=<simple>" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf out = BUF_INIT(1000);
		struct challenges c = { 0 };
		struct arena a = { 0 };

		assert_int_equal(challenge_parse(rows[i][0], &a, &c, NULL), 0);
		show(&c, &out);
		assert_string_equal(buf_str(&out), rows[i][1]);
		buf_fini(&out);
		arena_fini(&a);
	}
}

static void refuses(void **state)
{
	static const char *const rows[] = { "realm=\"x\"",
					    "Bearer realm=\"x",
					    "Bearer realm=\"x\\",
					    "\"x\"",
					    "Bearer =x",
					    "Bearer realm=a\"b\"",
					    "Basic realm=\"r\" (x)",
					    "/",
					    "Basic realm=\"a\"\"b\"" };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct challenges c = { 0 };
		struct arena a = { 0 };

		assert_int_equal(challenge_parse("Basic", &a, &c, NULL), 0);
		assert_int_equal(challenge_parse(rows[i], &a, &c, NULL), DAVIT_EPROTO);
		assert_int_equal(c.n, 1);
		arena_fini(&a);
	}
}

static void keeps_its_limits(void **state)
{
	struct buf text = BUF_INIT(LIMIT_CHALLENGE * 2);
	struct challenges c = { 0 };
	struct arena a = { 0 };

	(void)state;
	buf_puts(&text, "X ");
	for (int i = 0; i < LIMIT_CHALLENGE_PARAMS; i++)
		buf_printf(&text, "p%d=1,", i);
	assert_int_equal(challenge_parse(buf_str(&text), &a, &c, NULL), 0);
	buf_puts(&text, "q=1");
	assert_int_equal(challenge_parse(buf_str(&text), &a, &c, NULL), DAVIT_ELIMIT);
	buf_clear(&text);
	for (int i = 1; i < LIMIT_CHALLENGES; i++)
		buf_puts(&text, "X,");
	assert_int_equal(challenge_parse(buf_str(&text), &a, &c, NULL), 0);
	assert_int_equal(c.n, LIMIT_CHALLENGES);
	assert_int_equal(challenge_parse("X", &a, &c, NULL), DAVIT_ELIMIT);
	assert_int_equal(c.n, LIMIT_CHALLENGES);
	buf_clear(&text);
	while (text.len <= LIMIT_CHALLENGE)
		buf_putc(&text, ' ');
	assert_int_equal(challenge_parse(buf_str(&text), &a, &c, NULL), DAVIT_ELIMIT);
	buf_fini(&text);
	arena_fini(&a);
}

static void reads_all_headers(void **state)
{
	struct challenges c = { 0 };
	struct headers h = { 0 };
	struct arena a = { 0 };
	const struct challenge *bearer;

	(void)state;
	assert_int_equal(headers_add(&h, "WWW-Authenticate", "Basic realm=\"r\"", NULL), 0);
	assert_int_equal(headers_add(&h, "www-authenticate", "Bearer realm=\"s\",scope=\"\"", NULL), 0);
	assert_int_equal(challenge_parse_all(&h, &a, &c, NULL), 0);
	assert_int_equal(c.n, 2);
	bearer = challenge_find(&c, "bearer");
	assert_string_equal(challenge_param(bearer, "realm"), "s");
	assert_null(challenge_param(bearer, "scope"));
	assert_null(challenge_param(bearer, "service"));
	assert_null(challenge_find(&c, "digest"));
	assert_int_equal(headers_add(&h, "www-authenticate", "=", NULL), 0);
	assert_int_equal(challenge_parse_all(&h, &a, &c, NULL), DAVIT_EPROTO);
	assert_int_equal(c.n, 2);
	headers_fini(&h);
	arena_fini(&a);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(understands),
		cmocka_unit_test(refuses),
		cmocka_unit_test(keeps_its_limits),
		cmocka_unit_test(reads_all_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "../unit.h"

#include <string.h>

#include "../torture.h"
#include "base/limits.h"
#include "sample.h"
#include "wire/query.h"

struct params {
	const char *text, *must;
	davit_secret secret;
	bool yes, python;
	davit_tri tri;
	int64_t i64;
	uint64_t u64;
	davit_opt_int opt;
	double f64;
	davit_time time;
	davit_strv list, json_list;
	davit_map filters;
	davit_raw raw;
	int level;
	struct port port;
	davit_strv command;
	const char *etag;
	davit_secret auth;
	int64_t length;
	davit_strv warnings;
};
#define P struct params
static const struct type params_type =
    TYPE(P, F(P, text, "text", .where = IN_QUERY), F(P, secret, "secret", .where = IN_QUERY),
	 F(P, yes, "yes", .where = IN_QUERY),
	 F(P, python, "python", .where = IN_QUERY, .spell = SPELL_PY, .emit = EMIT_ZERO),
	 F(P, tri, "tri", .where = IN_QUERY, .spell = SPELL_TRUE_FALSE), F(P, i64, "i64", .where = IN_QUERY),
	 F(P, u64, "u64", .where = IN_QUERY), F(P, opt, "opt", .where = IN_QUERY, .since = 130),
	 F(P, f64, "f64", .where = IN_QUERY), F(P, time, "time", .where = IN_QUERY),
	 F(P, list, "list", .where = IN_QUERY), F(P, json_list, "json_list", .where = IN_QUERY, .json = true),
	 F(P, filters, "filters", .where = IN_QUERY), F(P, raw, "raw", .where = IN_QUERY),
	 F_ENUM(P, level, "level", level_names, .where = IN_QUERY),
	 F_OBJ(P, port, "port", struct port, &port_type, .where = IN_QUERY),
	 F_CUSTOM(P, command, "cmd", &command_kind, .where = IN_QUERY),
	 F(P, etag, "ETag", .where = IN_HEADER), F(P, auth, "X-Auth", .where = IN_HEADER),
	 F(P, length, "Content-Length", .where = IN_HEADER), F(P, warnings, "Warning", .where = IN_HEADER));
static const struct type strict_type = TYPE(P, F(P, must, "must", .where = IN_QUERY, .required = true),
	F(P, etag, "ETag", .where = IN_HEADER, .required = true));

static const char *const two[] = { "a b", "c&d" };
static const davit_pair label[] = { { "label", "x=1" } };

static const P full = {
	.text = "é/?",
	.secret = { "s" },
	.yes = true,
	.python = true,
	.tri = DAVIT_NO,
	.i64 = -5,
	.u64 = UINT64_MAX,
	.opt = { 0, true },
	.f64 = 1.5,
	.time = { 0, 0, 0, true },
	.list = { two, 2 },
	.json_list = { two, 1 },
	.filters = { label, 1 },
	.raw = { "[1]", 3 },
	.level = LEVEL_HIGH,
	.port = { .private_port = 80 },
	.command = { two, 1 },
	.etag = "W/\"1\"",
	.auth = { "tok" },
	.length = 7,
	.warnings = { two, 2 },
};

static const char full_query[] =
	"text=%C3%A9%2F%3F&secret=s&yes=1&python=True&tri=false&i64=-5&u64=18446744073709551615&opt=0&f64=1.5"
	"&time=1970-01-01T00%3A00%3A00Z&list=a%20b&list=c%26d&json_list=%5B%22a%20b%22%5D"
	"&filters=%7B%22label%22%3A%22x%3D1%22%7D&raw=%5B1%5D&level=high&port=%7B%22PrivatePort%22%3A80%7D"
	"&cmd=%5B%22a%20b%22%5D";

static void puts_queries(void **state)
{
	struct buf url = BUF_INIT(LIMIT_URL);
	const P none = { 0 };

	(void)state;
	buf_puts(&url, "http://h/p");
	assert_int_equal(query_put(&params_type, &full, 0, &url, NULL), 0);
	assert_memory_equal(buf_str(&url), "http://h/p?", 11);
	assert_string_equal(buf_str(&url) + 11, full_query);
	buf_clear(&url);
	buf_puts(&url, "/p?x=1");
	assert_int_equal(query_put(&params_type, &none, 0, &url, NULL), 0);
	assert_string_equal(buf_str(&url), "/p?x=1&python=False");
	assert_int_equal(query_put(&params_type, NULL, 0, &url, NULL), 0);
	assert_string_equal(buf_str(&url), "/p?x=1&python=False");
	buf_clear(&url);
	buf_puts(&url, "/p?");
	assert_int_equal(query_put(&params_type, &none, 0, &url, NULL), 0);
	assert_string_equal(buf_str(&url), "/p?python=False");
	buf_fini(&url);
}

static void failures_leave_the_url(void **state)
{
	struct buf url = BUF_INIT(60);
	static const char *const hole[] = { NULL };
	davit_err e = { 0 };

	(void)state;
	buf_puts(&url, "/p");
	assert_int_equal(query_put(&params_type, &(P){ .text = "x", .opt.set = true }, 124, &url, &e),
			 DAVIT_EUNSUPPORTED);
	assert_string_equal(e.msg,
			    "parameter opt: needs at least API version 1.30, but version 1.24 is spoken");
	assert_string_equal(buf_str(&url), "/p");
	assert_int_equal(query_put(&params_type, &(P){ .list = { hole, 1 } }, 0, &url, &e), DAVIT_EARG);
	assert_string_equal(e.msg, "parameter list[0]: is NULL");
	assert_int_equal(query_put(&params_type, &(P){ .text = "\xff" }, 0, &url, &e), DAVIT_EARG);
	assert_string_equal(e.msg, "parameter text: string is not valid UTF-8");
	assert_int_equal(query_put(&strict_type, &(P){ 0 }, 0, &url, &e), DAVIT_EARG);
	assert_string_equal(e.msg, "parameter must: must be given");
	assert_int_equal(query_put(&params_type, &full, 0, &url, &e), DAVIT_ELIMIT);
	assert_string_equal(e.msg, "parameter i64: the URL is longer than 60 bytes");
	assert_string_equal(buf_str(&url), "/p");
	buf_fini(&url);
}

static void gets_queries(void **state)
{
	struct arena a = { 0 };
	P out = { 0 };
	davit_err e = { 0 };

	(void)state;
	assert_int_equal(query_get(&params_type, full_query, &out, &a, &e), 0);
	assert_string_equal(out.text, full.text);
	assert_true(out.yes && out.python);
	assert_int_equal(out.tri, DAVIT_NO);
	assert_int_equal(out.i64, -5);
	assert_true(out.u64 == UINT64_MAX);
	assert_true(out.opt.set);
	assert_true(out.f64 > 1.4 && out.time.set);
	assert_int_equal(out.list.n, 2);
	assert_string_equal(out.list.v[1], "c&d");
	assert_int_equal(out.json_list.n, 1);
	assert_string_equal(out.filters.v[0].value, "x=1");
	assert_string_equal(out.raw.json, "[1]");
	assert_int_equal(out.level, LEVEL_HIGH);
	assert_int_equal(out.port.private_port, 80);
	assert_string_equal(out.command.v[0], "[\"a b\"]");
	assert_null(out.etag);
	out = (P){ 0 };
	/* The first of several counts; '+' is a space; unknown names and empty parts are ignored. */
	assert_int_equal(
	    query_get(&params_type, "&text=a+b&&text=c&nobody=%41&yes&i64=007&list=", &out, &a, &e), 0);
	assert_string_equal(out.text, "a b");
	assert_false(out.yes);
	assert_int_equal(out.i64, 7);
	assert_int_equal(out.list.n, 1);
	assert_int_equal(query_get(&params_type, "", &out, &a, &e), 0);
	arena_fini(&a);
}

static void refuses_queries(void **state)
{
	static const struct {
		const char *query, *msg;
	} cases[] = {
		{ "yes=maybe", "parameter yes: expected boolean, got \"maybe\"" },
		{ "i64=", "parameter i64: expected number, got \"\"" },
		{ "i64=%2B5", "parameter i64: expected number, got \"+5\"" },
		{ "i64=5x", "parameter i64: expected number, got \"5x\"" },
		{ "i64=%205", "parameter i64: expected number, got \" 5\"" },
		{ "i64=1.5", "parameter i64: expected int, got double" },
		{ "i64=9223372036854775808", "parameter i64: 9223372036854775808 is out of range" },
		{ "u64=-1", "parameter u64: -1 is out of range" },
		{ "f64=nan", "parameter f64: expected number, got \"nan\"" },
		{ "time=now", "parameter time: \"now\" is no RFC 3339 time" },
		{ "filters={", "parameter filters: invalid JSON: it ends at byte 1, within a value" },
		{ "filters={\"a\":1}", "parameter filters.a: expected string, got int" },
		{ "json_list=a", "parameter json_list: invalid JSON at byte 0: expected a value" },
		{ "port={}", "parameter port.PrivatePort: missing" },
		{ "text=%4", "bad escape in parameter \"text=%4\"" },
		{ "nobody=%zz", "bad escape in parameter \"nobody=%zz\"" },
		{ "text=%00", "bad escape in parameter \"text=%00\"" },
	};
	struct arena a = { 0 };
	davit_err e = { 0 };
	P out = { .i64 = 3 }, before = out;
	static char longest[LIMIT_URL + 2];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(query_get(&params_type, cases[i].query, &out, &a, &e), DAVIT_EPROTO);
		assert_string_equal(e.msg, cases[i].msg);
		assert_memory_equal(&out, &before, sizeof out);
	}
	assert_int_equal(query_get(&strict_type, "x=1", &out, &a, &e), DAVIT_EPROTO);
	assert_string_equal(e.msg, "parameter must is missing");
	memset(longest, '&', sizeof longest - 1);
	assert_int_equal(query_get(&params_type, longest, &out, &a, &e), DAVIT_ELIMIT);
	arena_fini(&a);
}

static void headers_both_ways(void **state)
{
	struct headers h = { 0 };
	struct arena a = { 0 };
	davit_err e = { 0 };
	P out = { 0 };

	(void)state;
	assert_int_equal(headers_add(&h, "Host", "h", NULL), 0);
	assert_int_equal(query_put_headers(&params_type, &full, 0, &h, &e), 0);
	assert_int_equal(h.n, 6);
	assert_string_equal(headers_get(&h, "host"), "h");
	assert_true(h.v[2].secret && !h.v[1].secret);
	assert_int_equal(query_get_headers(&params_type, &h, &out, &a, &e), 0);
	assert_string_equal(out.etag, full.etag);
	assert_string_equal(out.auth.s, "tok");
	assert_int_equal(out.length, 7);
	assert_int_equal(out.warnings.n, 2);
	assert_string_equal(out.warnings.v[1], "c&d");
	assert_null(out.text);
	/* A line end in a value must not get in, nor half of the fields. */
	assert_int_equal(
	    query_put_headers(&params_type, &(P){ .etag = "x", .auth = { "a\r\nb" } }, 0, &h, &e),
	    DAVIT_EARG);
	assert_memory_equal(e.msg, "header X-Auth: ", 15);
	assert_int_equal(h.n, 6);
	headers_fini(&h);
	assert_int_equal(headers_add(&h, "content-length", "x", NULL), 0);
	assert_int_equal(query_get_headers(&params_type, &h, &out, &a, &e), DAVIT_EPROTO);
	assert_string_equal(e.msg, "header Content-Length: expected number, got \"x\"");
	assert_int_equal(query_get_headers(&strict_type, &h, &out, &a, &e), DAVIT_EPROTO);
	assert_string_equal(e.msg, "header ETag is missing");
	headers_fini(&h);
	arena_fini(&a);
}

static void one_by_one(void **state)
{
	static const char *const truths[] = { "1", "t", "True", "YES", "on" }, *const lies[] = {
		"0", "f", "FALSE", "no", "off", ""
	};
	struct arena a = { 0 };
	davit_err e = { 0 };
	P out = { .list = { two, 2 } };

	(void)state;
	for (size_t i = 0; i < sizeof truths / sizeof *truths; i++) {
		out.yes = false;
		assert_int_equal(query_get_one(&params_type, &(davit_pair){ "yes", truths[i] }, &out, &a, &e),
				 0);
		assert_true(out.yes);
	}
	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
		out.tri = DAVIT_UNSET;
		assert_int_equal(query_get_one(&params_type, &(davit_pair){ "tri", lies[i] }, &out, &a, &e),
				 0);
		assert_int_equal(out.tri, DAVIT_NO);
	}
	for (int i = 0; i < 5; i++)
		assert_int_equal(query_get_one(&params_type, &(davit_pair){ "list", "more" }, &out, &a, &e),
				 0);
	assert_int_equal(out.list.n, 7);
	assert_string_equal(out.list.v[1], two[1]);
	assert_string_equal(out.list.v[6], "more");
	assert_int_equal(query_get_one(&params_type, &(davit_pair){ "etag", "x" }, &out, &a, &e), 0);
	assert_string_equal(out.etag, "x");
	assert_int_equal(query_get_one(&params_type, &(davit_pair){ "i64", "five" }, &out, &a, &e),
			 DAVIT_EARG);
	assert_int_equal(e.code, DAVIT_EARG);
	assert_string_equal(e.msg, "parameter i64: expected number, got \"five\"");
	assert_int_equal(query_get_one(&params_type, &(davit_pair){ "nobody", "x" }, &out, &a, &e), 0);
	arena_fini(&a);
}

static int both_ways(void *user)
{
	struct buf url = BUF_INIT(LIMIT_URL);
	struct headers h = { 0 };
	struct arena a = { 0 };
	P out = { 0 };
	int r = query_put(&params_type, &full, 0, &url, NULL);

	(void)user;
	assert_true(!r || !url.len);
	if (!r)
		r = query_get(&params_type, buf_str(&url) + 1, &out, &a, NULL);
	if (!r)
		assert_string_equal(out.list.v[0], "a b");
	if (!r)
		r = query_put_headers(&params_type, &full, 0, &h, NULL);
	assert_true(!r || !h.n);
	if (!r)
		r = query_get_headers(&params_type, &h, &out, &a, NULL);
	if (!r)
		r = query_get_one(&params_type, &(davit_pair){ "list", "x" }, &out, &a, NULL);
	buf_fini(&url);
	headers_fini(&h);
	arena_fini(&a);
	return r;
}

static void out_of_memory(void **state)
{
	(void)state;
	assert_true(torture_run(both_ways, NULL) > 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(puts_queries),      cmocka_unit_test(failures_leave_the_url),
		cmocka_unit_test(gets_queries),      cmocka_unit_test(refuses_queries),
		cmocka_unit_test(headers_both_ways), cmocka_unit_test(one_by_one),
		cmocka_unit_test(out_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

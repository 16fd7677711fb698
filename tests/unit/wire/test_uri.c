#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "wire/uri.h"

static void parses(void **state)
{
	static const struct {
		const char *text, *scheme, *host;
		unsigned port;
		const char *path, *query, *written;
	} rows[] = {
		{ "http://h", "http", "h", 80, "/", NULL, "http://h/" },
		{ "HTTPS://Reg.Example.COM:5000/v2/?", "https", "reg.example.com", 5000, "/v2/", "",
		  "https://reg.example.com:5000/v2/?" },
		{ "https://h:443/a%2Fb?x=%20&y=a/b?c#frag", "https", "h", 443, "/a%2Fb", "x=%20&y=a/b?c",
		  "https://h/a%2Fb?x=%20&y=a/b?c" },
		{ "http://[2001:DB8::1]:8080/x", "http", "2001:db8::1", 8080, "/x", NULL,
		  "http://[2001:db8::1]:8080/x" },
		{ "http://h:/p/../q", "http", "h", 80, "/p/../q", NULL, "http://h/p/../q" },
		{ "http://h?q", "http", "h", 80, "/", "q", "http://h/?q" },
	};
	struct arena a = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf out = BUF_INIT(LIMIT_URL);
		struct uri u;

		assert_int_equal(uri_parse(rows[i].text, &a, &u, NULL), 0);
		assert_string_equal(u.scheme, rows[i].scheme);
		assert_string_equal(u.host, rows[i].host);
		assert_int_equal(u.port, rows[i].port);
		assert_string_equal(u.path, rows[i].path);
		if (rows[i].query)
			assert_string_equal(u.query, rows[i].query);
		else
			assert_null(u.query);
		uri_write(&u, &out);
		assert_string_equal(buf_str(&out), rows[i].written);
		buf_fini(&out);
	}
	arena_fini(&a);
}

static void refuses(void **state)
{
	static const char *const bad[] = {
		"",
		"h",
		"/x",
		"ftp://h/",
		"http:/h",
		"http:///x",
		"http://:80/",
		"http://u@h/",
		"http://u:p@h/",
		"http://h:0/",
		"http://h:65536/",
		"http://h:8a/",
		"http://h:000080/",
		"http://[::1/",
		"http://[h]/",
		"http://[]/",
		"http://[::1]x/",
		"http://a b/",
		"http://h/a b",
		"http://h/\n",
		"http://h\\x/",
		"http://h%41/",
		"http://\xc3\xa4/",
		"http://h/\x7f",
		"http://h;x/",
		"http://../",
		"http://-h/",
		"http://a..b/",
	};
	struct arena a = { 0 };
	struct uri u = { .port = 7 };
	char *big = calloc(1, LIMIT_URL + 2);

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(uri_parse(bad[i], &a, &u, NULL), DAVIT_EARG);
	memset(big, 'x', LIMIT_URL + 1);
	memcpy(big, "http://", 7);
	assert_int_equal(uri_parse(big, &a, &u, NULL), DAVIT_ELIMIT);
	assert_int_equal(u.port, 7);
	free(big);
	arena_fini(&a);
}

/* RFC 3986, 5.4, without schemes other than ours. */
static void resolves(void **state)
{
	static const char *const rows[][2] = {
		{ "g", "http://a/b/c/g" },
		{ "./g", "http://a/b/c/g" },
		{ "g/", "http://a/b/c/g/" },
		{ "/g", "http://a/g" },
		{ "//g", "http://g/" },
		{ "?y", "http://a/b/c/d;p?y" },
		{ "g?y", "http://a/b/c/g?y" },
		{ "#s", "http://a/b/c/d;p?q" },
		{ "g#s", "http://a/b/c/g" },
		{ ";x", "http://a/b/c/;x" },
		{ "g;x?y#s", "http://a/b/c/g;x?y" },
		{ "", "http://a/b/c/d;p?q" },
		{ ".", "http://a/b/c/" },
		{ "./", "http://a/b/c/" },
		{ "..", "http://a/b/" },
		{ "../", "http://a/b/" },
		{ "../g", "http://a/b/g" },
		{ "../..", "http://a/" },
		{ "../../", "http://a/" },
		{ "../../g", "http://a/g" },
		{ "../../../g", "http://a/g" },
		{ "../../../../g", "http://a/g" },
		{ "/./g", "http://a/g" },
		{ "/../g", "http://a/g" },
		{ "g.", "http://a/b/c/g." },
		{ ".g", "http://a/b/c/.g" },
		{ "g..", "http://a/b/c/g.." },
		{ "..g", "http://a/b/c/..g" },
		{ "./../g", "http://a/b/g" },
		{ "./g/.", "http://a/b/c/g/" },
		{ "g/./h", "http://a/b/c/g/h" },
		{ "g/../h", "http://a/b/c/h" },
		{ "g;x=1/./y", "http://a/b/c/g;x=1/y" },
		{ "g;x=1/../y", "http://a/b/c/y" },
		{ "g?y/./x", "http://a/b/c/g?y/./x" },
		{ "g?y/../x", "http://a/b/c/g?y/../x" },
		{ "https://x:1/a/../b?c=%2e%2e", "https://x:1/b?c=%2e%2e" },
		{ "/v2/x?_state=a%2Bb+c&empty=", "http://a/v2/x?_state=a%2Bb+c&empty=" },
		{ "//u:1/..", "http://u:1/" },
	};
	struct arena a = { 0 };
	struct uri base, u;

	(void)state;
	assert_int_equal(uri_parse("http://a/b/c/d;p?q", &a, &base, NULL), 0);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf out = BUF_INIT(LIMIT_URL);

		assert_int_equal(uri_resolve(&base, rows[i][0], &a, &u, NULL), 0);
		uri_write(&u, &out);
		assert_string_equal(buf_str(&out), rows[i][1]);
		buf_fini(&out);
	}
	assert_int_equal(uri_resolve(&base, "g:h", &a, &u, NULL), DAVIT_EARG);
	assert_int_equal(uri_resolve(&base, "javascript:x", &a, &u, NULL), DAVIT_EARG);
	assert_int_equal(uri_resolve(&base, "//u:p@h/", &a, &u, NULL), DAVIT_EARG);
	assert_int_equal(uri_resolve(&base, "/a b", &a, &u, NULL), DAVIT_EARG);
	base.path = ""; /* a prefix without final slash */
	assert_int_equal(uri_resolve(&base, "x", &a, &u, NULL), 0);
	assert_string_equal(u.path, "/x");
	arena_fini(&a);
}

static void compares_origins(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
		{ "http://h/x", "http://H:80/y", true },
		{ "https://h/", "https://h:443/", true },
		{ "http://h/", "https://h/", false },
		{ "http://h:443/", "https://h/", false },
		{ "http://h/", "http://h:81/", false },
		{ "http://h/", "http://g/", false },
		{ "http://localhost/", "http://127.0.0.1/", false },
		{ "http://[::1]/", "http://[0:0::1]/", false },
	};
	struct arena mem = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct uri a, b;

		assert_int_equal(uri_parse(rows[i].a, &mem, &a, NULL), 0);
		assert_int_equal(uri_parse(rows[i].b, &mem, &b, NULL), 0);
		assert_int_equal(uri_same_origin(&a, &b), rows[i].same);
	}
	arena_fini(&mem);
}

static void knows_loopback(void **state)
{
	static const char *const yes[] = { "localhost",   "LOCALHOST", "a.localhost",    "127.0.0.1",
					   "127.255.0.3", "::1",       "0:0:0:0:0:0:0:1" };
	static const char *const no[] = { "",
					  "localhost.example",
					  "mylocalhost",
					  ".localhost",
					  "128.0.0.1",
					  "::2",
					  "127.0.0.1.example",
					  "127.1",
					  "0x7f.0.0.1",
					  "1::1",
					  "::ffff:127.0.0.1" };

	(void)state;
	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
		assert_true(uri_is_loopback(yes[i]));
	for (size_t i = 0; i < sizeof no / sizeof *no; i++)
		assert_false(uri_is_loopback(no[i]));
}

static void splits_hosts(void **state)
{
	static const char *const bad[] = { "",    ":80",  "http://h", "h/x",     "u@h", "h:0",
					   "h:x", "[::1", "::1",      "h:70000", "h?x", "[::1]x" };
	struct arena a = { 0 };
	const char *host;
	unsigned port;
	davit_err e = { 0 };

	(void)state;
	assert_int_equal(uri_split_host("Reg.Example:5000", &a, &host, &port, NULL), 0);
	assert_string_equal(host, "reg.example");
	assert_int_equal(port, 5000);
	assert_int_equal(uri_split_host("[::1]:5", &a, &host, &port, NULL), 0);
	assert_string_equal(host, "::1");
	assert_int_equal(port, 5);
	assert_int_equal(uri_split_host("h", &a, &host, &port, NULL), 0);
	assert_int_equal(port, 0);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(uri_split_host(bad[i], &a, &host, &port, &e), DAVIT_EARG);
	assert_int_equal(uri_split_host("http://h", &a, &host, &port, &e), DAVIT_EARG);
	assert_string_equal(e.msg, "\"http://h\" must be HOST[:PORT], without \"://\"");
	arena_fini(&a);
}

static void encodes_percent(void **state)
{
	struct buf out = BUF_INIT(100);

	(void)state;
	pct_encode(&out, "aZ09-._~ /:+%\xc3\xa4", NULL);
	assert_string_equal(buf_str(&out), "aZ09-._~%20%2F%3A%2B%25%C3%A4");
	buf_clear(&out);
	pct_encode(&out, "a/b:c d", "/:");
	assert_string_equal(buf_str(&out), "a/b:c%20d");
	buf_fini(&out);
}

static void decodes_percent(void **state)
{
	static const char *const bad[] = { "%", "%4", "%g0", "%0g", "%00", "a%", "a%4" };
	struct arena a = { 0 };

	(void)state;
	assert_string_equal(pct_decode("a%2fb%2Fc+d%20", 14, false, &a), "a/b/c+d ");
	assert_string_equal(pct_decode("a+b", 3, true, &a), "a b");
	assert_string_equal(pct_decode("abc%zz", 3, false, &a), "abc");
	assert_string_equal(pct_decode("", 0, false, &a), "");
	assert_null(pct_decode("a\0b", 3, false, &a));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_null(pct_decode(bad[i], strlen(bad[i]), false, &a));
	assert_null(pct_decode("%41", 2, false, &a));
	arena_fini(&a);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses),	    cmocka_unit_test(refuses),
		cmocka_unit_test(resolves),	    cmocka_unit_test(compares_origins),
		cmocka_unit_test(knows_loopback),   cmocka_unit_test(splits_hosts),
		cmocka_unit_test(encodes_percent),  cmocka_unit_test(decodes_percent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

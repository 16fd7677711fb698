/* Requests and answers that work. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

static const char *header(const struct got *g, const char *name)
{
	const char *v = headers_get(&g->r.headers, name);

	return v ? v : "(none)";
}

static void expect(const struct got *g, int status, const char *body)
{
	if (g->rc)
		fail_msg("%s: %s", davit_code_name(g->rc), g->e.msg);
	assert_int_equal(g->r.status, status);
	assert_string_equal(buf_str(&g->body), body);
	assert_int_equal(g->heads, 1);
}

static void get_and_reuse(void **state)
{
	struct http_client *c = fixture_client(NULL);
	struct got g = { 0 };
	char conn[16];

	(void)state;
	ASK(c, &g, .path = "/ok");
	expect(&g, 200, "hello");
	assert_string_equal(header(&g, "x-request"), "1");
	assert_string_equal(g.r.reason, "Because");
	assert_true(g.r.body_started);
	snprintf(conn, sizeof conn, "%s", header(&g, "X-Conn"));
	got_fini(&g);
	for (int i = 2; i < 5; i++) {
		char n[16];

		snprintf(n, sizeof n, "%d", i);
		ASK(c, &g, .path = "/ok", .method = i == 3 ? "POST" : "GET");
		expect(&g, 200, "hello");
		assert_string_equal(header(&g, "X-Conn"), conn);
		assert_string_equal(header(&g, "X-Request"), n);
		got_fini(&g);
	}
	http_client_free(c);
}

/* Exactly what goes over the wire. */
static void request_bytes(void **state)
{
	struct http_client *c = fixture_client(NULL);
	struct headers h = { 0 };
	struct got g = { 0 };
	char text[512];

	(void)state;
	assert_int_equal(headers_add(&h, "X-Empty", "", NULL), 0);
	assert_int_equal(headers_add(&h, "X-One", "1", NULL), 0);
	assert_int_equal(headers_add(&h, "Content-Length", "77", NULL), 0);
	assert_int_equal(headers_add(&h, "Host", "wrong", NULL), 0);
	ASK(c, &g, .path = "/dump", .headers = &h);
	snprintf(text, sizeof text,
		 "GET /dump HTTP/1.1\r\nUser-Agent: davit/" DAVIT_VERSION
		 "\r\nHost: 127.0.0.1:%s\r\nX-Empty:\r\nX-One: 1",
		 fixture_value("http"));
	assert_int_equal(g.rc, 0);
	/* The order of User-Agent and Host is curl's. */
	assert_int_equal(strlen(buf_str(&g.body)), strlen(text));
	assert_non_null(strstr(buf_str(&g.body), "\r\nX-Empty:\r\nX-One: 1"));
	assert_null(strstr(buf_str(&g.body), "Accept"));
	assert_null(strstr(buf_str(&g.body), "wrong"));
	got_fini(&g);
	ASK(c, &g, .method = "PUT", .path = "/x/../dump");
	assert_int_equal(g.r.status, 404);
	got_fini(&g);
	ASK(c, &g, .method = "PATCH", .path = "/dump");
	assert_non_null(strstr(buf_str(&g.body), "\r\nContent-Length: 0"));
	assert_null(strstr(buf_str(&g.body), "Content-Type"));
	got_fini(&g);
	ASK(c, &g, .method = "DELETE", .path = "/dump?a/../b%2f/?x=%20&y");
	assert_ptr_equal(strstr(buf_str(&g.body), "DELETE /dump?a/../b%2f/?x=%20&y HTTP/1.1"),
			 buf_str(&g.body));
	assert_null(strstr(buf_str(&g.body), "Content-Length"));
	got_fini(&g);
	headers_fini(&h);
	http_client_free(c);
}

static void answers_without_body(void **state)
{
	static const struct {
		const char *method, *path;
		int status;
	} rows[] = { { "HEAD", "/ok", 200 },
		     { "GET", "/204", 204 },
		     { "GET", "/304", 304 },
		     { "HEAD", "/304", 304 } };
	struct http_client *c = fixture_client(NULL);
	struct got g = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		ASK(c, &g, .method = rows[i].method, .path = rows[i].path);
		expect(&g, rows[i].status, "");
		assert_false(g.r.body_started);
		if (i == 0)
			assert_string_equal(header(&g, "Content-Length"), "5");
		got_fini(&g);
	}
	http_client_free(c);
}

static void odd_answers(void **state)
{
	static const struct {
		const char *path, *body;
	} rows[] = {
		{ "/chunked", "hello world" }, { "/interim", "final" }, { "/http10", "until the end" },
		{ "/trailing", "hello" },      { "/ok", "hello" },
	};
	struct http_client *c = fixture_client(NULL);
	struct got g = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		ASK(c, &g, .path = rows[i].path);
		expect(&g, 200, rows[i].body);
		assert_null(headers_get(&g.r.headers, "X-Interim"));
		assert_null(headers_get(&g.r.headers, "X-T"));
		got_fini(&g);
	}
	http_client_free(c);
}

static void send_text(struct http_client *c, const char *method, size_t step, bool sized, size_t chunk)
{
	enum { N = 300000 };
	char *text = malloc(N + 1);
	struct text_source t = { .p = text, .n = N, .step = step };
	davit_source s = { .read = text_read, .user = &t, .size = sized ? N : -5 };
	struct got g = { 0 };

	assert_non_null(text);
	for (size_t i = 0; i < N; i++)
		text[i] = (char)('a' + i % 23);
	text[N] = 0;
	ASK(c, &g, .method = method, .path = "/echo", .body = &s, .chunk = chunk);
	expect(&g, 200, text);
	assert_string_equal(header(&g, "X-Method"), method);
	assert_string_equal(header(&g, "X-Framing"), sized ? "length" : "chunked");
	assert_int_equal(t.at, N);
	got_fini(&g);
	free(text);
}

static void uploads(void **state)
{
	struct http_client *c = fixture_client(NULL);
	davit_source empty = { .read = text_read, .user = &(struct text_source){ .p = "" }, .size = 0 };
	struct got g = { 0 };

	(void)state;
	send_text(c, "PUT", 1000000, true, 0);
	send_text(c, "POST", 777, true, 4096);
	send_text(c, "PATCH", 1000000, false, 0);
	/* After an HTTP/1.0 answer curl would refuse to send chunks. */
	ASK(c, &g, .path = "/http10");
	got_fini(&g);
	send_text(c, "POST", 100, false, 1 << 20);
	ASK(c, &g, .method = "PUT", .path = "/echo", .body = &empty);
	expect(&g, 200, "");
	assert_string_equal(header(&g, "X-Framing"), "length");
	got_fini(&g);
	empty.size = -1;
	ASK(c, &g, .method = "PUT", .path = "/echo", .body = &empty);
	expect(&g, 200, "");
	assert_string_equal(header(&g, "X-Framing"), "chunked");
	got_fini(&g);
	http_client_free(c);
}

/* An answer that comes before the body was read. */
static void early_answer(void **state)
{
	struct http_client *c = fixture_client(NULL);
	struct text_source t = { .p = "some text", .n = 9, .step = 9 };
	davit_source s = { .read = text_read, .user = &t, .size = 9 };
	struct got g = { 0 };

	(void)state;
	ASK(c, &g, .method = "POST", .path = "/refuse", .body = &s);
	expect(&g, 401, "no");
	got_fini(&g);
	http_client_free(c);
}

/* The caller's own Expect: the server asks for the body. */
static void expect_continue(void **state)
{
	struct http_client *c = fixture_client(NULL);
	struct text_source t = { .p = "some text", .n = 9, .step = 9 };
	davit_source s = { .read = text_read, .user = &t, .size = 9 };
	struct headers h = { 0 };
	struct got g = { 0 };

	(void)state;
	assert_int_equal(headers_add(&h, "Expect", "100-continue", NULL), 0);
	ASK(c, &g, .method = "POST", .path = "/refuse", .body = &s, .headers = &h);
	expect(&g, 401, "no");
	assert_int_equal(t.at, 0);
	assert_true(g.r.sent);
	got_fini(&g);
	headers_fini(&h);
	http_client_free(c);
}

/* Content codings are undone only for who asks. */
static void content_coding(void **state)
{
	struct http_client *c = fixture_client(NULL);
	struct got g = { 0 };

	(void)state;
	ASK(c, &g, .path = "/gzip", .decode = true);
	expect(&g, 200, "unpacked");
	got_fini(&g);
	ASK(c, &g, .path = "/gzip");
	assert_int_equal(g.rc, 0);
	assert_memory_equal(buf_str(&g.body), "\x1f\x8b", 2);
	got_fini(&g);
	ASK(c, &g, .path = "/dump", .decode = true);
	assert_null(strstr(buf_str(&g.body), "Encoding"));
	got_fini(&g);
	http_client_free(c);
}

static void unix_socket(void **state)
{
	struct http_client *c;
	struct got g = { 0 };

	(void)state;
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	c = fixture_client(DAVIT_OPTS(davit_connection_opts, .unix_socket = fixture_value("unix")));
	for (int i = 1; i < 3; i++) {
		ASK(c, &g, .path = "/ok", .server = "unix");
		expect(&g, 200, "hello");
		assert_string_equal(header(&g, "X-Request"), i == 1 ? "1" : "2");
		got_fini(&g);
	}
	unsetenv("http_proxy");
	http_client_free(c);
}

/* A pooled connection that the server closes on the next request. */
static void dead_connection(void **state)
{
	struct http_client *c = fixture_client(NULL);
	struct got g = { 0 };
	char before[16];

	(void)state;
	ASK(c, &g, .path = "/posts");
	snprintf(before, sizeof before, "%s", buf_str(&g.body));
	got_fini(&g);
	ASK(c, &g, .path = "/then-drop");
	expect(&g, 200, "once");
	got_fini(&g);
	ASK(c, &g, .path = "/ok");
	expect(&g, 200, "hello");
	assert_string_equal(header(&g, "X-Request"), "1");
	got_fini(&g);
	ASK(c, &g, .path = "/then-drop");
	got_fini(&g);
	ASK(c, &g, .path = "/posts", .method = "POST");
	assert_int_equal(g.rc, DAVIT_EIO);
	assert_non_null(strstr(g.e.msg, "not known"));
	assert_int_equal(g.r.status, 0);
	got_fini(&g);
	ASK(c, &g, .path = "/posts");
	expect(&g, 200, before); /* it was not sent again */
	got_fini(&g);
	http_client_free(c);
}

static void proxies(void **state)
{
	char url[128];
	struct http_client *c;
	struct got g = { 0 };

	(void)state;
	snprintf(url, sizeof url, "http://user:hush-proxy@127.0.0.1:%s", fixture_value("proxy_auth"));
	c = fixture_client(DAVIT_OPTS(davit_connection_opts, .proxy = url));
	ASK(c, &g, .path = "/ok");
	assert_int_equal(g.rc, 0);
	assert_string_equal(header(&g, "X-Proxy"), "yes");
	assert_non_null(strstr(buf_str(&g.body), "GET http://127.0.0.1:"));
	got_fini(&g);
	http_client_free(c);

	snprintf(url, sizeof url, "http://127.0.0.1:%s", fixture_value("proxy"));
	setenv("http_proxy", url, 1);
	c = fixture_client(NULL);
	ASK(c, &g, .path = "/ok");
	assert_string_equal(header(&g, "X-Proxy"), "yes");
	got_fini(&g);
	http_client_free(c);
	c = fixture_client(DAVIT_OPTS(davit_connection_opts, .no_proxy = "127.0.0.1"));
	ASK(c, &g, .path = "/ok");
	expect(&g, 200, "hello");
	got_fini(&g);
	http_client_free(c);
	c = fixture_client(DAVIT_OPTS(davit_connection_opts, .proxy = ""));
	ASK(c, &g, .path = "/ok");
	expect(&g, 200, "hello");
	got_fini(&g);
	unsetenv("http_proxy");
	http_client_free(c);
}

static void defaults(void **state)
{
	struct http_client *c = fixture_client(NULL);
	const davit_connection_opts *o = http_client_opts(c);
	davit_connection_opts bad = { 0 };
	struct http_client *none = NULL;
	davit_err e = { 0 };
	struct {
		davit_connection_opts o;
		int newer;
	} newer = { .o.size = sizeof newer };

	(void)state;
	assert_int_equal(o->connect_timeout_ms, 30000);
	assert_int_equal(o->timeout_ms, 0);
	assert_int_equal(o->low_speed_limit, 1);
	assert_int_equal(o->low_speed_time_s, 60);
	assert_int_equal(o->retries, 4);
	assert_int_equal(o->max_redirects, 10);
	assert_int_equal(o->insecure, DAVIT_NO);
	assert_string_equal(o->user_agent, "davit/" DAVIT_VERSION);
	http_client_free(c);

	assert_int_equal(http_client_new(&bad, &none, &e), DAVIT_EARG);
	assert_int_equal(http_client_new(DAVIT_OPTS(davit_connection_opts, .client_key = "k"), &none, &e),
			 DAVIT_EARG);
	assert_int_equal(http_client_new(DAVIT_OPTS(davit_connection_opts, .timeout_ms = -1), &none, &e),
			 DAVIT_EARG);
	assert_int_equal(
	    http_client_new(DAVIT_OPTS(davit_connection_opts, .proxy = "http://u:hush@:99999999"), &none, &e),
	    DAVIT_EARG);
	assert_null(strstr(e.msg, "hush"));
	newer.newer = 1;
	assert_int_equal(http_client_new(&newer.o, &none, &e), DAVIT_EARG);
	newer.newer = 0;
	assert_int_equal(http_client_new(&newer.o, &none, &e), 0);
	http_client_free(none);
	http_client_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(get_and_reuse),
		cmocka_unit_test(request_bytes),
		cmocka_unit_test(answers_without_body),
		cmocka_unit_test(odd_answers),
		cmocka_unit_test(uploads),
		cmocka_unit_test(early_answer),
		cmocka_unit_test(expect_continue),
		cmocka_unit_test(content_coding),
		cmocka_unit_test(unix_socket),
		cmocka_unit_test(dead_connection),
		cmocka_unit_test(proxies),
		cmocka_unit_test(defaults),
	};

	return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/http1.h"

static const char answer[] = "HTTP/1.1 101 UPGRADED\r\n"
			     "Content-Type: application/vnd.docker.raw-stream\r\n"
			     "Connection: keep-alive, Upgrade\r\n"
			     "Upgrade: tcp\r\n"
			     "\r\n"
			     "early";

static void check_answer(const struct http1_head *h)
{
	assert_int_equal(h->status, 101);
	assert_int_equal(h->minor, 1);
	assert_string_equal(h->reason, "UPGRADED");
	assert_int_equal(h->headers.n, 3);
	assert_true(http1_has_token(&h->headers, "connection", "upgrade"));
	assert_true(http1_has_token(&h->headers, "upgrade", "TCP"));
	assert_false(http1_has_token(&h->headers, "connection", "keep"));
	assert_false(http1_has_token(&h->headers, "x", "upgrade"));
}

static void leaves_early_bytes(void **state)
{
	struct http1_head h = HTTP1_HEAD_INIT(HTTP1_RESPONSE);
	size_t used = 0;

	(void)state;
	assert_int_equal(http1_feed(&h, answer, sizeof answer - 1, &used, NULL), HTTP1_DONE);
	assert_string_equal(answer + used, "early");
	check_answer(&h);
	http1_head_fini(&h);
}

static void takes_any_split(void **state)
{
	size_t total = sizeof answer - 1 - 5;

	(void)state;
	for (size_t cut = 1; cut < total; cut++) {
		struct http1_head h = HTTP1_HEAD_INIT(HTTP1_RESPONSE);
		size_t used = 0;

		assert_int_equal(http1_feed(&h, answer, cut, &used, NULL), HTTP1_MORE);
		assert_int_equal(used, cut);
		assert_int_equal(http1_feed(&h, answer + cut, sizeof answer - 1 - cut, &used, NULL),
				 HTTP1_DONE);
		assert_int_equal(used, total - cut);
		check_answer(&h);
		http1_head_fini(&h);
	}
}

static void takes_requests(void **state)
{
	static const char text[] = "\r\nPOST /v1/x?y=z HTTP/1.0\r\nHost: h\r\n\r\n";
	struct http1_head h = HTTP1_HEAD_INIT(HTTP1_REQUEST);
	size_t used = 0;

	(void)state;
	assert_int_equal(http1_feed(&h, text, sizeof text - 1, &used, NULL), HTTP1_DONE);
	assert_int_equal(used, sizeof text - 1);
	assert_string_equal(h.method, "POST");
	assert_string_equal(h.target, "/v1/x?y=z");
	assert_int_equal(h.minor, 0);
	http1_head_fini(&h);
}

static void takes_odd_but_valid_status_lines(void **state)
{
	static const struct {
		const char *text;
		int status;
		const char *reason;
	} rows[] = {
		{ "HTTP/1.1 200\r\n\r\n", 200, "" },
		{ "HTTP/1.0 204 \r\n\r\n", 204, "" },
		{ "HTTP/1.1 999 N\xc3\xb6 way\t!\r\n\r\n", 999, "N\xc3\xb6 way\t!" },
		{ "HTTP/1.1 100 Continue\r\n\r\n", 100, "Continue" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct http1_head h = HTTP1_HEAD_INIT(HTTP1_RESPONSE);
		size_t used;

		assert_int_equal(http1_feed(&h, rows[i].text, strlen(rows[i].text), &used, NULL), HTTP1_DONE);
		assert_int_equal(h.status, rows[i].status);
		assert_string_equal(h.reason, rows[i].reason);
		http1_head_fini(&h);
	}
}

static void refuse(enum http1_kind kind, const char *text, size_t n)
{
	struct http1_head h = HTTP1_HEAD_INIT(kind);
	davit_err e = { 0 };
	size_t used;

	assert_int_equal(http1_feed(&h, text, n, &used, &e), DAVIT_EPROTO);
	assert_true(e.msg[0]);
	http1_head_fini(&h);
}

static void refuses_broken_heads(void **state)
{
	static const char *const answers[] = {
		"\r\n",
		"SSH-2.0-OpenSSH\r\n",
		"HTTP/2 200 OK\r\n",
		"HTTP/2.0 200 OK\r\n",
		"HTTP/1.2 200 OK\r\n",
		"http/1.1 200 OK\r\n",
		"HTTP/1.1  200 OK\r\n",
		"HTTP/1.1 20 OK\r\n",
		"HTTP/1.1 2000 OK\r\n",
		"HTTP/1.1 099 OK\r\n",
		"HTTP/1.1 2x0 OK\r\n",
		"HTTP/1.1 200 O\x01K\r\n",
		"HTTP/1.1 200 OK\n",
		"HTTP/1.1 200 OK\r\r\n",
		"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n",
		"HTTP/1.1 200 OK\r\nA : b\r\n",
		"HTTP/1.1 200 OK\r\nno colon\r\n",
		"HTTP/1.1 200 OK\r\nA: b\n",
		"HTTP/1.1 200 OK\r\nA: b\rc\r\n",
		"HTTP/1.1 200 OK\r\n: b\r\n",
		"HTTP/1.1 200 OK\r\n\n",
	};
	static const char *const requests[] = {
		"\r\n\r\n",
		"GET\r\n",
		"GET /\r\n",
		"GET  HTTP/1.1\r\n",
		"GET /a b HTTP/1.1\r\n",
		" GET / HTTP/1.1\r\n",
		"GET / HTTP/1.1 \r\n",
		"GET /\x01 HTTP/1.1\r\n",
		"GET / HTTP/3.0\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
		refuse(HTTP1_RESPONSE, answers[i], strlen(answers[i]));
	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++)
		refuse(HTTP1_REQUEST, requests[i], strlen(requests[i]));
	refuse(HTTP1_RESPONSE, "HTTP/1.1 200 O\0K\r\n", 18);
}

static void keeps_its_limits(void **state)
{
	struct http1_head h = HTTP1_HEAD_INIT(HTTP1_RESPONSE);
	char *big = malloc(LIMIT_HEADER_LINE + 1);
	size_t used;
	int r = 0, lines = 0;

	(void)state;
	memset(big, 'x', LIMIT_HEADER_LINE + 1);
	assert_int_equal(http1_feed(&h, big, LIMIT_HEADER_LINE + 1, &used, NULL), DAVIT_ELIMIT);
	http1_head_fini(&h);
	assert_int_equal(http1_feed(&h, "HTTP/1.1 200 OK\r\n", 17, &used, NULL), HTTP1_MORE);
	while (!r) {
		r = http1_feed(&h, "A: b\r\n", 6, &used, NULL);
		lines++;
	}
	assert_int_equal(r, DAVIT_ELIMIT);
	assert_int_equal(lines, LIMIT_HEADER_COUNT + 1);
	http1_head_fini(&h);
	assert_int_equal(http1_feed(&h, "HTTP/1.1 200 OK\r\n", 17, &used, NULL), HTTP1_MORE);
	memcpy(big, "A: ", 3);
	memcpy(big + 60000, "\r\n", 2);
	for (r = 0, lines = 0; !r; lines++)
		r = http1_feed(&h, big, 60002, &used, NULL);
	assert_int_equal(r, DAVIT_ELIMIT);
	assert_int_equal(lines, LIMIT_HEADERS / 60002 + 1);
	http1_head_fini(&h);
	free(big);
}

static void writes_requests(void **state)
{
	struct headers headers = { 0 };
	struct arena a = { 0 };
	struct buf out = BUF_INIT(4096);
	struct uri u;

	(void)state;
	assert_int_equal(uri_parse("http://[::1]:2375/v1.41/exec/x/start?a=b", &a, &u, NULL), 0);
	assert_int_equal(headers_add(&headers, "Upgrade", "tcp", NULL), 0);
	assert_int_equal(http1_write_request(&out, "POST", &u, &headers, NULL), 0);
	assert_string_equal(buf_str(&out), "POST /v1.41/exec/x/start?a=b HTTP/1.1\r\n"
					   "Host: [::1]:2375\r\nUpgrade: tcp\r\n\r\n");
	buf_clear(&out);
	assert_int_equal(headers_add(&headers, "host", "docker", NULL), 0);
	assert_int_equal(http1_write_request(&out, "GET", &u, &headers, NULL), 0);
	assert_string_equal(buf_str(&out), "GET /v1.41/exec/x/start?a=b HTTP/1.1\r\n"
					   "Upgrade: tcp\r\nhost: docker\r\n\r\n");
	assert_int_equal(http1_write_request(&out, "GET /\r\nX:", &u, &headers, NULL), DAVIT_EARG);
	assert_int_equal(http1_write_request(&out, "", &u, &headers, NULL), DAVIT_EARG);
	u.path = "/a\r\nX: y";
	assert_int_equal(http1_write_request(&out, "GET", &u, &headers, NULL), DAVIT_EARG);
	u.path = "/a";
	u.query = "x y";
	assert_int_equal(http1_write_request(&out, "GET", &u, &headers, NULL), DAVIT_EARG);
	buf_fini(&out);
	headers_fini(&headers);
	arena_fini(&a);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaves_early_bytes),
		cmocka_unit_test(takes_any_split),
		cmocka_unit_test(takes_requests),
		cmocka_unit_test(takes_odd_but_valid_status_lines),
		cmocka_unit_test(refuses_broken_heads),
		cmocka_unit_test(keeps_its_limits),
		cmocka_unit_test(writes_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

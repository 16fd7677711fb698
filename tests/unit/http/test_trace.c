/* The trace tells what went over the wire, but no secret. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "fixture.h"

static void on_line(void *user, const char *line)
{
	struct buf *b = user;

	assert_null(strchr(line, '\n'));
	assert_null(strchr(line, '\r'));
	buf_puts(b, line);
	buf_putc(b, '\n');
}

static void has(const struct buf *b, const char *text)
{
	if (!strstr(buf_str(b), text))
		fail_msg("no \"%s\" in:\n%s", text, buf_str(b));
}

static void has_not(const struct buf *b, const char *text)
{
	if (strstr(buf_str(b), text))
		fail_msg("\"%s\" in:\n%s", text, buf_str(b));
}

static void add_secrets(struct headers *h)
{
	static const char *const names[] = { "Authorization", "Cookie", "X-Registry-Auth",
					     "x-registry-config", "X-My-Token" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		assert_int_equal(headers_add(h, names[i], "hush-header", NULL), 0);
	assert_int_equal(headers_add_secret(h, "X-Plain", "hush-marked", NULL), 0);
	assert_int_equal(headers_add(h, "X-Shown", "shown", NULL), 0);
	assert_int_equal(
	    headers_add(h, "Referer", "https://me:hush-user@host/p?a=b&sig=hush-sig&c=shown2", NULL), 0);
}

static void redaction(void **state)
{
	static const char path[] =
	    "/secrets?token=hush-1&a=seen&X-Amz-Signature=hush-2&password=hush-3&_state=hush-4"
	    "&client_secret=hush-5&access_token=hush-6&z";
	AUTO_BUF struct buf b = BUF_INIT(1 << 20);
	struct http_client *c =
	    fixture_client(DAVIT_OPTS(davit_connection_opts, .trace = on_line, .trace_user = &b));
	struct headers h = { 0 };
	struct got g = { 0 };

	(void)state;
	add_secrets(&h);
	ASK(c, &g, .path = path, .headers = &h);
	assert_int_equal(g.rc, 0);
	got_fini(&g);
	has(&b, "> GET "
		"/secrets?token=[redacted]&a=seen&X-Amz-Signature=[redacted]&password=[redacted]&_state=["
		"redacted]"
		"&client_secret=[redacted]&access_token=[redacted]&z HTTP/1.1\n");
	has(&b, "> Authorization: [redacted]\n");
	has(&b, "> X-Plain: [redacted]\n");
	has(&b, "> X-Shown: shown\n");
	has(&b, "> Referer: https://[redacted]@host/p?a=b&sig=[redacted]&c=shown2\n");
	has(&b, "< HTTP/1.1 200 Because\n");
	has(&b, "< Set-Cookie: [redacted]\n");
	has(&b, "< Location: http://[redacted]@h/x?_state=[redacted]&n=1\n");
	has(&b, "< X-Sub-Token: [redacted]\n");
	has(&b, "* new connection to 127.0.0.1:");
	has(&b, "* done: status 200, sent 0, received 11 bytes");
	has_not(&b, "hush");
	has_not(&b, "body-secret");
	buf_clear(&b);
	ASK(c, &g, .path = "/ok");
	got_fini(&g);
	has(&b, "* reused connection to");
	buf_clear(&b);
	ASK(c, &g, .path = "/drop");
	got_fini(&g);
	has(&b, "* IO: status 0");
	buf_clear(&b);
	http_client_trace(c, "going to %s", "http://u:hush@x/?token=hush&a=b\n");
	assert_string_equal(buf_str(&b), "going to http://[redacted]@x/?token=[redacted]&a=b\\x0a\n");
	buf_clear(&b);
	http_client_trace(c, "%s", "title \xc2\x9b" "2J \xc3\xa9");
	assert_string_equal(buf_str(&b), "title \\xc2\\x9b2J \xc3\xa9\n");
	headers_fini(&h);
	http_client_free(c);
}

static void proxy_password(void **state)
{
	AUTO_BUF struct buf b = BUF_INIT(1 << 20);
	struct http_client *c;
	struct got g = { 0 };
	char url[128];

	(void)state;
	snprintf(url, sizeof url, "http://user:hush-proxy@127.0.0.1:%s", fixture_value("proxy_auth"));
	c = fixture_client(DAVIT_OPTS(davit_connection_opts, .proxy = url, .ca_file = fixture_file("ca.pem"),
				      .trace = on_line, .trace_user = &b));
	ASK(c, &g, .path = "/ok", .scheme = "https", .server = "tls");
	assert_int_equal(g.rc, 0);
	got_fini(&g);
	has(&b, "> CONNECT 127.0.0.1:");
	has(&b, "> Proxy-Authorization: [redacted]\n");
	has_not(&b, "hush");
	has_not(&b, "dXNlcj"); /* base64 of user: */
	http_client_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(redaction),
		cmocka_unit_test(proxy_password),
	};

	return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}

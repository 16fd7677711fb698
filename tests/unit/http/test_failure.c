/* Everything that can go wrong, and what is said about it. */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "fixture.h"

static void expect(const struct got *g, int code, const char *words)
{
	if (g->rc != code || !strstr(g->e.msg, words))
		fail_msg("expected %s with \"%s\", got %s: %s", davit_code_name(code), words,
			 davit_code_name(g->rc), g->e.msg);
	assert_int_equal(g->e.code, code);
}

/* Answers that must fail: what is reported, and whether a head was delivered. */
static void broken_answers(void **state)
{
	static const struct {
		const char *path;
		int code, status;
		const char *words;
	} rows[] = {
		{ "/short", DAVIT_EIO, 200, "shorter than announced" },
		{ "/short-chunk", DAVIT_EIO, 200, "shorter than announced" },
		{ "/bad-chunk", DAVIT_EPROTO, 200, "broken body" },
		{ "/drop", DAVIT_EIO, 0, "closed the connection without an answer" },
		{ "/reset", DAVIT_EIO, 0, "Connection reset by peer" },
		{ "/reset-body", DAVIT_EIO, 200, "during the answer" },
		{ "/flood-count", DAVIT_ELIMIT, 0, "header" },
		{ "/flood-line", DAVIT_ELIMIT, 0, "65536" },
		{ "/flood-huge", DAVIT_ELIMIT, 0, "header" },
		{ "/flood-total", DAVIT_ELIMIT, 0, "262144" },
		{ "/flood-interim", DAVIT_ELIMIT, 0, "262144" },
		{ "/switch", DAVIT_EPROTO, 0, "without being asked" },
		{ "/not-http", DAVIT_EPROTO, 0, "does not speak HTTP" },
		{ "/bad-status", DAVIT_EPROTO, 0, "" },
		{ "/bad-header", DAVIT_EPROTO, 0, "the answer of 127.0.0.1:" },
		{ "/second-status", DAVIT_EPROTO, 0, "header name \"HTTP/1.1 200 OK\"" },
		{ "/two-lengths", DAVIT_EPROTO, 0, "two different Content-Length" },
	};
	struct http_client *c = fixture_client(NULL);
	struct got g = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		ASK(c, &g, .path = rows[i].path);
		if (g.rc != rows[i].code)
			print_message("%s\n", rows[i].path);
		expect(&g, rows[i].code, rows[i].words);
		assert_int_equal(g.r.status, rows[i].status);
		assert_false(http_client_peer_spoke_no_tls(c));
		got_fini(&g);
		/* The client is as good as new after it. */
		ASK(c, &g, .path = "/ok");
		assert_int_equal(g.rc, 0);
		got_fini(&g);
	}
	http_client_free(c);
}

/* A port of which nobody listens. */
static int closed_port(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)(void *)&a, sizeof a), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)(void *)&a, &n), 0);
	close(fd);
	return ntohs(a.sin_port);
}

static void get_url(struct http_client *c, const char *url, struct got *g)
{
	struct arena mem = { 0 };
	struct uri u;
	const struct http_request req = { .method = "GET", .uri = &u };

	assert_int_equal(uri_parse(url, &mem, &u, NULL), 0);
	g->rc = http_exchange(c, &req, NULL, &g->r, &g->e);
	arena_fini(&mem);
}

static void no_connection(void **state)
{
	struct http_client *c = fixture_client(NULL);
	struct got g = { 0 };
	char url[128], proxy[128], words[128];
	int port = closed_port();

	(void)state;
	snprintf(url, sizeof url, "http://127.0.0.1:%d/", port);
	snprintf(words, sizeof words, "cannot connect to 127.0.0.1:%d (does the server run", port);
	get_url(c, url, &g);
	expect(&g, DAVIT_EIO, words);
	assert_int_equal(g.e.sys, ECONNREFUSED);
	got_fini(&g);
	get_url(c, "http://no-such-host.invalid:81/", &g);
	expect(&g, DAVIT_EIO, "cannot find the host no-such-host.invalid");
	got_fini(&g);
	http_client_free(c);

	snprintf(proxy, sizeof proxy, "http://u:hush@127.0.0.1:%d", port);
	snprintf(words, sizeof words, "cannot connect to the proxy 127.0.0.1:%d", port);
	c = fixture_client(DAVIT_OPTS(davit_connection_opts, .proxy = proxy));
	get_url(c, "http://example.invalid/", &g);
	expect(&g, DAVIT_EIO, words);
	assert_null(strstr(g.e.msg, "hush"));
	got_fini(&g);
	http_client_free(c);
	c = fixture_client(
	    DAVIT_OPTS(davit_connection_opts, .proxy = "http://u:hush@no-such-proxy.invalid:1"));
	get_url(c, "http://127.0.0.1/", &g);
	expect(&g, DAVIT_EIO, "the name of the proxy, no-such-proxy.invalid, is not known");
	got_fini(&g);
	http_client_free(c);

	c = fixture_client(DAVIT_OPTS(davit_connection_opts, .unix_socket = "/nonexistent/x.sock"));
	get_url(c, "http://docker/", &g);
	expect(&g, DAVIT_EIO,
	       "/nonexistent/x.sock (unix socket) (there is no such socket; does the daemon run?)");
	got_fini(&g);
	http_client_free(c);
}

static void proxy_refuses(void **state)
{
	char url[128];
	struct http_client *c;
	struct got g = { 0 };

	(void)state;
	snprintf(url, sizeof url, "http://user:hush-wrong@127.0.0.1:%s", fixture_value("proxy_auth"));
	c = fixture_client(DAVIT_OPTS(davit_connection_opts, .proxy = url));
	ASK(c, &g, .path = "/ok", .scheme = "https", .server = "tls");
	expect(&g, DAVIT_EDENIED, "the proxy");
	assert_int_equal(g.e.http, 407);
	assert_null(strstr(g.e.msg, "hush"));
	got_fini(&g);
	http_client_free(c);
	snprintf(url, sizeof url, "http://127.0.0.1:%s", fixture_value("proxy_broken"));
	c = fixture_client(DAVIT_OPTS(davit_connection_opts, .proxy = url));
	ASK(c, &g, .path = "/ok", .scheme = "https", .server = "tls");
	expect(&g, DAVIT_EIO, "it answered 503");
	got_fini(&g);
	http_client_free(c);
}

/* A listener whose queue is full: connecting hangs. */
static void connect_timeout(void **state)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fill[8];
	struct http_client *c = fixture_client(DAVIT_OPTS(davit_connection_opts, .connect_timeout_ms = 200));
	struct got g = { 0 };
	char url[64];

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)(void *)&a, sizeof a), 0);
	assert_int_equal(listen(fd, 0), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)(void *)&a, &n), 0);
	for (size_t i = 0; i < 8; i++) {
		fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)!connect(fill[i], (struct sockaddr *)(void *)&a, sizeof a);
	}
	snprintf(url, sizeof url, "http://127.0.0.1:%d/", ntohs(a.sin_port));
	get_url(c, url, &g);
	expect(&g, DAVIT_ETIMEOUT, "no connection within 200 ms");
	got_fini(&g);
	for (size_t i = 0; i < 8; i++)
		close(fill[i]);
	close(fd);
	http_client_free(c);
}

static void time_limits(void **state)
{
	struct http_client *c = fixture_client(DAVIT_OPTS(davit_connection_opts, .low_speed_time_s = 1));
	struct got g = { 0 };
	int64_t start = clock_mono_ms();

	(void)state;
	ASK(c, &g, .path = "/silent", .deadline_ms = 300);
	expect(&g, DAVIT_ETIMEOUT, "no answer came within the time limit");
	got_fini(&g);
	ASK(c, &g, .path = "/stall", .deadline_ms = 300);
	expect(&g, DAVIT_ETIMEOUT, "not complete");
	assert_string_equal(buf_str(&g.body), "0123456789");
	got_fini(&g);
	assert_true(clock_mono_ms() - start < 2000);
	/* Stalls. The deadline does not count for a stream. */
	ASK(c, &g, .path = "/stall", .stream = true, .deadline_ms = 1);
	expect(&g, DAVIT_ETIMEOUT, "stalled: less than 1 bytes per second for 1 s");
	assert_int_equal(g.r.status, 200);
	got_fini(&g);
	ASK(c, &g, .path = "/silent");
	expect(&g, DAVIT_ETIMEOUT, "stalled");
	got_fini(&g);
	assert_true(clock_mono_ms() - start < 8000);
	/* Slow but alive. */
	ASK(c, &g, .path = "/drip");
	assert_int_equal(g.rc, 0);
	got_fini(&g);
	/* The caller's own slowness is no stall. */
	g.body_sleep_ms = 2500;
	ASK(c, &g, .path = "/ok");
	assert_int_equal(g.rc, 0);
	got_fini(&g);
	/* Silence that is expected ends only by other means. */
	ASK(c, &g, .path = "/silent", .idle = true, .deadline_ms = 2500);
	expect(&g, DAVIT_ETIMEOUT, "time limit");
	got_fini(&g);
	http_client_free(c);
}

static void callbacks(void **state)
{
	struct http_client *c = fixture_client(NULL);
	struct text_source t = { .p = "abcdef", .n = 6, .step = 2, .fail = -42 };
	davit_source s = { .read = text_read, .user = &t, .size = -1 };
	struct got g = { .head_says = DAVIT_EREMOTE };

	(void)state;
	ASK(c, &g, .path = "/ok");
	assert_int_equal(g.rc, DAVIT_EREMOTE);
	assert_false(g.r.body_started);
	got_fini(&g);
	g.body_says = DAVIT_EINTEGRITY;
	ASK(c, &g, .path = "/ok");
	assert_int_equal(g.rc, DAVIT_EINTEGRITY);
	assert_true(g.r.body_started);
	got_fini(&g);
	ASK(c, &g, .method = "PUT", .path = "/echo", .body = &s);
	expect(&g, DAVIT_ECALLBACK, "reading the body to send");
	assert_int_equal(g.e.callback, -42);
	assert_true(g.r.sent);
	got_fini(&g);
	t.at = 0;
	t.fail = 0;
	s.size = 7;
	ASK(c, &g, .method = "PUT", .path = "/echo", .body = &s);
	expect(&g, DAVIT_EINTEGRITY, "ended after 6 of 7 bytes");
	got_fini(&g);
	ASK(c, &g, .path = "/ok");
	assert_int_equal(g.rc, 0);
	got_fini(&g);
	http_client_free(c);
}

/* ---- cancelling ---- */

static void *fire_later(void *token)
{
	nanosleep(&(struct timespec){ 0, 150 * 1000000L }, NULL);
	davit_cancel(token);
	return NULL;
}

static int endless_read(void *user, void *buf, size_t cap, size_t *got)
{
	(void)user;
	memset(buf, 'x', cap);
	*got = cap;
	return 0;
}

static void cancelling(void **state)
{
	static const davit_source endless = { .read = endless_read, .size = -1 };
	static const struct ask asks[] = {
		{ .path = "/silent" },
		{ .path = "/stall" },
		{ .path = "/stall-upload", .method = "PUT", .body = &endless },
		{ .path = "/ok",
		  .scheme = "https" /* the server waits for a request, the client for a hello */ },
	};

	(void)state;
	for (size_t i = 0; i < sizeof asks / sizeof *asks; i++) {
		davit_cancel_token *t = NULL;
		struct http_client *c;
		struct got g = { 0 };
		pthread_t thread;
		int64_t start = clock_mono_ms();

		assert_int_equal(davit_cancel_new(&t, NULL), 0);
		c = fixture_client(DAVIT_OPTS(davit_connection_opts, .cancel = t));
		assert_int_equal(pthread_create(&thread, NULL, fire_later, t), 0);
		ask(c, &asks[i], &g);
		expect(&g, DAVIT_ECANCELLED, "");
		assert_true(clock_mono_ms() - start < 2000);
		pthread_join(thread, NULL);
		got_fini(&g);
		/* It is sticky. */
		ASK(c, &g, .path = "/ok");
		expect(&g, DAVIT_ECANCELLED, "");
		got_fini(&g);
		/* Clearing up goes on. */
		ASK(c, &g, .path = "/ok", .uncancelled = true);
		assert_int_equal(g.rc, 0);
		got_fini(&g);
		http_client_free(c);
		davit_cancel_unref(t);
	}
}

/* ---- misuse ---- */

struct reentry {
	struct http_client *c;
	struct got inner;
};

static int reenter(void *user, const void *p, size_t n, davit_err *e)
{
	struct reentry *r = user;

	(void)p;
	(void)n;
	(void)e;
	ASK(r->c, &r->inner, .path = "/ok");
	return 0;
}

static void misuse(void **state)
{
	struct reentry r = { .c = fixture_client(NULL) };
	struct arena mem = { 0 };
	struct http_request req = { .method = "GET", .uri = fixture_uri(&mem, "http", "http", "/ok") };
	const struct http_handler h = { .body = reenter, .user = &r };
	struct http_response resp;
	davit_err e = { 0 };
	int status = 0;
	pid_t pid;

	(void)state;
	assert_int_equal(http_exchange(r.c, &req, &h, &resp, &e), 0);
	expect(&r.inner, DAVIT_ESTATE, "a callback used the handle");
	got_fini(&r.inner);
	http_response_fini(&resp);
	pid = fork();
	if (!pid) {
		int rc = http_exchange(r.c, &req, NULL, &resp, &e);

		http_client_free(r.c);
		_exit(rc == DAVIT_ESTATE && strstr(e.msg, "fork") ? 7 : 1);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(WEXITSTATUS(status), 7);
	/* The parent's connection is unharmed. */
	assert_int_equal(http_exchange(r.c, &req, NULL, &resp, &e), 0);
	assert_string_equal(headers_get(&resp.headers, "X-Request"), "2");
	http_response_fini(&resp);
	req.method = NULL;
	assert_int_equal(http_exchange(r.c, &req, NULL, &resp, &e), DAVIT_EARG);
	arena_fini(&mem);
	http_client_free(r.c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(broken_answers), cmocka_unit_test(no_connection),
		cmocka_unit_test(proxy_refuses),  cmocka_unit_test(connect_timeout),
		cmocka_unit_test(time_limits),    cmocka_unit_test(callbacks),
		cmocka_unit_test(cancelling),     cmocka_unit_test(misuse),
	};

	return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}

/* Raw connections: every way to dial, half-close, early bytes, both directions at once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"
#include "http/dial.h"

/* Dials the way that a row describes. */
struct way {
	const char *name, *scheme, *server, *proxy;
	bool is_unix;
};

static const struct way ways[] = {
	{ "tcp", "http", "echo", NULL, false },
	{ "unix", "http", "echo_unix", NULL, true },
	{ "TLS", "https", "echo_tls", NULL, false },
	{ "tcp by proxy", "http", "echo", "proxy", false },
	{ "TLS by proxy", "https", "echo_tls", "proxy", false },
	{ "TLS by proxy with password", "https", "echo_tls", "proxy_auth", false },
};

static struct conn *dial(const struct way *w)
{
	char proxy[128] = "";
	struct arena mem = { 0 };
	struct http_client *c;
	struct conn *conn = NULL;
	davit_err e = { 0 };

	if (w->proxy)
		snprintf(proxy, sizeof proxy, "http://user:hush-proxy@127.0.0.1:%s", fixture_value(w->proxy));
	c = fixture_client(DAVIT_OPTS(davit_connection_opts, .proxy = proxy,
				      .ca_file = fixture_file("ca.pem"),
				      .unix_socket = w->is_unix ? fixture_value(w->server) : NULL));
	if (dial_uri(c, fixture_uri(&mem, w->scheme, w->server, "/"), &conn, &e))
		fail_msg("%s: %s", w->name, e.msg);
	/* The connection outlives the client. */
	http_client_free(c);
	arena_fini(&mem);
	return conn;
}

static davit_stream *stream_over(struct conn *conn, const struct stream_opts *o)
{
	davit_stream *s = NULL;

	assert_int_equal(stream_new(conn, o, &s, NULL), 0);
	return s;
}

static void read_to_end(davit_stream *s, struct buf *out)
{
	char piece[1000];
	size_t got;
	davit_err e = { 0 };

	do {
		if (davit_stream_read(s, piece, sizeof piece, &got, &e))
			fail_msg("%s", e.msg);
		buf_add(out, piece, got);
	} while (got);
	/* The end stays the end. */
	assert_int_equal(davit_stream_read(s, piece, sizeof piece, &got, &e), 0);
	assert_int_equal(got, 0);
}

/* Early bytes first, then the echo, and what comes after our end. */
static void talk(davit_stream *s, const char *want)
{
	struct buf b = BUF_INIT(1 << 20);
	davit_err e = { 0 };

	if (davit_stream_write(s, "one ", 4, &e) || davit_stream_write(s, "two ", 4, &e))
		fail_msg("%s", e.msg);
	if (davit_stream_close_write(s, &e))
		fail_msg("%s", e.msg);
	assert_int_equal(davit_stream_close_write(s, &e), 0);
	assert_int_equal(davit_stream_write(s, "x", 1, &e), DAVIT_ESTATE);
	read_to_end(s, &b);
	assert_string_equal(buf_str(&b), want);
	buf_fini(&b);
	davit_stream_free(s);
}

static void all_ways(void **state)
{
	const struct stream_opts early = { .early = "early ", .early_n = 6 };

	(void)state;
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
		talk(stream_over(dial(&ways[i]), &early), "early one two bye");
}

static struct conn *child(const char *a, const char *b, const char *c)
{
	const char *const argv[] = { a, b, c, NULL };
	struct conn *conn = NULL;
	davit_err e = { 0 };

	if (dial_child(argv, &conn, &e))
		fail_msg("%s", e.msg);
	return conn;
}

static void children(void **state)
{
	static const char *const missing[] = { "davit-no-such-program", NULL };
	struct conn *conn = NULL;
	struct buf b = BUF_INIT(1 << 20);
	davit_err e = { 0 };
	char piece[16];
	size_t got;
	davit_stream *s;

	(void)state;
	talk(stream_over(child("cat", NULL, NULL), NULL), "one two ");
	assert_int_equal(dial_child(missing, &conn, &e), DAVIT_EIO);
	assert_non_null(strstr(e.msg, "cannot run davit-no-such-program (is it installed and in PATH?)"));
	assert_null(conn);

	/* It closes its output, but lives on; its descriptors are only three. */
	s = stream_over(child("sh", "-c",
			      "for i in 3 4 5 6 7 8 9; do test -e /proc/$$/fd/$i && echo $i; done; echo ok; "
			      "exec >&-; exec sleep 20"),
			NULL);
	read_to_end(s, &b);
	assert_string_equal(buf_str(&b), "ok\n");
	davit_stream_free(s); /* ends it by SIGTERM */
	buf_fini(&b);

	s = stream_over(child("sh", "-c", "exit 3"), NULL);
	assert_int_equal(davit_stream_read(s, piece, sizeof piece, &got, &e), DAVIT_EIO);
	assert_non_null(strstr(e.msg, "sh ended with status 3"));
	davit_stream_free(s);
	s = stream_over(child("sh", "-c", "trap '' TERM; kill -9 $$"), NULL);
	assert_int_equal(davit_stream_read(s, piece, sizeof piece, &got, &e), DAVIT_EIO);
	assert_non_null(strstr(e.msg, "signal 9"));
	davit_stream_free(s);
}

/* ---- pump ---- */

enum { BULK = 5 << 20 };

struct bulk {
	size_t sent, got;
	bool wrong;
};

static int bulk_read(void *user, void *buf, size_t cap, size_t *got)
{
	struct bulk *b = user;
	size_t n = BULK - b->sent < cap ? BULK - b->sent : cap;

	for (size_t i = 0; i < n; i++)
		((unsigned char *)buf)[i] = (unsigned char)((b->sent + i) % 251);
	b->sent += n;
	*got = n;
	return 0;
}

static int bulk_write(void *user, const void *p, size_t n)
{
	struct bulk *b = user;

	for (size_t i = 0; i < n; i++)
		if (b->got + i < BULK && ((const unsigned char *)p)[i] != (unsigned char)((b->got + i) % 251))
			b->wrong = true;
	b->got += n;
	return 0;
}

static void pump_echo(struct conn *conn, size_t want)
{
	struct bulk b = { 0 };
	davit_stream *s = stream_over(conn, NULL);
	davit_err e = { 0 };

	if (davit_stream_pump(s, &(davit_source){ .read = bulk_read, .user = &b, .size = -1 },
			      &(davit_sink){ bulk_write, &b }, &e))
		fail_msg("%s", e.msg);
	assert_int_equal(b.sent, BULK);
	assert_int_equal(b.got, want);
	assert_false(b.wrong);
	davit_stream_free(s);
}

static void pump_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
		pump_echo(dial(&ways[i]), BULK + 3);
	pump_echo(child("cat", NULL, NULL), BULK);
}

static int keep(void *user, const void *p, size_t n)
{
	struct buf *b = user;

	buf_add(b, p, n);
	return 0;
}

static int fail_read(void *user, void *buf, size_t cap, size_t *got)
{
	(void)user;
	(void)buf;
	(void)cap;
	(void)got;
	return -9;
}

static int fail_write(void *user, const void *p, size_t n)
{
	(void)user;
	(void)p;
	(void)n;
	return -8;
}

static void pump_ends(void **state)
{
	static const struct way flood = { "flood", "http", "flood", NULL, false };
	struct bulk b = { 0 };
	struct buf text = BUF_INIT(1 << 20);
	davit_err e = { 0 };
	davit_stream *s;

	(void)state;
	/* The peer sends much before it reads. */
	s = stream_over(dial(&flood), NULL);
	assert_int_equal(
	    davit_stream_pump(s, &(davit_source){ .read = bulk_read, .user = &b, .size = -1 }, NULL, &e), 0);
	assert_int_equal(b.sent, BULK);
	davit_stream_free(s);
	/* The peer stops to read, but goes on to write. */
	b = (struct bulk){ 0 };
	s = stream_over(child("sh", "-c", "exec <&-; sleep 0.3; echo still here"), NULL);
	if (davit_stream_pump(s, &(davit_source){ .read = bulk_read, .user = &b, .size = -1 },
			      &(davit_sink){ keep, &text }, &e))
		fail_msg("%s", e.msg);
	assert_string_equal(buf_str(&text), "still here\n");
	davit_stream_free(s);
	buf_fini(&text);
	/* Without a source our direction stays open: the child ends by itself. */
	s = stream_over(child("sh", "-c", "echo x"), NULL);
	assert_int_equal(davit_stream_pump(s, NULL, &(davit_sink){ fail_write, NULL }, &e), DAVIT_ECALLBACK);
	assert_int_equal(e.callback, -8);
	davit_stream_free(s);
	s = stream_over(child("cat", NULL, NULL), NULL);
	assert_int_equal(davit_stream_pump(s, &(davit_source){ .read = fail_read, .size = -1 }, NULL, &e),
			 DAVIT_ECALLBACK);
	assert_int_equal(e.callback, -9);
	davit_stream_free(s);
}

/* ---- failures ---- */

static void failures(void **state)
{
	struct http_client *c = fixture_client(NULL);
	struct arena mem = { 0 };
	struct conn *conn = NULL;
	davit_err e = { 0 };
	davit_cancel_token *t = NULL;

	(void)state;
	assert_int_equal(dial_uri(c, fixture_uri(&mem, "https", "echo_tls", "/"), &conn, &e), DAVIT_ETRUST);
	assert_non_null(strstr(e.msg, "davit --ca-file FILE"));
	assert_int_equal(dial_uri(c, fixture_uri(&mem, "https", "garbage", "/"), &conn, &e), DAVIT_EPROTO);
	assert_true(http_client_peer_spoke_no_tls(c));
	http_client_free(c);
	assert_int_equal(davit_cancel_new(&t, NULL), 0);
	c = fixture_client(DAVIT_OPTS(davit_connection_opts, .cancel = t));
	davit_cancel(t);
	assert_int_equal(dial_uri(c, fixture_uri(&mem, "http", "echo", "/"), &conn, &e), DAVIT_ECANCELLED);
	assert_null(conn);
	http_client_free(c);
	davit_cancel_unref(t);
	arena_fini(&mem);
}

/* Certificates do not matter, who does not speak TLS is found out, and an absent server leaves it open. */
static void who_speaks_tls(void **state)
{
	static const struct {
		const char *server;
		davit_tri tls;
	} rows[] = {
		{ "tls", DAVIT_YES }, { "tls_other", DAVIT_YES }, { "tls_old", DAVIT_YES },
		{ "tls_self", DAVIT_YES }, { "http", DAVIT_NO },  { "garbage", DAVIT_NO },
	};
	struct http_client *c = fixture_client(DAVIT_OPTS(davit_connection_opts, .ca_file = "/nonexistent"));
	struct uri nobody = { .scheme = "https", .host = "127.0.0.1", .port = 1, .path = "/" };
	struct arena mem = { 0 };
	davit_err e = { 0 };
	davit_tri tls;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		tls = DAVIT_UNSET;
		if (dial_speaks_tls(c, fixture_uri(&mem, "https", rows[i].server, "/"), &tls, &e))
			fail_msg("%s: %s", rows[i].server, e.msg);
		if (tls != rows[i].tls)
			fail_msg("%s: %d", rows[i].server, (int)tls);
	}
	tls = DAVIT_YES;
	assert_int_equal(dial_speaks_tls(c, &nobody, &tls, &e), 0);
	assert_int_equal(tls, DAVIT_UNSET);
	http_client_free(c);
	arena_fini(&mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_ways),  cmocka_unit_test(children), cmocka_unit_test(pump_both_ways),
		cmocka_unit_test(pump_ends), cmocka_unit_test(failures),
		cmocka_unit_test(who_speaks_tls),
	};

	return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}

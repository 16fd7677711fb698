/* Upgraded connections over every way to reach a server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../http/fixture.h"
#include "api/api.h"
#include "base/err.h"
#include "base/limits.h"
#include "http/dial.h"

struct attach_in {
	const char *cmd, *keys;
};
static const struct type t_attach = TYPE(struct attach_in, F(struct attach_in, cmd, "Cmd"),
					 F(struct attach_in, keys, "detachKeys", .where = IN_QUERY));

static const struct endpoint rows[] = {
	{ "up.thing.attach", "POST", "/{id}", &t_attach, NULL, { 101, 200 }, .shape = SHAPE_HIJACK },
	{ "up.thing.watch", "GET", "/{id}", NULL, NULL, { 101 }, .shape = SHAPE_HIJACK },
	{ "up.thing.get", "GET", "/{id}", NULL, NULL, { 200 }, .flags = EP_IDEMPOTENT },
};
enum { ATTACH = 0, WATCH, CALL };
static const struct service service = { .name = "up", .endpoints = rows, .n = 3 };

/* How to get there. */
struct way {
	const char *scheme, *server, *proxy;
	bool is_unix;
};

static struct api *open_way(const struct way *w, struct auth *auth)
{
	char proxy[128] = "", url[128];
	const char *port = w->is_unix ? "1" : fixture_value(w->server);
	struct api *a = NULL;
	davit_err e = { 0 };

	if (w->proxy)
		snprintf(proxy, sizeof proxy, "http://user:hush-proxy@127.0.0.1:%s", fixture_value(w->proxy));
	snprintf(url, sizeof url, "%s://127.0.0.1:%s", w->scheme, port);
	if (api_new(
		&(struct api_setup){ &service, url,
				     DAVIT_OPTS(davit_connection_opts, .proxy = proxy,
						.ca_file = fixture_file("ca.pem"), .timeout_ms = 4000,
						.unix_socket = w->is_unix ? fixture_value(w->server) : NULL),
				     auth },
		&a, &e))
		fail_msg("%s", e.msg);
	return a;
}

static const struct way tcp = { "http", "up", NULL, false };

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
}

/* Half-close after two writes; the echo and what comes after our end must arrive. */
static void talk(davit_stream *s, const char *want)
{
	struct buf b = BUF_INIT(1 << 20);
	davit_err e = { 0 };

	if (davit_stream_write(s, "one ", 4, &e) || davit_stream_write(s, "two ", 4, &e) ||
	    davit_stream_close_write(s, &e))
		fail_msg("%s", e.msg);
	read_to_end(s, &b);
	assert_string_equal(buf_str(&b), want);
	buf_fini(&b);
	davit_stream_free(s);
}

static davit_stream *hijack(struct api *a, int row, const char *id, const struct hijack *h)
{
	davit_stream *s = NULL;
	davit_err e = { 0 };

	if (api_hijack(a, &(struct call){ .ep = &rows[row], .path = PATH(id) }, h, &s, &e))
		fail_msg("%s", e.msg);
	return s;
}

static void test_ways(void **state)
{
	static const struct way ways[] = {
		{ "http", "up", NULL, false },         { "http", "up_unix", NULL, true },
		{ "https", "up_tls", NULL, false },    { "http", "up", "proxy", false },
		{ "https", "up_tls", "proxy", false }, { "https", "up_tls", "proxy_auth", false },
	};
	const struct hijack h = { .protocol = "tcp" };

	(void)state;
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		struct api *a = open_way(&ways[i], NULL);
		davit_stream *s = hijack(a, ATTACH, "up", &h);

		/* The stream outlives the handle. */
		api_free(a);
		talk(s, "early one two bye");
	}
}

static void test_child(void **state)
{
	static const char script[] =
	    "cr=$(printf '\\r'); while IFS= read -r line; do [ \"$line\" = \"$cr\" ] && break; done;"
	    "printf 'HTTP/1.1 101 UP\\r\\nUpgrade: tcp\\r\\nConnection: Upgrade\\r\\n\\r\\nearly '; cat; "
	    "printf bye";
	const char *const argv[] = { "sh", "-c", script, NULL };
	struct hijack h = { .protocol = "tcp" };
	struct api *a = open_way(&tcp, NULL);
	davit_stream *s;
	davit_err e = { 0 };

	(void)state;
	assert_int_equal(dial_child(argv, &h.conn, &e), 0);
	s = hijack(a, ATTACH, "up", &h);
	talk(s, "early one two bye");
	api_free(a);
}

static void test_body_and_heads(void **state)
{
	const struct attach_in in = { .cmd = "sh", .keys = "ctrl-p" };
	const struct hijack h = { .protocol = "tcp" };
	struct api *a = open_way(&tcp, NULL);
	davit_stream *s;
	davit_err e = { 0 };

	(void)state;
	if (api_hijack(a, &(struct call){ .ep = &rows[ATTACH], .path = PATH("up"), .in = &in }, &h, &s, &e))
		fail_msg("%s", e.msg);
	talk(s, "early {\"Cmd\":\"sh\"}one two bye");
	talk(hijack(a, ATTACH, "up-slowly", &h), "one two bye");
	talk(hijack(a, ATTACH, "up-200", &h), "one two bye");
	talk(hijack(a, WATCH, "up-websocket", &(struct hijack){ .protocol = "websocket" }), "one two bye");
	api_free(a);
}

static int released;

static void release(void *user)
{
	released++;
	assert_ptr_equal(user, &released);
}

static int resize(void *user, unsigned r, unsigned c, davit_err *e)
{
	(void)e;
	assert_ptr_equal(user, &released);
	return r == 24 && c == 80 ? 0 : DAVIT_EARG;
}

static void test_resize(void **state)
{
	const struct hijack h = {
		.protocol = "tcp", .resize = resize, .release = release, .user = &released
	};
	struct api *a = open_way(&tcp, NULL);
	davit_stream *s = hijack(a, ATTACH, "up", &h);

	(void)state;
	released = 0;
	assert_int_equal(davit_stream_resize(s, 24, 80, NULL), 0);
	davit_stream_free(s);
	assert_int_equal(released, 1);
	assert_int_equal(
	    api_hijack(a, &(struct call){ .ep = &rows[ATTACH], .path = PATH("up-404") }, &h, &s, NULL),
	    DAVIT_ENOTFOUND);
	assert_int_equal(released, 2);
	api_free(a);
}

static void test_refusals(void **state)
{
	static const struct {
		int row;
		const char *id;
		int code, http;
		const char *msg;
	} cases[] = {
		{ ATTACH, "up-404", DAVIT_ENOTFOUND, 404, "up.thing.attach: HTTP 404: no such thing" },
		{ ATTACH, "up-chunked", DAVIT_EREMOTE, 500, "up.thing.attach: HTTP 500: no such thing" },
		{ ATTACH, "up-until-end", DAVIT_ECONFLICT, 409, "up.thing.attach: HTTP 409: no such thing" },
		{ ATTACH, "up-other", DAVIT_EPROTO, 0,
		  "up.thing.attach: 127.0.0.1 upgraded to h2c, asked for was tcp" },
		{ ATTACH, "up-document", DAVIT_EPROTO, 0,
		  "up.thing.attach: 127.0.0.1 answered with a document" },
		{ WATCH, "up-200", DAVIT_EPROTO, 200,
		  "up.thing.watch: HTTP 200: OK, which is not expected here" },
		{ ATTACH, "up-flood", DAVIT_ELIMIT, 0, "up.thing.attach: " },
		{ ATTACH, "up-broken", DAVIT_EPROTO, 0, "up.thing.attach: " },
		{ ATTACH, "up-hangup", DAVIT_EIO, 0,
		  "up.thing.attach: 127.0.0.1 closed the connection without an answer" },
		{ ATTACH, "up-auth", DAVIT_EDENIED, 401, "up.thing.attach: HTTP 401: No" },
		{ CALL, "up", DAVIT_EARG, 0, "up.thing.get: the row is of another shape" },
	};
	const struct hijack h = { .protocol = "tcp" };
	struct api *a = open_way(&tcp, NULL);
	davit_stream *s;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		davit_err e = { 0 };
		int r = api_hijack(a, &(struct call){ .ep = &rows[cases[i].row], .path = PATH(cases[i].id) },
				   &h, &s, &e);

		if (r != cases[i].code || e.http != cases[i].http ||
		    strncmp(e.msg, cases[i].msg, strlen(cases[i].msg)) != 0)
			fail_msg("case %zu: %d %d %s", i, r, e.http, e.msg);
	}
	/* A websocket server must prove that it is one. */
	assert_int_equal(api_hijack(a, &(struct call){ .ep = &rows[WATCH], .path = PATH("up") },
				    &(struct hijack){ .protocol = "websocket" }, &s, NULL),
			 DAVIT_EPROTO);
	api_free(a);
}

static void test_time_and_cancel(void **state)
{
	const struct hijack h = { .protocol = "tcp" };
	davit_connection_opts o = { .size = sizeof o, .proxy = "", .timeout_ms = 200 };
	char url[128];
	struct api *a;
	davit_stream *s;
	davit_cancel_token *token;
	davit_err e = { 0 };

	(void)state;
	assert_int_equal(davit_cancel_new(&token, &e), 0);
	o.cancel = token;
	snprintf(url, sizeof url, "http://127.0.0.1:%s", fixture_value("up"));
	assert_int_equal(api_new(&(struct api_setup){ &service, url, &o, NULL }, &a, &e), 0);
	assert_int_equal(
	    api_hijack(a, &(struct call){ .ep = &rows[ATTACH], .path = PATH("up-silent") }, &h, &s, &e),
	    DAVIT_ETIMEOUT);
	davit_cancel(token);
	assert_int_equal(
	    api_hijack(a, &(struct call){ .ep = &rows[ATTACH], .path = PATH("up-silent") }, &h, &s, &e),
	    DAVIT_ECANCELLED);
	api_free(a);
	davit_cancel_unref(token);
}

/* ---- one round of authentication ---- */

struct opener {
	struct auth base;
	bool challenged;
};

static int opener_prepare(struct auth *a, struct auth_request *req, struct auth_subrequest *sub, davit_err *e)
{
	(void)sub;
	assert_string_equal(req->method, "POST");
	return ((struct opener *)a)->challenged
		   ? headers_add_secret(req->headers, "Authorization", "Open sesame", e)
		   : 0;
}

static int opener_challenge(struct auth *a, const struct auth_request *req, const struct headers *answer,
			    davit_err *e)
{
	(void)req;
	(void)answer;
	(void)e;
	((struct opener *)a)->challenged = true;
	return 0;
}

static struct auth *opener_new(void)
{
	static const struct auth_ops ops = { .prepare = opener_prepare,
					     .challenge = opener_challenge,
					     .free = (void (*)(struct auth *))free };
	struct opener *o = calloc(1, sizeof *o);

	assert_non_null(o);
	o->base.ops = &ops;
	return &o->base;
}

static void test_authentication(void **state)
{
	static const char script[] =
	    "cr=$(printf '\\r'); while IFS= read -r line; do [ \"$line\" = \"$cr\" ] && break; done;"
	    "printf 'HTTP/1.1 401 No\\r\\nContent-Length: 0\\r\\n\\r\\n'";
	const char *const argv[] = { "sh", "-c", script, NULL };
	struct hijack h = { .protocol = "tcp" };
	struct api *a = open_way(&tcp, opener_new());
	davit_stream *s;
	davit_err e = { 0 };

	(void)state;
	talk(hijack(a, ATTACH, "up-auth", &h), "early one two bye");
	api_free(a);

	a = open_way(&tcp, opener_new());
	assert_int_equal(dial_child(argv, &h.conn, &e), 0);
	assert_int_equal(api_hijack(a, &(struct call){ .ep = &rows[ATTACH], .path = PATH("x") }, &h, &s, &e),
			 DAVIT_EDENIED);
	assert_non_null(strstr(e.msg, "cannot be opened again"));
	api_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ways),           cmocka_unit_test(test_child),
		cmocka_unit_test(test_body_and_heads), cmocka_unit_test(test_resize),
		cmocka_unit_test(test_refusals),       cmocka_unit_test(test_time_and_cancel),
		cmocka_unit_test(test_authentication),
	};

	return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}

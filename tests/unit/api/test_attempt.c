/* The attempt loop: signatures, 401 rounds, redirects, passing failures. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/attempt.h"
#include "api/redirect.h"
#include "base/clock.h"
#include "base/err.h"

struct thing_in {
	const char *color, *key;
	davit_secret password;
};
static const struct type t_in = TYPE(struct thing_in, F(struct thing_in, color, "color"),
				     F(struct thing_in, key, "key", .where = IN_QUERY),
				     F(struct thing_in, password, "X-Password", .where = IN_HEADER));

static const struct type t_get = TYPE(struct thing_in, F(struct thing_in, key, "key", .where = IN_QUERY),
				      F(struct thing_in, password, "X-Password", .where = IN_HEADER));

static const struct endpoint rows[] = {
	{ "test.thing.get", "GET", "/things/{id}", &t_get, NULL, { 200 }, .flags = EP_IDEMPOTENT | EP_RAW },
	{ "test.thing.set", "POST", "/things/{id}", &t_in, NULL, { 200, 201 }, .flags = EP_RAW },
	{ "test.thing.put",
	  "PUT",
	  "/things/{id}",
	  NULL,
	  NULL,
	  { 201 },
	  .flags = EP_IDEMPOTENT,
	  .shape = SHAPE_UPLOAD },
	{ "test.thing.read",
	  "GET",
	  "/things/{id}",
	  NULL,
	  NULL,
	  { 200 },
	  .flags = EP_IDEMPOTENT,
	  .shape = SHAPE_STREAM },
	{ "test.thing.at",
	  "GET",
	  "/else",
	  NULL,
	  NULL,
	  { 200 },
	  .flags = EP_IDEMPOTENT | EP_RAW | EP_OTHER_URL },
};
enum { GET = 0, SET, PUT, READ, AT };
static void remote_code(const struct jnode *j, char remote[DAVIT_ERR_REMOTE_MAX], struct buf *message)
{
	(void)message;
	snprintf(remote, DAVIT_ERR_REMOTE_MAX, "%s",
		 davit_value_string(davit_value_member(json_value(j), "message")));
}

static const struct service service = {
	.name = "test", .endpoints = rows, .n = sizeof rows / sizeof *rows, .error_body = remote_code
};

/* What the server does, by test. */
struct script {
	const struct server *other;
	int fail_first;      /* answers before the good one */
	int status;          /* of them */
	const char *headers; /* of them */
	bool cut;            /* close without or in the middle of the answer instead */
	const char *loc;     /* path of a Location on other, or on itself */
};

static bool ok_or_401(struct server *s, const struct seen *q, int nth, struct buf *out)
{
	(void)s;
	(void)nth;
	if (q->no_body)
		return true;
	if (signer_verifies(q))
		put_answer(out, strcmp(q->method, "PUT") == 0 ? 201 : 200, "", "fine");
	else
		put_answer(out, 401, "", "{\"message\":\"bad signature\"}");
	return true;
}

static bool scripted(struct server *s, const struct seen *q, int nth, struct buf *out)
{
	const struct script *c = s->user;

	if (q->no_body)
		return true;
	if (nth >= c->fail_first) {
		put_answer(out, strcmp(q->method, "PUT") == 0 ? 201 : 200, "", "fine");
		return true;
	}
	if (c->cut && c->status)
		buf_printf(out, "HTTP/1.1 %d Because\r\nContent-Length: 100\r\n\r\nbegun", c->status);
	if (c->cut)
		return false;
	put_answer(out, c->status, c->headers ? c->headers : "", "{\"message\":\"not now\"}");
	return true;
}

static bool redirecting(struct server *s, const struct seen *q, int nth, struct buf *out)
{
	const struct script *c = s->user;
	const struct server *to = c->other ? c->other : s;
	char url[256], location[300];

	if (q->no_body)
		return true;
	if (nth >= c->fail_first) {
		put_answer(out, strcmp(q->method, "PUT") == 0 ? 201 : 200, "", "fine");
		return true;
	}
	snprintf(location, sizeof location, "Location: %s\r\n",
		 c->other ? server_url(to, c->loc, url) : c->loc);
	put_answer(out, c->status, location, "moved");
	return true;
}

/* ---- signatures ---- */

/* Every byte of URL, headers and body changed in turn must be noticed by the verifier. */
static void tamper(struct seen *q)
{
	assert_true(signer_verifies(q));
	for (char *c = q->target; *c; c++) {
		*c ^= 1;
		assert_false(signer_verifies(q));
		*c ^= 1;
	}
	for (size_t i = 0; i < q->body.len; i++) {
		q->body.p[i] ^= 1;
		assert_false(signer_verifies(q));
		q->body.p[i] ^= 1;
	}
	for (size_t h = 0; h < q->headers.n; h++) {
		if (strcasecmp(q->headers.v[h].name, "Host") == 0 ||
		    strncasecmp(q->headers.v[h].name, "Content-L", 9) == 0)
			continue;
		for (char *c = q->headers.v[h].value; *c; c++) {
			*c ^= 1;
			assert_false(signer_verifies(q));
			*c ^= 1;
		}
	}
	assert_true(signer_verifies(q));
}

static void test_signed_json(void **state)
{
	struct server s = { .answer = ok_or_401 };
	const struct thing_in in = { .color = "blue", .key = "a b&c", .password = { "hush" } };
	struct api *a;
	davit_err e = { 0 };
	void *out;

	(void)state;
	server_start(&s);
	a = open_api(&s, &service, signer_new());
	assert_code(
	    0, api_call(a, &(struct call){ .ep = &rows[SET], .path = PATH("x y"), .in = &in }, &out, &e), e);
	assert_int_equal(davit_reply_status(out), 200);
	assert_string_equal(davit_reply_raw(out, NULL), "fine");
	davit_reply_free(out);
	assert_code(0, api_call(a, &(struct call){ .ep = &rows[GET], .path = PATH("x") }, NULL, &e), e);
	api_free(a);
	server_stop(&s);
	assert_int_equal(s.n, 2);
	assert_string_equal(s.seen[0].target, "/things/x%20y?key=a%20b%26c");
	assert_string_equal(s.seen[0].body.p, "{\"color\":\"blue\"}");
	tamper(&s.seen[0]);
	tamper(&s.seen[1]);
	assert_string_not_equal(headers_get(&s.seen[0].headers, "X-Test-Nonce"),
				headers_get(&s.seen[1].headers, "X-Test-Nonce"));
	server_free(&s);
}

/* The hash is known before the body goes out, whatever the source can do. */
static void test_signed_sources(void **state)
{
	struct server s = { .answer = ok_or_401 };
	struct text_source t;
	struct api *a;
	davit_err e = { 0 };

	(void)state;
	server_start(&s);
	a = open_api(&s, &service, signer_new());
	for (int rewind = 0; rewind < 2; rewind++) {
		const davit_source src = text_source(&t, "some bytes that are longer than one read", rewind);

		assert_code(0,
			    api_upload(a,
				       &(struct call){ .ep = &rows[PUT], .path = PATH("x"), .source = &src },
				       NULL, &e),
			    e);
		assert_int_equal(t.rewinds, rewind);
	}
	api_free(a);
	server_stop(&s);
	assert_int_equal(s.n, 2);
	tamper(&s.seen[0]);
	tamper(&s.seen[1]);
	server_free(&s);
}

struct big {
	size_t left;
};

static int big_read(void *user, void *buf, size_t cap, size_t *got)
{
	struct big *b = user;

	*got = b->left < cap ? b->left : cap;
	memset(buf, 'z', *got);
	b->left -= *got;
	return 0;
}

/* More than is buffered: it goes through a file. */
static void test_signed_spool(void **state)
{
	struct server s = { .answer = ok_or_401 };
	struct big big = { (16 << 20) + 12345 };
	const davit_source src = { .read = big_read, .user = &big, .size = -1 };
	struct api *a;
	davit_err e = { 0 };

	(void)state;
	server_start(&s);
	a = open_api(&s, &service, signer_new());
	assert_code(
	    0, api_upload(a, &(struct call){ .ep = &rows[PUT], .path = PATH("x"), .source = &src }, NULL, &e),
	    e);
	api_free(a);
	server_stop(&s);
	assert_int_equal(s.seen[0].body.len, (16 << 20) + 12345);
	assert_true(signer_verifies(&s.seen[0]));
	s.seen[0].body.p[16 << 20] ^= 1;
	assert_false(signer_verifies(&s.seen[0]));
	server_free(&s);
}

static int boasting_read(void *user, void *buf, size_t cap, size_t *got)
{
	(void)user;
	memset(buf, 'z', cap);
	*got = cap + 1;
	return 0;
}

static void test_signed_overrun(void **state)
{
	struct server s = { .answer = ok_or_401 };
	const davit_source src = { .read = boasting_read, .size = -1 };
	struct api *a;
	davit_err e = { 0 };

	(void)state;
	server_start(&s);
	a = open_api(&s, &service, signer_new());
	assert_code(DAVIT_EARG,
		    api_upload(a, &(struct call){ .ep = &rows[PUT], .path = PATH("x"), .source = &src }, NULL,
			       &e),
		    e);
	api_free(a);
	server_stop(&s);
	assert_int_equal(s.n, 0);
	server_free(&s);
}

static bool unavailable_once(struct server *s, const struct seen *q, int nth, struct buf *out)
{
	if (nth > 0)
		return ok_or_401(s, q, nth, out);
	put_answer(out, 503, "Retry-After: 0\r\n", "");
	return true;
}

/* A further attempt is signed anew. */
static void test_signed_again(void **state)
{
	struct server s = { .answer = unavailable_once };
	struct api *a;
	davit_err e = { 0 };

	(void)state;
	server_start(&s);
	a = open_api(&s, &service, signer_new());
	assert_code(0, api_call(a, &(struct call){ .ep = &rows[GET], .path = PATH("x") }, NULL, &e), e);
	api_free(a);
	server_stop(&s);
	assert_int_equal(s.n, 2);
	assert_true(signer_verifies(&s.seen[0]));
	assert_true(signer_verifies(&s.seen[1]));
	assert_string_not_equal(headers_get(&s.seen[0].headers, "X-Test-Nonce"),
				headers_get(&s.seen[1].headers, "X-Test-Nonce"));
	server_free(&s);
}

static bool refuse(struct server *s, const struct seen *q, int nth, struct buf *out)
{
	(void)s;
	(void)q;
	(void)nth;
	put_answer(out, 401, "", "{\"message\":\"no\"}");
	return true;
}

static void test_signature_refused(void **state)
{
	struct server s = { .answer = refuse };
	struct api *a;
	davit_err e = { 0 };

	(void)state;
	server_start(&s);
	a = open_api(&s, &service, signer_new());
	assert_code(DAVIT_EDENIED,
		    api_call(a, &(struct call){ .ep = &rows[GET], .path = PATH("x") }, NULL, &e), e);
	assert_string_equal(e.msg, "test.thing.get: the server does not accept the signature");
	assert_int_equal(e.http, 401);
	assert_string_equal(e.remote, "no");
	api_free(a);
	server_free(&s);
}

/* ---- tokens ---- */

/* Gets a token from /token after the first 401. */
struct tokener {
	struct auth base;
	char url[256];
	bool challenged, always_needs;
	char token[64];
};

static int tokener_prepare(struct auth *a, struct auth_request *req, struct auth_subrequest *sub,
			   davit_err *e)
{
	struct tokener *t = (struct tokener *)a;

	if (t->challenged && (!t->token[0] || t->always_needs)) {
		buf_puts(&sub->url, t->url);
		headers_add_secret(&sub->headers, "Authorization", "Basic dTpw", e);
		return AUTH_NEED;
	}
	return t->token[0] ? headers_add_secret(req->headers, "Authorization", t->token, e) : 0;
}

static int tokener_feed(struct auth *a, const struct auth_answer *answer, davit_err *e)
{
	struct tokener *t = (struct tokener *)a;

	if (answer->status != 200)
		return err_set(e, DAVIT_EDENIED, "token server says %d", answer->status);
	snprintf(t->token, sizeof t->token, "Bearer %s", answer->body);
	return 0;
}

static int tokener_challenge(struct auth *a, const struct auth_request *req, const struct headers *answer,
			     davit_err *e)
{
	struct tokener *t = (struct tokener *)a;

	(void)answer;
	if (headers_get(req->headers, "Authorization"))
		return err_set(e, DAVIT_EDENIED, "the token is not accepted");
	t->challenged = true;
	return 0;
}

static struct auth *tokener_new(const char *url)
{
	static const struct auth_ops ops = { .prepare = tokener_prepare,
					     .feed = tokener_feed,
					     .challenge = tokener_challenge,
					     .free = (void (*)(struct auth *))free };
	struct tokener *t = calloc(1, sizeof *t);

	assert_non_null(t);
	t->base.ops = &ops;
	snprintf(t->url, sizeof t->url, "%s", url);
	return &t->base;
}

static bool wants_token(struct server *s, const struct seen *q, int nth, struct buf *out)
{
	const char *given = headers_get(&q->headers, "Authorization");

	(void)s;
	(void)nth;
	if (strcmp(q->target, "/token") == 0)
		put_answer(out, given ? 200 : 403, "", "T1");
	else if (given && strcmp(given, "Bearer T1") == 0 && !q->no_body)
		put_answer(out, strcmp(q->method, "PUT") == 0 ? 201 : 200, "", "fine");
	else if (!given)
		put_answer(out, 401, "", "");
	return true;
}

static void test_token(void **state)
{
	struct server s = { .answer = wants_token };
	struct text_source t;
	char url[256];
	struct api *a;
	davit_err e = { 0 };

	(void)state;
	server_start(&s);
	for (int rewind = 0; rewind < 2; rewind++) {
		const davit_source src = text_source(&t, "0123456789abcdef", rewind);

		/* Without rewind the server is asked before the body is read. */
		a = open_api(&s, &service, tokener_new(server_url(&s, "/token", url)));
		assert_code(0,
			    api_upload(a,
				       &(struct call){ .ep = &rows[PUT], .path = PATH("x"), .source = &src },
				       NULL, &e),
			    e);
		assert_int_equal(t.at, t.n);
		api_free(a);
	}
	server_stop(&s);
	assert_int_equal(s.n, 6);
	assert_true(s.seen[0].no_body);
	assert_string_equal(s.seen[2].body.p, "0123456789abcdef");
	assert_string_equal(s.seen[5].body.p, "0123456789abcdef");
	server_free(&s);
}

static bool late_401(struct server *s, const struct seen *q, int nth, struct buf *out)
{
	return q->no_body ? true : refuse(s, q, nth, out);
}

static void test_401_after_the_body(void **state)
{
	struct server s = { .answer = late_401 };
	struct text_source t;
	const davit_source src = text_source(&t, "once", false);
	struct api *a;
	davit_err e = { 0 };

	(void)state;
	server_start(&s);
	a = open_api(&s, &service, tokener_new("http://127.0.0.1:1/"));
	assert_code(
	    DAVIT_EDENIED,
	    api_upload(a, &(struct call){ .ep = &rows[PUT], .path = PATH("x"), .source = &src }, NULL, &e),
	    e);
	assert_non_null(strstr(e.msg, "cannot be read again"));
	api_free(a);
	server_free(&s);
}

static void test_too_many_steps(void **state)
{
	struct server s = { .answer = wants_token };
	char url[256];
	struct auth *auth;
	struct api *a;
	davit_err e = { 0 };

	(void)state;
	server_start(&s);
	auth = tokener_new(server_url(&s, "/token", url));
	((struct tokener *)auth)->always_needs = true;
	a = open_api(&s, &service, auth);
	assert_code(DAVIT_ELIMIT,
		    api_call(a, &(struct call){ .ep = &rows[GET], .path = PATH("x") }, NULL, &e), e);
	api_free(a);
	server_free(&s);
}

/* Our server plays the proxy of a host that is not loopback. */
static void test_no_credentials_over_http(void **state)
{
	struct server s = { .answer = refuse };
	char url[256];
	const davit_connection_opts o = { .size = sizeof o, .proxy = url };
	struct api *a;
	davit_err e = { 0 };

	(void)state;
	server_start(&s);
	server_url(&s, "", url);
	assert_code(
	    0, api_new(&(struct api_setup){ &service, "http://registry.example", &o, signer_new() }, &a, &e),
	    e);
	assert_code(DAVIT_EDENIED,
		    api_call(a, &(struct call){ .ep = &rows[GET], .path = PATH("x") }, NULL, &e), e);
	assert_non_null(strstr(e.msg, "credentials are not sent over plain http to registry.example"));
	assert_int_equal(e.http, 401);
	a->secret_over_http = true;
	assert_code(DAVIT_EDENIED,
		    api_call(a, &(struct call){ .ep = &rows[GET], .path = PATH("x") }, NULL, &e), e);
	assert_null(strstr(e.msg, "plain http"));
	api_free(a);
	server_stop(&s);
	assert_int_equal(s.n, 2);
	assert_null(headers_get(&s.seen[0].headers, "X-Test-Signature"));
	assert_non_null(headers_get(&s.seen[1].headers, "X-Test-Signature"));
	server_free(&s);
}

/* ---- redirects ---- */

static void no_secrets(const struct seen *q)
{
	assert_null(headers_get(&q->headers, "Authorization"));
	assert_null(headers_get(&q->headers, "Cookie"));
	assert_null(headers_get(&q->headers, "X-Password"));
	assert_null(headers_get(&q->headers, "X-Registry-Auth"));
	assert_null(headers_get(&q->headers, "X-Test-Signature"));
}

static const int redirect_codes[] = { 301, 302, 303, 307, 308 };

static void test_redirect_same_origin(void **state)
{
	(void)state;
	for (size_t i = 0; i < 5; i++) {
		struct script c = { .fail_first = 1, .status = redirect_codes[i], .loc = "../new?q=%2f" };
		struct server s = { .answer = redirecting, .user = &c };
		struct text_source t;
		const davit_source src = text_source(&t, "body", true);
		struct api *a;
		davit_err e = { 0 };

		server_start(&s);
		a = open_api(&s, &service, signer_new());
		/* 303 makes a GET of the PUT, which answers 200. */
		assert_code(c.status == 303 ? DAVIT_EPROTO : 0,
			    api_upload(a,
				       &(struct call){ .ep = &rows[PUT], .path = PATH("x"), .source = &src },
				       NULL, &e),
			    e);
		api_free(a);
		server_stop(&s);
		assert_int_equal(s.n, 2);
		assert_string_equal(s.seen[1].target, "/new?q=%2f");
		assert_string_equal(s.seen[1].method, c.status == 303 ? "GET" : "PUT");
		assert_string_equal(buf_str(&s.seen[1].body), c.status == 303 ? "" : "body");
		assert_true(signer_verifies(&s.seen[1]));
		server_free(&s);
	}
}

static void test_redirect_other_origin(void **state)
{
	const struct thing_in in = { .password = { "hush" } };
	struct headers more = { 0 };

	(void)state;
	headers_add(&more, "Cookie", "a=b", NULL);
	headers_add(&more, "Authorization", "Basic eDp5", NULL);
	headers_add_secret(&more, "X-Registry-Auth", "e30=", NULL);
	headers_add(&more, "X-Plain", "yes", NULL);
	for (size_t i = 0; i < 5; i++) {
		struct script to_other = { .fail_first = 1, .status = redirect_codes[i], .loc = "/there" };
		struct server b = { .answer = redirecting }, s = { .answer = redirecting, .user = &to_other };
		struct script back = { .fail_first = 1, .status = 307, .loc = "/back", .other = &s };
		struct api *a;
		davit_err e = { 0 };

		to_other.other = &b;
		b.user = &back;
		server_start(&s);
		server_start(&b);
		a = open_api(&s, &service, signer_new());
		assert_code(
		    0,
		    api_call(
			a, &(struct call){ .ep = &rows[GET], .path = PATH("x"), .in = &in, .headers = &more },
			NULL, &e),
		    e);
		api_free(a);
		server_stop(&s);
		server_stop(&b);
		assert_int_equal(s.n, 2);
		assert_int_equal(b.n, 1);
		assert_string_equal(headers_get(&s.seen[0].headers, "X-Password"), "hush");
		assert_non_null(headers_get(&s.seen[0].headers, "X-Test-Signature"));
		assert_string_equal(headers_get(&b.seen[0].headers, "X-Plain"), "yes");
		no_secrets(&b.seen[0]);
		/* Who sent us back chose the URL: no credentials for it either. */
		no_secrets(&s.seen[1]);
		server_free(&s);
		server_free(&b);
	}
	headers_fini(&more);
}

static void test_redirect_refused(void **state)
{
	const struct thing_in in = { .color = "blue" };
	struct script c = { .fail_first = 100, .status = 307, .loc = "/again" };
	struct server b = { .answer = refuse }, s = { .answer = redirecting, .user = &c };
	struct text_source t;
	const davit_source src = text_source(&t, "once", false);
	struct api *a;
	davit_err e = { 0 };

	(void)state;
	server_start(&s);
	server_start(&b);
	a = open_api(&s, &service, NULL);
	assert_code(DAVIT_ELIMIT,
		    api_call(a, &(struct call){ .ep = &rows[GET], .path = PATH("x") }, NULL, &e), e);
	assert_int_equal(s.n, 11);
	assert_code(
	    DAVIT_EUNSUPPORTED,
	    api_upload(a, &(struct call){ .ep = &rows[PUT], .path = PATH("x"), .source = &src }, NULL, &e),
	    e);
	c.other = &b;
	assert_code(DAVIT_EDENIED,
		    api_call(a, &(struct call){ .ep = &rows[SET], .path = PATH("x"), .in = &in }, NULL, &e),
		    e);
	assert_non_null(strstr(e.msg, "may hold secrets"));
	c.other = NULL;
	c.loc = "ftp://x/";
	assert_code(DAVIT_EPROTO,
		    api_call(a, &(struct call){ .ep = &rows[GET], .path = PATH("x") }, NULL, &e), e);
	api_free(a);
	a = open_api_with(&s, &service, NULL,
			  DAVIT_OPTS(davit_connection_opts, .proxy = "", .max_redirects = -1));
	assert_code(DAVIT_EREMOTE,
		    api_call(a, &(struct call){ .ep = &rows[GET], .path = PATH("x") }, NULL, &e), e);
	assert_int_equal(e.http, 307);
	api_free(a);
	server_stop(&b);
	assert_int_equal(b.n, 0);
	server_free(&b);
	server_free(&s);
}

static void test_redirect_without_location(void **state)
{
	struct script c = { .fail_first = 1, .status = 302 };
	struct server s = { .answer = scripted, .user = &c };
	struct api *a;
	davit_err e = { 0 };

	(void)state;
	server_start(&s);
	a = open_api(&s, &service, NULL);
	assert_code(DAVIT_EPROTO,
		    api_call(a, &(struct call){ .ep = &rows[GET], .path = PATH("x") }, NULL, &e), e);
	api_free(a);
	server_free(&s);
}

static void test_no_downgrade(void **state)
{
	struct api *a;
	struct transfer t;
	davit_err e = { 0 };

	(void)state;
	assert_code(0, api_new(&(struct api_setup){ &service, "https://127.0.0.1:1", NULL, NULL }, &a, &e),
		    e);
	transfer_init(&t, a);
	t.uri = a->base;
	t.resp.status = 302;
	headers_add(&t.resp.headers, "Location", "http://127.0.0.1:1/", NULL);
	assert_code(DAVIT_EPROTO, redirect_follow(&t, &e), e);
	transfer_fini(&t);
	assert_code(DAVIT_EPROTO,
		    api_call(a, &(struct call){ .ep = &rows[AT], .url = "http://127.0.0.1:1/" }, NULL, &e),
		    e);
	api_free(a);
}

/* An address that an answer named: credentials only for our origin. */
static void test_named_url(void **state)
{
	struct script never = { 0 };
	struct server s = { .answer = scripted, .user = &never }, b = { .answer = scripted, .user = &never };
	struct headers more = { 0 };
	char url[256];
	struct api *a;
	davit_err e = { 0 };

	(void)state;
	headers_add_secret(&more, "X-Registry-Auth", "e30=", NULL);
	server_start(&s);
	server_start(&b);
	a = open_api(&s, &service, signer_new());
	assert_code(
	    0, api_call(a, &(struct call){ .ep = &rows[AT], .url = "/up?x=1", .headers = &more }, NULL, &e),
	    e);
	assert_code(
	    0,
	    api_call(a,
		     &(struct call){ .ep = &rows[AT], .url = server_url(&b, "/up", url), .headers = &more },
		     NULL, &e),
	    e);
	assert_code(DAVIT_EARG, api_call(a, &(struct call){ .ep = &rows[AT] }, NULL, &e), e);
	assert_code(DAVIT_EPROTO,
		    api_call(a, &(struct call){ .ep = &rows[AT], .url = "http://u:p@h/" }, NULL, &e), e);
	api_free(a);
	server_stop(&s);
	server_stop(&b);
	assert_string_equal(s.seen[0].target, "/up?x=1");
	assert_true(signer_verifies(&s.seen[0]));
	no_secrets(&b.seen[0]);
	headers_fini(&more);
	server_free(&s);
	server_free(&b);
}

/* ---- passing failures ---- */

static void test_retry_after(void **state)
{
	static const struct {
		const char *value;
		int64_t ms;
	} cases[] = {
		{ "0", 0 },
		{ "3", 3000 },
		{ "12345678901234567890", INT64_C(999999999000) },
		{ "", -1 },
		{ "-1", -1 },
		{ "1.5", -1 },
		{ "Thu, 01 Jan 1970 00:01:40 GMT", 90000 },
		{ "Thu, 01 Jan 1970 00:00:05 GMT", 0 },
		{ "Thu, 01 Foo 1970 00:00:05 GMT", -1 },
		{ "Thu, 01 Jan 1970 00:00:05 GMT x", -1 },
		{ "Thu, 01 anF 1970 00:00:05 GMT", -1 },
		{ "Sun, 06 Nov 1994 08:49:37 GMT", INT64_C(784111767000) },
		{ "Thu, 31 Dec 1998 23:59:60 GMT", INT64_C(915148790000) },
		{ "Tue, 29 Feb 2000 00:00:00 GMT", INT64_C(951782390000) },
		{ "Thu, 29 Feb 2001 00:00:00 GMT", -1 },
		{ "Sat, 31 Feb 2099 08:49:37 GMT", -1 },
		{ "Sat, 00 Jan 2099 08:49:37 GMT", -1 },
		{ "Sat, -1 Jan 2099 08:49:37 GMT", -1 },
		{ "Sat, 01 Jan 2099 25:49:37 GMT", -1 },
		{ "Sat, 01 Jan 2099 08:60:37 GMT", -1 },
		{ "Sat, 01 Jan 2099 08:49:61 GMT", -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(retry_after_ms(cases[i].value, 10), cases[i].ms);
}

static int call_row(const struct server *s, int row, int retries, davit_err *e)
{
	struct text_source t;
	const davit_source src = text_source(&t, "body", true);
	struct api *a = open_api_with(s, &service, NULL,
				      DAVIT_OPTS(davit_connection_opts, .proxy = "", .retries = retries));
	const struct call c = { .ep = &rows[row], .path = PATH("x"), .source = row == PUT ? &src : NULL };
	int r;

	if (row == PUT)
		r = api_upload(a, &c, NULL, e);
	else if (row == READ)
		r = api_stream(a, &c, &(struct stream_to){ 0 }, NULL, e);
	else
		r = api_call(a, &c, NULL, e);
	api_free(a);
	return r;
}

static void test_passing_failures(void **state)
{
	static const struct {
		int row;
		struct script script;
		int retries, code, requests;
	} cases[] = {
		{ GET, { .fail_first = 2, .status = 503 }, 0, 0, 3 },
		{ GET, { .fail_first = 1, .status = 408 }, 0, 0, 2 },
		{ GET, { .fail_first = 1, .status = 429 }, 0, 0, 2 },
		{ GET, { .fail_first = 1, .status = 502 }, 0, 0, 2 },
		{ GET, { .fail_first = 1, .status = 504, .headers = "Retry-After: 0\r\n" }, 0, 0, 2 },
		{ GET, { .fail_first = 1, .status = 500 }, 0, DAVIT_EREMOTE, 1 },
		{ GET,
		  { .fail_first = 9, .status = 503, .headers = "Retry-After: 0\r\n" },
		  2,
		  DAVIT_EREMOTE,
		  3 },
		{ GET, { .fail_first = 9, .status = 503 }, -1, DAVIT_EREMOTE, 1 },
		/* Longer than anybody waits. */
		{ GET,
		  { .fail_first = 1, .status = 429, .headers = "Retry-After: 3600\r\n" },
		  0,
		  DAVIT_EREMOTE,
		  1 },
		{ SET, { .fail_first = 1, .status = 503 }, 0, DAVIT_EREMOTE, 1 },
		{ SET, { .fail_first = 1, .status = 429, .headers = "Retry-After: 0\r\n" }, 0, 0, 2 },
		{ PUT, { .fail_first = 1, .status = 503, .headers = "Retry-After: 0\r\n" }, 0, 0, 2 },
		{ READ, { .fail_first = 1, .status = 503, .headers = "Retry-After: 0\r\n" }, 0, 0, 2 },
		/* The connection is lost before, or in the middle of the answer. */
		{ SET, { .fail_first = 1, .cut = true }, 0, DAVIT_EIO, 1 },
		{ PUT, { .fail_first = 1, .cut = true }, 0, 0, 2 },
		{ GET, { .fail_first = 1, .cut = true, .status = 200 }, 0, 0, 2 },
		{ READ, { .fail_first = 1, .cut = true, .status = 200 }, 0, DAVIT_EIO, 1 },
		/* The rest of an error answer is not missed. */
		{ READ, { .fail_first = 1, .cut = true, .status = 404 }, 0, DAVIT_ENOTFOUND, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct script c = cases[i].script;
		struct server s = { .answer = scripted, .user = &c };
		davit_err e = { 0 };
		int r;

		server_start(&s);
		r = call_row(&s, cases[i].row, cases[i].retries, &e);
		server_stop(&s);
		if (r != cases[i].code || s.n != cases[i].requests)
			fail_msg("case %zu: %s after %d requests: %s", i, davit_code_name(r), s.n, e.msg);
		if (c.headers && strstr(c.headers, "3600"))
			assert_non_null(strstr(e.msg, "the server asks to wait 3600 s"));
		server_free(&s);
	}
}

/* A call that is not idempotent, to a host of its own. */
static int call_elsewhere(const char *url, int retries)
{
	const davit_connection_opts *o = DAVIT_OPTS(davit_connection_opts, .proxy = "", .retries = retries);
	struct api *a;
	int r = api_new(&(struct api_setup){ &service, url, o, NULL }, &a, NULL);

	assert_int_equal(r, 0);
	r = api_call(a, &(struct call){ .ep = &rows[SET], .path = PATH("x") }, NULL, NULL);
	api_free(a);
	return r;
}

/* A refused connection and an unknown name are no passing failures. */
static void test_nobody_there(void **state)
{
	struct server s = { .answer = refuse };
	int64_t start = clock_mono_ms();
	davit_err e = { 0 };

	(void)state;
	server_start(&s);
	server_stop(&s);
	assert_code(DAVIT_EIO, call_row(&s, GET, 3, &e), e);
	assert_int_equal(e.sys, ECONNREFUSED);
	assert_int_equal(call_elsewhere("http://no-such-host.invalid", 3), DAVIT_EIO);
	assert_true(clock_mono_ms() - start < 1000);
	server_free(&s);
}

/* Nothing was sent: that may be tried again for any row. The kernel lets nobody connect to this address. */
static void test_no_way_there(void **state)
{
	int64_t start = clock_mono_ms();

	(void)state;
	assert_int_equal(call_elsewhere("http://255.255.255.255", 2), DAVIT_EIO);
	assert_true(clock_mono_ms() - start >= 400);
	start = clock_mono_ms();
	assert_int_equal(call_elsewhere("http://255.255.255.255", -1), DAVIT_EIO);
	assert_true(clock_mono_ms() - start < 400);
}

static void test_no_retry_and_deadline(void **state)
{
	struct script c = { .fail_first = 9, .status = 503, .headers = "Retry-After: 30\r\n" };
	struct server s = { .answer = scripted, .user = &c };
	struct api *a;
	davit_err e = { 0 };

	(void)state;
	server_start(&s);
	a = open_api_with(&s, &service, NULL,
			  DAVIT_OPTS(davit_connection_opts, .proxy = "", .timeout_ms = 5000));
	/* The wait would be longer than the call may take. */
	assert_code(DAVIT_EREMOTE,
		    api_call(a, &(struct call){ .ep = &rows[GET], .path = PATH("x") }, NULL, &e), e);
	c.headers = "Retry-After: 0\r\n";
	assert_code(
	    DAVIT_EREMOTE,
	    api_call(a, &(struct call){ .ep = &rows[GET], .path = PATH("x"), .no_retry = true }, NULL, &e),
	    e);
	api_free(a);
	server_stop(&s);
	assert_int_equal(s.n, 2);
	server_free(&s);
}

static bool slow_503(struct server *s, const struct seen *q, int nth, struct buf *out)
{
	(void)q;
	(void)nth;
	put_answer(out, 503, "Retry-After: 30\r\n", "");
	davit_cancel(s->user);
	return true;
}

static void test_cancel_while_waiting(void **state)
{
	struct server s = { .answer = slow_503 };
	davit_cancel_token *token;
	int64_t start = clock_mono_ms();
	struct api *a;
	davit_err e = { 0 };

	(void)state;
	assert_code(0, davit_cancel_new(&token, &e), e);
	s.user = token;
	server_start(&s);
	a = open_api_with(&s, &service, NULL,
			  DAVIT_OPTS(davit_connection_opts, .proxy = "", .cancel = token));
	assert_code(DAVIT_ECANCELLED,
		    api_call(a, &(struct call){ .ep = &rows[GET], .path = PATH("x") }, NULL, &e), e);
	assert_true(clock_mono_ms() - start < 10000);
	/* Clearing up goes out all the same, once. */
	assert_code(
	    DAVIT_EREMOTE,
	    api_call(a, &(struct call){ .ep = &rows[GET], .path = PATH("x"), .tidy = true }, NULL, &e), e);
	api_free(a);
	davit_cancel_unref(token);
	server_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signed_json),
		cmocka_unit_test(test_signed_sources),
		cmocka_unit_test(test_signed_spool),
		cmocka_unit_test(test_signed_overrun),
		cmocka_unit_test(test_signed_again),
		cmocka_unit_test(test_signature_refused),
		cmocka_unit_test(test_token),
		cmocka_unit_test(test_401_after_the_body),
		cmocka_unit_test(test_too_many_steps),
		cmocka_unit_test(test_no_credentials_over_http),
		cmocka_unit_test(test_redirect_same_origin),
		cmocka_unit_test(test_redirect_other_origin),
		cmocka_unit_test(test_redirect_refused),
		cmocka_unit_test(test_redirect_without_location),
		cmocka_unit_test(test_no_downgrade),
		cmocka_unit_test(test_named_url),
		cmocka_unit_test(test_retry_after),
		cmocka_unit_test(test_passing_failures),
		cmocka_unit_test(test_nobody_there),
		cmocka_unit_test(test_no_way_there),
		cmocka_unit_test(test_no_retry_and_deadline),
		cmocka_unit_test(test_cancel_while_waiting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

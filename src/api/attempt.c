#include "api/attempt.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "api/errors.h"
#include "api/redirect.h"
#include "base/cancel.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "wire/digest.h"

void transfer_init(struct transfer *t, struct api *a)
{
	*t = (struct transfer){
		.api = a,
		.method = "GET",
		.body = BODY_INIT,
		.error = BUF_INIT_SECRET(LIMIT_ERROR_REPLY),
	};
}

void transfer_fini(struct transfer *t)
{
	http_response_fini(&t->resp);
	headers_fini(&t->headers);
	body_fini(&t->body);
	buf_fini(&t->error);
	arena_fini(&t->mem);
}

void signed_fini(struct signed_request *s)
{
	headers_fini(&s->headers);
}

static int random_bytes(void *p, size_t n, davit_err *e)
{
	ssize_t got;

	do
		got = getrandom(p, n, 0);
	while (got < 0 && errno == EINTR);
	return got == (ssize_t)n ? 0 : err_errno(e, got < 0 ? errno : EIO, "no random bytes");
}

/* Whether credentials may be seen on the way to u. */
static bool is_private(const struct api *a, const struct uri *u)
{
	return strcmp(u->scheme, "https") == 0 || uri_is_loopback(u->host) || a->secret_over_http ||
	       http_client_opts(a->http)->unix_socket;
}

static bool has_secret(const struct headers *h)
{
	for (size_t i = 0; i < h->n; i++) {
		if (h->v[i].secret)
			return true;
	}
	return false;
}

static int refuse_plain(const struct uri *u, int status, davit_err *e)
{
	err_set(e, DAVIT_EDENIED,
		"credentials are not sent over plain http to %s: use https, or allow it explicitly", u->host);
	if (e)
		e->http = status;
	return DAVIT_EDENIED;
}

/* Turns what the authenticator asks for into a transfer without authenticator. */
static int sub_prepare(struct transfer *s, const struct auth_subrequest *sub, davit_err *e)
{
	int r = buf_check(&sub->url, "the URL of the token server", e);

	if (!r)
		r = buf_check(&sub->body, "the token request", e);
	if (!r)
		r = uri_parse(buf_str(&sub->url), &s->mem, &s->uri, e);
	if (!r)
		r = headers_copy(&s->headers, &sub->headers, e);
	if (r)
		return r;
	if (!is_private(s->api, &s->uri) && (sub->body.len || has_secret(&sub->headers)))
		return refuse_plain(&s->uri, 0, e);
	if (sub->body.len) {
		body_set_bytes(&s->body, sub->body.p, sub->body.len);
		if (!headers_get(&s->headers, "Content-Type"))
			r = headers_add(&s->headers, "Content-Type", "application/x-www-form-urlencoded", e);
	}
	if (!r && !headers_get(&s->headers, "Accept"))
		r = headers_add(&s->headers, "Accept", "application/json", e);
	if (!r)
		r = headers_set(&s->headers, "User-Agent", http_client_opts(s->api->http)->user_agent, e);
	return r;
}

static int sub_run(struct transfer *t, struct transfer *s, const struct auth_subrequest *sub, davit_err *e)
{
	struct auth_answer answer;
	int r = sub_prepare(s, sub, e);

	if (!r)
		r = transfer_run(s, e);
	if (r)
		return r;
	if (s->cut)
		return err_set(e, DAVIT_ELIMIT, "the answer of %s is longer than %d bytes", s->uri.host,
			       LIMIT_TOKEN_REPLY);
	answer = (struct auth_answer){
		.status = s->resp.status,
		.headers = &s->resp.headers,
		.body = buf_str(&s->error),
		.n = s->error.len,
		.now = clock_real_s(),
	};
	return t->auth->ops->feed(t->auth, &answer, e);
}

static int sub_request(struct transfer *t, const struct auth_subrequest *sub, davit_err *e)
{
	struct transfer s;
	int r;

	transfer_init(&s, t->api);
	s.method = sub->method;
	s.idempotent = true;
	s.no_retry = t->no_retry;
	s.decode = true;
	s.tidy = t->tidy;
	s.deadline = t->deadline;
	s.body.is_private = true;
	s.error.max = LIMIT_TOKEN_REPLY;
	r = sub_run(t, &s, sub, e);
	transfer_fini(&s);
	return err_at(e, r, "getting a token: ");
}

/* The authenticator's view of the next attempt, with fresh headers, time and nonce. */
static int sign_start(struct transfer *t, struct signed_request *s, davit_err *e)
{
	unsigned char raw[16];
	int r = random_bytes(raw, sizeof raw, e);

	if (r)
		return r;
	hex_encode(raw, sizeof raw, s->nonce);
	headers_fini(&s->headers);
	s->req = (struct auth_request){
		.method = t->method,
		.uri = &t->uri,
		.headers = &s->headers,
		.body_sha256 = t->body.sha256[0] ? t->body.sha256 : NULL,
		.scope = t->scope,
		.now = clock_real_s(),
		.nonce = s->nonce,
		.attempt = (unsigned)t->rounds,
	};
	return headers_copy(&s->headers, &t->headers, e);
}

int transfer_sign(struct transfer *t, struct signed_request *s, davit_err *e)
{
	int r = 0;

	if (!t->auth || t->foreign || !is_private(t->api, &t->uri))
		return headers_copy(&s->headers, &t->headers, e);
	if (t->auth->ops->body == AUTH_BODY_SHA256)
		r = body_hash(&t->body, e);
	for (int step = 0; !r; step++) {
		struct auth_subrequest sub = AUTH_SUBREQUEST_INIT;

		r = sign_start(t, s, e);
		if (!r)
			r = t->auth->ops->prepare(t->auth, &s->req, &sub, e);
		if (r == AUTH_READY || r < 0) {
			auth_subrequest_fini(&sub);
			return r;
		}
		if (step == LIMIT_AUTH_STEPS)
			r = err_set(e, DAVIT_ELIMIT, "authentication needs more than %d requests",
				    LIMIT_AUTH_STEPS);
		else
			r = sub_request(t, &sub, e);
		auth_subrequest_fini(&sub);
	}
	return r;
}

bool transfer_accepts(const struct transfer *t, int status)
{
	for (int i = 0; t->ok && i < 4 && t->ok[i]; i++) {
		if (t->ok[i] == status)
			return true;
	}
	return false;
}

static int on_head(void *user, struct http_response *r, davit_err *e)
{
	struct transfer *t = user;

	t->accepted = transfer_accepts(t, r->status);
	return t->accepted && t->to.head ? t->to.head(t->to.user, r, e) : 0;
}

static int on_body(void *user, const void *p, size_t n, davit_err *e)
{
	struct transfer *t = user;
	size_t room = t->error.max - t->error.len;

	if (t->accepted) {
		t->delivered = true;
		return t->to.body(t->to.user, p, n, e);
	}
	buf_add(&t->error, p, n < room ? n : room);
	t->cut = n > room;
	return t->cut ? err_set(e, DAVIT_ELIMIT, "the error answer is too long") : 0;
}

static int exchange(struct transfer *t, const struct signed_request *s, davit_err *e)
{
	const struct http_handler handler = { .head = on_head, .body = on_body, .user = t };
	const davit_source source = body_out(&t->body);
	const struct http_request req = {
		.method = t->method,
		.uri = &t->uri,
		.headers = &s->headers,
		.body = t->body.there ? &source : NULL,
		.chunk = t->body.chunk,
		.deadline_ms = t->deadline,
		.stream = t->stream,
		.idle = t->idle,
		.decode = t->decode,
		.uncancelled = t->tidy,
	};

	http_response_fini(&t->resp);
	t->accepted = t->cut = false;
	buf_clear(&t->error);
	return http_exchange(t->api->http, &req, &handler, &t->resp, e);
}

/* An error answer counts once its status is there, also if the rest of it was lost. */
static bool is_answer(const struct transfer *t, int r)
{
	return r == 0 || t->cut || (t->resp.status && !t->accepted && (r == DAVIT_EIO || r == DAVIT_EPROTO));
}

/* Adds status and remote code of the 401 to what the authenticator said about it. */
static int add_answer(const struct transfer *t, int r, davit_err *e)
{
	davit_err told = { 0 };

	if (!e || e->http)
		return r;
	error_from_answer(t->api->service, &t->resp, &t->error, &told);
	e->http = told.http;
	memcpy(e->remote, told.remote, sizeof e->remote);
	return r;
}

int transfer_challenge(struct transfer *t, const struct signed_request *s, davit_err *e)
{
	int r;

	if (!t->auth || t->foreign || t->rounds == LIMIT_AUTH_STEPS)
		return 0;
	if (!is_private(t->api, &t->uri))
		return refuse_plain(&t->uri, t->resp.status, e);
	r = t->auth->ops->challenge(t->auth, &s->req, &t->resp.headers, e);
	if (!r && !body_can_resend(&t->body))
		r = err_set(e, DAVIT_EDENIED,
			    "%s asked for authentication when the body had been read, and it cannot "
			    "be read again: authenticate first, or give a source that can be rewound",
			    t->uri.host);
	if (!r)
		r = body_rewind(&t->body, e);
	if (r < 0)
		return add_answer(t, r, e);
	t->rounds++;
	return TRANSFER_AGAIN;
}

static bool is_passing(int status)
{
	return status == 408 || status == 429 || (status >= 502 && status <= 504);
}

/* What both a passing answer and a passing failure need for a further attempt. */
static bool may_retry(const struct transfer *t)
{
	return !t->no_retry && t->retries < http_client_opts(t->api->http)->retries &&
	       body_can_resend(&t->body);
}

/* 200 ms, doubled each time, give or take a quarter. */
static int backoff_ms(const struct transfer *t, int64_t *ms, davit_err *e)
{
	const int doubled = t->retries < 8 ? t->retries : 8;
	const int64_t base = INT64_C(200) << doubled;
	uint16_t noise;
	int r = random_bytes(&noise, sizeof noise, e);

	if (!r)
		*ms = base * 3 / 4 + noise % (base / 2);
	return r;
}

/* Waits and goes back to the start of the body. */
static int again_after(struct transfer *t, int64_t ms, davit_err *e)
{
	struct http_client *http = t->api->http;
	int r;

	http_client_trace(http, "* further attempt %d in %lld ms", t->retries + 1, (long long)ms);
	r = cancel_sleep(t->tidy ? NULL : http_client_opts(http)->cancel, ms, e);
	if (!r)
		r = body_rewind(&t->body, e);
	if (r)
		return r;
	t->retries++;
	return TRANSFER_AGAIN;
}

static bool in_time(const struct transfer *t, int64_t ms)
{
	return ms <= LIMIT_RETRY_WAIT_MS && (!t->deadline || clock_mono_ms() + ms < t->deadline);
}

static int on_passing(struct transfer *t, davit_err *e)
{
	const char *after = headers_get(&t->resp.headers, "Retry-After");
	int64_t ms = after ? retry_after_ms(after, clock_real_s()) : -1;
	int r;

	/* 429: the server says that it did not do it. */
	if (!may_retry(t) || !(t->idempotent || t->resp.status == 429))
		return 0;
	if (ms < 0) {
		r = backoff_ms(t, &ms, e);
		if (r)
			return r;
	}
	return in_time(t, ms) ? again_after(t, ms, e) : 0;
}

/* Whether a failure of the exchange may be another one at the next attempt. */
static bool may_pass(const struct transfer *t, int r)
{
	const struct http_client *http = t->api->http;

	return (r == DAVIT_EIO || r == DAVIT_ETIMEOUT) && !http_client_peer_spoke_no_tls(http) &&
	       !http_client_nobody_there(http);
}

/* The exchange failed with r and e filled. */
static int on_failure(struct transfer *t, int r, davit_err *e)
{
	int64_t ms;

	if (!may_pass(t, r) || !may_retry(t) || !(t->idempotent || !t->resp.sent) ||
	    (t->delivered && !t->to.restart))
		return r;
	if (backoff_ms(t, &ms, NULL) || !in_time(t, ms))
		return r;
	if (t->delivered)
		t->to.restart(t->to.user);
	t->delivered = false;
	return again_after(t, ms, e);
}

static int on_answer(struct transfer *t, const struct signed_request *s, davit_err *e)
{
	int status = t->resp.status;

	if (t->accepted)
		return 0;
	if (status == 401)
		return transfer_challenge(t, s, e);
	if (redirect_is(status) && http_client_opts(t->api->http)->max_redirects > 0)
		return redirect_follow(t, e);
	return is_passing(status) ? on_passing(t, e) : 0;
}

static int attempt(struct transfer *t, struct signed_request *s, davit_err *e)
{
	int r = transfer_sign(t, s, e);

	if (r)
		return r;
	r = exchange(t, s, e);
	return is_answer(t, r) ? on_answer(t, s, e) : on_failure(t, r, e);
}

int transfer_run(struct transfer *t, davit_err *e)
{
	int r;

	do {
		struct signed_request s = { 0 };

		if (e)
			*e = (davit_err){ 0 };
		r = attempt(t, &s, e);
		signed_fini(&s);
	} while (r == TRANSFER_AGAIN);
	return r;
}

/* Upgraded connections: the only place where davit writes and reads a message head itself. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "api/errors.h"
#include "api/request.h"
#include "base/cancel.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "http/dial.h"
#include "wire/http1.h"
#include "wire/websocket.h"

enum { PIECE = 4096 };

/* One hijack on its way. */
struct shake {
	struct transfer t;
	struct buf json; /* encoded body */
	const struct hijack *h;
	struct conn *conn;
	bool websocket;
	unsigned char nonce[WS_NONCE];
	struct http1_head head;
	struct buf early; /* received behind the head */
	bool ended;       /* the peer closed */
};

/* ---- waiting ---- */

/* A handshake that stalls ends like any other transfer that stalls. */
static int stall_ms(const struct shake *s)
{
	const davit_connection_opts *o = http_client_opts(s->t.api->http);

	if (o->timeout_ms > 0)
		return o->timeout_ms;
	return o->low_speed_limit < 0 || o->low_speed_time_s > INT16_MAX ? -1 : o->low_speed_time_s * 1000;
}

static int wait_for(struct shake *s, int event, davit_err *e)
{
	const davit_cancel_token *cancel = http_client_opts(s->t.api->http)->cancel;
	struct pollfd p[2] = {
		{ .fd = s->conn->ops->fd(s->conn, event),
		  .events = event == DAVIT_STREAM_READ ? POLLIN : POLLOUT },
		{ .fd = cancel_fd(cancel), .events = POLLIN },
	};
	int n;

	if (event == DAVIT_STREAM_READ && s->conn->ops->pending(s->conn))
		return 0;
	do
		n = poll(p, 2, stall_ms(s));
	while (n < 0 && errno == EINTR && !davit_cancelled(cancel));
	if (davit_cancelled(cancel))
		return cancel_check(cancel, e);
	if (n < 0)
		return err_errno(e, errno, "waiting for %s", s->t.uri.host);
	if (n == 0)
		return err_set(e, DAVIT_ETIMEOUT, "%s does not answer", s->t.uri.host);
	return 0;
}

static int send_all(struct shake *s, const char *p, size_t n, davit_err *e)
{
	while (n) {
		size_t put = 0;
		int r = s->conn->ops->write(s->conn, p, n, &put, e);

		if (r < 0)
			return r;
		p += put;
		n -= put;
		r = r == CONN_AGAIN ? wait_for(s, DAVIT_STREAM_WRITE, e) : 0;
		if (r)
			return r;
	}
	return 0;
}

/* At least one byte, or s->ended. */
static int receive(struct shake *s, char *buf, size_t *got, davit_err *e)
{
	for (;;) {
		int r = s->conn->ops->read(s->conn, buf, PIECE, got, e);

		if (r == 0)
			s->ended = *got == 0;
		if (r != CONN_AGAIN)
			return r;
		r = wait_for(s, DAVIT_STREAM_READ, e);
		if (r)
			return r;
	}
}

/* ---- the request ---- */

static int upgrade_headers(struct shake *s, davit_err *e)
{
	struct headers *h = &s->t.headers;
	int r;

	if (s->websocket) {
		if (getrandom(s->nonce, sizeof s->nonce, 0) != (ssize_t)sizeof s->nonce)
			return err_errno(e, errno, "no random bytes");
		return ws_request(s->nonce, NULL, h, e);
	}
	r = headers_set(h, "Connection", "Upgrade", e);
	return r ? r : headers_set(h, "Upgrade", s->h->protocol, e);
}

static int build(struct shake *s, const struct call *c, davit_err *e)
{
	int r;

	if (c->ep->shape != SHAPE_HIJACK)
		return err_set(e, DAVIT_EARG, "the row is of another shape than the call");
	if (c->source)
		return err_set(e, DAVIT_EARG, "the body of an upgrade request cannot come from a source");
	r = request_build(&s->t, c, NULL, &s->json, e);
	return r ? r : upgrade_headers(s, e);
}

/* Length of a body in memory; the source was made by body_set_bytes(). */
static int write_request(struct shake *s, struct signed_request *sign, davit_err *e)
{
	const struct body *b = &s->t.body;
	struct buf out = BUF_INIT_SECRET(LIMIT_HEADERS + LIMIT_URL + LIMIT_REPLY);
	char length[24];
	int r = 0;

	if (b->there || strcmp(s->t.method, "GET") != 0) {
		snprintf(length, sizeof length, "%zu", b->there ? b->n : 0);
		r = headers_set(&sign->headers, "Content-Length", length, e);
	}
	if (!r)
		r = http1_write_request(&out, s->t.method, &s->t.uri, &sign->headers, e);
	if (!r && b->there)
		buf_add(&out, b->p, b->n);
	if (!r)
		r = buf_check(&out, "the request", e);
	if (!r)
		r = send_all(s, out.p, out.len, e);
	buf_fini(&out);
	return r;
}

/* ---- the answer ---- */

static void restart_head(struct shake *s)
{
	http1_head_fini(&s->head);
	s->head = (struct http1_head)HTTP1_HEAD_INIT(HTTP1_RESPONSE);
}

/* Feeds what lies in s->early to the head; what is behind it stays there. */
static int feed(struct shake *s, davit_err *e)
{
	size_t used;
	int r;

	for (;;) {
		r = http1_feed(&s->head, buf_str(&s->early), s->early.len, &used, e);
		if (r < 0)
			return r;
		buf_consume(&s->early, used);
		/* 100 and 103 announce; the answer follows. */
		if (r != HTTP1_DONE || s->head.status == 101 || s->head.status >= 200)
			return r;
		restart_head(s);
	}
}

static int read_head(struct shake *s, davit_err *e)
{
	int r;

	restart_head(s);
	buf_clear(&s->early);
	for (;;) {
		char piece[PIECE];
		size_t got = 0;

		r = receive(s, piece, &got, e);
		if (!r && s->ended)
			r = err_set(e, DAVIT_EIO, "%s closed the connection without an answer",
				    s->t.uri.host);
		if (r)
			return r;
		buf_add(&s->early, piece, got);
		r = buf_check(&s->early, "the head of the answer", e);
		if (!r)
			r = feed(s, e);
		if (r)
			return r < 0 ? r : 0;
	}
}

/* Moves the head to where the attempt loop and the error functions look for it. */
static void note_head(struct shake *s)
{
	struct http_response *r = &s->t.resp;

	http_response_fini(r);
	*r = (struct http_response){ .status = s->head.status, .headers = s->head.headers };
	s->head.headers = (struct headers){ 0 };
	snprintf(r->reason, sizeof r->reason, "%s", s->head.reason ? s->head.reason : "");
}

/* Takes the body out of its chunks as far as it has arrived. True when it is complete or broken. */
static bool dechunk(const struct buf *raw, struct buf *out)
{
	const char *p = buf_str(raw), *end = p + raw->len;

	buf_clear(out);
	for (;;) {
		const char *line = memmem(p, (size_t)(end - p), "\r\n", 2);
		char *digits;
		size_t n;

		if (!line)
			return false;
		n = strtoul(p, &digits, 16);
		if (digits == p || n == 0 || n > LIMIT_ERROR_REPLY)
			return true;
		p = line + 2;
		if ((size_t)(end - p) < n + 2)
			return false;
		buf_add(out, p, n);
		p += n + 2;
	}
}

/* Whether s->early holds the whole body of an error answer; it is then in t.error. */
static bool whole_body(struct shake *s)
{
	const struct headers *h = &s->t.resp.headers;
	const char *length = headers_get(h, "Content-Length");
	size_t n = s->early.len;

	if (http1_has_token(h, "Transfer-Encoding", "chunked"))
		return dechunk(&s->early, &s->t.error) || s->ended;
	if (length && strtoul(length, NULL, 10) < n)
		n = strtoul(length, NULL, 10);
	buf_clear(&s->t.error);
	buf_add(&s->t.error, s->early.p, n < LIMIT_ERROR_REPLY ? n : LIMIT_ERROR_REPLY);
	return s->ended || n >= LIMIT_ERROR_REPLY || (length && strtoul(length, NULL, 10) <= n);
}

/* Any answer but the wanted one. The text is a nicety: what goes wrong while it is read is not told. */
static int refused(struct shake *s, davit_err *e)
{
	/* A success that is not wanted may stay open for ever. */
	while (s->t.resp.status >= 300 && !whole_body(s)) {
		char piece[PIECE];
		size_t got = 0;

		if (receive(s, piece, &got, NULL))
			break;
		buf_add(&s->early, piece, got);
		if (s->early.bad)
			break;
	}
	return error_from_answer(s->t.api->service, &s->t.resp, &s->t.error, e);
}

/* The status is one of the row's; now the head must say that the connection is ours. */
static int check_upgrade(struct shake *s, davit_err *e)
{
	const struct http_response *r = &s->t.resp;
	const struct ws_offer offer = { .nonce = s->nonce };
	const char *upgrade = headers_get(&r->headers, "Upgrade");

	if (s->websocket)
		return ws_check_answer(&offer, r->status, &r->headers, NULL, e);
	if (r->status == 101 && upgrade && strcasecmp(upgrade, s->h->protocol) != 0)
		return err_set(e, DAVIT_EPROTO, "%s upgraded to %s, asked for was %s", s->t.uri.host, upgrade,
			       s->h->protocol);
	if (r->status != 101 &&
	    (headers_get(&r->headers, "Transfer-Encoding") || headers_get(&r->headers, "Content-Length")))
		return err_set(e, DAVIT_EPROTO,
			       "%s answered with a document and did not upgrade the connection",
			       s->t.uri.host);
	return 0;
}

/* ---- all of it ---- */

static void hang_up(struct shake *s)
{
	if (s->conn)
		s->conn->ops->free(s->conn);
	s->conn = NULL;
}

/* One request and its head. TRANSFER_AGAIN: the authenticator has learnt what it lacked. */
static int round_trip(struct shake *s, struct signed_request *sign, davit_err *e)
{
	int r = transfer_sign(&s->t, sign, e);

	if (!r && !s->conn)
		r = dial_uri(s->t.api->http, &s->t.uri, &s->conn, e);
	if (!r)
		r = write_request(s, sign, e);
	if (!r)
		r = read_head(s, e);
	if (r)
		return r;
	note_head(s);
	if (transfer_accepts(&s->t, s->t.resp.status))
		return check_upgrade(s, e);
	r = s->t.resp.status == 401 && s->t.rounds == 0 ? transfer_challenge(&s->t, sign, e) : 0;
	return r ? r : refused(s, e);
}

static int shake_hands(struct shake *s, davit_err *e)
{
	int r;

	do {
		struct signed_request sign = { 0 };

		r = round_trip(s, &sign, e);
		signed_fini(&sign);
		if (r != TRANSFER_AGAIN)
			return r;
		hang_up(s);
		s->ended = false;
	} while (!s->h->conn);
	return err_set(e, DAVIT_EDENIED,
		       "the server asked for authentication on a connection that cannot be opened again");
}

/* The stream takes the connection, and from then on what release() frees. */
static int make_stream(struct shake *s, davit_stream **out, davit_err *e)
{
	const struct stream_opts o = {
		.early = buf_str(&s->early),
		.early_n = s->early.len,
		.cancel = http_client_opts(s->t.api->http)->cancel,
		.resize = s->h->resize,
		.release = s->h->release,
		.user = s->h->user,
	};
	int r = stream_new(s->conn, &o, out, e);

	if (!r)
		s->conn = NULL;
	return r;
}

int api_hijack(struct api *a, const struct call *c, const struct hijack *h, davit_stream **out, davit_err *e)
{
	struct shake s = {
		.json = BUF_INIT_SECRET(LIMIT_REPLY),
		.h = h,
		.conn = h->conn,
		.websocket = strcasecmp(h->protocol, "websocket") == 0,
		.head = HTTP1_HEAD_INIT(HTTP1_RESPONSE),
		.early = BUF_INIT_SECRET(LIMIT_HEADERS + LIMIT_ERROR_REPLY),
	};
	int r = api_enter(a, e);
	bool entered = !r;

	transfer_init(&s.t, a);
	if (!r)
		r = build(&s, c, e);
	if (!r)
		r = shake_hands(&s, e);
	if (!r)
		r = make_stream(&s, out, e);
	if (r && h->release)
		h->release(h->user);
	hang_up(&s);
	http1_head_fini(&s.head);
	transfer_fini(&s.t);
	buf_fini(&s.early);
	buf_fini(&s.json);
	if (entered)
		api_leave(a);
	return err_at(e, r, "%s: ", c->ep->name);
}

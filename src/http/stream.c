/* davit_stream over a connection: waiting, bytes in advance, moving bytes both ways. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "http/dial.h"

enum {
	LOOK = 16 << 10, /* read in advance to know that bytes are there */
	PIECE = 64 << 10,
};

struct davit_stream {
	struct conn *conn;
	davit_cancel_token *cancel;
	int (*resize)(void *user, unsigned rows, unsigned cols, davit_err *e);
	void (*release)(void *user);
	void *user;
	pid_t pid;
	/* Bytes received but not yet asked for: behind the response head, then read by davit_stream_poll().
	 */
	char *ahead;
	size_t at, n, cap;
	bool eof, closed;
	bool busy; /* a callback of davit_stream_pump() runs */
	davit_err failed; /* code != 0: what reading in advance met */
};

int stream_new(struct conn *conn, const struct stream_opts *o, davit_stream **out, davit_err *e)
{
	static const struct stream_opts none;
	davit_stream *s = calloc(1, sizeof *s);

	if (!o)
		o = &none;
	if (!s)
		return err_nomem(e);
	if (o->early_n) {
		s->ahead = malloc(o->early_n);
		if (!s->ahead) {
			free(s);
			return err_nomem(e);
		}
		memcpy(s->ahead, o->early, o->early_n);
		s->n = s->cap = o->early_n;
	}
	s->conn = conn;
	s->pid = getpid();
	s->resize = o->resize;
	s->release = o->release;
	s->user = o->user;
	s->cancel = o->cancel ? davit_cancel_ref(o->cancel) : NULL;
	*out = s;
	return 0;
}

static int check(const davit_stream *s, davit_err *e)
{
	if (s->pid != getpid())
		return err_set(e, DAVIT_ESTATE,
			       "this stream was made before fork(); it belongs to the parent process");
	if (s->busy)
		return err_set(e, DAVIT_ESTATE, "a callback used the stream whose call runs it");
	return cancel_check(s->cancel, e);
}

/*
 * Waits until the descriptors are ready for one of events, the token fires, or ms passed (-1: never).
 * *ready gets the events.
 */
static int wait_fds(const davit_stream *s, int events, int ms, int *ready, davit_err *e)
{
	const struct conn *c = s->conn;
	struct pollfd p[] = {
		{ .fd = cancel_fd(s->cancel), .events = POLLIN },
		{ .fd = events & DAVIT_STREAM_READ ? c->ops->fd(c, DAVIT_STREAM_READ) : -1,
		  .events = POLLIN },
		{ .fd = events & DAVIT_STREAM_WRITE ? c->ops->fd(c, DAVIT_STREAM_WRITE) : -1,
		  .events = POLLOUT },
	};

	*ready = 0;
	if ((events & DAVIT_STREAM_READ) && c->ops->pending(c))
		ms = 0;
	if (poll(p, sizeof p / sizeof *p, ms) < 0 && errno != EINTR)
		return err_errno(e, errno, "waiting for a stream");
	if (p[0].revents)
		return cancel_check(s->cancel, e);
	if (p[1].revents || ((events & DAVIT_STREAM_READ) && c->ops->pending(c)))
		*ready |= DAVIT_STREAM_READ;
	if (p[2].revents)
		*ready |= DAVIT_STREAM_WRITE;
	return 0;
}

static bool has_ahead(const davit_stream *s)
{
	return s->at < s->n || s->eof || s->failed.code;
}

/* Gives what was received in advance: bytes, the end, or the failure. */
static int give_ahead(davit_stream *s, void *buf, size_t cap, size_t *got, davit_err *e)
{
	size_t n = s->n - s->at < cap ? s->n - s->at : cap;

	if (!n && s->failed.code) {
		if (e)
			*e = s->failed;
		return s->failed.code;
	}
	if (n)
		memcpy(buf, s->ahead + s->at, n);
	s->at += n;
	*got = n;
	return 0;
}

/* Whether davit_stream_read() would not wait: only reading tells, as TLS has messages without data. */
static int look(davit_stream *s, bool *ready, davit_err *e)
{
	size_t got = 0;
	int rc;

	*ready = true;
	if (has_ahead(s))
		return 0;
	if (s->cap < LOOK) {
		free(s->ahead);
		s->cap = s->at = s->n = 0;
		s->ahead = malloc(LOOK);
		if (!s->ahead)
			return err_nomem(e);
		s->cap = LOOK;
	}
	rc = s->conn->ops->read(s->conn, s->ahead, s->cap, &got, &s->failed);
	*ready = rc != CONN_AGAIN;
	if (rc < 0)
		s->failed.code = rc;
	if (rc)
		return 0;
	s->at = 0;
	s->n = got;
	s->eof = !got;
	return 0;
}

int davit_stream_read(davit_stream *s, void *buf, size_t cap, size_t *got, davit_err *e)
{
	int rc = check(s, e), ready;

	if (rc)
		return rc;
	if (!cap)
		return err_set(e, DAVIT_EARG, "a stream cannot be read into an empty buffer");
	while (!has_ahead(s)) {
		rc = s->conn->ops->read(s->conn, buf, cap, got, e);
		if (!rc)
			s->eof = !*got;
		if (rc <= 0)
			return rc;
		rc = wait_fds(s, DAVIT_STREAM_READ, -1, &ready, e);
		if (rc)
			return rc;
	}
	return give_ahead(s, buf, cap, got, e);
}

int davit_stream_write(davit_stream *s, const void *p, size_t n, davit_err *e)
{
	const char *at = p;
	int rc = check(s, e), ready;

	if (rc)
		return rc;
	if (s->closed)
		return err_set(e, DAVIT_ESTATE, "this stream is closed for writing");
	while (n) {
		size_t put = 0;

		rc = s->conn->ops->write(s->conn, at, n, &put, e);
		if (rc < 0)
			return rc;
		at += put;
		n -= put;
		rc = rc ? wait_fds(s, DAVIT_STREAM_WRITE, -1, &ready, e) : 0;
		if (rc)
			return rc;
	}
	return 0;
}

int davit_stream_close_write(davit_stream *s, davit_err *e)
{
	int rc = check(s, e), ready;

	if (rc || s->closed)
		return rc;
	for (;;) {
		rc = s->conn->ops->close_write(s->conn, e);
		if (rc <= 0)
			break;
		rc = wait_fds(s, DAVIT_STREAM_WRITE, -1, &ready, e);
		if (rc)
			return rc;
	}
	s->closed = !rc;
	return rc;
}

/* One round of davit_stream_poll(): *found gets what is ready after at most ms milliseconds. */
static int poll_round(davit_stream *s, int events, int ms, int *found, davit_err *e)
{
	bool readable = false;
	int ready, rc = 0;

	*found = 0;
	if (events & DAVIT_STREAM_READ)
		rc = look(s, &readable, e);
	if (rc)
		return rc;
	if (readable)
		*found |= DAVIT_STREAM_READ;
	/* Writing to a closed direction does not wait, it fails. */
	if ((events & DAVIT_STREAM_WRITE) && s->closed)
		*found |= DAVIT_STREAM_WRITE;
	rc = wait_fds(s, events & ~*found, *found ? 0 : ms, &ready, e);
	*found |= ready & DAVIT_STREAM_WRITE;
	return rc;
}

int davit_stream_poll(davit_stream *s, int events, int timeout_ms, int *ready, davit_err *e)
{
	int64_t end = timeout_ms < 0 ? 0 : clock_mono_ms() + timeout_ms;
	int all = DAVIT_STREAM_READ | DAVIT_STREAM_WRITE;

	if (!events || (events & ~all))
		return err_set(e, DAVIT_EARG, "davit_stream_poll: unknown events %d", events);
	for (;;) {
		int64_t left = timeout_ms < 0 ? -1 : end - clock_mono_ms();
		int found = 0, rc = check(s, e);

		if (!rc)
			rc = poll_round(s, events, timeout_ms >= 0 && left < 0 ? 0 : (int)left, &found, e);
		if (rc)
			return rc;
		if (found || (timeout_ms >= 0 && left <= 0)) {
			*ready = found;
			return 0;
		}
	}
}

/* ---- pump ---- */

struct pump {
	davit_stream *s;
	const davit_source *in;
	const davit_sink *out;
	char *piece;  /* PIECE bytes to send, then PIECE bytes received */
	size_t at, n; /* part of the first half that is still to be sent */
	bool in_ended, closing;
	bool moved; /* something happened in this round */
};

static int pump_receive(struct pump *p, bool *ended, davit_err *e)
{
	davit_stream *s = p->s;
	char *buf = p->piece + PIECE;
	size_t got = 0;
	int rc = has_ahead(s) ? give_ahead(s, buf, PIECE, &got, e)
			      : s->conn->ops->read(s->conn, buf, PIECE, &got, e);

	if (rc)
		return rc == CONN_AGAIN ? 0 : rc;
	p->moved = true;
	*ended = !got;
	s->eof |= !got;
	if (!got || !p->out)
		return 0;
	s->busy = true;
	rc = p->out->write(p->out->user, buf, got);
	s->busy = false;
	return rc < 0 ? err_callback(e, rc, "writing what a stream gave") : 0;
}

static int pump_fill(struct pump *p, davit_err *e)
{
	int rc;

	p->at = p->n = 0;
	p->s->busy = true;
	rc = p->in->read(p->in->user, p->piece, PIECE, &p->n);
	p->s->busy = false;
	if (rc < 0)
		return err_callback(e, rc, "reading what to send to a stream");
	p->in_ended = p->closing = !p->n;
	return p->n > PIECE ? err_set(e, DAVIT_EARG, "a source gave more bytes than asked for") : 0;
}

/* The peer may stop to listen before it has said all: that ends only our direction. */
static int pump_write(struct pump *p, davit_err *e)
{
	davit_err why = { 0 };
	size_t put = 0;
	int rc = p->s->conn->ops->write(p->s->conn, p->piece + p->at, p->n - p->at, &put, &why);

	p->at += put;
	p->moved |= put > 0;
	if (rc < 0 && why.sys == EPIPE) {
		p->in_ended = p->closing = true;
		p->at = p->n;
		return 0;
	}
	if (rc < 0 && e)
		*e = why;
	return rc < 0 ? rc : 0;
}

static int pump_close(struct pump *p, davit_err *e)
{
	int rc = p->s->conn->ops->close_write(p->s->conn, e);

	if (rc == CONN_AGAIN)
		return 0;
	p->closing = false;
	p->moved = true;
	p->s->closed = true;
	return rc;
}

static int pump_send(struct pump *p, davit_err *e)
{
	int rc = 0;

	if (p->at == p->n && !p->in_ended)
		rc = pump_fill(p, e);
	if (!rc && p->at < p->n)
		rc = pump_write(p, e);
	if (!rc && p->closing)
		rc = pump_close(p, e);
	return rc;
}

int davit_stream_pump(davit_stream *s, const davit_source *in, const davit_sink *out, davit_err *e)
{
	AUTO_FREE char *piece = malloc((size_t)2 * PIECE);
	struct pump p = { .s = s, .in = in, .out = out, .piece = piece, .in_ended = !in || s->closed };
	int ready;

	if (!piece)
		return err_nomem(e);
	for (;;) {
		bool ended = false;
		int rc = check(s, e);

		p.moved = false;
		if (!rc)
			rc = pump_receive(&p, &ended, e);
		if (rc || ended)
			return rc;
		rc = pump_send(&p, e);
		if (!rc && !p.moved)
			rc = wait_fds(s,
				      DAVIT_STREAM_READ | (p.at < p.n || p.closing ? DAVIT_STREAM_WRITE : 0),
				      -1, &ready, e);
		if (rc)
			return rc;
	}
}

int davit_stream_resize(davit_stream *s, unsigned rows, unsigned cols, davit_err *e)
{
	int rc = check(s, e);

	if (rc)
		return rc;
	if (!s->resize)
		return err_set(e, DAVIT_EUNSUPPORTED, "there is no terminal at the other end of this stream");
	return s->resize(s->user, rows, cols, e);
}

void davit_stream_free(davit_stream *s)
{
	if (!s)
		return;
	s->conn->ops->free(s->conn);
	if (s->release)
		s->release(s->user);
	davit_cancel_unref(s->cancel);
	free(s->ahead);
	free(s);
}

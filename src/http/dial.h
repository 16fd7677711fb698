/*
 * The dialer: raw connections for hijacked streams. unix socket, TCP, TLS, each also through a proxy's
 * CONNECT (all by libcurl), and a child process whose standard input and output are the connection.
 */
#ifndef DAVIT_HTTP_DIAL_H
#define DAVIT_HTTP_DIAL_H

#include <stdbool.h>
#include <stddef.h>

#include <davit/stream.h>

#include "http/client.h"

struct conn;

/* What an operation that would have to wait returns: poll fd(), then call it again. */
enum { CONN_AGAIN = 1 };

/*
 * A connection: non-blocking inside. read, write and close_write return 0, CONN_AGAIN or a negative code; 0
 * with 0 bytes from read means the end. close_write may be called again until it gives no CONN_AGAIN.
 */
struct conn_ops {
	int (*read)(struct conn *c, void *buf, size_t cap, size_t *got, davit_err *e);
	int (*write)(struct conn *c, const void *p, size_t n, size_t *put, davit_err *e);
	int (*close_write)(struct conn *c, davit_err *e);
	int (*fd)(const struct conn *c, int event); /* descriptor to poll for DAVIT_STREAM_READ or _WRITE */
	bool (*pending)(const struct conn *c); /* bytes above the descriptor are waiting */
	void (*free)(struct conn *c); /* in a forked child it leaves the parent's connection alone */
};
struct conn {
	const struct conn_ops *ops;
};

/*
 * Connects to the scheme, host and port of uri with the client's options; through a proxy always by CONNECT.
 * The connection is independent of the client: it may outlive it, and a running exchange does not matter.
 * Errors as for http_exchange().
 */
int dial_uri(struct http_client *c, const struct uri *uri, struct conn **out, davit_err *e);
/*
 * Asks the server of an https uri whether it speaks TLS: it is sent a greeting and nothing else. A server
 * that takes the connection and says nothing for LIMIT_PROBE_MS, or hangs up, does not. DAVIT_UNSET: no
 * connection came about. Fails as a call that is cancelled, out of time or memory, or in the wrong state.
 */
int dial_speaks_tls(struct http_client *c, const struct uri *uri, davit_tri *out, davit_err *e);
/*
 * Runs argv[0] (found in PATH) with our standard error and no other descriptor. free() ends it: closes its
 * input, waits a moment, kills. A child that fails without a word is DAVIT_EIO from the first read.
 */
int dial_child(const char *const argv[], struct conn **out, davit_err *e);

/*
 * Makes a stream over conn, which it then owns. early: bytes received behind the head, given first.
 * resize may be NULL. Waits respect cancel (own reference taken) and nothing else: streams have no total
 * limit. release() is called with user when the stream is freed; may be NULL. On failure conn and user stay
 * the caller's.
 */
struct stream_opts {
	const void *early;
	size_t early_n;
	davit_cancel_token *cancel;
	int (*resize)(void *user, unsigned rows, unsigned cols, davit_err *e);
	void (*release)(void *user);
	void *user;
};
int stream_new(struct conn *conn, const struct stream_opts *o, davit_stream **out, davit_err *e);

#endif

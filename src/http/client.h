/*
 * One HTTP exchange over libcurl: connection reuse, TLS, proxies, unix sockets, limits, cancel. No redirects,
 * no retries, no authentication, no JSON: that is the attempt loop's business (api/attempt.c).
 */
#ifndef DAVIT_HTTP_CLIENT_H
#define DAVIT_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <davit/connection.h>
#include <davit/stream.h>

#include "wire/headers.h"
#include "wire/uri.h"

struct http_client;

/* Copies the options; opts may be NULL. Initialises curl once per process. */
int http_client_new(const davit_connection_opts *opts, struct http_client **out, davit_err *e);
/* NULL is ignored. Not from inside an exchange. In a forked child the parent's connections are left alone. */
void http_client_free(struct http_client *c);
/* The options as copied, with defaults filled in (never 0 where 0 means default). */
const davit_connection_opts *http_client_opts(const struct http_client *c);
/*
 * Whether there is a trace callback, and a line for it: user info and secret parameters of URLs are hidden.
 */
bool http_client_traces(const struct http_client *c);
void http_client_trace(const struct http_client *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* What to send. */
struct http_request {
	const char *method;
	const struct uri *uri;
	/* all of them; Host, Content-Length and Transfer-Encoding are made here */
	const struct headers *headers;
	const davit_source *body;      /* NULL: none (a POST or PUT then has Content-Length: 0) */
	size_t chunk;                  /* largest read from body; 0: LIMIT_CHUNK_DEFAULT */
	int64_t deadline_ms;           /* clock_mono_ms() at which the call ends, or 0 */
	bool stream;                   /* long-lived: no deadline */
	bool decode;                   /* undo a Content-Encoding; no Accept-Encoding is sent for it */
	bool uncancelled;              /* the cancel token does not end it: clearing up after a failure */
	bool idle;                     /* silence is normal (events, followed logs) and no stall */
};

/*
 * Where the answer goes. http_exchange() overwrites it, whatever it holds: finish it after every exchange,
 * also after a failed one.
 */
struct http_response {
	int status;              /* 0 until the head is complete */
	struct headers headers;  /* of the final head (1xx are skipped) */
	bool body_started;       /* whether any byte reached the handler */
	/* whether any byte of the request may have been sent (false: no connection) */
	bool sent;
	char reason[64];         /* reason phrase, escaped, for messages */
};
void http_response_fini(struct http_response *r);

/* Told about the answer as it arrives. Any negative value ends the exchange and is returned by it. */
struct http_handler {
	/* The final head is complete; may be NULL. */
	int (*head)(void *user, struct http_response *r, davit_err *e);
	/* Body bytes as they come (decoded from chunks; content-decoded only if asked for). */
	int (*body)(void *user, const void *p, size_t n, davit_err *e);
	void *user;
};

/*
 * Sends req and delivers the answer. Returns 0 once the whole answer was delivered, whatever its status.
 * Only a GET, HEAD or OPTIONS without body is sent twice, and only when a pooled connection turned out to be
 * dead before the first byte of an answer.
 *   DAVIT_EIO       no connection, name not found, connection lost (r->status tells whether a head came)
 *   DAVIT_EPROTO    not HTTP, or a broken message
 *   DAVIT_ETRUST    the certificate; the message says how to trust it
 *   DAVIT_EDENIED   the proxy wants other credentials
 *   DAVIT_EINTEGRITY  the body source ended before its size
 *   DAVIT_ETIMEOUT, DAVIT_ECANCELLED, DAVIT_ELIMIT, DAVIT_ECALLBACK (body source), DAVIT_ESTATE (re-entry,
 *   fork)
 * A body shorter than its Content-Length is DAVIT_EIO with r->status set.
 */
int http_exchange(struct http_client *c, const struct http_request *req, const struct http_handler *h,
		  struct http_response *r, davit_err *e);

/*
 * Whether the last DAVIT_EPROTO/DAVIT_EIO/DAVIT_ETRUST came from a peer that does not speak TLS, so that
 * plain http may be tried.
 */
bool http_client_peer_spoke_no_tls(const struct http_client *c);
/*
 * Whether the last DAVIT_EIO is no passing failure: the connection was refused, or the name of the host or
 * proxy is not known.
 */
bool http_client_nobody_there(const struct http_client *c);

#endif

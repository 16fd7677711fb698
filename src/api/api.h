/*
 * Endpoint rows and the calls that interpret them. A row is the whole wire contract of one remote call; the
 * public function over it is one statement. The same rows route a server (api/route.h).
 */
#ifndef DAVIT_API_API_H
#define DAVIT_API_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <davit/connection.h>
#include <davit/err.h>
#include <davit/stream.h>
#include <davit/types.h>

#include "auth/auth.h"
#include "base/arena.h"
#include "http/client.h"
#include "wire/headers.h"
#include "wire/json.h"
#include "wire/reflect.h"

/* How a call moves its bytes; tells which entry point is legal. */
enum shape { SHAPE_CALL = 0, SHAPE_STREAM, SHAPE_UPLOAD, SHAPE_HIJACK };

enum {
	EP_IDEMPOTENT = 1,  /* may be sent again after a failure that leaves its effect unknown */
	/* the reply is an array of out; the reply object is { const T *const *v; size_t n; } */
	EP_ARRAY = 2,
	EP_PAGED_LINK = 4,  /* more pages by the Link header */
	/* the body is not JSON, or its bytes matter: kept raw, not decoded by api_call() */
	EP_RAW = 8,
	EP_OTHER_URL = 16,  /* goes to a URL that an answer named, not to path; path is documentation */
	EP_IDLE = 32,       /* silence is normal (events, followed logs): never counts as a stall */
};

/*
 * path placeholders are typed: {id} one segment, {id:name} slashes kept, {id:digest} one segment in which ':'
 * stays as it is (also for what may be a tag or a digest), {id:rest} everything behind. Empty arguments and
 * the segments "." and ".." are refused.
 */
struct endpoint {
	const char *name, *method, *path;
	const struct type *in, *out;
	uint16_t ok[4];        /* accepted statuses, 0 ends */
	uint16_t since, until; /* API version, 0: any */
	uint16_t flags;
	uint8_t shape;         /* enum shape */
	uint32_t reply_max;    /* bytes of a reply held in memory; 0: LIMIT_REPLY */
};

/*
 * HTTP status and remote code → our code, the first match counts; a NULL remote matches all. Ends with status
 * 0.
 */
struct error_row {
	uint16_t status;
	const char *remote;
	int code;
};

/* A service over one connection. */
struct service {
	const char *name;                /* "registry", for messages */
	const struct endpoint *endpoints;
	size_t n;
	const struct error_row *errors;  /* tried before the common table */
	/* Finds code and message in an error body; NULL: {"message": …}. Both outputs may stay "". */
	void (*error_body)(const struct jnode *j, char remote[DAVIT_ERR_REMOTE_MAX], struct buf *message);
};

struct api {
	const struct service *service;
	struct http_client *http;
	struct uri base;          /* scheme, host, port; path is a prefix without final '/' ("" allowed) */
	struct arena mem;         /* holds base */
	struct auth *auth;        /* NULL: none; owned */
	unsigned version;         /* API version for gates, 0: any */
	bool secret_over_http;    /* whether auth may run over plain http to a host that is not loopback */
	bool busy;                /* a call runs: re-entry is DAVIT_ESTATE */
	int pid;                  /* process that made it */
};

struct api_setup {
	const struct service *service;
	const char *base_url;              /* absolute, without query */
	const davit_connection_opts *opts; /* copied; may be NULL */
	struct auth *auth;                 /* taken, also on failure; may be NULL */
};
int api_new(const struct api_setup *setup, struct api **out, davit_err *e);
void api_free(struct api *a);

/* One call. Zero-initialise; ep is mandatory. */
struct call {
	const struct endpoint *ep;
	const char *const *path;    /* arguments of the placeholders in order, NULL-terminated: PATH(...) */
	/* EP_OTHER_URL: absolute or relative to the base; credentials go only to the base's origin. */
	const char *url;
	const void *in;             /* input struct or NULL */
	const char *scope;          /* for the authenticator */
	const char *body;           /* bytes to send instead of encoding in's body fields */
	size_t body_n;
	/* of body or source; NULL: application/json for encoded bodies, none for others */
	const char *content_type;
	const davit_source *source; /* api_upload() */
	const struct headers *headers; /* more headers */
	size_t chunk;               /* bytes per read of source or piece for the sink; 0: default */
	bool no_retry;              /* send once: attempts after 401 and redirects still happen */
	/* Undo a Content-Encoding (gzip, deflate) that the server chose without being asked. */
	bool decode;
	/* Clears up after a failure: sent even if cancelled, once, for LIMIT_TIDY_MS at most. */
	bool tidy;
};
#define PATH(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define NOPATH    ((const char *const[]){ NULL })

/*
 * The rules for credentials, redirects and repeated attempts stand in api/attempt.h. On failure the message
 * begins with the row's name: "registry.manifest.get: HTTP 404: manifest unknown (MANIFEST_UNKNOWN)".
 *
 * Sends a call of SHAPE_CALL and gives the reply (an object of ep->out->size bytes, or an empty one, with raw
 * body, status and headers behind it; davit_reply_free()). out may be NULL. in->size-style checks are the
 * public function's. Statuses outside ep->ok become errors by the service's table.
 */
int api_call(struct api *a, const struct call *c, void **out, davit_err *e);

/*
 * As api_call(), and every next page of a row with EP_PAGED_LINK: page() gets each reply (it frees or keeps
 * it) and says 0 to go on, more to stop with success, or a code with its message. It must not use a. A
 * next page on another origin is asked for without credentials; pages that repeat are DAVIT_EPROTO.
 */
int api_pages(struct api *a, const struct call *c, int (*page)(void *user, void *reply, davit_err *e),
	      void *user, davit_err *e);

/*
 * SHAPE_STREAM: the body goes to sink in pieces of at most chunk bytes. head() (may be NULL) sees status and
 * headers first; it is called again if the answer broke off before its first body byte and is repeated. Once
 * a byte has reached the sink nothing is repeated: the caller resumes. *out gets a reply without body.
 * Answers outside of ep->ok reach neither.
 */
struct stream_to {
	const davit_sink *sink; /* the caller's: a negative value becomes DAVIT_ECALLBACK */
	/* Used instead if sink is NULL: for our own code, with codes and messages of its own. */
	int (*body)(void *user, const void *p, size_t n, davit_err *e);
	int (*head)(void *user, int status, const struct headers *h, davit_err *e);
	void *user;             /* for body and head */
};
int api_stream(struct api *a, const struct call *c, const struct stream_to *to, void **out, davit_err *e);

/*
 * SHAPE_UPLOAD: sends c->source. A source with rewind may be sent again (401, redirect, passing failure when
 * idempotent); one without is sent once, and what needs a second attempt fails with a message that says so.
 */
int api_upload(struct api *a, const struct call *c, void **out, davit_err *e);

/*
 * SHAPE_HIJACK: sends an Upgrade request by hand and gives the connection, which belongs to no pool. ep->ok
 * is { 101 }, or { 101, 200 } for servers that hijack without upgrading. Redirects are not followed. The
 * handshake of a websocket is checked; its stream then carries frames, which wire/websocket.h reads.
 */
struct hijack {
	const char *protocol;        /* "tcp", "websocket", … */
	/* of the stream; may be NULL */
	int (*resize)(void *user, unsigned rows, unsigned cols, davit_err *e);
	/* called once, when the stream is freed or the call failed; may be NULL */
	void (*release)(void *user);
	void *user;
	struct conn *conn;           /* an open connection to use (a child process), or NULL to dial; taken */
};
int api_hijack(struct api *a, const struct call *c, const struct hijack *h, davit_stream **out, davit_err *e);

/*
 * A reply object of t->size bytes (t NULL: 0), zeroed, whose arena a caller may fill. davit_reply_free()
 * frees it. Without a raw body davit_reply_value() shows its members by t.
 */
void *reply_new(const struct type *t, davit_err *e);
struct arena *reply_arena(void *reply);
/* Sets the raw body (copied); its parsed form is made on demand. */
int reply_set_raw(void *reply, const char *p, size_t n, davit_err *e);

#endif

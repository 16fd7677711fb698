/*
 * Authenticators: step machines that say which headers a request needs. They do no I/O: when one needs a
 * token it describes the request for it, the attempt loop of api sends it and feeds the answer back.
 */
#ifndef DAVIT_AUTH_AUTH_H
#define DAVIT_AUTH_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <davit/err.h>

#include "base/buf.h"
#include "base/limits.h"
#include "wire/headers.h"
#include "wire/uri.h"

/* What a signer needs to know of the body before the request goes out. */
enum auth_body {
	AUTH_BODY_NONE = 0, /* nothing */
	AUTH_BODY_SHA256,   /* its SHA-256; the loop buffers or spools the body if it must */
};

/* The request that is about to be sent. Everything that goes over the wire is in it. */
struct auth_request {
	const char *method;
	const struct uri *uri;     /* final URL */
	struct headers *headers;   /* every header set by us; the authenticator adds its own */
	const char *body_sha256;   /* hex, if the authenticator asked for it; of "" for no body */
	const char *scope;         /* what the call needs, for example "repository:foo/bar:pull", or NULL */
	int64_t now;               /* seconds since 1970 */
	const char *nonce;         /* 32 fresh random hex digits */
	unsigned attempt;          /* 0 for the first */
};

/* A request that the authenticator needs answered first, for example for a token. */
struct auth_subrequest {
	const char *method;
	struct buf url;      /* secret */
	struct headers headers;
	struct buf body;     /* secret; application/x-www-form-urlencoded unless headers say otherwise */
};
#define AUTH_SUBREQUEST_INIT                                                                  \
	{                                                                                     \
		.method = "GET", .url = BUF_INIT_SECRET(LIMIT_URL),                           \
		.body = BUF_INIT_SECRET(LIMIT_TOKEN)                                          \
	}
void auth_subrequest_fini(struct auth_subrequest *r);

/* The answer to it. */
struct auth_answer {
	int status;
	const struct headers *headers;
	const char *body; /* NUL-terminated */
	size_t n;
	int64_t now;      /* seconds since 1970 */
};

enum auth_next {
	AUTH_READY = 0, /* go on */
	AUTH_NEED = 1,  /* the subrequest was filled: send it, feed the answer, then ask again */
};

struct auth;

struct auth_ops {
	enum auth_body body;
	/* Adds headers to req. AUTH_READY, AUTH_NEED (sub filled) or a negative code. */
	int (*prepare)(struct auth *a, struct auth_request *req, struct auth_subrequest *sub, davit_err *e);
	/* Takes the answer to the subrequest. 0 or a negative code. */
	int (*feed)(struct auth *a, const struct auth_answer *answer, davit_err *e);
	/*
	 * The request was answered with 401. AUTH_READY: the next attempt can succeed (it may still AUTH_NEED
	 * something in prepare); a negative code: it cannot, with the reason.
	 */
	int (*challenge)(struct auth *a, const struct auth_request *req, const struct headers *answer,
			 davit_err *e);
	void (*free)(struct auth *a);
};

/* First member of every authenticator. */
struct auth {
	const struct auth_ops *ops;
};

/* Frees through the vtable; NULL is ignored. */
void auth_free(struct auth *a);

#endif

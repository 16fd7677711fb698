/*
 * The attempt loop: sign, exchange, classify, again. It knows nothing of rows and types; api/request.c makes
 * a transfer from a call.
 *
 * Rules:
 *  - The authenticator runs only for the origin of the handle's base, and over plain http only to a loopback
 *    host or a unix socket unless the handle allows more. Time and nonce are fresh for every attempt.
 *  - Redirects 301, 302, 307 and 308 keep method and body: an API client that turned a POST into a GET would
 *    take the wrong answer for success. 303 becomes GET (HEAD stays). From https to http none is followed. On
 *    the first step to another origin all secret headers go, for the rest of the call, also if a later step
 *    leads back.
 *  - Passing failures (408, 429, 502, 503, 504, lost connections) are repeated if the call is idempotent, or
 *    if nothing of it can have taken effect (429; nothing was sent). 500 is an answer and not repeated. A
 *    refused connection and an unknown name are no passing failures: a mistake should be told at once.
 *  - A body that cannot be rewound is sent once.
 */
#ifndef DAVIT_API_ATTEMPT_H
#define DAVIT_API_ATTEMPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/api.h"
#include "api/body.h"

/* Where an accepted answer goes. */
struct receiver {
	int (*head)(void *user, const struct http_response *r, davit_err *e); /* may be NULL */
	int (*body)(void *user, const void *p, size_t n, davit_err *e);
	/* Forgets what body() got, so that the answer may come again; NULL: it must not. */
	void (*restart)(void *user);
	void *user;
};

struct transfer {
	struct api *api;
	const char *method;
	struct arena mem;       /* holds the strings of uri */
	struct uri uri;         /* where the next request goes; at the end: where the answer came from */
	struct headers headers; /* all but the authenticator's */
	struct body body;
	struct auth *auth;      /* NULL: none */
	const char *scope;
	const uint16_t *ok;     /* accepted statuses, 0 ends, at most 4; NULL: none */
	struct receiver to;
	bool idempotent, no_retry;
	bool tidy;              /* as in struct call */
	bool stream, idle, decode; /* as in struct http_request */
	int64_t deadline;       /* clock_mono_ms(), 0: none */
	/* Results. */
	struct http_response resp;
	bool accepted;          /* the status is in ok */
	/* the body of an answer that is not accepted; its limit is set by transfer_init() */
	struct buf error;
	bool cut;               /* that body was longer */
	/* State of the loop. */
	bool foreign;           /* left the origin of the first URL */
	bool delivered;         /* a body byte reached the receiver */
	int rounds, redirects, retries;
};

void transfer_init(struct transfer *t, struct api *a);
void transfer_fini(struct transfer *t);

/* 0 once an answer is there that is final, whatever its status. */
int transfer_run(struct transfer *t, davit_err *e);

/* One request as it goes out. SIGNED_INIT, signed_fini(). */
struct signed_request {
	struct headers headers;
	struct auth_request req;
	char nonce[33];
};
void signed_fini(struct signed_request *s);
/* Makes the headers of the next attempt. For api_hijack(), which exchanges by itself. */
int transfer_sign(struct transfer *t, struct signed_request *s, davit_err *e);
/* After a 401: TRANSFER_AGAIN if another attempt can succeed, 0 if the answer stands, or a code. */
enum { TRANSFER_AGAIN = 1 };
int transfer_challenge(struct transfer *t, const struct signed_request *s, davit_err *e);

/* Whether the status is in t->ok. */
bool transfer_accepts(const struct transfer *t, int status);

/*
 * Milliseconds that a Retry-After value asks for: seconds or an HTTP date; -1 if it is neither. now: seconds.
 */
int64_t retry_after_ms(const char *value, int64_t now);

/* One call at a time: DAVIT_ESTATE for re-entry and in a forked child. */
int api_enter(struct api *a, davit_err *e);
void api_leave(struct api *a);

#endif

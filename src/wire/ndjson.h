/*
 * Streams of JSON documents, separated by line ends or by nothing: {"a":1}{"b":2}. Bytes in, documents out.
 */
#ifndef DAVIT_WIRE_NDJSON_H
#define DAVIT_WIRE_NDJSON_H

#include <stdbool.h>
#include <stddef.h>

#include <davit/err.h>

#include "base/buf.h"
#include "base/limits.h"
#include "wire/json.h"

/* NDJSON_INIT, ndjson_feed() as bytes come, ndjson_end(), ndjson_fini(). */
struct ndjson {
	/* Takes a document, borrowed. 0 to go on, or a negative code that the call returns. */
	int (*document)(void *user, const struct jnode *j, davit_err *e);
	void *user;
	struct buf part;   /* a document that is not complete yet */
	unsigned depth;    /* open brackets */
	bool open;         /* inside a document */
	bool string, escape;
	unsigned long long count; /* documents so far, for messages */
};
#define NDJSON_INIT(fn, user_) \
	{ .document = (fn), .user = (user_), .part = BUF_INIT(LIMIT_NDJSON_LINE) }

/* DAVIT_EPROTO for broken JSON, DAVIT_ELIMIT past LIMIT_NDJSON_LINE; nothing may be fed after a failure. */
int ndjson_feed(struct ndjson *s, const void *p, size_t n, davit_err *e);
/* The stream is over: DAVIT_EPROTO if it ended inside a document. */
int ndjson_end(struct ndjson *s, davit_err *e);
void ndjson_fini(struct ndjson *s);

/*
 * Recognises an error inside of a stream whose status was 200: {"error":"…","errorDetail":{"message":"…",
 * "code":n}}. 0 if j is none, else DAVIT_EREMOTE with the message, and the code as davit_err::remote.
 */
int ndjson_remote_error(const struct jnode *j, davit_err *e);

#endif

/*
 * The body of a request: bytes in memory or a source, told apart by whether it can be sent again. Bodies that
 * a signer must hash before they go out are buffered or spooled if they can be read only once.
 */
#ifndef DAVIT_API_BODY_H
#define DAVIT_API_BODY_H

#include <stdbool.h>
#include <stddef.h>

#include <davit/stream.h>

#include "base/buf.h"

struct body {
	bool there;             /* whether the request has a body at all */
	bool is_private;        /* may hold secrets: never redirected to another origin */
	davit_source source;    /* what is sent, in the current form */
	bool used;              /* bytes may have been read since the start */
	char sha256[65];        /* hex, once known */
	size_t chunk;
	/* Backing of our own forms. */
	const char *p;          /* bytes in memory */
	size_t n, at;
	struct buf held;        /* owned bytes, or empty */
	int fd;                 /* spool, or -1 */
};
#define BODY_INIT { .held = BUF_INIT_SECRET(LIMIT_CHUNK), .fd = -1 }

/* Bytes that the caller keeps alive. The struct must not move afterwards (nor after body_hash()). */
void body_set_bytes(struct body *b, const char *p, size_t n);
void body_set_source(struct body *b, const davit_source *s);
/* The source to send it by; reading from it marks the body as used. */
davit_source body_out(struct body *b);
/* Whether it could be sent once more now. */
bool body_can_resend(const struct body *b);
/* Prepares for another sending. */
int body_rewind(struct body *b, davit_err *e);
/* Fills sha256; a source without rewind becomes a buffer or a spool on the way. */
int body_hash(struct body *b, davit_err *e);
/* As if there had never been one. */
void body_fini(struct body *b);

#endif

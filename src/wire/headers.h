/* A list of HTTP headers, in order, with limits. Names are compared without case. */
#ifndef DAVIT_WIRE_HEADERS_H
#define DAVIT_WIRE_HEADERS_H

#include <stdbool.h>
#include <stddef.h>

#include <davit/err.h>

struct header {
	char *name, *value; /* owned */
	bool secret;        /* wiped at the end, "[redacted]" in traces */
};

/* Zero-initialise; headers_fini() frees. */
struct headers {
	struct header *v;
	size_t n, cap, bytes;
};

/*
 * Adds a header. DAVIT_EARG if the name is no token or the value holds CR, LF or NUL; DAVIT_ELIMIT past
 * LIMIT_HEADER_COUNT, LIMIT_HEADER_LINE or LIMIT_HEADERS.
 */
int headers_add(struct headers *h, const char *name, const char *value, davit_err *e);
int headers_add_secret(struct headers *h, const char *name, const char *value, davit_err *e);
/* Removes all of that name, then adds. A NULL value only removes. */
int headers_set(struct headers *h, const char *name, const char *value, davit_err *e);
void headers_remove(struct headers *h, const char *name);
/* The first value, or NULL. */
const char *headers_get(const struct headers *h, const char *name);
/* The next value after position *at (start with 0), or NULL: for names that come several times. */
const char *headers_next(const struct headers *h, const char *name, size_t *at);
int headers_copy(struct headers *to, const struct headers *from, davit_err *e);
/* Wipes secrets and frees. */
void headers_fini(struct headers *h);

/*
 * Parses one line "Name: value" of n bytes without line end. Strict RFC 9112: no space before the colon, no
 * folding.
 */
int headers_parse_line(struct headers *h, const char *line, size_t n, davit_err *e);

#endif

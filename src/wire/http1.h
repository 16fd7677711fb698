/*
 * Heads of HTTP/1.x messages, for connections that libcurl does not drive: upgraded streams. Strict RFC 9112:
 * lines end in CRLF, no folding, no space before a colon.
 */
#ifndef DAVIT_WIRE_HTTP1_H
#define DAVIT_WIRE_HTTP1_H

#include <stdbool.h>
#include <stddef.h>

#include <davit/err.h>

#include "base/buf.h"
#include "base/limits.h"
#include "wire/headers.h"
#include "wire/uri.h"

enum http1_kind { HTTP1_REQUEST = 0, HTTP1_RESPONSE };
enum { HTTP1_MORE = 0, HTTP1_DONE = 1 };

/* A head as it arrives. HTTP1_HEAD_INIT, http1_feed() until HTTP1_DONE, http1_head_fini(). */
struct http1_head {
	enum http1_kind kind;
	unsigned minor;        /* version 1.minor: 0 or 1 */
	int status;            /* response: 100 to 999 */
	char *reason;          /* response: never NULL once done */
	char *method, *target; /* request: never NULL once done */
	struct headers headers;
	struct buf line;       /* the line that is not complete yet */
	size_t size;           /* bytes so far */
	bool started;          /* the first line is there */
};
#define HTTP1_HEAD_INIT(k) { .kind = (k), .line = BUF_INIT(LIMIT_HEADER_LINE) }

/*
 * Takes bytes; *used gets how many of them belong to the head. HTTP1_MORE (all of them, and there is more to
 * come), HTTP1_DONE (what is behind *used belongs to the stream), DAVIT_EPROTO, DAVIT_ELIMIT (a line longer
 * than LIMIT_HEADER_LINE, a head longer than LIMIT_HEADERS, LIMIT_HEADER_COUNT) or DAVIT_ENOMEM.
 */
int http1_feed(struct http1_head *h, const void *p, size_t n, size_t *used, davit_err *e);
void http1_head_fini(struct http1_head *h);

/* Whether a header that is a comma-separated list names token, compared without case. */
bool http1_has_token(const struct headers *h, const char *name, const char *token);

/*
 * Appends request line, Host (unless headers has one), headers and the empty line. out should be secret if a
 * header is. DAVIT_EARG for a method or target that would break the line.
 */
int http1_write_request(struct buf *out, const char *method, const struct uri *u,
			const struct headers *headers, davit_err *e);

#endif

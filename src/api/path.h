/*
 * Path templates: literal segments and typed placeholders, read in the same way by the client, which fills
 * them, and the router, which matches them. A placeholder is always a whole segment.
 */
#ifndef DAVIT_API_PATH_H
#define DAVIT_API_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include <davit/err.h>

#include "base/buf.h"

/* In order of how much they match. */
enum seg_kind { SEG_LITERAL = 0, SEG_ID, SEG_DIGEST, SEG_NAME, SEG_REST };

struct segment {
	enum seg_kind kind;
	const char *text; /* the literal, or the placeholder's name; not terminated */
	size_t n;
};

/*
 * Takes the next segment from *at, which stands on a '/', and moves *at behind it (on the next '/' or the
 * end). False at the end, or with *bad set if the template is malformed.
 */
bool path_segment(const char **at, struct segment *out, bool *bad);

/* Whether a decoded value may stand for a placeholder: not empty, no segment empty, "." or "..". */
bool path_value_ok(enum seg_kind kind, const char *value);

/*
 * Appends the template with args in place of its placeholders, percent-encoded. DAVIT_EARG for a wrong
 * argument.
 */
int path_build(const char *template, const char *const *args, struct buf *out, davit_err *e);

#endif

/*
 * Fields that travel in the query or in headers, both ways.
 *
 * Strings, numbers, times and enums are written as they are, booleans as .spell says. A list of strings is a
 * repeated parameter. Maps, objects, lists of objects, raw JSON and every field with .json are one JSON text;
 * a custom field whose encoder gives a string is that string, and without .json its decoder gets one. What is
 * absent and what is required: as in wire/reflect.h, but EMIT_NULL counts as EMIT_OMIT.
 */
#ifndef DAVIT_WIRE_QUERY_H
#define DAVIT_WIRE_QUERY_H

#include "wire/headers.h"
#include "wire/reflect.h"

/*
 * Appends the IN_QUERY fields of *in to a URL: "?" or "&" as the URL needs. in NULL: nothing. Fields outside
 * of version (0: any) that are set are DAVIT_EUNSUPPORTED.
 */
int query_put(const struct type *t, const void *in, unsigned version, struct buf *url, davit_err *e);
/* Adds the IN_HEADER fields of *in. Secrets are marked. */
int query_put_headers(const struct type *t, const void *in, unsigned version, struct headers *h,
		      davit_err *e);

/*
 * Server side and answers: fills *out (zeroed by the caller) from a query string (without "?") or from
 * headers. Unknown names are ignored; of a repeated scalar the first counts. DAVIT_EPROTO for a value that
 * does not fit, a bad escape or a missing required field.
 */
int query_get(const struct type *t, const char *query, void *out, struct arena *a, davit_err *e);
int query_get_headers(const struct type *t, const struct headers *h, void *out, struct arena *a,
		      davit_err *e);

/*
 * One parameter, query and header fields alike; a list grows by it. Booleans are 1, t, true, yes, on or
 * 0, f, false, no, off and "" in any case; numbers are decimal, without white space. DAVIT_EARG for a value
 * that does not fit the field. Unknown names are ignored.
 */
int query_get_one(const struct type *t, const davit_pair *param, void *out, struct arena *a, davit_err *e);

#endif

/* Fields that travel in the query or in headers, both ways. */
#ifndef DAVIT_WIRE_QUERY_H
#define DAVIT_WIRE_QUERY_H

#include "wire/headers.h"
#include "wire/reflect.h"

/*
 * Appends the IN_QUERY fields of *in to a URL: "?" or "&" as the URL needs, lists as repeated parameters,
 * maps and .json fields as JSON. Fields outside of version (0: any) that are set are DAVIT_EUNSUPPORTED.
 */
int query_put(const struct type *t, const void *in, unsigned version, struct buf *url, davit_err *e);
/* Adds the IN_HEADER fields of *in. Secrets are marked. */
int query_put_headers(const struct type *t, const void *in, unsigned version, struct headers *h, davit_err *e);

/* Server side and answers: fills *out from a query string (without "?") or from headers. Unknown names are ignored. */
int query_get(const struct type *t, const char *query, void *out, struct arena *a, davit_err *e);
int query_get_headers(const struct type *t, const struct headers *h, void *out, struct arena *a, davit_err *e);

/* One parameter by name; DAVIT_EARG for a value that does not fit the field. Unknown names are ignored. */
int query_get_one(const struct type *t, const char *name, const char *value, void *out, struct arena *a, davit_err *e);

#endif

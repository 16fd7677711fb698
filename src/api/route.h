/* The server's side of endpoint rows: from method and path to a row and its arguments. */
#ifndef DAVIT_API_ROUTE_H
#define DAVIT_API_ROUTE_H

#include "api/api.h"

enum { ROUTE_ARGS_MAX = 8 };

struct route {
	struct arena *mem; /* set by the caller: what args point to */
	const struct endpoint *ep;
	const char *args[ROUTE_ARGS_MAX + 1]; /* decoded once, in order, NULL-terminated */
};

/*
 * Finds the row for a method and an undecoded path (no query). More literal segments win over placeholders.
 * An encoded slash is part of a {name} or {rest}; elsewhere it never matches. Of several splits of a path
 * between two placeholders the first one gets the longest part.
 * DAVIT_ENOTFOUND: no such path; DAVIT_EUNSUPPORTED: the path exists, not with this method (HTTP 405);
 * DAVIT_EARG: the path has "." or "..", or a bad escape (400); DAVIT_ELIMIT: too long (414).
 */
int route_find(const struct service *s, const char *method, const char *path, struct route *out,
	       davit_err *e);

#endif

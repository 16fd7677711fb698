/* The Link header (RFC 8288). */
#ifndef DAVIT_WIRE_LINKHEADER_H
#define DAVIT_WIRE_LINKHEADER_H

#include <davit/err.h>

#include "base/arena.h"
#include "wire/headers.h"

/*
 * The target of the first link with that relation ("next") in all Link headers, as written: relative targets
 * are for uri_resolve(). *target, in the arena, is NULL if there is none. DAVIT_EPROTO for a broken header.
 */
int link_find(const struct headers *h, const char *rel, struct arena *a, const char **target, davit_err *e);

#endif

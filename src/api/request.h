/* From a call and its row to a transfer. */
#ifndef DAVIT_API_REQUEST_H
#define DAVIT_API_REQUEST_H

#include "api/attempt.h"

/*
 * Fills t, which transfer_init() made: gates, URL, headers, body. url: the whole URL if it is known already
 * (the next page); NULL: from the row. *json gets what the body's bytes lie in; the caller ends it after the
 * transfer.
 */
int request_build(struct transfer *t, const struct call *c, const struct uri *url, struct buf *json,
		  davit_err *e);

/* Whether rows of t travel at that place. */
bool type_has(const struct type *t, enum where where);

#endif

/* From an answer outside of the accepted statuses to a davit_err. */
#ifndef DAVIT_API_ERRORS_H
#define DAVIT_API_ERRORS_H

#include "api/api.h"

/*
 * Fills e with "HTTP 404: manifest unknown (MANIFEST_UNKNOWN)" and returns the code: the service's table
 * first, then the common one of <davit/err.h>. Text that is no JSON gives its first line, HTML nothing.
 */
int error_from_answer(const struct service *s, const struct http_response *r, const struct buf *body,
		      davit_err *e);

#endif

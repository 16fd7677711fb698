/* Redirects of the attempt loop; the rules stand in api/attempt.h. */
#ifndef DAVIT_API_REDIRECT_H
#define DAVIT_API_REDIRECT_H

#include "api/attempt.h"

/* 301, 302, 303, 307, 308 */
bool redirect_is(int status);
/* Removes Authorization, Cookie and all headers that are marked secret. */
int redirect_drop_secrets(struct headers *h, davit_err *e);
/* Points the transfer to the Location of its answer: TRANSFER_AGAIN or a code. */
int redirect_follow(struct transfer *t, davit_err *e);

#endif

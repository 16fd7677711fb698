/* The inside of davit_cancel_token: a sticky flag with a descriptor that every wait polls. */
#ifndef DAVIT_BASE_CANCEL_H
#define DAVIT_BASE_CANCEL_H

#include <davit/stream.h>

/* Readable once fired, for ever; -1 for a NULL token. */
int cancel_fd(const davit_cancel_token *t);

/* 0, or DAVIT_ECANCELLED with a message. NULL is never fired. */
int cancel_check(const davit_cancel_token *t, davit_err *e);

/* Waits up to ms milliseconds. 0 after that time, DAVIT_ECANCELLED as soon as t is fired. */
int cancel_sleep(const davit_cancel_token *t, int64_t ms, davit_err *e);

#endif

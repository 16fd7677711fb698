/*
 * One thread that works on a stream of bytes behind a bounded queue, so that, for example, hashing overlaps
 * receiving. Signals are masked in it; it is joined before the call that started it returns.
 */
#ifndef DAVIT_BASE_WORKER_H
#define DAVIT_BASE_WORKER_H

#include <stddef.h>

#include <davit/err.h>

struct worker;

/* Takes bytes in order in the worker's thread; a negative code ends the work. */
typedef int (*worker_fn)(void *user, const void *p, size_t n);

/* Starts the thread. Queue: WORKER_SLOTS buffers of chunk bytes. */
int worker_start(struct worker **out, worker_fn fn, void *user, size_t chunk, davit_err *e);

/*
 * Copies n bytes (any number) into the queue, waiting for room. The worker's failure, once it has failed.
 * Small pieces are gathered to up to chunk bytes while the thread is busy.
 */
int worker_push(struct worker *w, const void *p, size_t n);

/* Waits until all is done, joins, frees; gives the worker's result. NULL gives 0. */
int worker_finish(struct worker *w);

/* Drops what is queued, joins and frees. NULL is ignored. */
void worker_abort(struct worker *w);

#endif

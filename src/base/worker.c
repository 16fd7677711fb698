#include "base/worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* Enough that neither side waits for a short stall of the other, also when both share two processors with a
 * server on the same machine. */
enum { WORKER_SLOTS = 12 };

/*
 * A ring of equal buffers. The producer fills one without the lock and hands it over when it is full, so that
 * small pieces cost no more than their copying.
 */
struct worker {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t work, room;
	worker_fn fn;
	void *user;
	unsigned char *data; /* WORKER_SLOTS * chunk */
	size_t chunk;
	/* The producer's own: the slot that it fills, and how far. */
	unsigned next;
	size_t fill;
	/* Under lock: */
	size_t len[WORKER_SLOTS];
	unsigned head;  /* the oldest slot that was handed over */
	unsigned count; /* slots handed over and not finished */
	int result;
	bool ending;  /* no more will come */
	bool dropped; /* what is queued is not wanted */
};

static void *worker_main(void *arg)
{
	struct worker *w = arg;

	pthread_mutex_lock(&w->lock);
	for (;;) {
		const unsigned char *p;
		size_t n;
		int r;

		while (!w->count && !w->ending)
			pthread_cond_wait(&w->work, &w->lock);
		if (!w->count || w->dropped)
			break;
		p = w->data + w->head * w->chunk;
		n = w->len[w->head];
		pthread_mutex_unlock(&w->lock);
		r = w->fn(w->user, p, n);
		pthread_mutex_lock(&w->lock);
		w->head = (w->head + 1) % WORKER_SLOTS;
		w->count--;
		if (r < 0) {
			w->result = r;
			break;
		}
		pthread_cond_signal(&w->room);
	}
	pthread_cond_signal(&w->room);
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* The caller's signal handlers must not run in a thread that it does not know. */
static int start_thread(struct worker *w)
{
	sigset_t all, old;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&w->thread, NULL, worker_main, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return r;
}

static void worker_free(struct worker *w)
{
	pthread_cond_destroy(&w->room);
	pthread_cond_destroy(&w->work);
	pthread_mutex_destroy(&w->lock);
	free(w->data);
	free(w);
}

int worker_start(struct worker **out, worker_fn fn, void *user, size_t chunk, davit_err *e)
{
	struct worker *w;
	int r;

	if (!chunk || chunk > SIZE_MAX / WORKER_SLOTS)
		return err_set(e, DAVIT_EARG, "a queue cannot have buffers of %zu bytes", chunk);
	w = calloc(1, sizeof *w);
	if (!w)
		return err_nomem(e);
	*w = (struct worker){ .fn = fn, .user = user, .chunk = chunk };
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->work, NULL);
	pthread_cond_init(&w->room, NULL);
	w->data = malloc(WORKER_SLOTS * chunk);
	/*
	 * Touched now: what a transfer needs at its peak must not depend on how full the queue gets. (Not
	 * with 0, which compilers turn into a calloc() that touches nothing.)
	 */
	if (w->data)
		memset(w->data, 0x5a, WORKER_SLOTS * chunk);
	r = w->data ? start_thread(w) : -1;
	if (r) {
		r = w->data ? err_errno(e, r, "cannot start a thread") : err_nomem(e);
		worker_free(w);
		return r;
	}
	*out = w;
	return 0;
}

/* Waits until the next slot is free. */
static int wait_room(struct worker *w)
{
	int r;

	pthread_mutex_lock(&w->lock);
	while (w->count == WORKER_SLOTS && !w->result)
		pthread_cond_wait(&w->room, &w->lock);
	r = w->result;
	pthread_mutex_unlock(&w->lock);
	return r;
}

static void hand_over(struct worker *w)
{
	pthread_mutex_lock(&w->lock);
	w->len[w->next] = w->fill;
	w->count++;
	pthread_cond_signal(&w->work);
	pthread_mutex_unlock(&w->lock);
	w->next = (w->next + 1) % WORKER_SLOTS;
	w->fill = 0;
}

int worker_push(struct worker *w, const void *p, size_t n)
{
	const unsigned char *from = p;

	while (n) {
		int r = w->fill ? 0 : wait_room(w);
		size_t part = n < w->chunk - w->fill ? n : w->chunk - w->fill;

		if (r)
			return r;
		memcpy(w->data + w->next * w->chunk + w->fill, from, part);
		w->fill += part;
		from += part;
		n -= part;
		if (w->fill == w->chunk)
			hand_over(w);
	}
	return 0;
}

static int worker_end(struct worker *w, bool drop)
{
	int r;

	pthread_mutex_lock(&w->lock);
	w->ending = true;
	w->dropped = drop;
	pthread_cond_signal(&w->work);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	r = w->result;
	worker_free(w);
	return r;
}

int worker_finish(struct worker *w)
{
	if (!w)
		return 0;
	if (w->fill)
		hand_over(w);
	return worker_end(w, false);
}

void worker_abort(struct worker *w)
{
	if (w)
		worker_end(w, true);
}

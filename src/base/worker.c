#include "base/worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* Enough that neither side waits for a short stall of the other. */
enum { WORKER_SLOTS = 4 };

/*
 * A ring of equal buffers. The producer fills slot head + count and hands it over when it is full, or
 * earlier when the thread has nothing to do: small pieces are gathered, yet nothing waits without need.
 */
struct worker {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t work, room;
	worker_fn fn;
	void *user;
	unsigned char *data; /* WORKER_SLOTS * chunk */
	size_t chunk;
	size_t fill; /* bytes in the slot that the producer fills; its own */
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

/* Waits for a free slot; the producer may then write to it without the lock. */
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

/* Hands the slot in work over if it is full or, with idle_only, the thread has nothing else to do. */
static int hand_over(struct worker *w, bool idle_only)
{
	int r;

	pthread_mutex_lock(&w->lock);
	r = w->result;
	if (!r && w->fill && (!idle_only || w->fill == w->chunk || !w->count)) {
		w->len[(w->head + w->count) % WORKER_SLOTS] = w->fill;
		w->count++;
		w->fill = 0;
		pthread_cond_signal(&w->work);
	}
	pthread_mutex_unlock(&w->lock);
	return r;
}

/* head + count names the next free slot whatever the thread finishes meanwhile. */
static unsigned char *free_slot(struct worker *w)
{
	unsigned i;

	pthread_mutex_lock(&w->lock);
	i = (w->head + w->count) % WORKER_SLOTS;
	pthread_mutex_unlock(&w->lock);
	return w->data + i * w->chunk;
}

int worker_push(struct worker *w, const void *p, size_t n)
{
	const unsigned char *from = p;

	while (n) {
		size_t part;
		int r = wait_room(w);

		if (r)
			return r;
		part = n < w->chunk - w->fill ? n : w->chunk - w->fill;
		memcpy(free_slot(w) + w->fill, from, part);
		w->fill += part;
		from += part;
		n -= part;
		r = hand_over(w, true);
		if (r)
			return r;
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
	/* A partly filled slot needs no room: it is the free one. A failure comes out of worker_end() again.
	 */
	(void)hand_over(w, false);
	return worker_end(w, false);
}

void worker_abort(struct worker *w)
{
	if (w)
		worker_end(w, true);
}

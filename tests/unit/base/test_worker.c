#include "../unit.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "../torture.h"
#include "base/worker.h"

enum { CHUNK = 1000 };

/* Sees the bytes 0, 1, 2, ... in order. */
struct seen {
	size_t n, calls, largest;
	size_t fail_at; /* byte at which it fails; 0: never */
	bool wrong, signals;
	useconds_t pause;
};

static int take(void *user, const void *p, size_t n)
{
	const unsigned char *b = p;
	struct seen *s = user;
	sigset_t mask;

	for (size_t i = 0; i < n; i++)
		s->wrong |= b[i] != (unsigned char)(s->n + i);
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	s->signals |= !sigismember(&mask, SIGINT);
	s->n += n;
	s->calls++;
	s->largest = n > s->largest ? n : s->largest;
	if (s->pause)
		usleep(s->pause);
	return s->fail_at && s->n >= s->fail_at ? -77 : 0;
}

static int push_all(struct worker *w, size_t total, size_t piece)
{
	unsigned char b[4 * CHUNK];
	size_t done = 0;
	int r = 0;

	while (!r && done < total) {
		size_t n = piece < total - done ? piece : total - done;

		for (size_t i = 0; i < n; i++)
			b[i] = (unsigned char)(done + i);
		r = worker_push(w, b, n);
		done += n;
	}
	return r;
}

static void keeps_order(void **state)
{
	static const size_t pieces[] = { 1, 7, 999, 1000, 1001, 3999 };

	(void)state;
	for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
		struct seen s = { .pause = i == 1 ? 10 : 0 };
		struct worker *w = NULL;

		assert_int_equal(worker_start(&w, take, &s, CHUNK, NULL), 0);
		assert_int_equal(push_all(w, 50003, pieces[i]), 0);
		assert_int_equal(worker_finish(w), 0);
		assert_int_equal(s.n, 50003);
		assert_false(s.wrong);
		assert_false(s.signals);
		assert_true(s.largest <= CHUNK);
	}
}

static void failure_ends_it(void **state)
{
	struct seen s = { .fail_at = 5000 };
	struct worker *w = NULL;

	(void)state;
	assert_int_equal(worker_start(&w, take, &s, CHUNK, NULL), 0);
	assert_int_equal(push_all(w, 10000000, 300), -77);
	assert_int_equal(worker_push(w, "x", 1), -77);
	assert_int_equal(worker_finish(w), -77);
	assert_true(s.n < 5000 + CHUNK);
	/* A failure in the last piece comes out at the end. */
	s = (struct seen){ .fail_at = 3 };
	assert_int_equal(worker_start(&w, take, &s, CHUNK, NULL), 0);
	push_all(w, 3, 1);
	assert_int_equal(worker_finish(w), -77);
}

static void aborts(void **state)
{
	struct seen s = { .pause = 20000 };
	struct worker *w = NULL;

	(void)state;
	assert_int_equal(worker_start(&w, take, &s, CHUNK, NULL), 0);
	assert_int_equal(push_all(w, 4 * CHUNK, CHUNK), 0);
	worker_abort(w);
	assert_true(s.calls < 4);
	worker_abort(NULL);
	assert_int_equal(worker_finish(NULL), 0);
}

static void nothing_and_bad_sizes(void **state)
{
	struct seen s = { 0 };
	struct worker *w = NULL;

	(void)state;
	assert_int_equal(worker_start(&w, take, &s, 0, NULL), DAVIT_EARG);
	assert_int_equal(worker_start(&w, take, &s, SIZE_MAX, NULL), DAVIT_EARG);
	assert_null(w);
	assert_int_equal(worker_start(&w, take, &s, CHUNK, NULL), 0);
	assert_int_equal(worker_push(w, NULL, 0), 0);
	assert_int_equal(worker_finish(w), 0);
	assert_int_equal(s.calls, 0);
}

static int run(void *user)
{
	struct seen s = { 0 };
	struct worker *w = NULL;
	int r = worker_start(&w, take, &s, CHUNK, NULL);

	(void)user;
	return r ? r : worker_finish(w);
}

static void out_of_memory(void **state)
{
	struct seen s = { 0 };
	struct worker *w = NULL;

	(void)state;
	/* The thread's own memory comes from the C library by other ways and fails differently: only ours. */
	for (unsigned nth = 1; nth <= 2; nth++) {
		torture_arm(nth);
		assert_int_equal(worker_start(&w, take, &s, CHUNK, NULL), DAVIT_ENOMEM);
		assert_true(torture_disarm());
		assert_null(w);
	}
	assert_int_equal(run(NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_order), cmocka_unit_test(failure_ends_it), cmocka_unit_test(aborts),
		cmocka_unit_test(nothing_and_bad_sizes), cmocka_unit_test(out_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

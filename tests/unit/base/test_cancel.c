#include "../unit.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>

#include "../torture.h"
#include "base/cancel.h"
#include "base/clock.h"

static bool readable(const davit_cancel_token *t)
{
	struct pollfd p = { .fd = cancel_fd(t), .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static void sticks(void **state)
{
	davit_cancel_token *t = NULL;
	davit_err e = { 0 };

	(void)state;
	assert_int_equal(davit_cancel_new(&t, &e), 0);
	assert_false(readable(t));
	assert_int_equal(cancel_check(t, &e), 0);
	assert_ptr_equal(davit_cancel_ref(t), t);
	davit_cancel_unref(t);
	davit_cancel(t);
	davit_cancel(t);
	assert_true(davit_cancelled(t));
	assert_true(readable(t));
	assert_true(readable(t));
	assert_int_equal(cancel_check(t, &e), DAVIT_ECANCELLED);
	assert_int_equal(cancel_sleep(t, 60000, &e), DAVIT_ECANCELLED);
	davit_cancel_unref(t);
}

static void null_is_never_fired(void **state)
{
	int64_t begin = clock_mono_ms();

	(void)state;
	davit_cancel(NULL);
	davit_cancel_unref(NULL);
	assert_null(davit_cancel_ref(NULL));
	assert_int_equal(davit_cancelled(NULL), 0);
	assert_int_equal(cancel_fd(NULL), -1);
	assert_int_equal(cancel_sleep(NULL, 20, NULL), 0);
	assert_true(clock_mono_ms() - begin >= 20);
	assert_true(clock_real_s() > 1600000000);
}

static void *fire(void *token)
{
	davit_cancel(token);
	davit_cancel_unref(token);
	return NULL;
}

static void wakes_a_sleeper(void **state)
{
	davit_cancel_token *t = NULL;
	int64_t begin = clock_mono_ms();
	pthread_t thread;

	(void)state;
	assert_int_equal(davit_cancel_new(&t, NULL), 0);
	assert_int_equal(pthread_create(&thread, NULL, fire, davit_cancel_ref(t)), 0);
	assert_int_equal(cancel_sleep(t, 60000, NULL), DAVIT_ECANCELLED);
	assert_true(clock_mono_ms() - begin < 30000);
	pthread_join(thread, NULL);
	davit_cancel_unref(t);
}

static davit_cancel_token *for_handler;

static void on_alarm(int sig)
{
	(void)sig;
	davit_cancel(for_handler);
}

static void fires_in_a_signal_handler(void **state)
{
	struct sigaction act = { .sa_handler = on_alarm }, old;
	const struct itimerval soon = { .it_value.tv_usec = 20000 };

	(void)state;
	assert_int_equal(davit_cancel_new(&for_handler, NULL), 0);
	sigaction(SIGALRM, &act, &old);
	setitimer(ITIMER_REAL, &soon, NULL);
	assert_int_equal(cancel_sleep(for_handler, 60000, NULL), DAVIT_ECANCELLED);
	sigaction(SIGALRM, &old, NULL);
	davit_cancel_unref(for_handler);
}

static int make(void *user)
{
	davit_cancel_token *t = NULL;
	int r = davit_cancel_new(&t, NULL);

	(void)user;
	assert_true(r ? !t : t != NULL);
	davit_cancel_unref(t);
	return r;
}

static void out_of_memory(void **state)
{
	(void)state;
	assert_int_equal(torture_run(make, NULL), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sticks),          cmocka_unit_test(null_is_never_fired),
		cmocka_unit_test(wakes_a_sleeper), cmocka_unit_test(fires_in_a_signal_handler),
		cmocka_unit_test(out_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "base/cancel.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"

/* fired is set before the descriptor becomes readable; the descriptor is never read, so it stays readable. */
struct davit_cancel_token {
	atomic_int refs;
	atomic_int fired;
	int fd;
};

int davit_cancel_new(davit_cancel_token **out, davit_err *e)
{
	davit_cancel_token *t = calloc(1, sizeof *t);
	int r;

	if (!t)
		return err_nomem(e);
	t->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (t->fd < 0) {
		r = err_errno(e, errno, "cannot make a cancel token");
		free(t);
		return r;
	}
	atomic_init(&t->refs, 1);
	atomic_init(&t->fired, 0);
	*out = t;
	return 0;
}

davit_cancel_token *davit_cancel_ref(davit_cancel_token *t)
{
	if (t)
		atomic_fetch_add(&t->refs, 1);
	return t;
}

void davit_cancel_unref(davit_cancel_token *t)
{
	if (!t || atomic_fetch_sub(&t->refs, 1) != 1)
		return;
	close(t->fd);
	free(t);
}

/* Runs in signal handlers: atomics and write() only, errno kept. */
void davit_cancel(davit_cancel_token *t)
{
	const uint64_t one = 1;
	int saved = errno;

	if (!t || atomic_exchange(&t->fired, 1))
		return;
	while (write(t->fd, &one, sizeof one) < 0 && errno == EINTR)
		;
	errno = saved;
}

int davit_cancelled(const davit_cancel_token *t)
{
	return t ? atomic_load(&t->fired) : 0;
}

int cancel_fd(const davit_cancel_token *t)
{
	return t ? t->fd : -1;
}

int cancel_check(const davit_cancel_token *t, davit_err *e)
{
	return davit_cancelled(t) ? err_set(e, DAVIT_ECANCELLED, "cancelled") : 0;
}

int cancel_sleep(const davit_cancel_token *t, int64_t ms, davit_err *e)
{
	int64_t left = ms, end = clock_mono_ms() + ms;
	struct pollfd p = { .fd = cancel_fd(t), .events = POLLIN };

	/* A signal handler may fire the token while poll() sleeps: look at the flag after every wake-up. */
	while (!davit_cancelled(t) && left > 0) {
		poll(&p, 1, left > INT_MAX ? INT_MAX : (int)left);
		left = end - clock_mono_ms();
	}
	return cancel_check(t, e);
}

#include "cli/out.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/sig.h"

void out_init(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			/* The lowest free number is fd, as all below are open. */
			(void)!open("/dev/null", fd ? O_RDONLY : O_WRONLY);
}

/*
 * As fd_write_all(), but a signal that ends the program also ends the wait for a slow reader. 0 or a negative
 * errno.
 */
static int write_out(const void *p, size_t n)
{
	const char *from = p;

	while (n) {
		ssize_t r;

		if (sig_caught())
			return -EINTR;
		r = write(STDOUT_FILENO, from, n);
		if (r >= 0) {
			from += r;
			n -= (size_t)r;
		} else if (errno == EAGAIN) {
			struct pollfd w = { .fd = STDOUT_FILENO, .events = POLLOUT };

			poll(&w, 1, -1);
		} else if (errno != EINTR) {
			return -errno;
		}
	}
	return 0;
}

static int failed(int errnum, davit_err *e)
{
	if (errnum == EINTR)
		return err_set(e, DAVIT_ECANCELLED, "cancelled while writing standard output");
	return err_errno(e, errnum, "standard output");
}

int out_write(const void *p, size_t n, davit_err *e)
{
	int r = n ? write_out(p, n) : 0;

	return r ? failed(-r, e) : 0;
}

int out_buf(const struct buf *b, davit_err *e)
{
	int r = buf_check(b, "the output", e);

	return r ? r : out_write(buf_str(b), b->len, e);
}

/* A command has one standard output. */
static int sink_errno;

static int sink_write(void *user, const void *p, size_t n)
{
	int r = write_out(p, n);

	(void)user;
	if (r)
		sink_errno = -r;
	return r;
}

davit_sink out_sink(void)
{
	sink_errno = 0;
	return (davit_sink){ .write = sink_write };
}

int out_sink_result(int code, davit_err *e)
{
	return code == DAVIT_ECALLBACK && sink_errno ? failed(sink_errno, e) : code;
}

int out_close(davit_err *e)
{
	/* EBADF: nothing was written through a descriptor that was closed from the start. */
	if (close(STDOUT_FILENO) && errno != EBADF)
		return failed(errno, e);
	return 0;
}

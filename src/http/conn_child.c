/* A child process whose standard input and output are a connection. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "http/dial.h"

enum {
	GRACE_MS = 500, /* for a child to end by itself, then after SIGTERM */
	EXIT_MS = 200,  /* between the end of its output and its end */
};

struct conn_child {
	struct conn base;
	int in, out; /* our ends of its standard input and output; -1: closed */
	int pidfd;
	pid_t pid;   /* 0 once reaped */
	pid_t owner; /* process that made it */
	bool heard;  /* it has said something */
	char name[256];
};

static struct conn_child *of(struct conn *c)
{
	return (struct conn_child *)(void *)c;
}

/* Whether the child ended within ms milliseconds. */
static bool ended(const struct conn_child *c, int ms)
{
	struct pollfd p = { .fd = c->pidfd, .events = POLLIN };
	int n;

	do
		n = poll(&p, 1, ms);
	while (n < 0 && errno == EINTR);
	return n > 0;
}

/* Reaps. Its wait status, or 0 if somebody else has reaped it. */
static int reap(struct conn_child *c)
{
	int status = 0;
	pid_t pid;

	do
		pid = waitpid(c->pid, &status, 0);
	while (pid < 0 && errno == EINTR);
	if (pid < 0)
		status = 0;
	c->pid = 0;
	return status;
}

/* A program that ends without a word has failed, if it says so itself. */
static int check_end(struct conn_child *c, davit_err *e)
{
	int status;

	if (c->heard || !c->pid || !ended(c, EXIT_MS))
		return 0;
	status = reap(c);
	if (WIFSIGNALED(status))
		return err_set(e, DAVIT_EIO, "%s was ended by signal %d before it said anything", c->name,
			       WTERMSIG(status));
	if (WEXITSTATUS(status))
		return err_set(e, DAVIT_EIO, "%s ended with status %d before it said anything", c->name,
			       WEXITSTATUS(status));
	return 0;
}

static int child_read(struct conn *base, void *buf, size_t cap, size_t *got, davit_err *e)
{
	struct conn_child *c = of(base);
	ssize_t n;
	int rc;

	do
		n = recv(c->out, buf, cap, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return CONN_AGAIN;
	/* ECONNRESET: it ended without reading all that we sent; what it said was delivered before. */
	if (n < 0 && errno != ECONNRESET)
		return err_errno(e, errno, "reading from %s", c->name);
	if (n <= 0) {
		rc = check_end(c, e);
		if (rc)
			return rc;
		n = 0;
	}
	c->heard |= n > 0;
	*got = (size_t)n;
	return 0;
}

static int child_write(struct conn *base, const void *p, size_t n, size_t *put, davit_err *e)
{
	struct conn_child *c = of(base);
	ssize_t done;

	do
		done = send(c->in, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (done < 0 && errno == EINTR);
	if (done < 0 && errno == EAGAIN)
		return CONN_AGAIN;
	if (done < 0)
		return err_errno(e, errno, "writing to %s", c->name);
	*put = (size_t)done;
	return 0;
}

static int child_close_write(struct conn *base, davit_err *e)
{
	struct conn_child *c = of(base);

	(void)e;
	if (c->in >= 0)
		close(c->in);
	c->in = -1;
	return 0;
}

static int child_fd(const struct conn *base, int event)
{
	const struct conn_child *c = (const struct conn_child *)(const void *)base;

	return event == DAVIT_STREAM_WRITE ? c->in : c->out;
}

static bool child_pending(const struct conn *base)
{
	(void)base;
	return false;
}

/* Closing its input is the polite way to end it. */
static void end_child(struct conn_child *c)
{
	if (!c->pid || c->owner != getpid())
		return;
	if (c->pidfd >= 0 && !ended(c, GRACE_MS)) {
		pidfd_send_signal(c->pidfd, SIGTERM, NULL, 0);
		if (!ended(c, GRACE_MS))
			pidfd_send_signal(c->pidfd, SIGKILL, NULL, 0);
	} else if (c->pidfd < 0) {
		kill(c->pid, SIGKILL);
	}
	reap(c);
}

static void child_free(struct conn *base)
{
	struct conn_child *c = of(base);

	if (c->in >= 0)
		close(c->in);
	if (c->out >= 0)
		close(c->out);
	end_child(c);
	if (c->pidfd >= 0)
		close(c->pidfd);
	free(c);
}

static const struct conn_ops ops = {
	.read = child_read,
	.write = child_write,
	.close_write = child_close_write,
	.fd = child_fd,
	.pending = child_pending,
	.free = child_free,
};

/* Default signals, nothing masked, no descriptors but 0, 1 and 2. */
static int spawn(struct conn_child *c, const char *const argv[], int in, int out)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t set;
	char **args;
	int rc = posix_spawn_file_actions_init(&files);

	if (rc)
		return rc;
	rc = posix_spawnattr_init(&attr);
	if (rc)
		goto out;
	sigemptyset(&set);
	rc = posix_spawnattr_setsigmask(&attr, &set);
	sigfillset(&set);
	if (!rc)
		rc = posix_spawnattr_setsigdefault(&attr, &set);
	if (!rc)
		rc = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	if (!rc)
		rc = posix_spawn_file_actions_adddup2(&files, in, 0);
	if (!rc)
		rc = posix_spawn_file_actions_adddup2(&files, out, 1);
	if (!rc)
		rc = posix_spawn_file_actions_addclosefrom_np(&files, 3);
	memcpy(&args, &argv, sizeof args); /* posix_spawn() does not write to them */
	if (!rc)
		rc = posix_spawnp(&c->pid, argv[0], &files, &attr, args, environ);
	posix_spawnattr_destroy(&attr);
out:
	posix_spawn_file_actions_destroy(&files);
	return rc;
}

/*
 * Two socket pairs, each used one way: unlike pipes they never raise SIGPIPE, and the child can close its
 * output alone. Descriptors above 2, so that dup2() in the child cannot overwrite one.
 */
static int open_pair(int ends[2], davit_err *e)
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return err_errno(e, errno, "socketpair");
	for (int i = 0; i < 2; i++) {
		int high = ends[i] > 2 ? ends[i] : fcntl(ends[i], F_DUPFD_CLOEXEC, 3);

		if (high != ends[i])
			close(ends[i]);
		ends[i] = high;
	}
	return ends[0] >= 0 && ends[1] >= 0 ? 0 : err_errno(e, EMFILE, "socketpair");
}

static int start(struct conn_child *c, const char *const argv[], davit_err *e)
{
	int to[2] = { -1, -1 }, from[2] = { -1, -1 };
	int rc = open_pair(to, e), sys;
	AUTO_CLOSE int child_in = -1;
	AUTO_CLOSE int child_out = -1;

	c->in = to[0];
	child_in = to[1];
	if (!rc)
		rc = open_pair(from, e);
	c->out = from[0];
	child_out = from[1];
	if (rc)
		return rc;
	shutdown(c->in, SHUT_RD);
	shutdown(c->out, SHUT_WR);
	sys = spawn(c, argv, child_in, child_out);
	if (sys) {
		c->pid = 0;
		return err_errno(e, sys, "cannot run %s%s", argv[0],
				 sys == ENOENT ? " (is it installed and in PATH?)" : "");
	}
	c->pidfd = pidfd_open(c->pid, 0);
	return 0;
}

int dial_child(const char *const argv[], struct conn **out, davit_err *e)
{
	struct conn_child *c;
	int rc;

	if (!argv || !argv[0] || !*argv[0])
		return err_set(e, DAVIT_EARG, "no program to run was given");
	c = calloc(1, sizeof *c);
	if (!c)
		return err_nomem(e);
	*c = (struct conn_child){ .base.ops = &ops, .in = -1, .out = -1, .pidfd = -1, .owner = getpid() };
	snprintf(c->name, sizeof c->name, "%s", argv[0]);
	rc = start(c, argv, e);
	if (rc) {
		child_free(&c->base);
		return rc;
	}
	*out = &c->base;
	return 0;
}

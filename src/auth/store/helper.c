#include "auth/store/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/mem.h"
#include "wire/json.h"

/* A running helper. */
struct run {
	const struct helper *helper;
	const char *program;
	pid_t pid;
	int to, from; /* its standard input and output */
	int64_t deadline;
};

static void run_fini(struct run *r)
{
	if (r->to >= 0)
		close(r->to);
	if (r->from >= 0)
		close(r->from);
	if (r->pid > 0) {
		kill(r->pid, SIGKILL);
		while (waitpid(r->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
}

/* posix_spawnp() with both pipes and default signals. Its errno, or 0. */
static int spawn(struct run *r, const char *verb, const int in[2], const int out[2])
{
	char *program = strdup(r->program), *verb_copy = strdup(verb);
	char *argv[] = { program, verb_copy, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int rc = ENOMEM;

	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	if (program && verb_copy && !posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO) &&
	    !posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO))
		rc = posix_spawnp(&r->pid, program, &actions, &attr, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	free(program);
	free(verb_copy);
	return rc;
}

/* DAVIT_ENOTFOUND: no such program. */
static int run_start(struct run *r, const char *verb, davit_err *e)
{
	int in[2], out[2], rc;

	if (pipe2(in, O_CLOEXEC) < 0)
		return err_errno(e, errno, "%s", r->program);
	if (pipe2(out, O_CLOEXEC) < 0) {
		rc = errno;
		close(in[0]);
		close(in[1]);
		return err_errno(e, rc, "%s", r->program);
	}
	rc = spawn(r, verb, in, out);
	close(in[0]);
	close(out[1]);
	r->to = in[1];
	r->from = out[0];
	if (rc) {
		r->pid = 0;
		if (rc == ENOENT)
			return err_set(e, DAVIT_ENOTFOUND, "credential helper %s is not installed",
				       r->program);
		return err_errno(e, rc, "credential helper %s", r->program);
	}
	fcntl(r->to, F_SETFL, O_NONBLOCK);
	return 0;
}

/* Waits for any of the descriptors, the cancel token or the deadline. */
static int run_wait(const struct run *r, struct pollfd p[3], davit_err *e)
{
	int64_t left = r->deadline - clock_mono_ms();
	int rc = cancel_check(r->helper->cancel, e);

	if (rc)
		return rc;
	if (left <= 0)
		return err_set(e, DAVIT_ETIMEOUT, "credential helper %s did not answer within %d seconds",
			       r->program, LIMIT_HELPER_MS / 1000);
	p[2] = (struct pollfd){ .fd = cancel_fd(r->helper->cancel), .events = POLLIN };
	if (poll(p, 3, (int)left) < 0 && errno != EINTR)
		return err_errno(e, errno, "credential helper %s", r->program);
	return 0;
}

/* Writes what fits; closes the pipe once all is written or the helper does not want more. */
static void run_feed(struct run *r, const char *input, size_t n, size_t *done)
{
	ssize_t put = *done < n ? write(r->to, input + *done, n - *done) : 0;

	if (put > 0)
		*done += (size_t)put;
	if (*done == n || (put < 0 && errno != EAGAIN && errno != EINTR)) {
		close(r->to);
		r->to = -1;
	}
}

/* Reads what is there; *end at the end of its output. */
static int run_drain(const struct run *r, struct buf *out, bool *end, davit_err *e)
{
	char *to = buf_reserve(out, 4096);
	ssize_t got;

	if (!to)
		return buf_check(out, "the answer of the credential helper", e);
	got = read(r->from, to, 4096);
	if (got < 0 && errno != EINTR && errno != EAGAIN)
		return err_errno(e, errno, "credential helper %s", r->program);
	if (got > 0)
		buf_commit(out, (size_t)got);
	*end = got == 0;
	return 0;
}

/* Its output has ended; it may still run. */
static int run_reap(struct run *r, int *status, davit_err *e)
{
	AUTO_CLOSE int pidfd = pidfd_open(r->pid, 0);
	struct pollfd p[3] = { { .fd = pidfd, .events = POLLIN }, { .fd = -1 } };

	if (pidfd < 0)
		return err_errno(e, errno, "credential helper %s", r->program);
	while (!p[0].revents) {
		int rc = run_wait(r, p, e);

		if (rc)
			return rc;
	}
	while (waitpid(r->pid, status, 0) < 0 && errno == EINTR)
		;
	r->pid = 0;
	return 0;
}

static int run_exchange(struct run *r, const char *input, struct buf *out, int *status, davit_err *e)
{
	size_t done = 0, n = strlen(input);
	bool end = false;

	while (!end) {
		struct pollfd p[3] = { { .fd = r->to, .events = POLLOUT },
				       { .fd = r->from, .events = POLLIN } };
		int rc = run_wait(r, p, e);

		if (!rc && r->to >= 0 && p[0].revents)
			run_feed(r, input, n, &done);
		if (!rc && p[1].revents)
			rc = run_drain(r, out, &end, e);
		if (rc)
			return rc;
	}
	return run_reap(r, status, e);
}

/* What a helper answered. */
struct reply {
	struct buf text; /* its standard output */
	int status;      /* as wait() gives it */
};
#define REPLY_INIT { .text = BUF_INIT_SECRET(LIMIT_HELPER_REPLY) }

static void reply_fini(struct reply *r)
{
	buf_fini(&r->text);
}

/*
 * Writing to a helper that has gone must not kill the process: SIGPIPE is blocked in this thread and a
 * pending one is taken before the mask is restored.
 */
static int run_quietly(struct run *r, const char *input, struct reply *out, davit_err *e)
{
	static const struct timespec now = { 0 };
	sigset_t pipe_only, before;
	int rc;

	sigemptyset(&pipe_only);
	sigaddset(&pipe_only, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
	rc = run_exchange(r, input, &out->text, &out->status, e);
	while (sigtimedwait(&pipe_only, NULL, &now) == SIGPIPE)
		;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

/* Runs "docker-credential-NAME verb" with input. */
static int helper_run(const struct helper *h, const char *verb, const char *input, struct reply *out,
		      davit_err *e)
{
	AUTO_BUF struct buf program = BUF_INIT(256);
	struct run r = { .helper = h, .to = -1, .from = -1, .deadline = clock_mono_ms() + LIMIT_HELPER_MS };
	int rc;

	if (!*h->name || strchr(h->name, '/'))
		return err_set(e, DAVIT_EPROTO, "\"%s\" is no name of a credential helper", h->name);
	buf_printf(&program, "docker-credential-%s", h->name);
	rc = buf_check(&program, "the name of a credential helper", e);
	if (rc)
		return rc;
	r.program = program.p;
	rc = run_start(&r, verb, e);
	if (!rc)
		rc = run_quietly(&r, input, out, e);
	run_fini(&r);
	return rc;
}

static bool succeeded(const struct reply *r)
{
	return WIFEXITED(r->status) && WEXITSTATUS(r->status) == 0;
}

/* The helper's own words on a failure: it prints them on its standard output. */
static int helper_failed(const struct helper *h, const struct reply *out, davit_err *e)
{
	const char *text = buf_str(&out->text);
	int n = (int)strcspn(text, "\r\n");

	return err_set(e, DAVIT_EIO, "credential helper docker-credential-%s failed%s%.*s", h->name,
		       n ? ": " : "", n > 200 ? 200 : n, text);
}

static const char *json_text(const struct jnode *j, const char *key)
{
	return davit_value_string(json_value(json_member(j, key)));
}

static int take_answer(const struct helper *h, const struct jnode *j, struct found *out, davit_err *e)
{
	const char *user = json_text(j, "Username"), *secret = json_text(j, "Secret");
	davit_credentials c = { 0 };
	char *copy;

	if (!user || !secret)
		return err_set(e, DAVIT_EPROTO,
			       "credential helper docker-credential-%s: answer without Username and Secret",
			       h->name);
	c.origin = arena_printf(&out->mem, "docker-credential-%s", h->name);
	copy = arena_strdup(&out->mem, secret);
	if (!strcmp(user, "<token>")) {
		c.identity_token.s = copy;
	} else {
		c.password.s = copy;
		c.username = arena_strdup(&out->mem, user);
	}
	if (!c.origin || !copy || (!c.identity_token.s && !c.username))
		return err_nomem(e);
	out->c = c;
	out->hit = true;
	return 0;
}

int helper_get(const struct helper *h, const char *server, struct found *out, davit_err *e)
{
	CLEANUP(reply_fini) struct reply reply = REPLY_INIT;
	struct jnode *j = NULL;
	int rc = helper_run(h, "get", server, &reply, e);

	if (rc == DAVIT_ENOTFOUND)
		return 0;
	if (rc)
		return rc;
	if (!succeeded(&reply)) {
		/* The protocol has no code for "none": docker's own helpers print this sentence. */
		if (strstr(buf_str(&reply.text), "credentials not found"))
			return 0;
		return helper_failed(h, &reply, e);
	}
	rc = json_parse(buf_str(&reply.text), reply.text.len, &j, e);
	if (rc)
		return err_at(e, rc, "credential helper docker-credential-%s: ", h->name);
	rc = take_answer(h, j, out, e);
	json_unref_secret(j);
	return rc;
}

/* What the helper's "store" reads. */
struct store_request {
	const char *server, *username;
	davit_secret secret;
};
static const struct type t_store_request = TYPE(struct store_request,
	F(struct store_request, server, "ServerURL", .required = true),
	F(struct store_request, username, "Username", .required = true),
	F(struct store_request, secret, "Secret", .required = true));

static int run_checked(const struct helper *h, const char *verb, const char *input, davit_err *e)
{
	CLEANUP(reply_fini) struct reply reply = REPLY_INIT;
	int rc = helper_run(h, verb, input, &reply, e);

	if (!rc && !succeeded(&reply))
		rc = helper_failed(h, &reply, e);
	return rc;
}

int helper_store(const struct helper *h, const char *server, const davit_credentials *c, davit_err *e)
{
	AUTO_BUF struct buf input = BUF_INIT_SECRET(LIMIT_TOKEN);
	struct store_request req = { .server = server, .username = c->username, .secret = c->password };
	struct jnode *j = NULL;
	int rc;

	if (c->identity_token.s) {
		req.username = "<token>";
		req.secret = c->identity_token;
	}
	rc = codec_encode(&t_store_request, &req, 0, &j, e);
	if (!rc)
		rc = json_write(j, &input, e);
	json_unref_secret(j);
	return rc ? rc : run_checked(h, "store", buf_str(&input), e);
}

int helper_erase(const struct helper *h, const char *server, davit_err *e)
{
	return run_checked(h, "erase", server, e);
}

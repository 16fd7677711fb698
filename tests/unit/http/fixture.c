#include "fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"

enum { SERVERS = 32 };

static struct {
	char dir[64];
	pid_t pid;
	int in;
	struct {
		char name[32], value[128];
	} v[SERVERS];
	size_t n;
} fx;

static void read_servers(FILE *f)
{
	char line[256];

	while (fgets(line, sizeof line, f) && strcmp(line, "ready\n") != 0) {
		assert_true(fx.n < SERVERS);
		assert_int_equal(sscanf(line, "%31s %127s", fx.v[fx.n].name, fx.v[fx.n].value), 2);
		fx.n++;
	}
}

int fixture_start(void **state)
{
	char python[] = PYTHON, script[] = FIXTURE;
	char *argv[] = { python, script, fx.dir, NULL };
	int in[2], out[2];
	posix_spawn_file_actions_t files;
	FILE *f;

	(void)state;
	/* The tests must not depend on the caller's proxies. */
	unsetenv("http_proxy");
	unsetenv("https_proxy");
	unsetenv("HTTPS_PROXY");
	unsetenv("all_proxy");
	unsetenv("ALL_PROXY");
	unsetenv("no_proxy");
	unsetenv("NO_PROXY");
	snprintf(fx.dir, sizeof fx.dir, "/tmp/davit-http-XXXXXX");
	assert_non_null(mkdtemp(fx.dir));
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, in[0], 0);
	posix_spawn_file_actions_adddup2(&files, out[1], 1);
	assert_int_equal(posix_spawn(&fx.pid, python, &files, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&files);
	close(in[0]);
	close(out[1]);
	fx.in = in[1];
	f = fdopen(out[0], "r");
	assert_non_null(f);
	read_servers(f);
	fclose(f);
	assert_true(fx.n > 0);
	return 0;
}

int fixture_stop(void **state)
{
	char rm[] = "/bin/rm", flag[] = "-r";
	char *argv[] = { rm, flag, fx.dir, NULL };
	pid_t pid;

	(void)state;
	close(fx.in);
	waitpid(fx.pid, NULL, 0);
	assert_int_equal(posix_spawn(&pid, rm, NULL, NULL, argv, environ), 0);
	waitpid(pid, NULL, 0);
	return 0;
}

const char *fixture_value(const char *name)
{
	for (size_t i = 0; i < fx.n; i++)
		if (strcmp(fx.v[i].name, name) == 0)
			return fx.v[i].value;
	fail_msg("no server %s", name);
	return "";
}

const char *fixture_file(const char *name)
{
	static char paths[16][128];
	static unsigned turn;
	char *p = paths[turn++ % 16];

	snprintf(p, sizeof paths[0], "%s/%s", fx.dir, name);
	return p;
}

struct uri *fixture_uri(struct arena *a, const char *scheme, const char *server, const char *path)
{
	const char *port = fixture_value(server);
	const char *url = arena_printf(a, "%s://127.0.0.1:%s%s", scheme, *port == '/' ? "1" : port, path);
	struct uri *u = arena_alloc(a, 1, sizeof *u);
	davit_err e = { 0 };

	assert_non_null(u);
	if (uri_parse(url, a, u, &e))
		fail_msg("%s: %s", url, e.msg);
	return u;
}

struct http_client *fixture_client(const davit_connection_opts *o)
{
	struct http_client *c = NULL;
	davit_err e = { 0 };

	if (http_client_new(o, &c, &e))
		fail_msg("%s", e.msg);
	return c;
}

static int on_head(void *user, struct http_response *r, davit_err *e)
{
	struct got *g = user;

	(void)e;
	assert_true(r->status >= 200);
	g->heads++;
	return g->head_says;
}

static int on_body(void *user, const void *p, size_t n, davit_err *e)
{
	struct got *g = user;

	(void)e;
	if (g->body_sleep_ms)
		nanosleep(&(struct timespec){ g->body_sleep_ms / 1000, g->body_sleep_ms % 1000 * 1000000L },
			  NULL);
	buf_add(&g->body, p, n);
	return g->body_says;
}

void ask(struct http_client *c, const struct ask *a, struct got *g)
{
	struct arena mem = { 0 };
	struct http_request req = {
		.method = a->method ? a->method : "GET",
		.uri = fixture_uri(&mem, a->scheme ? a->scheme : "http", a->server ? a->server : "http",
				   a->path),
		.headers = a->headers,
		.body = a->body,
		.chunk = a->chunk,
		.deadline_ms = a->deadline_ms ? clock_mono_ms() + a->deadline_ms : 0,
		.stream = a->stream,
		.idle = a->idle,
		.decode = a->decode,
		.uncancelled = a->uncancelled,
	};
	const struct http_handler h = { on_head, on_body, g };

	g->body = (struct buf)BUF_INIT(LIMIT_REPLY);
	g->heads = 0;
	g->rc = http_exchange(c, &req, &h, &g->r, &g->e);
	assert_int_equal(g->body.bad, 0);
	arena_fini(&mem);
}

void got_fini(struct got *g)
{
	http_response_fini(&g->r);
	buf_fini(&g->body);
	*g = (struct got){ 0 };
}

int text_read(void *user, void *buf, size_t cap, size_t *got)
{
	struct text_source *s = user;
	size_t n = s->n - s->at;

	if (n > s->step)
		n = s->step;
	if (n > cap)
		n = cap;
	if (!n && s->fail)
		return s->fail;
	memcpy(buf, s->p + s->at, n);
	s->at += n;
	*got = n;
	return 0;
}

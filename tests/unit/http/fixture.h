/* The servers of tests/fake/http_fixture.py and a short way to talk to them. */
#ifndef DAVIT_TESTS_HTTP_FIXTURE_H
#define DAVIT_TESTS_HTTP_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "http/client.h"

/* Group set-up and tear-down. */
int fixture_start(void **state);
int fixture_stop(void **state);

/* The port or path of a server. */
const char *fixture_value(const char *name);
/* A file of the fixture's directory; up to 16 results live at a time. */
const char *fixture_file(const char *name);
/* A URL of the server of that name, in the arena. */
struct uri *fixture_uri(struct arena *a, const char *scheme, const char *server, const char *path);

/* A client that fails the test if it cannot be made; o may be NULL. */
struct http_client *fixture_client(const davit_connection_opts *o);

/* One exchange with what came of it. */
struct got {
	int rc;
	davit_err e;
	struct http_response r;
	struct buf body;
	int heads;      /* calls of head */
	int head_says;  /* what head returns */
	int body_says;  /* what body returns */
	int body_sleep_ms;
};

/* What is asked, besides method and path. */
struct ask {
	const char *method; /* NULL: GET */
	const char *scheme; /* NULL: http */
	const char *server; /* NULL: http */
	const char *path;
	const davit_source *body;
	const struct headers *headers;
	size_t chunk;
	int64_t deadline_ms; /* from now; 0: none */
	bool stream, idle, decode, uncancelled;
};

/* Sends and fills *g, which must be zero but for the members that say what to return; got_fini() frees. */
void ask(struct http_client *c, const struct ask *a, struct got *g);
void got_fini(struct got *g);
#define ASK(c, g, ...) ask(c, &(struct ask){ __VA_ARGS__ }, g)

/* A source over a string that gives at most step bytes at a time and fails with fail, if set, at its end. */
struct text_source {
	const char *p;
	size_t n, at, step;
	int fail;
};
int text_read(void *user, void *buf, size_t cap, size_t *got);

#endif

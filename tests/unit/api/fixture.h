/*
 * A scripted HTTP server in a thread, a test authenticator that signs, and its counterpart that verifies.
 * The server calls one function per request, which writes the raw answer: anything can be answered, also
 * nothing.
 */
#ifndef DAVIT_TESTS_API_FIXTURE_H
#define DAVIT_TESTS_API_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/api.h"
#include "base/buf.h"
#include "wire/headers.h"

enum { SEEN_MAX = 128 };

/* A request as it arrived. */
struct seen {
	char *method, *target;
	struct headers headers;
	struct buf body;
	bool no_body; /* refused at its Expect header, before the body */
};

struct server {
	int fd;
	unsigned port;
	/*
	 * Writes the raw answer to q, the nth request from 0 on. Returns false to close the connection behind
	 * it. For a request with Expect it is asked first with q->no_body; no output then means "100
	 * Continue".
	 */
	bool (*answer)(struct server *s, const struct seen *q, int nth, struct buf *out);
	void *user;
	struct seen seen[SEEN_MAX];
	int n; /* requests so far */
	struct thread *thread;
};

void server_start(struct server *s);
/* Ends the thread; s->seen can be read until server_free(). */
void server_stop(struct server *s);
void server_free(struct server *s);
/* http://127.0.0.1:port + path */
const char *server_url(const struct server *s, const char *path, char out[256]);

/* Status line, headers "A: b\r\n…", Content-Length, body. */
void put_answer(struct buf *out, int status, const char *headers, const char *body);

/* A handle with quick defaults; auth is taken. */
struct api *open_api(const struct server *s, const struct service *service, struct auth *auth);
struct api *open_api_with(const struct server *s, const struct service *service, struct auth *auth,
			  const davit_connection_opts *o);

/* Signs method, target, all headers, nonce, time and body hash with a key. */
struct auth *signer_new(void);
bool signer_verifies(const struct seen *q);

/* A source over text, with or without rewind; reads give at most 7 bytes. */
struct text_source {
	const char *p;
	size_t n, at;
	int rewinds;
};
davit_source text_source(struct text_source *t, const char *p, bool rewind);

#define assert_code(code, r, e)                                                                              \
	do {                                                                                                 \
		int r_ = (r);                                                                                \
		if (r_ != (code))                                                                            \
			fail_msg("%s instead of %s: %s", davit_code_name(r_), davit_code_name(code),         \
				 (e).msg);                                                                   \
	} while (0)

#endif

/* A registry that follows a script: each request must be the next step's. */
#ifndef DAVIT_TESTS_REGISTRY_STEPS_H
#define DAVIT_TESTS_REGISTRY_STEPS_H

#include "fixture.h"

#include <davit/davit.h>

/* One request that is expected, and its answer. */
struct step {
	const char *request; /* "GET /v2/" */
	int status;
	const char *headers; /* "Name: value\r\n…", or NULL */
	const char *body;    /* or NULL */
	const char *sent;    /* the request's body, or NULL: none is looked at */
	size_t cut;          /* the connection ends after so many bytes of the body, if not 0 */
};

struct script {
	struct server server;
	const struct step *steps;
	int n;
	char wrong[512]; /* the first request that was not expected */
	davit_registry *r;
	davit_err e;
};

/* Starts the server and opens a handle; opts may be NULL. */
void script_start(struct script *s, const struct step *steps, int n, const davit_registry_opts *opts);
#define SCRIPT(s, steps, opts) script_start(s, steps, (int)(sizeof(steps) / sizeof *(steps)), opts)
/* Fails the test unless all steps came, and only they. */
void script_end(struct script *s);
/* Header name of request i. */
const char *script_header(const struct script *s, int i, const char *name);

#define assert_has(text, part)                                                    \
	do {                                                                      \
		if (!strstr(text, part))                                          \
			fail_msg("\"%s\" does not hold \"%s\"", text, part);      \
	} while (0)

/* Digests of "hello\n" and of "". */
#define HELLO "sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
#define HELLO_QUERY "sha256%3A5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
#define EMPTY "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

#endif

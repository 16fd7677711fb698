/* WWW-Authenticate (RFC 9110, 11.6.1): several challenges in one header, several headers. */
#ifndef DAVIT_AUTH_CHALLENGE_H
#define DAVIT_AUTH_CHALLENGE_H

#include <stddef.h>

#include <davit/err.h>
#include <davit/types.h>

#include "base/arena.h"
#include "wire/headers.h"

/* All strings lie in the arena. */
struct challenge {
	const char *scheme;  /* lower case */
	const char *token68; /* or NULL */
	davit_map params;    /* names lower case, values unquoted; of repeated names the first counts */
};

struct challenges {
	struct challenge *v;
	size_t n;
};

/*
 * Appends the challenges of one header value. DAVIT_EPROTO if it cannot be understood, DAVIT_ELIMIT past
 * LIMIT_CHALLENGE, LIMIT_CHALLENGE_PARAMS or LIMIT_CHALLENGES.
 */
int challenge_parse(const char *value, struct arena *a, struct challenges *out, davit_err *e);

/* The challenges of all WWW-Authenticate headers. */
int challenge_parse_all(const struct headers *h, struct arena *a, struct challenges *out, davit_err *e);

/* The first challenge of a scheme (lower case), or NULL. */
const struct challenge *challenge_find(const struct challenges *c, const char *scheme);
/* A parameter (lower case) that is there and not empty, or NULL. */
const char *challenge_param(const struct challenge *c, const char *name);

#endif

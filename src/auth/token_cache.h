/* Bearer tokens by the scopes that they were asked for. */
#ifndef DAVIT_AUTH_TOKEN_CACHE_H
#define DAVIT_AUTH_TOKEN_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include <davit/err.h>

#include "auth/token.h"
#include "base/limits.h"

struct token {
	char *text;           /* secret */
	/* how to get another one; realm NULL: given by the caller, good for any scope */
	struct token_ask ask;
	int64_t refresh_at;   /* seconds since 1970 from which it should be replaced; 0: never */
	int64_t expires;      /* seconds since 1970; 0: never */
};

/* Zero-initialise. */
struct token_cache {
	struct token *v[LIMIT_TOKENS]; /* oldest first */
	size_t n;
};

/*
 * The newest token that covers the scopes of a call ("repository:a/b:pull,push registry:catalog:*"), or NULL.
 */
struct token *token_cache_find(struct token_cache *c, const char *scope);
/* The newest token for the same repository that is still good at now, or NULL. */
struct token *token_cache_find_near(struct token_cache *c, const char *scope, int64_t now);
bool token_covers(const struct token *t, const char *scope);

/*
 * Adds a token, in place of one with the same scopes. Takes ask and the reply's token, also on failure.
 * Past LIMIT_TOKENS the oldest goes.
 */
int token_cache_add(struct token_cache *c, struct token_ask *ask, struct token_reply *reply,
		    struct token **out, davit_err *e);
/* Adds a token that the caller gave. */
int token_cache_add_given(struct token_cache *c, const char *text, struct token **out, davit_err *e);
void token_cache_drop(struct token_cache *c, const struct token *t);
void token_cache_fini(struct token_cache *c);

#endif

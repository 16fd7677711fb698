#include "auth/token_cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

enum { REFRESH_EARLY = 30 }; /* seconds; at most a quarter of a token's life */

/* One scope: "type:name:action,action"; the name may hold colons. */
struct scope {
	const char *p;
	size_t n;        /* of all */
	size_t resource; /* of "type:name" */
};

/* Takes the next one of a list separated by spaces; false at its end. */
static bool next_scope(const char **list, struct scope *out)
{
	const char *p = *list + strspn(*list, " ");
	const char *colon;

	out->p = p;
	out->n = strcspn(p, " ");
	colon = memrchr(p, ':', out->n);
	out->resource = colon ? (size_t)(colon - p) : out->n;
	*list = p + out->n;
	return out->n > 0;
}

static bool same_resource(const struct scope *a, const struct scope *b)
{
	return a->resource == b->resource && !memcmp(a->p, b->p, a->resource);
}

/* Whether the actions of s hold one action. */
static bool has_action(const struct scope *s, const char *action, size_t n)
{
	const char *p = s->p + s->resource, *end = s->p + s->n;

	while (p < end) {
		const char *comma = memchr(p + 1, ',', (size_t)(end - p) - 1);
		size_t len = (size_t)((comma ? comma : end) - p) - 1;

		if ((len == n && !memcmp(p + 1, action, n)) || (len == 1 && p[1] == '*'))
			return true;
		p += len + 1;
	}
	return false;
}

static bool scope_covers(const struct scope *has, const struct scope *wanted)
{
	const char *p = wanted->p + wanted->resource, *end = wanted->p + wanted->n;

	if (!same_resource(has, wanted))
		return false;
	while (p < end) {
		const char *comma = memchr(p + 1, ',', (size_t)(end - p) - 1);
		size_t len = (size_t)((comma ? comma : end) - p) - 1;

		if (!has_action(has, p + 1, len))
			return false;
		p += len + 1;
	}
	return true;
}

/* Whether a list of scopes has one that satisfies test with wanted. */
static bool any_scope(const char *list, const struct scope *wanted,
		      bool (*test)(const struct scope *has, const struct scope *wanted))
{
	struct scope has;

	while (next_scope(&list, &has))
		if (test(&has, wanted))
			return true;
	return false;
}

bool token_covers(const struct token *t, const char *scope)
{
	struct scope wanted;

	if (!t->ask.realm)
		return true;
	if (!*scope)
		return false;
	while (next_scope(&scope, &wanted))
		if (!any_scope(t->ask.scopes, &wanted, scope_covers))
			return false;
	return true;
}

struct token *token_cache_find(struct token_cache *c, const char *scope)
{
	for (size_t i = c->n; i-- > 0;)
		if (token_covers(c->v[i], scope))
			return c->v[i];
	return NULL;
}

struct token *token_cache_find_near(struct token_cache *c, const char *scope, int64_t now)
{
	struct scope wanted;

	if (!next_scope(&scope, &wanted))
		return NULL;
	for (size_t i = c->n; i-- > 0;) {
		const struct token *t = c->v[i];

		if (t->ask.realm && now < t->expires && any_scope(t->ask.scopes, &wanted, same_resource))
			return c->v[i];
	}
	return NULL;
}

static void token_free(struct token *t)
{
	if (!t)
		return;
	mem_free_secret(t->text);
	token_ask_fini(&t->ask);
	free(t);
}

static void remove_at(struct token_cache *c, size_t i)
{
	token_free(c->v[i]);
	memmove(c->v + i, c->v + i + 1, (c->n - i - 1) * sizeof *c->v);
	c->n--;
}

void token_cache_drop(struct token_cache *c, const struct token *t)
{
	for (size_t i = 0; i < c->n; i++) {
		if (c->v[i] == t) {
			remove_at(c, i);
			return;
		}
	}
}

static void add(struct token_cache *c, struct token *t)
{
	for (size_t i = 0; i < c->n; i++) {
		if (c->v[i]->ask.scopes && t->ask.scopes && !strcmp(c->v[i]->ask.scopes, t->ask.scopes)) {
			remove_at(c, i);
			break;
		}
	}
	if (c->n == LIMIT_TOKENS)
		remove_at(c, 0);
	c->v[c->n++] = t;
}

int token_cache_add(struct token_cache *c, struct token_ask *ask, struct token_reply *reply,
		    struct token **out, davit_err *e)
{
	struct token *t = calloc(1, sizeof *t);
	int64_t early = reply->expires_in / 4 < REFRESH_EARLY ? reply->expires_in / 4 : REFRESH_EARLY;

	if (!t) {
		token_ask_fini(ask);
		return err_nomem(e);
	}
	t->text = reply->token;
	reply->token = NULL;
	t->ask = *ask;
	*ask = (struct token_ask){ 0 };
	t->expires = reply->now + reply->expires_in;
	t->refresh_at = t->expires - early;
	add(c, t);
	*out = t;
	return 0;
}

int token_cache_add_given(struct token_cache *c, const char *text, struct token **out, davit_err *e)
{
	struct token *t = calloc(1, sizeof *t);

	if (!t || !mem_strdup(text, &t->text)) {
		free(t);
		return err_nomem(e);
	}
	add(c, t);
	*out = t;
	return 0;
}

void token_cache_fini(struct token_cache *c)
{
	while (c->n)
		remove_at(c, c->n - 1);
}

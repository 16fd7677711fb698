#include "auth/challenge.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/limits.h"

static const char token_chars[] =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~";
static const char token68_chars[] =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+/";

/* What is being read. */
struct reader {
	const char *p;
	struct arena *a;
	struct challenges *out;
	davit_pair *pairs; /* parameters of the last challenge */
};

static char *lower(struct arena *a, const char *s, size_t n)
{
	char *copy = arena_strndup(a, s, n);

	for (char *c = copy; c && *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return copy;
}

static int begin_challenge(struct reader *r, size_t n, davit_err *e)
{
	struct challenge *c;

	if (!r->out->v) {
		r->out->v = arena_alloc(r->a, LIMIT_CHALLENGES, sizeof *r->out->v);
		if (!r->out->v)
			return err_nomem(e);
	}
	if (r->out->n == LIMIT_CHALLENGES)
		return err_set(e, DAVIT_ELIMIT, "more than %d authentication challenges", LIMIT_CHALLENGES);
	r->pairs = arena_alloc(r->a, LIMIT_CHALLENGE_PARAMS, sizeof *r->pairs);
	c = &r->out->v[r->out->n];
	*c = (struct challenge){ .scheme = lower(r->a, r->p, n) };
	if (!r->pairs || !c->scheme)
		return err_nomem(e);
	c->params.v = r->pairs;
	r->out->n++;
	r->p += n;
	return 0;
}

/* A value in quotes, unescaped; r->p is at the opening one. */
static int take_quoted(struct reader *r, const char **out, davit_err *e)
{
	char *copy = arena_alloc(r->a, strlen(r->p), 1), *to = copy;

	if (!copy)
		return err_nomem(e);
	for (r->p++; *r->p && *r->p != '"'; r->p++) {
		if (*r->p == '\\' && r->p[1])
			r->p++;
		*to++ = *r->p;
	}
	if (!*r->p)
		return err_set(e, DAVIT_EPROTO, "WWW-Authenticate header has a quoted value without end");
	r->p++;
	*out = copy;
	return 0;
}

/* A value without quotes; more characters are taken than allowed: some servers do not quote URLs. */
static int take_bare(struct reader *r, const char **out, davit_err *e)
{
	size_t n = strcspn(r->p, " \t,\"");
	char *copy = arena_strndup(r->a, r->p, n);

	if (!copy)
		return err_nomem(e);
	r->p += n;
	*out = copy;
	return 0;
}

/* "name=value" with a name of n characters. */
static int take_param(struct reader *r, size_t n, davit_err *e)
{
	struct challenge *c = &r->out->v[r->out->n - 1];
	davit_pair pair = { .key = lower(r->a, r->p, n) };
	int rc;

	if (!pair.key)
		return err_nomem(e);
	r->p += n;
	r->p += strspn(r->p, " \t") + 1; /* '=' */
	r->p += strspn(r->p, " \t");
	rc = *r->p == '"' ? take_quoted(r, &pair.value, e) : take_bare(r, &pair.value, e);
	if (rc)
		return rc;
	for (size_t i = 0; i < c->params.n; i++)
		if (!strcmp(r->pairs[i].key, pair.key))
			return 0;
	if (c->params.n == LIMIT_CHALLENGE_PARAMS)
		return err_set(e, DAVIT_ELIMIT, "authentication challenge has more than %d parameters",
			       LIMIT_CHALLENGE_PARAMS);
	r->pairs[c->params.n++] = pair;
	return 0;
}

/* Whether a token of n characters at p is the name of a parameter. */
static bool is_param(const char *p, size_t n)
{
	const char *after = p + n + strspn(p + n, " \t");

	return *after == '=' && n;
}

/* Behind a scheme: token68 as its whole argument, or nothing is taken. */
static int take_token68(struct reader *r, davit_err *e)
{
	const char *p = r->p + strspn(r->p, " \t");
	size_t n = strspn(p, token68_chars), pad = strspn(p + n, "="), behind;

	behind = n + pad + strspn(p + n + pad, " \t");
	if (p == r->p || !n || (p[behind] && p[behind] != ','))
		return 0;
	r->out->v[r->out->n - 1].token68 = arena_strndup(r->a, p, n + pad);
	if (!r->out->v[r->out->n - 1].token68)
		return err_nomem(e);
	r->p = p + behind;
	return 0;
}

/* A parameter of the last challenge, or the beginning of the next one. */
static int take_item(struct reader *r, size_t first, davit_err *e)
{
	size_t n = strspn(r->p, token_chars);
	int rc;

	if (!n || (is_param(r->p, n) && r->out->n == first))
		return err_set(e, DAVIT_EPROTO, "WWW-Authenticate header cannot be understood at \"%.40s\"",
			       r->p);
	if (is_param(r->p, n))
		return take_param(r, n, e);
	rc = begin_challenge(r, n, e);
	return rc ? rc : take_token68(r, e);
}

int challenge_parse(const char *value, struct arena *a, struct challenges *out, davit_err *e)
{
	struct reader r = { .p = value, .a = a, .out = out };
	size_t before = out->n;

	if (strlen(value) > LIMIT_CHALLENGE)
		return err_set(e, DAVIT_ELIMIT, "WWW-Authenticate header is longer than %d bytes",
			       LIMIT_CHALLENGE);
	while (*(r.p += strspn(r.p, " \t,"))) {
		int rc = take_item(&r, before, e);

		if (rc) {
			out->n = before;
			return rc;
		}
	}
	return 0;
}

int challenge_parse_all(const struct headers *h, struct arena *a, struct challenges *out, davit_err *e)
{
	size_t at = 0, before = out->n;
	const char *value;

	while ((value = headers_next(h, "WWW-Authenticate", &at))) {
		int r = challenge_parse(value, a, out, e);

		if (r) {
			out->n = before;
			return r;
		}
	}
	return 0;
}

const struct challenge *challenge_find(const struct challenges *c, const char *scheme)
{
	for (size_t i = 0; i < c->n; i++)
		if (!strcmp(c->v[i].scheme, scheme))
			return &c->v[i];
	return NULL;
}

const char *challenge_param(const struct challenge *c, const char *name)
{
	for (size_t i = 0; i < c->params.n; i++)
		if (!strcmp(c->params.v[i].key, name))
			return *c->params.v[i].value ? c->params.v[i].value : NULL;
	return NULL;
}

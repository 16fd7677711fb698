/* Listings of repositories and tags. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/limits.h"
#include "services/registry/registry_internal.h"

/* A listing under way. */
struct listing {
	const davit_registry_list_opts *opts; /* may be NULL */
	struct arena *mem;   /* of the result */
	const char **v;      /* collected names, on the heap */
	size_t n, cap;
	int64_t left;        /* names that may still come; negative: any number */
};

static int grow(struct listing *l, size_t more, davit_err *e)
{
	size_t cap = l->cap ? l->cap : 64;
	const char **v;

	while (cap < l->n + more)
		cap *= 2;
	if (cap == l->cap)
		return 0;
	v = reallocarray(l->v, cap, sizeof *v);
	if (!v)
		return err_nomem(e);
	l->v = v;
	l->cap = cap;
	return 0;
}

static int collect(struct listing *l, const davit_strv *names, davit_err *e)
{
	int r = grow(l, names->n, e);

	if (r)
		return r;
	for (size_t i = 0; i < names->n; i++) {
		const char *copy = arena_strdup(l->mem, names->v[i]);

		if (!copy)
			return err_set(e, DAVIT_ELIMIT, "the list of names is longer than %d bytes",
				       LIMIT_ARENA);
		l->v[l->n++] = copy;
	}
	return 0;
}

/* 0, 1 when enough has come, or a code. */
static int take_page(struct listing *l, const davit_registry_list *page, davit_err *e)
{
	davit_strv names = page->names;
	int r;

	if (l->left >= 0 && names.n > (uint64_t)l->left)
		names.n = (size_t)l->left;
	if (l->opts && l->opts->page) {
		r = l->opts->page(l->opts->page_user, &names);
		if (r < 0)
			return err_callback(e, r, "the page callback");
	} else {
		r = collect(l, &names, e);
		if (r)
			return r;
	}
	if (l->left < 0)
		return 0;
	l->left -= (int64_t)names.n;
	return l->left == 0;
}

static int on_page(void *user, void *reply, davit_err *e)
{
	int r = take_page(user, reply, e);

	davit_reply_free(reply);
	return r;
}

static int check_list_opts(const davit_registry_list_opts *o, davit_err *e)
{
	int r = CHECK_OPTS(o, davit_registry_list_opts, e);

	if (r || !o)
		return r;
	if (o->batch < 0 || o->limit < 0)
		return err_set(e, DAVIT_EARG, "davit_registry_list_opts: batch and limit cannot be negative");
	return 0;
}

/* Runs a listing of call c, to which the query is added. */
static int list(davit_registry *r, struct call *c, const davit_registry_list_opts *opts,
		davit_registry_list **out, davit_err *e)
{
	struct registry_page_query q = { .n = opts ? opts->batch : 0, .last = opts ? opts->last : NULL };
	struct listing l = { .opts = opts, .left = opts && opts->limit ? opts->limit : -1 };
	AUTO_FREE const char **names = NULL;
	davit_registry_list *made = reply_new(&registry_list_type, e);
	const char **v;
	int rc;

	if (!made)
		return DAVIT_ENOMEM;
	l.mem = reply_arena(made);
	c->in = &q;
	rc = registry_pages(r, c, on_page, &l, e);
	c->in = NULL;
	names = l.v;
	if (rc) {
		davit_reply_free(made);
		return rc;
	}
	v = arena_alloc(l.mem, l.n ? l.n : 1, sizeof *v);
	if (!v) {
		davit_reply_free(made);
		return err_nomem(e);
	}
	if (l.n)
		memcpy(v, names, l.n * sizeof *v);
	made->names = (davit_strv){ v, l.n };
	*out = made;
	return 0;
}

int davit_registry_repos(davit_registry *r, const davit_registry_list_opts *opts, davit_registry_list **out,
			 davit_err *e)
{
	struct call c = { .ep = REGISTRY_ROW(R_CATALOG), .path = NOPATH, .scope = "registry:catalog:*" };
	int rc = check_list_opts(opts, e);

	return rc ? rc : list(r, &c, opts, out, e);
}

int davit_registry_tags(davit_registry *r, const char *repo, const davit_registry_list_opts *opts,
			davit_registry_list **out, davit_err *e)
{
	AUTO_BUF struct buf name = BUF_INIT(LIMIT_URL);
	struct call c = { .ep = REGISTRY_ROW(R_TAGS) };
	int rc = check_list_opts(opts, e);

	if (!rc)
		rc = registry_repo(r, repo, &name, e);
	if (rc)
		return rc;
	c.path = PATH(buf_str(&name));
	return list(r, &c, opts, out, e);
}

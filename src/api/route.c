#include "api/route.h"

#include <string.h>

#include "api/path.h"
#include "base/err.h"
#include "base/limits.h"
#include "wire/uri.h"

/* Segments of a path; a repository name has at most 128. */
enum { SEGMENTS_MAX = 160 };

struct split {
	const char *v[SEGMENTS_MAX]; /* decoded */
	size_t n;
	struct arena *mem;
	bool nomem; /* an argument could not be kept */
};

/* How a path was matched, to compare matches. */
struct match {
	const char *args[ROUTE_ARGS_MAX + 1];
	size_t n;        /* arguments */
	size_t literals; /* segments matched by text */
};

static int bad_path(davit_err *e, const char *why)
{
	return err_set(e, DAVIT_EARG, "the path %s", why);
}

/* Decodes each segment, once. */
static int split_path(const char *path, struct split *s, davit_err *e)
{
	if (*path != '/')
		return bad_path(e, "does not begin with a slash");
	if (strlen(path) > LIMIT_URL)
		return err_set(e, DAVIT_ELIMIT, "the path is longer than %d bytes", LIMIT_URL);
	while (*path) {
		size_t n = strcspn(++path, "/");
		const char *text;

		if (s->n == SEGMENTS_MAX)
			return err_set(e, DAVIT_ELIMIT, "the path has more than %d segments", SEGMENTS_MAX);
		if (!pct_valid(path, n))
			return bad_path(e, "has a bad percent escape");
		text = pct_decode(path, n, false, s->mem);
		if (!text)
			return err_nomem(e);
		if (strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
			return bad_path(e, "has the segment \".\" or \"..\"");
		s->v[s->n++] = text;
		path += n;
	}
	return 0;
}

/* Segments from to end as one string; NULL if they may not stand for a placeholder of that kind. */
static const char *join(struct split *s, size_t from, size_t end, enum seg_kind kind)
{
	struct buf text = BUF_INIT(LIMIT_URL);
	const char *value = NULL;

	for (size_t i = from; i < end; i++) {
		if (i > from)
			buf_putc(&text, '/');
		buf_puts(&text, s->v[i]);
	}
	/* An encoded slash is a slash in a name, and no match anywhere else. */
	if (!text.bad && path_value_ok(kind, buf_str(&text)) &&
	    (kind >= SEG_NAME || !strchr(buf_str(&text), '/'))) {
		value = arena_strdup(s->mem, buf_str(&text));
		s->nomem |= !value;
	}
	s->nomem |= text.bad == DAVIT_ENOMEM;
	buf_fini(&text);
	return value;
}

static bool match_from(const char *template, struct split *s, size_t from, struct match *m);

/* Gives a placeholder as many segments as the rest of the template leaves. */
static bool match_placeholder(const struct segment *seg, const char *rest, struct split *s, size_t from,
			      struct match *m)
{
	const size_t most = seg->kind >= SEG_NAME ? s->n : from + 1;
	const struct match before = *m;

	if (m->n == ROUTE_ARGS_MAX)
		return false;
	for (size_t end = most; end > from; end--) {
		*m = before;
		m->n++;
		if (!match_from(rest, s, end, m))
			continue;
		m->args[before.n] = join(s, from, end, seg->kind);
		if (m->args[before.n])
			return true;
	}
	return false;
}

/* As deep as the template has segments. */
static bool match_from(const char *template, struct split *s, size_t from, struct match *m)
{
	struct segment seg;
	bool bad;

	while (path_segment(&template, &seg, &bad)) {
		if (from >= s->n)
			return false;
		if (seg.kind != SEG_LITERAL)
			return match_placeholder(&seg, template, s, from, m);
		if (strlen(s->v[from]) != seg.n || memcmp(s->v[from], seg.text, seg.n) != 0)
			return false;
		m->literals++;
		from++;
	}
	return !bad && from == s->n;
}

int route_find(const struct service *s, const char *method, const char *path, struct route *out, davit_err *e)
{
	struct split parts = { .mem = out->mem };
	const struct endpoint *found = NULL;
	struct match best = { 0 };
	bool other_method = false;
	int r = split_path(path, &parts, e);

	if (r)
		return r;
	for (size_t i = 0; i < s->n; i++) {
		const struct endpoint *ep = &s->endpoints[i];
		struct match m = { 0 };

		if (!match_from(ep->path, &parts, 0, &m))
			continue;
		if (strcmp(ep->method, method) != 0) {
			other_method = true;
		} else if (!found || m.literals > best.literals) {
			found = ep;
			best = m;
		}
	}
	if (parts.nomem)
		return err_nomem(e);
	if (!found && other_method)
		return err_set(e, DAVIT_EUNSUPPORTED, "%s is not possible for %s", method, path);
	if (!found)
		return err_set(e, DAVIT_ENOTFOUND, "there is no %s", path);
	out->ep = found;
	memcpy(out->args, best.args, sizeof out->args);
	return 0;
}

#include "rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "api/path.h"
#include "api/request.h"
#include "api/route.h"

/* service.noun.verb, all lower case. */
static bool name_ok(const struct service *s, const char *name)
{
	size_t n = strlen(s->name), dots = 0;

	if (strncmp(name, s->name, n) != 0 || name[n] != '.')
		return false;
	for (const char *c = name; *c; c++) {
		if (*c == '.' && (c[1] == '.' || !c[1]))
			return false;
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789_.", *c))
			return false;
		dots += *c == '.';
	}
	return dots == 2;
}

/* The same path in the same template twice would give an argument two names. */
static bool placeholders_ok(const char *path)
{
	struct segment seen[ROUTE_ARGS_MAX], seg;
	size_t n = 0;
	bool bad;

	while (path_segment(&path, &seg, &bad)) {
		if (seg.kind == SEG_LITERAL)
			continue;
		if (n == ROUTE_ARGS_MAX)
			return false;
		for (size_t i = 0; i < n; i++) {
			if (seen[i].n == seg.n && memcmp(seen[i].text, seg.text, seg.n) == 0)
				return false;
		}
		seen[n++] = seg;
	}
	return !bad;
}

static bool method_ok(const char *method)
{
	static const char *const methods[] = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS" };

	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
		if (strcmp(methods[i], method) == 0)
			return true;
	}
	return false;
}

static bool statuses_ok(const uint16_t ok[4])
{
	if (!ok[0])
		return false;
	for (int i = 0; i < 4 && ok[i]; i++) {
		if (ok[i] < 100 || ok[i] > 399)
			return false;
	}
	return true;
}

/* A field of a header or query is a value that text can hold. */
static bool fields_ok(const struct type *t)
{
	for (const struct field *f = t ? t->fields : NULL; f && f->wire; f++) {
		bool text = f->where == IN_BODY || f->json ||
			    (f->kind != K_OBJ && f->kind != K_PTR && f->kind != K_VEC);

		if (!*f->wire || f->off >= t->size || !text || (f->until && f->until < f->since))
			return false;
	}
	return true;
}

static const char *shape_problem(const struct endpoint *ep)
{
	const bool get = strcmp(ep->method, "GET") == 0 || strcmp(ep->method, "HEAD") == 0;

	if (ep->shape > SHAPE_HIJACK)
		return "unknown shape";
	if (get && type_has(ep->in, IN_BODY))
		return "GET and HEAD have no body";
	if (get && ep->shape == SHAPE_UPLOAD)
		return "GET and HEAD upload nothing";
	if (ep->shape == SHAPE_UPLOAD && type_has(ep->in, IN_BODY))
		return "the body of an upload is its source";
	if (strcmp(ep->method, "HEAD") == 0 && type_has(ep->out, IN_BODY))
		return "the answer to HEAD has no body";
	if (get && ep->shape == SHAPE_CALL && !(ep->flags & EP_IDEMPOTENT))
		return "GET and HEAD are idempotent";
	if ((ep->flags & EP_ARRAY) && (!ep->out || ep->flags & EP_RAW))
		return "an array needs the type of its elements";
	if ((ep->flags & EP_PAGED_LINK) && (ep->shape != SHAPE_CALL || !get))
		return "only a GET has pages";
	return NULL;
}

const char *row_problem(const struct service *s, size_t i)
{
	const struct endpoint *ep = &s->endpoints[i];

	if (!ep->name || !ep->method || !ep->path)
		return "a name, method or path is missing";
	if (!name_ok(s, ep->name))
		return "the name is not service.noun.verb";
	for (size_t k = 0; k < i; k++) {
		if (strcmp(s->endpoints[k].name, ep->name) == 0)
			return "the name is there twice";
	}
	if (!method_ok(ep->method))
		return "unknown method";
	if (ep->path[0] != '/' || !placeholders_ok(ep->path))
		return "the path is malformed";
	if (!statuses_ok(ep->ok))
		return "no accepted status, or a wrong one";
	if (ep->until && ep->until < ep->since)
		return "it ends before it begins";
	if (!fields_ok(ep->in) || !fields_ok(ep->out))
		return "a field is wrong";
	return shape_problem(ep);
}

void check_rows(const struct service *s)
{
	assert_true(s->n > 0);
	for (size_t i = 0; i < s->n; i++) {
		const char *problem = row_problem(s, i);

		if (problem)
			fail_msg("%s[%zu] %s: %s", s->name, i,
				 s->endpoints[i].name ? s->endpoints[i].name : "?", problem);
	}
}

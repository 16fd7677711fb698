#include "wire/linkheader.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"

static const char *skip_space(const char *p)
{
	return p + strspn(p, " \t");
}

/* A parameter of a link; value is not unescaped. */
struct param {
	const char *name, *value;
	size_t name_n, value_n;
};

/* Takes `name`, `name=token` or `name="quoted"`; NULL if it is none of them. */
static const char *take_param(const char *p, struct param *out)
{
	*out = (struct param){ .name = p, .name_n = strcspn(p, " \t=;,\"<>"), .value = "" };
	p = skip_space(p + out->name_n);
	if (!out->name_n || *p != '=')
		return out->name_n ? p : NULL;
	p = skip_space(p + 1);
	if (*p != '"') {
		out->value = p;
		out->value_n = strcspn(p, " \t;,\"<>");
		return p + out->value_n;
	}
	out->value = ++p;
	while (*p && *p != '"')
		p += *p == '\\' && p[1] ? 2 : 1;
	out->value_n = (size_t)(p - out->value);
	return *p ? p + 1 : NULL;
}

/* Whether a list of relations, separated by spaces, holds rel. */
static bool names_relation(const struct param *list, const char *rel)
{
	const char *p = list->value, *end = p + list->value_n;
	size_t n = strlen(rel);

	while (p < end) {
		size_t word = 0;

		while (p < end && (*p == ' ' || *p == '\t'))
			p++;
		while (p + word < end && p[word] != ' ' && p[word] != '\t')
			word++;
		if (word == n && !strncasecmp(p, rel, n))
			return true;
		p += word;
	}
	return false;
}

/*
 * Parameters up to the next link; *match gets whether rel is among the first "rel". NULL if they are broken.
 */
static const char *take_params(const char *p, const char *rel, bool *match)
{
	bool seen = false;

	*match = false;
	while (*(p = skip_space(p)) == ';') {
		struct param param;

		p = skip_space(p + 1);
		if (!*p || *p == ';' || *p == ',')
			continue;
		p = take_param(p, &param);
		if (!p)
			return NULL;
		if (!seen && param.name_n == 3 && !strncasecmp(param.name, "rel", 3)) {
			seen = true;
			*match = names_relation(&param, rel);
		}
	}
	return !*p || *p == ',' ? p : NULL;
}

/* Looks through one header. *target stays NULL if the relation is not in it. */
static int find_in(const char *value, const char *rel, struct arena *a, const char **target, davit_err *e)
{
	const char *p = value + strspn(value, " \t,");

	while (*p) {
		const char *from = p + 1, *end = strchr(p, '>');
		bool match;

		if (*p != '<' || !end)
			return err_set(e, DAVIT_EPROTO, "Link header has no <target>: \"%.80s\"", value);
		p = take_params(end + 1, rel, &match);
		if (!p)
			return err_set(e, DAVIT_EPROTO, "Link header has a broken parameter: \"%.80s\"",
				       value);
		if (match) {
			*target = arena_strndup(a, from, (size_t)(end - from));
			return *target ? 0 : err_nomem(e);
		}
		p += strspn(p, " \t,");
	}
	return 0;
}

int link_find(const struct headers *h, const char *rel, struct arena *a, const char **target, davit_err *e)
{
	const char *value, *found = NULL;
	size_t at = 0;

	while (!found && (value = headers_next(h, "Link", &at))) {
		int r = find_in(value, rel, a, &found, e);

		if (r)
			return r;
	}
	*target = found;
	return 0;
}

#include "wire/headers.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/mem.h"

/* A header as it is being added; name and value are not terminated. */
struct draft {
	const char *name, *value;
	size_t name_n, value_n;
	bool secret;
	int code; /* for bad characters: DAVIT_EARG for ours, DAVIT_EPROTO for the peer's */
};

static bool is_token_char(unsigned char c)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c && strchr(others, c));
}

static bool is_token(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_token_char((unsigned char)s[i]))
			return false;
	return n > 0;
}

/* RFC 9110, 5.5: visible characters, space, tab and bytes above 0x7f. */
static bool is_value(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static int check(const struct headers *h, const struct draft *d, davit_err *e)
{
	size_t size = d->name_n + d->value_n + 4;

	if (!is_token(d->name, d->name_n))
		return err_set(e, d->code, "header name \"%.*s\" is not valid", (int)(d->name_n & 0xff),
			       d->name);
	if (d->name_n > LIMIT_HEADER_LINE || d->value_n > LIMIT_HEADER_LINE || size > LIMIT_HEADER_LINE)
		return err_set(e, DAVIT_ELIMIT, "header %.*s is longer than %d bytes",
			       (int)(d->name_n & 0xff), d->name, LIMIT_HEADER_LINE);
	if (!is_value(d->value, d->value_n))
		return err_set(e, d->code, "header %.*s holds a control character", (int)d->name_n, d->name);
	if (h->n >= LIMIT_HEADER_COUNT)
		return err_set(e, DAVIT_ELIMIT, "more than %d headers", LIMIT_HEADER_COUNT);
	if (h->bytes + size > LIMIT_HEADERS)
		return err_set(e, DAVIT_ELIMIT, "headers are longer than %d bytes", LIMIT_HEADERS);
	return 0;
}

static bool grow(struct headers *h)
{
	size_t cap = h->cap ? h->cap * 2 : 8;
	struct header *v;

	if (h->n < h->cap)
		return true;
	v = realloc(h->v, cap * sizeof *v);
	if (!v)
		return false;
	h->v = v;
	h->cap = cap;
	return true;
}

static int add(struct headers *h, const struct draft *d, davit_err *e)
{
	AUTO_FREE char *name = NULL;
	char *value;
	int r = check(h, d, e);

	if (r)
		return r;
	name = strndup(d->name, d->name_n);
	if (!name || !grow(h))
		return err_nomem(e);
	value = strndup(d->value, d->value_n);
	if (!value)
		return err_nomem(e);
	h->v[h->n++] = (struct header){ TAKE_PTR(name), value, d->secret };
	h->bytes += d->name_n + d->value_n + 4;
	return 0;
}

static int add_strings(struct headers *h, const char *name, const char *value, bool secret, davit_err *e)
{
	return add(h, &(struct draft){ name, value, strlen(name), strlen(value), secret, DAVIT_EARG }, e);
}

int headers_add(struct headers *h, const char *name, const char *value, davit_err *e)
{
	return add_strings(h, name, value, false, e);
}

int headers_add_secret(struct headers *h, const char *name, const char *value, davit_err *e)
{
	return add_strings(h, name, value, true, e);
}

static void drop(struct header *v)
{
	if (v->secret)
		mem_wipe(v->value, strlen(v->value));
	free(v->name);
	free(v->value);
}

/* Removes all of that name among the first n. */
static void remove_among(struct headers *h, const char *name, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < h->n; i++) {
		if (i < n && !strcasecmp(h->v[i].name, name)) {
			h->bytes -= strlen(h->v[i].name) + strlen(h->v[i].value) + 4;
			drop(&h->v[i]);
		} else {
			h->v[kept++] = h->v[i];
		}
	}
	h->n = kept;
}

void headers_remove(struct headers *h, const char *name)
{
	remove_among(h, name, h->n);
}

int headers_set(struct headers *h, const char *name, const char *value, davit_err *e)
{
	size_t before = h->n;
	int r = value ? headers_add(h, name, value, e) : 0;

	if (!r)
		remove_among(h, name, before);
	return r;
}

const char *headers_get(const struct headers *h, const char *name)
{
	size_t at = 0;

	return headers_next(h, name, &at);
}

const char *headers_next(const struct headers *h, const char *name, size_t *at)
{
	for (size_t i = *at; i < h->n; i++) {
		if (!strcasecmp(h->v[i].name, name)) {
			*at = i + 1;
			return h->v[i].value;
		}
	}
	*at = h->n;
	return NULL;
}

int headers_copy(struct headers *to, const struct headers *from, davit_err *e)
{
	size_t before = to->n;

	for (size_t i = 0; i < from->n; i++) {
		const struct header *v = &from->v[i];
		int r = add_strings(to, v->name, v->value, v->secret, e);

		if (r) {
			while (to->n > before) {
				struct header *last = &to->v[--to->n];

				to->bytes -= strlen(last->name) + strlen(last->value) + 4;
				drop(last);
			}
			return r;
		}
	}
	return 0;
}

void headers_fini(struct headers *h)
{
	for (size_t i = 0; i < h->n; i++)
		drop(&h->v[i]);
	free(h->v);
	*h = (struct headers){ 0 };
}

int headers_parse_line(struct headers *h, const char *line, size_t n, davit_err *e)
{
	const char *colon = n ? memchr(line, ':', n) : NULL, *value;
	size_t value_n;

	if (n && (line[0] == ' ' || line[0] == '\t'))
		return err_set(e, DAVIT_EPROTO, "folded header line");
	if (!colon)
		return err_set(e, DAVIT_EPROTO, "header line without a colon");
	value = colon + 1;
	value_n = n - (size_t)(value - line);
	while (value_n && (*value == ' ' || *value == '\t')) {
		value++;
		value_n--;
	}
	while (value_n && (value[value_n - 1] == ' ' || value[value_n - 1] == '\t'))
		value_n--;
	return add(h, &(struct draft){ line, value, (size_t)(colon - line), value_n, false, DAVIT_EPROTO },
		   e);
}

#include "wire/query.h"

#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/limits.h"
#include "wire/json.h"
#include "wire/uri.h"

/* Where the texts of fields go to. */
struct target {
	enum where where;
	unsigned version;
	struct buf *url;
	struct headers *headers;
	davit_err *e;
};

static const char *kind_of_place(enum where w)
{
	return w == IN_HEADER ? "header" : "parameter";
}

static bool is_json(const struct field *f)
{
	return f->json || f->kind == K_MAP || f->kind == K_RAW || f->kind == K_OBJ || f->kind == K_PTR ||
	       f->kind == K_VEC || f->kind == K_CUSTOM;
}

static int put_one(const struct target *to, const struct field *f, const char *text)
{
	const struct buf *u = to->url;

	if (to->where == IN_HEADER && f->kind == K_SECRET)
		return headers_add_secret(to->headers, f->wire, text, to->e);
	if (to->where == IN_HEADER)
		return headers_add(to->headers, f->wire, text, to->e);
	if (!strchr(buf_str(u), '?'))
		buf_putc(to->url, '?');
	else if (u->len && !strchr("?&", u->p[u->len - 1]))
		buf_putc(to->url, '&');
	pct_encode(to->url, f->wire, "");
	buf_putc(to->url, '=');
	pct_encode(to->url, text, "");
	return buf_check(to->url, "the URL", to->e);
}

static const char *bool_text(const struct field *f, bool yes)
{
	static const char *const spelt[][2] = {
		[SPELL_1_0] = { "0", "1" },
		[SPELL_TRUE_FALSE] = { "false", "true" },
		[SPELL_PY] = { "False", "True" },
	};

	return spelt[f->spell][yes];
}

static int put_list(const struct target *to, const struct field *f, const davit_strv *list)
{
	if (list->n && !list->v)
		return err_set(to->e, DAVIT_EARG, "has %zu elements at NULL", list->n);
	for (size_t i = 0; i < list->n; i++) {
		int r = list->v[i] ? put_one(to, f, list->v[i])
				   : err_set(to->e, DAVIT_EARG, "element %zu is NULL", i);

		if (r)
			return r;
	}
	return 0;
}

/*
 * Every scalar is written by way of its JSON value, so that what is absent, required and in which version is
 * decided in one place.
 */
static int put_value(const struct target *to, const struct field *f, const struct jnode *j)
{
	const davit_value *v = json_value(j);
	AUTO_BUF struct buf text = BUF_INIT_SECRET(LIMIT_HEADERS);
	int r;

	if (davit_value_get_type(v) == DAVIT_VALUE_BOOL && !is_json(f))
		return put_one(to, f, bool_text(f, davit_value_bool(v)));
	if (davit_value_string(v) && (!is_json(f) || (f->kind == K_CUSTOM && !f->json)))
		return put_one(to, f, davit_value_string(v));
	r = json_write(j, &text, to->e);
	return r ? r : put_one(to, f, buf_str(&text));
}

static int put_field(const struct target *to, const struct field *row, const void *p)
{
	struct field f = *row;
	struct jnode *j = NULL;
	int r;

	if (f.emit == EMIT_NULL)
		f.emit = EMIT_OMIT;
	r = codec_encode_as(&f, p, to->version, &j, to->e);
	if (r)
		return err_at(to->e, r, "%s %s", kind_of_place(to->where), f.wire);
	if (f.kind == K_STRV && !f.json)
		r = j ? put_list(to, &f, p) : 0;
	else
		r = j ? put_value(to, &f, j) : 0;
	json_unref_secret(j);
	return err_at(to->e, r, "%s %s: ", kind_of_place(to->where), f.wire);
}

static int put_fields(const struct target *to, const struct type *t, const void *in)
{
	for (const struct field *f = t->fields; in && f->wire; f++) {
		int r = f->where == to->where ? put_field(to, f, (const char *)in + f->off) : 0;

		if (r)
			return r;
	}
	return 0;
}

int query_put(const struct type *t, const void *in, unsigned version, struct buf *url, davit_err *e)
{
	const struct target to = { .where = IN_QUERY, .version = version, .url = url, .e = e };
	size_t before = url->len;
	int r = put_fields(&to, t, in);

	if (r && url->p) {
		url->len = before;
		url->p[before] = 0;
	}
	return r;
}

int query_put_headers(const struct type *t, const void *in, unsigned version, struct headers *h, davit_err *e)
{
	struct headers all = { 0 };
	const struct target to = { .where = IN_HEADER, .version = version, .headers = &all, .e = e };
	int r = headers_copy(&all, h, e);

	if (!r)
		r = put_fields(&to, t, in);
	if (r) {
		headers_fini(&all);
		return r;
	}
	headers_fini(h);
	*h = all;
	return 0;
}

/* Reading: values come as texts. */
struct reader {
	struct arena *a;
	davit_err *e;
};

static int misfit(const struct reader *in, const char *want, const char *text)
{
	return err_set(in->e, DAVIT_EPROTO, ": expected %s, got \"%.60s\"", want, text);
}

static bool read_bool(const char *text, bool *out)
{
	static const char *const words[] = {
		"0", "1", "false", "true", "f", "t", "no", "yes", "off", "on", ""
	};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (!strcasecmp(text, words[i])) {
			*out = i % 2;
			return true;
		}
	}
	return false;
}

static int bool_node(const struct reader *in, const char *text, struct jnode **out)
{
	bool yes;

	if (!read_bool(text, &yes))
		return misfit(in, "boolean", text);
	return yes ? json_parse("true", 4, out, in->e) : json_parse("false", 5, out, in->e);
}

static int number_node(const struct reader *in, const char *text, struct jnode **out)
{
	const char *from = text;
	int r = DAVIT_EPROTO;

	/* JSON has no leading zeros, headers may. */
	while (*from == '0' && from[1] >= '0' && from[1] <= '9')
		from++;
	if (*from && !from[strspn(from, "0123456789+-.eE")])
		r = json_parse(from, strlen(from), out, in->e);
	return r == DAVIT_EPROTO ? misfit(in, "number", text) : r;
}

/* A text as the JSON value that the field's decoder expects. */
static int node_of_text(const struct reader *in, const struct field *f, const char *text, struct jnode **out)
{
	bool custom_text = f->kind == K_CUSTOM && !f->json;

	if (is_json(f) && !custom_text)
		return err_at(in->e, json_parse(text, strlen(text), out, in->e), ": ");
	if (f->kind == K_BOOL || f->kind == K_TRI)
		return bool_node(in, text, out);
	if (f->kind == K_I64 || f->kind == K_U64 || f->kind == K_F64 || f->kind == K_OPT_I64 ||
	    f->kind == K_OPT_U64 || f->kind == K_OPT_F64)
		return number_node(in, text, out);
	return err_at(in->e, json_from_text(text, out, in->e), ": ");
}

static bool takes_all(const struct field *f)
{
	return f->kind == K_STRV && !f->json;
}

/* Copies a list with room for more elements; the old one may be the caller's. */
static int make_room(const struct reader *in, davit_strv *list, size_t more)
{
	const char **v = arena_alloc(in->a, list->n + more, sizeof *v);

	if (!v)
		return err_nomem(in->e);
	if (list->n)
		memcpy(v, list->v, list->n * sizeof *v);
	list->v = v;
	return 0;
}

/* The list was made by make_room(). */
static int add_string(const struct reader *in, const char *text, davit_strv *list)
{
	union {
		const char *const *v;
		const char **writable;
	} u = { .v = list->v };
	const char *copy = arena_strdup(in->a, text);

	if (!copy)
		return err_set(in->e, DAVIT_ENOMEM, ": out of memory");
	u.writable[list->n++] = copy;
	return 0;
}

static int read_text(const struct reader *in, const struct field *f, const char *text, void *p)
{
	struct jnode *j = NULL;
	int r;

	if (takes_all(f))
		return add_string(in, text, p);
	r = node_of_text(in, f, text, &j);
	if (!r)
		r = codec_decode_as(f, j, p, in->a, in->e);
	json_unref_secret(j);
	return r;
}

/* One text for a field, with its name in the message. */
static int read_field(const struct reader *in, const struct field *f, const char *text, void *out)
{
	return err_at(in->e, read_text(in, f, text, (char *)out + f->off), "%s %s", kind_of_place(f->where),
		      f->wire);
}

static int missing(const struct reader *in, const struct field *f)
{
	return err_set(in->e, DAVIT_EPROTO, "%s %s is missing", kind_of_place(f->where), f->wire);
}

static int split_pair(const struct reader *in, const char *s, size_t n, davit_pair *out)
{
	const char *eq = memchr(s, '=', n), *value = eq ? eq + 1 : s + n;

	/* What pct_decode() fails at otherwise is memory. */
	if (!pct_valid(s, n))
		return err_set(in->e, DAVIT_EPROTO, "bad escape in parameter \"%.*s\"", n < 60 ? (int)n : 60,
			       s);
	out->key = pct_decode(s, eq ? (size_t)(eq - s) : n, true, in->a);
	out->value = pct_decode(value, (size_t)(s + n - value), true, in->a);
	return out->key && out->value ? 0 : err_nomem(in->e);
}

static int split_query(const struct reader *in, const char *query, davit_map *out)
{
	size_t most = 1, n = 0;
	davit_pair *v;

	if (strlen(query) > LIMIT_URL)
		return err_set(in->e, DAVIT_ELIMIT, "the query is longer than %d bytes", LIMIT_URL);
	for (const char *p = query; *p; p++)
		most += *p == '&';
	v = arena_alloc(in->a, most, sizeof *v);
	if (!v)
		return err_nomem(in->e);
	for (const char *p = query; *p;) {
		size_t len = strcspn(p, "&");
		int r = len ? split_pair(in, p, len, &v[n]) : 0;

		if (r)
			return r;
		n += len != 0;
		p += len + (p[len] == '&');
	}
	*out = (davit_map){ v, n };
	return 0;
}

static int field_from_pairs(const struct reader *in, const struct field *f, const davit_map *pairs, void *out)
{
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; i < pairs->n; i++)
		n += !strcmp(pairs->v[i].key, f->wire);
	if (!n)
		return f->required ? missing(in, f) : 0;
	if (takes_all(f))
		r = make_room(in, (davit_strv *)(void *)((char *)out + f->off), n);
	else
		n = 1;
	for (size_t i = 0; !r && n; i++) {
		if (strcmp(pairs->v[i].key, f->wire) != 0)
			continue;
		r = read_field(in, f, pairs->v[i].value, out);
		n--;
	}
	return r;
}

static int field_from_headers(const struct reader *in, const struct field *f, const struct headers *h,
			      void *out)
{
	size_t at = 0;
	const char *value = headers_next(h, f->wire, &at);
	int r = 0;

	if (!value)
		return f->required ? missing(in, f) : 0;
	if (!takes_all(f))
		return read_field(in, f, value, out);
	r = make_room(in, (davit_strv *)(void *)((char *)out + f->off), h->n);
	for (; !r && value; value = headers_next(h, f->wire, &at))
		r = read_field(in, f, value, out);
	return r;
}

/* A copy of *out to fill, so that a failure leaves *out alone. */
static void *draft(const struct reader *in, const struct type *t, const void *out)
{
	void *copy = arena_alloc(in->a, 1, t->size);

	return copy ? memcpy(copy, out, t->size) : NULL;
}

int query_get(const struct type *t, const char *query, void *out, struct arena *a, davit_err *e)
{
	const struct reader in = { a, e };
	void *copy = draft(&in, t, out);
	davit_map pairs = { 0 };
	int r = copy ? split_query(&in, query, &pairs) : err_nomem(e);

	for (const struct field *f = t->fields; !r && f->wire; f++) {
		if (f->where == IN_QUERY)
			r = field_from_pairs(&in, f, &pairs, copy);
	}
	if (!r)
		memcpy(out, copy, t->size);
	return r;
}

int query_get_headers(const struct type *t, const struct headers *h, void *out, struct arena *a, davit_err *e)
{
	const struct reader in = { a, e };
	void *copy = draft(&in, t, out);
	int r = copy ? 0 : err_nomem(e);

	for (const struct field *f = t->fields; !r && f->wire; f++) {
		if (f->where == IN_HEADER)
			r = field_from_headers(&in, f, h, copy);
	}
	if (!r)
		memcpy(out, copy, t->size);
	return r;
}

static bool has_name(const struct field *f, const char *name)
{
	return (f->where == IN_QUERY && !strcmp(f->wire, name)) ||
	       (f->where == IN_HEADER && !strcasecmp(f->wire, name));
}

int query_get_one(const struct type *t, const davit_pair *param, void *out, struct arena *a, davit_err *e)
{
	const struct reader in = { a, e };
	const struct field *f = t->fields;
	void *copy;
	int r;

	while (f->wire && !has_name(f, param->key))
		f++;
	if (!f->wire)
		return 0;
	copy = draft(&in, t, out);
	r = copy ? 0 : err_nomem(e);
	if (!r && takes_all(f))
		r = make_room(&in, (davit_strv *)(void *)((char *)copy + f->off), 1);
	if (!r)
		r = read_field(&in, f, param->value, copy);
	if (!r)
		memcpy(out, copy, t->size);
	return r == DAVIT_EPROTO ? err_at(e, DAVIT_EARG, "%s", "") : r;
}

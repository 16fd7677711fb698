#include <math.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/limits.h"
#include "wire/codec_internal.h"
#include "wire/rfc3339.h"

/* What every function here needs. */
struct decoder {
	struct arena *a;
	davit_err *e;
	unsigned depth;
};

static int decode_object(struct decoder *d, const struct type *t, struct json_object *js, void *out);

/* Names in messages: of what a row wants, and of what came. */
static const char *const wanted[] = {
	[K_STR] = "string",  [K_SECRET] = "string",  [K_BOOL] = "bool",    [K_TRI] = "bool",
	[K_I64] = "int",     [K_U64] = "int",        [K_F64] = "number",   [K_OPT_I64] = "int",
	[K_OPT_U64] = "int", [K_OPT_F64] = "number", [K_TIME] = "time",    [K_RAW] = "value",
	[K_STRV] = "array",  [K_MAP] = "object",     [K_ENUM] = "string",  [K_OBJ] = "object",
	[K_PTR] = "object",  [K_VEC] = "array",      [K_CUSTOM] = "value",
};

static int wrong_type(struct decoder *d, const char *want, struct json_object *js)
{
	return err_set(d->e, DAVIT_EPROTO, ": expected %s, got %s", want,
		       json_type_to_name(json_object_get_type(js)));
}

/* Zeroed memory in the arena; *out is set on success only. */
static int alloc(struct decoder *d, size_t n, size_t size, void **out)
{
	size_t max = d->a->max ? d->a->max : LIMIT_ARENA;
	void *p = arena_alloc(d->a, n, size);

	if (!p && n && size > (max - d->a->used) / n)
		return err_set(d->e, DAVIT_ELIMIT, ": takes more than %zu bytes of memory", max);
	if (!p)
		return err_set(d->e, DAVIT_ENOMEM, ": out of memory");
	*out = p;
	return 0;
}

static int copy_text(struct decoder *d, const char *s, size_t n, const char **out)
{
	void *p = NULL;
	int r = alloc(d, n + 1, 1, &p);

	if (r)
		return r;
	*out = memcpy(p, s, n);
	return 0;
}

static int decode_string(struct decoder *d, struct json_object *js, const char **out)
{
	const char *s;
	size_t n;

	if (!json_object_is_type(js, json_type_string))
		return wrong_type(d, "string", js);
	s = json_object_get_string(js);
	n = (size_t)json_object_get_string_len(js);
	if (memchr(s, 0, n))
		return err_set(d->e, DAVIT_EPROTO, ": string holds a NUL");
	return copy_text(d, s, n, out);
}

static int out_of_range(struct decoder *d, struct json_object *js)
{
	const char *text = json_object_is_type(js, json_type_double) ? js_number_text(js) : NULL;

	if (text)
		return err_set(d->e, DAVIT_EPROTO, ": %.40s is out of range", text);
	if (json_object_get_int64(js) < 0)
		return err_set(d->e, DAVIT_EPROTO, ": %lld is out of range",
			       (long long)json_object_get_int64(js));
	return err_set(d->e, DAVIT_EPROTO, ": %llu is out of range",
		       (unsigned long long)json_object_get_uint64(js));
}

/* An integer of either sign: magnitude and whether it is negative. */
static int decode_int(struct decoder *d, struct json_object *js, uint64_t *magnitude, bool *negative)
{
	const char *text = json_object_is_type(js, json_type_double) ? js_number_text(js) : NULL;

	if (text && !text[strcspn(text, ".eE")])
		return out_of_range(d, js);
	if (!json_object_is_type(js, json_type_int))
		return wrong_type(d, "int", js);
	*negative = json_object_get_int64(js) < 0;
	*magnitude = *negative ? 0 - (uint64_t)json_object_get_int64(js) : json_object_get_uint64(js);
	return 0;
}

static int decode_i64(struct decoder *d, struct json_object *js, int64_t *out)
{
	uint64_t m = 0;
	bool negative = false;
	int r = decode_int(d, js, &m, &negative);

	if (r)
		return r;
	if (!negative && m > INT64_MAX)
		return out_of_range(d, js);
	*out = negative ? (int64_t)(0 - m) : (int64_t)m;
	return 0;
}

static int decode_u64(struct decoder *d, struct json_object *js, uint64_t *out)
{
	uint64_t m = 0;
	bool negative = false;
	int r = decode_int(d, js, &m, &negative);

	if (r)
		return r;
	if (negative)
		return out_of_range(d, js);
	*out = m;
	return 0;
}

static int decode_f64(struct decoder *d, struct json_object *js, double *out)
{
	double v;

	if (!json_object_is_type(js, json_type_int) && !json_object_is_type(js, json_type_double))
		return wrong_type(d, "number", js);
	v = davit_value_double(json_value(node_of(js)));
	if (!isfinite(v))
		return out_of_range(d, js);
	*out = v;
	return 0;
}

static int decode_bool(struct decoder *d, struct json_object *js, bool *out)
{
	if (!json_object_is_type(js, json_type_boolean))
		return wrong_type(d, "bool", js);
	*out = json_object_get_boolean(js);
	return 0;
}

static int decode_time(struct decoder *d, struct json_object *js, davit_time *out)
{
	const char *s;
	size_t n;

	if (!json_object_is_type(js, json_type_string))
		return wrong_type(d, "time", js);
	s = json_object_get_string(js);
	n = (size_t)json_object_get_string_len(js);
	if (n && !rfc3339_parse(s, n, out))
		return err_set(d->e, DAVIT_EPROTO, ": \"%.60s\" is no RFC 3339 time", s);
	return 0;
}

static int decode_enum(struct decoder *d, const struct enum_name *names, struct json_object *js, int *out)
{
	if (!json_object_is_type(js, json_type_string))
		return wrong_type(d, "string", js);
	/* A name with an embedded NUL is no known name; the comparison must not stop at it. */
	while (names->name && (strlen(names->name) != (size_t)json_object_get_string_len(js) ||
			       strcmp(names->name, json_object_get_string(js)) != 0))
		names++;
	*out = names->value;
	return 0;
}

static int decode_raw(struct decoder *d, struct json_object *js, davit_raw *out)
{
	AUTO_BUF struct buf text = BUF_INIT_SECRET(LIMIT_REPLY * 2);
	int r = json_write(node_of(js), &text, d->e);

	if (!r)
		r = copy_text(d, buf_str(&text), text.len, &out->json);
	else
		r = err_at(d->e, r, ": ");
	if (!r)
		out->n = text.len;
	return r;
}

/* An element of a list or a value of a map that is null. */
static bool null_as_empty(const struct field *f, struct json_object *js)
{
	return !js && f->null == NULL_IS_ZERO;
}

static int decode_strv(struct decoder *d, const struct field *f, struct json_object *js, davit_strv *out)
{
	size_t n = json_object_array_length(js);
	const char **v;
	void *p = NULL;
	int r = alloc(d, n + 1, sizeof *v, &p);

	v = p;
	for (size_t i = 0; !r && i < n; i++) {
		struct json_object *el = json_object_array_get_idx(js, i);

		r = null_as_empty(f, el) ? copy_text(d, "", 0, &v[i]) : decode_string(d, el, &v[i]);
		r = err_at(d->e, r, "[%zu]", i);
	}
	if (!r)
		*out = (davit_strv){ v, n };
	return r;
}

static int decode_pair(struct decoder *d, const struct field *f, struct lh_entry *m, davit_pair *out)
{
	const char *key = lh_entry_k(m);
	struct json_object *js = lh_entry_v(m);
	int r = copy_text(d, key, strlen(key), &out->key);

	if (!r)
		r = null_as_empty(f, js) ? copy_text(d, "", 0, &out->value)
					 : decode_string(d, js, &out->value);
	return err_at(d->e, r, ".%s", key);
}

/* A null value is absent, as a null member is, unless the row says otherwise. */
static int decode_map(struct decoder *d, const struct field *f, struct json_object *js, davit_map *out)
{
	size_t n = 0;
	davit_pair *v;
	void *p = NULL;
	int r = alloc(d, (size_t)json_object_object_length(js) + 1, sizeof *v, &p);

	v = p;
	for (struct lh_entry *m = lh_table_head(json_object_get_object(js)); !r && m; m = lh_entry_next(m)) {
		if (lh_entry_v(m) || f->null != NULL_IS_ABSENT)
			r = decode_pair(d, f, m, &v[n++]);
	}
	if (!r)
		*out = (davit_map){ v, n };
	return r;
}

static int decode_ptr(struct decoder *d, const struct field *f, struct json_object *js, const void **out)
{
	void *p = NULL;
	int r = alloc(d, 1, f->sub.type->size, &p);

	if (!r)
		r = decode_object(d, f->sub.type, js, p);
	if (!r)
		*out = p;
	return r;
}

static int decode_vec(struct decoder *d, const struct type *t, struct json_object *js, struct span *out)
{
	size_t n = json_object_array_length(js);
	void *elements = NULL, *pointers = NULL;
	const void **v;
	int r = alloc(d, n, t->size, &elements);

	if (!r)
		r = alloc(d, n + 1, sizeof *v, &pointers);
	v = pointers;
	for (size_t i = 0; !r && i < n; i++) {
		void *el = (char *)elements + i * t->size;

		v[i] = el;
		r = err_at(d->e, decode_object(d, t, json_object_array_get_idx(js, i), el), "[%zu]", i);
	}
	if (!r)
		*out = (struct span){ v, n };
	return r;
}

static int decode_compound(struct decoder *d, const struct field *f, struct json_object *js, void *p)
{
	bool list = f->kind == K_STRV || f->kind == K_VEC;

	if (!json_object_is_type(js, list ? json_type_array : json_type_object))
		return wrong_type(d, wanted[f->kind], js);
	if (f->kind == K_STRV)
		return decode_strv(d, f, js, p);
	if (f->kind == K_VEC)
		return decode_vec(d, f->sub.type, js, p);
	if (f->kind == K_MAP)
		return decode_map(d, f, js, p);
	return f->kind == K_PTR ? decode_ptr(d, f, js, p) : decode_object(d, f->sub.type, js, p);
}

static int decode_tri(struct decoder *d, struct json_object *js, davit_tri *out)
{
	bool yes = false;
	int r = decode_bool(d, js, &yes);

	if (!r)
		*out = yes ? DAVIT_YES : DAVIT_NO;
	return r;
}

/* Optional numbers: .set follows a number that was read. */
static int decode_optional(struct decoder *d, const struct field *f, struct json_object *js, void *p)
{
	davit_opt_int *i = p;
	davit_opt_uint *u = p;
	davit_opt_double *f64 = p;
	bool *set = f->kind == K_OPT_I64 ? &i->set : f->kind == K_OPT_U64 ? &u->set : &f64->set;
	int r;

	if (f->kind == K_OPT_I64)
		r = decode_i64(d, js, &i->value);
	else if (f->kind == K_OPT_U64)
		r = decode_u64(d, js, &u->value);
	else
		r = decode_f64(d, js, &f64->value);
	*set = *set || !r;
	return r;
}

static int decode_value(struct decoder *d, const struct field *f, struct json_object *js, void *p)
{
	switch ((enum kind)f->kind) {
	case K_STR:
		return decode_string(d, js, p);
	case K_SECRET:
		return decode_string(d, js, &((davit_secret *)p)->s);
	case K_BOOL:
		return decode_bool(d, js, p);
	case K_TRI:
		return decode_tri(d, js, p);
	case K_I64:
		return decode_i64(d, js, p);
	case K_U64:
		return decode_u64(d, js, p);
	case K_F64:
		return decode_f64(d, js, p);
	case K_OPT_I64:
	case K_OPT_U64:
	case K_OPT_F64:
		return decode_optional(d, f, js, p);
	case K_TIME:
		return decode_time(d, js, p);
	case K_RAW:
		return decode_raw(d, js, p);
	case K_ENUM:
		return decode_enum(d, f->sub.names, js, p);
	case K_CUSTOM:
		return f->sub.custom->decode(node_of(js), p, d->a, d->e);
	case K_STRV:
	case K_MAP:
	case K_OBJ:
	case K_PTR:
	case K_VEC:
		break;
	}
	return decode_compound(d, f, js, p);
}

/* null where .null = NULL_IS_ZERO: given, with the kind's zero value. What has none stays absent. */
static int decode_zero(struct decoder *d, const struct field *f, void *p)
{
	switch ((enum kind)f->kind) {
	case K_STR:
	case K_SECRET:
		return copy_text(d, "", 0, p);
	case K_TRI:
		*(davit_tri *)p = DAVIT_NO;
		return 0;
	case K_OPT_I64:
		*(davit_opt_int *)p = (davit_opt_int){ .set = true };
		return 0;
	case K_OPT_U64:
		*(davit_opt_uint *)p = (davit_opt_uint){ .set = true };
		return 0;
	case K_OPT_F64:
		*(davit_opt_double *)p = (davit_opt_double){ .set = true };
		return 0;
	case K_STRV:
	case K_MAP:
	case K_VEC: {
		void *none = NULL;
		int r = alloc(d, 1, sizeof(davit_pair), &none);

		if (!r)
			*(struct span *)p = (struct span){ none, 0 };
		return r;
	}
	case K_RAW:
		return decode_raw(d, NULL, p);
	case K_CUSTOM:
		return f->sub.custom->decode(NULL, p, d->a, d->e);
	case K_BOOL:
	case K_I64:
	case K_U64:
	case K_F64:
	case K_TIME:
	case K_ENUM:
	case K_OBJ:
	case K_PTR:
		break;
	}
	return 0;
}

static int decode_member(struct decoder *d, const struct field *f, struct json_object *js, void *p)
{
	if (js)
		return decode_value(d, f, js, p);
	if (f->null == NULL_IS_ZERO)
		return decode_zero(d, f, p);
	if (f->null == NULL_IS_ERROR || f->required)
		return wrong_type(d, wanted[f->kind], NULL);
	return 0;
}

static int decode_object(struct decoder *d, const struct type *t, struct json_object *js, void *out)
{
	if (!json_object_is_type(js, json_type_object))
		return wrong_type(d, "object", js);
	if (d->depth == LIMIT_JSON_DEPTH)
		return err_set(d->e, DAVIT_ELIMIT, ": nested deeper than %d levels", LIMIT_JSON_DEPTH);
	d->depth++;
	for (const struct field *f = t->fields; f->wire; f++) {
		struct json_object *v = NULL;
		int r = 0;

		if (f->where != IN_BODY)
			continue;
		if (json_object_object_get_ex(js, f->wire, &v))
			r = decode_member(d, f, v, (char *)out + f->off);
		else if (f->required)
			r = err_set(d->e, DAVIT_EPROTO, ": missing");
		if (r)
			return err_at(d->e, r, ".%s", f->wire);
	}
	d->depth--;
	return 0;
}

int codec_decode(const struct type *t, const struct jnode *j, void *out, struct arena *a, davit_err *e)
{
	struct decoder d = { .a = a, .e = e };
	void *copy = NULL;
	int r = alloc(&d, 1, t->size, &copy);

	if (r)
		return r;
	memcpy(copy, out, t->size);
	r = decode_object(&d, t, js_of(j), copy);
	if (!r)
		memcpy(out, copy, t->size);
	return r;
}

int codec_decode_vec(const struct type *t, const struct jnode *j, struct span *out, struct arena *a,
		     davit_err *e)
{
	struct decoder d = { .a = a, .e = e };

	if (!json_object_is_type(js_of(j), json_type_array))
		return wrong_type(&d, "array", js_of(j));
	return decode_vec(&d, t, js_of(j), out);
}

int codec_decode_as(const struct field *f, const struct jnode *j, void *member, struct arena *a, davit_err *e)
{
	struct decoder d = { .a = a, .e = e };

	return decode_member(&d, f, js_of(j), member);
}

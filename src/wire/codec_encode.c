#include <math.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "wire/codec_internal.h"
#include "wire/rfc3339.h"

enum { LOOK_AHEAD = 16 /* elements of a received list that are compared with one to be written */ };

/* What every function here needs. */
struct encoder {
	davit_err *e;
	unsigned version;
	unsigned depth;
	bool over; /* objects are written over received ones */
};

static int encode_into(struct encoder *c, const struct type *t, const void *in, struct json_object *out);

/* Stores what the library made: NULL means that memory ran out. */
static int made(struct encoder *c, struct json_object *js, struct json_object **out)
{
	if (!js)
		return err_set(c->e, DAVIT_ENOMEM, ": out of memory");
	*out = js;
	return 0;
}

/* Takes v, also on failure. */
static int add_member(struct encoder *c, struct json_object *object, const char *key, struct json_object *v)
{
	if (json_object_object_add(object, key, v) == 0)
		return 0;
	json_object_put(v);
	return err_set(c->e, DAVIT_ENOMEM, ": out of memory");
}

/* Takes v, also on failure. */
static int add_element(struct encoder *c, struct json_object *array, struct json_object *v)
{
	if (json_object_array_add(array, v) == 0)
		return 0;
	json_object_put(v);
	return err_set(c->e, DAVIT_ENOMEM, ": out of memory");
}

static bool any_set(const struct type *t, const void *in);

static bool list_set(const struct span *s)
{
	return s->v || s->n;
}

static const char *enum_text(const struct enum_name *names, int value)
{
	while (names->name && names->value != value)
		names++;
	return names->name;
}

/* The value for names that the table does not have: such a value cannot be written. */
static int enum_fallback(const struct enum_name *names)
{
	while (names->name)
		names++;
	return names->value;
}

static bool enum_set(const struct field *f, int value)
{
	return value && (enum_text(f->sub.names, value) || value != enum_fallback(f->sub.names));
}

static bool number_set(const struct field *f, const void *p)
{
	if (f->kind == K_I64 || f->kind == K_U64)
		return *(const uint64_t *)p != 0;
	if (f->kind == K_OPT_I64)
		return ((const davit_opt_int *)p)->set;
	if (f->kind == K_OPT_U64)
		return ((const davit_opt_uint *)p)->set;
	if (f->kind == K_OPT_F64)
		return ((const davit_opt_double *)p)->set;
	return *(const double *)p < 0 || *(const double *)p > 0 || isnan(*(const double *)p);
}

/* Whether a member is there: not NULL, unset, false or 0. A custom kind tells only by encoding. */
static bool is_set(const struct field *f, const void *p)
{
	switch ((enum kind)f->kind) {
	case K_STR:
	case K_SECRET:
	case K_RAW:
	case K_PTR:
		return *(const void *const *)p != NULL;
	case K_BOOL:
		return *(const bool *)p;
	case K_TRI:
		return *(const davit_tri *)p != DAVIT_UNSET;
	case K_TIME:
		return ((const davit_time *)p)->set;
	case K_STRV:
	case K_MAP:
	case K_VEC:
		return list_set(p);
	case K_ENUM:
		return enum_set(f, *(const int *)p);
	case K_OBJ:
		return any_set(f->sub.type, p);
	case K_CUSTOM:
		return true;
	case K_I64:
	case K_U64:
	case K_F64:
	case K_OPT_I64:
	case K_OPT_U64:
	case K_OPT_F64:
		break;
	}
	return number_set(f, p);
}

static bool any_set(const struct type *t, const void *in)
{
	for (const struct field *f = t->fields; f->wire; f++) {
		if (f->where == IN_BODY && is_set(f, (const char *)in + f->off))
			return true;
	}
	return false;
}

static int encode_text(struct encoder *c, const char *s, struct json_object **out)
{
	size_t n;

	if (!s)
		return err_set(c->e, DAVIT_EARG, ": is NULL");
	n = strlen(s);
	if (n > LIMIT_REPLY)
		return err_set(c->e, DAVIT_ELIMIT, ": string is longer than %d bytes", LIMIT_REPLY);
	if (!utf8_valid(s, n))
		return err_set(c->e, DAVIT_EARG, ": string is not valid UTF-8");
	return made(c, json_object_new_string_len(s, (int)n), out);
}

static int encode_double(struct encoder *c, double v, struct json_object **out)
{
	if (!isfinite(v))
		return err_set(c->e, DAVIT_EARG, ": JSON has no infinity and no NaN");
	return made(c, json_object_new_double(v), out);
}

static int encode_number(struct encoder *c, const struct field *f, const void *p, struct json_object **out)
{
	if (f->kind == K_I64)
		return made(c, json_object_new_int64(*(const int64_t *)p), out);
	if (f->kind == K_U64)
		return made(c, json_object_new_uint64(*(const uint64_t *)p), out);
	if (f->kind == K_OPT_I64)
		return made(c, json_object_new_int64(((const davit_opt_int *)p)->value), out);
	if (f->kind == K_OPT_U64)
		return made(c, json_object_new_uint64(((const davit_opt_uint *)p)->value), out);
	if (f->kind == K_OPT_F64)
		return encode_double(c, ((const davit_opt_double *)p)->value, out);
	return encode_double(c, *(const double *)p, out);
}

static int encode_time(struct encoder *c, const davit_time *t, struct json_object **out)
{
	char text[RFC3339_MAX];

	if (!rfc3339_format(t, text))
		return err_set(c->e, DAVIT_EARG, ": is no time between the years 0 and 9999");
	return made(c, json_object_new_string(text), out);
}

static int encode_enum(struct encoder *c, const struct field *f, int value, struct json_object **out)
{
	const char *name = enum_text(f->sub.names, value);

	if (!name)
		return err_set(c->e, DAVIT_EARG, ": %d is none of its values", value);
	return made(c, json_object_new_string(name), out);
}

static int encode_raw(struct encoder *c, const davit_raw *raw, struct json_object **out)
{
	struct jnode *j = NULL;
	int r = json_parse(raw->json, raw->n ? raw->n : strlen(raw->json), &j, c->e);

	/* The text is the caller's, not a peer's. */
	if (r)
		return err_at(c->e, r == DAVIT_EPROTO ? DAVIT_EARG : r, ": ");
	*out = js_of(j);
	return 0;
}

static int fill_strv(struct encoder *c, const davit_strv *in, struct json_object *array)
{
	for (size_t i = 0; i < in->n; i++) {
		struct json_object *v = NULL;
		int r = encode_text(c, in->v[i], &v);

		if (!r)
			r = add_element(c, array, v);
		if (r)
			return err_at(c->e, r, "[%zu]", i);
	}
	return 0;
}

static int fill_map(struct encoder *c, const davit_map *in, struct json_object *object)
{
	for (size_t i = 0; i < in->n; i++) {
		const char *key = in->v[i].key;
		struct json_object *v = NULL;
		int r;

		if (!key || !utf8_valid(key, strlen(key)))
			return err_set(c->e, DAVIT_EARG, ": key %zu is %s", i,
				       key ? "not valid UTF-8" : "NULL");
		if (json_object_object_get_ex(object, key, NULL))
			return err_set(c->e, DAVIT_EARG, ".%s: is there twice", key);
		r = encode_text(c, in->v[i].value, &v);
		if (!r)
			r = add_member(c, object, key, v);
		if (r)
			return err_at(c->e, r, ".%s", key);
	}
	return 0;
}

static int new_object(struct encoder *c, const struct type *t, const void *in, struct json_object **out)
{
	struct json_object *js = NULL;
	int r = made(c, json_object_new_object(), &js);

	if (!r)
		r = encode_into(c, t, in, js);
	if (r)
		json_object_put(js);
	else
		*out = js;
	return r;
}

/* Writes el over a copy of a received element: *out is that copy if nothing changed, else NULL. */
static int keep_unchanged(struct encoder *c, const struct type *t, const void *el, struct json_object *base,
			  struct json_object **out)
{
	struct json_object *copy = NULL;
	int r;

	*out = NULL;
	if (!json_object_is_type(base, json_type_object))
		return 0;
	if (json_object_deep_copy(base, &copy, NULL) < 0)
		return err_set(c->e, DAVIT_ENOMEM, ": out of memory");
	r = encode_into(c, t, el, copy);
	if (!r && json_object_equal(copy, base))
		*out = copy;
	else
		json_object_put(copy);
	return r;
}

/* A received list that is written over, and where the search for an unchanged element begins. */
struct old_list {
	struct json_object *js; /* NULL: none */
	size_t at;
};

static int encode_element(struct encoder *c, const struct type *t, const void *el, struct old_list *old,
			  struct json_object **out)
{
	size_t end = old->js ? json_object_array_length(old->js) : 0;
	int r = 0;

	if (!el)
		return err_set(c->e, DAVIT_EARG, ": is NULL");
	if (end > old->at + LOOK_AHEAD)
		end = old->at + LOOK_AHEAD;
	for (size_t i = old->at; !r && i < end; i++) {
		r = keep_unchanged(c, t, el, json_object_array_get_idx(old->js, i), out);
		if (*out) {
			old->at = i + 1;
			return 0;
		}
	}
	return r ? r : new_object(c, t, el, out);
}

static int fill_vec(struct encoder *c, const struct field *f, const struct span *in, struct json_object *base,
		    struct json_object *array)
{
	struct old_list old = { .js = base };
	const void *const *v = in->v;

	for (size_t i = 0; i < in->n; i++) {
		struct json_object *el = NULL;
		int r = encode_element(c, f->sub.type, v[i], &old, &el);

		if (!r)
			r = add_element(c, array, el);
		if (r)
			return err_at(c->e, r, "[%zu]", i);
	}
	return 0;
}

static int encode_list(struct encoder *c, const struct field *f, const void *p, struct json_object *base,
		       struct json_object **out)
{
	const struct span *s = p;
	struct json_object *js = NULL;
	int r;

	if (s->n && !s->v)
		return err_set(c->e, DAVIT_EARG, ": has %zu elements at NULL", s->n);
	r = made(c, f->kind == K_MAP ? json_object_new_object() : json_object_new_array(), &js);
	if (r)
		return r;
	if (f->kind == K_VEC)
		r = fill_vec(c, f, s, json_object_is_type(base, json_type_array) ? base : NULL, js);
	else
		r = f->kind == K_MAP ? fill_map(c, p, js) : fill_strv(c, p, js);
	if (r)
		json_object_put(js);
	else
		*out = js;
	return r;
}

static int encode_custom(struct encoder *c, const struct field *f, const void *p, struct json_object **out)
{
	struct jnode *j = NULL;
	int r = f->sub.custom->encode(p, &j, c->e);

	if (!r)
		*out = js_of(j);
	return r;
}

/* base: what stands there in the received object, or NULL. */
static int encode_value(struct encoder *c, const struct field *f, const void *p, struct json_object *base,
			struct json_object **out)
{
	switch ((enum kind)f->kind) {
	case K_STR:
	case K_SECRET:
		return encode_text(c, *(const char *const *)p, out);
	case K_BOOL:
		return made(c, json_object_new_boolean(*(const bool *)p), out);
	case K_TRI:
		return made(c, json_object_new_boolean(*(const davit_tri *)p == DAVIT_YES), out);
	case K_TIME:
		return encode_time(c, p, out);
	case K_RAW:
		return encode_raw(c, p, out);
	case K_STRV:
	case K_MAP:
	case K_VEC:
		return encode_list(c, f, p, base, out);
	case K_ENUM:
		return encode_enum(c, f, *(const int *)p, out);
	case K_OBJ:
		return new_object(c, f->sub.type, p, out);
	case K_PTR:
		return new_object(c, f->sub.type, *(const void *const *)p, out);
	case K_CUSTOM:
		return encode_custom(c, f, p, out);
	case K_I64:
	case K_U64:
	case K_F64:
	case K_OPT_I64:
	case K_OPT_U64:
	case K_OPT_F64:
		break;
	}
	return encode_number(c, f, p, out);
}

static int encode_zero(struct encoder *c, const struct field *f, struct json_object **out)
{
	switch ((enum kind)f->kind) {
	case K_BOOL:
	case K_TRI:
		return made(c, json_object_new_boolean(0), out);
	case K_I64:
	case K_U64:
	case K_OPT_I64:
	case K_OPT_U64:
		return made(c, json_object_new_int64(0), out);
	case K_F64:
	case K_OPT_F64:
		return made(c, json_object_new_double(0), out);
	case K_TIME:
		return made(c, json_object_new_string("0001-01-01T00:00:00Z"), out);
	case K_STRV:
	case K_VEC:
		return made(c, json_object_new_array_ext(1), out);
	case K_MAP:
	case K_OBJ:
	case K_PTR:
		return made(c, json_object_new_object(), out);
	case K_ENUM: {
		const char *name = enum_text(f->sub.names, 0);

		return made(c, json_object_new_string(name ? name : ""), out);
	}
	case K_STR:
	case K_SECRET:
		return made(c, json_object_new_string(""), out);
	case K_RAW:
	case K_CUSTOM:
		*out = NULL;
		break;
	}
	return 0;
}

static bool in_version(const struct field *f, unsigned version)
{
	return !version || ((!f->since || version >= f->since) && (!f->until || version <= f->until));
}

static int gated_out(struct encoder *c, const struct field *f)
{
	bool early = f->since && c->version < f->since;
	unsigned limit = early ? f->since : f->until;

	return err_set(c->e, DAVIT_EUNSUPPORTED, ": %s API version %u.%u, but version %u.%u is spoken",
		       early ? "needs at least" : "is gone after", limit / 100, limit % 100, c->version / 100,
		       c->version % 100);
}

/* Kinds whose zero is a value of its own right, not a sign of absence. */
static bool always_there(const struct field *f)
{
	return f->kind == K_BOOL || f->kind == K_I64 || f->kind == K_U64 || f->kind == K_F64;
}

/* What to write for a member; NULL is null unless omit. */
struct encoded {
	struct json_object *js;
	bool omit;
};

static int encode_absent(struct encoder *c, const struct field *f, struct encoded *out)
{
	*out = (struct encoded){ 0 };
	if (f->emit == EMIT_NULL)
		return 0;
	if (f->emit == EMIT_ZERO || (f->required && (always_there(f) || f->kind == K_OBJ)))
		return encode_zero(c, f, &out->js);
	if (f->required && (f->kind != K_ENUM || !enum_text(f->sub.names, 0)))
		return err_set(c->e, DAVIT_EARG, ": must be given");
	if (f->required)
		return encode_zero(c, f, &out->js);
	out->omit = true;
	return 0;
}

static int encode_field(struct encoder *c, const struct field *f, const void *p, struct json_object *base,
			struct encoded *out)
{
	bool set = is_set(f, p), gate = in_version(f, c->version);
	struct json_object *js = NULL;
	int r;

	if (set && !gate && f->kind != K_CUSTOM)
		return gated_out(c, f);
	r = set ? encode_value(c, f, p, base, &js) : 0;
	if (r)
		return r;
	if (f->kind == K_CUSTOM)
		set = js != NULL;
	if (set && !gate) {
		json_object_put(js);
		return gated_out(c, f);
	}
	*out = (struct encoded){ .js = js, .omit = !set };
	return set || !gate ? 0 : encode_absent(c, f, out);
}

/* An object over a received one is gone into; *done: nothing else is to do. */
static int encode_onto(struct encoder *c, const struct field *f, const void *p, struct json_object *base,
		       bool *done)
{
	const void *inner = f->kind == K_PTR ? *(const void *const *)p : p;

	*done =
	    (f->kind == K_OBJ || f->kind == K_PTR) && inner && json_object_is_type(base, json_type_object);
	return *done ? encode_into(c, f->sub.type, inner, base) : 0;
}

/*
 * Over a received object, a number or boolean that became zero is written as zero, and what became absent is
 * removed unless it is null already.
 */
static int encode_member(struct encoder *c, const struct field *f, const void *p, struct json_object *out)
{
	struct json_object *base = NULL;
	bool there = c->over && json_object_object_get_ex(out, f->wire, &base);
	struct encoded v = { 0 };
	int r = 0;

	if (there) {
		bool done;

		r = encode_onto(c, f, p, base, &done);
		if (r || done)
			return r;
	}
	r = encode_field(c, f, p, base, &v);
	if (r)
		return r;
	if (!v.omit)
		return add_member(c, out, f->wire, v.js);
	if (!there || !base)
		return 0;
	if (always_there(f)) {
		r = encode_zero(c, f, &v.js);
		return r ? r : add_member(c, out, f->wire, v.js);
	}
	json_object_object_del(out, f->wire);
	return 0;
}

static int encode_into(struct encoder *c, const struct type *t, const void *in, struct json_object *out)
{
	if (c->depth == LIMIT_JSON_DEPTH)
		return err_set(c->e, DAVIT_ELIMIT, ": nested deeper than %d levels", LIMIT_JSON_DEPTH);
	c->depth++;
	for (const struct field *f = t->fields; f->wire; f++) {
		int r = f->where == IN_BODY ? encode_member(c, f, (const char *)in + f->off, out) : 0;

		if (r)
			return err_at(c->e, r, ".%s", f->wire);
	}
	c->depth--;
	return 0;
}

int codec_encode(const struct type *t, const void *in, unsigned version, struct jnode **out, davit_err *e)
{
	struct encoder c = { .e = e, .version = version };
	struct json_object *js = NULL;
	int r = new_object(&c, t, in, &js);

	if (!r)
		*out = node_of(js);
	return r;
}

int codec_encode_as(const struct field *f, const void *member, unsigned version, struct jnode **out,
		    davit_err *e)
{
	struct encoder c = { .e = e, .version = version };
	struct encoded v = { 0 };
	int r = encode_field(&c, f, member, NULL, &v);

	if (!r)
		*out = node_of(v.js);
	return r;
}

int codec_encode_over(const struct type *t, const void *in, const struct jnode *base, struct jnode **out,
		      davit_err *e)
{
	struct encoder c = { .e = e, .over = true };
	struct json_object *js = NULL;
	int r;

	if (!json_object_is_type(js_of(base), json_type_object))
		return codec_encode(t, in, 0, out, e);
	if (json_object_deep_copy(js_of(base), &js, NULL) < 0)
		return err_nomem(e);
	r = encode_into(&c, t, in, js);
	if (r)
		json_object_put(js);
	else
		*out = node_of(js);
	return r;
}

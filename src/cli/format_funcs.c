/* The functions of templates. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "cli/format_internal.h"
#include "cli/text.h"

static int want_string(struct exec *x, const struct tv *v)
{
	if (v->kind == TV_STR)
		return 0;
	return err_set(x->e, DAVIT_EARG, "expected a string, got %s", tv_type_name(v));
}

static int want_number(struct exec *x, const struct tv *v, int64_t max, int64_t *out)
{
	if (v->kind != TV_INT)
		return err_set(x->e, DAVIT_EARG, "expected a number, got %s", tv_type_name(v));
	if (v->i < 0 || v->i > max)
		return err_set(x->e, DAVIT_EARG, "%lld is not between 0 and %lld", (long long)v->i,
			       (long long)max);
	*out = v->i;
	return 0;
}

static int f_json(struct exec *x, const struct tv *arg, size_t n, struct tv *out)
{
	struct buf b = BUF_INIT(FORMAT_MEMORY_MAX);
	int r = tv_json(arg, &b, x->e);

	(void)n;
	if (!r)
		return exec_text(x, &b, out);
	buf_fini(&b);
	return r;
}

static int f_join(struct exec *x, const struct tv *arg, size_t n, struct tv *out)
{
	struct buf b = BUF_INIT(FORMAT_MEMORY_MAX);
	int64_t len = arg[0].kind == TV_NIL ? 0 : tv_len(arg);
	int r = want_string(x, &arg[1]);

	(void)n;
	if (r)
		return r;
	if (len < 0 || arg[0].kind == TV_STR || tv_is_object(arg))
		return err_set(x->e, DAVIT_EARG, "expected a list, got %s", tv_type_name(arg));
	for (int64_t i = 0; i < len; i++) {
		struct tv element = tv_at(arg, (size_t)i);

		if (i)
			buf_add(&b, arg[1].s.p, arg[1].s.n);
		tv_print(&element, &b);
	}
	return exec_text(x, &b, out);
}

static int f_split(struct exec *x, const struct tv *arg, size_t n, struct tv *out)
{
	size_t parts = 1;
	const char *p, *end, *hit;
	struct tv *v;
	int r = want_string(x, &arg[0]);

	(void)n;
	r = r ? r : want_string(x, &arg[1]);
	if (r)
		return r;
	if (!arg[1].s.n)
		return err_set(x->e, DAVIT_EARG, "the separator is empty");
	p = arg[0].s.p;
	end = p + arg[0].s.n;
	for (hit = p; (hit = memmem(hit, (size_t)(end - hit), arg[1].s.p, arg[1].s.n)); hit += arg[1].s.n)
		parts++;
	v = arena_alloc(&x->a, parts, sizeof *v);
	if (!v)
		return err_nomem(x->e);
	for (size_t i = 0; i < parts; i++) {
		const char *copy;

		hit = memmem(p, (size_t)(end - p), arg[1].s.p, arg[1].s.n);
		hit = hit ? hit : end;
		copy = arena_strndup(&x->a, p, (size_t)(hit - p));
		if (!copy)
			return err_nomem(x->e);
		v[i] = tv_str(copy, (size_t)(hit - p));
		p = hit + arg[1].s.n;
	}
	*out = (struct tv){ .kind = TV_LIST, .list = { v, parts } };
	return 0;
}

/* Letters of ASCII only: the case of others depends on the language. */
static int change_case(struct exec *x, const struct tv *arg, int (*first)(int), int (*rest)(int),
		       struct tv *out)
{
	struct buf b = BUF_INIT(FORMAT_MEMORY_MAX);
	bool inside = false;
	int r = want_string(x, arg);

	if (r)
		return r;
	for (size_t i = 0; i < arg->s.n; i++) {
		unsigned char c = (unsigned char)arg->s.p[i];
		int (*turn)(int) = inside ? rest : first;

		buf_putc(&b, c < 0x80 && turn ? (char)turn(c) : (char)c);
		inside = isalnum(c) || c >= 0x80 || c == '_' || c == '\'';
	}
	return exec_text(x, &b, out);
}

static int f_upper(struct exec *x, const struct tv *arg, size_t n, struct tv *out)
{
	(void)n;
	return change_case(x, arg, toupper, toupper, out);
}

static int f_lower(struct exec *x, const struct tv *arg, size_t n, struct tv *out)
{
	(void)n;
	return change_case(x, arg, tolower, tolower, out);
}

static int f_title(struct exec *x, const struct tv *arg, size_t n, struct tv *out)
{
	(void)n;
	return change_case(x, arg, toupper, NULL, out);
}

static int f_pad(struct exec *x, const struct tv *arg, size_t n, struct tv *out)
{
	struct buf b = BUF_INIT(FORMAT_MEMORY_MAX);
	int64_t before, after;
	int r = want_string(x, &arg[0]);

	(void)n;
	r = r ? r : want_number(x, &arg[1], FORMAT_WIDTH_MAX, &before);
	r = r ? r : want_number(x, &arg[2], FORMAT_WIDTH_MAX, &after);
	/* As docker: an empty text is not padded. */
	if (r || !arg[0].s.n) {
		*out = arg[0];
		return r;
	}
	for (; before; before--)
		buf_putc(&b, ' ');
	buf_add(&b, arg[0].s.p, arg[0].s.n);
	for (; after; after--)
		buf_putc(&b, ' ');
	return exec_text(x, &b, out);
}

static int f_truncate(struct exec *x, const struct tv *arg, size_t n, struct tv *out)
{
	struct buf b = BUF_INIT(FORMAT_MEMORY_MAX);
	size_t bytes = 0;
	int64_t max;
	int r = want_string(x, &arg[0]);

	(void)n;
	r = r ? r : want_number(x, &arg[1], INT64_MAX, &max);
	if (r)
		return r;
	for (; max && bytes < arg[0].s.n; max--) {
		size_t len = text_utf8(arg[0].s.p + bytes, arg[0].s.n - bytes);

		bytes += len ? len : 1;
	}
	buf_add(&b, arg[0].s.p, bytes);
	return exec_text(x, &b, out);
}

static int f_len(struct exec *x, const struct tv *arg, size_t n, struct tv *out)
{
	int64_t len = tv_len(arg);

	(void)n;
	if (len < 0)
		return err_set(x->e, DAVIT_EARG, "a %s has no length", tv_type_name(arg));
	*out = tv_int(len);
	return 0;
}

static int index_one(struct exec *x, struct tv *v, const struct tv *key)
{
	int64_t len = tv_len(v);
	int64_t i;
	int r;

	if (tv_is_object(v)) {
		r = want_string(x, key);
		if (!r)
			*v = tv_of(davit_value_member(v->ref, key->s.p));
		return r;
	}
	if (len < 0)
		return err_set(x->e, DAVIT_EARG, "cannot index a %s", tv_type_name(v));
	r = want_number(x, key, len - 1, &i);
	if (r)
		return r;
	*v = v->kind == TV_STR ? tv_int((unsigned char)v->s.p[i]) : tv_at(v, (size_t)i);
	return 0;
}

static int f_index(struct exec *x, const struct tv *arg, size_t n, struct tv *out)
{
	struct tv v = arg[0];
	int r = 0;

	for (size_t i = 1; i < n && !r; i++)
		r = index_one(x, &v, &arg[i]);
	if (!r)
		*out = v;
	return r;
}

static int f_slice(struct exec *x, const struct tv *arg, size_t n, struct tv *out)
{
	int64_t len = tv_len(arg), from = 0, to = len;
	struct tv *v;
	int r = 0;

	if (len < 0 || tv_is_object(arg))
		return err_set(x->e, DAVIT_EARG, "cannot take a part of a %s", tv_type_name(arg));
	if (n > 2)
		r = want_number(x, &arg[2], len, &to);
	if (!r && n > 1)
		r = want_number(x, &arg[1], to, &from);
	if (r)
		return r;
	if (arg->kind == TV_STR) {
		struct buf b = BUF_INIT(FORMAT_MEMORY_MAX);

		buf_add(&b, arg->s.p + from, (size_t)(to - from));
		return exec_text(x, &b, out);
	}
	v = arena_alloc(&x->a, (size_t)(to - from) + 1, sizeof *v);
	if (!v)
		return err_nomem(x->e);
	for (int64_t i = from; i < to; i++)
		v[i - from] = tv_at(arg, (size_t)i);
	*out = (struct tv){ .kind = TV_LIST, .list = { v, (size_t)(to - from) } };
	return 0;
}

/* As Go's Sprint: a space between two arguments if neither is a string, or always. */
static int print_all(struct exec *x, const struct tv *arg, size_t n, bool line, struct tv *out)
{
	struct buf b = BUF_INIT(FORMAT_MEMORY_MAX);

	for (size_t i = 0; i < n; i++) {
		if (i && (line || (arg[i].kind != TV_STR && arg[i - 1].kind != TV_STR)))
			buf_putc(&b, ' ');
		if (arg[i].kind == TV_NIL)
			buf_puts(&b, "<nil>");
		else
			tv_print(&arg[i], &b);
	}
	if (line)
		buf_putc(&b, '\n');
	return exec_text(x, &b, out);
}

static int f_print(struct exec *x, const struct tv *arg, size_t n, struct tv *out)
{
	return print_all(x, arg, n, false, out);
}

static int f_println(struct exec *x, const struct tv *arg, size_t n, struct tv *out)
{
	return print_all(x, arg, n, true, out);
}

/* Our own: a number of bytes for people. */
static int f_size(struct exec *x, const struct tv *arg, size_t n, struct tv *out)
{
	struct buf b = BUF_INIT(64);

	(void)n;
	if (arg->kind != TV_INT)
		return exec_text(x, &b, out);
	text_size(arg->i, &b);
	return exec_text(x, &b, out);
}

static int f_not(struct exec *x, const struct tv *arg, size_t n, struct tv *out)
{
	(void)x;
	(void)n;
	*out = tv_bool(!tv_true(arg));
	return 0;
}

static int f_eq(struct exec *x, const struct tv *arg, size_t n, struct tv *out)
{
	bool equal = false;
	int r = 0;

	for (size_t i = 1; i < n && !equal && !r; i++)
		r = tv_equal(&arg[0], &arg[i], &equal, x->e);
	if (!r)
		*out = tv_bool(equal);
	return r;
}

static int f_ne(struct exec *x, const struct tv *arg, size_t n, struct tv *out)
{
	int r = f_eq(x, arg, n, out);

	if (!r)
		out->b = !out->b;
	return r;
}

/* Whether the order of two values is one of those in the mask: 1 less, 2 equal, 4 greater. */
static int ordered(struct exec *x, const struct tv *arg, unsigned mask, struct tv *out)
{
	int order = 0;
	int r = tv_compare(&arg[0], &arg[1], &order, x->e);

	if (!r)
		*out = tv_bool(mask & (order < 0 ? 1u : order ? 4u : 2u));
	return r;
}

static int f_lt(struct exec *x, const struct tv *arg, size_t n, struct tv *out)
{
	(void)n;
	return ordered(x, arg, 1, out);
}

static int f_le(struct exec *x, const struct tv *arg, size_t n, struct tv *out)
{
	(void)n;
	return ordered(x, arg, 3, out);
}

static int f_gt(struct exec *x, const struct tv *arg, size_t n, struct tv *out)
{
	(void)n;
	return ordered(x, arg, 4, out);
}

static int f_ge(struct exec *x, const struct tv *arg, size_t n, struct tv *out)
{
	(void)n;
	return ordered(x, arg, 6, out);
}

enum { MANY = FORMAT_ARGS_MAX };

const struct func funcs[] = {
	{ .name = "and", .min = 1, .max = MANY, .lazy = true },
	{ .name = "eq", .run = f_eq, .min = 2, .max = MANY },
	{ .name = "ge", .run = f_ge, .min = 2, .max = 2 },
	{ .name = "gt", .run = f_gt, .min = 2, .max = 2 },
	{ .name = "index", .run = f_index, .min = 1, .max = MANY },
	{ .name = "join", .run = f_join, .min = 2, .max = 2 },
	{ .name = "json", .run = f_json, .min = 1, .max = 1 },
	{ .name = "le", .run = f_le, .min = 2, .max = 2 },
	{ .name = "len", .run = f_len, .min = 1, .max = 1 },
	{ .name = "lower", .run = f_lower, .min = 1, .max = 1 },
	{ .name = "lt", .run = f_lt, .min = 2, .max = 2 },
	{ .name = "ne", .run = f_ne, .min = 2, .max = 2 },
	{ .name = "not", .run = f_not, .min = 1, .max = 1 },
	{ .name = "or", .min = 1, .max = MANY, .lazy = true },
	{ .name = "pad", .run = f_pad, .min = 3, .max = 3 },
	{ .name = "print", .run = f_print, .min = 0, .max = MANY },
	{ .name = "printf", .run = func_printf, .min = 1, .max = MANY },
	{ .name = "println", .run = f_println, .min = 0, .max = MANY },
	{ .name = "size", .run = f_size, .min = 1, .max = 1 },
	{ .name = "slice", .run = f_slice, .min = 1, .max = 3 },
	{ .name = "split", .run = f_split, .min = 2, .max = 2 },
	{ .name = "title", .run = f_title, .min = 1, .max = 1 },
	{ .name = "truncate", .run = f_truncate, .min = 2, .max = 2 },
	{ .name = "upper", .run = f_upper, .min = 1, .max = 1 },
	{ .name = NULL },
};

const struct func *func_find(const char *name)
{
	for (const struct func *f = funcs; f->name; f++)
		if (!strcmp(f->name, name))
			return f;
	return NULL;
}

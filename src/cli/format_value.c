/* Values while a template runs: JSON values and what functions make. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "cli/format_internal.h"
#include "cli/jsontext.h"
#include "cli/text.h"

enum { PRINT_DEPTH_MAX = 80 /* more than JSON may be deep */ };

struct tv tv_str(const char *p, size_t n)
{
	return (struct tv){ .kind = TV_STR, .s = { p, n } };
}

struct tv tv_int(int64_t i)
{
	return (struct tv){ .kind = TV_INT, .i = i };
}

struct tv tv_bool(bool b)
{
	return (struct tv){ .kind = TV_BOOL, .b = b };
}

struct tv tv_of(const davit_value *v)
{
	uint64_t u;

	switch (davit_value_get_type(v)) {
	case DAVIT_VALUE_NULL:
		break;
	case DAVIT_VALUE_BOOL:
		return tv_bool(davit_value_bool(v));
	case DAVIT_VALUE_INT:
		u = davit_value_uint(v, 0);
		return u > INT64_MAX ? (struct tv){ .kind = TV_UINT, .u = u } : tv_int(davit_value_int(v, 0));
	case DAVIT_VALUE_DOUBLE:
		return (struct tv){ .kind = TV_FLOAT, .f = davit_value_double(v) };
	case DAVIT_VALUE_STRING:
		return tv_str(davit_value_string(v), davit_value_len(v));
	case DAVIT_VALUE_ARRAY:
	case DAVIT_VALUE_OBJECT:
		return (struct tv){ .kind = TV_REF, .ref = v };
	}
	return (struct tv){ .kind = TV_NIL };
}

bool tv_is_number(const struct tv *v)
{
	return v->kind == TV_INT || v->kind == TV_UINT || v->kind == TV_FLOAT;
}

bool tv_is_object(const struct tv *v)
{
	return v->kind == TV_REF && davit_value_get_type(v->ref) == DAVIT_VALUE_OBJECT;
}

int64_t tv_len(const struct tv *v)
{
	switch (v->kind) {
	case TV_STR:
		return (int64_t)v->s.n;
	case TV_LIST:
		return (int64_t)v->list.n;
	case TV_REF:
		return (int64_t)davit_value_len(v->ref);
	case TV_NIL:
	case TV_BOOL:
	case TV_INT:
	case TV_UINT:
	case TV_FLOAT:
		break;
	}
	return -1;
}

bool tv_true(const struct tv *v)
{
	switch (v->kind) {
	case TV_NIL:
		return false;
	case TV_BOOL:
		return v->b;
	case TV_INT:
		return v->i != 0;
	case TV_UINT:
		return v->u != 0;
	case TV_FLOAT:
		return v->f < 0 || v->f > 0;
	case TV_STR:
	case TV_LIST:
	case TV_REF:
		break;
	}
	return tv_len(v) > 0;
}

struct tv tv_at(const struct tv *v, size_t i)
{
	if (v->kind == TV_LIST)
		return v->list.v[i];
	return tv_of(v->kind == TV_REF ? davit_value_at(v->ref, i) : NULL);
}

struct tv tv_member(const struct tv *v, const char *name)
{
	const davit_value *m = davit_value_member(v->ref, name);
	size_t n = m ? 0 : davit_value_len(v->ref);

	for (size_t i = 0; i < n; i++) {
		const char *key = davit_value_key(v->ref, i);

		if (key && !strcasecmp(key, name))
			return tv_of(davit_value_at(v->ref, i));
	}
	return tv_of(m);
}

const char *tv_type_name(const struct tv *v)
{
	static const char *const names[] = {
		[TV_NIL] = "nil",	  [TV_BOOL] = "bool",  [TV_INT] = "int",   [TV_UINT] = "int",
		[TV_FLOAT] = "float64", [TV_STR] = "string", [TV_LIST] = "list",
	};

	if (v->kind == TV_REF)
		return tv_is_object(v) ? "map" : "list";
	return names[v->kind];
}

/* The shortest text that reads back as f, laid out as Go's %v: exponents below -4 and from 21 on. */
static void print_float(double f, struct buf *out)
{
	char text[64];
	int digits, exponent;

	if (f > 0 ? f - f != 0 : !(f <= 0) || f - f != 0) {
		buf_puts(out, f > 0 ? "+Inf" : f < 0 ? "-Inf" : "NaN");
		return;
	}
	for (digits = 0; digits < 17; digits++) {
		snprintf(text, sizeof text, "%.*e", digits, f);
		if (strtod(text, NULL) >= f && strtod(text, NULL) <= f)
			break;
	}
	exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
	if (exponent < -4 || exponent >= 21)
		buf_puts(out, text);
	else
		buf_printf(out, "%.*f", digits > exponent ? digits - exponent : 0, f);
}

const size_t *tv_sorted(const struct tv *v, struct arena *a)
{
	size_t n = davit_value_len(v->ref);
	size_t *order = arena_alloc(a, n ? n : 1, sizeof *order);

	if (!order)
		return NULL;
	/* Binary insertion keeps this free of a comparison context. */
	for (size_t i = 0; i < n; i++) {
		const char *key = davit_value_key(v->ref, i);
		size_t low = 0, high = i;

		while (low < high) {
			size_t mid = (low + high) / 2;

			if (strcmp(davit_value_key(v->ref, order[mid]), key) <= 0)
				low = mid + 1;
			else
				high = mid;
		}
		memmove(order + low + 1, order + low, (i - low) * sizeof *order);
		order[low] = i;
	}
	return order;
}

static void print_at(const struct tv *v, size_t depth, struct buf *out);

static void print_object(const struct tv *v, size_t depth, struct buf *out)
{
	struct arena a = { 0 };
	const size_t *order = tv_sorted(v, &a);
	size_t n = order ? davit_value_len(v->ref) : 0;

	if (!order)
		out->bad = DAVIT_ENOMEM;
	buf_puts(out, "map[");
	for (size_t i = 0; i < n; i++) {
		struct tv member = tv_at(v, order[i]);

		buf_printf(out, "%s%s:", i ? " " : "", davit_value_key(v->ref, order[i]));
		print_at(&member, depth + 1, out);
	}
	buf_putc(out, ']');
	arena_fini(&a);
}

static void print_list(const struct tv *v, size_t depth, struct buf *out)
{
	int64_t n = tv_len(v);

	buf_putc(out, '[');
	for (int64_t i = 0; i < n; i++) {
		struct tv element = tv_at(v, (size_t)i);

		if (i)
			buf_putc(out, ' ');
		print_at(&element, depth + 1, out);
	}
	buf_putc(out, ']');
}

static void print_at(const struct tv *v, size_t depth, struct buf *out)
{
	switch (v->kind) {
	case TV_NIL:
		buf_puts(out, depth ? "<nil>" : "<no value>");
		return;
	case TV_BOOL:
		buf_puts(out, v->b ? "true" : "false");
		return;
	case TV_INT:
		buf_printf(out, "%" PRId64, v->i);
		return;
	case TV_UINT:
		buf_printf(out, "%" PRIu64, v->u);
		return;
	case TV_FLOAT:
		print_float(v->f, out);
		return;
	case TV_STR:
		buf_add(out, v->s.p, v->s.n);
		return;
	case TV_LIST:
	case TV_REF:
		break;
	}
	if (depth > PRINT_DEPTH_MAX)
		buf_puts(out, "...");
	else if (tv_is_object(v))
		print_object(v, depth, out);
	else
		print_list(v, depth, out);
}

void tv_print(const struct tv *v, struct buf *out)
{
	print_at(v, 0, out);
}

int tv_json(const struct tv *v, struct buf *out, davit_err *e)
{
	int r = 0;

	switch (v->kind) {
	case TV_NIL:
		buf_puts(out, "null");
		return 0;
	case TV_STR:
		json_quote(v->s.p, v->s.n, out);
		return 0;
	case TV_REF:
		return json_of_value(v->ref, DAVIT_VALUE_COMPACT, out, e);
	case TV_BOOL:
	case TV_INT:
	case TV_UINT:
	case TV_FLOAT:
		tv_print(v, out);
		return 0;
	case TV_LIST:
		break;
	}
	buf_putc(out, '[');
	/* Lists that functions made hold no lists of their own. */
	for (size_t i = 0; !r && i < v->list.n; i++) {
		if (i)
			buf_putc(out, ',');
		r = v->list.v[i].kind == TV_LIST ? err_set(e, DAVIT_ELIMIT, "a list in a made list") :
						   tv_json(&v->list.v[i], out, e);
	}
	buf_putc(out, ']');
	return r;
}

void tv_quote(const char *p, size_t n, struct buf *out)
{
	static const char from[] = "\a\b\f\n\r\t\v\\\"";
	static const char to[] = "abfnrtv\\\"";

	buf_putc(out, '"');
	while (n) {
		size_t len = text_utf8(p, n);
		const char *at = len == 1 && *p ? strchr(from, *p) : NULL;

		if (at) {
			buf_printf(out, "\\%c", to[at - from]);
		} else if (len > 1 || (len && *p >= 0x20 && *p != 0x7f)) {
			buf_add(out, p, len);
		} else {
			len = 1;
			buf_printf(out, "\\x%02x", (unsigned)(unsigned char)*p);
		}
		p += len;
		n -= len;
	}
	buf_putc(out, '"');
}

static int order_numbers(const struct tv *a, const struct tv *b)
{
	double x, y;

	if (a->kind == TV_INT && b->kind == TV_INT)
		return (a->i > b->i) - (a->i < b->i);
	if (a->kind == TV_UINT && b->kind == TV_UINT)
		return (a->u > b->u) - (a->u < b->u);
	x = a->kind == TV_FLOAT ? a->f : a->kind == TV_INT ? (double)a->i : (double)a->u;
	y = b->kind == TV_FLOAT ? b->f : b->kind == TV_INT ? (double)b->i : (double)b->u;
	return (x > y) - (x < y);
}

int tv_compare(const struct tv *a, const struct tv *b, int *order, davit_err *e)
{
	if (tv_is_number(a) && tv_is_number(b)) {
		*order = order_numbers(a, b);
		return 0;
	}
	if (a->kind == TV_STR && b->kind == TV_STR) {
		int c = memcmp(a->s.p, b->s.p, a->s.n < b->s.n ? a->s.n : b->s.n);

		*order = c ? c : (a->s.n > b->s.n) - (a->s.n < b->s.n);
		return 0;
	}
	return err_set(e, DAVIT_EARG, "cannot compare %s with %s", tv_type_name(a), tv_type_name(b));
}

int tv_equal(const struct tv *a, const struct tv *b, bool *equal, davit_err *e)
{
	int order;
	int r;

	if (a->kind == TV_NIL || b->kind == TV_NIL) {
		*equal = a->kind == b->kind;
		return 0;
	}
	if (a->kind == TV_BOOL && b->kind == TV_BOOL) {
		*equal = a->b == b->b;
		return 0;
	}
	r = tv_compare(a, b, &order, e);
	if (!r)
		*equal = !order;
	return r;
}

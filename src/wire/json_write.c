#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "wire/codec_internal.h"

enum {
	PIECE = 4096,    /* bytes gathered before the sink is called */
	DIGITS_MAX = 17, /* that any double needs */
	REPLACEMENT = 0xfffd,
};

/* Text goes to a buffer, or in pieces to a sink; after the first failure nothing more is written. */
struct writer {
	enum davit_value_style style;
	struct buf *out;
	const davit_sink *sink;
	unsigned depth;
	int result; /* of the sink, or DAVIT_ENOMEM, DAVIT_ELIMIT */
	bool from_sink;
};

static void put_value(struct writer *w, struct json_object *js);

static void flush(struct writer *w)
{
	if (!w->sink || w->result || w->out->bad || !w->out->len)
		return;
	w->result = w->sink->write(w->sink->user, w->out->p, w->out->len);
	w->from_sink = w->result < 0;
	if (w->result > 0)
		w->result = 0;
	buf_clear(w->out);
}

static void put(struct writer *w, const char *p, size_t n)
{
	/* buf_clear() would forget a failure of the buffer. */
	if (w->result || w->out->bad)
		return;
	if (w->sink && w->out->len + n > PIECE)
		flush(w);
	buf_add(w->out, p, n);
}

static void put_text(struct writer *w, const char *s)
{
	put(w, s, strlen(s));
}

static void put_escape(struct writer *w, uint32_t cp)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *at = cp && cp < 0x80 ? strchr(from, (int)cp) : NULL;
	char s[16];

	if (at)
		snprintf(s, sizeof s, "\\%c", to[at - from]);
	else if (cp < 0x10000)
		snprintf(s, sizeof s, "\\u%04x", (unsigned)cp);
	else
		snprintf(s, sizeof s, "\\u%04x\\u%04x", (unsigned)(0xd7c0 + (cp >> 10)),
			 (unsigned)(0xdc00 | (cp & 0x3ff)));
	put_text(w, s);
}

static bool needs_escape(const struct writer *w, uint32_t cp)
{
	return cp < 0x20 || cp == '"' || cp == '\\' || (w->style == DAVIT_VALUE_SPACED && cp > 0x7e);
}

/* What is no UTF-8 (only a caller's own string can be) is written as U+FFFD. */
static void put_string(struct writer *w, const char *s, size_t n)
{
	const char *from = s, *end = s + n;

	put(w, "\"", 1);
	while (s < end) {
		uint32_t cp = 0;
		size_t len = utf8_next(s, (size_t)(end - s), &cp);
		bool escape = !len || needs_escape(w, cp);

		if (escape || s - from >= PIECE / 2) {
			put(w, from, (size_t)(s - from));
			from = s;
		}
		if (escape)
			put_escape(w, len ? cp : REPLACEMENT);
		s += len ? len : 1;
		if (escape)
			from = s;
	}
	put(w, from, (size_t)(end - from));
	put(w, "\"", 1);
}

/*
 * The fewest digits that read back as d (finite, > 0) and the power of ten of the first one. printf() writes
 * the locale's radix character, which may be any bytes, so only its digits are taken.
 */
static void shortest(double d, char digits[DIGITS_MAX + 1], int *exponent)
{
	for (int n = 1; n <= DIGITS_MAX; n++) {
		char text[64], again[64];
		const char *exp;
		int k = 0;

		snprintf(text, sizeof text, "%.*e", n - 1, d);
		exp = strchr(text, 'e');
		for (const char *p = text; p < exp; p++) {
			if (*p >= '0' && *p <= '9')
				digits[k++] = *p;
		}
		digits[k] = 0;
		*exponent = (int)strtol(exp + 1, NULL, 10);
		snprintf(again, sizeof again, "%c.%se%d", digits[0], digits + 1, *exponent);
		if (c_strtod(again) == d)
			return;
	}
}

/* As Python's repr(): 1.0, 0.0001, 1e-05, 1e+16, 1.5e+300. d is finite. */
static void put_double(struct writer *w, double d)
{
	static const char zeros[] = "0000000000000000";
	char digits[DIGITS_MAX + 1] = "0", text[64];
	int exp = 0, n, whole;

	if (signbit(d))
		put(w, "-", 1);
	if (d < 0 || d > 0)
		shortest(fabs(d), digits, &exp);
	n = (int)strlen(digits);
	whole = exp + 1 < n ? exp + 1 : n;
	if (exp < -4 || exp >= 16)
		snprintf(text, sizeof text, "%c%s%se%+03d", digits[0], n > 1 ? "." : "", digits + 1, exp);
	else if (exp < 0)
		snprintf(text, sizeof text, "0.%.*s%s", -exp - 1, zeros, digits);
	else
		snprintf(text, sizeof text, "%.*s%.*s.%s", whole, digits, exp + 1 - whole, zeros,
			 whole < n ? digits + whole : "0");
	put_text(w, text);
}

static void put_number(struct writer *w, struct json_object *js)
{
	const char *text;
	char s[24];

	if (json_object_is_type(js, json_type_int)) {
		if (json_object_get_int64(js) < 0)
			snprintf(s, sizeof s, "%lld", (long long)json_object_get_int64(js));
		else
			snprintf(s, sizeof s, "%llu", (unsigned long long)json_object_get_uint64(js));
		put_text(w, s);
		return;
	}
	text = js_number_text(js);
	/* Python keeps large integers; what is no finite double has no other form than its text. */
	if (text && (w->style != DAVIT_VALUE_SPACED || !text[strcspn(text, ".eE")] ||
		     !isfinite(json_object_get_double(js))))
		put_text(w, text);
	else
		put_double(w, json_object_get_double(js));
}

/* What stands between two parts: a new line at the depth, or nothing. */
static void put_break(struct writer *w)
{
	if (w->style != DAVIT_VALUE_PRETTY)
		return;
	put(w, "\n", 1);
	for (unsigned i = 0; i < w->depth; i++)
		put(w, "  ", 2);
}

static void put_separator(struct writer *w, bool first)
{
	if (!first)
		put_text(w, w->style == DAVIT_VALUE_SPACED ? ", " : ",");
	put_break(w);
}

static void put_array(struct writer *w, struct json_object *js)
{
	size_t n = json_object_array_length(js);

	put(w, "[", 1);
	w->depth++;
	for (size_t i = 0; i < n && !w->result; i++) {
		put_separator(w, i == 0);
		put_value(w, json_object_array_get_idx(js, i));
	}
	w->depth--;
	if (n)
		put_break(w);
	put(w, "]", 1);
}

static int by_key(const void *a, const void *b)
{
	return strcmp(lh_entry_k(*(struct lh_entry *const *)a), lh_entry_k(*(struct lh_entry *const *)b));
}

/* All members, in the order in which they are to be written; NULL: out of memory. */
static struct lh_entry **members(const struct writer *w, struct json_object *js, size_t n)
{
	struct lh_entry **v = calloc(n + 1, sizeof *v);
	size_t i = 0;

	for (struct lh_entry *m = lh_table_head(json_object_get_object(js)); v && m; m = lh_entry_next(m))
		v[i++] = m;
	if (v && w->style == DAVIT_VALUE_SPACED)
		qsort(v, n, sizeof *v, by_key);
	return v;
}

static void put_object(struct writer *w, struct json_object *js)
{
	size_t n = (size_t)json_object_object_length(js);
	AUTO_FREE struct lh_entry **v = members(w, js, n);

	if (!v) {
		w->result = DAVIT_ENOMEM;
		return;
	}
	put(w, "{", 1);
	w->depth++;
	for (size_t i = 0; i < n && !w->result; i++) {
		const char *key = lh_entry_k(v[i]);

		put_separator(w, i == 0);
		put_string(w, key, strlen(key));
		put_text(w, w->style == DAVIT_VALUE_COMPACT ? ":" : ": ");
		put_value(w, lh_entry_v(v[i]));
	}
	w->depth--;
	if (n)
		put_break(w);
	put(w, "}", 1);
}

static void put_value(struct writer *w, struct json_object *js)
{
	json_type type = json_object_get_type(js);

	if ((type == json_type_array || type == json_type_object) && w->depth == LIMIT_JSON_DEPTH)
		w->result = DAVIT_ELIMIT;
	else if (type == json_type_array)
		put_array(w, js);
	else if (type == json_type_object)
		put_object(w, js);
	else if (type == json_type_string)
		put_string(w, json_object_get_string(js), (size_t)json_object_get_string_len(js));
	else if (type == json_type_int || type == json_type_double)
		put_number(w, js);
	else if (type == json_type_boolean)
		put_text(w, json_object_get_boolean(js) ? "true" : "false");
	else
		put_text(w, "null");
}

static int result_of(const struct writer *w, davit_err *e)
{
	if (w->from_sink)
		return err_callback(e, w->result, "writing JSON");
	if (w->result == DAVIT_ENOMEM)
		return err_nomem(e);
	if (w->result)
		return err_set(e, w->result, "JSON to be written is nested deeper than %d levels",
			       LIMIT_JSON_DEPTH);
	return buf_check(w->out, "JSON to be written", e);
}

int json_write(const struct jnode *j, struct buf *out, davit_err *e)
{
	struct writer w = { .style = DAVIT_VALUE_COMPACT, .out = out };

	put_value(&w, js_of(j));
	return result_of(&w, e);
}

int davit_value_write(const davit_value *v, enum davit_value_style style, const davit_sink *out, davit_err *e)
{
	AUTO_BUF struct buf piece = BUF_INIT_SECRET(LIMIT_REPLY);
	struct writer w = { .style = style, .out = &piece, .sink = out };

	put_value(&w, js_of((const struct jnode *)v));
	flush(&w);
	return result_of(&w, e);
}

/*
 * Reads JSON text into the JSON library's tree. The library's own reader is not used: even when strict it
 * takes NaN and 'x', cuts member names at a NUL, and turns 18446744073709551616 into 18446744073709551615.
 */
#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "wire/codec_internal.h"

enum {
	OBJECT_NODES = 8, /* an empty object takes about as much memory as so many other values */
	REPLACEMENT = 0xfffd,
};

struct reader {
	const char *start, *p, *end;
	unsigned depth;
	size_t nodes;
	struct buf text; /* scratch for strings with escapes and for numbers */
	davit_err *e;
};

static int read_value(struct reader *in, struct json_object **out);

static int fail(const struct reader *in, const char *what)
{
	if (in->p >= in->end)
		return err_set(in->e, DAVIT_EPROTO, "invalid JSON: it ends at byte %zu, within a value",
			       (size_t)(in->end - in->start));
	return err_set(in->e, DAVIT_EPROTO, "invalid JSON at byte %zu: %s", (size_t)(in->p - in->start),
		       what);
}

double c_strtod(const char *s)
{
	/* glibc and musl give a constant object for this, so nothing is allocated. */
	locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	double d = strtod_l(s, NULL, c);

	freelocale(c);
	return d;
}

static void skip_space(struct reader *in)
{
	while (in->p < in->end && (*in->p == ' ' || *in->p == '\n' || *in->p == '\r' || *in->p == '\t'))
		in->p++;
}

/* Takes c if it comes next, after white space. */
static bool take(struct reader *in, char c)
{
	skip_space(in);
	if (in->p >= in->end || *in->p != c)
		return false;
	in->p++;
	return true;
}

static int read_hex4(struct reader *in, uint32_t *out)
{
	static const char hex[] = "0123456789abcdef0123456789ABCDEF";
	uint32_t v = 0;

	for (int i = 0; i < 4; i++, in->p++) {
		const char *digit = in->p < in->end && *in->p ? strchr(hex, *in->p) : NULL;

		if (!digit)
			return fail(in, "\\u needs four hexadecimal digits");
		v = v << 4 | (uint32_t)((digit - hex) % 16);
	}
	*out = v;
	return 0;
}

/* Behind \u. A surrogate without its partner becomes U+FFFD. */
static int read_unicode(struct reader *in)
{
	const char *after;
	uint32_t hi, lo;
	int r = read_hex4(in, &hi);

	if (r)
		return r;
	if ((hi & 0xf800) != 0xd800) {
		utf8_put(&in->text, hi);
		return 0;
	}
	after = in->p;
	if ((hi & 0xfc00) == 0xd800 && in->end - in->p >= 2 && in->p[0] == '\\' && in->p[1] == 'u') {
		in->p += 2;
		r = read_hex4(in, &lo);
		if (r)
			return r;
		if ((lo & 0xfc00) == 0xdc00) {
			utf8_put(&in->text, 0x10000 + ((hi & 0x3ff) << 10) + (lo & 0x3ff));
			return 0;
		}
		in->p = after;
	}
	utf8_put(&in->text, REPLACEMENT);
	return 0;
}

/* Behind a backslash. */
static int read_escape(struct reader *in)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at = in->p < in->end && *in->p ? strchr(from, *in->p) : NULL;

	if (at) {
		in->p++;
		buf_putc(&in->text, to[at - from]);
		return 0;
	}
	if (in->p < in->end && *in->p == 'u') {
		in->p++;
		return read_unicode(in);
	}
	return fail(in, "unknown escape");
}

/* Moves over characters that mean themselves; stops before a quote, a backslash or the end. */
static int skip_plain(struct reader *in)
{
	while (in->p < in->end && *in->p != '"' && *in->p != '\\') {
		uint32_t cp;
		size_t n =
		    (unsigned char)*in->p < 0x80 ? 1 : utf8_next(in->p, (size_t)(in->end - in->p), &cp);

		if ((unsigned char)*in->p < 0x20)
			return fail(in, "control character in a string");
		if (!n)
			return fail(in, "invalid UTF-8");
		in->p += n;
	}
	return in->p < in->end ? 0 : fail(in, NULL);
}

/* Behind the opening quote. *s points into the text, or to scratch memory that the next string overwrites. */
static int read_string(struct reader *in, const char **s, size_t *n)
{
	const char *from = in->p;
	bool plain = true;
	int r;

	buf_clear(&in->text);
	for (;;) {
		r = skip_plain(in);
		if (r)
			return r;
		if (*in->p == '"' && plain)
			break;
		buf_add(&in->text, from, (size_t)(in->p - from));
		if (*in->p == '"')
			break;
		plain = false;
		in->p++;
		r = read_escape(in);
		if (r)
			return r;
		from = in->p;
	}
	*s = plain ? from : buf_str(&in->text);
	*n = plain ? (size_t)(in->p - from) : in->text.len;
	in->p++;
	return buf_check(&in->text, "a JSON string", in->e);
}

static int read_string_value(struct reader *in, struct json_object **out)
{
	const char *s;
	size_t n;
	int r = read_string(in, &s, &n);

	if (r)
		return r;
	*out = json_object_new_string_len(s, (int)n);
	return *out ? 0 : err_nomem(in->e);
}

static size_t skip_digits(struct reader *in)
{
	const char *from = in->p;

	while (in->p < in->end && *in->p >= '0' && *in->p <= '9')
		in->p++;
	return (size_t)(in->p - from);
}

/* Moves over a number; *integer: it has neither fraction nor exponent. */
static int skip_number(struct reader *in, bool *integer)
{
	*integer = true;
	if (*in->p == '-')
		in->p++;
	if (in->p < in->end && *in->p == '0')
		in->p++;
	else if (!skip_digits(in))
		return fail(in, "a digit is missing");
	if (in->p < in->end && *in->p == '.') {
		*integer = false;
		in->p++;
		if (!skip_digits(in))
			return fail(in, "a digit is missing behind the point");
	}
	if (in->p < in->end && (*in->p | 0x20) == 'e') {
		*integer = false;
		in->p++;
		if (in->p < in->end && (*in->p == '+' || *in->p == '-'))
			in->p++;
		if (!skip_digits(in))
			return fail(in, "a digit is missing in the exponent");
	}
	return 0;
}

/* An integer of the text s as the library's node, NULL if it fits no 64 bits; *nomem: out of memory. */
static struct json_object *new_integer(const char *s, bool *nomem)
{
	struct json_object *js;
	unsigned long long u;

	errno = 0;
	u = strtoull(*s == '-' ? s + 1 : s, NULL, 10);
	*nomem = false;
	if (errno || (*s == '-' && u > (unsigned long long)INT64_MAX + 1))
		return NULL;
	if (*s == '-')
		js = json_object_new_int64((int64_t)(0 - u));
	else
		js = u > INT64_MAX ? json_object_new_uint64(u) : json_object_new_int64((int64_t)u);
	*nomem = !js;
	return js;
}

static int read_number(struct reader *in, struct json_object **out)
{
	struct json_object *js = NULL;
	const char *from = in->p;
	bool integer, nomem = false;
	int r = skip_number(in, &integer);

	if (r)
		return r;
	buf_clear(&in->text);
	buf_add(&in->text, from, (size_t)(in->p - from));
	r = buf_check(&in->text, "a JSON number", in->e);
	if (r)
		return r;
	if (integer)
		js = new_integer(buf_str(&in->text), &nomem);
	if (!js && !nomem)
		js = json_object_new_double_s(c_strtod(buf_str(&in->text)), buf_str(&in->text));
	*out = js;
	return js ? 0 : err_nomem(in->e);
}

/* Behind the opening bracket. */
static int read_elements(struct reader *in, struct json_object *array)
{
	if (take(in, ']'))
		return 0;
	do {
		struct json_object *v = NULL;
		int r = read_value(in, &v);

		if (r)
			return r;
		if (json_object_array_add(array, v) < 0) {
			json_object_put(v);
			return err_nomem(in->e);
		}
	} while (take(in, ','));
	return take(in, ']') ? 0 : fail(in, "expected ',' or ']'");
}

static int read_member(struct reader *in, struct json_object *object)
{
	AUTO_FREE char *key = NULL;
	struct json_object *v = NULL;
	const char *s;
	size_t n;
	int r;

	if (!take(in, '"'))
		return fail(in, "expected a member name in quotes");
	r = read_string(in, &s, &n);
	if (r)
		return r;
	if (memchr(s, 0, n))
		return fail(in, "a member name holds a NUL");
	key = strndup(s, n);
	if (!key)
		return err_nomem(in->e);
	if (!take(in, ':'))
		return fail(in, "expected ':'");
	r = read_value(in, &v);
	if (!r && json_object_object_add(object, key, v) < 0)
		r = err_nomem(in->e);
	if (r)
		json_object_put(v);
	return r;
}

/* Behind the opening brace. */
static int read_members(struct reader *in, struct json_object *object)
{
	if (take(in, '}'))
		return 0;
	do {
		int r = read_member(in, object);

		if (r)
			return r;
	} while (take(in, ','));
	return take(in, '}') ? 0 : fail(in, "expected ',' or '}'");
}

static int read_nested(struct reader *in, struct json_object **out)
{
	bool object = *in->p == '{';
	struct json_object *js;
	int r;

	if (in->depth == LIMIT_JSON_DEPTH)
		return err_set(in->e, DAVIT_ELIMIT, "JSON at byte %zu is nested deeper than %d levels",
			       (size_t)(in->p - in->start), LIMIT_JSON_DEPTH);
	js = object ? json_object_new_object() : json_object_new_array_ext(4);
	if (!js)
		return err_nomem(in->e);
	in->p++;
	in->depth++;
	r = object ? read_members(in, js) : read_elements(in, js);
	in->depth--;
	if (r)
		json_object_put(js);
	else
		*out = js;
	return r;
}

static int read_word(struct reader *in, struct json_object **out)
{
	static const char *const words[] = { "null", "false", "true" };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		size_t n = strlen(words[i]);

		if ((size_t)(in->end - in->p) < n || memcmp(in->p, words[i], n) != 0)
			continue;
		in->p += n;
		*out = i ? json_object_new_boolean(i == 2) : NULL;
		return i && !*out ? err_nomem(in->e) : 0;
	}
	return fail(in, "expected a value");
}

static int read_value(struct reader *in, struct json_object **out)
{
	skip_space(in);
	if (in->p >= in->end)
		return fail(in, NULL);
	in->nodes += *in->p == '{' ? OBJECT_NODES : 1;
	if (in->nodes > LIMIT_JSON_NODES)
		return err_set(in->e, DAVIT_ELIMIT, "JSON has more than %d values", LIMIT_JSON_NODES);
	switch (*in->p) {
	case '{':
	case '[':
		return read_nested(in, out);
	case '"':
		in->p++;
		return read_string_value(in, out);
	case '-':
	case '0':
	case '1':
	case '2':
	case '3':
	case '4':
	case '5':
	case '6':
	case '7':
	case '8':
	case '9':
		return read_number(in, out);
	default:
		return read_word(in, out);
	}
}

int json_parse(const char *p, size_t n, struct jnode **out, davit_err *e)
{
	struct reader in = { .start = p, .p = p, .end = p + n, .text = BUF_INIT_SECRET(LIMIT_REPLY), .e = e };
	struct json_object *js = NULL;
	int r;

	if (n > LIMIT_REPLY)
		return err_set(e, DAVIT_ELIMIT, "JSON text is longer than %d bytes", LIMIT_REPLY);
	r = read_value(&in, &js);
	skip_space(&in);
	if (!r && in.p < in.end) {
		r = fail(&in, "more text behind the value");
		json_object_put(js);
	}
	buf_fini(&in.text);
	if (!r)
		*out = node_of(js);
	return r;
}

/* printf with Go's verbs and Go's answers to wrong ones. */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "cli/format_internal.h"

struct spec {
	bool minus, zero, plus;
	size_t width;
	int precision; /* -1: none */
	char verb;
};

static size_t characters(const char *p, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += ((unsigned char)p[i] & 0xc0) != 0x80;
	return count;
}

static void padded(const struct spec *s, const struct buf *text, struct buf *out)
{
	size_t count = characters(buf_str(text), text->len);
	size_t pad = s->width > count ? s->width - count : 0;
	const char *p = buf_str(text);
	bool zeros = s->zero && !s->minus;
	bool sign = zeros && (*p == '-' || *p == '+');

	if (sign)
		buf_putc(out, *p);
	for (size_t i = 0; i < pad && !s->minus; i++)
		buf_putc(out, zeros ? '0' : ' ');
	buf_add(out, p + sign, text->len - sign);
	for (size_t i = 0; i < pad && s->minus; i++)
		buf_putc(out, ' ');
}

static void wrong(const struct spec *s, const struct tv *v, struct buf *out)
{
	buf_printf(out, "%%!%c(", s->verb);
	if (v->kind == TV_NIL) {
		buf_puts(out, "<nil>)");
		return;
	}
	buf_printf(out, "%s=", tv_type_name(v));
	tv_print(v, out);
	buf_putc(out, ')');
}

static void integer(const struct spec *s, const struct tv *v, struct buf *out)
{
	bool negative = v->kind == TV_INT && v->i < 0;
	uint64_t u = v->kind == TV_UINT ? v->u : negative ? 0 - (uint64_t)v->i : (uint64_t)v->i;

	if (negative || s->plus)
		buf_putc(out, negative ? '-' : '+');
	if (s->verb == 'x')
		buf_printf(out, "%" PRIx64, u);
	else if (s->verb == 'X')
		buf_printf(out, "%" PRIX64, u);
	else if (s->verb == 'o')
		buf_printf(out, "%" PRIo64, u);
	else
		buf_printf(out, "%" PRIu64, u);
}

static void hex(const struct spec *s, const struct tv *v, struct buf *out)
{
	for (size_t i = 0; i < v->s.n; i++)
		buf_printf(out, s->verb == 'x' ? "%02x" : "%02X", (unsigned)(unsigned char)v->s.p[i]);
}

static void real(const struct spec *s, const struct tv *v, struct buf *out)
{
	if (s->precision < 0 && s->verb == 'g')
		tv_print(v, out);
	else if (s->verb == 'f')
		buf_printf(out, "%.*f", s->precision < 0 ? 6 : s->precision, v->f);
	else if (s->verb == 'e')
		buf_printf(out, "%.*e", s->precision < 0 ? 6 : s->precision, v->f);
	else
		buf_printf(out, "%.*g", s->precision, v->f);
}

/* Cuts to the precision, counted in characters. */
static void text_verb(const struct spec *s, const struct tv *v, struct buf *out)
{
	size_t start = out->len;
	size_t count = 0;

	tv_print(v, out);
	for (size_t i = start; s->precision >= 0 && i < out->len; i++) {
		count += ((unsigned char)out->p[i] & 0xc0) != 0x80;
		if (count > (size_t)s->precision) {
			out->len = i;
			out->p[i] = 0;
		}
	}
}

static bool one_text(const struct spec *s, const struct tv *v, struct buf *out)
{
	if (s->verb == 'v' || s->verb == 's')
		text_verb(s, v, out);
	else if (s->verb == 'q')
		tv_quote(v->s.p, v->s.n, out);
	else if (s->verb == 'x' || s->verb == 'X')
		hex(s, v, out);
	else
		return false;
	return true;
}

static bool one_number(const struct spec *s, const struct tv *v, struct buf *out)
{
	if (s->verb == 'v')
		tv_print(v, out);
	else if (v->kind == TV_FLOAT && strchr("feg", s->verb))
		real(s, v, out);
	else if (v->kind != TV_FLOAT && strchr("dxXo", s->verb))
		integer(s, v, out);
	else
		return false;
	return true;
}

static bool one_other(const struct spec *s, const struct tv *v, struct buf *out)
{
	if (s->verb != 'v' && !(s->verb == 't' && v->kind == TV_BOOL) && !(s->verb == 's' && tv_len(v) >= 0))
		return false;
	if (v->kind == TV_NIL)
		buf_puts(out, "<nil>");
	else
		tv_print(v, out);
	return true;
}

static void one(const struct spec *s, const struct tv *v, struct buf *out)
{
	bool known = v->kind == TV_STR ? one_text(s, v, out) :
		     tv_is_number(v)   ? one_number(s, v, out) :
					 one_other(s, v, out);

	if (!known)
		wrong(s, v, out);
}

static size_t number(const char **p)
{
	size_t n = 0;

	for (; isdigit((unsigned char)**p); ++*p)
		n = n > FORMAT_WIDTH_MAX ? n : n * 10 + (size_t)(**p - '0');
	return n > FORMAT_WIDTH_MAX ? FORMAT_WIDTH_MAX : n;
}

/* Behind the percent sign; *p is moved behind the verb. */
static void parse_spec(const char **p, struct spec *s)
{
	*s = (struct spec){ .precision = -1 };
	for (; **p && strchr("-+0# ", **p); ++*p) {
		s->minus |= **p == '-';
		s->plus |= **p == '+';
		s->zero |= **p == '0';
	}
	s->width = number(p);
	if (**p == '.') {
		++*p;
		s->precision = (int)number(p);
	}
	s->verb = **p;
	if (**p)
		++*p;
}

static void extra(const struct tv *arg, size_t from, size_t n, struct buf *out)
{
	if (from >= n)
		return;
	buf_puts(out, "%!(EXTRA ");
	for (size_t i = from; i < n; i++) {
		buf_printf(out, "%s%s=", i > from ? ", " : "", tv_type_name(&arg[i]));
		tv_print(&arg[i], out);
	}
	buf_putc(out, ')');
}

int func_printf(struct exec *x, const struct tv *arg, size_t n, struct tv *out)
{
	struct buf b = BUF_INIT(FORMAT_MEMORY_MAX);
	struct buf text = BUF_INIT(FORMAT_MEMORY_MAX);
	size_t used = 1;
	const char *p;

	if (arg[0].kind != TV_STR)
		return err_set(x->e, DAVIT_EARG, "expected a string, got %s", tv_type_name(&arg[0]));
	for (p = arg[0].s.p; *p;) {
		struct spec s;

		if (*p != '%') {
			buf_putc(&b, *p++);
			continue;
		}
		p++;
		parse_spec(&p, &s);
		buf_clear(&text);
		if (!s.verb)
			buf_puts(&b, "%!(NOVERB)");
		else if (s.verb == '%')
			buf_putc(&b, '%');
		else if (used == n)
			buf_printf(&b, "%%!%c(MISSING)", s.verb);
		else
			one(&s, &arg[used++], &text);
		padded(&s, &text, &b);
		if (text.bad)
			b.bad = text.bad;
	}
	extra(arg, used, n, &b);
	buf_fini(&text);
	return exec_text(x, &b, out);
}

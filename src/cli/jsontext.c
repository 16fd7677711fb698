#include "cli/jsontext.h"

#include <string.h>

#include "base/err.h"
#include "cli/text.h"

static bool quote_control(unsigned char c, struct buf *out)
{
	static const char from[] = "\"\\\b\f\n\r\t";
	static const char to[] = "\"\\bfnrt";
	const char *at = c ? strchr(from, c) : NULL;

	if (at)
		buf_printf(out, "\\%c", to[at - from]);
	else if (c < 0x20)
		buf_printf(out, "\\u%04x", (unsigned)c);
	else
		return false;
	return true;
}

void json_quote(const char *s, size_t n, struct buf *out)
{
	buf_putc(out, '"');
	while (n) {
		size_t len = text_utf8(s, n);

		if (!len) {
			buf_puts(out, "\xef\xbf\xbd");
			len = 1;
		} else if (len > 1 || !quote_control((unsigned char)*s, out)) {
			buf_add(out, s, len);
		}
		s += len;
		n -= len;
	}
	buf_putc(out, '"');
}

void json_key(struct buf *out, const char *name)
{
	char last = out->len ? out->p[out->len - 1] : 0;

	if (last && last != '{' && last != '[')
		buf_putc(out, ',');
	json_quote(name, strlen(name), out);
	buf_putc(out, ':');
}

void json_member_str(struct buf *out, const char *name, const char *value)
{
	if (!value)
		return;
	json_key(out, name);
	json_quote(value, strlen(value), out);
}

void json_member_int(struct buf *out, const char *name, int64_t value)
{
	if (value < 0)
		return;
	json_key(out, name);
	buf_printf(out, "%lld", (long long)value);
}

int json_to_value(const struct buf *b, davit_value **out, davit_err *e)
{
	int r = buf_check(b, "the output", e);

	return r ? r : davit_value_parse(buf_str(b), b->len, out, e);
}

int json_of_value(const davit_value *v, enum davit_value_style style, struct buf *out, davit_err *e)
{
	davit_sink sink = buf_sink(out);
	int r = davit_value_write(v, style, &sink, e), full = buf_check(out, "the output", e);

	return full ? full : r;
}

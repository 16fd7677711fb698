#include "cli/text.h"

#include <stdbool.h>
#include <string.h>
#include <wchar.h>

#include "base/utf8.h"

size_t text_utf8(const char *s, size_t n)
{
	uint32_t c;

	return utf8_next(s, n, &c);
}

size_t text_width(const char *s)
{
	size_t n = strlen(s);
	size_t width = 0;

	while (n) {
		uint32_t c = 0;
		size_t len = utf8_next(s, n, &c);
		int w = len > 1 ? wcwidth((wchar_t)c) : 1;

		width += w < 0 ? 1 : (size_t)w;
		s += len ? len : 1;
		n -= len ? len : 1;
	}
	return width;
}

/* C0, DEL, C1, and what turns the direction of text around. */
static bool is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069);
}

void text_escape(const char *s, size_t n, struct buf *out)
{
	while (n) {
		uint32_t c = 0;
		size_t len = utf8_next(s, n, &c);

		if (len && !is_control(c)) {
			buf_add(out, s, len);
		} else {
			len = len ? len : 1;
			for (size_t i = 0; i < len; i++)
				buf_printf(out, "\\x%02x", (unsigned)(unsigned char)s[i]);
		}
		s += len;
		n -= len;
	}
}

void text_size(int64_t bytes, struct buf *out)
{
	static const char units[] = "KMGTPE";
	double n = (double)bytes;
	size_t i = 0;

	if (bytes < 1024) {
		buf_printf(out, "%lld B", (long long)bytes);
		return;
	}
	n /= 1024;
	while (n >= 999.95) {
		n /= 1024;
		i++;
	}
	buf_printf(out, "%.1f %ciB", n, units[i]);
}

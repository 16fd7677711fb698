#include "wire/uri.h"

#include <string.h>

static bool is_unreserved(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
	       c == '.' || c == '_' || c == '~';
}

void pct_encode(struct buf *out, const char *s, const char *keep)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (is_unreserved(c) || (keep && strchr(keep, c)))
			buf_putc(out, *s);
		else
			buf_printf(out, "%%%02X", (unsigned)c);
	}
}

enum { NO_HEX = 16 };

/* 0 to 15, or NO_HEX. */
static unsigned hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A') + 10;
	return NO_HEX;
}

bool pct_valid(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] != '%')
			continue;
		if (n - i < 3 || hex_value(s[i + 1]) == NO_HEX || hex_value(s[i + 2]) == NO_HEX ||
		    !memcmp(s + i, "%00", 3))
			return false;
	}
	return true;
}

char *pct_decode(const char *s, size_t n, bool plus, struct arena *a)
{
	char *out = pct_valid(s, n) ? arena_alloc(a, n + 1, 1) : NULL, *to = out;

	if (!out)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		unsigned c = (unsigned char)s[i];

		if (c == '+' && plus) {
			c = ' ';
		} else if (c == '%') {
			c = hex_value(s[i + 1]) << 4 | hex_value(s[i + 2]);
			i += 2;
		}
		if (!c)
			return NULL;
		*to++ = (char)c;
	}
	return out;
}

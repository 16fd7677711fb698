#include "base/utf8.h"

/* By number of bytes: mask and value of the first one, the least code point that needs so many. */
static const struct {
	unsigned char mask, lead;
	uint32_t least;
} forms[] = {
	{ 0x80, 0x00, 0 },
	{ 0xe0, 0xc0, 0x80 },
	{ 0xf0, 0xe0, 0x800 },
	{ 0xf8, 0xf0, 0x10000 },
};

enum {
	FORMS = sizeof forms / sizeof *forms,
	CP_MAX = 0x10ffff,
	SURROGATE_MIN = 0xd800,
	SURROGATE_MAX = 0xdfff
};

size_t utf8_next(const char *p, size_t n, uint32_t *cp)
{
	const unsigned char *s = (const unsigned char *)p;
	size_t len = 0;
	uint32_t c;

	while (n && len < FORMS && (s[0] & forms[len].mask) != forms[len].lead)
		len++;
	if (len >= FORMS || n < len + 1)
		return 0;
	c = s[0] & (unsigned char)~forms[len].mask;
	for (size_t i = 1; i <= len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < forms[len].least || c > CP_MAX || (c >= SURROGATE_MIN && c <= SURROGATE_MAX))
		return 0;
	*cp = c;
	return len + 1;
}

bool utf8_valid(const char *p, size_t n)
{
	while (n) {
		uint32_t cp;
		size_t len = (unsigned char)*p < 0x80 ? 1 : utf8_next(p, n, &cp);

		if (!len)
			return false;
		p += len;
		n -= len;
	}
	return true;
}

void utf8_put(struct buf *out, uint32_t cp)
{
	size_t len = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
	unsigned char s[4];

	for (size_t i = len - 1; i; i--) {
		s[i] = (unsigned char)(0x80 | (cp & 0x3f));
		cp >>= 6;
	}
	s[0] = (unsigned char)(forms[len - 1].lead | cp);
	buf_add(out, s, len);
}

#include "wire/base64.h"

#include <stdint.h>
#include <string.h>

static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char for_urls[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void encode(struct buf *out, const unsigned char *p, size_t n, const char *digits)
{
	for (; n > 0; p += 3) {
		size_t take = n < 3 ? n : 3;
		uint32_t bits = (uint32_t)p[0] << 16;

		if (take > 1)
			bits |= (uint32_t)p[1] << 8;
		if (take > 2)
			bits |= p[2];
		for (size_t i = 0; i <= take; i++)
			buf_putc(out, digits[bits >> (18 - 6 * i) & 63]);
		n -= take;
	}
}

void base64_encode(struct buf *out, const void *p, size_t n)
{
	encode(out, p, n, standard);
	buf_add(out, "==", n % 3 ? 3 - n % 3 : 0);
}

void base64url_encode(struct buf *out, const void *p, size_t n)
{
	encode(out, p, n, for_urls);
}

static int digit_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : -1;
}

/* Removes right padding; false if there is wrong one. */
static bool strip_padding(const char *s, size_t *n)
{
	size_t pad = 0;

	while (pad < *n && s[*n - 1 - pad] == '=')
		pad++;
	if (pad && (pad > 2 || *n % 4))
		return false;
	*n -= pad;
	return *n % 4 != 1;
}

/* Up to four digits. Bits that no byte takes may be anything: credentials made by hand have them. */
static bool decode_group(struct buf *out, const char *s, size_t n)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < n; i++) {
		int value = digit_value(s[i]);

		if (value < 0)
			return false;
		bits |= (uint32_t)value << (18 - 6 * i);
	}
	for (size_t i = 0; i + 1 < n; i++)
		buf_putc(out, (char)(bits >> (16 - 8 * i) & 255));
	return true;
}

bool base64_decode(struct buf *out, const char *s, size_t n)
{
	size_t before = out->len;
	bool good = strip_padding(s, &n);

	for (size_t i = 0; good && i < n; i += 4)
		good = decode_group(out, s + i, n - i < 4 ? n - i : 4);
	if (!good && out->p) {
		out->len = before;
		out->p[before] = 0;
	}
	return good && !out->bad;
}

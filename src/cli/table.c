#include "cli/table.h"

#include <locale.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <wchar.h>

#include "cli/out.h"

enum { GAP = 3 };

/* Length of the UTF-8 character at s and its code point; 0 if there is none. */
static size_t decode(const unsigned char *s, size_t n, uint32_t *out)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = s[0] < 0x80   ? 1
		     : s[0] < 0xc2 ? 0
		     : s[0] < 0xe0 ? 2
		     : s[0] < 0xf0 ? 3
		     : s[0] < 0xf5 ? 4
				   : 0;
	uint32_t c;

	if (!len || len > n)
		return 0;
	c = len == 1 ? s[0] : s[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3fu);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	*out = c;
	return len;
}

size_t text_utf8(const char *s, size_t n)
{
	uint32_t c;

	return decode((const unsigned char *)s, n, &c);
}

size_t text_width(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t n = strlen(s);
	size_t width = 0;

	while (n) {
		uint32_t c = 0;
		size_t len = decode(p, n, &c);
		int w = len > 1 ? wcwidth((wchar_t)c) : 1;

		width += w < 0 ? 1 : (size_t)w;
		p += len ? len : 1;
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
	const unsigned char *p = (const unsigned char *)s;

	while (n) {
		uint32_t c = 0;
		size_t len = decode(p, n, &c);

		if (len && !is_control(c)) {
			buf_add(out, p, len);
		} else {
			len = len ? len : 1;
			for (size_t i = 0; i < len; i++)
				buf_printf(out, "\\x%02x", (unsigned)p[i]);
		}
		p += len;
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

void table_init(struct table *t, size_t columns)
{
	*t = (struct table){ .columns = columns, .cells = BUF_INIT(OUT_MAX) };
	/* wcwidth() knows wide characters only in a UTF-8 locale. */
	setlocale(LC_CTYPE, "");
}

void table_cell(struct table *t, const char *text)
{
	size_t column = t->n_cells % t->columns;
	size_t start = t->cells.len;
	size_t width;

	text_escape(text, strlen(text), &t->cells);
	buf_putc(&t->cells, 0);
	if (t->cells.bad)
		return;
	width = text_width(t->cells.p + start);
	if (width > t->width[column])
		t->width[column] = width;
	t->n_cells++;
}

int table_write(const struct table *t, struct buf *out, davit_err *e)
{
	const char *cell = buf_str(&t->cells);
	size_t pad = 0;
	int r = buf_check(&t->cells, "the table", e);

	if (r)
		return r;
	for (size_t i = 0; i < t->n_cells; i++) {
		size_t column = i % t->columns;

		/* Padding is written in front of the next cell, so lines have no trailing spaces. */
		if (!column && i)
			buf_putc(out, '\n');
		if (!column)
			pad = 0;
		if (*cell) {
			for (; pad; pad--)
				buf_putc(out, ' ');
			buf_puts(out, cell);
		}
		pad += t->width[column] + GAP - text_width(cell);
		cell += strlen(cell) + 1;
	}
	if (t->n_cells)
		buf_putc(out, '\n');
	return buf_check(out, "the table", e);
}

void table_fini(struct table *t)
{
	buf_fini(&t->cells);
}

#include "cli/table.h"

#include <locale.h>
#include <string.h>

#include "cli/out.h"
#include "cli/text.h"

enum { GAP = 3 };

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

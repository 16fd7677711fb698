/* Tables for people: aligned columns, three spaces between them, a header, no lines. */
#ifndef DAVIT_CLI_TABLE_H
#define DAVIT_CLI_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { TABLE_COLUMNS_MAX = 16 };

struct table {
	size_t columns;
	struct buf cells;  /* NUL-terminated texts, row by row */
	size_t n_cells;
	size_t width[TABLE_COLUMNS_MAX];
};

/* columns: at most TABLE_COLUMNS_MAX. */
void table_init(struct table *t, size_t columns);

/* Adds the next cell; control characters are shown as \xNN. Missing cells of the last row stay empty. */
void table_cell(struct table *t, const char *text);

/* Appends all rows; nothing if nothing was added. */
int table_write(const struct table *t, struct buf *out, davit_err *e);

void table_fini(struct table *t);

/* Columns that UTF-8 text takes on a terminal; bytes that are no UTF-8 count one each. Wants setlocale(). */
size_t text_width(const char *s);

/* Bytes of the valid UTF-8 character at s (n > 0 bytes), or 0. */
size_t text_utf8(const char *s, size_t n);

/* Appends text with control characters and invalid bytes as \xNN. */
void text_escape(const char *s, size_t n, struct buf *out);

/* "12.3 MiB"; exact bytes below 1024. */
void text_size(int64_t bytes, struct buf *out);

#endif

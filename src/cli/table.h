/* Tables for people: aligned columns, three spaces between them, a header, no lines. */
#ifndef DAVIT_CLI_TABLE_H
#define DAVIT_CLI_TABLE_H

#include <stddef.h>

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

#endif

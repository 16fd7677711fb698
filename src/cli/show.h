/* Showing results: as a table or line for people, by --format as JSON or through a template. */
#ifndef DAVIT_CLI_SHOW_H
#define DAVIT_CLI_SHOW_H

#include <davit/value.h>

#include "cli/app.h"

/*
 * Writes v to standard output, an array one entry per line. standard is what to do without --format: a
 * template for one entry, or "table TEMPLATE" with tabs between the columns.
 */
int show_value(struct app *app, const davit_value *v, const char *standard, davit_err *e);

/* The same for JSON text that a command has made. */
int show_json(struct app *app, const struct buf *json, const char *standard, davit_err *e);

/* As show_value() into a buffer; escape: control characters are made visible. */
int show_render(const char *format, const davit_value *v, bool escape, struct buf *out, davit_err *e);

#endif

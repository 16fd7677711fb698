/*
 * Templates for --format: a subset of Go's text/template, as users know it from docker, over JSON values.
 *
 * {{.a.b}}, {{$x := …}}, {{if}} {{else if}} {{else}} {{with}} {{range}} {{end}}, pipelines, parentheses,
 * {{- trimming -}}, {{/ * comments * /}}. Functions: and eq ge gt index join json le len lower lt ne not or
 * pad print printf println size slice split title truncate upper (size: 12.3 MiB; the others as in Go and
 * docker). A field that is not there with exactly this name
 * is looked for without regard to case. Depth, steps and output have limits.
 */
#ifndef DAVIT_CLI_FORMAT_H
#define DAVIT_CLI_FORMAT_H

#include <davit/value.h>

#include "base/buf.h"

struct format;

/* Understands a template; DAVIT_EARG names the character at fault. text is copied. */
int format_new(const char *text, struct format **out, davit_err *e);
void format_free(struct format *f);

/* Appends the result for v (NULL: null). On failure out may hold a part of it. */
int format_run(const struct format *f, const davit_value *v, struct buf *out, davit_err *e);

/* Appends the heading of a table row: every field gives its own name, in capitals. */
int format_heading(const struct format *f, struct buf *out, davit_err *e);

#endif

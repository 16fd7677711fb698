/* Writing JSON text: for documents that commands make themselves. */
#ifndef DAVIT_CLI_JSONTEXT_H
#define DAVIT_CLI_JSONTEXT_H

#include <davit/value.h>

#include "base/buf.h"

/* Appends a string with its quotes; invalid UTF-8 becomes U+FFFD. */
void json_quote(const char *s, size_t n, struct buf *out);

/* Appends "name": with a comma in front unless an object or array has just been opened. */
void json_key(struct buf *out, const char *name);

/* Members of the object that is being written; NULL strings are left out, as are numbers below 0. */
void json_member_str(struct buf *out, const char *name, const char *value);
void json_member_int(struct buf *out, const char *name, int64_t value);

/* Makes the value of the text in b; free it with davit_value_free(). */
int json_to_value(const struct buf *b, davit_value **out, davit_err *e);

/* Appends v as JSON text. */
int json_of_value(const davit_value *v, enum davit_value_style style, struct buf *out, davit_err *e);

#endif

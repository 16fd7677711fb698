/* Text for people: width, escapes, sizes. */
#ifndef DAVIT_CLI_TEXT_H
#define DAVIT_CLI_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Columns that UTF-8 text takes on a terminal; bytes that are no UTF-8 count one each. Wants setlocale(). */
size_t text_width(const char *s);

/* Bytes of the valid UTF-8 character at s (n > 0 bytes), or 0. */
size_t text_utf8(const char *s, size_t n);

/* Appends text with control characters and invalid bytes as \xNN. */
void text_escape(const char *s, size_t n, struct buf *out);

/* "12.3 MiB"; exact bytes below 1024. */
void text_size(int64_t bytes, struct buf *out);

#endif

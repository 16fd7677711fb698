/* UTF-8, strict: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef DAVIT_BASE_UTF8_H
#define DAVIT_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Length of the character at p, of n bytes, and its code point; 0 if it is no UTF-8. */
size_t utf8_next(const char *p, size_t n, uint32_t *cp);
bool utf8_valid(const char *p, size_t n);
/* Appends a code point; cp must be a Unicode scalar value. */
void utf8_put(struct buf *out, uint32_t cp);

#endif

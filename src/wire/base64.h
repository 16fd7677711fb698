/* Base64, standard and URL alphabet. */
#ifndef DAVIT_WIRE_BASE64_H
#define DAVIT_WIRE_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Appends; standard alphabet with padding. */
void base64_encode(struct buf *out, const void *p, size_t n);
/* Appends; URL alphabet without padding. */
void base64url_encode(struct buf *out, const void *p, size_t n);
/*
 * Appends the bytes of either alphabet, padding optional but right if there; bits behind the last byte are
 * ignored. False if it is no base64.
 */
bool base64_decode(struct buf *out, const char *s, size_t n);

#endif

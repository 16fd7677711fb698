/* Points in time as RFC 3339 text. */
#ifndef DAVIT_WIRE_RFC3339_H
#define DAVIT_WIRE_RFC3339_H

#include <stdbool.h>
#include <stddef.h>

#include <davit/types.h>

enum { RFC3339_MAX = 40 /* bytes of any text written, with the NUL */ };

/*
 * Reads n bytes such as "2024-02-29T12:30:00.5+01:00" ('t' and 'z' too). Digits of a fraction beyond the
 * ninth are dropped; second 60 is the first one of the next minute. False, and *out untouched, for anything
 * else.
 */
bool rfc3339_parse(const char *s, size_t n, davit_time *out);

/*
 * Writes t in its own offset, "Z" for 0, the fraction without final zeros (none if it is 0). False if the
 * year is not in 0 to 9999, the offset not within a day, or nsec not below 1,000,000,000.
 */
bool rfc3339_format(const davit_time *t, char out[RFC3339_MAX]);

#endif

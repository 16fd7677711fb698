/*
 * Option structs of callers: the first member is a size_t size, which DAVIT_OPTS() sets. It tells which
 * version of the struct the caller was compiled with.
 */
#ifndef DAVIT_BASE_OPTS_H
#define DAVIT_BASE_OPTS_H

#include <stddef.h>

#include <davit/err.h>

/*
 * For options that are used in place: size must be set and not less than known, the size of our version; what
 * lies behind known must be unused. NULL options are fine. 0 or DAVIT_EARG; name is the struct's.
 */
int opts_check(const void *opts, size_t known, const char *name, davit_err *e);

/*
 * For options that are kept: copies the part that both sides know to *to, which has known bytes and was
 * zeroed, and sets its size. An older caller's shorter struct is fine, too. *to is untouched on failure.
 */
int opts_take(void *to, const void *opts, size_t known, const char *name, davit_err *e);

#endif

/*
 * Arena: many small objects with one common end. A decoded reply lives in one; freeing the arena frees
 * the reply. Zero-initialise, then arena_fini(). All memory is zeroed.
 */
#ifndef DAVIT_BASE_ARENA_H
#define DAVIT_BASE_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *top;
	size_t used; /* bytes handed out, for limits */
	size_t max;  /* limit for used, 0: LIMIT_ARENA */
};

/* count * size bytes, aligned for any type, or NULL (out of memory, overflow or over the limit). */
void *arena_alloc(struct arena *a, size_t count, size_t size);

/* A copy of n bytes with a NUL behind; NULL as above. */
char *arena_strndup(struct arena *a, const char *s, size_t n);

/* A copy of a string; NULL as above. */
char *arena_strdup(struct arena *a, const char *s);

/* printf() into the arena; NULL as above. */
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Frees everything, wiped first: replies may hold tokens. The arena can be used again. */
void arena_fini(struct arena *a);

#endif

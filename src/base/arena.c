#include "base/arena.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"

/* Small objects share blocks of this size; larger ones get their own. */
enum { ARENA_BLOCK = 4096 - 64 };

struct arena_block {
	struct arena_block *next;
	size_t size, used;
	max_align_t data[];
};

static struct arena_block *block_new(size_t size)
{
	struct arena_block *b = calloc(1, sizeof *b + size);

	if (b)
		b->size = size;
	return b;
}

/* A block with room for n bytes; an oversized one goes below the top so that the top stays in use. */
static struct arena_block *block_for(struct arena *a, size_t n)
{
	struct arena_block *top = a->top, *b;

	if (top && n <= top->size - top->used)
		return top;
	b = block_new(n > ARENA_BLOCK / 4 ? n : ARENA_BLOCK);
	if (!b)
		return NULL;
	if (n > ARENA_BLOCK / 4 && top) {
		b->next = top->next;
		top->next = b;
	} else {
		b->next = top;
		a->top = b;
	}
	return b;
}

void *arena_alloc(struct arena *a, size_t count, size_t size)
{
	const size_t align = _Alignof(max_align_t), max = a->max ? a->max : LIMIT_ARENA;
	struct arena_block *b;
	size_t n;
	void *p;

	if (__builtin_mul_overflow(count, size, &n) || n > max - a->used)
		return NULL;
	n = (n + align - 1) / align * align;
	b = block_for(a, n);
	if (!b)
		return NULL;
	p = (char *)b->data + b->used;
	b->used += n;
	a->used = n > max - a->used ? max : a->used + n;
	return p;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *p = n < SIZE_MAX ? arena_alloc(a, n + 1, 1) : NULL;

	if (p && n)
		memcpy(p, s, n);
	return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	p = n < 0 ? NULL : arena_alloc(a, (size_t)n + 1, 1);
	if (!p)
		return NULL;
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return p;
}

void arena_fini(struct arena *a)
{
	for (struct arena_block *b = a->top, *next; b; b = next) {
		next = b->next;
		mem_wipe(b->data, b->used);
		free(b);
	}
	a->top = NULL;
	a->used = 0;
}

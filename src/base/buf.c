#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

/* Replaces the memory by cap bytes; realloc() would leave a copy of a secret behind. */
static bool buf_resize(struct buf *b, size_t cap)
{
	char *p;

	if (!b->secret) {
		p = realloc(b->p, cap);
	} else {
		p = malloc(cap);
		if (p && b->p) {
			memcpy(p, b->p, b->len + 1);
			mem_wipe(b->p, b->cap);
			free(b->p);
		}
	}
	if (!p)
		return false;
	b->p = p;
	b->cap = cap;
	return true;
}

char *buf_reserve(struct buf *b, size_t n)
{
	size_t cap = b->cap ? b->cap : 64;

	if (b->bad)
		return NULL;
	if (n > b->max - b->len) {
		b->bad = DAVIT_ELIMIT;
		return NULL;
	}
	while (cap - 1 < b->len + n)
		cap = cap > b->max / 2 ? b->max + 1 : cap * 2;
	if (cap != b->cap && !buf_resize(b, cap)) {
		b->bad = DAVIT_ENOMEM;
		return NULL;
	}
	b->p[b->len] = 0;
	return b->p + b->len;
}

void buf_commit(struct buf *b, size_t n)
{
	b->len += n;
	b->p[b->len] = 0;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	char *to = buf_reserve(b, n);

	if (!to)
		return;
	if (n)
		memcpy(to, p, n);
	buf_commit(b, n);
}

void buf_puts(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_putc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	char *to;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	to = n < 0 ? NULL : buf_reserve(b, (size_t)n);
	if (!to)
		return;
	va_start(ap, fmt);
	vsnprintf(to, (size_t)n + 1, fmt, ap);
	va_end(ap);
	buf_commit(b, (size_t)n);
}

void buf_consume(struct buf *b, size_t n)
{
	if (!n)
		return;
	memmove(b->p, b->p + n, b->len - n + 1);
	b->len -= n;
}

void buf_clear(struct buf *b)
{
	if (b->secret && b->p)
		mem_wipe(b->p, b->cap);
	if (b->p)
		b->p[0] = 0;
	b->len = 0;
	b->bad = 0;
}

const char *buf_str(const struct buf *b)
{
	return b->p ? b->p : "";
}

int buf_check(const struct buf *b, const char *what, davit_err *e)
{
	if (b->bad == DAVIT_ENOMEM)
		return err_nomem(e);
	if (b->bad)
		return err_set(e, b->bad, "%s is longer than %zu bytes", what, b->max);
	return 0;
}

char *buf_take(struct buf *b)
{
	char *p = b->p;

	if (b->bad)
		return NULL;
	if (!p)
		return calloc(1, 1);
	b->p = NULL;
	buf_fini(b);
	return p;
}

static int sink_write(void *user, const void *p, size_t n)
{
	struct buf *b = user;

	buf_add(b, p, n);
	return b->bad;
}

davit_sink buf_sink(struct buf *b)
{
	return (davit_sink){ .write = sink_write, .user = b };
}

void buf_fini(struct buf *b)
{
	if (b->secret && b->p)
		mem_wipe(b->p, b->cap);
	free(b->p);
	*b = (struct buf){ .max = b->max, .secret = b->secret };
}

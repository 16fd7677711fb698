/*
 * Growable byte buffer with a mandatory limit and sticky failure: append in series, then test once with
 * buf_check(). The content is always followed by a NUL that is not counted.
 */
#ifndef DAVIT_BASE_BUF_H
#define DAVIT_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include <davit/err.h>
#include <davit/stream.h>

struct buf {
	char *p;      /* NULL until the first byte; use buf_str() */
	size_t len;   /* bytes in use */
	size_t cap;   /* bytes allocated */
	size_t max;   /* most bytes that len may reach */
	int bad;      /* 0, DAVIT_ENOMEM or DAVIT_ELIMIT: every later append is ignored */
	bool secret;  /* wiped on growth and at the end */
};

#define BUF_INIT(limit)        { .max = (size_t)(limit) }
#define BUF_INIT_SECRET(limit) { .max = (size_t)(limit), .secret = true }

void buf_add(struct buf *b, const void *p, size_t n);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Room for n more bytes at the returned place, or NULL; what is written there counts after buf_commit(). */
char *buf_reserve(struct buf *b, size_t n);
void buf_commit(struct buf *b, size_t n);

/* Drops the first n bytes. */
void buf_consume(struct buf *b, size_t n);
/* Empties the buffer and clears its failure; memory is kept, and wiped if secret. */
void buf_clear(struct buf *b);

/* The content, never NULL. */
const char *buf_str(const struct buf *b);

/* 0, or the failure: "out of memory" or "<what> is longer than <max> bytes". */
int buf_check(const struct buf *b, const char *what, davit_err *e);

/*
 * Moves the content out as a heap string (caller frees) and leaves the buffer empty; NULL if it failed, and
 * the buffer as it was.
 */
char *buf_take(struct buf *b);

/* A sink that appends to the buffer; ends the call when the buffer is full. */
davit_sink buf_sink(struct buf *b);

void buf_fini(struct buf *b);
#define AUTO_BUF CLEANUP(buf_fini)

#endif

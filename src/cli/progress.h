/*
 * Progress of transfers on stderr: on a terminal one bar per transfer that runs, redrawn in place; elsewhere
 * a plain line every few seconds. One thread.
 */
#ifndef DAVIT_CLI_PROGRESS_H
#define DAVIT_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include <davit/stream.h>

#include "base/buf.h"

struct progress;

/* A display on fd in the form that suits it, or NULL when memory ran out (that is no reason to fail). */
struct progress *progress_new(int fd);

/* The same with all choices made: bars or lines, columns (0: ask the terminal), and a clock in ms. */
struct progress_config {
	int fd;
	bool bars;
	size_t columns;
	int64_t (*now)(void);
};
struct progress *progress_new_config(const struct progress_config *config);

/* The callback to give to davit. {NULL, NULL} for NULL. */
davit_progress progress_callback(struct progress *p);

/* Draws the last state, leaves the cursor on a fresh line and frees. NULL is ignored. */
void progress_free(struct progress *p);

/* "0:05", "12:34", "1:02:03". */
void text_time(int64_t seconds, struct buf *out);

#endif

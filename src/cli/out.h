/* Standard output, where every failure counts: a full disk, a closed pipe, a closed descriptor. */
#ifndef DAVIT_CLI_OUT_H
#define DAVIT_CLI_OUT_H

#include <davit/stream.h>

#include "base/buf.h"

enum {
	OUT_MAX = 256 << 20, /* most bytes of text that one command prints */
};

/*
 * Opens /dev/null for those of descriptors 0 to 2 that are closed, the wrong way round so that using them
 * fails; else the next file opened would take their place.
 */
void out_init(void);

/* Writes n bytes. 0 or DAVIT_EIO: "standard output: No space left on device". */
int out_write(const void *p, size_t n, davit_err *e);

/* Writes the content of b, or reports that b failed. */
int out_buf(const struct buf *b, davit_err *e);

/* A sink to standard output; user is not used. After a call with it use out_sink_result(). */
davit_sink out_sink(void);

/*
 * Turns the failure of a call into the failure of standard output if that was its cause; else returns code.
 */
int out_sink_result(int code, davit_err *e);

/* Closes standard output, which may report what earlier writes did not. */
int out_close(davit_err *e);

#endif

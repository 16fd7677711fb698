/*
 * Files and descriptors given to davit: whole reads with a limit, whole writes, files that appear complete.
 */
#ifndef DAVIT_BASE_FD_H
#define DAVIT_BASE_FD_H

#include <stddef.h>
#include <sys/types.h>

#include <davit/err.h>

#include "base/buf.h"

/* Writes all n bytes, also to a pipe or a non-blocking descriptor. 0 or a negative errno. */
int fd_write_all(int fd, const void *p, size_t n);

/*
 * Appends the whole file to out; DAVIT_ELIMIT if it is larger than out->max. DAVIT_ENOTFOUND if there is
 * none.
 */
int fd_read_file(const char *path, struct buf *out, davit_err *e);

/* Appends all that fd gives until its end; what names it in messages. */
int fd_read_all(int fd, const char *what, struct buf *out, davit_err *e);

/*
 * A file that appears under its name only when it is complete: written under a temporary name in the same
 * directory, fsynced, renamed, directory fsynced. Zero-initialise with NEWFILE_INIT; newfile_fini() without
 * newfile_commit() removes every trace.
 *
 * The umask applies to mode; the mode of a file that is replaced does not matter. A symbolic link stays: the
 * file behind it is replaced, or made. A directory is refused. What cannot be replaced (devices, FIFOs,
 * /dev/stdout, /dev/fd/N, /proc/...) is opened and written directly; newfile_commit() then only closes it.
 * After a failed newfile_commit() only newfile_fini() may follow.
 */
struct newfile {
	int fd; /* write here; -1 when not open */
	int dirfd;
	char *path; /* final name */
	char *tmp;  /* temporary name, relative to dirfd; NULL: path itself is written, or it was renamed */
};
#define NEWFILE_INIT { .fd = -1, .dirfd = -1 }
int newfile_open(struct newfile *f, const char *path, mode_t mode, davit_err *e);
int newfile_commit(struct newfile *f, davit_err *e);
void newfile_fini(struct newfile *f);

/*
 * An unnamed file in the directory for temporary files, gone with its descriptor. Its fd, or negative code.
 */
int fd_spool(davit_err *e);

#endif

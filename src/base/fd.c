#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"

enum {
	READ_PIECE = 64 << 10, /* bytes asked for at once */
	MAX_LINKS = 40,        /* symbolic links in a row, as in the kernel */
	TMP_TRIES = 16,        /* random names until one is free */
};

int fd_write_all(int fd, const void *p, size_t n)
{
	const char *from = p;

	while (n) {
		ssize_t r = write(fd, from, n);

		if (r >= 0) {
			from += r;
			n -= (size_t)r;
		} else if (errno == EAGAIN) {
			struct pollfd w = { .fd = fd, .events = POLLOUT };

			poll(&w, 1, -1);
		} else if (errno != EINTR) {
			return -errno;
		}
	}
	return 0;
}

/* read() that waits for a non-blocking descriptor. Bytes, 0 at the end, or a negative errno. */
static ssize_t read_some(int fd, void *p, size_t n)
{
	for (;;) {
		ssize_t r = read(fd, p, n);

		if (r >= 0)
			return r;
		if (errno == EAGAIN) {
			struct pollfd w = { .fd = fd, .events = POLLIN };

			poll(&w, 1, -1);
		} else if (errno != EINTR) {
			return -errno;
		}
	}
}

int fd_read_all(int fd, const char *what, struct buf *out, davit_err *e)
{
	for (;;) {
		size_t room = out->max - out->len;
		size_t n = room < READ_PIECE ? room : READ_PIECE;
		char beyond = 0;
		/* At the limit one more byte tells a file that just fits from one that is too large. */
		char *to = n ? buf_reserve(out, n) : &beyond;
		ssize_t got;

		if (!to)
			return buf_check(out, what, e);
		got = read_some(fd, to, n ? n : 1);
		if (got < 0)
			return err_errno(e, (int)-got, "cannot read %s", what);
		if (!got)
			return 0;
		if (!n)
			return err_set(e, DAVIT_ELIMIT, "%s is larger than %zu bytes", what, out->max);
		buf_commit(out, (size_t)got);
	}
}

int fd_read_file(const char *path, struct buf *out, davit_err *e)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
		err_errno(e, errno, "cannot open %s", path);
		if (e)
			e->code = DAVIT_ENOTFOUND;
		return DAVIT_ENOTFOUND;
	}
	if (fd < 0)
		return err_errno(e, errno, "cannot open %s", path);
	return fd_read_all(fd, path, out, e);
}

/* Files that stand for an open descriptor: replacing what they lead to would not reach its reader. */
static bool names_descriptor(const char *path)
{
	static const char *const prefixes[] = { "/dev/fd/", "/dev/std", "/proc/" };

	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
		if (!strncmp(path, prefixes[i], strlen(prefixes[i])))
			return true;
	}
	return false;
}

/* What link means, read at the place path; NULL: out of memory. */
static char *link_target(const char *path, const char *link)
{
	const char *slash = strrchr(path, '/');
	char *out = NULL;

	if (*link == '/' || !slash)
		return strdup(link);
	return asprintf(&out, "%.*s/%s", (int)(slash - path), path, link) < 0 ? NULL : out;
}

/* Follows the last component while it is a symbolic link, even a dangling one. */
static int resolve(const char *path, char **out, davit_err *e)
{
	AUTO_FREE char *now = strdup(path);

	for (int i = 0; now && i < MAX_LINKS; i++) {
		char link[PATH_MAX];
		ssize_t n = readlink(now, link, sizeof link - 1);
		char *next;

		if (n < 0) {
			*out = TAKE_PTR(now);
			return 0;
		}
		link[n] = 0;
		next = link_target(now, link);
		free(now);
		now = next;
	}
	return now ? err_errno(e, ELOOP, "cannot write %s", path) : err_nomem(e);
}

/* Makes an empty file with a random name in f->dirfd. */
static int make_tmp(struct newfile *f, mode_t mode, davit_err *e)
{
	for (int i = 0; i < TMP_TRIES; i++) {
		AUTO_FREE char *name = NULL;
		uint64_t r;
		int fd;

		if (getrandom(&r, sizeof r, 0) != sizeof r)
			return err_errno(e, errno, "cannot make a temporary name for %s", f->path);
		if (asprintf(&name, ".davit-%016" PRIx64, r) < 0) {
			name = NULL;
			return err_nomem(e);
		}
		fd = openat(f->dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
		if (fd >= 0) {
			f->fd = fd;
			f->tmp = TAKE_PTR(name);
			return 0;
		}
		if (errno != EEXIST)
			return err_errno(e, errno, "cannot make a file beside %s", f->path);
	}
	return err_set(e, DAVIT_EIO, "cannot find a free temporary name beside %s", f->path);
}

/* f->path split: the directory opened, its part behind the last slash. */
static int open_dir(struct newfile *f, davit_err *e)
{
	const char *slash = strrchr(f->path, '/');
	AUTO_FREE char *dir = !slash             ? strdup(".")
			      : slash == f->path ? strdup("/")
						 : strndup(f->path, (size_t)(slash - f->path));

	if (!dir)
		return err_nomem(e);
	f->dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* A directory that may be entered and written, but not listed. */
	if (f->dirfd < 0 && errno == EACCES)
		f->dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return f->dirfd < 0 ? err_errno(e, errno, "cannot write %s: cannot open %s", f->path, dir) : 0;
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int open_plain(struct newfile *f, davit_err *e)
{
	f->fd = open(f->path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	return f->fd < 0 ? err_errno(e, errno, "cannot open %s", f->path) : 0;
}

static int open_parts(struct newfile *f, const char *path, mode_t mode, davit_err *e)
{
	struct stat st;
	bool there = stat(path, &st) == 0;
	int r;

	if (!*path)
		return err_set(e, DAVIT_EARG, "the name of the file to write is empty");
	if (!*last_part(path) || (there && S_ISDIR(st.st_mode)))
		return err_errno(e, EISDIR, "cannot write %s", path);
	if (names_descriptor(path) || (there && !S_ISREG(st.st_mode))) {
		f->path = strdup(path);
		return f->path ? open_plain(f, e) : err_nomem(e);
	}
	r = resolve(path, &f->path, e);
	if (!r)
		r = open_dir(f, e);
	return r ? r : make_tmp(f, mode, e);
}

int newfile_open(struct newfile *f, const char *path, mode_t mode, davit_err *e)
{
	struct newfile made = NEWFILE_INIT;
	int r = open_parts(&made, path, mode, e);

	if (r) {
		newfile_fini(&made);
		return r;
	}
	*f = made;
	return 0;
}

int newfile_commit(struct newfile *f, davit_err *e)
{
	int fd = f->fd;

	if (f->tmp && fsync(fd) < 0)
		return err_errno(e, errno, "cannot write %s", f->path);
	f->fd = -1;
	if (close(fd) < 0 && errno != EINTR)
		return err_errno(e, errno, "cannot write %s", f->path);
	if (!f->tmp)
		return 0;
	if (renameat(f->dirfd, f->tmp, f->dirfd, last_part(f->path)) < 0)
		return err_errno(e, errno, "cannot rename a temporary file to %s", f->path);
	free(f->tmp);
	f->tmp = NULL;
	/* EINVAL: a file system that does not sync directories; EBADF: one opened without the right to read.
	 */
	if (fsync(f->dirfd) < 0 && errno != EINVAL && errno != EBADF)
		return err_errno(e, errno, "cannot sync the directory of %s", f->path);
	return 0;
}

void newfile_fini(struct newfile *f)
{
	if (f->tmp)
		unlinkat(f->dirfd, f->tmp, 0);
	if (f->fd >= 0)
		close(f->fd);
	if (f->dirfd >= 0)
		close(f->dirfd);
	free(f->tmp);
	free(f->path);
	*f = (struct newfile)NEWFILE_INIT;
}

int fd_spool(davit_err *e)
{
	const char *dir = secure_getenv("TMPDIR");
	AUTO_FREE char *name = NULL;
	int fd;

	dir = dir && *dir ? dir : P_tmpdir;
	fd = open(dir, O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
	/* File systems without unnamed files. */
	if (asprintf(&name, "%s/.davit-XXXXXX", dir) < 0) {
		name = NULL;
		return err_nomem(e);
	}
	fd = mkostemp(name, O_CLOEXEC);
	if (fd < 0)
		return err_errno(e, errno, "cannot make a temporary file in %s", dir);
	unlink(name);
	return fd;
}

#include "api/body.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/limits.h"
#include "wire/digest.h"

static int mem_read(void *user, void *buf, size_t cap, size_t *got)
{
	struct body *b = user;
	size_t n = b->n - b->at < cap ? b->n - b->at : cap;

	if (n)
		memcpy(buf, b->p + b->at, n);
	b->at += n;
	*got = n;
	return 0;
}

static int mem_rewind(void *user)
{
	((struct body *)user)->at = 0;
	return 0;
}

void body_set_bytes(struct body *b, const char *p, size_t n)
{
	b->there = true;
	b->used = false;
	b->p = p;
	b->n = n;
	b->at = 0;
	b->source = (davit_source){ .read = mem_read, .rewind = mem_rewind, .user = b, .size = (int64_t)n };
}

static int spool_read(void *user, void *buf, size_t cap, size_t *got)
{
	const struct body *b = user;
	ssize_t n;

	do
		n = read(b->fd, buf, cap);
	while (n < 0 && errno == EINTR);
	*got = n > 0 ? (size_t)n : 0;
	return n < 0 ? DAVIT_EIO : 0;
}

static int spool_rewind(void *user)
{
	const struct body *b = user;

	return lseek(b->fd, 0, SEEK_SET) < 0 ? DAVIT_EIO : 0;
}

void body_set_source(struct body *b, const davit_source *s)
{
	b->there = true;
	b->used = false;
	b->source = *s;
}

static int out_read(void *user, void *buf, size_t cap, size_t *got)
{
	struct body *b = user;

	b->used = true;
	return b->source.read(b->source.user, buf, cap, got);
}

static int out_rewind(void *user)
{
	struct body *b = user;

	return b->source.rewind(b->source.user);
}

davit_source body_out(struct body *b)
{
	return (davit_source){ .read = out_read,
			       .rewind = b->source.rewind ? out_rewind : NULL,
			       .user = b,
			       .size = b->source.size };
}

bool body_can_resend(const struct body *b)
{
	return !b->there || !b->used || b->source.rewind;
}

int body_rewind(struct body *b, davit_err *e)
{
	int r;

	if (!b->there || !b->used)
		return 0;
	r = b->source.rewind(b->source.user);
	if (r < 0)
		return err_callback(e, r, "going back to the start of the body");
	b->used = false;
	return 0;
}

/* Where a body goes while it is hashed: nowhere if it can be read again, else to memory and then to a file.
 */
static int keep(struct body *b, const void *p, size_t n, int64_t before, davit_err *e)
{
	int r;

	if (b->source.rewind)
		return 0;
	if ((int64_t)n > LIMIT_SPOOL - before)
		return err_set(e, DAVIT_ELIMIT,
			       "a body that can be read only once and must be signed is longer than "
			       "%d bytes: give a source that can be rewound",
			       LIMIT_SPOOL);
	if (b->fd < 0 && n <= b->held.max - b->held.len) {
		buf_add(&b->held, p, n);
		return buf_check(&b->held, "the body", e);
	}
	if (b->fd < 0) {
		b->fd = fd_spool(e);
		if (b->fd < 0)
			return b->fd;
		r = fd_write_all(b->fd, b->held.p, b->held.len);
		buf_fini(&b->held);
		if (r)
			return err_errno(e, -r, "writing the body to a temporary file");
	}
	r = fd_write_all(b->fd, p, n);
	return r ? err_errno(e, -r, "writing the body to a temporary file") : 0;
}

/* Makes what keep() kept the new source. */
static int switch_source(struct body *b, int64_t size, davit_err *e)
{
	if (b->source.rewind)
		return body_rewind(b, e);
	if (b->fd < 0) {
		body_set_bytes(b, buf_str(&b->held), b->held.len);
		return 0;
	}
	b->source = (davit_source){ .read = spool_read, .rewind = spool_rewind, .user = b, .size = size };
	return body_rewind(b, e);
}

static int hash_all(struct body *b, struct digest *d, davit_err *e)
{
	size_t cap = b->chunk ? b->chunk : LIMIT_CHUNK_DEFAULT, got;
	AUTO_FREE char *piece = malloc(cap);
	int64_t size = 0;
	int r;

	if (!piece)
		return err_nomem(e);
	for (;;) {
		b->used = true;
		r = b->source.read(b->source.user, piece, cap, &got);
		if (r < 0)
			return err_callback(e, r, "reading the body");
		if (got > cap)
			return err_set(e, DAVIT_EARG,
				       "the body source gave %zu bytes where %zu were asked for", got, cap);
		if (!got)
			return switch_source(b, size, e);
		if (digest_update(d, piece, got))
			return err_set(e, DAVIT_EIO, "hashing the body failed");
		r = keep(b, piece, got, size, e);
		if (r)
			return r;
		size += (int64_t)got;
	}
}

int body_hash(struct body *b, davit_err *e)
{
	unsigned char sum[64];
	struct digest *d;
	size_t n;
	int r;

	if (b->sha256[0])
		return 0;
	r = digest_new(DIGEST_SHA256, &d, e);
	if (r)
		return r;
	if (b->there && b->source.read == mem_read)
		r = digest_update(d, b->p, b->n) ? err_set(e, DAVIT_EIO, "hashing the body failed") : 0;
	else
		r = b->there ? hash_all(b, d, e) : 0;
	if (!r)
		r = digest_bytes(d, sum, &n, e);
	if (!r)
		hex_encode(sum, n, b->sha256);
	digest_free(d);
	return r;
}

void body_fini(struct body *b)
{
	buf_fini(&b->held);
	if (b->fd >= 0)
		close(b->fd);
	b->fd = -1;
	b->there = false;
	b->used = false;
	b->sha256[0] = 0;
	b->source = (davit_source){ 0 };
}

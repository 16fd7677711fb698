/*
 * Pulling blobs. The bytes go to the sink as they come and are hashed beside it; a connection that breaks is
 * continued behind the last byte that the sink has.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/limits.h"
#include "services/registry/blob.h"

enum {
	FLUSH_STEP = 32 << 20,  /* bytes of a file after which the kernel begins to write them to disk */
	PROGRESS_STEP = 16 << 20, /* bytes after which a break counts as the first again */
};

/* One blob on its way. */
struct pull {
	const davit_registry_pull_opts *opts; /* may be NULL */
	const char *digest;
	const davit_sink *sink;
	struct registry_meter meter;
	struct registry_hash hash;
	uint64_t done;      /* bytes that the sink has */
	uint64_t skip;      /* bytes of this answer that the sink has already */
	int64_t total;      /* -1: not known */
	bool begun;         /* begin was told */
	bool encoded;       /* Content-Encoding: offsets mean nothing */
};

/* Digits up to the character end, which is taken too; false without them or for more than 64 bits. */
static bool take_number(const char **p, char end, uint64_t *out)
{
	const char *s = *p;
	size_t n = strspn(s, "0123456789");

	if (!n || s[n] != end)
		return false;
	errno = 0;
	*out = strtoull(s, NULL, 10);
	*p = end ? s + n + 1 : s + n;
	return errno == 0;
}

struct content_range {
	uint64_t from, to, total;
	bool known; /* total was given, not "*" */
};

static bool parse_range(const char *text, struct content_range *out)
{
	const char *p = text + strlen("bytes ");

	if (strncmp(text, "bytes ", strlen("bytes ")) != 0 || !take_number(&p, '-', &out->from) ||
	    !take_number(&p, '/', &out->to))
		return false;
	out->known = strcmp(p, "*") != 0;
	return !out->known || take_number(&p, 0, &out->total);
}

/* "bytes 5-9/10": the answer must begin where we stopped. */
static int check_range(struct pull *p, const struct headers *h, davit_err *e)
{
	const char *range = headers_get(h, "Content-Range");
	struct content_range got = { 0 };

	if (!range)
		return err_set(e, DAVIT_EPROTO, "a part of %s came without Content-Range", p->digest);
	if (!parse_range(range, &got))
		return err_set(e, DAVIT_EPROTO, "Content-Range \"%s\" cannot be understood", range);
	if (got.from != p->done || got.to < got.from ||
	    (got.known && p->total >= 0 && got.total != (uint64_t)p->total))
		return err_set(e, DAVIT_EPROTO, "asked for %s from byte %" PRIu64 " on, got \"%s\"",
			       p->digest, p->done, range);
	return 0;
}

/* The first head: the size is known now. */
static int begin(struct pull *p, const struct headers *h, davit_err *e)
{
	const char *length = headers_get(h, "Content-Length"), *coding = headers_get(h, "Content-Encoding");
	int r;

	p->begun = true;
	p->encoded = coding && *coding && strcmp(coding, "identity") != 0;
	p->total = -1;
	if (length && !p->encoded && !registry_parse_size(length, &p->total))
		return err_set(e, DAVIT_EPROTO, "Content-Length \"%s\" is no size", length);
	p->meter.info.total = p->total;
	r = p->opts && p->opts->begin ? p->opts->begin(p->opts->begin_user, p->digest, p->total) : 0;
	if (r < 0)
		return err_callback(e, r, "the begin callback");
	r = registry_meter_start(&p->meter);
	return r < 0 ? err_callback(e, r, "the progress callback") : 0;
}

static int on_head(void *user, int status, const struct headers *h, davit_err *e)
{
	struct pull *p = user;

	if (!p->begun)
		return status == 200
			   ? begin(p, h, e)
			   : err_set(e, DAVIT_EPROTO, "a part of %s came where all was asked for", p->digest);
	p->skip = 0;
	if (status == 206)
		return check_range(p, h, e);
	/*
	 * The server does not do ranges: what we have comes once more. The digest tells whether it is the
	 * same.
	 */
	p->skip = p->done;
	return 0;
}

static int on_bytes(void *user, const void *bytes, size_t n, davit_err *e)
{
	struct pull *p = user;
	const char *from = bytes;
	int r;

	if (p->skip) {
		size_t drop = n < p->skip ? n : (size_t)p->skip;

		p->skip -= drop;
		from += drop;
		n -= drop;
	}
	if (!n)
		return 0;
	r = registry_hash_add(&p->hash, from, n, e);
	if (r)
		return r;
	r = p->sink->write(p->sink->user, from, n);
	if (r < 0)
		return err_callback(e, r, "writing the blob");
	p->done += n;
	r = registry_meter_add(&p->meter, n);
	return r < 0 ? err_callback(e, r, "the progress callback") : 0;
}

/* One GET, from byte p->done on. */
static int get_some(davit_registry *r, struct pull *p, struct call *c, davit_err *e)
{
	struct headers h = { 0 };
	const struct stream_to to = { .body = on_bytes, .head = on_head, .user = p };
	char range[64];
	int rc = 0;

	if (p->begun && p->done) {
		snprintf(range, sizeof range, "bytes=%" PRIu64 "-", p->done);
		rc = headers_add(&h, "Range", range, e);
	}
	c->headers = &h;
	if (!rc)
		rc = registry_stream(r, c, &to, NULL, e);
	c->headers = NULL;
	headers_fini(&h);
	return rc;
}

/* GETs until all is there or nothing helps. */
static int get_all(davit_registry *r, struct pull *p, struct call *c, davit_err *e)
{
	unsigned left = registry_retries(r), n = 0;

	for (;;) {
		uint64_t before = p->done;
		int rc = get_some(r, p, c, e);

		/* Without a byte the attempt loop has tried all it may. */
		if (!rc || p->done == before || p->encoded || !registry_passing(rc, e))
			return rc;
		if (p->done - before >= PROGRESS_STEP)
			n = 0;
		if (n >= left)
			return rc;
		rc = registry_wait(r, n++, e);
		if (rc)
			return rc;
	}
}

static int verify(struct pull *p, davit_err *e)
{
	int r = registry_hash_end(&p->hash, e);

	if (r)
		return r;
	if (strcmp(p->hash.text, p->digest) != 0)
		return err_set(e, DAVIT_EINTEGRITY, "expected digest %s, got %s (%" PRIu64 " bytes)",
			       p->digest, p->hash.text, p->done);
	r = registry_meter_end(&p->meter);
	return r < 0 ? err_callback(e, r, "the progress callback") : 0;
}

static int pull_checked(davit_registry *r, struct pull *p, struct call *c, davit_err *e)
{
	enum digest_alg alg = DIGEST_SHA256;
	davit_err unknown = { 0 };
	const char *hex;
	int rc = registry_chunk(p->opts ? p->opts->chunk_size : 0, &c->chunk, e);

	if (rc)
		return rc;
	/*
	 * A digest that is none was let through by check_names: the registry will refuse it, or it will not
	 * match.
	 */
	(void)digest_parse(p->digest, &alg, &hex, &unknown);
	rc = registry_hash_init(&p->hash, alg, e);
	if (!rc)
		rc = get_all(r, p, c, e);
	return rc ? rc : err_at(e, verify(p, e), "%s/%s: ", r->host, c->path[0]);
}

int davit_registry_blob_pull(davit_registry *r, const char *repo, const char *digest,
			     const davit_registry_pull_opts *opts, const davit_sink *sink,
			     davit_registry_descriptor **out, davit_err *e)
{
	AUTO_BUF struct buf name = BUF_INIT(LIMIT_URL);
	struct call c = { .ep = REGISTRY_ROW(R_BLOB_GET), .decode = true };
	struct pull p = { .opts = opts, .digest = digest, .sink = sink };
	davit_err own = { 0 };
	int rc = CHECK_OPTS(opts, davit_registry_pull_opts, e);

	if (!rc && (!sink || !sink->write))
		rc = err_set(e, DAVIT_EARG, "the sink for the blob is missing");
	if (!rc)
		rc = registry_check_blob(r, repo, digest, &name, e);
	if (rc)
		return rc;
	c.path = PATH(buf_str(&name), digest);
	registry_meter_init(&p.meter, r, opts ? &opts->progress : NULL, digest, -1);
	rc = pull_checked(r, &p, &c, &own);
	registry_hash_fini(&p.hash);
	if (!rc)
		rc = registry_descriptor(digest, (int64_t)p.done, NULL, out, &own);
	if (rc && e)
		*e = own;
	return rc;
}

/* --- into a file ------------------------------------------------------------------------------- */

/* The sink of a file. */
struct file_sink {
	int fd;
	int errnum;      /* errno of a failed write */
	off_t done, flushed;
};

static int write_file(void *user, const void *p, size_t n)
{
	struct file_sink *s = user;
	int r = fd_write_all(s->fd, p, n);

	if (r < 0) {
		s->errnum = -r;
		return r;
	}
	s->done += (off_t)n;
	/*
	 * So that the disk works while we receive, and little is left for fsync(). Only a hint: failure is
	 * fine.
	 */
	if (s->done - s->flushed >= FLUSH_STEP) {
		(void)sync_file_range(s->fd, s->flushed, s->done - s->flushed, SYNC_FILE_RANGE_WRITE);
		s->flushed = s->done;
	}
	return 0;
}

int davit_registry_blob_pull_file(davit_registry *r, const char *repo, const char *digest,
				  const davit_registry_pull_opts *opts, const char *path,
				  davit_registry_descriptor **out, davit_err *e)
{
	struct newfile f = NEWFILE_INIT;
	struct file_sink s = { 0 };
	const davit_sink sink = { write_file, &s };
	davit_registry_descriptor *made = NULL;
	int rc;

	if (!path || !*path)
		return err_set(e, DAVIT_EARG, "the name of the file is missing");
	rc = newfile_open(&f, path, 0666, e);
	if (rc)
		return rc;
	s.fd = f.fd;
	rc = davit_registry_blob_pull(r, repo, digest, opts, &sink, out ? &made : NULL, e);
	if (s.errnum)
		rc = err_errno(e, s.errnum, "cannot write %s", path);
	if (!rc)
		rc = newfile_commit(&f, e);
	newfile_fini(&f);
	if (rc)
		davit_reply_free(made);
	else if (out)
		*out = made;
	return rc;
}

/*
 * Pushing blobs. What can be read twice, or has a known digest, goes in one PUT; what can be read only once
 * goes by PATCH and is named afterwards. A digest that we did not compute ourselves in a first pass is
 * computed while the bytes are sent; the registry checks the other, and refuses a source that changed
 * meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/limits.h"
#include "services/registry/blob.h"

/* --- upload sessions --------------------------------------------------------------------------- */

/* A proxy that ends TLS often makes the registry say http about itself. */
static void keep_tls(const struct uri *base, struct uri *u)
{
	if (strcmp(base->scheme, "https") != 0 || strcmp(u->scheme, "http") != 0 ||
	    strcmp(base->host, u->host) != 0)
		return;
	if (u->port != 80 && u->port != base->port)
		return;
	u->scheme = base->scheme;
	u->port = base->port;
}

/* Resolves the Location of an answer; where is the URL that was asked. */
static int take_location(davit_registry *r, struct registry_session *s, const char *location,
			 const char *where, davit_err *e)
{
	struct arena mem = { 0 };
	struct uri asked, to;
	int rc = uri_parse(where, &mem, &asked, e);

	if (!rc)
		rc = err_at(e, uri_resolve(&asked, location, &mem, &to, e), "the Location of an upload: ");
	if (!rc) {
		keep_tls(&r->api->base, &to);
		buf_clear(&s->url);
		uri_write(&to, &s->url);
		rc = buf_check(&s->url, "the Location of an upload", e);
	}
	arena_fini(&mem);
	return rc;
}

int registry_session_begin(davit_registry *r, struct registry_session *s, const char *name, const void *reply,
			   davit_err *e)
{
	const char *location = davit_reply_header(reply, "Location");
	AUTO_BUF struct buf asked = BUF_INIT(LIMIT_URL);
	int rc;

	if (!location || !*location)
		return err_set(e, DAVIT_EPROTO, "%s began an upload without saying where (no Location)",
			       davit_registry_url(r));
	uri_write(&r->api->base, &asked);
	buf_puts(&asked, "/v2/");
	pct_encode(&asked, name, "/");
	buf_puts(&asked, "/blobs/uploads/");
	rc = buf_check(&asked, "the URL", e);
	return rc ? rc : take_location(r, s, location, buf_str(&asked), e);
}

int registry_session_next(davit_registry *r, struct registry_session *s, const void *reply, davit_err *e)
{
	const char *location = davit_reply_header(reply, "Location");
	AUTO_FREE char *asked = NULL;

	if (!location || !*location)
		return 0;
	asked = strdup(buf_str(&s->url));
	return asked ? take_location(r, s, location, asked, e) : err_nomem(e);
}

void registry_session_cancel(davit_registry *r, struct registry_session *s)
{
	const struct call c = { .ep = REGISTRY_ROW(R_UPLOAD_CANCEL), .url = buf_str(&s->url), .tidy = true };

	(void)registry_call(r, &c, NULL, NULL);
}

void registry_session_fini(struct registry_session *s)
{
	buf_fini(&s->url);
}

/* --- a source that is hashed and counted on its way ------------------------------------------- */

struct push {
	davit_registry *r;
	const char *name;           /* the repository as in paths */
	const davit_source *src;
	const davit_registry_push_opts *opts; /* may be NULL */
	size_t chunk;
	const char *digest;         /* known, or NULL */
	char computed[DAVIT_DIGEST_MAX]; /* by a first pass: digest points here */
	int64_t size;               /* known, or -1 */
	struct registry_hash hash;  /* of the sending */
	struct registry_meter meter;
	uint64_t sent;
	bool started;               /* the meter was */
	davit_err err;              /* a failure of our own inside of the source */
};

/* Whether a first pass has hashed the source: a second time would only cost. */
static bool is_hashed(const struct push *p)
{
	return p->digest && p->digest == p->computed;
}

/*
 * All was read: is it what was promised? Before the last bytes go out, so that a wrong blob never gets whole.
 */
static int check_sent(struct push *p)
{
	if (p->size >= 0 && p->sent != (uint64_t)p->size)
		return err_set(&p->err, DAVIT_EINTEGRITY,
			       "the source gave %" PRIu64 " bytes, expected %" PRId64
			       ": it changed while it was pushed",
			       p->sent, p->size);
	if (is_hashed(p))
		return 0;
	if (registry_hash_end(&p->hash, &p->err))
		return p->err.code;
	if (p->digest && strcmp(p->digest, p->hash.text) != 0)
		return err_set(&p->err, DAVIT_EINTEGRITY, "expected digest %s, got %s: the source is another",
			       p->digest, p->hash.text);
	return 0;
}

static int start_sending(struct push *p)
{
	p->started = true;
	return registry_meter_start(&p->meter);
}

static int read_source(void *user, void *buf, size_t cap, size_t *got)
{
	struct push *p = user;
	int r = p->started ? 0 : start_sending(p);

	*got = 0;
	if (!r)
		r = p->src->read(p->src->user, buf, cap, got);
	if (r < 0)
		return r;
	p->sent += *got;
	if (*got && !is_hashed(p) && registry_hash_add(&p->hash, buf, *got, &p->err))
		return p->err.code;
	if ((!*got || (p->size >= 0 && p->sent >= (uint64_t)p->size)) && check_sent(p))
		return p->err.code;
	r = registry_meter_add(&p->meter, *got);
	return r < 0 ? r : 0;
}

static int rewind_source(void *user)
{
	struct push *p = user;

	p->sent = 0;
	p->started = false;
	if (registry_hash_reset(&p->hash, &p->err))
		return p->err.code;
	return p->src->rewind(p->src->user);
}

static int send_body(struct push *p, const struct endpoint *ep, const char *url, void **reply, davit_err *e)
{
	const davit_source source = {
		.read = read_source,
		.rewind = p->src->rewind ? rewind_source : NULL,
		.user = p,
		.size = p->size,
	};
	const struct call c = {
		.ep = ep, .path = PATH(p->name), .url = url, .source = &source, .chunk = p->chunk,
		.content_type = "application/octet-stream",
	};
	int rc = p->size ? 0 : check_sent(p);

	if (!rc)
		rc = registry_upload(p->r, &c, reply, e);
	if (p->err.code) {
		*e = p->err;
		return p->err.code;
	}
	return rc;
}

/* url + digest=, percent-encoded; the rest stays as the registry wrote it. */
static int final_url(const struct registry_session *s, const char *digest, struct buf *out, davit_err *e)
{
	const char *url = buf_str(&s->url), *query = strchr(url, '?');

	buf_puts(out, url);
	if (!query)
		buf_putc(out, '?');
	else if (query[1] && url[s->url.len - 1] != '&')
		buf_putc(out, '&');
	buf_puts(out, "digest=");
	pct_encode(out, digest, "");
	return buf_check(out, "the URL of an upload", e);
}

/* The registry's word for a body that is not what its digest says. */
static int explain_put(int rc, davit_err *e)
{
	if (rc != DAVIT_EREMOTE || e->http != 400 || strcmp(e->remote, "DIGEST_INVALID") != 0)
		return rc;
	return err_at(e, DAVIT_EINTEGRITY, "the source changed while it was pushed, or the way damaged it: ");
}

static int send_whole(struct push *p, struct registry_session *s, davit_err *e)
{
	AUTO_BUF struct buf url = BUF_INIT(LIMIT_URL);
	int rc = final_url(s, p->digest, &url, e);

	return rc ? rc : explain_put(send_body(p, REGISTRY_ROW(R_UPLOAD_FINISH), buf_str(&url), NULL, e), e);
}

/* An empty body for the PUT that ends a PATCH. */
static int read_nothing(void *user, void *buf, size_t cap, size_t *got)
{
	(void)user;
	(void)buf;
	(void)cap;
	*got = 0;
	return 0;
}

static int rewind_nothing(void *user)
{
	(void)user;
	return 0;
}

static int send_stream(struct push *p, struct registry_session *s, davit_err *e)
{
	static const davit_source nothing = { .read = read_nothing, .rewind = rewind_nothing, .size = 0 };
	AUTO_BUF struct buf url = BUF_INIT(LIMIT_URL);
	struct call c = {
		.ep = REGISTRY_ROW(R_UPLOAD_FINISH), .path = PATH(p->name), .source = &nothing,
	};
	void *reply;
	int rc = send_body(p, REGISTRY_ROW(R_UPLOAD_CHUNK), buf_str(&s->url), &reply, e);

	if (rc)
		return rc;
	rc = registry_session_next(p->r, s, reply, e);
	davit_reply_free(reply);
	memcpy(p->computed, p->hash.text, sizeof p->computed);
	p->digest = p->computed;
	if (!rc)
		rc = final_url(s, p->digest, &url, e);
	c.url = buf_str(&url);
	return rc ? rc : explain_put(registry_upload(p->r, &c, NULL, e), e);
}

/* POST, then the bytes; on failure the session is given back. */
static int upload(struct push *p, davit_err *e)
{
	const struct call start = { .ep = REGISTRY_ROW(R_UPLOAD_START), .path = PATH(p->name) };
	struct registry_session s = REGISTRY_SESSION_INIT;
	void *reply;
	int rc = registry_call(p->r, &start, &reply, e);

	if (rc)
		return rc;
	rc = registry_session_begin(p->r, &s, p->name, reply, e);
	davit_reply_free(reply);
	if (!rc) {
		rc = p->digest ? send_whole(p, &s, e) : send_stream(p, &s, e);
		if (rc)
			registry_session_cancel(p->r, &s);
	}
	registry_session_fini(&s);
	return rc;
}

/* The same again, from the beginning, as long as the failure may pass and the source can be read again. */
static int upload_again(struct push *p, davit_err *e)
{
	unsigned left = p->src->rewind ? registry_retries(p->r) : 0;

	for (unsigned n = 0;; n++) {
		int rc = upload(p, e);

		if (!rc || n >= left || !p->sent || !registry_passing(rc, e))
			return rc;
		rc = registry_wait(p->r, n, e);
		if (!rc && rewind_source(p) < 0)
			rc = err_set(e, DAVIT_EIO, "the source cannot be read again");
		if (rc)
			return rc;
	}
}

/* --- before the upload ------------------------------------------------------------------------- */

/* One read of the first pass; the source must not use the handle, as in a transfer. */
static int read_first(struct push *p, void *piece, size_t *got, davit_err *e)
{
	int rc;

	p->r->api->busy = true;
	rc = p->src->read(p->src->user, piece, p->chunk, got);
	p->r->api->busy = false;
	if (rc < 0)
		return err_callback(e, rc, "reading the source");
	if (*got > p->chunk)
		return err_set(e, DAVIT_EARG, "the source gave %zu bytes where %zu were asked for", *got,
			       p->chunk);
	return cancel_check(http_client_opts(p->r->api->http)->cancel, e);
}

/* Reads the source once to learn its digest and size, and goes back. */
static int first_pass(struct push *p, davit_err *e)
{
	AUTO_FREE char *piece = malloc(p->chunk);
	struct digest *d = NULL;
	uint64_t n = 0;
	size_t got = 0;
	int rc = piece ? digest_new(DIGEST_SHA256, &d, e) : err_nomem(e);

	while (!rc) {
		rc = read_first(p, piece, &got, e);
		if (rc || !got)
			break;
		n += got;
		if (digest_update(d, piece, got))
			rc = err_nomem(e);
	}
	if (!rc)
		rc = digest_text(d, p->computed, e);
	digest_free(d);
	if (!rc && p->src->size >= 0 && n != (uint64_t)p->src->size)
		rc = err_set(e, DAVIT_EINTEGRITY, "the source gave %" PRIu64 " bytes, expected %" PRId64, n,
			     p->src->size);
	if (rc)
		return rc;
	p->size = (int64_t)n;
	p->digest = p->computed;
	rc = p->src->rewind(p->src->user);
	return rc < 0 ? err_callback(e, rc, "going back to the start of the source") : 0;
}

/* 1: the registry has it; its size is then known. A blob of another size is not the one that is pushed. */
static int is_there(struct push *p, davit_err *e)
{
	const struct call c = { .ep = REGISTRY_ROW(R_BLOB_STAT), .path = PATH(p->name, p->digest) };
	davit_registry_descriptor *d;
	int rc = registry_stat(p->r, &c, p->digest, &d, e);

	if (rc == DAVIT_ENOTFOUND)
		return 0;
	if (rc)
		return rc;
	if (p->size < 0)
		p->size = d->size;
	rc = d->size < 0 || d->size == p->size;
	davit_reply_free(d);
	return rc;
}

static int prepare(struct push *p, davit_err *e)
{
	const davit_registry_push_opts *o = p->opts;
	enum digest_alg alg = DIGEST_SHA256;
	const char *hex;
	int rc = registry_chunk(o ? o->chunk_size : 0, &p->chunk, e);

	if (!rc && o && o->digest)
		rc = digest_parse(o->digest, &alg, &hex, e);
	if (rc)
		return rc;
	p->digest = o ? o->digest : NULL;
	p->size = p->src->size;
	if (!p->digest && p->src->rewind)
		rc = first_pass(p, e);
	return rc ? rc : registry_hash_init(&p->hash, alg, e);
}

static int push(struct push *p, davit_err *e)
{
	bool ask = !p->opts || p->opts->check_exists != DAVIT_NO;
	int rc = prepare(p, e);

	if (!rc && p->digest && ask)
		rc = is_there(p, e);
	if (rc)
		return rc < 0 ? rc : 0;
	registry_meter_init(&p->meter, p->r, p->opts ? &p->opts->progress : NULL,
			    p->digest ? p->digest : "upload", p->size);
	rc = upload_again(p, e);
	if (rc)
		return rc;
	p->size = (int64_t)p->sent;
	rc = p->started ? 0 : start_sending(p);
	if (!rc)
		rc = registry_meter_end(&p->meter);
	return rc < 0 ? err_callback(e, rc, "the progress callback") : 0;
}

int davit_registry_blob_push(davit_registry *r, const char *repo, const davit_source *src,
			     const davit_registry_push_opts *opts, davit_registry_descriptor **out,
			     davit_err *e)
{
	AUTO_BUF struct buf name = BUF_INIT(LIMIT_URL);
	struct push p = { .r = r, .src = src, .opts = opts };
	davit_err own = { 0 };
	int rc = CHECK_OPTS(opts, davit_registry_push_opts, e);

	if (!rc && (!src || !src->read))
		rc = err_set(e, DAVIT_EARG, "the source of the blob is missing");
	if (!rc)
		rc = registry_repo(r, repo, &name, e);
	if (rc)
		return rc;
	p.name = buf_str(&name);
	rc = push(&p, &own);
	registry_hash_fini(&p.hash);
	if (!rc)
		rc = registry_descriptor(p.digest, p.size, NULL, out, &own);
	if (rc && e)
		*e = own;
	return rc;
}

/* --- files ------------------------------------------------------------------------------------- */

struct file_source {
	int fd;
	int errnum; /* errno of a failure */
};

static int read_file(void *user, void *buf, size_t cap, size_t *got)
{
	struct file_source *f = user;
	ssize_t n;

	do
		n = read(f->fd, buf, cap);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		f->errnum = errno;
		return -f->errnum;
	}
	*got = (size_t)n;
	return 0;
}

static int rewind_file(void *user)
{
	struct file_source *f = user;

	if (lseek(f->fd, 0, SEEK_SET) == 0)
		return 0;
	f->errnum = errno;
	return -f->errnum;
}

int davit_registry_blob_push_file(davit_registry *r, const char *repo, const char *path,
				  const davit_registry_push_opts *opts, davit_registry_descriptor **out,
				  davit_err *e)
{
	AUTO_CLOSE int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) : -1;
	struct file_source f = { .fd = fd };
	davit_source src = { .read = read_file, .user = &f, .size = -1 };
	struct stat st;
	int rc;

	if (!path)
		return err_set(e, DAVIT_EARG, "the name of the file is missing");
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(e, errno, "cannot read %s", path);
	if (S_ISDIR(st.st_mode))
		return err_errno(e, EISDIR, "cannot read %s", path);
	if (S_ISREG(st.st_mode)) {
		src.rewind = rewind_file;
		/* Else the first pass tells; a file may grow until then. */
		if (opts && opts->digest)
			src.size = st.st_size;
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	}
	rc = davit_registry_blob_push(r, repo, &src, opts, out, e);
	return f.errnum ? err_errno(e, f.errnum, "cannot read %s", path) : rc;
}

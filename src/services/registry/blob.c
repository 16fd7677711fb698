/* Blobs without moving their bytes: stat, exists, mount, delete. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/limits.h"
#include "services/registry/blob.h"

int registry_stat(davit_registry *r, const struct call *c, const char *digest,
		  davit_registry_descriptor **out, davit_err *e)
{
	davit_registry_descriptor *d;
	const char *length;
	void *reply;
	int rc = registry_call(r, c, &reply, e);

	if (rc)
		return rc;
	d = reply;
	d->size = -1;
	length = davit_reply_header(d, "Content-Length");
	if (length && !registry_parse_size(length, &d->size)) {
		rc = err_set(e, DAVIT_EPROTO, "%s: Content-Length: \"%s\" is no size", c->ep->name, length);
		davit_reply_free(d);
		return rc;
	}
	if (digest)
		d->digest = arena_strdup(reply_arena(d), digest);
	if (digest && !d->digest) {
		davit_reply_free(d);
		return err_nomem(e);
	}
	*out = d;
	return 0;
}

bool registry_parse_size(const char *text, int64_t *out)
{
	char *end;
	long long n;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	n = strtoll(text, &end, 10);
	if (errno || *end)
		return false;
	*out = n;
	return true;
}

int davit_registry_blob_stat(davit_registry *r, const char *repo, const char *digest,
			     davit_registry_descriptor **out, davit_err *e)
{
	AUTO_BUF struct buf name = BUF_INIT(LIMIT_URL);
	struct call c = { .ep = REGISTRY_ROW(R_BLOB_STAT) };
	int rc = registry_check_blob(r, repo, digest, &name, e);

	if (rc)
		return rc;
	c.path = PATH(buf_str(&name), digest);
	return registry_stat(r, &c, digest, out, e);
}

int davit_registry_blob_exists(davit_registry *r, const char *repo, const char *digest, bool *out,
			       davit_err *e)
{
	davit_registry_descriptor *d;
	davit_err own = { 0 };
	int rc = davit_registry_blob_stat(r, repo, digest, &d, &own);

	if (rc && rc != DAVIT_ENOTFOUND) {
		if (e)
			*e = own;
		return rc;
	}
	if (!rc)
		davit_reply_free(d);
	*out = !rc;
	return 0;
}

int davit_registry_blob_delete(davit_registry *r, const char *repo, const char *digest, davit_err *e)
{
	AUTO_BUF struct buf name = BUF_INIT(LIMIT_URL);
	struct call c = { .ep = REGISTRY_ROW(R_BLOB_DELETE) };
	int rc = registry_check_blob(r, repo, digest, &name, e);

	if (rc)
		return rc;
	c.path = PATH(buf_str(&name), digest);
	return registry_call(r, &c, NULL, e);
}

int davit_registry_blob_mount(davit_registry *r, const char *repo, const char *from, const char *digest,
			      davit_err *e)
{
	AUTO_BUF struct buf name = BUF_INIT(LIMIT_URL), source = BUF_INIT(LIMIT_URL);
	struct registry_mount_query q = { .mount = digest };
	struct call c = { .ep = REGISTRY_ROW(R_UPLOAD_MOUNT), .in = &q };
	struct registry_session s = REGISTRY_SESSION_INIT;
	void *reply;
	int rc = registry_check_blob(r, repo, digest, &name, e);

	if (!rc)
		rc = registry_repo(r, from, &source, e);
	if (rc)
		return rc;
	q.from = buf_str(&source);
	c.path = PATH(buf_str(&name));
	rc = registry_call(r, &c, &reply, e);
	if (rc)
		return rc;
	if (davit_reply_status(reply) == 201) {
		davit_reply_free(reply);
		return 0;
	}
	/* The registry began an ordinary upload instead. */
	if (registry_session_begin(r, &s, buf_str(&name), reply, NULL) == 0)
		registry_session_cancel(r, &s);
	registry_session_fini(&s);
	davit_reply_free(reply);
	return err_set(e, DAVIT_EUNSUPPORTED,
		       "Cross repository blob mount failed: %s would not take %s from %s; "
		       "push the blob instead",
		       davit_registry_url(r), digest, from);
}

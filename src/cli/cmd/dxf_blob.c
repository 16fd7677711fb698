#include <errno.h>
#include <inttypes.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/limits.h"
#include "cli/cmd/dxf.h"
#include "cli/out.h"

static int print_digest(const char *digest, davit_err *e)
{
	AUTO_BUF struct buf out = BUF_INIT(OUT_MAX);

	buf_printf(&out, "%s\n", digest);
	return out_buf(&out, e);
}

/* Points the alias (given with its "@", or NULL for none) at one blob. */
static int set_alias(struct dxf *d, const char *alias, const char *digest, davit_err *e)
{
	if (!alias)
		return 0;
	return davit_registry_alias_set(d->r, d->repo, alias + 1, &(davit_strv){ &digest, 1 }, NULL, e);
}

int dxf_push_blob(struct dxf *d, davit_err *e)
{
	const davit_registry_push_opts *opts =
		DAVIT_OPTS(davit_registry_push_opts, .progress = dxf_bar_begin(d->bar));
	davit_registry_descriptor *blob;
	int rc = davit_registry_blob_push_file(d->r, d->repo, d->v[0], opts, &blob, e);

	dxf_bar_end(d->bar);
	if (rc)
		return rc;
	rc = set_alias(d, d->n > 1 ? d->v[1] : NULL, blob->digest, e);
	if (!rc)
		rc = print_digest(blob->digest, e);
	davit_reply_free(blob);
	return rc;
}

int dxf_mount_blob(struct dxf *d, davit_err *e)
{
	int rc = davit_registry_blob_mount(d->r, d->repo, d->v[0], d->v[1], e);

	if (!rc)
		rc = set_alias(d, d->n > 2 ? d->v[2] : NULL, d->v[1], e);
	return rc ? rc : print_digest(d->v[1], e);
}

/* Something that pull-blob or del-blob works on: what an alias stands for, or a digest as it was given. */
struct target {
	const char *digest;
	davit_registry_alias *alias; /* NULL for a digest */
};

struct targets {
	struct target *v;
	size_t n;
};

static void targets_fini(struct targets *t)
{
	for (size_t i = 0; i < t->n; i++)
		davit_reply_free(t->v[i].alias);
	free(t->v);
}

/* All aliases among the arguments are read before the first blob is touched. */
static int targets_read(struct dxf *d, const char *platform, struct targets *t, davit_err *e)
{
	size_t n = d->n ? d->n : 1;

	t->v = calloc(n, sizeof *t->v);
	if (!t->v)
		return err_nomem(e);
	for (; t->n < n; t->n++) {
		struct target *to = &t->v[t->n];
		int rc = 0;

		if (!d->n)
			rc = dxf_alias_read(d, NULL, NULL, &to->alias, e);
		else if (*d->v[t->n] == '@')
			rc = dxf_alias_read(d, d->v[t->n] + 1, platform, &to->alias, e);
		else
			to->digest = d->v[t->n];
		if (rc)
			return rc;
	}
	return 0;
}

struct pull {
	struct dxf *d;
	size_t chunk;
	bool info;     /* DXF_BLOB_INFO */
	davit_err why; /* of a failed line of it */
};

static int print_info(void *user, const char *digest, int64_t size)
{
	struct pull *p = user;
	AUTO_BUF struct buf out = BUF_INIT(OUT_MAX);

	if (size < 0)
		return err_set(&p->why, DAVIT_EUNSUPPORTED,
			       "%s: the registry does not say the size, which DXF_BLOB_INFO needs", digest);
	buf_printf(&out, "%s %" PRId64 "\n", digest, size);
	return out_buf(&out, &p->why);
}

static int pull_one(struct pull *p, const char *digest, davit_err *e)
{
	struct dxf *d = p->d;
	const davit_registry_pull_opts *opts =
		DAVIT_OPTS(davit_registry_pull_opts, .chunk_size = p->chunk,
			   .begin = p->info ? print_info : NULL, .begin_user = p,
			   .progress = dxf_bar_begin(d->bar));
	davit_sink sink = out_sink();
	int rc = davit_registry_blob_pull(d->r, d->repo, digest, opts, &sink, NULL, e);

	dxf_bar_end(d->bar);
	if (rc == DAVIT_ECALLBACK && p->why.code) {
		*e = p->why;
		return e->code;
	}
	return out_sink_result(rc, e);
}

/* An index is shown, its blobs are not pulled. */
static int pull_alias(struct pull *p, const davit_registry_alias *alias, davit_err *e)
{
	AUTO_BUF struct buf out = BUF_INIT(OUT_MAX);
	int rc = 0;

	if (alias->index) {
		rc = dxf_json_platforms(p->d, alias, dxf_json_layers, &out, e);
		buf_putc(&out, '\n');
		return rc ? rc : out_buf(&out, e);
	}
	for (size_t i = 0; i < alias->n; i++)
		for (size_t k = 0; k < alias->v[i]->blobs.n && !rc; k++)
			rc = pull_one(p, alias->v[i]->blobs.v[k]->digest, e);
	return rc;
}

/* DXF_CHUNK_SIZE; 0 if it is not set. */
static int chunk_size(size_t *out, davit_err *e)
{
	const char *s = getenv("DXF_CHUNK_SIZE");
	unsigned long long n;
	char *end;

	*out = 0;
	if (!s || !*s)
		return 0;
	errno = 0;
	n = strtoull(s, &end, 10);
	if (*s < '0' || *s > '9' || *end || errno || n < 1 || n > LIMIT_CHUNK)
		return err_set(e, DAVIT_EARG,
			       "DXF_CHUNK_SIZE: expected a number of bytes from 1 to %d, got '%s'",
			       LIMIT_CHUNK, s);
	*out = (size_t)n;
	return 0;
}

int dxf_pull_blob(struct dxf *d, davit_err *e)
{
	CLEANUP(targets_fini) struct targets t = { 0 };
	const char *info = getenv("DXF_BLOB_INFO");
	struct pull p = { .d = d, .info = info && !strcmp(info, "1") };
	int rc = chunk_size(&p.chunk, e);

	if (!rc)
		rc = targets_read(d, d->platform, &t, e);
	for (size_t i = 0; i < t.n && !rc; i++)
		rc = t.v[i].alias ? pull_alias(&p, t.v[i].alias, e) : pull_one(&p, t.v[i].digest, e);
	return rc;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void no_free(void *p)
{
	(void)p;
}

/* Deletes each blob of an alias once, though platforms or layers may share it. */
static int delete_alias_blobs(struct dxf *d, const davit_registry_alias *alias, davit_err *e)
{
	void *done = NULL; /* a tree of the digests so far */
	int rc = 0;

	for (size_t i = 0; i < alias->n; i++) {
		for (size_t k = 0; k < alias->v[i]->blobs.n && !rc; k++) {
			const char *digest = alias->v[i]->blobs.v[k]->digest;
			const char *const *node = tsearch(digest, &done, by_text);

			if (!node)
				rc = err_nomem(e);
			else if (*node == digest)
				rc = davit_registry_blob_delete(d->r, d->repo, digest, e);
		}
	}
	tdestroy(done, no_free);
	return rc;
}

int dxf_del_blob(struct dxf *d, davit_err *e)
{
	CLEANUP(targets_fini) struct targets t = { 0 };
	int rc = targets_read(d, NULL, &t, e);

	for (size_t i = 0; i < t.n && !rc; i++)
		rc = t.v[i].alias ? delete_alias_blobs(d, t.v[i].alias, e)
				  : davit_registry_blob_delete(d->r, d->repo, t.v[i].digest, e);
	return rc;
}

static int stat_size(struct dxf *d, const char *digest, uint64_t *size, davit_err *e)
{
	davit_registry_descriptor *blob;
	int rc = davit_registry_blob_stat(d->r, d->repo, digest, &blob, e);

	if (rc)
		return rc;
	if (blob->size < 0)
		rc = err_set(e, DAVIT_EPROTO, "%s: the registry does not say the size", digest);
	*size = (uint64_t)blob->size;
	davit_reply_free(blob);
	return rc;
}

/* The sum of an entry's blobs; the registry is asked for what the manifest does not say (schema 1). */
static int add_sum(struct dxf *d, const davit_registry_alias_entry *entry, struct buf *out, davit_err *e)
{
	uint64_t sum = 0, size;

	for (size_t i = 0; i < entry->blobs.n; i++) {
		const davit_registry_descriptor *blob = entry->blobs.v[i];
		int rc = 0;

		size = (uint64_t)blob->size;
		if (blob->size < 0)
			rc = stat_size(d, blob->digest, &size, e);
		if (rc)
			return rc;
		if (__builtin_add_overflow(sum, size, &sum))
			return err_set(e, DAVIT_ELIMIT, "%s: the sum of the sizes is too large",
				       entry->manifest_digest);
	}
	buf_printf(out, "%" PRIu64, sum);
	return 0;
}

static int alias_size(struct dxf *d, const char *name, struct buf *out, davit_err *e)
{
	davit_registry_alias *alias;
	int rc = dxf_alias_read(d, name, d->platform, &alias, e);

	if (rc)
		return rc;
	if (alias->index)
		rc = dxf_json_platforms(d, alias, add_sum, out, e);
	else if (alias->n)
		rc = add_sum(d, alias->v[0], out, e);
	davit_reply_free(alias);
	return rc;
}

int dxf_blob_size(struct dxf *d, davit_err *e)
{
	AUTO_BUF struct buf out = BUF_INIT(OUT_MAX);
	size_t i = 0;

	do {
		const char *name = d->n ? d->v[i] : NULL;
		uint64_t size;
		int rc;

		if (!name || *name == '@') {
			rc = alias_size(d, name ? name + 1 : NULL, &out, e);
		} else {
			rc = stat_size(d, name, &size, e);
			if (!rc)
				buf_printf(&out, "%" PRIu64, size);
		}
		buf_putc(&out, '\n');
		if (rc)
			return rc;
	} while (++i < d->n);
	return out_buf(&out, e);
}

/* davit registry blob pull: one blob or those of an alias; to a file, a directory or standard output. */
#include <string.h>

#include "base/err.h"
#include "base/fd.h"
#include "cli/cmd/registry.h"
#include "cli/cmd/registry_blob.h"
#include "cli/out.h"

/* Where the bytes of several blobs go one after another. */
struct target {
	struct newfile file; /* open unless standard output is the target */
	int errnum;
};

static int file_write(void *user, const void *p, size_t n)
{
	struct target *t = user;
	int r = fd_write_all(t->file.fd, p, n);

	if (r)
		t->errnum = -r;
	return r;
}

static davit_registry_pull_opts pull_opts(const struct door *d, const struct pull_flags *f)
{
	return (davit_registry_pull_opts){
		.size = sizeof(davit_registry_pull_opts),
		.chunk_size = (size_t)f->chunk_size.bytes,
		.progress = app_progress(d->app),
	};
}

static int pull_to_dir(struct door *d, const struct pull_flags *f, const char *digest, davit_err *e)
{
	davit_registry_pull_opts opts = pull_opts(d, f);
	struct buf path = BUF_INIT(4096);
	const char *algorithm, *hex;
	int r = davit_digest_split(digest, &algorithm, &hex, e);

	if (r)
		return r;
	buf_printf(&path, "%s/%s", f->output_dir, hex);
	r = buf_check(&path, "the file's name", e);
	if (!r)
		r = davit_registry_blob_pull_file(d->r, d->ref->repo, digest, &opts, buf_str(&path), NULL, e);
	buf_fini(&path);
	return r;
}

static int pull_to_file(struct door *d, const struct pull_flags *f, const davit_strv *digests, davit_err *e)
{
	davit_registry_pull_opts opts = pull_opts(d, f);
	struct target t = { .file = NEWFILE_INIT };
	davit_sink sink = { .write = file_write, .user = &t };
	int r;

	if (digests->n == 1)
		return davit_registry_blob_pull_file(d->r, d->ref->repo, digests->v[0], &opts, f->output,
						     NULL, e);
	r = newfile_open(&t.file, f->output, 0666, e);
	for (size_t i = 0; i < digests->n && !r; i++)
		r = davit_registry_blob_pull(d->r, d->ref->repo, digests->v[i], &opts, &sink, NULL, e);
	if (r == DAVIT_ECALLBACK && t.errnum)
		r = err_errno(e, t.errnum, "writing %s", f->output);
	if (!r)
		r = newfile_commit(&t.file, e);
	newfile_fini(&t.file);
	return r;
}

static int pull_all(struct door *d, const struct pull_flags *f, const davit_strv *digests, davit_err *e)
{
	davit_registry_pull_opts opts = pull_opts(d, f);
	davit_sink sink = out_sink();
	int r = 0;

	if (f->output && strcmp(f->output, "-") != 0)
		return pull_to_file(d, f, digests, e);
	for (size_t i = 0; i < digests->n && !r; i++) {
		if (f->output_dir)
			r = pull_to_dir(d, f, digests->v[i], e);
		else
			r = davit_registry_blob_pull(d->r, d->ref->repo, digests->v[i], &opts, &sink, NULL,
						     e);
	}
	return r;
}

static int get_entry(struct door *d, const char *platform, davit_registry_alias **out, davit_err *e)
{
	davit_registry_alias *alias = NULL;
	int r = davit_registry_alias_get(d->r, d->ref->repo, registry_reference(d),
					 DAVIT_OPTS(davit_registry_manifest_opts, .platform = platform),
					 &alias, e);

	if (!r && alias->n != 1)
		r = err_set(e, DAVIT_EARG, "%s/%s:%s has %zu platforms; choose one by --platform",
			    d->ref->host, d->ref->repo, registry_reference(d), alias->n);
	if (r) {
		davit_reply_free(alias);
		return r;
	}
	*out = alias;
	return 0;
}

static int pull_alias(struct door *d, const struct pull_flags *f, davit_err *e)
{
	const char *digests[PUSH_FILES_MAX];
	davit_registry_alias *alias = NULL;
	davit_strv list = { digests, 0 };
	int r = get_entry(d, f->platform, &alias, e);

	if (r)
		return r;
	if (alias->v[0]->blobs.n > PUSH_FILES_MAX)
		r = err_set(e, DAVIT_ELIMIT, "the alias has more than %d blobs", PUSH_FILES_MAX);
	for (; !r && list.n < alias->v[0]->blobs.n; list.n++)
		digests[list.n] = alias->v[0]->blobs.v[list.n]->digest;
	if (!r)
		r = pull_all(d, f, &list, e);
	davit_reply_free(alias);
	return r;
}

int registry_run_pull(struct app *app, const void *opts, const struct args *args, davit_err *e)
{
	const struct pull_flags *f = opts;
	struct door d = { 0 };
	int r;

	if (f->output && f->output_dir)
		return err_set(e, DAVIT_EARG, "options --output and --output-dir exclude each other");
	r = registry_enter(&d, app, args->v[0], e);
	if (!r && d.ref->digest)
		r = pull_all(&d, f, &(davit_strv){ &d.ref->digest, 1 }, e);
	else if (!r)
		r = pull_alias(&d, f, e);
	return registry_leave(&d, r, e);
}

int registry_alias_blobs(struct door *d, const char *platform, struct buf *json, davit_err *e)
{
	davit_registry_alias *alias = NULL;
	size_t n = 0;
	int r = davit_registry_alias_get(d->r, d->ref->repo, registry_reference(d),
					 DAVIT_OPTS(davit_registry_manifest_opts, .platform = platform),
					 &alias, e);

	if (r)
		return r;
	for (size_t i = 0; i < alias->n; i++) {
		const davit_registry_alias_entry *entry = alias->v[i];

		for (size_t k = 0; k < entry->blobs.n; k++) {
			if (n++)
				buf_putc(json, ',');
			registry_descriptor_json(entry->blobs.v[k], entry->platform, json);
		}
	}
	davit_reply_free(alias);
	return 0;
}

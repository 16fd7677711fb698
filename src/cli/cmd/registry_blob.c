/* davit registry blob push, stat, mount, rm */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/limits.h"
#include "cli/cmd/cmds.h"
#include "cli/cmd/registry.h"
#include "cli/cmd/registry_blob.h"
#include "cli/jsontext.h"
#include "cli/out.h"
#include "cli/show.h"
#include "cli/sig.h"

/* Why reading standard input failed. */
struct input {
	int errnum;
};

static int input_read(void *user, void *buf, size_t cap, size_t *got)
{
	struct input *in = user;
	ssize_t n;

	do
		n = read(STDIN_FILENO, buf, cap);
	while (n < 0 && errno == EINTR && !sig_caught());
	if (n < 0) {
		in->errnum = errno;
		return -1;
	}
	*got = (size_t)n;
	return 0;
}

static int input_rewind(void *user)
{
	struct input *in = user;

	if (lseek(STDIN_FILENO, 0, SEEK_SET) != 0) {
		in->errnum = errno;
		return -1;
	}
	return 0;
}

/* A file as standard input can be read twice, so its digest is known before anything is sent. */
static void input_source(struct input *in, davit_source *src)
{
	struct stat st;

	*src = (davit_source){ .read = input_read, .user = in, .size = -1 };
	if (!fstat(STDIN_FILENO, &st) && S_ISREG(st.st_mode) && lseek(STDIN_FILENO, 0, SEEK_CUR) == 0) {
		src->rewind = input_rewind;
		src->size = st.st_size;
	}
}

int registry_push(struct door *d, const char *path, const struct push_flags *flags,
		  davit_registry_descriptor **out, davit_err *e)
{
	davit_registry_push_opts opts = {
		.size = sizeof opts,
		.digest = flags->digest,
		.check_exists = flags->check_exists,
		.chunk_size = (size_t)flags->chunk_size.bytes,
		.progress = app_progress(d->app),
	};
	struct input in = { 0 };
	davit_source src;
	int r;

	if (strcmp(path, "-") != 0)
		return davit_registry_blob_push_file(d->r, d->ref->repo, path, &opts, out, e);
	input_source(&in, &src);
	r = davit_registry_blob_push(d->r, d->ref->repo, &src, &opts, out, e);
	if (r == DAVIT_ECALLBACK && in.errnum)
		return err_errno(e, in.errnum, "standard input");
	return r;
}

const struct opt_range registry_chunk_range = { 1, LIMIT_CHUNK };

static const struct opt push_options[] = {
	OPT(struct push_flags, digest, 0, "digest", "DIGEST", "the known digest; checked while sending"),
	OPT(struct push_flags, check_exists, 0, "check-exists", NULL,
	    "ask first whether the registry has the blob (default yes)"),
	OPT(struct push_flags, chunk_size, 0, "chunk-size", "SIZE",
	    "bytes of one read and write (default 256k, at most 16m)", .range = &registry_chunk_range),
	OPT_END,
};

/* Pushes all files and notes their digests; replies must be freed by the caller. */
static int push_all(struct door *d, const struct push_flags *f, const struct args *files,
		    davit_registry_descriptor **done, davit_err *e)
{
	int r = 0;

	for (size_t i = 0; i < files->n && !r; i++)
		r = registry_push(d, files->v[i], f, &done[i], e);
	return r;
}

static int show_pushed(struct app *app, davit_registry_descriptor *const *done, size_t n, davit_err *e)
{
	struct buf json = BUF_INIT(OUT_MAX);
	int r;

	buf_putc(&json, '[');
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_putc(&json, ',');
		registry_descriptor_json(done[i], NULL, &json);
	}
	buf_putc(&json, ']');
	r = show_json(app, &json, "{{.digest}}", e);
	buf_fini(&json);
	return r;
}

static int set_alias(struct door *d, davit_registry_descriptor *const *done, size_t n, davit_err *e)
{
	const char *digests[PUSH_FILES_MAX];

	for (size_t i = 0; i < n; i++)
		digests[i] = done[i]->digest;
	return davit_registry_alias_set(d->r, d->ref->repo, d->ref->tag, &(davit_strv){ digests, n }, NULL,
					e);
}

static int check_push(const struct app *app, const struct push_flags *f, const struct args *args,
		      davit_err *e)
{
	const struct registry_flags *noun = app->noun_opts;
	size_t readers = noun->password_stdin ? 1 : 0;

	if (args->n - 1 > PUSH_FILES_MAX)
		return err_set(e, DAVIT_ELIMIT, "more than %d files in one call", PUSH_FILES_MAX);
	if (f->digest && args->n > 2)
		return err_set(e, DAVIT_EARG, "option --digest: is for one file, not for %zu", args->n - 1);
	for (size_t i = 1; i < args->n; i++)
		readers += !strcmp(args->v[i], "-");
	if (readers > 1)
		return err_set(e, DAVIT_EARG, "standard input (-%s) can be read only once",
			       noun->password_stdin ? ", --password-stdin" : "");
	return 0;
}

static int run_push(struct app *app, const void *opts, const struct args *args, davit_err *e)
{
	davit_registry_descriptor *done[PUSH_FILES_MAX] = { NULL };
	const struct args files = { args->v + 1, args->n - 1 };
	struct door d = { 0 };
	int r;

	r = check_push(app, opts, args, e);
	if (r)
		return r;
	r = registry_enter(&d, app, args->v[0], e);
	if (!r && d.ref->digest)
		r = err_set(e, DAVIT_EARG, "%s: give the digest by --digest", args->v[0]);
	if (!r)
		r = push_all(&d, opts, &files, done, e);
	if (!r && d.ref->tag)
		r = set_alias(&d, done, files.n, e);
	if (!r)
		r = show_pushed(app, done, files.n, e);
	for (size_t i = 0; i < files.n; i++)
		davit_reply_free(done[i]);
	return registry_leave(&d, r, e);
}

static int stat_digest(struct door *d, struct buf *json, davit_err *e)
{
	davit_registry_descriptor *desc = NULL;
	int r = davit_registry_blob_stat(d->r, d->ref->repo, d->ref->digest, &desc, e);

	if (!r)
		registry_descriptor_json(desc, NULL, json);
	davit_reply_free(desc);
	return r;
}

static int run_stat(struct app *app, const void *opts, const struct args *args, davit_err *e)
{
	const struct platform_flags *f = opts;
	struct buf json = BUF_INIT(OUT_MAX);
	struct door d = { 0 };
	int r = registry_enter(&d, app, args->v[0], e);

	buf_putc(&json, '[');
	if (!r)
		r = d.ref->digest ? stat_digest(&d, &json, e)
				  : registry_alias_blobs(&d, f->platform, &json, e);
	buf_putc(&json, ']');
	if (!r)
		r = show_json(app, &json, "table {{.digest}}\t{{.size}}", e);
	buf_fini(&json);
	return registry_leave(&d, r, e);
}

static int run_mount(struct app *app, const void *opts, const struct args *args, davit_err *e)
{
	struct door d = { 0 };
	const char *digest = NULL;
	int r = registry_enter(&d, app, args->v[0], e);

	(void)opts;
	r = r ? r : registry_need_digest(&d, &digest, e);
	r = r ? r : davit_registry_blob_mount(d.r, d.ref->repo, args->v[1], digest, e);
	return registry_leave(&d, r, e);
}

static int run_rm(struct app *app, const void *opts, const struct args *args, davit_err *e)
{
	struct door d = { 0 };
	const char *digest = NULL;
	int r = registry_enter(&d, app, args->v[0], e);

	(void)opts;
	r = r ? r : registry_need_digest(&d, &digest, e);
	r = r ? r : davit_registry_blob_delete(d.r, d.ref->repo, digest, e);
	return registry_leave(&d, r, e);
}

const struct opt registry_platform_options[] = {
	OPT(struct platform_flags, platform, 0, "platform", "OS/ARCH",
	    "of an index, take the manifest for this platform, for example linux/arm64"),
	OPT_END,
};

const struct opt registry_pull_options[] = {
	OPT(struct pull_flags, output, 'o', "output", "FILE",
	    "write to this file, which appears when it is complete and verified"),
	OPT(struct pull_flags, output_dir, 'd', "output-dir", "DIR",
	    "write each blob to a file in this directory, named by its digest's digits"),
	OPT(struct pull_flags, platform, 0, "platform", "OS/ARCH",
	    "of an index, take the manifest for this platform, for example linux/arm64"),
	OPT(struct pull_flags, chunk_size, 0, "chunk-size", "SIZE",
	    "most bytes of one write (default 256k, at most 16m)", .range = &registry_chunk_range),
	OPT_END,
};

const struct cmd registry_blob_cmds[] = {
	{
		.path = "registry blob push",
		.summary = "store files as blobs",
		.description = "Stores each FILE (- is standard input) as a blob and prints its digest. A "
			       "blob that the registry has already is not sent. With an ALIAS, that name "
			       "then stands for these blobs.\n\nFields for --format: digest, size.",
		.args = "REPO[:ALIAS] FILE|-...",
		.complete = "-f",
		.min = 2,
		.max = CMD_ANY,
		CMD_OPTS(struct push_flags, push_options),
		.run = run_push,
	},
	{
		.path = "registry blob pull",
		.summary = "fetch a blob, or the blobs of an alias",
		.description = "Fetches a blob and verifies its digest. Without -o or -d it goes to standard "
			       "output; a failure is then told by the exit code, after bytes may have been "
			       "written. The blobs of an alias or image follow one another.",
		.args = "REPO@DIGEST|REPO:ALIAS",
		.min = 1,
		.max = 1,
		CMD_OPTS(struct pull_flags, registry_pull_options),
		.run = registry_run_pull,
	},
	{
		.path = "registry blob stat",
		.summary = "show the size of a blob, or of the blobs of an alias",
		.description = "Shows digest and size of a blob, or of each blob of an alias.\n\nFields for "
			       "--format: digest, size, mediaType, platform.",
		.args = "REPO@DIGEST|REPO:ALIAS",
		.min = 1,
		.max = 1,
		CMD_OPTS(struct platform_flags, registry_platform_options),
		.run = run_stat,
	},
	{
		.path = "registry blob mount",
		.summary = "take over a blob from another repository",
		.description = "Makes a blob of the repository FROM (without host) available in REPO on the "
			       "same registry without moving bytes.",
		.args = "REPO@DIGEST FROM",
		.min = 2,
		.max = 2,
		.run = run_mount,
	},
	{
		.path = "registry blob rm",
		.alias = "remove",
		.summary = "delete a blob",
		.description = "Deletes a blob from a repository.",
		.args = "REPO@DIGEST",
		.min = 1,
		.max = 1,
		.run = run_rm,
	},
	{ .path = NULL },
};

/* davit registry alias set, get, rm */
#include <string.h>

#include "base/err.h"
#include "cli/cmd/cmds.h"
#include "cli/cmd/registry.h"
#include "cli/cmd/registry_blob.h"
#include "cli/jsontext.h"
#include "cli/out.h"
#include "cli/show.h"

static int need_alias(const struct door *d, davit_err *e)
{
	if (!d->ref->tag)
		return err_set(e, DAVIT_EARG, "%s/%s: an alias is missing; write REPO:ALIAS", d->ref->host,
			       d->ref->repo);
	return 0;
}

/* Digests are taken as they are; files are pushed first. */
static int collect(struct door *d, const struct args *args, davit_registry_descriptor **pushed,
		   const char **digests, davit_err *e)
{
	int r = 0;

	for (size_t i = 1; i < args->n && !r; i++) {
		digests[i - 1] = args->v[i];
		if (registry_is_digest(args->v[i]))
			continue;
		r = registry_push(d, args->v[i], &(struct push_flags){ 0 }, &pushed[i - 1], e);
		if (!r)
			digests[i - 1] = pushed[i - 1]->digest;
	}
	return r;
}

static int set(struct door *d, const davit_strv *digests, davit_err *e)
{
	davit_registry_manifest *m = NULL;
	struct buf json = BUF_INIT(OUT_MAX);
	int r = davit_registry_alias_set(d->r, d->ref->repo, d->ref->tag, digests, &m, e);

	if (!r) {
		buf_putc(&json, '{');
		json_member_str(&json, "digest", m->digest);
		json_member_str(&json, "mediaType", m->media_type);
		buf_putc(&json, '}');
		r = show_json(d->app, &json, "{{.digest}}", e);
	}
	buf_fini(&json);
	davit_reply_free(m);
	return r;
}

static int run_set(struct app *app, const void *opts, const struct args *args, davit_err *e)
{
	davit_registry_descriptor *pushed[PUSH_FILES_MAX] = { NULL };
	const char *digests[PUSH_FILES_MAX];
	struct door d = { 0 };
	size_t n = args->n - 1;
	int r;

	(void)opts;
	if (n > PUSH_FILES_MAX)
		return err_set(e, DAVIT_ELIMIT, "more than %d blobs in one alias", PUSH_FILES_MAX);
	r = registry_enter(&d, app, args->v[0], e);
	r = r ? r : need_alias(&d, e);
	r = r ? r : collect(&d, args, pushed, digests, e);
	r = r ? r : set(&d, &(davit_strv){ digests, n }, e);
	for (size_t i = 0; i < n; i++)
		davit_reply_free(pushed[i]);
	return registry_leave(&d, r, e);
}

static int run_get(struct app *app, const void *opts, const struct args *args, davit_err *e)
{
	const struct platform_flags *f = opts;
	struct buf json = BUF_INIT(OUT_MAX);
	struct door d = { 0 };
	int r = registry_enter(&d, app, args->v[0], e);

	buf_putc(&json, '[');
	r = r ? r : registry_alias_blobs(&d, f->platform, &json, e);
	buf_putc(&json, ']');
	r = r ? r : show_json(app, &json, "{{.digest}}", e);
	buf_fini(&json);
	return registry_leave(&d, r, e);
}

static int run_rm(struct app *app, const void *opts, const struct args *args, davit_err *e)
{
	struct door d = { 0 };
	int r = registry_enter(&d, app, args->v[0], e);

	(void)opts;
	r = r ? r : need_alias(&d, e);
	r = r ? r : davit_registry_alias_delete(d.r, d.ref->repo, d.ref->tag, NULL, e);
	return registry_leave(&d, r, e);
}

const struct cmd registry_alias_cmds[] = {
	{
		.path = "registry alias set",
		.summary = "let a name stand for blobs",
		.description = "Lets ALIAS stand for blobs: those of the given digests, and of files, which "
			       "are stored first. An alias that exists is overwritten. Prints the manifest's "
			       "digest.\n\nFields for --format: digest, mediaType.",
		.args = "REPO:ALIAS DIGEST|FILE...",
		.complete = "-f",
		.min = 2,
		.max = CMD_ANY,
		.run = run_set,
	},
	{
		.path = "registry alias get",
		.summary = "show the blobs that a name stands for",
		.description = "Prints the digests of the blobs, one per line.\n\n"
			       "Fields for --format: digest, size, mediaType, platform.",
		.args = "REPO:ALIAS",
		.min = 1,
		.max = 1,
		CMD_OPTS(struct platform_flags, registry_platform_options),
		.run = run_get,
	},
	{
		.path = "registry alias rm",
		.alias = "remove",
		.summary = "delete a name; its blobs stay",
		.description = "Deletes the manifest that ALIAS names, and so every name of that manifest. "
			       "The blobs stay.",
		.args = "REPO:ALIAS",
		.min = 1,
		.max = 1,
		.run = run_rm,
	},
	{ .path = NULL },
};

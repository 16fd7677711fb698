/* davit registry manifest get, put, stat, rm */
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "cli/cmd/cmds.h"
#include "cli/cmd/registry.h"
#include "cli/cmd/registry_blob.h"
#include "cli/out.h"
#include "cli/show.h"

enum { MANIFEST_MAX = 4 << 20 /* as much as the library sends */ };

struct get_flags {
	const char *output;
	const char *platform;
	struct opt_list accept;
};

struct put_flags {
	const char *media_type;
};

static const struct opt get_options[] = {
	OPT(struct get_flags, output, 'o', "output", "FILE", "write to this file"),
	OPT(struct get_flags, platform, 0, "platform", "OS/ARCH",
	    "of an index, take the manifest for this platform, for example linux/arm64"),
	OPT(struct get_flags, accept, 0, "accept", "TYPE",
	    "accept this media type; may be repeated (default: all)"),
	OPT_END,
};

static const struct opt put_options[] = {
	OPT(struct put_flags, media_type, 't', "media-type", "TYPE",
	    "media type; else the manifest's mediaType"),
	OPT_END,
};

static int show_manifest(struct app *app, const struct get_flags *f, const davit_registry_manifest *m,
			 davit_err *e)
{
	const davit_value *v;
	const char *bytes;
	size_t n;

	if (!app->g.format) {
		bytes = davit_reply_raw(m, &n);
		return registry_save(f->output, bytes, n, e);
	}
	if (f->output)
		return err_set(e, DAVIT_EARG, "options --output and --format exclude each other");
	v = davit_reply_value(m);
	return v ? show_value(app, v, "{{json .}}", e) : err_nomem(e);
}

static int run_get(struct app *app, const void *opts, const struct args *args, davit_err *e)
{
	const struct get_flags *f = opts;
	davit_registry_manifest *m = NULL;
	struct door d = { 0 };
	int r = registry_enter(&d, app, args->v[0], e);

	if (!r)
		r = davit_registry_manifest_get(d.r, d.ref->repo, registry_reference(&d),
						DAVIT_OPTS(davit_registry_manifest_opts,
							   .platform = f->platform,
							   .accept = { f->accept.v, f->accept.n }),
						&m, e);
	r = r ? r : show_manifest(app, f, m, e);
	davit_reply_free(m);
	return registry_leave(&d, r, e);
}

static int show_descriptor(struct app *app, const davit_registry_descriptor *desc, const char *standard,
			   davit_err *e)
{
	struct buf json = BUF_INIT(OUT_MAX);
	int r;

	registry_descriptor_json(desc, NULL, &json);
	r = show_json(app, &json, standard, e);
	buf_fini(&json);
	return r;
}

static int run_stat(struct app *app, const void *opts, const struct args *args, davit_err *e)
{
	const struct platform_flags *f = opts;
	davit_registry_descriptor *desc = NULL;
	struct door d = { 0 };
	int r = registry_enter(&d, app, args->v[0], e);

	if (!r)
		r = davit_registry_manifest_stat(
		    d.r, d.ref->repo, registry_reference(&d),
		    DAVIT_OPTS(davit_registry_manifest_opts, .platform = f->platform), &desc, e);
	r = r ? r : show_descriptor(app, desc, "table {{.digest}}\t{{.size}}\t{{.mediaType}}", e);
	davit_reply_free(desc);
	return registry_leave(&d, r, e);
}

static int read_input(const char *path, struct buf *out, davit_err *e)
{
	if (!strcmp(path, "-"))
		return fd_read_all(STDIN_FILENO, "standard input", out, e);
	return fd_read_file(path, out, e);
}

static int run_put(struct app *app, const void *opts, const struct args *args, davit_err *e)
{
	const struct put_flags *f = opts;
	struct buf bytes = BUF_INIT(MANIFEST_MAX);
	davit_registry_descriptor *desc = NULL;
	davit_registry_manifest_body body;
	struct door d = { 0 };
	int r = read_input(args->v[1], &bytes, e);

	/* A missing file is no missing manifest. */
	if (r == DAVIT_ENOTFOUND)
		r = DAVIT_EIO;
	body = (davit_registry_manifest_body){ buf_str(&bytes), bytes.len, f->media_type };
	r = r ? r : registry_enter(&d, app, args->v[0], e);
	r = r ? r : davit_registry_manifest_put(d.r, d.ref->repo, registry_reference(&d), &body, &desc, e);
	r = r ? r : show_descriptor(app, desc, "{{.digest}}", e);
	davit_reply_free(desc);
	buf_fini(&bytes);
	return registry_leave(&d, r, e);
}

static int run_rm(struct app *app, const void *opts, const struct args *args, davit_err *e)
{
	struct door d = { 0 };
	int r = registry_enter(&d, app, args->v[0], e);

	(void)opts;
	if (!r && !d.ref->tag && !d.ref->digest)
		r = err_set(e, DAVIT_EARG, "%s: say which tag or digest to delete", args->v[0]);
	r = r ? r : davit_registry_manifest_delete(d.r, d.ref->repo, registry_reference(&d), e);
	return registry_leave(&d, r, e);
}

const struct cmd registry_manifest_cmds[] = {
	{
		.path = "registry manifest get",
		.summary = "fetch a manifest or index",
		.description = "Prints a manifest or index as the registry holds it, byte for byte. With "
			       "--format it is shown as JSON or by a template over its members. The tag is "
			       "latest if there is none.",
		.args = "REPO[:TAG][@DIGEST]",
		.min = 1,
		.max = 1,
		CMD_OPTS(struct get_flags, get_options),
		.run = run_get,
	},
	{
		.path = "registry manifest put",
		.summary = "store a manifest or index",
		.description = "Stores the bytes of FILE (- is standard input) as a manifest and prints its "
			       "digest. A DIGEST must be that of the bytes.\n\nFields for --format: digest, "
			       "size, mediaType.",
		.args = "REPO[:TAG][@DIGEST] FILE|-",
		.complete = "-f",
		.min = 2,
		.max = 2,
		CMD_OPTS(struct put_flags, put_options),
		.run = run_put,
	},
	{
		.path = "registry manifest stat",
		.summary = "show digest, size and type of a manifest",
		.description = "Shows digest, size and media type of a manifest without fetching "
			       "it.\n\nFields for --format: digest, size, mediaType.",
		.args = "REPO[:TAG][@DIGEST]",
		.min = 1,
		.max = 1,
		CMD_OPTS(struct platform_flags, registry_platform_options),
		.run = run_stat,
	},
	{
		.path = "registry manifest rm",
		.alias = "remove",
		.summary = "delete a tag, or a manifest with all its tags",
		.description = "Deletes a tag, or with a digest the manifest and all its tags. Many "
			       "registries delete only by digest.",
		.args = "REPO:TAG|REPO@DIGEST",
		.min = 1,
		.max = 1,
		.run = run_rm,
	},
	{ .path = NULL },
};

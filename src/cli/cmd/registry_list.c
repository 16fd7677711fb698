/* davit registry repos, tags, ping */
#include <string.h>

#include "cli/cmd/cmds.h"
#include "cli/cmd/registry.h"
#include "cli/jsontext.h"
#include "cli/out.h"
#include "cli/show.h"

struct list_flags {
	int64_t limit;
	const char *last;
	int64_t batch;
};

static const struct opt_range some = { 1, INT64_MAX };

static const struct opt list_options[] = {
	OPT(struct list_flags, limit, 'n', "limit", "N", "show at most N names", .range = &some),
	OPT(struct list_flags, last, 0, "last", "NAME", "begin after this name"),
	OPT(struct list_flags, batch, 0, "batch", "N",
	    "ask for N names at a time (default: the registry decides)", .range = &some),
	OPT_END,
};

static davit_registry_list_opts list_opts(const struct list_flags *f)
{
	return (davit_registry_list_opts){
		.size = sizeof(davit_registry_list_opts),
		.batch = f->batch,
		.last = f->last,
		.limit = f->limit,
	};
}

static int show_names(struct app *app, const davit_registry_list *list, davit_err *e)
{
	struct buf json = BUF_INIT(OUT_MAX);
	int r;

	buf_putc(&json, '[');
	for (size_t i = 0; i < list->names.n; i++) {
		if (i)
			buf_putc(&json, ',');
		json_quote(list->names.v[i], strlen(list->names.v[i]), &json);
	}
	buf_putc(&json, ']');
	r = show_json(app, &json, "{{.}}", e);
	buf_fini(&json);
	return r;
}

static int run_repos(struct app *app, const void *opts, const struct args *args, davit_err *e)
{
	davit_registry_list_opts o = list_opts(opts);
	davit_registry_list *list = NULL;
	struct door d = { 0 };
	int r = registry_enter_host(&d, app, args->v[0], e);

	r = r ? r : davit_registry_repos(d.r, &o, &list, e);
	r = r ? r : show_names(app, list, e);
	davit_reply_free(list);
	return registry_leave(&d, r, e);
}

static int run_tags(struct app *app, const void *opts, const struct args *args, davit_err *e)
{
	davit_registry_list_opts o = list_opts(opts);
	davit_registry_list *list = NULL;
	struct door d = { 0 };
	int r = registry_enter(&d, app, args->v[0], e);

	r = r ? r : registry_need_bare(&d, e);
	r = r ? r : davit_registry_tags(d.r, d.ref->repo, &o, &list, e);
	r = r ? r : show_names(app, list, e);
	davit_reply_free(list);
	return registry_leave(&d, r, e);
}

static int run_ping(struct app *app, const void *opts, const struct args *args, davit_err *e)
{
	struct buf json = BUF_INIT(OUT_MAX);
	struct door d = { 0 };
	int r = registry_enter_host(&d, app, args->v[0], e);

	(void)opts;
	r = r ? r : davit_registry_ping(d.r, e);
	if (!r) {
		buf_putc(&json, '{');
		json_member_str(&json, "url", davit_registry_url(d.r));
		buf_putc(&json, '}');
		r = show_json(app, &json, "{{.url}}", e);
	}
	buf_fini(&json);
	return registry_leave(&d, r, e);
}

const struct cmd registry_list_cmds[] = {
	{
		.path = "registry repos",
		.alias = "catalog",
		.summary = "list the repositories of a registry",
		.description = "Lists all repositories, one per line. Not all registries allow it. In "
			       "templates for --format {{.}} is the name.",
		.args = "HOST",
		.min = 1,
		.max = 1,
		CMD_OPTS(struct list_flags, list_options),
		.run = run_repos,
	},
	{
		.path = "registry tags",
		.summary = "list the tags of a repository",
		.description = "Lists all tags, aliases among them, one per line. In templates for --format "
			       "{{.}} is the tag.",
		.args = "REPO",
		.min = 1,
		.max = 1,
		CMD_OPTS(struct list_flags, list_options),
		.run = run_tags,
	},
	{
		.path = "registry ping",
		.summary = "ask whether a registry answers and accepts us",
		.description = "Asks whether HOST is a registry that accepts us, and prints its "
			       "URL.\n\nFields for --format: url.",
		.args = "HOST",
		.min = 1,
		.max = 1,
		.run = run_ping,
	},
	{ .path = NULL },
};

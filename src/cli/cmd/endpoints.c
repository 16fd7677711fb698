#include <string.h>

#include "cli/cmd/cmds.h"
#include "cli/jsontext.h"
#include "cli/out.h"
#include "cli/show.h"

static int run_endpoints(struct app *app, const void *opts, const struct args *args, davit_err *e)
{
	struct buf json = BUF_INIT(OUT_MAX);
	davit_endpoint_info info;
	int r;

	(void)opts;
	buf_putc(&json, '[');
	for (size_t i = 0; davit_endpoint_at(i, &info); i++) {
		if (args->n && strncmp(info.name, args->v[0], strlen(args->v[0])) != 0)
			continue;
		buf_puts(&json, json.len > 1 ? ",{" : "{");
		json_member_str(&json, "name", info.name);
		json_member_str(&json, "method", info.method);
		json_member_str(&json, "path", info.path);
		json_member_str(&json, "shape", info.shape);
		buf_putc(&json, '}');
	}
	buf_putc(&json, ']');
	r = show_json(app, &json, "table {{.name}}\t{{.method}}\t{{.path}}\t{{.shape}}", e);
	buf_fini(&json);
	return r;
}

const struct cmd endpoints_cmds[] = {
	{
		.path = "endpoints",
		.summary = "list the remote calls that davit knows",
		.description = "Lists the remote calls that davit knows, or those whose name begins with "
			       "PREFIX.\n\n"
			       "Fields for --format: name, method, path, shape (call, stream, upload or "
			       "hijack).",
		.args = "[PREFIX]",
		.max = 1,
		.flags = CMD_LOCAL,
		.run = run_endpoints,
	},
	{ .path = NULL },
};

#include <string.h>

#include "cli/cmd/cmds.h"
#include "cli/jsontext.h"
#include "cli/out.h"
#include "cli/show.h"

static int run_version(struct app *app, const void *opts, const struct args *args, davit_err *e)
{
	struct buf json = BUF_INIT(OUT_MAX);
	int r;

	(void)opts;
	(void)args;
	buf_putc(&json, '{');
	json_member_str(&json, "version", DAVIT_VERSION);
	json_member_str(&json, "library", davit_version());
	buf_putc(&json, '}');
	r = show_json(app, &json, "davit {{.version}} (libdavit {{.library}})", e);
	buf_fini(&json);
	return r;
}

const struct cmd version_cmds[] = {
	{
		.path = "version",
		.summary = "show the versions of the command and the library",
		.description = "Shows the versions of the command and of the library that it runs with.\n\n"
			       "Fields for --format: version, library.",
		.flags = CMD_LOCAL,
		.run = run_version,
	},
	{ .path = NULL },
};

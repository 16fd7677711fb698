#include "cli/cmd/cmds.h"

static int run_help(struct app *app, const void *opts, const struct args *args, davit_err *e)
{
	const struct cmd *c = NULL;

	(void)app;
	(void)opts;
	for (size_t i = 0; i < args->n; i++) {
		const struct cmd *child = cmd_child(c, args->v[i]);

		if (!child)
			return cmd_unknown(c, args->v[i], e);
		c = child;
	}
	return help_show(c, e);
}

const struct cmd help_cmds[] = {
	{
		.path = "help",
		.summary = "show help for a command",
		.description = "Shows what a command or a group of commands does, and its options.",
		.args = "[COMMAND]...",
		.complete = "c",
		.max = CMD_ANY,
		.flags = CMD_LOCAL,
		.run = run_help,
	},
	{ .path = NULL },
};

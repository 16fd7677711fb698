#include <string.h>

#include "base/err.h"
#include "cli/cmd/cmds.h"
#include "cli/complete.h"
#include "cli/out.h"
#include "cli/completion-scripts.h"

static const struct {
	const char *shell, *text;
} scripts[] = {
	{ "bash", completion_bash },
	{ "zsh", completion_zsh },
	{ "fish", completion_fish },
};

static int run_completion(struct app *app, const void *opts, const struct args *args, davit_err *e)
{
	(void)app;
	(void)opts;
	for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++)
		if (!strcmp(scripts[i].shell, args->v[0]))
			return out_write(scripts[i].text, strlen(scripts[i].text), e);
	return err_set(e, DAVIT_EARG, "unknown shell '%s': expected bash, zsh or fish", args->v[0]);
}

static int run_complete(struct app *app, const void *opts, const struct args *args, davit_err *e)
{
	struct buf out = BUF_INIT(OUT_MAX);
	size_t skip = args->n && !strcmp(args->v[0], "--");
	int r;

	(void)app;
	(void)opts;
	complete_words(args->v + skip, args->n - skip, &out);
	r = out_buf(&out, e);
	buf_fini(&out);
	return r;
}

const struct cmd completion_cmds[] = {
	{
		.path = "completion",
		.summary = "print the completion script for a shell",
		.description = "Prints the script that completes davit and dxf in bash, zsh or fish. It is "
			       "installed with davit; to use it from elsewhere: eval \"$(davit completion "
			       "bash)\".",
		.args = "bash|zsh|fish",
		.complete = "s",
		.min = 1,
		.max = 1,
		.flags = CMD_LOCAL,
		.run = run_completion,
	},
	{
		.path = "__complete",
		.summary = "answer the completion scripts",
		.args = "-- PROGRAM WORD...",
		.max = CMD_ANY,
		.flags = CMD_LOCAL | CMD_HIDDEN | CMD_RAW,
		.run = run_complete,
	},
	{ .path = NULL },
};

#include "cli/cmd.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cli/out.h"
#include "cli/sig.h"

const struct cmd *cmd_at(size_t i)
{
	for (const struct cmd *const *t = cmd_tables; *t; t++)
		for (const struct cmd *c = *t; c->path; c++)
			if (!i--)
				return c;
	return NULL;
}

bool cmd_is_child(const struct cmd *parent, const struct cmd *c)
{
	size_t n = parent ? strlen(parent->path) : 0;

	if (n && (strncmp(c->path, parent->path, n) != 0 || c->path[n++] != ' '))
		return false;
	return c->path[n] && !strchr(c->path + n, ' ');
}

const char *cmd_word(const struct cmd *c)
{
	const char *space = strrchr(c->path, ' ');

	return space ? space + 1 : c->path;
}

const struct cmd *cmd_child(const struct cmd *parent, const char *word)
{
	const struct cmd *c;

	for (size_t i = 0; (c = cmd_at(i)); i++)
		if (cmd_is_child(parent, c) &&
		    (!strcmp(cmd_word(c), word) || (c->alias && !strcmp(c->alias, word))))
			return c;
	return NULL;
}

const struct cmd *cmd_noun_with_options(const struct cmd *c)
{
	const struct cmd *best = NULL;
	const struct cmd *noun;

	for (size_t i = 0; (noun = cmd_at(i)); i++) {
		size_t n = strlen(noun->path);

		if (noun->run || !noun->opts || strncmp(c->path, noun->path, n) != 0)
			continue;
		if (!c->path[n] || c->path[n] == ' ')
			best = noun;
	}
	return best;
}

int cmd_unknown(const struct cmd *parent, const char *word, davit_err *e)
{
	const char *name = parent ? parent->path : NULL;
	const char *best = NULL;
	const struct cmd *c;
	size_t score = opt_far(word);

	for (size_t i = 0; (c = cmd_at(i)); i++)
		if (cmd_is_child(parent, c) && !(c->flags & CMD_HIDDEN))
			opt_nearer(word, cmd_word(c), &best, &score);
	if (best)
		return err_set(e, DAVIT_EARG, "unknown command '%s%s%s'; did you mean '%s%s%s'?",
			       name ? name : "", name ? " " : "", word, name ? name : "", name ? " " : "",
			       best);
	return err_set(e, DAVIT_EARG, "unknown command '%s%s%s'; 'davit help%s%s' lists all",
		       name ? name : "", name ? " " : "", word, name ? " " : "", name ? name : "");
}

/* One run of the program. */
struct call {
	struct app app;
	struct opt_parser parser;
	const struct cmd *cmd;
	const char **args; /* room for argc of them and a NULL */
	size_t n_args;
};

enum { SET_CMD = 0, SET_NOUN, SET_GLOBAL, SET_CONNECTION };

static int add_options(struct call *c, size_t set, const struct cmd *from, davit_err *e)
{
	void *to = from->opts_size ? calloc(1, from->opts_size) : NULL;

	if (from->opts_size && !to)
		return err_nomem(e);
	c->parser.set[set] = (struct opt_set){ .rows = from->opts, .to = to };
	return 0;
}

static int take_word(struct call *c, const char *word, davit_err *e)
{
	const struct cmd *child;
	int r = 0;

	if (c->cmd && c->cmd->run) {
		c->args[c->n_args++] = word;
		return 0;
	}
	child = cmd_child(c->cmd, word);
	if (!child)
		return cmd_unknown(c->cmd, word, e);
	c->cmd = child;
	if (child->run || child->opts)
		r = add_options(c, child->run ? SET_CMD : SET_NOUN, child, e);
	if (child->flags & CMD_RAW)
		c->parser.ended = true;
	return r;
}

static int parse(struct call *c, davit_err *e)
{
	const char *word = NULL;
	int r;

	while ((r = opt_next(&c->parser, &word, e)) == 1) {
		r = take_word(c, word, e);
		if (r)
			break;
	}
	return r;
}

static int check_count(const struct call *c, davit_err *e)
{
	const struct cmd *cmd = c->cmd;

	if (c->n_args < cmd->min)
		return err_set(e, DAVIT_EARG, "missing argument; usage: davit %s %s", cmd->path, cmd->args);
	if (cmd->max != CMD_ANY && c->n_args > cmd->max)
		return err_set(e, DAVIT_EARG, "unexpected argument '%s'; usage: davit %s%s%s",
			       c->args[cmd->max], cmd->path, cmd->args ? " " : "",
			       cmd->args ? cmd->args : "");
	return 0;
}

static int show_version(davit_err *e)
{
	struct buf out = BUF_INIT(OUT_MAX);
	int r;

	buf_printf(&out, "davit %s\n", DAVIT_VERSION);
	r = out_buf(&out, e);
	buf_fini(&out);
	return r;
}

static int execute(struct call *c, davit_err *e)
{
	struct args args = { .v = c->args, .n = c->n_args };
	int r;

	if (c->app.g.help)
		return help_show(c->cmd, e);
	if (c->app.g.version)
		return show_version(e);
	if (!c->cmd || !c->cmd->run)
		return err_set(e, DAVIT_EARG, "a command is missing; 'davit help%s%s' lists all",
			       c->cmd ? " " : "", c->cmd ? c->cmd->path : "");
	r = check_count(c, e);
	if (r)
		return r;
	c->args[c->n_args] = NULL;
	c->app.noun_opts = c->parser.set[SET_NOUN].to;
	r = c->cmd->run(&c->app, c->parser.set[SET_CMD].to, &args, e);
	app_progress_end(&c->app);
	return r;
}

static void call_fini(struct call *c)
{
	for (size_t i = 0; i < OPT_SETS; i++)
		if (c->parser.set[i].rows)
			opt_fini(&c->parser.set[i]);
	free(c->parser.set[SET_CMD].to);
	free(c->parser.set[SET_NOUN].to);
	free(c->args);
	app_fini(&c->app);
}

int cmd_main(int argc, char **argv)
{
	struct call c = {
		.parser = { .argv = argv, .argc = argc, .at = 1 },
		.args = calloc((size_t)argc + 1, sizeof *c.args),
	};
	davit_err err = { 0 };
	int r, closed, sig;

	c.parser.set[SET_GLOBAL] = (struct opt_set){ .rows = global_options, .to = &c.app.g };
	c.parser.set[SET_CONNECTION] = (struct opt_set){ .rows = connection_options, .to = &c.app.g };
	if (!c.args)
		r = err_nomem(&err);
	else
		r = parse(&c, &err);
	if (!r)
		r = execute(&c, &err);
	closed = r ? 0 : out_close(&err);
	r = r ? r : closed;
	sig = sig_caught();
	/* A call that a signal broke may have failed in another way than by its token. */
	if (r && sig && r != DAVIT_ECANCELLED)
		err_set(&err, DAVIT_ECANCELLED, "ended by a signal");
	if (r)
		app_complain("davit", err.msg[0] ? err.msg : davit_code_text(r));
	call_fini(&c);
	if (r && sig)
		return EXIT_SIGNAL + sig;
	return app_exit_code(r);
}

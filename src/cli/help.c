/* Help texts, made from the command tree and the option rows. */
#include <string.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/out.h"
#include "cli/personality.h"
#include "cli/tty.h"

enum {
	SUMMARY_COLUMN = 18, /* where summaries of commands begin */
	WIDEST = 100,        /* help is not wider, however wide the terminal */
};

static void usage_line(const struct cmd *c, struct buf *out)
{
	buf_printf(out, "Usage: davit %s", c->path);
	if (!c->run)
		buf_puts(out, " COMMAND");
	if (!(c->flags & CMD_RAW))
		buf_puts(out, " [OPTIONS]");
	if (c->args)
		buf_printf(out, " %s", c->args);
	buf_puts(out, "\n\n");
}

static void summary_line(const char *name, const char *summary, size_t columns, struct buf *out)
{
	size_t n = strlen(name);

	buf_printf(out, "  %s", name);
	for (n += 2; n < SUMMARY_COLUMN; n++)
		buf_putc(out, ' ');
	opt_wrap(summary, n, SUMMARY_COLUMN, columns, out);
}

static void children(const struct cmd *parent, bool nouns, const char *title, size_t columns, struct buf *out)
{
	const struct cmd *c;
	bool any = false;

	for (size_t i = 0; (c = cmd_at(i)); i++) {
		if (!cmd_is_child(parent, c) || (c->flags & CMD_HIDDEN) || nouns != !c->run)
			continue;
		if (!any)
			buf_printf(out, "%s%s:\n", out->p && out->p[out->len - 2] != '\n' ? "\n" : "", title);
		any = true;
		summary_line(cmd_word(c), c->summary, columns, out);
	}
}

static void options(const char *title, const struct opt *rows, size_t columns, struct buf *out)
{
	if (!rows || !rows->name)
		return;
	buf_printf(out, "\n%s:\n", title);
	opt_help(rows, columns, out);
}

static void root_help(size_t columns, struct buf *out)
{
	buf_puts(out, "Usage: davit COMMAND [OPTIONS] [ARGUMENTS]\n\n"
		      "Drives container hosts.\n\n");
	children(NULL, true, "Services", columns, out);
	children(NULL, false, "Commands", columns, out);
	buf_puts(out, "\nOther programs:\n");
	for (const struct personality *p = personalities; p->name; p++)
		summary_line(p->name, p->summary, columns, out);
	options("Global options", global_options, columns, out);
	options("Connection options", connection_options, columns, out);
	buf_puts(out, "\n'davit help COMMAND' tells more about a command.\n");
}

void help_text(const struct cmd *c, size_t columns, struct buf *out)
{
	const struct cmd *noun = c ? cmd_noun_with_options(c) : NULL;

	columns = columns > WIDEST ? WIDEST : columns;
	if (!c) {
		root_help(columns, out);
		return;
	}
	usage_line(c, out);
	opt_wrap(c->description ? c->description : c->summary, 0, 0, columns, out);
	if (c->alias)
		buf_printf(out, "\nAlso called: %s\n", c->alias);
	children(c, false, "Commands", columns, out);
	children(c, true, "Groups of commands", columns, out);
	if (c->run)
		options("Options", c->opts, columns, out);
	if (noun)
		options(noun->opts_title, noun->opts, columns, out);
	options("Global options", global_options, columns, out);
	if (!(c->flags & CMD_LOCAL))
		options("Connection options", connection_options, columns, out);
}

int help_show(const struct cmd *c, davit_err *e)
{
	struct buf out = BUF_INIT(OUT_MAX);
	int r;

	help_text(c, tty_columns(STDOUT_FILENO), &out);
	r = out_buf(&out, e);
	buf_fini(&out);
	return r;
}

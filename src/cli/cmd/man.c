/*
 * Fills man page sources: prints a scdoc file in which lines beginning with "@" are replaced by what the
 * command tables say. Used when davit is built.
 *
 *   @options global       the rows of the global options
 *   @options connection   the rows of the connection options
 *   @options NOUN         the rows of the options of a noun
 *   @commands NOUN        a section for each command below a noun
 *   @summary              a list of the nouns and commands at the root
 */
#include <ctype.h>
#include <string.h>

#include "base/err.h"
#include "base/fd.h"
#include "cli/cmd/cmds.h"
#include "cli/out.h"

enum { MAN_SOURCE_MAX = 1 << 20 };

/* Text for scdoc: its markup characters escaped, paragraphs kept. */
static void plain(const char *s, struct buf *out)
{
	for (; *s; s++) {
		if (ispunct((unsigned char)*s) && !strchr(",;:()/'\"!?&%@$+=", *s))
			buf_putc(out, '\\');
		buf_putc(out, *s);
	}
}

static void bold(const char *s, struct buf *out)
{
	buf_putc(out, '*');
	plain(s, out);
	buf_putc(out, '*');
}

static void options(const struct opt *o, struct buf *out)
{
	for (; o && o->name; o++) {
		if (o->hidden)
			continue;
		if (o->letter)
			buf_printf(out, "*-%c*, ", o->letter);
		buf_puts(out, o->kind == OPT_TRI ? "*--*[*no-*]" : "*--*");
		bold(o->name, out);
		if (opt_has_value(o)) {
			buf_puts(out, " _");
			plain(o->arg ? o->arg : "VALUE", out);
			buf_putc(out, '_');
		}
		buf_puts(out, "\n\t");
		plain(o->help, out);
		buf_puts(out, ".\n\n");
	}
}

static const struct cmd *find(const char *path)
{
	const struct cmd *c;

	for (size_t i = 0; (c = cmd_at(i)); i++)
		if (!strcmp(c->path, path))
			return c;
	return NULL;
}

static void command(const struct cmd *c, struct buf *out)
{
	/* Headings know no markup. */
	buf_printf(out, "## davit %s\n\n", c->path);
	buf_puts(out, "*davit ");
	plain(c->path, out);
	buf_puts(out, c->opts ? "* [_OPTIONS_] " : "* ");
	plain(c->args ? c->args : "", out);
	buf_puts(out, "\n\n");
	plain(c->description ? c->description : c->summary, out);
	buf_puts(out, c->description ? "\n\n" : ".\n\n");
	if (c->alias) {
		buf_puts(out, "Also called ");
		bold(c->alias, out);
		buf_puts(out, ".\n\n");
	}
	options(c->opts, out);
}

static void commands(const char *noun, struct buf *out)
{
	const struct cmd *c;
	size_t n = strlen(noun);

	for (size_t i = 0; (c = cmd_at(i)); i++) {
		bool below = !strncmp(c->path, noun, n) && c->path[n] == ' ';

		if (below && c->run && !(c->flags & CMD_HIDDEN))
			command(c, out);
	}
}

static void summary(struct buf *out)
{
	const struct cmd *c;

	for (size_t i = 0; (c = cmd_at(i)); i++) {
		if (!cmd_is_child(NULL, c) || (c->flags & CMD_HIDDEN))
			continue;
		buf_puts(out, "*davit* ");
		bold(c->path, out);
		buf_puts(out, "\n\t");
		plain(c->summary, out);
		buf_puts(out, ".\n\n");
	}
}

static int directive(const char *line, struct buf *out, davit_err *e)
{
	const char *word = line + strcspn(line, " ");
	const struct cmd *c;

	word += *word == ' ';
	if (!strcmp(line, "@options global")) {
		options(global_options, out);
	} else if (!strcmp(line, "@options connection")) {
		options(connection_options, out);
	} else if (!strncmp(line, "@options ", 9) && (c = find(word))) {
		options(c->opts, out);
	} else if (!strncmp(line, "@commands ", 10)) {
		commands(word, out);
	} else if (!strcmp(line, "@summary")) {
		summary(out);
	} else {
		return err_set(e, DAVIT_EARG, "cannot fill '%s'", line);
	}
	return 0;
}

static int fill(char *text, struct buf *out, davit_err *e)
{
	int r = 0;

	while (*text && !r) {
		char *end = text + strcspn(text, "\n");
		bool more = *end;

		*end = 0;
		if (*text == '@')
			r = directive(text, out, e);
		else
			buf_printf(out, "%s\n", text);
		text = end + more;
	}
	return r;
}

static int run_man(struct app *app, const void *opts, const struct args *args, davit_err *e)
{
	struct buf source = BUF_INIT(MAN_SOURCE_MAX);
	struct buf out = BUF_INIT(OUT_MAX);
	int r = fd_read_file(args->v[0], &source, e);

	(void)app;
	(void)opts;
	if (!r && source.len)
		r = fill(source.p, &out, e);
	if (!r)
		r = out_buf(&out, e);
	buf_fini(&source);
	buf_fini(&out);
	return r;
}

const struct cmd man_cmds[] = {
	{
		.path = "__man",
		.summary = "fill the source of a man page",
		.args = "FILE",
		.complete = "f",
		.min = 1,
		.max = 1,
		.flags = CMD_LOCAL | CMD_HIDDEN,
		.run = run_man,
	},
	{ .path = NULL },
};

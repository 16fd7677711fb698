#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "cli/app.h"
#include "cli/cmd/dxf.h"
#include "cli/out.h"
#include "cli/text.h"

enum {
	TEXT_MAX = 1 << 20,     /* bytes of a help text or usage error; it may quote arguments */
	COLUMNS_DEFAULT = 80,
	MARGIN = 2,             /* argparse leaves two columns free */
	HELP_INDENT = 2,
	HELP_POSITION_MAX = 24, /* where help texts begin at the latest */
	HELP_WIDTH_MIN = 11,
	HELP_ROOM = 20,
	PARTS_MAX = 3,
};

#define USAGE "usage: "
#define HELP_OPTION "-h, --help"

static const char help_text[] = "show this help message and exit";

/* Columns of help and usage: COLUMNS, else the terminal at stdout. */
static long columns(void)
{
	const char *env = getenv("COLUMNS");
	struct winsize w;
	char *end = NULL;
	long n;

	errno = 0;
	n = env ? strtol(env, &end, 10) : 0;
	if (end && end != env && !*end && !errno && n > 0)
		return n;
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) && w.ws_col)
		return w.ws_col;
	return COLUMNS_DEFAULT;
}

static void spaces(struct buf *out, long n)
{
	for (; n > 0; n--)
		buf_putc(out, ' ');
}

/* Words on lines of at most width columns. */
struct wrap {
	struct buf *out;
	long width, indent;
	long at;    /* columns in use, the space before the next word not counted */
	bool fresh; /* no word on this line yet */
};

static void wrap_line(struct wrap *w)
{
	buf_putc(w->out, '\n');
	spaces(w->out, w->indent);
	w->at = w->indent - 1;
	w->fresh = true;
}

static void wrap_word(struct wrap *w, const char *word, size_t n)
{
	if (!w->fresh && w->at + 1 + (long)n > w->width)
		wrap_line(w);
	if (!w->fresh)
		buf_putc(w->out, ' ');
	buf_add(w->out, word, n);
	w->at += 1 + (long)n;
	w->fresh = false;
}

/* What the usage line of a parser says after "usage: PROG [-h]". */
struct usage {
	const char *prog;
	const char *parts[PARTS_MAX]; /* ends with NULL */
};

static long joined(const char *const *parts, const char *first)
{
	long n = (long)strlen(first);

	for (; *parts; parts++)
		n += 1 + (long)strlen(*parts);
	return n;
}

static void wrap_parts(struct wrap *w, const char *const *parts)
{
	for (; *parts; parts++)
		wrap_word(w, *parts, strlen(*parts));
}

/* The usage, wrapped as argparse does, without a final newline. */
static void add_usage(struct buf *out, const struct usage *u, long width)
{
	static const char option[] = "[-h]";
	const long prefix = sizeof USAGE - 1, prog = (long)strlen(u->prog);
	struct wrap w = { .out = out, .width = width, .at = prefix - 1, .fresh = true };
	bool fits = prefix + prog + 1 + joined(u->parts, option) <= width;
	/* A long program name stands alone, and so do the two kinds of arguments if they fill a line. */
	bool alone = !fits && 4 * (prefix + prog) > 3 * width;
	bool together = fits || (alone && prefix + joined(u->parts, option) <= width);

	w.indent = alone ? prefix : prefix + prog + 1;
	buf_puts(out, USAGE);
	if (fits)
		w.width = prefix + prog + 1 + joined(u->parts, option);
	wrap_word(&w, u->prog, strlen(u->prog));
	if (alone)
		wrap_line(&w);
	wrap_word(&w, option, sizeof option - 1);
	if (!together && u->parts[0])
		wrap_line(&w);
	wrap_parts(&w, u->parts);
}

/* "  -h, --help  show …" with its text at column position. */
static void add_help_option(struct buf *out, long position, long width)
{
	const long name = sizeof HELP_OPTION - 1;
	struct wrap w = { .out = out, .indent = position, .at = position - 1, .fresh = true };
	long room = width - position > HELP_WIDTH_MIN ? width - position : HELP_WIDTH_MIN;

	w.width = position + room;
	spaces(out, HELP_INDENT);
	buf_puts(out, HELP_OPTION);
	if (name <= position - 2L * HELP_INDENT)
		spaces(out, position - HELP_INDENT - name);
	else
		wrap_line(&w);
	for (const char *p = help_text; *p;) {
		size_t n = strcspn(p, " ");

		wrap_word(&w, p, n);
		p += n + (p[n] == ' ');
	}
	buf_putc(out, '\n');
}

/* The braces with all operations. */
static const char *choices(struct buf *out)
{
	for (const struct dxf_op *op = dxf_ops; op->name; op++)
		buf_printf(out, "%c%s", op == dxf_ops ? '{' : ',', op->name);
	buf_putc(out, '}');
	return buf_str(out);
}

/* A parser: the main one (no operation) or that of an operation. */
struct parser {
	const struct dxf_op *op;
	struct buf prog, choices;
	struct usage usage;
};

static void parser_init(struct parser *p, const struct dxf_op *op)
{
	*p = (struct parser){ .op = op, .prog = BUF_INIT(TEXT_MAX), .choices = BUF_INIT(TEXT_MAX) };
	buf_puts(&p->prog, "dxf");
	if (op)
		buf_printf(&p->prog, " %s", op->name);
	p->usage.prog = buf_str(&p->prog);
	if (op && op->no_repo)
		return;
	p->usage.parts[0] = op ? "repo" : choices(&p->choices);
	p->usage.parts[1] = op ? "[args ...]" : "...";
}

static void parser_fini(struct parser *p)
{
	buf_fini(&p->prog);
	buf_fini(&p->choices);
}

/* Prints help to stdout. Returns the exit code. */
static int show_help(const struct parser *p)
{
	AUTO_BUF struct buf out = BUF_INIT(TEXT_MAX);
	long width = columns() - MARGIN;
	long position = width - HELP_ROOM > 4 ? width - HELP_ROOM : 4;
	long wanted = p->op ? (long)sizeof HELP_OPTION - 1 + 2L * HELP_INDENT : HELP_POSITION_MAX;
	davit_err e = { 0 };

	add_usage(&out, &p->usage, width);
	buf_puts(&out, "\n\n");
	if (!p->op)
		buf_printf(&out, "positional arguments:\n  %s\n\n", p->usage.parts[0]);
	else if (!p->op->no_repo)
		buf_puts(&out, "positional arguments:\n  repo\n  args\n\n");
	buf_puts(&out, "options:\n");
	add_help_option(&out, wanted < position ? wanted : position, width);
	if (!out_buf(&out, &e) && !out_close(&e))
		return EXIT_OK;
	app_complain("dxf: error", e.msg);
	return EXIT_FAILED;
}

static int usage_error(const struct parser *p, const char *message)
{
	AUTO_BUF struct buf out = BUF_INIT(TEXT_MAX);

	add_usage(&out, &p->usage, columns() - MARGIN);
	buf_printf(&out, "\n%s: error: %s\n", p->usage.prog, message);
	fd_write_all(STDERR_FILENO, buf_str(&out), out.len);
	return DXF_EXIT_USAGE;
}

int dxf_usage_error(const char *message)
{
	struct parser p;
	int status;

	parser_init(&p, NULL);
	status = usage_error(&p, message);
	parser_fini(&p);
	return status;
}

/* A string as Python's repr() shows it. */
static void add_repr(struct buf *out, const char *s)
{
	const unsigned char quote = strchr(s, '\'') && !strchr(s, '"') ? '"' : '\'';
	size_t n = strlen(s), len;

	buf_putc(out, (char)quote);
	for (; n; s += len, n -= len) {
		unsigned char c = (unsigned char)*s;

		len = text_utf8(s, n);
		if (!len) {
			len = 1;
			buf_printf(out, "\\udc%02x", c); /* a byte that is no text */
		} else if (c == '\\' || c == quote) {
			buf_printf(out, "\\%c", c);
		} else if (c == '\n' || c == '\r' || c == '\t') {
			buf_puts(out, c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
		} else if (c < ' ' || c == 0x7f) {
			buf_printf(out, "\\x%02x", c);
		} else {
			buf_add(out, s, len);
		}
	}
	buf_putc(out, (char)quote);
}

static int unknown_op(const struct parser *p, const char *word)
{
	AUTO_BUF struct buf out = BUF_INIT(TEXT_MAX);

	buf_puts(&out, "argument op: invalid choice: ");
	add_repr(&out, word);
	for (const struct dxf_op *op = dxf_ops; op->name; op++)
		buf_printf(&out, "%s'%s'", op == dxf_ops ? " (choose from " : ", ", op->name);
	buf_putc(&out, ')');
	return usage_error(p, buf_str(&out));
}

enum word {
	WORD_ARG,
	WORD_HELP,
	WORD_BAD_HELP, /* help with a value */
	WORD_UNKNOWN,  /* an option that does not exist */
};

static bool looks_like_number(const char *s)
{
	size_t whole = strspn(s + 1, "0123456789");
	const char *p = s + 1 + whole;

	if (*p != '.')
		return whole && !*p;
	whole = strspn(++p, "0123456789");
	return whole && !p[whole];
}

/* Which kind a word before "--" is; for WORD_BAD_HELP *value is what help does not take. */
static enum word classify(const char *s, const char **value)
{
	size_t n = strcspn(s, "=");

	if (*s != '-' || !s[1])
		return WORD_ARG;
	/* Long options may be abbreviated. */
	if (n >= 2 && n <= strlen("--help") && !strncmp(s, "--help", n)) {
		*value = s + n + 1;
		return s[n] ? WORD_BAD_HELP : WORD_HELP;
	}
	if (s[1] == 'h') {
		/* -h, or several of them in one word; "-h=x" is -h with the value x. */
		*value = s + 2 + (s[2] == '=');
		if (s[2] == '=' && s[3] != 'h')
			return WORD_BAD_HELP;
		*value += strspn(*value, "h");
		return **value ? WORD_BAD_HELP : WORD_HELP;
	}
	return looks_like_number(s) || strchr(s, ' ') ? WORD_ARG : WORD_UNKNOWN;
}

static int bad_help(const struct parser *p, const char *value)
{
	AUTO_BUF struct buf out = BUF_INIT(TEXT_MAX);

	buf_puts(&out, "argument -h/--help: ignored explicit argument ");
	add_repr(&out, value);
	return usage_error(p, buf_str(&out));
}

/* Help, or the error of help with a value. */
static int help_or_error(const struct parser *p, enum word kind, const char *value)
{
	return kind == WORD_HELP ? show_help(p) : bad_help(p, value);
}

/* What parsing leads to. */
struct result {
	struct dxf_args *args;
	struct buf extras; /* words that nobody wanted, each with a space in front */
	int status;        /* exit code, if help or an error was printed */
};

static void add_extra(struct result *to, const char *word)
{
	buf_printf(&to->extras, " %s", word);
}

/* Takes a run of n words without options; its first "--" ends the options and is none of them. */
static void take_arguments(struct dxf_args *args, char **v, size_t n)
{
	size_t i = 0;
	bool dropped = false;

	/* The repository takes a "--" on either side of it; otherwise the next one goes. */
	i += !strcmp(v[0], "--");
	args->repo = v[i++];
	if (i == 1 && i < n && !strcmp(v[i], "--"))
		i++;
	for (; i < n; i++) {
		if (!dropped && !strcmp(v[i], "--"))
			dropped = true;
		else
			args->v[args->n++] = v[i];
	}
}

/* Parses the words behind an operation. The first run of arguments is taken, later ones are extra. */
static bool parse_op(const struct parser *p, char **v, size_t n, struct result *to)
{
	const char *value = NULL;
	bool ended = false, taken = p->op->no_repo;

	for (size_t i = 0, run; i < n; i += run) {
		enum word kind = WORD_ARG;

		for (run = 0; i + run < n; run++) {
			kind = ended ? WORD_ARG : classify(v[i + run], &value);
			if (!ended && !strcmp(v[i + run], "--"))
				ended = true;
			else if (kind != WORD_ARG)
				break;
		}
		if (!run && kind != WORD_UNKNOWN) {
			to->status = help_or_error(p, kind, value);
			return false;
		}
		if (!taken && run > (size_t)!strcmp(v[i], "--")) {
			take_arguments(to->args, v + i, run);
			taken = true;
			continue;
		}
		run += !run;
		for (size_t k = 0; k < run; k++)
			add_extra(to, v[i + k]);
	}
	if (!taken)
		to->status = usage_error(p, "the following arguments are required: repo, args");
	return taken;
}

static const struct dxf_op *find_op(const char *name)
{
	const struct dxf_op *op = dxf_ops;

	while (op->name && strcmp(op->name, name) != 0)
		op++;
	return op->name ? op : NULL;
}

/* Parses options before the operation, then hands on. False: something was printed. */
static bool parse_main(const struct parser *p, char **v, size_t n, struct result *to)
{
	const char *value = NULL;
	struct parser sub;
	bool ok;

	for (size_t i = 0; i < n; i++) {
		bool dashes = !strcmp(v[i], "--");
		enum word kind = dashes ? WORD_ARG : classify(v[i], &value);

		if (kind == WORD_UNKNOWN || (dashes && i + 1 == n)) {
			add_extra(to, v[i]);
			continue;
		}
		if (kind != WORD_ARG) {
			to->status = help_or_error(p, kind, value);
			return false;
		}
		to->args->op = find_op(v[i]);
		if (!to->args->op) {
			to->status = unknown_op(p, v[i]);
			return false;
		}
		parser_init(&sub, to->args->op);
		ok = parse_op(&sub, v + i + 1, n - i - 1, to);
		parser_fini(&sub);
		return ok;
	}
	return true;
}

bool dxf_args_parse(int argc, char **argv, struct dxf_args *args, int *status)
{
	AUTO_BUF struct buf message = BUF_INIT(TEXT_MAX);
	struct result to = { .args = args, .extras = BUF_INIT(TEXT_MAX), .status = EXIT_FAILED };
	struct parser p;
	bool ok;

	*args = (struct dxf_args){ .v = calloc((size_t)argc + 1, sizeof *args->v) };
	*status = EXIT_FAILED;
	if (!args->v) {
		app_complain("dxf: error", "out of memory");
		return false;
	}
	parser_init(&p, NULL);
	ok = parse_main(&p, argv + 1, argc > 1 ? (size_t)argc - 1 : 0, &to);
	if (ok && to.extras.len) {
		buf_printf(&message, "unrecognized arguments:%s", buf_str(&to.extras));
		to.status = usage_error(&p, buf_str(&message));
		ok = false;
	}
	*status = to.status;
	parser_fini(&p);
	buf_fini(&to.extras);
	return ok;
}

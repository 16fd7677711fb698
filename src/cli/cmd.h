/*
 * The command tree as data: one row per noun ("registry blob") and command ("registry blob push"). The rows
 * give dispatch, --help, suggestions, completion and the man pages. Each noun's rows stand beside its code.
 */
#ifndef DAVIT_CLI_CMD_H
#define DAVIT_CLI_CMD_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/app.h"
#include "cli/opt.h"

/* Arguments without options, as given. */
struct args {
	const char *const *v; /* ends with NULL */
	size_t n;
};

/*
 * Does the work of a command; opts is the command's options struct. Returns 0 or a negative code with a
 * message; DAVIT_EARG is a usage error.
 */
typedef int (*cmd_fn)(struct app *app, const void *opts, const struct args *args, davit_err *e);

enum cmd_flag {
	CMD_LOCAL = 1,  /* uses no network: connection options are not shown */
	CMD_HIDDEN = 2, /* works, but is not shown */
	CMD_RAW = 4,    /* words after it are arguments, whatever they look like */
};

enum { CMD_ANY = 255 /* any number of arguments */ };

struct cmd {
	const char *path;        /* words with one space between; NULL ends a table */
	const char *alias;       /* another name of the last word, or NULL */
	const char *summary;     /* one line: begins lower case, no final dot */
	const char *description; /* sentences; an empty line separates paragraphs */
	const char *args;        /* synopsis of the arguments, for example "[HOST/]REPO FILE|-" */
	/* one letter per argument: f file, d directory, c command, s shell, - nothing */
	const char *complete;
	uint8_t min, max;        /* number of arguments */
	uint8_t flags;           /* enum cmd_flag */
	const struct opt *opts;  /* rows for its options struct; those of a noun hold for all below it */
	size_t opts_size;        /* size of that struct, 0 if there is none */
	const char *opts_title;  /* of a noun: heading of its options */
	cmd_fn run;              /* NULL for a noun */
};

/* A command's options; fills .opts and .opts_size. */
#define CMD_OPTS(T, table) .opts = (table), .opts_size = sizeof(T)

/* All tables, and the rows in order; cmd_at() gives NULL behind the last. */
extern const struct cmd *const cmd_tables[];
const struct cmd *cmd_at(size_t i);

/* The row for word below the row parent (NULL: the root), by name or alias; NULL if there is none. */
const struct cmd *cmd_child(const struct cmd *parent, const char *word);

/* Whether c stands directly below parent. */
bool cmd_is_child(const struct cmd *parent, const struct cmd *c);

/* The last word of the path. */
const char *cmd_word(const struct cmd *c);

/* The noun at or above c that has options, or NULL. */
const struct cmd *cmd_noun_with_options(const struct cmd *c);

/* DAVIT_EARG "unknown command 'x'", with a suggestion. */
int cmd_unknown(const struct cmd *parent, const char *word, davit_err *e);

/* Runs what argv says. Returns an exit code; everything is printed. */
int cmd_main(int argc, char **argv);

/* Appends the help of c, NULL for the whole program. */
void help_text(const struct cmd *c, size_t columns, struct buf *out);

/* Writes the help of c to standard output. */
int help_show(const struct cmd *c, davit_err *e);

#endif

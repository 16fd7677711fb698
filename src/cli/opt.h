/*
 * Options as data: a row ties a flag to a member of an options struct; the member's kind comes from its C
 * type through _Generic. The same rows parse, and give --help, the man page and completion.
 *
 * Accepted: --x VALUE, --x=VALUE, -x VALUE, -xVALUE, -it for two switches, --x and --no-x for a davit_tri,
 * options after arguments. "--" ends the options; "-" and negative numbers are arguments.
 */
#ifndef DAVIT_CLI_OPT_H
#define DAVIT_CLI_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <davit/types.h>

#include "base/buf.h"

/* Given any number of times, in order. */
struct opt_list {
	const char **v; /* pointers into argv */
	size_t n;
};

/* KEY=VALUE given any number of times; a later value for a key replaces an earlier one. */
struct opt_map {
	davit_pair *v; /* keys are copies, values point into argv */
	size_t n;
};

/* A number of bytes: 4096, 64k, 64m, 1g, 1MiB; 1024 per step. */
struct opt_size {
	int64_t bytes;
};

/* A span of time: 500ms, 90s, 1m30s, 2h; a number alone counts seconds. */
struct opt_time {
	int64_t ms;
};

enum opt_kind {
	OPT_BOOL = 1, /* bool: --x */
	OPT_TRI,      /* davit_tri: --x, --no-x, --x=true */
	OPT_INT,      /* int */
	OPT_I64,      /* int64_t */
	OPT_OPT_INT,  /* davit_opt_int: tells "not given" from 0 */
	OPT_STR,      /* const char * */
	OPT_SECRET,   /* davit_secret */
	OPT_LIST,     /* struct opt_list */
	OPT_MAP,      /* struct opt_map */
	OPT_SIZE,     /* struct opt_size */
	OPT_TIME,     /* struct opt_time */
};

/* What a number, size (bytes) or time (milliseconds) may be. */
struct opt_range {
	int64_t min, max;
};

struct opt {
	const char *name;          /* long name without dashes; NULL ends a table */
	const char *help;          /* begins lower case, no final dot */
	const char *arg;           /* what the value is called in help: FILE is completed as a file */
	const char *const *values; /* allowed values, ends with NULL; NULL: any */
	const struct opt_range *range; /* of numbers, sizes and times; NULL: any */
	uint16_t off;              /* of the member */
	uint8_t kind;              /* enum opt_kind */
	char letter;               /* short name, or 0 */
	bool hidden;               /* works, but is not shown */
};

#define OPT_KIND_OF(x)                                                                        \
	_Generic((x), bool: OPT_BOOL, davit_tri: OPT_TRI, int: OPT_INT, int64_t: OPT_I64,     \
		 davit_opt_int: OPT_OPT_INT, const char *: OPT_STR, davit_secret: OPT_SECRET, \
		 struct opt_list: OPT_LIST, struct opt_map: OPT_MAP, struct opt_size: OPT_SIZE, \
		 struct opt_time: OPT_TIME)

/*
 * A row: struct type, member, letter or 0, long name, value name or NULL for switches, help, others by name.
 */
#define OPT(T, m, l, n, a, h, ...)                                                              \
	{                                                                                       \
		.name = (n), .help = (h), .arg = (a), .off = (uint16_t)offsetof(T, m),          \
		.kind = OPT_KIND_OF(((T *)0)->m), .letter = (l), __VA_ARGS__                    \
	}
#define OPT_END { .name = NULL }

/* Rows and the struct that they fill. */
struct opt_set {
	const struct opt *rows; /* ends with OPT_END; may be NULL */
	void *to;
};

enum { OPT_SETS = 4 };

/* Walks over argv: options are stored, words are handed out one by one. */
struct opt_parser {
	char **argv;
	int argc;
	int at;                        /* next word to look at */
	bool ended;                    /* after "--" */
	struct opt_set set[OPT_SETS];  /* searched in this order */
};

/*
 * Stores options up to the next argument.
 * Returns 1 and the argument in *word, 0 at the end, or DAVIT_EARG/DAVIT_ENOMEM.
 */
int opt_next(struct opt_parser *p, const char **word, davit_err *e);

/* Frees what lists and maps of s hold. */
void opt_fini(const struct opt_set *s);

/* Whether a row takes a value. */
bool opt_has_value(const struct opt *o);

/* The row of a long name (given without dashes and value, n bytes) or of a letter, or NULL. */
const struct opt *opt_find_name(const struct opt *rows, const char *name, size_t n);
const struct opt *opt_find_letter(const struct opt *rows, char letter);

/* Parses single values, for options and arguments alike. The message says what is expected. */
int opt_parse_int(const char *s, int64_t min, int64_t max, int64_t *out, davit_err *e);
int opt_parse_size(const char *s, int64_t *bytes, davit_err *e);
int opt_parse_time(const char *s, int64_t *ms, davit_err *e);

/*
 * Keeps the better of two suggestions for a mistyped word: *best (of distance *score) or candidate.
 * Start with *score = opt_far(word); afterwards *best is NULL if nothing is near.
 */
void opt_nearer(const char *word, const char *candidate, const char **best, size_t *score);
size_t opt_far(const char *word);

/* Appends the options section of a help text, wrapped at columns: "  -o, --output FILE   help…". */
void opt_help(const struct opt *rows, size_t columns, struct buf *out);

/*
 * Appends text wrapped at columns, later lines indented; the first line starts at column at. Newlines break.
 */
void opt_wrap(const char *text, size_t at, size_t indent, size_t columns, struct buf *out);

#endif

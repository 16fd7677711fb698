/* The inside of templates: tokens, tree, values. */
#ifndef DAVIT_CLI_FORMAT_INTERNAL_H
#define DAVIT_CLI_FORMAT_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "cli/format.h"

enum {
	FORMAT_TEXT_MAX = 64 << 10,    /* bytes of a template */
	FORMAT_DEPTH_MAX = 64,         /* nested blocks and parentheses */
	FORMAT_VARS_MAX = 64,          /* variables in scope */
	FORMAT_ARGS_MAX = 64,          /* arguments of one function */
	FORMAT_STEPS_MAX = 20000000,   /* nodes and functions run */
	FORMAT_WIDTH_MAX = 1000,       /* width and precision of printf, spaces of pad */
	FORMAT_MEMORY_MAX = 256 << 20, /* texts made while running */
};

/* --- values --- */

enum tv_kind {
	TV_NIL = 0,
	TV_BOOL,
	TV_INT,
	TV_UINT /* above INT64_MAX */,
	TV_FLOAT,
	TV_STR,
	TV_LIST,
	TV_REF
};

struct tv {
	enum tv_kind kind;
	union {
		bool b;
		int64_t i;
		uint64_t u;
		double f;
		struct {
			const char *p; /* NUL-terminated */
			size_t n;
		} s;
		struct {
			const struct tv *v;
			size_t n;
		} list;
		const davit_value *ref; /* array or object */
	};
};

struct tv tv_of(const davit_value *v);
struct tv tv_str(const char *p, size_t n);
struct tv tv_int(int64_t i);
struct tv tv_bool(bool b);
bool tv_true(const struct tv *v);
bool tv_is_number(const struct tv *v);
/* Elements of a list, members of an object, bytes of a string; -1 for other kinds. */
int64_t tv_len(const struct tv *v);
/* Element i of a list or an object. */
struct tv tv_at(const struct tv *v, size_t i);
bool tv_is_object(const struct tv *v);
/* A member by name, exactly or else without regard to case; nil if there is none. */
struct tv tv_member(const struct tv *v, const char *name);
/* "string", "int", …, for messages and printf. */
const char *tv_type_name(const struct tv *v);
/* As Go's %v; nil is <no value>. */
void tv_print(const struct tv *v, struct buf *out);
/* As compact JSON. */
int tv_json(const struct tv *v, struct buf *out, davit_err *e);
/* As Go's %q. */
void tv_quote(const char *p, size_t n, struct buf *out);
/* Order of two numbers or two strings: < 0, 0, > 0; DAVIT_EARG for anything else. */
int tv_compare(const struct tv *a, const struct tv *b, int *order, davit_err *e);
int tv_equal(const struct tv *a, const struct tv *b, bool *equal, davit_err *e);
/* Indexes of an object's members in order of their keys; from the arena. NULL: no memory. */
const size_t *tv_sorted(const struct tv *v, struct arena *a);

/* --- tokens --- */

enum token_kind {
	TOK_TEXT,   /* outside of actions */
	TOK_OPEN,   /* {{ */
	TOK_CLOSE,  /* }} */
	TOK_END,    /* of the template */
	TOK_WORD,   /* function or keyword */
	TOK_FIELD,  /* .name, without the dot */
	TOK_DOT,    /* . alone */
	TOK_VAR,    /* $ or $name, with the dollar */
	TOK_CONST,  /* string, number, true, false, nil */
	TOK_PIPE,
	TOK_LEFT,   /* ( */
	TOK_RIGHT,
	TOK_DECLARE, /* := */
	TOK_ASSIGN,  /* = */
	TOK_COMMA,
};

struct token {
	enum token_kind kind;
	size_t at;        /* byte in the template */
	bool spaced;      /* white space stands in front */
	struct tv value;  /* text, name or constant */
};

struct lexer {
	const char *text;
	size_t n;
	size_t at;
	bool inside;      /* of an action */
	bool trim;        /* the text that follows loses its leading white space */
	struct arena *a;
	davit_err *e;
};

int lex_next(struct lexer *l, struct token *t);
/* DAVIT_EARG "template, character 12: …". */
int format_error(davit_err *e, size_t at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* --- tree --- */

struct path {
	const char *name;
	const struct path *next;
};

enum operand_kind { OPERAND_DOT, OPERAND_VAR, OPERAND_CONST, OPERAND_FUNC, OPERAND_PIPE };

struct operand {
	enum operand_kind kind;
	size_t at;
	size_t slot;              /* of a variable */
	struct tv value;          /* constant */
	const struct func *func;
	const struct pipe *pipe;  /* in parentheses */
	const struct path *path;  /* fields behind it */
	struct operand *next;
};

/* One function with its arguments, or one operand alone. */
struct call {
	struct operand *first;
	struct call *next; /* gets the result as last argument */
};

struct pipe {
	struct call *first;
	size_t at;
	size_t slot[2];  /* variables that get the result; in a range: index and element */
	size_t n_slots;
};

enum node_kind { NODE_TEXT, NODE_PRINT, NODE_IF, NODE_RANGE, NODE_WITH };

struct node {
	enum node_kind kind;
	size_t at;
	struct tv text;
	const struct pipe *pipe;
	struct node *body, *other; /* other: what else does */
	struct node *next;
};

struct format {
	struct arena a;
	const char *text;
	struct node *first;
};

int format_parse(struct format *f, davit_err *e);

/* --- running --- */

struct exec {
	struct arena a;
	struct buf *out;
	davit_err *e;
	struct tv var[FORMAT_VARS_MAX]; /* 0 is $ */
	size_t steps;
	bool heading;
};

struct func {
	const char *name; /* NULL ends the table */
	int (*run)(struct exec *x, const struct tv *arg, size_t n, struct tv *out);
	size_t min, max;
	bool lazy;        /* and, or: arguments are evaluated one by one; run is NULL */
};

const struct func *func_find(const char *name);
extern const struct func funcs[];

/* Moves a buffer's text into the arena; fails as the buffer did. */
int exec_text(struct exec *x, struct buf *b, struct tv *out);

/* printf with Go's verbs. */
int func_printf(struct exec *x, const struct tv *arg, size_t n, struct tv *out);

#endif

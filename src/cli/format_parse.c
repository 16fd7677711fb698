#include <string.h>

#include "base/err.h"
#include "cli/format_internal.h"

struct parser {
	struct lexer lex;
	struct token tok; /* the next one */
	struct arena *a;
	davit_err *e;
	const char *var[FORMAT_VARS_MAX]; /* names in scope; the slot is the index */
	size_t n_vars;
	size_t depth;
};

/* How a list of nodes ended. */
enum stop { STOP_END_OF_TEXT, STOP_END, STOP_ELSE };

static int next(struct parser *p)
{
	return lex_next(&p->lex, &p->tok);
}

static bool at_word(const struct parser *p, const char *word)
{
	return p->tok.kind == TOK_WORD && !strcmp(p->tok.value.s.p, word);
}

static const char *token_text(const struct token *t)
{
	static const char *const names[] = {
		[TOK_TEXT] = "text", [TOK_OPEN] = "{{", [TOK_CLOSE] = "}}", [TOK_END] = "end of the template",
		[TOK_DOT] = ".", [TOK_CONST] = "constant", [TOK_PIPE] = "|", [TOK_LEFT] = "(",
		[TOK_RIGHT] = ")", [TOK_DECLARE] = ":=", [TOK_ASSIGN] = "=", [TOK_COMMA] = ",",
	};

	if (t->kind == TOK_WORD || t->kind == TOK_VAR || t->kind == TOK_FIELD)
		return t->value.s.p;
	return names[t->kind];
}

static int unexpected(const struct parser *p, const char *where)
{
	return format_error(p->e, p->tok.at, "unexpected '%s' %s", token_text(&p->tok), where);
}

static int enter(struct parser *p)
{
	if (p->depth >= FORMAT_DEPTH_MAX)
		return format_error(p->e, p->tok.at, "more than %d levels", FORMAT_DEPTH_MAX);
	p->depth++;
	return 0;
}

static int find_var(const struct parser *p, const struct token *t, size_t *slot)
{
	for (size_t i = p->n_vars; i; i--) {
		if (!strcmp(p->var[i - 1], t->value.s.p)) {
			*slot = i - 1;
			return 0;
		}
	}
	return format_error(p->e, t->at, "undefined variable %s", t->value.s.p);
}

static int declare(struct parser *p, const struct token *t, size_t *slot)
{
	if (p->n_vars == FORMAT_VARS_MAX)
		return format_error(p->e, t->at, "more than %d variables", FORMAT_VARS_MAX);
	*slot = p->n_vars;
	p->var[p->n_vars++] = t->value.s.p;
	return 0;
}

static int add_field(struct parser *p, const struct path ***tail)
{
	struct path *f = arena_alloc(p->a, 1, sizeof *f);

	if (!f)
		return err_nomem(p->e);
	f->name = p->tok.value.s.p;
	**tail = f;
	*tail = &f->next;
	return next(p);
}

static int parse_pipe(struct parser *p, bool range, enum token_kind end, const struct pipe **out);

static int parse_parentheses(struct parser *p, struct operand *o)
{
	int r = enter(p);

	o->kind = OPERAND_PIPE;
	if (!r)
		r = next(p);
	if (!r)
		r = parse_pipe(p, false, TOK_RIGHT, &o->pipe);
	p->depth--;
	return r ? r : next(p);
}

static int parse_function(struct parser *p, struct operand *o)
{
	o->kind = OPERAND_FUNC;
	o->func = func_find(p->tok.value.s.p);
	if (!o->func)
		return format_error(p->e, p->tok.at, "there is no function '%s'", p->tok.value.s.p);
	return next(p);
}

static int parse_primary(struct parser *p, struct operand *o)
{
	int r;

	switch ((int)p->tok.kind) {
	case TOK_CONST:
		o->kind = OPERAND_CONST;
		o->value = p->tok.value;
		return next(p);
	case TOK_DOT:
	case TOK_FIELD:
		o->kind = OPERAND_DOT;
		return p->tok.kind == TOK_DOT ? next(p) : 0;
	case TOK_VAR:
		o->kind = OPERAND_VAR;
		r = find_var(p, &p->tok, &o->slot);
		return r ? r : next(p);
	case TOK_LEFT:
		return parse_parentheses(p, o);
	case TOK_WORD:
		return parse_function(p, o);
	default:
		return unexpected(p, "in an action");
	}
}

static int parse_operand(struct parser *p, struct operand **out)
{
	struct operand *o = arena_alloc(p->a, 1, sizeof *o);
	bool first_field = p->tok.kind == TOK_FIELD;
	const struct path **tail;
	int r;

	if (!o)
		return err_nomem(p->e);
	o->at = p->tok.at;
	tail = &o->path;
	r = parse_primary(p, o);
	/* Fields follow without space; the first one of ".a.b" is the operand itself. */
	while (!r && p->tok.kind == TOK_FIELD && (first_field || !p->tok.spaced)) {
		if (o->kind == OPERAND_FUNC || o->kind == OPERAND_CONST)
			return unexpected(p, "behind a function or constant");
		first_field = false;
		r = add_field(p, &tail);
	}
	*out = o;
	return r;
}

static bool ends_call(const struct parser *p, enum token_kind end)
{
	return p->tok.kind == TOK_PIPE || p->tok.kind == end;
}

static int check_call(const struct parser *p, const struct call *c, size_t n, bool piped)
{
	const struct operand *o = c->first;
	size_t args = n - 1 + piped;

	/* A function among the arguments has none itself. */
	for (const struct operand *a = o->next; a; a = a->next)
		if (a->kind == OPERAND_FUNC && a->func->min)
			return format_error(p->e, a->at, "%s: wrong number of arguments (0)", a->func->name);
	if (o->kind != OPERAND_FUNC) {
		if (args)
			return format_error(p->e, o->at, "only a function takes arguments");
		return 0;
	}
	if (args < o->func->min || args > o->func->max)
		return format_error(p->e, o->at, "%s: wrong number of arguments (%zu)", o->func->name, args);
	return 0;
}

static int parse_call(struct parser *p, enum token_kind end, bool piped, struct call **out)
{
	struct call *c = arena_alloc(p->a, 1, sizeof *c);
	struct operand **tail;
	size_t n = 0;
	int r;

	if (!c)
		return err_nomem(p->e);
	if (ends_call(p, end))
		return unexpected(p, "where a value is expected");
	for (tail = &c->first; !ends_call(p, end); tail = &(*tail)->next) {
		if (p->tok.kind == TOK_CLOSE)
			return unexpected(p, "where ) is missing");
		if (n && !p->tok.spaced && p->tok.kind != TOK_LEFT)
			return unexpected(p, "without space in front");
		r = parse_operand(p, tail);
		if (r)
			return r;
		n++;
	}
	r = check_call(p, c, n, piped);
	if (r)
		return r;
	*out = c;
	return 0;
}

/* "$x :=", "$x =", "$i, $x :=" if they are there. Names become visible only behind the pipeline. */
static int parse_variables(struct parser *p, bool range, struct token names[2], size_t *n, bool *fresh)
{
	struct parser saved = *p;
	int r = 0;

	for (*n = 0; p->tok.kind == TOK_VAR && *n < 2;) {
		names[(*n)++] = p->tok;
		r = next(p);
		if (r || p->tok.kind != TOK_COMMA)
			break;
		if (!range)
			return unexpected(p, "behind a variable");
		r = next(p);
	}
	if (r)
		return r;
	if (*n && (p->tok.kind == TOK_DECLARE || p->tok.kind == TOK_ASSIGN)) {
		*fresh = p->tok.kind == TOK_DECLARE;
		return next(p);
	}
	*p = saved;
	*n = 0;
	return 0;
}

static int parse_calls(struct parser *p, enum token_kind end, struct pipe *pipe)
{
	struct call **tail = &pipe->first;

	for (;;) {
		int r = parse_call(p, end, tail != &pipe->first, tail);

		if (r)
			return r;
		if (p->tok.kind == end)
			return 0;
		tail = &(*tail)->next;
		r = next(p);
		if (r)
			return r;
	}
}

static int parse_pipe(struct parser *p, bool range, enum token_kind end, const struct pipe **out)
{
	struct pipe *pipe = arena_alloc(p->a, 1, sizeof *pipe);
	struct token names[2];
	bool fresh = false;
	int r;

	if (!pipe)
		return err_nomem(p->e);
	pipe->at = p->tok.at;
	r = parse_variables(p, range, names, &pipe->n_slots, &fresh);
	if (!r)
		r = parse_calls(p, end, pipe);
	for (size_t i = 0; !r && i < pipe->n_slots; i++)
		r = fresh ? declare(p, &names[i], &pipe->slot[i]) : find_var(p, &names[i], &pipe->slot[i]);
	*out = pipe;
	return r;
}

static int parse_list(struct parser *p, struct node **first, enum stop *stop);

static int parse_block(struct parser *p, struct node *n);

/* {{else if …}} and {{else with …}}: a block of its own that shares the {{end}}. */
static int parse_else_block(struct parser *p, struct node *n)
{
	struct node *other = arena_alloc(p->a, 1, sizeof *other);
	int r = other ? enter(p) : err_nomem(p->e);

	if (r)
		return r;
	other->kind = at_word(p, "if") ? NODE_IF : NODE_WITH;
	other->at = p->tok.at;
	n->other = other;
	r = next(p);
	r = r ? r : parse_block(p, other);
	p->depth--;
	return r;
}

/* {{else}} and the nodes up to {{end. */
static int parse_else(struct parser *p, struct node *n, enum stop *stop)
{
	int r;

	if (p->tok.kind != TOK_CLOSE)
		return unexpected(p, "behind else");
	r = next(p);
	r = r ? r : parse_list(p, &n->other, stop);
	if (!r && *stop == STOP_ELSE)
		return format_error(p->e, n->at, "a second else");
	return r;
}

/* Behind if, range or with: the pipeline up to }}, the body, what else says, up to the end. */
static int parse_block(struct parser *p, struct node *n)
{
	size_t vars = p->n_vars;
	size_t inner;
	enum stop stop = STOP_END;
	int r = parse_pipe(p, n->kind == NODE_RANGE, TOK_CLOSE, &n->pipe);

	inner = p->n_vars;
	r = r ? r : next(p);
	r = r ? r : parse_list(p, &n->body, &stop);
	if (r)
		return r;
	p->n_vars = inner;
	if (stop == STOP_ELSE && (at_word(p, "if") || at_word(p, "with"))) {
		r = parse_else_block(p, n);
		p->n_vars = vars;
		return r;
	}
	if (stop == STOP_ELSE)
		r = parse_else(p, n, &stop);
	p->n_vars = vars;
	if (!r && stop == STOP_END_OF_TEXT)
		return format_error(p->e, n->at, "{{end}} is missing for this block");
	return r ? r : next(p);
}

static bool block_kind(const struct parser *p, enum node_kind *kind)
{
	static const struct {
		const char *word;
		enum node_kind kind;
	} words[] = { { "if", NODE_IF }, { "range", NODE_RANGE }, { "with", NODE_WITH } };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (at_word(p, words[i].word)) {
			*kind = words[i].kind;
			return true;
		}
	}
	return false;
}

static int parse_action(struct parser *p, struct node *n)
{
	int r;

	if (block_kind(p, &n->kind)) {
		r = enter(p);
		r = r ? r : next(p);
		r = r ? r : parse_block(p, n);
		p->depth--;
		return r;
	}
	n->kind = NODE_PRINT;
	r = parse_pipe(p, false, TOK_CLOSE, &n->pipe);
	return r ? r : next(p);
}

/* Whether an {{end}} or {{else stands here; then *stop is set and the token is behind it. */
static int check_stop(struct parser *p, enum stop *stop, bool *stopped)
{
	int r = 0;

	*stopped = at_word(p, "end") || at_word(p, "else");
	if (!*stopped)
		return 0;
	if (!p->depth)
		return unexpected(p, "without a block");
	*stop = at_word(p, "end") ? STOP_END : STOP_ELSE;
	r = next(p);
	if (!r && *stop == STOP_END && p->tok.kind != TOK_CLOSE)
		return unexpected(p, "behind end");
	return r;
}

/* Nodes up to the end of the text, or up to {{end or {{else with the token behind that word. */
static int parse_list(struct parser *p, struct node **first, enum stop *stop)
{
	struct node **tail = first;
	bool stopped = false;

	while (p->tok.kind != TOK_END) {
		struct node *n;
		int r = 0;

		if (p->tok.kind == TOK_OPEN) {
			r = next(p);
			r = r ? r : check_stop(p, stop, &stopped);
			if (r || stopped)
				return r;
		}
		n = arena_alloc(p->a, 1, sizeof *n);
		if (!n)
			return err_nomem(p->e);
		n->at = p->tok.at;
		n->text = p->tok.value;
		n->kind = NODE_TEXT;
		r = p->tok.kind == TOK_TEXT ? next(p) : parse_action(p, n);
		if (r)
			return r;
		*tail = n;
		tail = &n->next;
	}
	*stop = STOP_END_OF_TEXT;
	return 0;
}

int format_parse(struct format *f, davit_err *e)
{
	struct parser p = {
		.lex = { .text = f->text, .n = strlen(f->text), .a = &f->a, .e = e },
		.a = &f->a,
		.e = e,
		.var = { "$" },
		.n_vars = 1,
	};
	enum stop stop;
	int r = next(&p);

	return r ? r : parse_list(&p, &f->first, &stop);
}

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "cli/format_internal.h"

int format_new(const char *text, struct format **out, davit_err *e)
{
	struct format *f;
	int r;

	if (strlen(text) > FORMAT_TEXT_MAX)
		return err_set(e, DAVIT_ELIMIT, "the template is longer than %d bytes", FORMAT_TEXT_MAX);
	f = calloc(1, sizeof *f);
	if (!f)
		return err_nomem(e);
	f->text = arena_strdup(&f->a, text);
	r = f->text ? format_parse(f, e) : err_nomem(e);
	if (r) {
		format_free(f);
		return r;
	}
	*out = f;
	return 0;
}

void format_free(struct format *f)
{
	if (!f)
		return;
	arena_fini(&f->a);
	free(f);
}

int exec_text(struct exec *x, struct buf *b, struct tv *out)
{
	int r = buf_check(b, "a text in the template", x->e);
	const char *copy = r ? NULL : arena_strndup(&x->a, buf_str(b), b->len);

	if (!r && !copy)
		r = err_set(x->e, DAVIT_ELIMIT, "the template needs too much memory");
	if (!r)
		*out = tv_str(copy, b->len);
	buf_fini(b);
	return r;
}

static int step(struct exec *x)
{
	if (++x->steps > FORMAT_STEPS_MAX)
		return err_set(x->e, DAVIT_ELIMIT, "the template takes more than %d steps", FORMAT_STEPS_MAX);
	return 0;
}

static int at_error(const struct exec *x, int code, size_t at, const char *name)
{
	return err_at(x->e, code, "template, character %zu: %s%s", at + 1, name ? name : "",
		      name ? ": " : "");
}

/* "mediaType" becomes "MEDIA TYPE". */
static int heading_of(struct exec *x, const char *name, struct tv *out)
{
	struct buf b = BUF_INIT(FORMAT_TEXT_MAX);

	for (const char *p = name; *p; p++) {
		if (p > name && isupper((unsigned char)*p) && islower((unsigned char)p[-1]))
			buf_putc(&b, ' ');
		buf_putc(&b, *p == '_' ? ' ' : (char)toupper((unsigned char)*p));
	}
	return exec_text(x, &b, out);
}

static int fields(struct exec *x, const struct path *p, struct tv *v)
{
	if (x->heading) {
		while (p->next)
			p = p->next;
		return heading_of(x, p->name, v);
	}
	for (; p; p = p->next) {
		/* A field of something that is not there is not there either. */
		if (v->kind == TV_NIL)
			return 0;
		if (!tv_is_object(v))
			return err_set(x->e, DAVIT_EARG, "a %s has no field .%s", tv_type_name(v), p->name);
		*v = tv_member(v, p->name);
	}
	return 0;
}

static int eval_pipe(struct exec *x, const struct pipe *p, struct tv dot, struct tv *out);

static int eval_operand(struct exec *x, const struct operand *o, struct tv dot, struct tv *out)
{
	int r = step(x);

	if (r)
		return r;
	switch (o->kind) {
	case OPERAND_DOT:
		*out = dot;
		break;
	case OPERAND_VAR:
		*out = x->var[o->slot];
		break;
	case OPERAND_CONST:
		*out = o->value;
		break;
	case OPERAND_PIPE:
		r = eval_pipe(x, o->pipe, dot, out);
		break;
	case OPERAND_FUNC:
		r = o->func->run ? o->func->run(x, NULL, 0, out) : 0;
		break;
	}
	if (!r && o->path)
		r = at_error(x, fields(x, o->path, out), o->at, NULL);
	return r;
}

/* and, or: the first argument that decides, else the last. */
static int eval_lazy(struct exec *x, const struct call *c, struct tv dot, const struct tv *last,
		     struct tv *out)
{
	bool stop_at = !strcmp(c->first->func->name, "or");
	int r;

	for (const struct operand *o = c->first->next; o; o = o->next) {
		r = eval_operand(x, o, dot, out);
		if (r)
			return r;
		if (tv_true(out) == stop_at)
			return 0;
	}
	if (last)
		*out = *last;
	return 0;
}

static int eval_call(struct exec *x, const struct call *c, struct tv dot, const struct tv *last,
		     struct tv *out)
{
	const struct operand *first = c->first;
	struct tv arg[FORMAT_ARGS_MAX] = { 0 };
	size_t n = 0;
	int r = 0;

	if (first->kind != OPERAND_FUNC)
		return eval_operand(x, first, dot, out);
	if (first->func->lazy && !x->heading)
		return eval_lazy(x, c, dot, last, out);
	for (const struct operand *o = first->next; o && !r; o = o->next) {
		if (n == FORMAT_ARGS_MAX)
			r = err_set(x->e, DAVIT_ELIMIT, "more than %d arguments", FORMAT_ARGS_MAX);
		else
			r = eval_operand(x, o, dot, &arg[n++]);
	}
	if (r)
		return r;
	if (last && n < FORMAT_ARGS_MAX)
		arg[n++] = *last;
	if (x->heading) {
		/* Functions let the heading through: the argument that is the name of a field. */
		*out = tv_str("", 0);
		for (size_t i = 0; i < n; i++)
			if (arg[i].kind == TV_STR && arg[i].s.n > out->s.n)
				*out = arg[i];
		return 0;
	}
	return at_error(x, first->func->run(x, arg, n, out), first->at, first->func->name);
}

static int eval_pipe(struct exec *x, const struct pipe *p, struct tv dot, struct tv *out)
{
	const struct tv *last = NULL;
	struct tv v = { .kind = TV_NIL };
	struct tv before;
	int r = 0;

	for (const struct call *c = p->first; c && !r; c = c->next) {
		r = eval_call(x, c, dot, last, &v);
		before = v;
		last = &before;
	}
	if (!r)
		*out = v;
	return r;
}

static int run_list(struct exec *x, const struct node *n, struct tv dot);

static int set_range(struct exec *x, const struct pipe *p, struct tv index, struct tv element)
{
	if (p->n_slots == 1)
		x->var[p->slot[0]] = element;
	if (p->n_slots == 2) {
		x->var[p->slot[0]] = index;
		x->var[p->slot[1]] = element;
	}
	return step(x);
}

static int run_range(struct exec *x, const struct node *n, struct tv v, struct tv dot)
{
	bool object = tv_is_object(&v);
	const size_t *order = object ? tv_sorted(&v, &x->a) : NULL;
	int64_t len = tv_len(&v);
	int r = 0;

	if (object && !order)
		return err_nomem(x->e);
	if (v.kind == TV_NIL)
		len = 0;
	if (len < 0 || v.kind == TV_STR)
		return at_error(x, err_set(x->e, DAVIT_EARG, "cannot go over a %s", tv_type_name(&v)), n->at,
				"range");
	if (!len)
		return run_list(x, n->other, dot);
	for (size_t i = 0; !r && i < (size_t)len; i++) {
		struct tv element = tv_at(&v, object ? order[i] : i);
		struct tv index = tv_int((int64_t)i);

		if (object) {
			const char *key = davit_value_key(v.ref, order[i]);

			index = tv_str(key, strlen(key));
		}
		r = set_range(x, n->pipe, index, element);
		if (!r)
			r = run_list(x, n->body, element);
	}
	return r;
}

static int run_node(struct exec *x, const struct node *n, struct tv dot)
{
	struct tv v;
	int r;

	if (n->kind == NODE_TEXT) {
		buf_add(x->out, n->text.s.p, n->text.s.n);
		return 0;
	}
	r = eval_pipe(x, n->pipe, dot, &v);
	if (r)
		return r;
	if (n->kind == NODE_RANGE && !x->heading)
		return run_range(x, n, v, dot);
	for (size_t i = 0; i < n->pipe->n_slots; i++)
		x->var[n->pipe->slot[i]] = v;
	if (n->kind == NODE_PRINT) {
		/* A column that shows the entry itself has no name. */
		if (!n->pipe->n_slots && !(x->heading && v.kind == TV_NIL))
			tv_print(&v, x->out);
		return buf_check(x->out, "the output", x->e);
	}
	if (!x->heading && !tv_true(&v))
		return run_list(x, n->other, dot);
	return run_list(x, n->body, n->kind == NODE_IF ? dot : v);
}

static int run_list(struct exec *x, const struct node *n, struct tv dot)
{
	for (; n; n = n->next) {
		int r = step(x);

		if (!r)
			r = run_node(x, n, dot);
		if (r)
			return r;
	}
	return buf_check(x->out, "the output", x->e);
}

static int run(const struct format *f, const davit_value *v, bool heading, struct buf *out, davit_err *e)
{
	struct exec x = { .out = out, .e = e, .heading = heading, .a.max = FORMAT_MEMORY_MAX };
	int r;

	x.var[0] = tv_of(v);
	r = run_list(&x, f->first, x.var[0]);
	arena_fini(&x.a);
	return r;
}

int format_run(const struct format *f, const davit_value *v, struct buf *out, davit_err *e)
{
	return run(f, v, false, out, e);
}

int format_heading(const struct format *f, struct buf *out, davit_err *e)
{
	return run(f, NULL, true, out, e);
}

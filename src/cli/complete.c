#include "cli/complete.h"

#include <string.h>

#include "cli/cmd.h"
#include "cli/cmd/dxf.h"
#include "cli/personality.h"

/* Where the line stands behind the words before the last. */
struct place {
	const struct cmd *cmd;      /* NULL: no command yet */
	const struct opt *pending;  /* the option that the last word is the value of */
	const char *last;
	size_t n_args;
	bool ended;                 /* after "--" */
	struct buf *out;
};

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

static void candidate(const struct place *p, const char *prefix, const char *word, const char *text)
{
	if (begins(word, p->last))
		buf_printf(p->out, "%s%s%s%s\n", prefix, word, text ? "\t" : "", text ? text : "");
}

/* The option tables that hold at this place; count in *n. */
static void tables(const struct place *p, const struct opt *out[OPT_SETS], size_t *n)
{
	const struct cmd *noun = p->cmd ? cmd_noun_with_options(p->cmd) : NULL;

	*n = 0;
	if (p->cmd && p->cmd->run && p->cmd->opts)
		out[(*n)++] = p->cmd->opts;
	if (noun)
		out[(*n)++] = noun->opts;
	out[(*n)++] = global_options;
	if (!p->cmd || !(p->cmd->flags & CMD_LOCAL))
		out[(*n)++] = connection_options;
}

static const struct opt *find(const struct place *p, const char *name, size_t len, char letter)
{
	const struct opt *table[OPT_SETS];
	const struct opt *o = NULL;
	size_t n;

	tables(p, table, &n);
	for (size_t i = 0; i < n && !o; i++)
		o = name ? opt_find_name(table[i], name, len) : opt_find_letter(table[i], letter);
	return o;
}

/* An option word: which option waits for the next word? */
static const struct opt *waiting(const struct place *p, const char *word)
{
	const struct opt *o;

	if (word[1] == '-') {
		o = strchr(word, '=') ? NULL : find(p, word + 2, strlen(word + 2), 0);
		return o && opt_has_value(o) ? o : NULL;
	}
	for (word++; *word; word++) {
		o = find(p, NULL, 0, *word);
		if (o && opt_has_value(o))
			return word[1] ? NULL : o;
	}
	return NULL;
}

static void step(struct place *p, const char *word)
{
	if (p->pending) {
		p->pending = NULL;
	} else if (!p->ended && !strcmp(word, "--")) {
		p->ended = true;
	} else if (!p->ended && word[0] == '-' && word[1]) {
		p->pending = waiting(p, word);
	} else if (p->cmd && p->cmd->run) {
		p->n_args++;
	} else {
		const struct cmd *child = cmd_child(p->cmd, word);

		if (child)
			p->cmd = child;
	}
}

static void complete_commands(const struct place *p, const struct cmd *parent)
{
	const struct cmd *c;

	for (size_t i = 0; (c = cmd_at(i)); i++)
		if (cmd_is_child(parent, c) && !(c->flags & CMD_HIDDEN))
			candidate(p, "", cmd_word(c), c->summary);
}

static void complete_options(const struct place *p)
{
	const struct opt *table[OPT_SETS];
	size_t n;

	tables(p, table, &n);
	for (size_t i = 0; i < n; i++) {
		for (const struct opt *o = table[i]; o && o->name; o++) {
			char name[64] = "--";

			if (o->hidden || strlen(o->name) + 3 > sizeof name)
				continue;
			memcpy(name + 2, o->name, strlen(o->name) + 1);
			candidate(p, "", name, o->help);
		}
	}
}

/* prefix: what stands in front of the value in the same word. */
static void complete_value(struct place *p, const struct opt *o, const char *prefix)
{
	for (const char *const *v = o->values; v && *v; v++)
		candidate(p, prefix, *v, NULL);
	if (o->arg && (!strcmp(o->arg, "FILE") || !strcmp(o->arg, "DIR")))
		buf_puts(p->out, o->arg[0] == 'F' ? ":file\n" : ":dir\n");
}

static void complete_help_argument(const struct place *p, const char *const *words, size_t n)
{
	const struct cmd *c = NULL;

	/* The arguments of help are the last words before this one. */
	for (size_t i = n - p->n_args; i < n; i++)
		c = cmd_child(c, words[i]) ? cmd_child(c, words[i]) : c;
	complete_commands(p, c);
}

static void complete_argument(const struct place *p, const char *const *words, size_t n)
{
	static const char *const shells[] = { "bash", "zsh", "fish" };
	const char *kinds = p->cmd->complete ? p->cmd->complete : "";
	size_t len = strlen(kinds);
	char kind;

	/* Further arguments are like the last one described, if any number is allowed. */
	if (p->n_args >= p->cmd->max && p->cmd->max != CMD_ANY)
		return;
	kind = p->n_args < len ? kinds[p->n_args] : len && p->cmd->max == CMD_ANY ? kinds[len - 1] : '-';
	if (kind == 'f' || kind == 'd')
		buf_puts(p->out, kind == 'f' ? ":file\n" : ":dir\n");
	else if (kind == 'c')
		complete_help_argument(p, words, n);
	for (size_t i = 0; kind == 's' && i < sizeof shells / sizeof *shells; i++)
		candidate(p, "", shells[i], NULL);
}

/* dxf OPERATION REPO ARGUMENT... */
static void complete_dxf(const struct place *p, size_t n)
{
	static const char *const options[] = { "--help", NULL };

	for (const struct dxf_op *op = dxf_ops; n == 1 && op->name; op++)
		candidate(p, "", op->name, NULL);
	for (const char *const *o = options; *p->last == '-' && *o; o++)
		candidate(p, "", *o, NULL);
	if (n > 2)
		buf_puts(p->out, ":file\n");
}

static void complete_last(struct place *p, const char *const *words, size_t n)
{
	const char *eq = strchr(p->last, '=');
	const struct opt *o;

	if (p->pending) {
		complete_value(p, p->pending, "");
		return;
	}
	if (!p->ended && begins(p->last, "--") && eq) {
		char prefix[64] = "";

		o = find(p, p->last + 2, (size_t)(eq - p->last) - 2, 0);
		if (o && (size_t)(eq - p->last) + 2 < sizeof prefix) {
			memcpy(prefix, p->last, (size_t)(eq - p->last) + 1);
			p->last = eq + 1;
			complete_value(p, o, prefix);
		}
		return;
	}
	if (!p->ended && p->last[0] == '-')
		complete_options(p);
	else if (p->cmd && p->cmd->run)
		complete_argument(p, words, n);
	else
		complete_commands(p, p->cmd);
}

void complete_words(const char *const *words, size_t n, struct buf *out)
{
	struct place p = { .out = out };

	if (n < 2)
		return;
	p.last = words[n - 1];
	if (personality_find(words[0])) {
		complete_dxf(&p, n - 1);
		return;
	}
	if (n > 2 && personality_find(words[1])) {
		complete_dxf(&p, n - 2);
		return;
	}
	for (size_t i = 1; i + 1 < n; i++)
		step(&p, words[i]);
	complete_last(&p, words, n - 1);
	for (const struct personality *q = personalities; n == 2 && q->name; q++)
		candidate(&p, "", q->name, q->summary);
}

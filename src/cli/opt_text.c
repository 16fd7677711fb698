/* The readable side of options: suggestions for mistyped names, help sections. */
#include <string.h>

#include "cli/opt.h"

enum {
	WORD_MAX = 63,     /* longer words get no suggestion */
	NAME_COLUMN = 30,  /* where help texts begin */
	TEXT_MIN = 20,     /* narrowest help text */
};

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Edits (insert, delete, replace, swap of neighbours) from a to b. */
static size_t distance(const char *a, const char *b)
{
	size_t row[3][WORD_MAX + 1];
	size_t la = strlen(a), lb = strlen(b);
	size_t *now = row[0], *before = row[1], *earlier = row[2];

	if (la > WORD_MAX || lb > WORD_MAX)
		return WORD_MAX;
	for (size_t j = 0; j <= lb; j++)
		now[j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t *spare = earlier;

		earlier = before;
		before = now;
		now = spare;
		now[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t change = a[i - 1] != b[j - 1];

			now[j] = min3(before[j] + 1, now[j - 1] + 1, before[j - 1] + change);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    earlier[j - 2] + 1 < now[j])
				now[j] = earlier[j - 2] + 1;
		}
	}
	return now[lb];
}

size_t opt_far(const char *word)
{
	size_t n = strlen(word);

	return n < 3 ? 2 : n < 6 ? 3 : 4;
}

void opt_nearer(const char *word, const char *candidate, const char **best, size_t *score)
{
	size_t n = strlen(word);
	size_t d = distance(word, candidate);

	/* The beginning of a longer word is as good as one slip. */
	if (n >= 3 && !strncmp(word, candidate, n) && d > 1)
		d = 1;
	if (d < *score && d < strlen(candidate)) {
		*score = d;
		*best = candidate;
	}
}

static void spaces(size_t n, struct buf *out)
{
	for (; n; n--)
		buf_putc(out, ' ');
}

void opt_wrap(const char *text, size_t at, size_t indent, size_t columns, struct buf *out)
{
	size_t right = columns < indent + TEXT_MIN ? indent + TEXT_MIN : columns;
	bool fresh = true; /* nothing stands on this line yet */

	while (*text) {
		size_t n = strcspn(text, " \n");

		if (!fresh && at + 1 + n > right) {
			buf_putc(out, '\n');
			spaces(indent, out);
			at = indent;
			fresh = true;
		}
		if (n) {
			if (!fresh) {
				buf_putc(out, ' ');
				at++;
			}
			buf_add(out, text, n);
			at += n;
			fresh = false;
		}
		text += n;
		if (*text == '\n') {
			buf_putc(out, '\n');
			if (text[1] && text[1] != '\n')
				spaces(indent, out);
			at = indent;
			fresh = true;
		}
		if (*text)
			text++;
	}
	buf_putc(out, '\n');
}

void opt_help(const struct opt *rows, size_t columns, struct buf *out)
{
	for (const struct opt *o = rows; o && o->name; o++) {
		size_t start = out->len;
		size_t used;

		if (o->hidden)
			continue;
		if (o->letter)
			buf_printf(out, "  -%c, ", o->letter);
		else
			buf_puts(out, "      ");
		buf_printf(out, "--%s%s", o->kind == OPT_TRI ? "[no-]" : "", o->name);
		if (opt_has_value(o))
			buf_printf(out, " %s", o->arg ? o->arg : "VALUE");
		used = out->len - start;
		if (used + 2 > NAME_COLUMN) {
			buf_putc(out, '\n');
			used = 0;
		}
		spaces(NAME_COLUMN - used, out);
		opt_wrap(o->help, NAME_COLUMN, NAME_COLUMN, columns, out);
	}
}

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "cli/format_internal.h"

static const char blanks[] = " \t\r\n";

int format_error(davit_err *e, size_t at, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return err_set(e, DAVIT_EARG, "template, character %zu: %s", at + 1, text);
}

static bool is_blank(char c)
{
	return c && strchr(blanks, c);
}

static bool starts(const struct lexer *l, size_t at, const char *what)
{
	size_t n = strlen(what);

	return l->n - at >= n && !memcmp(l->text + at, what, n);
}

static int take(struct lexer *l, struct token *t, enum token_kind kind, size_t n)
{
	const char *copy = arena_strndup(l->a, l->text + l->at, n);

	if (!copy)
		return err_nomem(l->e);
	t->kind = kind;
	t->value = tv_str(copy, n);
	l->at += n;
	return 0;
}

/* Text up to the next action or the end, trimmed where the actions beside it say so. */
static int lex_text(struct lexer *l, struct token *t)
{
	const char *open = memmem(l->text + l->at, l->n - l->at, "{{", 2);
	size_t end = open ? (size_t)(open - l->text) : l->n;
	size_t next = end;
	int r;

	if (l->trim)
		while (l->at < end && is_blank(l->text[l->at]))
			l->at++;
	l->trim = false;
	if (open && starts(l, end, "{{-") && is_blank(l->text[end + 3]))
		while (end > l->at && is_blank(l->text[end - 1]))
			end--;
	r = take(l, t, TOK_TEXT, end - l->at);
	l->at = next;
	return r;
}

/* Skips a comment with its braces; l->at stands behind them. */
static int lex_comment(struct lexer *l, size_t start)
{
	const char *end = memmem(l->text + l->at + 2, l->n - l->at - 2, "*/", 2);

	if (!end)
		return format_error(l->e, start, "the comment has no end");
	l->at = (size_t)(end - l->text) + 2;
	if (starts(l, l->at, " -}}")) {
		l->trim = true;
		l->at += 4;
	} else if (starts(l, l->at, "}}")) {
		l->at += 2;
	} else {
		return format_error(l->e, l->at, "expected }} behind the comment");
	}
	return 0;
}

static int lex_open(struct lexer *l, struct token *t)
{
	size_t start = l->at;

	l->at += 2;
	if (l->at < l->n && l->text[l->at] == '-' && is_blank(l->text[l->at + 1]))
		l->at += 2;
	if (starts(l, l->at, "/*")) {
		/* A comment is a text of no characters. */
		t->kind = TOK_TEXT;
		t->value = tv_str("", 0);
		return lex_comment(l, start);
	}
	t->kind = TOK_OPEN;
	l->inside = true;
	return 0;
}

static bool hex_digits(const char *p, size_t n, unsigned long *out)
{
	char text[9] = { 0 };

	memcpy(text, p, n);
	if (strspn(text, "0123456789abcdefABCDEF") != n)
		return false;
	*out = strtoul(text, NULL, 16);
	return true;
}

static void put_utf8(unsigned long c, struct buf *out)
{
	if (c < 0x80) {
		buf_putc(out, (char)c);
	} else if (c < 0x800) {
		buf_putc(out, (char)(0xc0 | c >> 6));
		buf_putc(out, (char)(0x80 | (c & 0x3f)));
	} else {
		buf_putc(out, (char)(0xe0 | c >> 12));
		buf_putc(out, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_putc(out, (char)(0x80 | (c & 0x3f)));
	}
}

/* One escape; l->at stands on the character behind the backslash and is moved behind it. */
static bool lex_escape(struct lexer *l, struct buf *out)
{
	static const char from[] = "abfnrtv\\\"'";
	static const char to[] = "\a\b\f\n\r\t\v\\\"'";
	char c = l->text[l->at++];
	const char *at = c ? strchr(from, c) : NULL;
	size_t n = c == 'x' ? 2 : c == 'u' ? 4 : 0;
	unsigned long code;

	if (at) {
		buf_putc(out, to[at - from]);
		return true;
	}
	if (!n || l->n - l->at < n || !hex_digits(l->text + l->at, n, &code))
		return false;
	l->at += n;
	if (c == 'x')
		buf_putc(out, (char)code);
	else
		put_utf8(code, out);
	return true;
}

static int lex_quoted(struct lexer *l, struct token *t, struct buf *b)
{
	for (l->at++; l->at < l->n && l->text[l->at] != '\n';) {
		char c = l->text[l->at++];

		if (c == '"') {
			const char *copy = b->bad ? NULL : arena_strndup(l->a, buf_str(b), b->len);

			if (!copy)
				return err_nomem(l->e);
			t->kind = TOK_CONST;
			t->value = tv_str(copy, b->len);
			return 0;
		}
		if (c != '\\')
			buf_putc(b, c);
		else if (l->at == l->n || !lex_escape(l, b))
			return format_error(l->e, l->at - 1, "unknown escape in a string");
	}
	return format_error(l->e, t->at, "the string has no end");
}

static int lex_raw(struct lexer *l, struct token *t)
{
	const char *end = memchr(l->text + l->at + 1, '`', l->n - l->at - 1);
	int r;

	if (!end)
		return format_error(l->e, t->at, "the string has no end");
	l->at++;
	r = take(l, t, TOK_CONST, (size_t)(end - l->text) - l->at);
	l->at++;
	return r;
}

static int lex_number(struct lexer *l, struct token *t)
{
	size_t n = 1;
	const char *p;
	char *end;
	int r;

	while (l->at + n < l->n &&
	       (isalnum((unsigned char)l->text[l->at + n]) || l->text[l->at + n] == '.' ||
		(strchr("+-", l->text[l->at + n]) && strchr("eE", l->text[l->at + n - 1]))))
		n++;
	r = take(l, t, TOK_CONST, n);
	if (r)
		return r;
	p = t->value.s.p;
	errno = 0;
	t->value = tv_int(strtoll(p, &end, 0));
	if (*end && !errno)
		t->value = (struct tv){ .kind = TV_FLOAT, .f = strtod(p, &end) };
	return *end || errno ? format_error(l->e, t->at, "bad number '%s'", p) : 0;
}

static size_t word_length(const struct lexer *l, size_t at)
{
	size_t n = 0;

	while (at + n < l->n && (isalnum((unsigned char)l->text[at + n]) || l->text[at + n] == '_' ||
				 (unsigned char)l->text[at + n] >= 0x80))
		n++;
	return n;
}

static int lex_word(struct lexer *l, struct token *t)
{
	int r = take(l, t, TOK_WORD, word_length(l, l->at));
	const char *w;

	if (r)
		return r;
	w = t->value.s.p;
	if (!strcmp(w, "true") || !strcmp(w, "false")) {
		t->kind = TOK_CONST;
		t->value = tv_bool(*w == 't');
	} else if (!strcmp(w, "nil")) {
		t->kind = TOK_CONST;
		t->value = (struct tv){ .kind = TV_NIL };
	}
	return 0;
}

static int lex_punctuation(struct lexer *l, struct token *t)
{
	static const struct {
		const char *text;
		enum token_kind kind;
	} table[] = {
		{ ":=", TOK_DECLARE }, { "=", TOK_ASSIGN }, { "|", TOK_PIPE },
		{ "(", TOK_LEFT }, { ")", TOK_RIGHT }, { ",", TOK_COMMA },
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		if (starts(l, l->at, table[i].text)) {
			t->kind = table[i].kind;
			l->at += strlen(table[i].text);
			return 0;
		}
	}
	return format_error(l->e, l->at, "unexpected '%c'", l->text[l->at]);
}

static int lex_dot(struct lexer *l, struct token *t)
{
	size_t n;

	l->at++;
	n = word_length(l, l->at);
	if (n)
		return take(l, t, TOK_FIELD, n);
	t->kind = TOK_DOT;
	return 0;
}

static int lex_inside(struct lexer *l, struct token *t)
{
	char c = l->text[l->at];
	char after = l->at + 1 < l->n ? l->text[l->at + 1] : 0;

	if (c == '"') {
		struct buf b = BUF_INIT(FORMAT_TEXT_MAX);
		int r = lex_quoted(l, t, &b);

		buf_fini(&b);
		return r;
	}
	if (c == '`')
		return lex_raw(l, t);
	if (isdigit((unsigned char)c) || (strchr("+-.", c) && isdigit((unsigned char)after)))
		return lex_number(l, t);
	if (c == '.')
		return lex_dot(l, t);
	if (c == '$')
		return take(l, t, TOK_VAR, 1 + word_length(l, l->at + 1));
	if (word_length(l, l->at))
		return lex_word(l, t);
	return lex_punctuation(l, t);
}

int lex_next(struct lexer *l, struct token *t)
{
	size_t before = l->at;

	*t = (struct token){ .kind = TOK_END, .at = l->at };
	if (!l->inside) {
		if (l->at < l->n && !starts(l, l->at, "{{"))
			return lex_text(l, t);
		l->trim = false;
		return l->at < l->n ? lex_open(l, t) : 0;
	}
	while (l->at < l->n && is_blank(l->text[l->at]))
		l->at++;
	t->at = l->at;
	t->spaced = l->at > before;
	if (t->spaced && starts(l, l->at, "-}}")) {
		l->trim = true;
		l->at++;
	}
	if (starts(l, l->at, "}}")) {
		l->at += 2;
		l->inside = false;
		t->kind = TOK_CLOSE;
		return 0;
	}
	return l->at < l->n ? lex_inside(l, t) : format_error(l->e, l->n, "}} is missing");
}

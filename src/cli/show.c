#include "cli/show.h"

#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/format.h"
#include "cli/jsontext.h"
#include "cli/out.h"
#include "cli/table.h"
#include "cli/text.h"

static const char table_word[] = "table";

/* What people type in a shell: \t and \n outside of actions mean the characters. */
static void unescape(const char *s, struct buf *out)
{
	while (*s) {
		size_t action = 0;

		if (s[0] == '{' && s[1] == '{') {
			const char *end = strstr(s, "}}");

			action = end ? (size_t)(end - s) + 2 : strlen(s);
			buf_add(out, s, action);
			s += action;
		} else if (s[0] == '\\' && (s[1] == 't' || s[1] == 'n')) {
			buf_putc(out, s[1] == 't' ? '\t' : '\n');
			s += 2;
		} else {
			buf_putc(out, *s++);
		}
	}
}

static bool is_list(const davit_value *v)
{
	return davit_value_get_type(v) == DAVIT_VALUE_ARRAY;
}

static size_t count_tabs(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += *s == '\t';
	return n;
}

/* Adds one line of cells; the text is cut up in place. Cells beyond the last column join it. */
static void add_cells(struct table *t, char *line)
{
	char *cell = line;

	for (size_t i = 1; i < t->columns; i++) {
		char *tab = cell ? strchr(cell, '\t') : NULL;

		if (tab)
			*tab++ = 0;
		table_cell(t, cell ? cell : "");
		cell = tab;
	}
	table_cell(t, cell ? cell : "");
}

static int render_table(const struct format *f, const davit_value *v, struct buf *out, davit_err *e)
{
	struct buf line = BUF_INIT(OUT_MAX);
	size_t n = is_list(v) ? davit_value_len(v) : 1;
	struct table t;
	int r = format_heading(f, &line, e);

	table_init(&t, 1);
	if (!r) {
		size_t columns = count_tabs(buf_str(&line)) + 1;

		t.columns = columns > TABLE_COLUMNS_MAX ? TABLE_COLUMNS_MAX : columns;
		buf_putc(&line, 0);
		r = buf_check(&line, "the heading", e);
	}
	if (!r)
		add_cells(&t, line.p);
	for (size_t i = 0; i < n && !r; i++) {
		buf_clear(&line);
		r = format_run(f, is_list(v) ? davit_value_at(v, i) : v, &line, e);
		buf_putc(&line, 0);
		r = r ? r : buf_check(&line, "a line of the table", e);
		if (!r)
			add_cells(&t, line.p);
	}
	if (!r)
		r = table_write(&t, out, e);
	table_fini(&t);
	buf_fini(&line);
	return r;
}

/* Newlines and tabs are what templates are made of; other control characters could drive the terminal. */
static void add_escaped(const char *s, size_t n, struct buf *out)
{
	while (n) {
		size_t len = 0;

		while (len < n && s[len] != '\n' && s[len] != '\t')
			len++;
		text_escape(s, len, out);
		if (len < n)
			buf_putc(out, s[len++]);
		s += len;
		n -= len;
	}
}

static int render_lines(const struct format *f, const davit_value *v, bool escape, struct buf *out,
			davit_err *e)
{
	struct buf line = BUF_INIT(OUT_MAX);
	size_t n = is_list(v) ? davit_value_len(v) : 1;
	int r = 0;

	for (size_t i = 0; i < n && !r; i++) {
		buf_clear(&line);
		r = format_run(f, is_list(v) ? davit_value_at(v, i) : v, &line, e);
		if (escape)
			add_escaped(buf_str(&line), line.len, out);
		else
			buf_add(out, buf_str(&line), line.len);
		buf_putc(out, '\n');
	}
	buf_fini(&line);
	return r ? r : buf_check(out, "the output", e);
}

static int render_json(const davit_value *v, struct buf *out, davit_err *e)
{
	int r = json_of_value(v, DAVIT_VALUE_PRETTY, out, e);

	if (!r && out->len && out->p[out->len - 1] != '\n')
		buf_putc(out, '\n');
	return r;
}

int show_render(const char *format, const davit_value *v, bool escape, struct buf *out, davit_err *e)
{
	struct buf text = BUF_INIT(OUT_MAX);
	size_t n = sizeof table_word - 1;
	bool table = !strncmp(format, table_word, n) && (format[n] == ' ' || format[n] == '\\');
	struct format *f = NULL;
	int r;

	if (!strcmp(format, "json"))
		return render_json(v, out, e);
	unescape(table ? format + n + (format[n] == ' ') : format, &text);
	r = buf_check(&text, "the template", e);
	if (!r)
		r = err_at(e, format_new(buf_str(&text), &f, e), "option --format: ");
	buf_fini(&text);
	if (r)
		return r;
	r = table ? render_table(f, v, out, e) : render_lines(f, v, escape, out, e);
	format_free(f);
	return err_at(e, r, "option --format: ");
}

int show_value(struct app *app, const davit_value *v, const char *standard, davit_err *e)
{
	const char *format = app->g.format;
	struct buf out = BUF_INIT(OUT_MAX);
	int r;

	if (!format || !*format || !strcmp(format, table_word))
		format = standard;
	r = show_render(format, v, isatty(STDOUT_FILENO), &out, e);
	app_progress_end(app);
	if (!r)
		r = out_buf(&out, e);
	buf_fini(&out);
	return r;
}

int show_json(struct app *app, const struct buf *json, const char *standard, davit_err *e)
{
	davit_value *v = NULL;
	int r = json_to_value(json, &v, e);

	if (!r)
		r = show_value(app, v, standard, e);
	davit_value_free(v);
	return r;
}

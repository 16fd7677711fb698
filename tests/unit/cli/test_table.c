/* Tables, widths and escapes. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/jsontext.h"
#include "cli/show.h"
#include "cli/table.h"
#include "cli/text.h"

static void columns_are_aligned(void **state)
{
	static const char *const cells[] = { "NAME", "SIZE", "X", "a", "12345", "", "long name", "", "y" };
	struct buf out = BUF_INIT(4096);
	struct table t;

	(void)state;
	table_init(&t, 3);
	for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
		table_cell(&t, cells[i]);
	assert_int_equal(table_write(&t, &out, NULL), 0);
	assert_string_equal(buf_str(&out), "NAME        SIZE    X\n"
					   "a           12345\n"
					   "long name           y\n");
	table_fini(&t);
	buf_fini(&out);
}

static void nothing_gives_nothing(void **state)
{
	struct buf out = BUF_INIT(4096);
	struct table t;

	(void)state;
	table_init(&t, 2);
	assert_int_equal(table_write(&t, &out, NULL), 0);
	assert_int_equal(out.len, 0);
	table_fini(&t);
}

static void wide_characters(void **state)
{
	struct buf out = BUF_INIT(4096);
	struct table t;

	(void)state;
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		fail_msg("there is no C.UTF-8 locale");
	assert_int_equal(text_width("abc"), 3);
	assert_int_equal(text_width("äöü"), 3);
	assert_int_equal(text_width("日本"), 4);
	assert_int_equal(text_width("e\xcc\x81"), 1);
	assert_int_equal(text_width("\xff\xfe"), 2);
	assert_int_equal(setenv("LC_ALL", "C.UTF-8", 1), 0);
	table_init(&t, 2);
	table_cell(&t, "日本");
	table_cell(&t, "x");
	table_cell(&t, "abcde");
	table_cell(&t, "y");
	assert_int_equal(table_write(&t, &out, NULL), 0);
	assert_string_equal(buf_str(&out), "日本    x\nabcde   y\n");
	table_fini(&t);
	buf_fini(&out);
}

static void control_characters_are_shown(void **state)
{
	static const struct {
		const char *in, *out;
	} table[] = {
		{ "plain", "plain" },
		{ "\x1b[31mred", "\\x1b[31mred" },
		{ "a\nb\tc", "a\\x0ab\\x09c" },
		{ "\x7f", "\\x7f" },
		{ "\xc2\x9b", "\\xc2\\x9b" },             /* CSI in one character */
		{ "\xe2\x80\xae", "\\xe2\\x80\\xae" },    /* right-to-left override */
		{ "\xc0\x80\xff", "\\xc0\\x80\\xff" },    /* overlong, invalid */
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },    /* surrogate */
		{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" },
		{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
		{ "cut \xe2\x82", "cut \\xe2\\x82" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct buf out = BUF_INIT(256);

		text_escape(table[i].in, strlen(table[i].in), &out);
		assert_string_equal(buf_str(&out), table[i].out);
		buf_fini(&out);
	}
}

static void sizes(void **state)
{
	static const struct {
		int64_t bytes;
		const char *text;
	} table[] = {
		{ 0, "0 B" },
		{ 1023, "1023 B" },
		{ 1024, "1.0 KiB" },
		{ 1536, "1.5 KiB" },
		{ 3000000, "2.9 MiB" },
		{ 1048575, "1.0 MiB" },
		{ 1LL << 40, "1.0 TiB" },
		{ INT64_MAX, "8.0 EiB" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct buf out = BUF_INIT(64);

		text_size(table[i].bytes, &out);
		assert_string_equal(buf_str(&out), table[i].text);
		buf_fini(&out);
	}
}

static void json_texts(void **state)
{
	struct buf out = BUF_INIT(256);

	(void)state;
	json_quote("a\"b\\\n\x01\xff\xc3\xbc/", 10, &out);
	assert_string_equal(buf_str(&out), "\"a\\\"b\\\\\\n\\u0001\xef\xbf\xbd\xc3\xbc/\"");
	buf_clear(&out);
	buf_putc(&out, '{');
	json_member_str(&out, "a", NULL);
	json_member_str(&out, "b", "x");
	json_member_int(&out, "c", 5);
	json_member_int(&out, "d", -1);
	buf_putc(&out, '}');
	assert_string_equal(buf_str(&out), "{\"b\":\"x\",\"c\":5}");
	buf_fini(&out);
}

static void render(const char *format, const char *json, bool escape, const char *expected)
{
	struct buf out = BUF_INIT(65536);
	davit_value *v = NULL;
	davit_err e = { 0 };
	int r = davit_value_parse(json, strlen(json), &v, &e);

	assert_int_equal(r, 0);
	r = show_render(format, v, escape, &out, &e);
	assert_string_equal(r ? e.msg : buf_str(&out), expected);
	davit_value_free(v);
	buf_fini(&out);
}

static void formats(void **state)
{
	static const char list[] =
	    "[{\"name\":\"a\",\"mediaType\":\"t\"},{\"name\":\"long\",\"mediaType\":null}]";

	(void)state;
	render("json", "[1]", false, "[\n  1\n]\n");
	render("{{.name}}", list, false, "a\nlong\n");
	render("{{.name}}\\t{{.mediaType}}\\n", list, false, "a\tt\n\nlong\t<no value>\n\n");
	render("{{json \"\\n\"}}", "{}", false, "\"\\n\"\n");
	render("table {{.name}}\\t{{.mediaType}}", list, false,
	       "NAME   MEDIA TYPE\na      t\nlong   <no value>\n");
	render("table {{upper .name}}", "[]", false, "NAME\n");
	render("table {{range .x}}{{.y}}{{end}}\t{{if .a}}{{.b}}{{else}}{{.c}}{{end}}", "[]", false,
	       "Y   B\n");
	render("{{.}}", "[\"\\u001b[1m\"]", false, "\x1b[1m\n");
	render("{{.}}", "[\"\\u001b[1m\"]", true, "\\x1b[1m\n");
	render("table {{.}}", "[\"\\u001b\"]", false, "\n\\x1b\n");
	render("{{.name", list, false, "option --format: template, character 8: }} is missing");
	render("{{.}}", "[]", false, "");
	render("{{.a}}", "{\"a\":1}", false, "1\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_aligned),
		cmocka_unit_test(nothing_gives_nothing),
		cmocka_unit_test(wide_characters),
		cmocka_unit_test(control_characters_are_shown),
		cmocka_unit_test(sizes),
		cmocka_unit_test(json_texts),
		cmocka_unit_test(formats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

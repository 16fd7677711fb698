/* Templates: Go's documented behaviour, our additions, limits and error positions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/format.h"
#include "cli/format_internal.h"

static const char document[] =
    "{\"name\":\"web\",\"Size\":3000000,\"on\":true,\"off\":false,\"none\":null,\"empty\":\"\",\"pi\":3.5,"
    "\"big\":18446744073709551615,\"neg\":-7,\"tags\":[\"b\",\"a\",\"c\"],\"no\":[],\"labels\":{\"z\":\"1\","
    "\"y\":\"2\"},"
    "\"deep\":{\"a\":{\"b\":[10,20,{\"c\":\"x\"}]}},\"uni\":\"gr\\u00fc\\u00dfe\",\"mediaType\":\"text/"
    "plain\"}";

static const struct {
	const char *template, *expected;
} cases[] = {
	/* text, fields */
	{ "plain } text {", "plain } text {" },
	{ "{{.name}}", "web" },
	{ "{{ .name }}!", "web!" },
	{ "{{.Size}} {{.size}} {{.SIZE}}", "3000000 3000000 3000000" },
	{ "{{.mediatype}}", "text/plain" },
	{ "{{.missing}} {{.none}} {{.missing.deeper}}", "<no value> <no value> <no value>" },
	{ "{{.deep.a.b}}", "[10 20 map[c:x]]" },
	{ "{{.labels}}", "map[y:2 z:1]" },
	{ "{{.on}} {{.off}} {{.pi}} {{.big}} {{.neg}}", "true false 3.5 18446744073709551615 -7" },
	{ "{{$.name}}{{$}}", NULL },
	{ "{{.deep.a.b | len}}", "3" },
	{ "{{(index .deep.a.b 2).c}}", "x" },
	/* trimming and comments */
	{ "a {{- .name -}} b", "awebb" },
	{ "a {{.name -}}  \n b", "a webb" },
	{ "a  {{- .name}} b", "aweb b" },
	{ "{{- 3}}", "3" },
	{ "{{-3}}", "-3" },
	{ "x{{/* comment */}}y", "xy" },
	{ "x {{- /* comment */ -}} y", "xy" },
	/* constants */
	{ "{{\"a\\tb\\u00fc\\x41\"}}", "a\tb\xc3\xbc"
				       "A" },
	{ "{{`raw \\n`}}", "raw \\n" },
	{ "{{12}} {{-1.5}} {{0x10}} {{1e3}} {{true}}", "12 -1.5 16 1000 true" },
	/* printing as Go */
	{ "{{1e21}} {{1e20}} {{0.0001}} {{0.00001}} {{100.0}}",
	  "1e+21 100000000000000000000 0.0001 1e-05 100" },
	{ "{{print 1 2 \"a\" \"b\" 3}}", "1 2ab3" },
	{ "{{print nil}}", "<nil>" },
	{ "{{println \"a\" 1}}", "a 1\n" },
	{ "{{print}}|{{println}}", "|\n" },
	{ "{{printf \"%s-%d-%v-%q-%x\" .name .size .tags \"a\\\"b\\n\" \"hi\"}}",
	  "web-3000000-[b a c]-\"a\\\"b\\n\"-6869" },
	{ "{{printf \"[%5d|%-5d|%05d|%+d]\" 42 42 -42 42}}", "[   42|42   |-0042|+42]" },
	{ "{{printf \"[%-6s|%6s|%.2s]\" \"ab\" .uni \"\xc3\xbcxyz\"}}", "[ab    | gr\xc3\xbc\xc3\x9f"
									"e|\xc3\xbcx]" },
	{ "{{printf \"%x %X %x\" 255 255 -1}}", "ff FF -1" },
	{ "{{printf \"%.2f %f %e %g\" 3.14159 1.5 100.0 .pi}}", "3.14 1.500000 1.000000e+02 3.5" },
	{ "{{printf \"%t %v %%\" true nil}}", "true <nil> %" },
	{ "{{printf \"%d\" \"hi\"}}", "%!d(string=hi)" },
	{ "{{printf \"%s\" 5}}", "%!s(int=5)" },
	{ "{{printf \"%d %d\" 1}}", "1 %!d(MISSING)" },
	{ "{{printf \"%d\" 1 2}}", "1%!(EXTRA int=2)" },
	{ "{{printf \"%z\" 1}}", "%!z(int=1)" },
	{ "{{printf \"%\"}}", "%!(NOVERB)" },
	{ "{{printf \"%d\" 3.5}}", "%!d(float64=3.5)" },
	/* conditions */
	{ "{{if .on}}yes{{end}}", "yes" },
	{ "{{if .off}}yes{{else}}no{{end}}", "no" },
	{ "{{if .none}}1{{else if .empty}}2{{else if .name}}3{{else}}4{{end}}", "3" },
	{ "{{if .no}}1{{else}}0{{end}}{{if .tags}}1{{end}}{{if 0}}1{{end}}{{if 0.0}}1{{end}}{{if "
	  "\"\"}}1{{end}}",
	  "01" },
	{ "{{if $x := .name}}{{$x}}{{end}}", "web" },
	{ "{{if $x := .off}}{{else}}{{$x}}{{end}}", "false" },
	{ "{{with .deep.a}}{{len .b}}{{end}}", "3" },
	{ "{{with .none}}a{{else}}b{{end}}", "b" },
	{ "{{with $x := .name}}{{$x}}{{.}}{{end}}", "webweb" },
	{ "{{with .none}}a{{else with .name}}{{.}}{{end}}", "web" },
	{ "{{and .on .name}} {{and .on .empty .name}} {{or .empty .name}} {{or .off .none}}",
	  "web  web <no value>" },
	{ "{{or .on (index .tags 99)}} {{and .off (index .tags 99)}}", "true false" },
	{ "{{not .on}} {{not .none}}", "false true" },
	{ "{{eq .name \"web\"}} {{eq 1 2 3 1}} {{ne 1 2}} {{eq .none nil}} {{eq .on true}}",
	  "true true true true true" },
	{ "{{lt 1 2}}{{le 2 2}}{{gt 1 2}}{{ge 1 2}}{{lt \"a\" \"b\"}}{{lt 1 1.5}}{{gt .big 1}}",
	  "truetruefalsefalsetruetruetrue" },
	{ "{{.size | eq 3000000}}", "true" },
	/* loops */
	{ "{{range .tags}}[{{.}}]{{end}}", "[b][a][c]" },
	{ "{{range $i, $e := .tags}}{{$i}}{{$e}} {{end}}", "0b 1a 2c " },
	{ "{{range $e := .tags}}{{$e}}{{end}}", "bac" },
	{ "{{range .labels}}{{.}}{{end}}", "21" },
	{ "{{range $k, $v := .labels}}{{$k}}={{$v}},{{end}}", "y=2,z=1," },
	{ "{{range .no}}x{{else}}none{{end}}{{range .none}}x{{end}}", "none" },
	{ "{{range .tags}}{{$.name}}{{end}}", "webwebweb" },
	{ "{{range .deep.a.b}}{{if eq (printf \"%v\" .) \"20\"}}!{{end}}{{end}}", "!" },
	/* variables */
	{ "{{$x := .name}}{{$x}}{{$x = \"y\"}}{{$x}}", "weby" },
	{ "{{$x := 1}}{{if true}}{{$x = 2}}{{end}}{{$x}}", "2" },
	{ "{{$x := 1}}{{if true}}{{$x := 2}}{{$x}}{{end}}{{$x}}", "21" },
	{ "{{$n := 0}}{{range .tags}}{{$n = .}}{{end}}{{$n}}", "c" },
	{ "{{$x := .deep}}{{$x.a.b | json}}", "[10,20,{\"c\":\"x\"}]" },
	/* functions */
	{ "{{json .}}", NULL },
	{ "{{json .name}} {{json .none}} {{json .pi}} {{json .no}} {{.labels | json}}",
	  "\"web\" null 3.5 [] {\"z\":\"1\",\"y\":\"2\"}" },
	{ "{{json (split \"a,b\" \",\")}}", "[\"a\",\"b\"]" },
	{ "{{join .tags \", \"}} {{join .no \",\"}}", "b, a, c " },
	{ "{{upper .name}} {{lower \"ABC\"}} {{title \"two words\"}}", "WEB abc Two Words" },
	{ "{{len .name}} {{len .tags}} {{len .labels}}", "3 3 2" },
	{ "{{index .tags 1}} {{index .labels \"y\"}} {{index .deep \"a\" \"b\" 0}} {{index .labels \"q\"}}",
	  "a 2 10 <no value>" },
	{ "{{index \"abc\" 1}}", "98" },
	{ "{{slice .name 1}} {{slice .name 1 2}} {{slice .tags 1 3}} {{slice .name}}", "eb e [a c] web" },
	{ "{{truncate .uni 3}} {{truncate .name 9}}", "gr\xc3\xbc web" },
	{ "[{{pad .name 1 2}}] [{{pad .empty 1 2}}]", "[ web  ] []" },
	{ "{{range split \"a/b/c\" \"/\"}}<{{.}}>{{end}}", "<a><b><c>" },
	{ "{{size .size}} {{size .none}}", "2.9 MiB " },
	{ "{{.name | upper | printf \"%s:%s\" \"x\"}}", "x:WEB" },
	{ "{{printf \"%d\" (len .tags)}}", "3" },
};

static const struct {
	const char *template, *message;
} errors[] = {
	{ "{{", "template, character 3: }} is missing" },
	{ "{{.a", "template, character 5: }} is missing" },
	{ "{{}}", "template, character 3: unexpected '}}' where a value is expected" },
	{ "{{if .a}}x", "template, character 3: {{end}} is missing for this block" },
	{ "{{end}}", "template, character 3: unexpected 'end' without a block" },
	{ "{{else}}", "template, character 3: unexpected 'else' without a block" },
	{ "{{if .a}}{{else}}{{else}}{{end}}", "template, character 3: a second else" },
	{ "{{if}}x{{end}}", "template, character 5: unexpected '}}' where a value is expected" },
	{ "{{frob .a}}", "template, character 3: there is no function 'frob'" },
	{ "ab{{$x}}", "template, character 5: undefined variable $x" },
	{ "{{$x = 1}}", "template, character 3: undefined variable $x" },
	{ "{{if true}}{{$x := 1}}{{end}}{{$x}}", "template, character 32: undefined variable $x" },
	{ "{{\"abc}}", "template, character 3: the string has no end" },
	{ "{{`abc}}", "template, character 3: the string has no end" },
	{ "{{\"\\q\"}}", "template, character 5: unknown escape in a string" },
	{ "{{/* abc }}", "template, character 1: the comment has no end" },
	{ "{{/* abc */ .a}}", "template, character 12: expected }} behind the comment" },
	{ "{{12x}}", "template, character 3: bad number '12x'" },
	{ "{{.a ~}}", "template, character 6: unexpected '~'" },
	{ "{{.a .b}}", "template, character 3: only a function takes arguments" },
	{ "{{1 | 2}}", "template, character 7: only a function takes arguments" },
	{ "{{len}}", "template, character 3: len: wrong number of arguments (0)" },
	{ "{{len 1 2}}", "template, character 3: len: wrong number of arguments (2)" },
	{ "{{index len 2}}", "template, character 9: len: wrong number of arguments (0)" },
	{ "{{print or}}", "template, character 9: or: wrong number of arguments (0)" },
	{ "{{(.a}}", "template, character 6: unexpected '}}' where ) is missing" },
	{ "{{.a)}}", "template, character 5: unexpected ')' without space in front" },
	{ "{{\"a\".b}}", "template, character 6: unexpected 'b' behind a function or constant" },
	{ "{{$a, $b := .x}}", "template, character 5: unexpected ',' behind a variable" },
	{ "{{.a | }}", "template, character 8: unexpected '}}' where a value is expected" },
	{ "{{if .a}}{{end .b}}", "template, character 16: unexpected 'b' behind end" },
	/* while running */
	{ "{{.name.x}}", "template, character 3: a string has no field .x" },
	{ "{{.tags.x}}", "template, character 3: a list has no field .x" },
	{ "{{index .tags 3}}", "template, character 3: index: 3 is not between 0 and 2" },
	{ "{{index .size 3}}", "template, character 3: index: cannot index a int" },
	{ "{{len .size}}", "template, character 3: len: a int has no length" },
	{ "{{upper .size}}", "template, character 3: upper: expected a string, got int" },
	{ "{{eq 1 \"a\"}}", "template, character 3: eq: cannot compare int with string" },
	{ "{{lt .on .on}}", "template, character 3: lt: cannot compare bool with bool" },
	{ "{{slice .name 2 1}}", "template, character 3: slice: 2 is not between 0 and 1" },
	{ "{{range .size}}{{end}}", "template, character 3: range: cannot go over a int" },
	{ "{{join .name \",\"}}", "template, character 3: join: expected a list, got string" },
	{ "{{pad .name 1 1001}}", "template, character 3: pad: 1001 is not between 0 and 1000" },
	{ "{{split .name \"\"}}", "template, character 3: split: the separator is empty" },
};

static int run(const char *template, const char *json, struct buf *out, davit_err *e)
{
	struct format *f = NULL;
	davit_value *v = NULL;
	int r = davit_value_parse(json, strlen(json), &v, e);

	assert_int_equal(r, 0);
	r = format_new(template, &f, e);
	if (!r)
		r = format_run(f, v, out, e);
	format_free(f);
	davit_value_free(v);
	return r;
}

static void all_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf out = BUF_INIT(65536);
		davit_err e = { 0 };
		int r = run(cases[i].template, document, &out, &e);

		if (r)
			fail_msg("%s: %s", cases[i].template, e.msg);
		if (cases[i].expected && strcmp(buf_str(&out), cases[i].expected) != 0)
			fail_msg("%s: got '%s', expected '%s'", cases[i].template, buf_str(&out),
				 cases[i].expected);
		assert_true(out.len || cases[i].expected);
		buf_fini(&out);
	}
}

static void all_errors(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
		struct buf out = BUF_INIT(65536);
		davit_err e = { 0 };
		int r = run(errors[i].template, document, &out, &e);

		if (r != DAVIT_EARG || strcmp(e.msg, errors[i].message) != 0)
			fail_msg("%s: got %d '%s', expected '%s'", errors[i].template, r, e.msg,
				 errors[i].message);
		buf_fini(&out);
	}
}

static void repeat(struct buf *b, const char *text, size_t n)
{
	while (n--)
		buf_puts(b, text);
}

static void limits(void **state)
{
	struct buf text = BUF_INIT(1 << 20), out = BUF_INIT(1000);
	davit_err e = { 0 };

	(void)state;
	repeat(&text, "(", FORMAT_DEPTH_MAX + 1);
	buf_clear(&text);
	buf_puts(&text, "{{");
	repeat(&text, "(", FORMAT_DEPTH_MAX + 1);
	assert_int_equal(run(buf_str(&text), "{}", &out, &e), DAVIT_EARG);
	assert_non_null(strstr(e.msg, "more than 64 levels"));

	buf_clear(&text);
	repeat(&text, "{{if true}}", FORMAT_DEPTH_MAX + 1);
	assert_int_equal(run(buf_str(&text), "{}", &out, &e), DAVIT_EARG);
	assert_non_null(strstr(e.msg, "more than 64 levels"));

	buf_clear(&text);
	repeat(&text, "{{$x := 1}}", FORMAT_VARS_MAX);
	assert_int_equal(run(buf_str(&text), "{}", &out, &e), DAVIT_EARG);
	assert_non_null(strstr(e.msg, "more than 64 variables"));

	buf_clear(&text);
	repeat(&text, "0123456789", FORMAT_TEXT_MAX / 10 + 1);
	assert_int_equal(run(buf_str(&text), "{}", &out, &e), DAVIT_ELIMIT);

	buf_clear(&text);
	repeat(&text, "{{/**/}}", 8000);
	assert_int_equal(run(buf_str(&text), "{}", &out, &e), 0);

	buf_clear(&text);
	buf_puts(&text, "{{print");
	repeat(&text, " 1", FORMAT_ARGS_MAX + 1);
	buf_puts(&text, "}}");
	assert_int_equal(run(buf_str(&text), "{}", &out, &e), DAVIT_EARG);

	/* The output's own limit. */
	assert_int_equal(run("{{range .}}{{printf \"%1000d\" 1}}{{end}}", "[1,2]", &out, &e), DAVIT_ELIMIT);
	buf_fini(&text);
	buf_fini(&out);
}

static void endless_work_ends(void **state)
{
	struct buf json = BUF_INIT(1 << 20), out = BUF_INIT(1 << 20);
	davit_err e = { 0 };

	(void)state;
	buf_putc(&json, '[');
	repeat(&json, "0,", 3000);
	buf_puts(&json, "0]");
	assert_int_equal(
	    run("{{range $}}{{range $}}{{range $}}{{end}}{{end}}{{end}}", buf_str(&json), &out, &e),
	    DAVIT_ELIMIT);
	assert_non_null(strstr(e.msg, "steps"));
	buf_fini(&json);
	buf_fini(&out);
}

static void functions_are_sorted(void **state)
{
	(void)state;
	for (const struct func *f = funcs; f[1].name; f++)
		assert_true(strcmp(f[0].name, f[1].name) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_cases),	     cmocka_unit_test(all_errors),
		cmocka_unit_test(limits),	     cmocka_unit_test(endless_work_ends),
		cmocka_unit_test(functions_are_sorted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

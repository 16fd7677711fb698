#include "../unit.h"

#include <locale.h>
#include <string.h>

#include <davit/value.h>

#include "../torture.h"
#include "base/buf.h"

static davit_value *parse(const char *text)
{
	davit_value *v = NULL;

	assert_int_equal(davit_value_parse(text, strlen(text), &v, NULL), 0);
	return v;
}

static void looks_around(void **state)
{
	davit_value *v = parse("{\"s\":\"a\\u0000b\",\"t\":true,\"f\":2.5,\"l\":[1,null],\"n\":null}");
	const davit_value *list = davit_value_member(v, "l");

	(void)state;
	assert_int_equal(davit_value_get_type(v), DAVIT_VALUE_OBJECT);
	assert_int_equal(davit_value_len(v), 5);
	assert_string_equal(davit_value_key(v, 0), "s");
	assert_string_equal(davit_value_key(v, 4), "n");
	assert_null(davit_value_key(v, 5));
	assert_null(davit_value_key(list, 0));
	assert_ptr_equal(davit_value_at(v, 3), list);
	assert_null(davit_value_at(v, 5));
	assert_int_equal(davit_value_get_type(list), DAVIT_VALUE_ARRAY);
	assert_int_equal(davit_value_len(list), 2);
	assert_int_equal(davit_value_int(davit_value_at(list, 0), -1), 1);
	assert_int_equal(davit_value_get_type(davit_value_at(list, 1)), DAVIT_VALUE_NULL);
	assert_null(davit_value_at(list, 2));
	assert_null(davit_value_at(davit_value_at(list, 0), 0));
	assert_int_equal(davit_value_len(davit_value_member(v, "s")), 3);
	assert_memory_equal(davit_value_string(davit_value_member(v, "s")), "a\0b", 4);
	assert_null(davit_value_string(list));
	assert_true(davit_value_bool(davit_value_member(v, "t")));
	assert_false(davit_value_bool(list));
	assert_null(davit_value_member(v, "x"));
	assert_null(davit_value_member(list, "x"));
	assert_int_equal(davit_value_get_type(davit_value_member(v, "f")), DAVIT_VALUE_DOUBLE);
	assert_int_equal(davit_value_get_type(NULL), DAVIT_VALUE_NULL);
	assert_int_equal(davit_value_len(NULL), 0);
	davit_value_free(v);
	davit_value_free(NULL);
}

static void numbers(void **state)
{
	davit_value *v = parse("[18446744073709551615,-9223372036854775808,9223372036854775807,"
			       "9223372036854775808,18446744073709551616,\"5\",2.5]");

	(void)state;
	assert_true(davit_value_uint(davit_value_at(v, 0), 7) == UINT64_MAX);
	assert_int_equal(davit_value_int(davit_value_at(v, 0), 7), 7);
	assert_true(davit_value_double(davit_value_at(v, 0)) > 1.8e19);
	assert_true(davit_value_int(davit_value_at(v, 1), 7) == INT64_MIN);
	assert_int_equal(davit_value_uint(davit_value_at(v, 1), 7), 7);
	assert_true(davit_value_double(davit_value_at(v, 1)) < -9.2e18);
	assert_true(davit_value_int(davit_value_at(v, 2), 7) == INT64_MAX);
	assert_int_equal(davit_value_int(davit_value_at(v, 3), 7), 7);
	assert_int_equal(davit_value_get_type(davit_value_at(v, 3)), DAVIT_VALUE_INT);
	assert_int_equal(davit_value_get_type(davit_value_at(v, 4)), DAVIT_VALUE_DOUBLE);
	assert_int_equal(davit_value_uint(davit_value_at(v, 4), 7), 7);
	assert_int_equal(davit_value_int(davit_value_at(v, 5), 7), 7);
	assert_true(davit_value_double(davit_value_at(v, 5)) < 0.5);
	assert_true(davit_value_double(davit_value_at(v, 6)) > 2.4);
	assert_int_equal(davit_value_int(davit_value_at(v, 6), 7), 7);
	davit_value_free(v);
}

static int to_buf(void *user, const void *p, size_t n)
{
	buf_add(user, p, n);
	return 0;
}

static void assert_written(const char *text, enum davit_value_style style, const char *want)
{
	struct buf b = BUF_INIT(100000);
	davit_value *v = parse(text);

	assert_int_equal(davit_value_write(v, style, &(davit_sink){ to_buf, &b }, NULL), 0);
	assert_string_equal(buf_str(&b), want);
	buf_fini(&b);
	davit_value_free(v);
}

static const char doc[] =
    "{\"b\":[1,{\"x\":[]}, {} ],\"a\":\"\\u00e9\\u007f\\ud83d\\ude00\\n/\",\"\\u00e9\":null}";

static void styles(void **state)
{
	(void)state;
	assert_written(doc, DAVIT_VALUE_COMPACT, "{\"b\":[1,{\"x\":[]},{}],\"a\":\"é\x7f😀\\n/\",\"é\":null}");
	assert_written(doc, DAVIT_VALUE_PRETTY,
		       "{\n  \"b\": [\n    1,\n    {\n      \"x\": []\n    },\n    {}\n  ],\n"
		       "  \"a\": \"é\x7f😀\\n/\",\n  \"é\": null\n}");
	/* json.dumps(sort_keys=True) */
	assert_written(
	    doc, DAVIT_VALUE_SPACED,
	    "{\"a\": \"\\u00e9\\u007f\\ud83d\\ude00\\n/\", \"b\": [1, {\"x\": []}, {}], \"\\u00e9\": null}");
	assert_written("\"\\u0001\\u001f\\b\\f\\r\\t\\\"\\\\\"", DAVIT_VALUE_SPACED,
		       "\"\\u0001\\u001f\\b\\f\\r\\t\\\"\\\\\"");
	assert_written("null", DAVIT_VALUE_PRETTY, "null");
}

/* What Python 3 prints for the same document. */
static void floats_as_python(void **state)
{
	static const char *const cases[][2] = {
		{ "1.0", "1.0" },
		{ "1.10", "1.1" },
		{ "1e3", "1000.0" },
		{ "-0.0", "-0.0" },
		{ "0.0001", "0.0001" },
		{ "0.00001", "1e-05" },
		{ "1e16", "1e+16" },
		{ "1e15", "1000000000000000.0" },
		{ "123456789012345678.0", "1.2345678901234568e+17" },
		{ "1.5E300", "1.5e+300" },
		{ "5e-324", "5e-324" },
		{ "1.7976931348623157e308", "1.7976931348623157e+308" },
		{ "0.1", "0.1" },
		{ "0.30000000000000004", "0.30000000000000004" },
		{ "2.5e-7", "2.5e-07" },
		{ "9007199254740993.0", "9007199254740992.0" },
		{ "12.5", "12.5" },
		{ "100.0", "100.0" },
		{ "18446744073709551616", "18446744073709551616" },
		{ "1e23", "1e+23" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_written(cases[i][0], DAVIT_VALUE_SPACED, cases[i][1]);
		assert_written(cases[i][0], DAVIT_VALUE_COMPACT, cases[i][0]);
	}
}

/* The decimal comma of the program's locale must not show. */
static void any_locale(void **state)
{
	static const char *const names[] = { "de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "ps_AF" };

	for (size_t i = 0; i < sizeof names / sizeof *names && !setlocale(LC_NUMERIC, names[i]); i++)
		;
	floats_as_python(state);
	setlocale(LC_NUMERIC, "C");
}

struct stop {
	size_t after, calls;
};

static int stop(void *user, const void *p, size_t n)
{
	struct stop *s = user;

	(void)p;
	assert_true(n > 0 && n <= 4096);
	return s->calls++ == s->after ? -33 : 0;
}

static void writes_in_pieces(void **state)
{
	struct buf text = BUF_INIT(1 << 20);
	struct stop s = { .after = 3 };
	davit_err e = { 0 };
	davit_value *v;

	(void)state;
	buf_putc(&text, '"');
	for (int i = 0; i < 50000; i++)
		buf_puts(&text, i % 7 ? "x" : "é");
	buf_putc(&text, '"');
	v = parse(buf_str(&text));
	assert_int_equal(davit_value_write(v, DAVIT_VALUE_COMPACT, &(davit_sink){ stop, &s }, &e),
			 DAVIT_ECALLBACK);
	assert_int_equal(e.callback, -33);
	assert_int_equal(s.calls, 4);
	davit_value_free(v);
	assert_written(buf_str(&text), DAVIT_VALUE_COMPACT, buf_str(&text));
	buf_fini(&text);
}

static int count(void *user, const void *p, size_t n)
{
	(void)p;
	*(size_t *)user += n;
	return 0;
}

static int write_sorted(void *user)
{
	davit_value *v = NULL;
	size_t n = 0;
	int r = davit_value_parse(doc, sizeof doc - 1, &v, NULL);

	(void)user;
	if (!r)
		r = davit_value_write(v, DAVIT_VALUE_SPACED, &(davit_sink){ count, &n }, NULL);
	if (!r)
		assert_int_equal(n, 77);
	davit_value_free(v);
	return r;
}

static void out_of_memory(void **state)
{
	(void)state;
	assert_true(torture_run(write_sorted, NULL) > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(looks_around),  cmocka_unit_test(numbers),
		cmocka_unit_test(styles),        cmocka_unit_test(floats_as_python),
		cmocka_unit_test(any_locale),    cmocka_unit_test(writes_in_pieces),
		cmocka_unit_test(out_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "../unit.h"

#include <string.h>

#include "../torture.h"
#include "base/limits.h"
#include "wire/json.h"
#include "wire/json_edit.h"

/* Reads text and writes it again. */
static int again(const char *text, size_t n, struct buf *out, davit_err *e)
{
	struct jnode *j = NULL;
	int r = json_parse(text, n, &j, e);

	if (!r)
		r = json_write(j, out, e);
	json_unref(j);
	return r;
}

static void reads_and_writes(void **state)
{
	static const char *const cases[][2] = {
		{ "null", "null" },
		{ " true ", "true" },
		{ "false", "false" },
		{ "0", "0" },
		{ "-0", "0" },
		{ "18446744073709551615", "18446744073709551615" },
		{ "18446744073709551616", "18446744073709551616" },
		{ "-9223372036854775808", "-9223372036854775808" },
		{ "-9223372036854775809", "-9223372036854775809" },
		{ "1.10", "1.10" },
		{ "-1E+2", "-1E+2" },
		{ "1e999", "1e999" },
		{ "[]", "[]" },
		{ "{}", "{}" },
		{ "[1 ,\t2,\r\n3]", "[1,2,3]" },
		{ "{\"b\" : {\"a\":[]}, \"a\":null}", "{\"b\":{\"a\":[]},\"a\":null}" },
		{ "{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":3,\"b\":2}" },
		{ "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\"" },
		{ "\"\\u00e9\\ud83d\\ude00\\u0000\"", "\"é😀\\u0000\"" },
		{ "\"\\ud800x\\udc00\"", "\"\xef\xbf\xbdx\xef\xbf\xbd\"" },
		{ "\"\\ud800\\ud83d\\ude00\"", "\"\xef\xbf\xbd😀\"" },
		{ "\"\\uABCD\\uabcd\"", "\"\xea\xaf\x8d\xea\xaf\x8d\"" },
		{ "\"\x7f\"", "\"\x7f\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf b = BUF_INIT(1000);

		assert_int_equal(again(cases[i][0], strlen(cases[i][0]), &b, NULL), 0);
		assert_string_equal(buf_str(&b), cases[i][1]);
		buf_fini(&b);
	}
}

static void refuses(void **state)
{
	static const struct {
		const char *text, *msg;
	} cases[] = {
		{ "", "invalid JSON: it ends at byte 0, within a value" },
		{ "[1", "invalid JSON: it ends at byte 2, within a value" },
		{ "\"abc", "invalid JSON: it ends at byte 4, within a value" },
		{ "-", "invalid JSON: it ends at byte 1, within a value" },
		{ "1 2", "invalid JSON at byte 2: more text behind the value" },
		{ "\xef\xbb\xbf{}", "invalid JSON at byte 0: expected a value" },
		{ "NaN", "invalid JSON at byte 0: expected a value" },
		{ "[Infinity]", "invalid JSON at byte 1: expected a value" },
		{ "[1,]", "invalid JSON at byte 3: expected a value" },
		{ "[1 2]", "invalid JSON at byte 3: expected ',' or ']'" },
		{ "{'a':1}", "invalid JSON at byte 1: expected a member name in quotes" },
		{ "{\"a\" 1}", "invalid JSON at byte 5: expected ':'" },
		{ "{\"a\":1;}", "invalid JSON at byte 6: expected ',' or '}'" },
		{ "{\"a\\u0000b\":1}", "invalid JSON at byte 11: a member name holds a NUL" },
		{ "[01]", "invalid JSON at byte 2: expected ',' or ']'" },
		{ "[1.]", "invalid JSON at byte 3: a digit is missing behind the point" },
		{ "[1e]", "invalid JSON at byte 3: a digit is missing in the exponent" },
		{ "[.5]", "invalid JSON at byte 1: expected a value" },
		{ "[-x]", "invalid JSON at byte 2: a digit is missing" },
		{ "\"a\nb\"", "invalid JSON at byte 2: control character in a string" },
		{ "\"\\x\"", "invalid JSON at byte 2: unknown escape" },
		{ "\"\\u12g4\"", "invalid JSON at byte 5: \\u needs four hexadecimal digits" },
		{ "\"\xff\"", "invalid JSON at byte 1: invalid UTF-8" },
		{ "\"\xc0\x80\"", "invalid JSON at byte 1: invalid UTF-8" },
		{ "\"\xed\xa0\x80\"", "invalid JSON at byte 1: invalid UTF-8" },
		{ "\"\xf4\x90\x80\x80\"", "invalid JSON at byte 1: invalid UTF-8" },
		{ "tru", "invalid JSON at byte 0: expected a value" },
		{ "/**/1", "invalid JSON at byte 0: expected a value" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct jnode *j = NULL;
		davit_err e = { 0 };

		assert_int_equal(json_parse(cases[i].text, strlen(cases[i].text), &j, &e), DAVIT_EPROTO);
		assert_string_equal(e.msg, cases[i].msg);
		assert_null(j);
	}
	assert_int_equal(json_parse("1\0", 2, &(struct jnode *){ NULL }, NULL), DAVIT_EPROTO);
}

static void limits(void **state)
{
	struct buf b = BUF_INIT(64 << 20), out = BUF_INIT(1000);
	davit_err e = { 0 };

	(void)state;
	for (int i = 0; i < LIMIT_JSON_DEPTH; i++)
		buf_putc(&b, '[');
	for (int i = 0; i < LIMIT_JSON_DEPTH; i++)
		buf_putc(&b, ']');
	assert_int_equal(again(buf_str(&b), b.len, &out, &e), 0);
	buf_clear(&b);
	for (int i = 0; i < 100000; i++)
		buf_putc(&b, '[');
	assert_int_equal(again(buf_str(&b), b.len, &out, &e), DAVIT_ELIMIT);
	assert_string_equal(e.msg, "JSON at byte 64 is nested deeper than 64 levels");
	buf_clear(&b);
	buf_putc(&b, '[');
	for (int i = 0; i < LIMIT_JSON_NODES / 8; i++)
		buf_puts(&b, "{},");
	buf_puts(&b, "{}]");
	assert_int_equal(again(buf_str(&b), b.len, &out, &e), DAVIT_ELIMIT);
	assert_int_equal(json_parse("1", (size_t)LIMIT_REPLY + 1, &(struct jnode *){ NULL }, &e),
			 DAVIT_ELIMIT);
	buf_fini(&b);
	buf_fini(&out);
}

/* What is written may be put together from parts that are each within the limit. */
static void writes_no_deeper_than_it_reads(void **state)
{
	struct jnode *top = json_make_object(), *now = top;
	struct buf out = BUF_INIT(1000);
	davit_err e = { 0 };

	(void)state;
	for (int i = 0; i < LIMIT_JSON_DEPTH; i++)
		now = json_edit_member(now, "x");
	assert_int_equal(json_write(top, &out, &e), DAVIT_ELIMIT);
	assert_string_equal(e.msg, "JSON to be written is nested deeper than 64 levels");
	json_unref(top);
	buf_fini(&out);
}

static void members(void **state)
{
	struct jnode *j = NULL;

	(void)state;
	assert_int_equal(json_parse("{\"a\":{\"b\":1},\"n\":null}", 22, &j, NULL), 0);
	assert_non_null(json_member(json_member(j, "a"), "b"));
	assert_null(json_member(j, "n"));
	assert_null(json_member(j, "z"));
	assert_null(json_member(NULL, "z"));
	json_unref(json_ref(j));
	json_unref_secret(j);
	assert_int_equal(json_from_text("a\"b", &j, NULL), 0);
	assert_string_equal(davit_value_string(json_value(j)), "a\"b");
	json_unref_secret(j);
}

/* No object has more than 10 members: json-c 0.16 loses a key when the growth of a larger table fails. */
static const char sample[] =
    "{\"a\":[1,2.5,\"x\\u00e9\",true,null,18446744073709551616],\"b\":{\"c\":\"\\n\"},"
    "\"d\":1,\"e\":2,\"f\":3,\"g\":4,\"h\":5,\"i\":6,\"j\":7}";

static int roundtrip(void *user)
{
	struct buf b = BUF_INIT(1000);
	int r = again(sample, sizeof sample - 1, &b, NULL);

	(void)user;
	if (!r)
		assert_int_equal(strlen(buf_str(&b)), sizeof sample - 1 - strlen("\\u00e9") + strlen("é"));
	buf_fini(&b);
	return r;
}

static void out_of_memory(void **state)
{
	(void)state;
	assert_true(torture_run(roundtrip, NULL) > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_and_writes), cmocka_unit_test(refuses), cmocka_unit_test(limits),
		cmocka_unit_test(writes_no_deeper_than_it_reads), cmocka_unit_test(members),
		cmocka_unit_test(out_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

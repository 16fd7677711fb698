#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "wire/headers.h"

static void adds_and_finds_without_case(void **state)
{
	struct headers h = { 0 };
	size_t at = 0;

	(void)state;
	assert_int_equal(headers_add(&h, "Link", "one", NULL), 0);
	assert_int_equal(headers_add(&h, "Content-Type", "text/plain", NULL), 0);
	assert_int_equal(headers_add(&h, "LINK", "", NULL), 0);
	assert_string_equal(headers_get(&h, "content-type"), "text/plain");
	assert_null(headers_get(&h, "content"));
	assert_string_equal(headers_next(&h, "link", &at), "one");
	assert_string_equal(headers_next(&h, "link", &at), "");
	assert_null(headers_next(&h, "link", &at));
	assert_null(headers_next(&h, "link", &at));
	headers_fini(&h);
	assert_int_equal(h.n, 0);
}

static void set_replaces_all(void **state)
{
	struct headers h = { 0 };
	size_t before;

	(void)state;
	assert_int_equal(headers_add(&h, "A", "1", NULL), 0);
	before = h.bytes;
	assert_int_equal(headers_add(&h, "B", "2", NULL), 0);
	assert_int_equal(headers_add(&h, "b", "3", NULL), 0);
	assert_int_equal(headers_set(&h, "B", "4", NULL), 0);
	assert_int_equal(h.n, 2);
	assert_string_equal(headers_get(&h, "b"), "4");
	assert_int_equal(headers_set(&h, "B", "bad\n", NULL), DAVIT_EARG);
	assert_string_equal(headers_get(&h, "b"), "4");
	assert_int_equal(headers_set(&h, "B", NULL, NULL), 0);
	assert_null(headers_get(&h, "b"));
	assert_int_equal(h.bytes, before);
	headers_remove(&h, "a");
	assert_int_equal(h.bytes, 0);
	headers_fini(&h);
}

static void refuses_what_would_break_the_line(void **state)
{
	static const char *const names[] = { "", "A B", "A:", "A\r", "\xc3\xa4", "(", "A\t" };
	static const char *const values[] = { "a\rb", "a\nb", "a\r\nX: y", "\x01", "\x7f" };
	struct headers h = { 0 };
	davit_err e = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		assert_int_equal(headers_add(&h, names[i], "v", &e), DAVIT_EARG);
	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		assert_int_equal(headers_add(&h, "A", values[i], &e), DAVIT_EARG);
	assert_string_equal(e.msg, "header A holds a control character");
	assert_int_equal(headers_add(&h, "A", "tab\t\xc3\xa4", &e), 0);
	headers_fini(&h);
}

static void keeps_its_limits(void **state)
{
	struct headers h = { 0 };
	char *big = calloc(1, LIMIT_HEADER_LINE + 1);

	(void)state;
	memset(big, 'x', LIMIT_HEADER_LINE);
	assert_int_equal(headers_add(&h, "A", big, NULL), DAVIT_ELIMIT);
	assert_int_equal(headers_add(&h, big, "v", NULL), DAVIT_ELIMIT);
	big[LIMIT_HEADER_LINE - 5] = 0;
	for (int i = 0; i < LIMIT_HEADERS / LIMIT_HEADER_LINE; i++)
		assert_int_equal(headers_add(&h, "A", big, NULL), 0);
	assert_int_equal(headers_add(&h, "A", "", NULL), DAVIT_ELIMIT);
	headers_fini(&h);
	for (int i = 0; i < LIMIT_HEADER_COUNT; i++)
		assert_int_equal(headers_add(&h, "A", "b", NULL), 0);
	assert_int_equal(headers_add(&h, "A", "b", NULL), DAVIT_ELIMIT);
	headers_fini(&h);
	free(big);
}

static void copies_all_or_nothing(void **state)
{
	struct headers from = { 0 }, to = { 0 };
	size_t bytes;

	(void)state;
	assert_int_equal(headers_add(&from, "A", "1", NULL), 0);
	assert_int_equal(headers_add_secret(&from, "Authorization", "Bearer x", NULL), 0);
	assert_int_equal(headers_add(&to, "B", "2", NULL), 0);
	assert_int_equal(headers_copy(&to, &from, NULL), 0);
	assert_int_equal(to.n, 3);
	assert_true(to.v[2].secret);
	assert_false(to.v[1].secret);
	while (to.n < LIMIT_HEADER_COUNT - 1)
		assert_int_equal(headers_add(&to, "C", "3", NULL), 0);
	bytes = to.bytes;
	assert_int_equal(headers_copy(&to, &from, NULL), DAVIT_ELIMIT);
	assert_int_equal(to.n, LIMIT_HEADER_COUNT - 1);
	assert_int_equal(to.bytes, bytes);
	headers_fini(&to);
	headers_fini(&from);
}

static int parse(struct headers *h, const char *line)
{
	return headers_parse_line(h, line, strlen(line), NULL);
}

static void parses_lines_strictly(void **state)
{
	static const char *const bad[] = { "",      "no colon", ": v",     "A : v",
					   " A: v", "\tfolded", "A: a\rb", "\xff: b" };
	struct headers h = { 0 };

	(void)state;
	assert_int_equal(parse(&h, "Host:example"), 0);
	assert_int_equal(parse(&h, "X-A: \t two words \t"), 0);
	assert_int_equal(parse(&h, "X-B:"), 0);
	assert_string_equal(headers_get(&h, "host"), "example");
	assert_string_equal(headers_get(&h, "x-a"), "two words");
	assert_string_equal(headers_get(&h, "x-b"), "");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(parse(&h, bad[i]), DAVIT_EPROTO);
	assert_int_equal(headers_parse_line(&h, "A: \0b", 5, NULL), DAVIT_EPROTO);
	assert_int_equal(h.n, 3);
	headers_fini(&h);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(adds_and_finds_without_case),
		cmocka_unit_test(set_replaces_all),
		cmocka_unit_test(refuses_what_would_break_the_line),
		cmocka_unit_test(keeps_its_limits),
		cmocka_unit_test(copies_all_or_nothing),
		cmocka_unit_test(parses_lines_strictly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

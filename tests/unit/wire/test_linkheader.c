#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/linkheader.h"

static void expect(const char *first, const char *second, const char *target)
{
	struct headers h = { 0 };
	struct arena a = { 0 };
	const char *found = "untouched";

	assert_int_equal(headers_add(&h, "link", first, NULL), 0);
	if (second)
		assert_int_equal(headers_add(&h, "Link", second, NULL), 0);
	assert_int_equal(link_find(&h, "next", &a, &found, NULL), 0);
	if (target)
		assert_string_equal(found, target);
	else
		assert_null(found);
	headers_fini(&h);
	arena_fini(&a);
}

static void finds_the_next_page(void **state)
{
	static const char *const rows[][2] = {
		{ "</v2/_catalog?last=b&n=2>; rel=\"next\"", "/v2/_catalog?last=b&n=2" },
		{ "<https://h/x>;rel=next", "https://h/x" },
		{ "<a>; REL=\"Next\"", "a" },
		{ "<a,b;c>; rel=next", "a,b;c" },
		{ "<>; rel=next", "" },
		{ "<a>; rel=prev, <b>; rel=next, <c>; rel=next", "b" },
		{ "<a>; title=\"x, <b>; rel=next \\\" \"; rel=\"first\", <c>; rel=\"prev  next\"", "c" },
		{ "<a>; rel = next", "a" },
		{ " , ,<a> ; rel=next ,", "a" },
		{ "<a>;; rel=next;", "a" },
		{ "<a>; nofollow; rel=next", "a" },
		{ "<a>; rel=prev; rel=next", NULL },
		{ "<a>; rel=nextx, <b>; rel=\"xnext\"", NULL },
		{ "<a>", NULL },
		{ "<a>; rel", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		expect(rows[i][0], NULL, rows[i][1]);
	expect("<a>; rel=prev", "<b>; rel=next", "b");
	expect("<a>; rel=next", "<b>; rel=next", "a");
}

static void refuses_broken_headers(void **state)
{
	static const char *const rows[] = { "a; rel=next",  "<a; rel=next",  "<a>; rel=\"next",
					    "<a> rel=next", "<a>; =x",       "<a>; rel=\"next\" x",
					    "<a>; \"x\"",   "<a>; rel=\"x\\" };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct headers h = { 0 };
		struct arena a = { 0 };
		const char *found = "untouched";

		assert_int_equal(headers_add(&h, "Link", rows[i], NULL), 0);
		assert_int_equal(link_find(&h, "next", &a, &found, NULL), DAVIT_EPROTO);
		assert_string_equal(found, "untouched");
		headers_fini(&h);
		arena_fini(&a);
	}
}

static void no_header_is_no_link(void **state)
{
	struct headers h = { 0 };
	struct arena a = { 0 };
	const char *found = "untouched";

	(void)state;
	assert_int_equal(link_find(&h, "next", &a, &found, NULL), 0);
	assert_null(found);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_next_page),
		cmocka_unit_test(refuses_broken_headers),
		cmocka_unit_test(no_header_is_no_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "../unit.h"

#include <stdlib.h>
#include <string.h>

#include <davit/types.h>

#include "base/opts.h"

struct old {
	size_t size;
	int a;
};
struct now {
	size_t size;
	int a, b;
	size_t c;
};
struct later {
	struct now now;
	size_t d;
};

static void checks(void **state)
{
	davit_err e = { 0 };
	struct old old = { .size = sizeof old };
	struct later later = { .now.size = sizeof later };

	(void)state;
	assert_int_equal(opts_check(NULL, sizeof(struct now), "o", &e), 0);
	assert_int_equal(opts_check(DAVIT_OPTS(struct now, .b = 1), sizeof(struct now), "o", &e), 0);
	assert_int_equal(opts_check(&(struct now){ .b = 1 }, sizeof(struct now), "o", &e), DAVIT_EARG);
	assert_string_equal(e.msg, "o: size is 0; make it with DAVIT_OPTS()");
	assert_int_equal(opts_check(&old, sizeof(struct now), "o", &e), DAVIT_EARG);
	assert_int_equal(opts_check(&later, sizeof(struct now), "o", &e), 0);
	later.d = 1;
	assert_int_equal(opts_check(&later, sizeof(struct now), "o", &e), DAVIT_EARG);
	assert_non_null(strstr(e.msg, "does not know"));
}

static void takes(void **state)
{
	davit_err e = { 0 };
	struct old *old = calloc(1, sizeof *old); /* heap: a read behind it is seen */
	struct later later = { .now = { .size = sizeof later, .a = 5, .b = 6, .c = 7 } };
	struct now now = { 0 };

	(void)state;
	assert_non_null(old);
	*old = (struct old){ .size = sizeof *old, .a = 4 };
	assert_int_equal(opts_take(&now, old, sizeof now, "o", &e), 0);
	assert_int_equal(now.size, sizeof now);
	assert_int_equal(now.a, 4);
	assert_int_equal(now.c, 0);
	free(old);
	assert_int_equal(opts_take(&now, &later, sizeof now, "o", &e), 0);
	assert_int_equal(now.size, sizeof now);
	assert_int_equal(now.c, 7);
	later.d = 1;
	now = (struct now){ 0 };
	assert_int_equal(opts_take(&now, &later, sizeof now, "o", &e), DAVIT_EARG);
	assert_int_equal(opts_take(&now, &(struct now){ 0 }, sizeof now, "o", &e), DAVIT_EARG);
	assert_int_equal(now.size, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(checks), cmocka_unit_test(takes) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

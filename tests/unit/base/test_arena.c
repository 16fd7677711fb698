#include "../unit.h"

#include <stdint.h>
#include <string.h>

#include "../torture.h"
#include "base/arena.h"

static void zeroed_and_aligned(void **state)
{
	struct arena a = { 0 };

	(void)state;
	for (size_t n = 1; n < 9000; n = n * 3 / 2 + 1) {
		unsigned char *p = arena_alloc(&a, n, 1);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, n);
	}
	arena_fini(&a);
	assert_non_null(arena_strdup(&a, "usable again"));
	arena_fini(&a);
}

static void copies(void **state)
{
	struct arena a = { 0 };

	(void)state;
	assert_string_equal(arena_strdup(&a, "abc"), "abc");
	assert_string_equal(arena_strndup(&a, "abcdef", 2), "ab");
	assert_string_equal(arena_strndup(&a, NULL, 0), "");
	assert_string_equal(arena_printf(&a, "%d-%s", 7, "x"), "7-x");
	arena_fini(&a);
}

static void limits(void **state)
{
	struct arena a = { .max = 100 };

	(void)state;
	assert_null(arena_alloc(&a, 101, 1));
	assert_null(arena_alloc(&a, SIZE_MAX / 2, 3));
	assert_null(arena_strndup(&a, "x", SIZE_MAX));
	assert_non_null(arena_alloc(&a, 90, 1));
	assert_null(arena_alloc(&a, 20, 1));
	arena_fini(&a);
}

static int fill(void *user)
{
	struct arena a = { 0 };
	int r = 0;

	(void)user;
	for (size_t n = 100; !r && n < 20000; n *= 2)
		r = arena_alloc(&a, n, 1) ? 0 : DAVIT_ENOMEM;
	arena_fini(&a);
	return r;
}

static void out_of_memory(void **state)
{
	(void)state;
	assert_true(torture_run(fill, NULL) > 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zeroed_and_aligned), cmocka_unit_test(copies), cmocka_unit_test(limits),
		cmocka_unit_test(out_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

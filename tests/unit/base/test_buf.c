#include "../unit.h"

#include <stdlib.h>
#include <string.h>

#include "../torture.h"
#include "base/buf.h"

static void appends(void **state)
{
	struct buf b = BUF_INIT(1000);

	(void)state;
	assert_string_equal(buf_str(&b), "");
	buf_puts(&b, "abc");
	buf_putc(&b, 'd');
	buf_printf(&b, "%d", 12);
	buf_add(&b, "\0x", 2);
	assert_int_equal(b.len, 8);
	assert_memory_equal(buf_str(&b), "abcd12\0x", 9);
	buf_consume(&b, 4);
	assert_string_equal(buf_str(&b), "12");
	buf_consume(&b, 0);
	buf_clear(&b);
	assert_string_equal(buf_str(&b), "");
	assert_int_equal(buf_check(&b, "it", NULL), 0);
	buf_fini(&b);
}

static void failure_sticks(void **state)
{
	struct buf b = BUF_INIT(5);
	davit_err e = { 0 };

	(void)state;
	buf_puts(&b, "12345");
	assert_int_equal(b.bad, 0);
	buf_putc(&b, '6');
	buf_consume(&b, 3);
	buf_putc(&b, '7');
	assert_string_equal(buf_str(&b), "45");
	assert_int_equal(buf_check(&b, "the text", &e), DAVIT_ELIMIT);
	assert_string_equal(e.msg, "the text is longer than 5 bytes");
	assert_null(buf_take(&b));
	buf_fini(&b);
	buf_puts(&b, "ok");
	assert_int_equal(buf_check(&b, "the text", &e), 0);
	buf_fini(&b);
}

static void reserves(void **state)
{
	struct buf b = BUF_INIT_SECRET(100000);
	char *p = buf_reserve(&b, 3);

	(void)state;
	memcpy(p, "xyz", 3);
	buf_commit(&b, 2);
	assert_string_equal(buf_str(&b), "xy");
	for (int i = 0; i < 5000; i++)
		buf_puts(&b, "abc");
	assert_int_equal(b.len, 15002);
	assert_memory_equal(buf_str(&b) + 14999, "abc", 4);
	assert_null(buf_reserve(&b, 100000));
	buf_fini(&b);
}

static void takes(void **state)
{
	struct buf b = BUF_INIT(10);
	char *p = buf_take(&b);

	(void)state;
	assert_string_equal(p, "");
	free(p);
	buf_puts(&b, "abc");
	p = buf_take(&b);
	assert_string_equal(p, "abc");
	assert_int_equal(b.len, 0);
	free(p);
	buf_puts(&b, "longer than ten");
	assert_null(buf_take(&b));
	assert_int_equal(buf_check(&b, "it", NULL), DAVIT_ELIMIT);
	buf_fini(&b);
}

static int grow(void *user)
{
	struct buf b = { .max = 100000, .secret = *(bool *)user };
	int r;

	for (int i = 0; i < 1000; i++)
		buf_puts(&b, "0123456789");
	r = buf_check(&b, "it", NULL);
	buf_fini(&b);
	return r;
}

static void out_of_memory(void **state)
{
	bool secret = false;

	(void)state;
	assert_true(torture_run(grow, &secret) > 3);
	secret = true;
	assert_true(torture_run(grow, &secret) > 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appends), cmocka_unit_test(failure_sticks), cmocka_unit_test(reserves),
		cmocka_unit_test(takes), cmocka_unit_test(out_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

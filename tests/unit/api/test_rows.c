/* The rows of every service; a new service is one more line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "rows.h"

extern const struct service registry_service;

static const struct service *const services[] = {
	&registry_service,
};

static void test_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof services / sizeof *services; i++)
		check_rows(services[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_all) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auth/store/netrc.h"

static const struct {
	const char *text, *host, *login, *password; /* login NULL and password NULL: not found */
} cases[] = {
	{ "machine a login u password p", "a", "u", "p" },
	{ "machine a login u password p", "A", "u", "p" },
	{ "machine a login u password p", "b", NULL, NULL },
	{ "machine a\n\tpassword p\n\tlogin u\nmachine b login v password q\n", "b", "v", "q" },
	{ "machine a login u password p machine a login x password y", "a", "u", "p" },
	{ "default login d password e", "any", "d", "e" },
	{ "default login d password e machine a login u password p", "a", "u", "p" },
	{ "machine a login u account x password p", "a", "u", "p" },
	{ "# comment machine a\nmachine a login u password p", "a", "u", "p" },
	{ "machine a login \"u v\" password \"p\\\"q\"", "a", "u v", "p\"q" },
	{ "machine a login u password p\\ q", "a", "u", "p q" },
	{ "machine a login #u password #p #comment\nmachine b login v password q", "a", "#u", "#p" },
	{ "machine a login u password p #comment\nmachine b login v password q", "b", "v", "q" },
	{ "machine m macdef init\ncd /x\nmachine a\n\nmachine a login u password p", "a", "u", "p" },
	{ "machine a login", "a", NULL, NULL },
	{ "machine", "a", NULL, NULL },
	{ "", "a", NULL, NULL },
	{ "machine a password \"unterminated", "a", NULL, "unterminated" },
};

static void finds(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct arena mem = { 0 };
		struct netrc_entry entry = { 0 };
		bool found = false;

		assert_true(netrc_find(cases[i].text, cases[i].host, &mem, &entry, &found));
		if (!cases[i].login && !cases[i].password) {
			assert_null(entry.login);
			assert_null(entry.password);
		} else {
			assert_true(found);
			if (cases[i].login)
				assert_string_equal(entry.login, cases[i].login);
			assert_string_equal(entry.password, cases[i].password);
		}
		arena_fini(&mem);
	}
}

static void reports_lack_of_memory(void **state)
{
	struct arena mem = { .max = 4 };
	struct netrc_entry entry;
	bool found;

	(void)state;
	assert_false(netrc_find("machine a login u password p", "a", &mem, &entry, &found));
	arena_fini(&mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds),
		cmocka_unit_test(reports_lack_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

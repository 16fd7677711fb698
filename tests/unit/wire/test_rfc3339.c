#include "../unit.h"

#include <stdio.h>
#include <string.h>

#include "wire/rfc3339.h"

static void reads_and_writes(void **state)
{
	static const struct {
		const char *text, *again; /* NULL: the same */
		int64_t sec;
		uint32_t nsec;
		int16_t offset;
	} cases[] = {
		{ "1970-01-01T00:00:00Z", NULL, 0, 0, 0 },
		{ "2024-02-29T12:30:00.5+01:00", NULL, 1709206200, 500000000, 60 },
		{ "2024-02-29t12:30:00.500z", "2024-02-29T12:30:00.5Z", 1709209800, 500000000, 0 },
		{ "1969-12-31T23:59:59.999999999Z", NULL, -1, 999999999, 0 },
		{ "2000-02-29T00:00:00-23:59", NULL, 951782400 + 86340, 0, -1439 },
		{ "0001-01-01T00:00:00Z", NULL, -62135596800, 0, 0 },
		{ "0000-01-01T00:00:00Z", NULL, -62167219200, 0, 0 },
		{ "9999-12-31T23:59:59Z", NULL, 253402300799, 0, 0 },
		{ "2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z", 1483228800, 0, 0 },
		{ "2020-01-01T00:00:00.1234567899Z", "2020-01-01T00:00:00.123456789Z", 1577836800, 123456789,
		  0 },
		{ "2020-01-01T00:00:00-00:00", "2020-01-01T00:00:00Z", 1577836800, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		davit_time t = { 0 };
		char out[RFC3339_MAX];

		assert_true(rfc3339_parse(cases[i].text, strlen(cases[i].text), &t));
		assert_true(t.set);
		assert_int_equal(t.sec, cases[i].sec);
		assert_int_equal(t.nsec, cases[i].nsec);
		assert_int_equal(t.offset, cases[i].offset);
		assert_true(rfc3339_format(&t, out));
		assert_string_equal(out, cases[i].again ? cases[i].again : cases[i].text);
	}
}

static void refuses(void **state)
{
	static const char *const texts[] = {
		"",
		"2024",
		"2024-02-30T00:00:00Z",
		"2023-02-29T00:00:00Z",
		"1900-02-29T00:00:00Z",
		"2024-13-01T00:00:00Z",
		"2024-00-01T00:00:00Z",
		"2024-01-00T00:00:00Z",
		"2024-01-01 00:00:00Z",
		"2024-01-01T24:00:00Z",
		"2024-01-01T00:60:00Z",
		"2024-01-01T00:00:61Z",
		"2024-01-01T00:00:00",
		"2024-01-01T00:00:00.Z",
		"2024-01-01T00:00:00+1:00",
		"2024-01-01T00:00:00+24:00",
		"2024-01-01T00:00:00+01:60",
		"2024-01-01T00:00:00Zx",
		"2024-01-01T00:00:00+0100",
		"+024-01-01T00:00:00Z",
		"2024-01-01T00:00Z",
	};
	davit_time t = { .sec = 7 };
	char out[RFC3339_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		assert_false(rfc3339_parse(texts[i], strlen(texts[i]), &t));
	assert_false(rfc3339_parse("2024-01-01T00:00:00Z", 19, &t));
	assert_int_equal(t.sec, 7);
	assert_false(rfc3339_format(&(davit_time){ .sec = 253402300800 }, out));
	assert_false(rfc3339_format(&(davit_time){ .sec = 253402300799, .offset = 1 }, out));
	assert_false(rfc3339_format(&(davit_time){ .sec = -62167219201 }, out));
	assert_false(rfc3339_format(&(davit_time){ .sec = INT64_MAX, .offset = 1439 }, out));
	assert_false(rfc3339_format(&(davit_time){ .sec = INT64_MIN, .offset = -1439 }, out));
	assert_false(rfc3339_format(&(davit_time){ .nsec = 1000000000 }, out));
	assert_false(rfc3339_format(&(davit_time){ .offset = 1440 }, out));
}

/* Every day of 400 years, against a calendar that counts. */
static void all_days(void **state)
{
	int y = 1900, m = 1, d = 1;

	(void)state;
	for (int64_t day = -25567; y < 2301; day++) {
		static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
		bool leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
		davit_time t = { .sec = day * 86400 }, back;
		char out[RFC3339_MAX], want[RFC3339_MAX];

		snprintf(want, sizeof want, "%04d-%02d-%02dT00:00:00Z", y % 10000, m % 100, d % 100);
		assert_true(rfc3339_format(&t, out));
		assert_string_equal(out, want);
		assert_true(rfc3339_parse(out, strlen(out), &back));
		assert_int_equal(back.sec, t.sec);
		if (++d > days[m - 1] + (m == 2 && leap)) {
			d = 1;
			m = m % 12 + 1;
			y += m == 1;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_and_writes), cmocka_unit_test(refuses), cmocka_unit_test(all_days),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

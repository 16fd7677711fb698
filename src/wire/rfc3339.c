#include "wire/rfc3339.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum {
	DAY_S = 24 * 60 * 60,
	DAY_MIN = 24 * 60,
	ERA_DAYS = 146097,   /* 400 years */
	EPOCH_DAYS = 719468, /* 0000-03-01 to 1970-01-01 */
	NSEC_DIGITS = 9,
};

struct text {
	const char *p, *end;
};

/* Exactly digits digits, from least to most. */
static bool number(struct text *s, int digits, int least, int most, int *out)
{
	int v = 0;

	if (s->end - s->p < digits)
		return false;
	for (; digits; digits--, s->p++) {
		if (*s->p < '0' || *s->p > '9')
			return false;
		v = v * 10 + (*s->p - '0');
	}
	*out = v;
	return v >= least && v <= most;
}

static bool one_of(struct text *s, const char *set)
{
	return s->p < s->end && *s->p && strchr(set, *s->p) && s->p++;
}

static int days_in_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

/* Days from 1970-01-01; years are counted from March so that the leap day comes last. */
static int64_t days_of(int year, int month, int day)
{
	int64_t y = year - (month <= 2) + 400; /* never negative; one era too many */
	int64_t era = y / 400, yoe = y % 400;
	int64_t doy = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;

	return (era - 1) * ERA_DAYS + yoe * 365 + yoe / 4 - yoe / 100 + doy - EPOCH_DAYS;
}

static bool parse_date(struct text *s, int64_t *days)
{
	int year, month, day;

	if (!number(s, 4, 0, 9999, &year) || !one_of(s, "-") || !number(s, 2, 1, 12, &month) ||
	    !one_of(s, "-") || !number(s, 2, 1, days_in_month(year, month), &day))
		return false;
	*days = days_of(year, month, day);
	return true;
}

static bool parse_clock(struct text *s, int *sec, uint32_t *nsec)
{
	uint32_t unit = 100000000;
	int h, m, second;

	if (!number(s, 2, 0, 23, &h) || !one_of(s, ":") || !number(s, 2, 0, 59, &m) || !one_of(s, ":") ||
	    !number(s, 2, 0, 60, &second))
		return false;
	*sec = (h * 60 + m) * 60 + second;
	*nsec = 0;
	if (!one_of(s, "."))
		return true;
	if (s->p == s->end || *s->p < '0' || *s->p > '9')
		return false;
	for (; s->p < s->end && *s->p >= '0' && *s->p <= '9'; s->p++, unit /= 10)
		*nsec += unit * (uint32_t)(*s->p - '0');
	return true;
}

static bool parse_offset(struct text *s, int *minutes)
{
	int sign, h, m;

	*minutes = 0;
	if (one_of(s, "Zz"))
		return true;
	sign = one_of(s, "-") ? -1 : 1;
	if (sign > 0 && !one_of(s, "+"))
		return false;
	if (!number(s, 2, 0, 23, &h) || !one_of(s, ":") || !number(s, 2, 0, 59, &m))
		return false;
	*minutes = sign * (h * 60 + m);
	return true;
}

bool rfc3339_parse(const char *text, size_t n, davit_time *out)
{
	struct text s = { text, text + n };
	int64_t days;
	uint32_t nsec;
	int sec, offset;

	if (!parse_date(&s, &days) || !one_of(&s, "Tt") || !parse_clock(&s, &sec, &nsec) ||
	    !parse_offset(&s, &offset) || s.p != s.end)
		return false;
	*out = (davit_time){
		.sec = days * DAY_S + sec - (int64_t)offset * 60,
		.nsec = nsec,
		.offset = (int16_t)offset,
		.set = true,
	};
	return true;
}

static void put_date(int64_t days, char *out)
{
	int64_t z = days + EPOCH_DAYS + ERA_DAYS; /* never negative; one era too many */
	int64_t era = z / ERA_DAYS, doe = z % ERA_DAYS;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153, month = mp < 10 ? mp + 3 : mp - 9;
	int64_t year = yoe + (era - 1) * 400 + (month <= 2);

	snprintf(out, 11, "%04u-%02u-%02u", (unsigned)year % 10000, (unsigned)month % 100,
		 (unsigned)(doy - (153 * mp + 2) / 5 + 1) % 100);
}

static void put_fraction(uint32_t nsec, char out[NSEC_DIGITS + 2])
{
	size_t n = NSEC_DIGITS + 1;

	snprintf(out, NSEC_DIGITS + 2, ".%09u", (unsigned)(nsec % 1000000000));
	while (n > 1 && out[n - 1] == '0')
		n--;
	out[n > 1 ? n : 0] = 0;
}

bool rfc3339_format(const davit_time *t, char out[RFC3339_MAX])
{
	const int64_t first = days_of(0, 1, 1) * DAY_S, last = days_of(9999, 12, 31) * DAY_S + DAY_S - 1;
	char date[11], fraction[NSEC_DIGITS + 2], zone[8] = "Z";
	int offset = t->offset, abs_offset = offset < 0 ? -offset : offset, sec;
	int64_t local, days;

	/* The range is tested first without the offset, which then cannot overflow. */
	if (abs_offset >= DAY_MIN || t->nsec >= 1000000000 || t->sec < first - DAY_S || t->sec > last + DAY_S)
		return false;
	local = t->sec + (int64_t)offset * 60;
	if (local < first || local > last)
		return false;
	days = (local - first) / DAY_S + first / DAY_S;
	sec = (int)((local - first) % DAY_S);
	put_date(days, date);
	put_fraction(t->nsec, fraction);
	if (offset)
		snprintf(zone, sizeof zone, "%c%02d:%02d", offset < 0 ? '-' : '+', abs_offset / 60 % 24,
			 abs_offset % 60);
	snprintf(out, RFC3339_MAX, "%sT%02d:%02d:%02d%s%s", date, sec / 3600, sec / 60 % 60, sec % 60,
		 fraction, zone);
	return true;
}

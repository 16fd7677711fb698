#include <stdio.h>
#include <string.h>
#include <time.h>

#include "api/attempt.h"

/* Long enough to be longer than any limit, short enough to count in. */
enum { FAR_AWAY_S = 999999999 };

/* Whether the day and the time exist; timegm() would make another day of February 31. */
static bool is_real(const struct tm *tm)
{
	struct tm day = { .tm_year = tm->tm_year, .tm_mon = tm->tm_mon, .tm_mday = tm->tm_mday };

	if (tm->tm_hour < 0 || tm->tm_hour > 23 || tm->tm_min < 0 || tm->tm_min > 59 || tm->tm_sec < 0 ||
	    tm->tm_sec > 60)
		return false;
	(void)timegm(&day);
	return day.tm_mday == tm->tm_mday && day.tm_mon == tm->tm_mon;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT", the one form that RFC 9110 lets senders write. */
static bool parse_http_date(const char *s, int64_t *out)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct tm tm = { 0 };
	char month[4] = "";
	const char *at;
	int end = 0;

	if (sscanf(s, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n", &tm.tm_mday, month, &tm.tm_year,
		   &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &end) != 6 ||
	    !end || s[end])
		return false;
	at = strlen(month) == 3 ? strstr(months, month) : NULL;
	if (!at || (at - months) % 3 != 0)
		return false;
	tm.tm_mon = (int)(at - months) / 3;
	tm.tm_year -= 1900;
	if (!is_real(&tm))
		return false;
	*out = (int64_t)timegm(&tm);
	return true;
}

int64_t retry_after_ms(const char *value, int64_t now)
{
	size_t digits = strspn(value, "0123456789");
	int64_t s = 0;

	if (digits && !value[digits]) {
		for (; *value && s < FAR_AWAY_S; value++)
			s = s * 10 + (*value - '0');
	} else if (parse_http_date(value, &s)) {
		s = s > now ? s - now : 0;
	} else {
		return -1;
	}
	return (s < FAR_AWAY_S ? s : FAR_AWAY_S) * 1000;
}

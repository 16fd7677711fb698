/* Any text as a time; what was read is written and must read back as the same moment. */
#include <stdlib.h>
#include <string.h>

#include "wire/rfc3339.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char text[RFC3339_MAX];
	davit_time t, again;

	if (!rfc3339_parse((const char *)data, n, &t))
		return 0;
	/* A leap second at the end of the last year is in no year that can be written. */
	if (!memcmp(data, "9999", 4) && !rfc3339_format(&t, text))
		return 0;
	if (!rfc3339_format(&t, text) || !rfc3339_parse(text, strlen(text), &again) || t.sec != again.sec ||
	    t.nsec != again.nsec || t.offset != again.offset)
		abort();
	return 0;
}

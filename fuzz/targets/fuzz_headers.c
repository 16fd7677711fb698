#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "wire/headers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *p = (const char *)data, *end = p + n;
	struct headers h = { 0 }, copy = { 0 };

	while (p < end) {
		const char *line = memchr(p, '\n', (size_t)(end - p));

		line = line ? line : end;
		headers_parse_line(&h, p, (size_t)(line - p), NULL);
		p = line < end ? line + 1 : end;
	}
	if (headers_copy(&copy, &h, NULL) || copy.bytes != h.bytes || h.bytes > LIMIT_HEADERS)
		abort();
	headers_remove(&h, "a");
	headers_set(&h, "b", "c", NULL);
	headers_fini(&h);
	headers_fini(&copy);
	return 0;
}

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/linkheader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text = strndup((const char *)data, n);
	struct headers h = { 0 };
	struct arena a = { 0 };
	const char *target = "untouched";
	int r;

	if (text && !headers_add(&h, "Link", text, NULL)) {
		r = link_find(&h, "next", &a, &target, NULL);
		if (r ? strcmp(target, "untouched") != 0 : target && !strstr(text, target))
			abort();
	}
	headers_fini(&h);
	arena_fini(&a);
	free(text);
	return 0;
}

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/dockerref.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text = strndup((const char *)data, n);
	struct arena a = { 0 };
	struct dockerref ref;

	if (text && !dockerref_parse(text, &a, &ref, NULL)) {
		if (!ref.host || dockerref_check_repo(ref.repo, NULL) ||
		    (ref.tag && dockerref_check_tag(ref.tag, NULL)))
			abort();
	}
	arena_fini(&a);
	free(text);
	return 0;
}

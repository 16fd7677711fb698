#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "auth/store/netrc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text = strndup((const char *)data, n);
	struct arena mem = { 0 };
	struct netrc_entry entry;
	bool found;

	if (text && netrc_find(text, "a", &mem, &entry, &found) && !found && (entry.login || entry.password))
		abort();
	arena_fini(&mem);
	free(text);
	return 0;
}

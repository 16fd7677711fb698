#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

void mem_wipe(void *p, size_t n)
{
	if (n)
		explicit_bzero(p, n);
}

void mem_free_secret(char *s)
{
	if (!s)
		return;
	mem_wipe(s, strlen(s));
	free(s);
}

bool mem_strdup(const char *s, char **out)
{
	char *copy = s ? strdup(s) : NULL;

	if (s && !copy)
		return false;
	*out = copy;
	return true;
}

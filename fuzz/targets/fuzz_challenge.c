#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "auth/challenge.h"
#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text = strndup((const char *)data, n);
	struct challenges c = { 0 };
	struct arena a = { 0 };

	if (text && !challenge_parse(text, &a, &c, NULL)) {
		for (size_t i = 0; i < c.n; i++)
			if (!*c.v[i].scheme || c.v[i].params.n > LIMIT_CHALLENGE_PARAMS)
				abort();
		if (challenge_find(&c, "bearer"))
			challenge_param(challenge_find(&c, "bearer"), "realm");
	}
	arena_fini(&a);
	free(text);
	return 0;
}

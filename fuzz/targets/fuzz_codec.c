/* Any JSON into a struct with every kind of member; what was decoded must encode. */
#include <stdlib.h>

#include "../../tests/unit/wire/sample.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct jnode *j = NULL, *over = NULL, *plain = NULL;
	struct everything out = { 0 };
	struct arena a = { 0 };
	davit_err e = { 0 };

	if (!json_parse((const char *)data, n, &j, &e) && !codec_decode(&everything_type, j, &out, &a, &e)) {
		if (codec_encode(&everything_type, &out, 0, &plain, &e) && e.code != DAVIT_ELIMIT)
			abort();
		if (codec_encode_over(&everything_type, &out, j, &over, &e) && e.code != DAVIT_ELIMIT)
			abort();
	}
	json_unref(plain);
	json_unref(over);
	json_unref(j);
	arena_fini(&a);
	return 0;
}

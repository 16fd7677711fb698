#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/ndjson.h"

static int document(void *user, const struct jnode *j, davit_err *e)
{
	++*(unsigned *)user;
	ndjson_remote_error(j, e);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	unsigned whole = 0, pieces = 0;
	struct ndjson a = NDJSON_INIT(document, &whole), b = NDJSON_INIT(document, &pieces);
	size_t step = n ? data[0] / 8 + 1U : 1;
	int ra = n ? ndjson_feed(&a, data + 1, n - 1, NULL) : 0, rb = 0;

	for (size_t i = 1; i < n && !rb; i += step)
		rb = ndjson_feed(&b, data + i, n - i < step ? n - i : step, NULL);
	if (!ra)
		ra = ndjson_end(&a, NULL);
	if (!rb)
		rb = ndjson_end(&b, NULL);
	if (ra != rb || whole != pieces)
		abort();
	ndjson_fini(&a);
	ndjson_fini(&b);
	return 0;
}

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/http1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	/* The first byte says what is read, and in pieces of which size. */
	struct http1_head h = HTTP1_HEAD_INIT(n && data[0] & 1 ? HTTP1_REQUEST : HTTP1_RESPONSE);
	size_t step = n ? data[0] / 2 + 1U : 1, used;
	int r = HTTP1_MORE;

	for (size_t i = 1; i < n && r == HTTP1_MORE; i += step) {
		size_t take = n - i < step ? n - i : step;

		r = http1_feed(&h, data + i, take, &used, NULL);
		if (r >= 0 && used > take)
			abort();
	}
	if (r == HTTP1_DONE &&
	    (h.kind == HTTP1_RESPONSE ? !h.reason || h.status < 100 : !h.method || !h.target))
		abort();
	http1_has_token(&h.headers, "connection", "upgrade");
	http1_head_fini(&h);
	return 0;
}

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/base64.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct buf out = BUF_INIT(1 << 20), again = BUF_INIT(1 << 20), third = BUF_INIT(1 << 20);

	if (n < (1 << 19) && base64_decode(&out, (const char *)data, n)) {
		base64_encode(&again, buf_str(&out), out.len);
		if (!base64_decode(&third, buf_str(&again), again.len) || third.len != out.len ||
		    (out.len && memcmp(out.p, third.p, out.len) != 0))
			abort();
	}
	buf_fini(&out);
	buf_fini(&again);
	buf_fini(&third);
	return 0;
}

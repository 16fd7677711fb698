/* Any bytes as JSON; what was read is written and must read back to the same text. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "wire/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct buf one = BUF_INIT(LIMIT_REPLY), two = BUF_INIT(LIMIT_REPLY);
	struct jnode *j = NULL, *again = NULL;
	davit_err e = { 0 };

	if (!json_parse((const char *)data, n, &j, &e)) {
		if (json_write(j, &one, &e) || json_parse(buf_str(&one), one.len, &again, &e) ||
		    json_write(again, &two, &e) || strcmp(buf_str(&one), buf_str(&two)) != 0)
			abort();
	}
	json_unref(again);
	json_unref(j);
	buf_fini(&one);
	buf_fini(&two);
	return 0;
}

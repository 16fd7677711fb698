#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "wire/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text = strndup((const char *)data, n);
	struct arena a = { 0 };
	struct buf out = BUF_INIT(4 * LIMIT_URL);
	struct uri base, u, again;
	const char *host;
	unsigned port;

	if (!text || uri_parse("https://h:5000/v2/a/b?c", &a, &base, NULL))
		abort();
	if (!uri_resolve(&base, text, &a, &u, NULL)) {
		uri_write(&u, &out);
		if (out.bad || (out.len <= LIMIT_URL &&
				(uri_parse(buf_str(&out), &a, &again, NULL) || !uri_same_origin(&u, &again) ||
				 strcmp(u.path, again.path) != 0)))
			abort();
	}
	uri_parse(text, &a, &u, NULL);
	uri_split_host(text, &a, &host, &port, NULL);
	pct_decode((const char *)data, n, true, &a);
	buf_fini(&out);
	arena_fini(&a);
	free(text);
	return 0;
}

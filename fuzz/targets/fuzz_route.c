#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/path.h"
#include "api/route.h"
#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct endpoint rows[] = {
		{ .name = "f.base.check", .method = "GET", .path = "/v2/" },
		{ .name = "f.blob.get", .method = "GET", .path = "/v2/{name:name}/blobs/{digest:digest}" },
		{ .name = "f.upload.start", .method = "GET", .path = "/v2/{name:name}/blobs/uploads/" },
		{ .name = "f.file.get", .method = "GET", .path = "/f/{id}/{path:rest}" },
	};
	static const struct service service = { .name = "f", .endpoints = rows, .n = 4 };
	struct arena mem = { 0 };
	struct route r = { .mem = &mem }, again = { .mem = &mem };
	struct buf path = BUF_INIT(1 << 20);
	char *text = arena_strndup(&mem, (const char *)data, n);

	/* What a route gives builds a path that gives the same route. */
	if (text && route_find(&service, "GET", text, &r, NULL) == 0) {
		const char *arg = r.args[0] ? r.args[0] : "";

		if (path_build(r.ep->path, r.args, &path, NULL))
			abort();
		if (path.len <= LIMIT_URL &&
		    (route_find(&service, "GET", path.p, &again, NULL) || again.ep != r.ep ||
		     strcmp(arg, again.args[0] ? again.args[0] : "") != 0))
			abort();
	}
	buf_fini(&path);
	arena_fini(&mem);
	return 0;
}

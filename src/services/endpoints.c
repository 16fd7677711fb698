/* All services' rows, for programs that list them. */
#include <davit/davit.h>

#include "api/api.h"
#include "services/registry/registry_internal.h"

static const struct service *const services[] = { &registry_service };

static const char *const shapes[] = {
	[SHAPE_CALL] = "call",
	[SHAPE_STREAM] = "stream",
	[SHAPE_UPLOAD] = "upload",
	[SHAPE_HIJACK] = "hijack",
};

bool davit_endpoint_at(size_t i, davit_endpoint_info *out)
{
	for (size_t s = 0; s < sizeof services / sizeof *services; s++) {
		if (i < services[s]->n) {
			const struct endpoint *ep = &services[s]->endpoints[i];

			*out = (davit_endpoint_info){ ep->name, ep->method, ep->path, shapes[ep->shape] };
			return true;
		}
		i -= services[s]->n;
	}
	return false;
}

const char *davit_version(void)
{
	return DAVIT_VERSION;
}

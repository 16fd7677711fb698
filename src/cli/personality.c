#include "cli/personality.h"

#include <stddef.h>
#include <string.h>

const struct personality personalities[] = {
	{ "dxf", dxf_main, "act as python-dxf's command" },
	{ NULL, NULL, NULL },
};

const struct personality *personality_find(const char *name)
{
	for (const struct personality *p = personalities; p->name; p++)
		if (!strcmp(p->name, name))
			return p;
	return NULL;
}

/* The netrc format, as curl and Python read it. No I/O. */
#ifndef DAVIT_AUTH_STORE_NETRC_H
#define DAVIT_AUTH_STORE_NETRC_H

#include <stdbool.h>

#include "base/arena.h"

/* Login and password of an entry; members that the entry lacks are NULL. */
struct netrc_entry {
	const char *login, *password;
};

/*
 * Finds the entry for host in the NUL-terminated text of a netrc file, or its "default" entry. Strings are
 * copied into mem. *found tells whether there is one; false is returned only when memory ran out.
 */
bool netrc_find(const char *text, const char *host, struct arena *mem, struct netrc_entry *out, bool *found);

#endif

/* Credentials that a look-up found, with the memory behind them. */
#ifndef DAVIT_AUTH_STORE_FOUND_H
#define DAVIT_AUTH_STORE_FOUND_H

#include <stdbool.h>

#include <davit/credentials.h>

#include "base/arena.h"

struct found {
	davit_credentials c; /* first member: it is what the caller of the library holds */
	struct arena mem;
	bool hit;            /* whether anything was found */
};

#endif

/* Credential helpers: programs docker-credential-NAME that talk JSON over their standard streams. */
#ifndef DAVIT_AUTH_STORE_HELPER_H
#define DAVIT_AUTH_STORE_HELPER_H

#include <davit/credentials.h>

#include "auth/store/found.h"

/* A helper and what every call needs. */
struct helper {
	const char *name;           /* without "docker-credential-"; one with '/' is refused */
	davit_cancel_token *cancel; /* or NULL */
};

/*
 * Asks for the credentials of server. out->hit stays false if the helper knows none or is not installed. The
 * helper has LIMIT_HELPER_MS.
 */
int helper_get(const struct helper *h, const char *server, struct found *out, davit_err *e);
/* Stores; a helper that is not installed is DAVIT_ENOTFOUND. */
int helper_store(const struct helper *h, const char *server, const davit_credentials *c, davit_err *e);
int helper_erase(const struct helper *h, const char *server, davit_err *e);

#endif

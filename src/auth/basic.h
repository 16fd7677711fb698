/* HTTP Basic authentication (RFC 7617). */
#ifndef DAVIT_AUTH_BASIC_H
#define DAVIT_AUTH_BASIC_H

#include <davit/err.h>
#include <davit/types.h>

#include "auth/auth.h"

/*
 * Appends "Basic …" to out, which should be secret. DAVIT_EARG for a colon in the name or a control
 * character.
 */
int basic_header(const char *username, const char *password, struct buf *out, davit_err *e);

/* An authenticator that sends the same Basic header with every request. */
int basic_auth_new(const char *username, davit_secret password, struct auth **out, davit_err *e);

#endif

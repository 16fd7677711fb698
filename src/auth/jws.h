/* JSON Web Signatures (RFC 7515) with ES256: ECDSA on P-256 over SHA-256. */
#ifndef DAVIT_AUTH_JWS_H
#define DAVIT_AUTH_JWS_H

#include <stddef.h>

#include <davit/err.h>

/* What goes into the JSON, base64url without padding. */
struct jws_es256 {
	char x[44], y[44];  /* the public key */
	char signature[87]; /* r and s */
};

/* The same as found in a JSON text; NULL counts as malformed. */
struct jws_text {
	const char *x, *y, *signature;
};

/* Signs with a key that is made for this one signature and then forgotten. */
int jws_sign_once(const void *input, size_t n, struct jws_es256 *out, davit_err *e);

/*
 * 0; DAVIT_EINTEGRITY if the signature is not that of this key over this input, or key or signature are
 * malformed.
 */
int jws_verify(const void *input, size_t n, const struct jws_text *s, davit_err *e);

#endif

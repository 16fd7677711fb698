/* SHA-256 and SHA-512 while streaming, and digest texts "sha256:hex". The only user of OpenSSL's digests. */
#ifndef DAVIT_WIRE_DIGEST_H
#define DAVIT_WIRE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#include <davit/digest.h>
#include <davit/err.h>

enum digest_alg { DIGEST_SHA256 = 0, DIGEST_SHA512 };

struct digest; /* a running computation */

int digest_new(enum digest_alg alg, struct digest **out, davit_err *e);
int digest_update(struct digest *d, const void *p, size_t n);
/* Writes "sha256:hex"; the computation may go on (its state is copied first). */
int digest_text(const struct digest *d, char out[DAVIT_DIGEST_MAX], davit_err *e);
/* Raw bytes: 32 or 64; *n gets the number. */
int digest_bytes(const struct digest *d, unsigned char out[64], size_t *n, davit_err *e);
void digest_free(struct digest *d);

/*
 * Recognises "algorithm:hex", lower case, right length. DAVIT_EUNSUPPORTED for another well-formed algorithm.
 */
int digest_parse(const char *text, enum digest_alg *alg, const char **hex, davit_err *e);
const char *digest_alg_name(enum digest_alg alg);

/* SHA-1, for the websocket handshake only: it protects nothing. */
int digest_sha1(const void *p, size_t n, unsigned char out[20], davit_err *e);

/* Lower-case hex of n bytes, 2 * n + 1 characters. */
void hex_encode(const void *p, size_t n, char *out);

#endif

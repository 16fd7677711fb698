/**
 * @file
 * Digests of content: `algorithm:hex`.
 */
#ifndef DAVIT_DIGEST_H
#define DAVIT_DIGEST_H

#include <stddef.h>

#include <davit/err.h>
#include <davit/visibility.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Size of a buffer for any digest text. */
#define DAVIT_DIGEST_MAX 136

/** Writes `sha256:…` of @p n bytes to @p out. */
DAVIT_API int davit_digest_bytes(const void *p, size_t n, char out[DAVIT_DIGEST_MAX], davit_err *e);
/** Writes `sha256:…` of a file's content to @p out. */
DAVIT_API int davit_digest_file(const char *path, char out[DAVIT_DIGEST_MAX], davit_err *e);
/**
 * Takes a digest apart.
 * @param algorithm  gets `sha256` or `sha512` (constant)
 * @param hex        gets a pointer into @p digest, behind the colon
 * @return 0, #DAVIT_EARG, or #DAVIT_EUNSUPPORTED for another algorithm
 */
DAVIT_API int davit_digest_split(const char *digest, const char **algorithm, const char **hex, davit_err *e);

#ifdef __cplusplus
}
#endif
#endif

/**
 * @file
 * Everything of libdavit, and its version. What does not say since when it exists is there since 0.1.0.
 */
#ifndef DAVIT_DAVIT_H
#define DAVIT_DAVIT_H

#include <davit/connection.h>
#include <davit/credentials.h>
#include <davit/digest.h>
#include <davit/err.h>
#include <davit/registry.h>
#include <davit/stream.h>
#include <davit/types.h>
#include <davit/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The version of the library that runs, for example `0.1.0`. */
DAVIT_API const char *davit_version(void);

#ifdef __cplusplus
}
#endif
#endif

/* Filling davit_err. Every setter returns the code that it was given, so that a failure is one line. */
#ifndef DAVIT_BASE_ERR_H
#define DAVIT_BASE_ERR_H

#include <davit/err.h>

/* Replaces the whole error by code and a message; http, sys, callback and remote are cleared. e may be NULL. */
int err_set(davit_err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/*
 * As err_set() for a failed system call: appends ": " and the text of errnum, stores errnum in sys and
 * returns DAVIT_ENOMEM for ENOMEM, DAVIT_EEXISTS for EEXIST, DAVIT_ETIMEOUT for ETIMEDOUT, else DAVIT_EIO.
 */
int err_errno(davit_err *e, int errnum, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* "out of memory"; returns DAVIT_ENOMEM. */
int err_nomem(davit_err *e);

/* A callback returned value < 0: DAVIT_ECALLBACK with value. */
int err_callback(davit_err *e, int value, const char *what);

/*
 * Puts text in front of the message of a failure and returns code; the other members stay. Does nothing
 * for code 0, so that it can wrap a call: return err_at(e, f(..., e), "reading %s: ", path).
 */
int err_at(davit_err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif

/* Filling davit_err. Every setter returns the code that it was given, so that a failure is one line. */
#ifndef DAVIT_BASE_ERR_H
#define DAVIT_BASE_ERR_H

#include <davit/err.h>

#include <errno.h>
#include <stddef.h>

/*
 * err_set(e, code, fmt, ...) replaces the whole error by code and a message; http, sys, callback and remote
 * are cleared. e may be NULL. A macro, so that compilers and analysers see which code comes back.
 */
#define err_set(e, code, ...)                           \
	({                                              \
		int set_ = (code);                      \
		err_format((e), set_, __VA_ARGS__);     \
		set_;                                   \
	})

/*
 * err_at(e, code, fmt, ...) puts text in front of the message of a failure and returns code; the other
 * members stay. Does nothing for code 0, so that it can wrap a call: return err_at(e, f(..., e), "reading %s:
 * ", path).
 */
#define err_at(e, code, ...)                            \
	({                                              \
		int at_ = (code);                       \
		if (at_)                                \
			err_prefix((e), at_, __VA_ARGS__); \
		at_;                                    \
	})

/*
 * err_errno(e, errnum, fmt, ...) is err_set() for a failed system call: appends ": " and the text of errnum,
 * stores errnum in sys; the code is that of err_code_of_errno().
 */
#define err_errno(e, errnum, ...)                       \
	({                                              \
		int errnum_ = (errnum);                 \
		err_format_errno((e), errnum_, __VA_ARGS__); \
		err_code_of_errno(errnum_);             \
	})

/*
 * Bytes of the control character at p, or 0 if there is none: 1 for C0 and DEL, 2 for U+0080 to U+009F. A
 * hostile server must not drive the reader's terminal, so messages and traces have them as \xNN.
 */
size_t err_control(const char *p, size_t n);

/* The functions below the macros. */
void err_format(davit_err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void err_prefix(davit_err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void err_format_errno(davit_err *e, int errnum, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* DAVIT_ENOMEM for ENOMEM, DAVIT_EEXISTS for EEXIST, DAVIT_ETIMEOUT for ETIMEDOUT, else DAVIT_EIO. */
static inline int err_code_of_errno(int errnum)
{
	switch (errnum) {
	case ENOMEM:
		return DAVIT_ENOMEM;
	case EEXIST:
		return DAVIT_EEXISTS;
	case ETIMEDOUT:
		return DAVIT_ETIMEOUT;
	default:
		return DAVIT_EIO;
	}
}

/* "out of memory"; returns DAVIT_ENOMEM. */
static inline int err_nomem(davit_err *e)
{
	return err_set(e, DAVIT_ENOMEM, "out of memory");
}

/* A callback returned value < 0: DAVIT_ECALLBACK with value. */
static inline int err_callback(davit_err *e, int value, const char *what)
{
	err_format(e, DAVIT_ECALLBACK, "%s: ended by the callback with %d", what, value);
	if (e)
		e->callback = value;
	return DAVIT_ECALLBACK;
}

#endif

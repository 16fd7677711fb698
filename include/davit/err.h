/**
 * @file
 * Errors: a code to act on and a sentence to show.
 *
 * Every function of davit that can fail returns 0 or one of the negative codes below and takes a
 * #davit_err as its last argument. The caller owns that struct, nothing in it is allocated, and it
 * may be NULL when only the code matters.
 */
#ifndef DAVIT_ERR_H
#define DAVIT_ERR_H

#include <davit/visibility.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What went wrong, in terms of what the caller can do about it. */
enum davit_code {
	DAVIT_OK = 0,            /**< Success. */
	DAVIT_EARG = -1,         /**< The caller's argument is wrong; nothing was sent. */
	DAVIT_ENOMEM = -2,       /**< Out of memory. */
	/** A file, socket, name look-up or connection failed; davit_err::sys may say why. */
	DAVIT_EIO = -3,
	DAVIT_ETIMEOUT = -4,     /**< A time limit passed, or a transfer stalled. */
	DAVIT_ECANCELLED = -5,   /**< The cancel token was fired. */
	DAVIT_ETRUST = -6,       /**< TLS: the peer's certificate is not trusted, or ours was refused. */
	DAVIT_EDENIED = -7,      /**< Not authenticated or not allowed (HTTP 401, 403). */
	DAVIT_ENOTFOUND = -8,    /**< The remote thing does not exist (HTTP 404, 410). */
	DAVIT_ECONFLICT = -9,    /**< The remote state forbids it now (HTTP 409, 412). */
	DAVIT_ENOTMODIFIED = -10,/**< Nothing changed since the given version (HTTP 304). */
	DAVIT_EREMOTE = -11,     /**< The server failed or refused for another reason (other HTTP errors). */
	DAVIT_EPROTO = -12,      /**< The peer sent something that its protocol forbids. */
	DAVIT_ELIMIT = -13,      /**< An input is larger, deeper or longer than davit's limit for it. */
	DAVIT_EINTEGRITY = -14,  /**< Content does not match its digest, size or signature. */
	DAVIT_EUNSUPPORTED = -15,/**< Valid, but this davit or this server cannot do it. */
	/** The handle cannot do that now: re-entered, closed, or used after fork. */
	DAVIT_ESTATE = -16,
	/** A callback of the caller ended the call; its value is in davit_err::callback. */
	DAVIT_ECALLBACK = -17,
	DAVIT_EEXISTS = -18,     /**< It exists already and was not overwritten. */
};

/** Size of davit_err::msg, the terminating NUL included. */
#define DAVIT_ERR_MSG_MAX 1024
/** Size of davit_err::remote, the terminating NUL included. */
#define DAVIT_ERR_REMOTE_MAX 64

/** Details of a failure, filled by the function that returned a negative code; zero-initialise it once. */
typedef struct davit_err {
	int code;     /**< The same value that the function returned. */
	int http;     /**< HTTP status of the answer that caused it, or 0. */
	int sys;      /**< errno of the failed system call, or 0. */
	int callback; /**< With #DAVIT_ECALLBACK: the value that the callback returned. */
	/** The server's own error code, for example `MANIFEST_UNKNOWN`, or "". */
	char remote[DAVIT_ERR_REMOTE_MAX];
	/**
	 * One sentence without a final dot: where, what and why. Control characters of remote text are
	 * escaped (`\x1b`); a message that was too long ends in `...`.
	 */
	char msg[DAVIT_ERR_MSG_MAX];
} davit_err;

/**
 * The name of a code without its prefix, for example `NOTFOUND`; `UNKNOWN` for any other number. Never NULL.
 */
DAVIT_API const char *davit_code_name(int code);

/** A short English description of a code, for example `not found`. Never NULL. */
DAVIT_API const char *davit_code_text(int code);

#ifdef __cplusplus
}
#endif
#endif

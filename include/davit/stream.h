/**
 * @file
 * Moving bytes: sources, sinks, two-way streams, cancelling and progress.
 *
 * Callbacks return 0 to go on or a negative value to end the call, which then fails with
 * #DAVIT_ECALLBACK and carries that value in davit_err::callback. A callback must not use the handle
 * whose call runs it: that is refused with #DAVIT_ESTATE.
 */
#ifndef DAVIT_STREAM_H
#define DAVIT_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include <davit/err.h>
#include <davit/visibility.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Where a call reads from. */
typedef struct davit_source {
	/** Reads up to @p cap bytes into @p buf and sets @p got; 0 bytes mean the end. */
	int (*read)(void *user, void *buf, size_t cap, size_t *got);
	/** Goes back to the first byte; NULL if the source can be read only once. */
	int (*rewind)(void *user);
	void *user;   /**< Passed to the callbacks. */
	int64_t size; /**< Number of bytes that it will give, or -1 if not known. */
} davit_source;

/** Where a call writes to. */
typedef struct davit_sink {
	int (*write)(void *user, const void *p, size_t n); /**< Takes all @p n bytes, at least 1. */
	void *user;                                        /**< Passed to the callback. */
} davit_sink;

/** A two-way connection to a process, a terminal or an upgraded HTTP connection. */
typedef struct davit_stream davit_stream;

/** Events for davit_stream_poll(). */
enum davit_stream_event {
	DAVIT_STREAM_READ = 1,  /**< davit_stream_read() would not wait. */
	DAVIT_STREAM_WRITE = 2, /**< davit_stream_write() would not wait. */
};

/**
 * Reads what is there, waiting for the first byte.
 * @param got  number of bytes read; 0 at the end of the peer's data
 * @return 0, #DAVIT_EIO, #DAVIT_ETIMEOUT, #DAVIT_ECANCELLED or #DAVIT_ESTATE
 */
DAVIT_API int davit_stream_read(davit_stream *s, void *buf, size_t cap, size_t *got, davit_err *e);

/** Writes all @p n bytes. Errors as for davit_stream_read(). */
DAVIT_API int davit_stream_write(davit_stream *s, const void *p, size_t n, davit_err *e);

/** Tells the peer that no more bytes follow; reading goes on. A second call does nothing. */
DAVIT_API int davit_stream_close_write(davit_stream *s, davit_err *e);

/**
 * Waits for one of @p events. Bytes that TLS or framing hold already count as readable.
 * @param timeout_ms  milliseconds, or -1 for no limit
 * @param ready       gets the events that came; 0 after the time limit
 */
DAVIT_API int davit_stream_poll(davit_stream *s, int events, int timeout_ms, int *ready, davit_err *e);

/**
 * Moves bytes both ways until the peer ends: @p in is read and sent, its end closes our direction;
 * what the peer sends goes to @p out. Reading @p in may block, so give a source whose descriptor is
 * ready or use davit_stream_poll() yourself for a terminal.
 * @param in   what to send, or NULL to send nothing and leave our direction open
 * @param out  where received bytes go, or NULL to drop them
 */
DAVIT_API int davit_stream_pump(davit_stream *s, const davit_source *in, const davit_sink *out, davit_err *e);

/** Tells the terminal at the other end its new size; #DAVIT_EUNSUPPORTED if it has none. */
DAVIT_API int davit_stream_resize(davit_stream *s, unsigned rows, unsigned cols, davit_err *e);

/** Closes and frees. NULL is ignored. */
DAVIT_API void davit_stream_free(davit_stream *s);

/**
 * A token that ends a running call. It is sticky: once fired, every call that has it fails with
 * #DAVIT_ECANCELLED. It may be shared by many handles and threads.
 */
typedef struct davit_cancel_token davit_cancel_token;

/** Makes a token with one reference. @return 0, #DAVIT_ENOMEM or #DAVIT_EIO */
DAVIT_API int davit_cancel_new(davit_cancel_token **out, davit_err *e);
/** Takes one more reference and returns the token. */
DAVIT_API davit_cancel_token *davit_cancel_ref(davit_cancel_token *t);
/** Gives a reference back; the last one frees. NULL is ignored. */
DAVIT_API void davit_cancel_unref(davit_cancel_token *t);
/** Fires the token. May be called from any thread and from a signal handler, any number of times. */
DAVIT_API void davit_cancel(davit_cancel_token *t);
/** Whether it was fired. NULL counts as not fired. */
DAVIT_API int davit_cancelled(const davit_cancel_token *t);

/** State of a transfer, given to a #davit_progress callback. */
typedef struct davit_progress_info {
	const char *what; /**< What moves, for example a digest; never NULL. */
	uint64_t done;    /**< Bytes so far. */
	int64_t total;    /**< Bytes in all, or -1 if not known. */
} davit_progress_info;

/** Told at the start, at most every 50 ms, and at the end of each transfer. */
typedef struct davit_progress {
	/** 0 to go on, negative to end the call. */
	int (*update)(void *user, const davit_progress_info *info);
	void *user;                                                /**< Passed to the callback. */
} davit_progress;

#ifdef __cplusplus
}
#endif
#endif

/**
 * @file
 * Types that all services share: optional scalars, string lists, maps, times, raw JSON, replies.
 *
 * Absent, null, empty and zero are four different things. A NULL string or a list with `v == NULL`
 * is absent; a list with `n == 0` and `v != NULL` is empty; an optional scalar is absent while its
 * `set` is false.
 */
#ifndef DAVIT_TYPES_H
#define DAVIT_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <davit/visibility.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A switch that may be left to the default. */
typedef enum davit_tri {
	DAVIT_UNSET = 0, /**< Not given: the default applies. */
	DAVIT_NO = 1,    /**< Off. */
	DAVIT_YES = 2,   /**< On. */
} davit_tri;

/** An optional signed number. */
typedef struct davit_opt_int {
	int64_t value; /**< The number, if set. */
	bool set;      /**< Whether it is there. */
} davit_opt_int;

/** An optional unsigned number. */
typedef struct davit_opt_uint {
	uint64_t value; /**< The number, if set. */
	bool set;       /**< Whether it is there. */
} davit_opt_uint;

/** An optional floating point number. */
typedef struct davit_opt_double {
	double value; /**< The number, if set. */
	bool set;     /**< Whether it is there. */
} davit_opt_double;

/** A point in time, as RFC 3339 text carries it. */
typedef struct davit_time {
	int64_t sec;    /**< Seconds since 1970-01-01T00:00:00Z; negative before it. */
	uint32_t nsec;  /**< 0 to 999,999,999. */
	int16_t offset; /**< Minutes east of UTC in which it was written. */
	bool set;       /**< Whether it is there. */
} davit_time;

/** A list of strings; `v == NULL` means absent, `n == 0` with a `v` means empty. */
typedef struct davit_strv {
	const char *const *v; /**< The strings, none of them NULL. */
	size_t n;             /**< How many. */
} davit_strv;

/** One entry of a #davit_map. */
typedef struct davit_pair {
	const char *key;   /**< Never NULL. */
	const char *value; /**< Never NULL. */
} davit_pair;

/** A map of strings in the order in which it was received or is to be sent. */
typedef struct davit_map {
	const davit_pair *v; /**< The entries. */
	size_t n;            /**< How many. */
} davit_map;

/** A JSON text that davit passes on without looking into it; NULL means absent. */
typedef struct davit_raw {
	const char *json; /**< NUL-terminated JSON text. */
	size_t n;         /**< Its length without the NUL. */
} davit_raw;

/** A string that is wiped after use and never traced; NULL means absent. */
typedef struct davit_secret {
	const char *s; /**< The secret in clear. */
} davit_secret;

/**
 * Makes a pointer to an option struct on the caller's stack: `DAVIT_OPTS(davit_x_opts, .all = DAVIT_YES)`.
 * Fields that are left out mean "default". The first field, `size`, tells the library which version of
 * the struct the caller was compiled with; an option struct whose size is 0 is refused with #DAVIT_EARG.
 */
#define DAVIT_OPTS(type, ...) (&(type){.size = sizeof(type), __VA_ARGS__})

/**
 * Frees a reply: any object that a call gave out through a `davit_… **` argument, unless it is of a type that
 * has a `_free` function of its own (handles, streams, credentials, documents). All that it points to goes
 * with it. NULL is ignored.
 */
DAVIT_API void davit_reply_free(const void *reply);

/**
 * The body of the answer as received, byte for byte (use these bytes for digests and signatures).
 * @param reply  a reply; its body belongs to it
 * @param n      gets the number of bytes; may be NULL
 * @return the bytes, NUL-terminated, never NULL; empty for an answer without a body
 */
DAVIT_API const char *davit_reply_raw(const void *reply, size_t *n);

/** The HTTP status of the answer. */
DAVIT_API int davit_reply_status(const void *reply);

/**
 * The value of a header of the answer, or NULL if there is none. Names are compared without case;
 * of several headers with that name the first is given. It belongs to the reply.
 */
DAVIT_API const char *davit_reply_header(const void *reply, const char *name);

#ifdef __cplusplus
}
#endif
#endif

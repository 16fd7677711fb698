/**
 * @file
 * A read-only view of any JSON document, so that a program that shows replies needs no JSON parser.
 */
#ifndef DAVIT_VALUE_H
#define DAVIT_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <davit/err.h>
#include <davit/stream.h>
#include <davit/visibility.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A JSON value; it belongs to the reply or document from which it was got. */
typedef struct davit_value davit_value;

/** What a value is. */
typedef enum davit_value_type {
	DAVIT_VALUE_NULL,   /**< null, and also a NULL pointer. */
	DAVIT_VALUE_BOOL,   /**< true or false. */
	DAVIT_VALUE_INT,    /**< A number without fraction that fits int64_t or uint64_t. */
	DAVIT_VALUE_DOUBLE, /**< Any other number. */
	DAVIT_VALUE_STRING, /**< A string. */
	DAVIT_VALUE_ARRAY,  /**< A list. */
	DAVIT_VALUE_OBJECT, /**< A map with ordered keys. */
} davit_value_type;

/**
 * Parses @p n bytes of JSON text (RFC 8259, UTF-8, at most 64 MiB and 64 levels deep).
 * @param out  gets a document; free it with davit_value_free()
 * @return 0, #DAVIT_EPROTO, #DAVIT_ELIMIT or #DAVIT_ENOMEM
 */
DAVIT_API int davit_value_parse(const char *text, size_t n, davit_value **out, davit_err *e);

/** Frees a document from davit_value_parse(); never call it for a value inside a reply. NULL is ignored. */
DAVIT_API void davit_value_free(davit_value *v);

/**
 * A reply as a JSON value: the received document, or, for a call whose answer is not JSON (HEAD, for
 * example), the reply's typed members under their wire names. It belongs to the reply.
 * @return the value, or NULL when memory ran out
 */
DAVIT_API const davit_value *davit_reply_value(const void *reply);

/** The type of @p v. */
DAVIT_API davit_value_type davit_value_get_type(const davit_value *v);
/** The member @p key of an object, or NULL if there is none or @p v is no object. */
DAVIT_API const davit_value *davit_value_member(const davit_value *v, const char *key);
/** The element @p i of an array, or the member at position @p i of an object; NULL if out of range. */
DAVIT_API const davit_value *davit_value_at(const davit_value *v, size_t i);
/** The key at position @p i of an object, or NULL. */
DAVIT_API const char *davit_value_key(const davit_value *v, size_t i);
/** Number of elements, members, or bytes of a string; 0 for other types. */
DAVIT_API size_t davit_value_len(const davit_value *v);
/** The string, NUL-terminated (see davit_value_len() for embedded NUL bytes), or NULL if it is none. */
DAVIT_API const char *davit_value_string(const davit_value *v);
/** The boolean; false for other types. */
DAVIT_API bool davit_value_bool(const davit_value *v);
/** The number as int64_t; values above INT64_MAX and other types give @p fallback. */
DAVIT_API int64_t davit_value_int(const davit_value *v, int64_t fallback);
/** The number as uint64_t; negative numbers and other types give @p fallback. */
DAVIT_API uint64_t davit_value_uint(const davit_value *v, uint64_t fallback);
/** The number as double; other types give 0. */
DAVIT_API double davit_value_double(const davit_value *v);

/** How davit_value_write() lays out its text. */
enum davit_value_style {
	DAVIT_VALUE_COMPACT = 0, /**< No white space: `{"a":1}`. */
	DAVIT_VALUE_PRETTY = 1,  /**< Two spaces per level, one member per line. */
	DAVIT_VALUE_SPACED = 2,  /**< `{"a": 1, "b": 2}`, non-ASCII characters escaped, keys sorted. */
};

/** Writes @p v as JSON text to @p out. @return 0, #DAVIT_ECALLBACK with what the sink returned,
 * #DAVIT_ENOMEM, or #DAVIT_ELIMIT if @p v is nested too deeply */
DAVIT_API int davit_value_write(const davit_value *v, enum davit_value_style style, const davit_sink *out,
				davit_err *e);

/** What is known about one remote call; see davit_endpoint_at(). */
typedef struct davit_endpoint_info {
	const char *name;   /**< For example `registry.manifest.get`. */
	const char *method; /**< HTTP method. */
	const char *path;   /**< Path template, for example `/v2/{name}/manifests/{reference}`. */
	const char *shape;  /**< `call`, `stream`, `upload` or `hijack`. */
} davit_endpoint_info;

/**
 * Walks over all remote calls that davit knows.
 * @param i    from 0 on
 * @param out  filled if there is such a call; its strings are constant
 * @return whether there was one
 */
DAVIT_API bool davit_endpoint_at(size_t i, davit_endpoint_info *out);

#ifdef __cplusplus
}
#endif
#endif

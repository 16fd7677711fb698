/*
 * Type rows: one row per wire field of a struct. A field's kind follows from the C type of the member through
 * _Generic, so a row that disagrees with the struct does not compile. The same rows decode answers, encode
 * requests, fill queries and headers, and serve the router of a server.
 *
 * Absent, null, empty and zero: decoding leaves an absent member as the caller zeroed it; null counts as
 * absent unless the row has .null = NULL_IS_ZERO (strings, lists and maps become empty, optional scalars are
 * set to 0; of a list's or map's values too) or NULL_IS_ERROR. In a list null is an error by default, in a
 * map the entry is absent. Encoding omits what is absent (NULL, unset, false, 0, an object with nothing set)
 * unless .emit says EMIT_ZERO (write the zero value: "", 0, false, [], {}) or EMIT_NULL (write null).
 *
 * .required: decoding fails if the member is missing. Encoding always writes numbers, booleans and objects
 * inside the struct; for other kinds, absent without an .emit is DAVIT_EARG.
 */
#ifndef DAVIT_WIRE_REFLECT_H
#define DAVIT_WIRE_REFLECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <davit/types.h>

#include "base/arena.h"
#include "base/buf.h"

/* Kinds of members, named after the C type. */
enum kind {
	K_STR = 1, /* const char * */
	K_SECRET,  /* davit_secret: as K_STR, never traced */
	K_BOOL,    /* bool */
	K_TRI,     /* davit_tri */
	K_I64,     /* int64_t */
	K_U64,     /* uint64_t */
	K_F64,     /* double */
	K_OPT_I64, /* davit_opt_int */
	K_OPT_U64, /* davit_opt_uint */
	K_OPT_F64, /* davit_opt_double */
	K_TIME,    /* davit_time, RFC 3339 text */
	K_RAW,     /* davit_raw: any JSON, passed through */
	K_STRV,    /* davit_strv */
	K_MAP,     /* davit_map: object of strings */
	K_ENUM,    /* int, with a name table; unknown names decode to the table's fallback */
	K_OBJ,     /* struct inside the struct */
	K_PTR,     /* const struct *: NULL is absent */
	K_VEC,     /* struct { const T *const *v; size_t n; }: array of objects */
	K_CUSTOM,  /* anything, through two functions: unions such as string-or-list */
};

/* Where a field of a request travels. */
enum where { IN_BODY = 0, IN_QUERY, IN_HEADER };

enum emit { EMIT_OMIT = 0, EMIT_ZERO, EMIT_NULL };
enum null_rule { NULL_IS_ABSENT = 0, NULL_IS_ZERO, NULL_IS_ERROR };

/* How a boolean is spelt in a query or header. */
enum spell { SPELL_1_0 = 0, SPELL_TRUE_FALSE, SPELL_PY /* True, False */ };

struct type;
struct jnode; /* a JSON value; wire/json.h */

/* Names of an enum; ends with .name == NULL, whose value is the fallback for unknown names. */
struct enum_name {
	const char *name;
	int value;
};

/*
 * A kind of its own. Both get the member's address. decode: 0 or a code with a message that begins ": " or
 * with a path; j is NULL for null, which comes only with NULL_IS_ZERO. codec_decode_as() and davit_value_...
 * help.
 */
struct custom {
	const char *name;
	int (*decode)(const struct jnode *j, void *member, struct arena *a, davit_err *e);
	/* *out is NULL to omit the member. */
	int (*encode)(const void *member, struct jnode **out, davit_err *e);
};

struct field {
	const char *wire; /* member name in JSON, parameter name, or header name */
	union {
		const struct type *type;      /* K_OBJ, K_PTR, K_VEC */
		const struct enum_name *names;/* K_ENUM */
		const struct custom *custom;  /* K_CUSTOM */
	} sub;
	uint16_t off;   /* of the member */
	uint8_t kind;   /* enum kind */
	uint8_t where;  /* enum where */
	uint8_t emit;   /* enum emit */
	uint8_t null;   /* enum null_rule */
	uint8_t spell;  /* enum spell */
	bool required;  /* decoding: must be there; encoding: must be given (see above) */
	bool json;      /* in a query or header: the value is JSON text */
	/* API version (major * 100 + minor) that has this field; 0: any. Requests only. */
	uint16_t since, until;
};

struct type {
	const char *name;
	size_t size;
	const struct field *fields; /* ends with .wire == NULL */
};

#define KIND_OF(x)                                                                                 \
	_Generic((x), const char *: K_STR, davit_secret: K_SECRET, bool: K_BOOL, davit_tri: K_TRI, \
		 int64_t: K_I64, uint64_t: K_U64, double: K_F64, davit_opt_int: K_OPT_I64,         \
		 davit_opt_uint: K_OPT_U64, davit_opt_double: K_OPT_F64, davit_time: K_TIME,       \
		 davit_raw: K_RAW, davit_strv: K_STRV, davit_map: K_MAP)

/* Compiles only if expression x has exactly type T; its value is 0. */
#define SAME_TYPE_(x, T) (0 * _Generic((x), T: 1))

#define F_(T, m, w, k, ...) { .wire = (w), .off = (uint16_t)offsetof(T, m), .kind = (k), __VA_ARGS__ }
/* A scalar, string, list of strings or map. */
#define F(T, m, w, ...) F_(T, m, w, KIND_OF(((T *)0)->m), __VA_ARGS__)
/* An int with a name table. */
#define F_ENUM(T, m, w, table, ...) \
	F_(T, m, w, (uint8_t)(K_ENUM + SAME_TYPE_(((T *)0)->m, int)), .sub.names = (table), __VA_ARGS__)
/* A struct of C type S inside the struct, described by type row t. */
#define F_OBJ(T, m, w, S, t, ...) \
	F_(T, m, w, (uint8_t)(K_OBJ + SAME_TYPE_(((T *)0)->m, S)), .sub.type = (t), __VA_ARGS__)
/* A const S * member. */
#define F_PTR(T, m, w, S, t, ...) \
	F_(T, m, w, (uint8_t)(K_PTR + SAME_TYPE_(((T *)0)->m, const S *)), .sub.type = (t), __VA_ARGS__)
/* A struct { const S *const *v; size_t n; } member. */
#define F_VEC(T, m, w, S, t, ...)                                                                            \
	F_(T, m, w, (uint8_t)(K_VEC + SAME_TYPE_(((T *)0)->m.v, const S *const *)), .sub.type = (t),         \
	   __VA_ARGS__)
/* A member with functions of its own. */
#define F_CUSTOM(T, m, w, c, ...) F_(T, m, w, K_CUSTOM, .sub.custom = (c), __VA_ARGS__)

#define TYPE(T, ...)                                                                                \
	{                                                                                           \
		.name = #T, .size = sizeof(T),                                                      \
		.fields = (const struct field[]){ __VA_ARGS__, { .wire = NULL } }                   \
	}

/* Layout of every { T *v; size_t n; } member. */
struct span {
	const void *v;
	size_t n;
};

#endif

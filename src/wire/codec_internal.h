/* What the files that know the JSON library share. Nobody else includes this. */
#ifndef DAVIT_WIRE_CODEC_INTERNAL_H
#define DAVIT_WIRE_CODEC_INTERNAL_H

#include <json-c/json.h>

#include "wire/json.h"

/*
 * struct jnode is the library's struct json_object; JSON null is a NULL pointer in both. The library's
 * getters take pointers to non-const although they do not change the value.
 */
static inline struct json_object *js_of(const struct jnode *j)
{
	union {
		const struct jnode *node;
		struct json_object *js;
	} u = { .node = j };

	return u.js;
}

static inline struct jnode *node_of(struct json_object *js)
{
	return (struct jnode *)js;
}

/*
 * The text from which a double was read, or NULL if it was made from a number. Text of digits alone is an
 * integer that fits neither int64_t nor uint64_t.
 */
static inline const char *js_number_text(struct json_object *js)
{
	return json_object_get_userdata(js);
}

/* strtod() of the C locale, whatever the program's is. */
double c_strtod(const char *s);

#endif

#include "wire/json.h"

#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "wire/codec_internal.h"

int json_from_text(const char *s, struct jnode **out, davit_err *e)
{
	struct json_object *js = json_object_new_string(s);

	if (!js)
		return err_nomem(e);
	*out = node_of(js);
	return 0;
}

struct jnode *json_ref(struct jnode *j)
{
	return node_of(json_object_get(js_of(j)));
}

void json_unref(struct jnode *j)
{
	json_object_put(js_of(j));
}

/* The library keeps a string of any length in memory that it owns and does not share. */
static void wipe(struct json_object *js)
{
	union {
		const char *text;
		void *bytes;
	} s;

	switch (json_object_get_type(js)) {
	case json_type_string:
		s.text = json_object_get_string(js);
		mem_wipe(s.bytes, (size_t)json_object_get_string_len(js));
		break;
	case json_type_array:
		for (size_t i = 0; i < json_object_array_length(js); i++)
			wipe(json_object_array_get_idx(js, i));
		break;
	case json_type_object: {
		json_object_object_foreach(js, key, member) {
			(void)key;
			wipe(member);
		}
		break;
	}
	case json_type_null:
	case json_type_boolean:
	case json_type_int:
	case json_type_double:
		break;
	}
}

void json_unref_secret(struct jnode *j)
{
	wipe(js_of(j));
	json_unref(j);
}

const davit_value *json_value(const struct jnode *j)
{
	return (const davit_value *)j;
}

const struct jnode *json_member(const struct jnode *j, const char *key)
{
	struct json_object *js = js_of(j), *v = NULL;

	if (!json_object_is_type(js, json_type_object) || !json_object_object_get_ex(js, key, &v))
		return NULL;
	return node_of(v);
}

static struct json_object *js_of_value(const davit_value *v)
{
	return js_of((const struct jnode *)v);
}

static const davit_value *value_of(struct json_object *js)
{
	return json_value(node_of(js));
}

int davit_value_parse(const char *text, size_t n, davit_value **out, davit_err *e)
{
	struct jnode *j = NULL;
	int r = json_parse(text, n, &j, e);

	if (!r)
		*out = (davit_value *)j;
	return r;
}

void davit_value_free(davit_value *v)
{
	json_unref((struct jnode *)v);
}

davit_value_type davit_value_get_type(const davit_value *v)
{
	struct json_object *js = js_of_value(v);

	switch (json_object_get_type(js)) {
	case json_type_boolean:
		return DAVIT_VALUE_BOOL;
	case json_type_int:
		return DAVIT_VALUE_INT;
	case json_type_double:
		return DAVIT_VALUE_DOUBLE;
	case json_type_string:
		return DAVIT_VALUE_STRING;
	case json_type_array:
		return DAVIT_VALUE_ARRAY;
	case json_type_object:
		return DAVIT_VALUE_OBJECT;
	case json_type_null:
		break;
	}
	return DAVIT_VALUE_NULL;
}

const davit_value *davit_value_member(const davit_value *v, const char *key)
{
	return json_value(json_member((const struct jnode *)v, key));
}

/* The i-th member of an object, or NULL. */
static struct lh_entry *entry_at(const davit_value *v, size_t i)
{
	struct json_object *js = js_of_value(v);
	struct lh_entry *m = NULL;

	if (json_object_is_type(js, json_type_object))
		m = lh_table_head(json_object_get_object(js));
	while (m && i--)
		m = lh_entry_next(m);
	return m;
}

const davit_value *davit_value_at(const davit_value *v, size_t i)
{
	struct json_object *js = js_of_value(v);
	struct lh_entry *m;

	if (json_object_is_type(js, json_type_array))
		return value_of(json_object_array_get_idx(js, i));
	m = entry_at(v, i);
	return m ? value_of(lh_entry_v(m)) : NULL;
}

const char *davit_value_key(const davit_value *v, size_t i)
{
	struct lh_entry *m = entry_at(v, i);

	return m ? lh_entry_k(m) : NULL;
}

size_t davit_value_len(const davit_value *v)
{
	struct json_object *js = js_of_value(v);

	if (json_object_is_type(js, json_type_array))
		return json_object_array_length(js);
	if (json_object_is_type(js, json_type_object))
		return (size_t)json_object_object_length(js);
	if (json_object_is_type(js, json_type_string))
		return (size_t)json_object_get_string_len(js);
	return 0;
}

const char *davit_value_string(const davit_value *v)
{
	struct json_object *js = js_of_value(v);

	return json_object_is_type(js, json_type_string) ? json_object_get_string(js) : NULL;
}

bool davit_value_bool(const davit_value *v)
{
	struct json_object *js = js_of_value(v);

	return json_object_is_type(js, json_type_boolean) && json_object_get_boolean(js);
}

/* The library's getters clamp; asked both ways, a number in range is the same. */
int64_t davit_value_int(const davit_value *v, int64_t fallback)
{
	struct json_object *js = js_of_value(v);

	if (!json_object_is_type(js, json_type_int))
		return fallback;
	if (json_object_get_int64(js) >= 0 && json_object_get_uint64(js) > INT64_MAX)
		return fallback;
	return json_object_get_int64(js);
}

uint64_t davit_value_uint(const davit_value *v, uint64_t fallback)
{
	struct json_object *js = js_of_value(v);

	if (!json_object_is_type(js, json_type_int) || json_object_get_int64(js) < 0)
		return fallback;
	return json_object_get_uint64(js);
}

double davit_value_double(const davit_value *v)
{
	struct json_object *js = js_of_value(v);

	if (json_object_is_type(js, json_type_int) && json_object_get_int64(js) >= 0)
		return (double)json_object_get_uint64(js);
	if (json_object_is_type(js, json_type_int) || json_object_is_type(js, json_type_double))
		return json_object_get_double(js);
	return 0;
}

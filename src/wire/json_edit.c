#include "wire/json_edit.h"

#include <json-c/json.h>

static struct json_object *inner(struct jnode *j)
{
	return (struct json_object *)j;
}

struct jnode *json_make_object(void)
{
	return (struct jnode *)json_object_new_object();
}

struct jnode *json_edit_member(struct jnode *object, const char *key)
{
	struct json_object *m = NULL;
	struct jnode *made;

	if (json_object_object_get_ex(inner(object), key, &m) && json_object_is_type(m, json_type_object))
		return (struct jnode *)m;
	made = json_make_object();
	return made && json_set(object, key, made) ? made : NULL;
}

bool json_set(struct jnode *object, const char *key, struct jnode *value)
{
	if (!value || json_object_object_add(inner(object), key, inner(value))) {
		json_object_put(inner(value));
		return false;
	}
	return true;
}

bool json_set_string(struct jnode *object, const char *key, const char *value)
{
	return json_set(object, key, (struct jnode *)json_object_new_string(value));
}

void json_unset(struct jnode *object, const char *key)
{
	json_object_object_del(inner(object), key);
}

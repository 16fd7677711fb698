/* Building and changing JSON documents whose keys are not known beforehand, such as docker's config.json. */
#ifndef DAVIT_WIRE_JSON_EDIT_H
#define DAVIT_WIRE_JSON_EDIT_H

#include <stdbool.h>

#include "wire/json.h"

/* An empty object, or NULL when memory ran out. */
struct jnode *json_make_object(void);

/*
 * The member of an object as something that can be changed, made as an empty object if it is none; borrowed.
 */
struct jnode *json_edit_member(struct jnode *object, const char *key);

/* Sets a member. Takes value in any case; false when memory ran out. */
bool json_set(struct jnode *object, const char *key, struct jnode *value);
bool json_set_string(struct jnode *object, const char *key, const char *value);

/* Removes a member if it is there. */
void json_unset(struct jnode *object, const char *key);

#endif

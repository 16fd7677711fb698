/* JSON documents. wire/json.c and wire/codec.c are the only files that know the JSON library. */
#ifndef DAVIT_WIRE_JSON_H
#define DAVIT_WIRE_JSON_H

#include <davit/value.h>

#include "base/buf.h"
#include "wire/reflect.h"

/*
 * Parses exactly one JSON text of n bytes: strict RFC 8259, valid UTF-8, no duplicate keys kept silently
 * (the last wins), depth up to LIMIT_JSON_DEPTH. DAVIT_EPROTO names the byte offset.
 */
int json_parse(const char *p, size_t n, struct jnode **out, davit_err *e);
/* Takes one more reference / gives one back. NULL is ignored. */
struct jnode *json_ref(struct jnode *j);
void json_unref(struct jnode *j);
/* A public view of the same node, borrowed. */
const davit_value *json_value(const struct jnode *j);
/* The member of an object, borrowed, or NULL. */
const struct jnode *json_member(const struct jnode *j, const char *key);
/* Compact text. */
int json_write(const struct jnode *j, struct buf *out, davit_err *e);

/*
 * Fills *out (zeroed by the caller, t->size bytes) from an object. Unknown members are ignored. Numbers out
 * of range, strings with embedded NUL and wrong types are DAVIT_EPROTO with the place in the message:
 * ".Ports[0].PrivatePort: expected int, got string". *out is untouched on failure apart from memory in a.
 */
int codec_decode(const struct type *t, const struct jnode *j, void *out, struct arena *a, davit_err *e);

/* As codec_decode() for an array of objects into a { const T *const *v; size_t n; }. */
int codec_decode_vec(const struct type *t, const struct jnode *j, struct span *out, struct arena *a, davit_err *e);

/* The body fields (where == IN_BODY) of *in as an object. version 0 passes every gate. */
int codec_encode(const struct type *t, const void *in, unsigned version, struct jnode **out, davit_err *e);

/* As codec_encode(), over a copy of a received object: members that t does not know survive. */
int codec_encode_over(const struct type *t, const void *in, const struct jnode *base, struct jnode **out,
		      davit_err *e);

#endif

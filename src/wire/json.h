/* JSON documents. wire/json*.c and wire/codec_*.c are the only files that know the JSON library. JSON null is
 * NULL. */
#ifndef DAVIT_WIRE_JSON_H
#define DAVIT_WIRE_JSON_H

#include <davit/value.h>

#include "base/buf.h"
#include "wire/reflect.h"

/*
 * Parses exactly one JSON text of n bytes: strict RFC 8259, valid UTF-8. Of several members with one name the
 * last counts; a lone surrogate becomes U+FFFD; an integer that fits neither int64_t nor uint64_t is kept as
 * a double with its text. DAVIT_EPROTO names the byte offset, DAVIT_ELIMIT is for more than LIMIT_REPLY
 * bytes, LIMIT_JSON_DEPTH levels or LIMIT_JSON_NODES values. null gives *out = NULL.
 */
int json_parse(const char *p, size_t n, struct jnode **out, davit_err *e);
/* A JSON string. */
int json_from_text(const char *s, struct jnode **out, davit_err *e);
/* Takes one more reference / gives one back. NULL is ignored. */
struct jnode *json_ref(struct jnode *j);
void json_unref(struct jnode *j);
/* As json_unref() for the only reference to a document with secrets: every string is wiped first. */
void json_unref_secret(struct jnode *j);
/* A public view of the same node, borrowed. */
const davit_value *json_value(const struct jnode *j);
/* The member of an object, borrowed, or NULL. */
const struct jnode *json_member(const struct jnode *j, const char *key);
/* Appends compact text; numbers keep the text that they were received in. On failure out may hold a part. */
int json_write(const struct jnode *j, struct buf *out, davit_err *e);

/*
 * Fills *out (zeroed by the caller, t->size bytes) from an object's members for the body fields of t. Unknown
 * members are ignored. Numbers out of range, strings with embedded NUL and wrong types are DAVIT_EPROTO with
 * the place in the message: ".Ports[0].PrivatePort: expected int, got string". An int takes only numbers
 * written as integers, as Go's decoder does: 1.0 and 1e3 are doubles. A double takes any number. A time of ""
 * is absent. *out is untouched on failure apart from memory in a.
 */
int codec_decode(const struct type *t, const struct jnode *j, void *out, struct arena *a, davit_err *e);

/* As codec_decode() for an array of objects into a { const T *const *v; size_t n; }. */
int codec_decode_vec(const struct type *t, const struct jnode *j, struct span *out, struct arena *a,
		     davit_err *e);

/* One value as the row f describes it (f->kind, f->sub, f->null), for custom decoders and query parameters.
 */
int codec_decode_as(const struct field *f, const struct jnode *j, void *member, struct arena *a,
		    davit_err *e);

/*
 * The body fields (where == IN_BODY) of *in as an object. version 0 passes every gate; a field that is set
 * and that version does not have is DAVIT_EUNSUPPORTED. Text that is no UTF-8, lists that hold NULL, a value
 * that an enum does not name and a required member that is absent are DAVIT_EARG. Each message has the place.
 */
int codec_encode(const struct type *t, const void *in, unsigned version, struct jnode **out, davit_err *e);

/* One member as the row f describes it; *out is NULL if it is absent and f->emit omits it. */
int codec_encode_as(const struct field *f, const void *member, unsigned version, struct jnode **out,
		    davit_err *e);

/*
 * As codec_encode(), over a copy of a received object: members that t does not know survive, also in objects
 * inside of it. A member that is absent in *in is removed, a plain number or boolean that is zero is written
 * as zero where base has it. Lists and maps are replaced as a whole; an element of a list of objects that did
 * not change keeps its unknown members.
 */
int codec_encode_over(const struct type *t, const void *in, const struct jnode *base, struct jnode **out,
		      davit_err *e);

#endif

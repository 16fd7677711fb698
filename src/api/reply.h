/*
 * The inside of replies. A reply is the typed object that the caller sees with this hidden head before it, so
 * that one davit_reply_free() serves all types.
 */
#ifndef DAVIT_API_REPLY_H
#define DAVIT_API_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "wire/headers.h"
#include "wire/json.h"
#include "wire/reflect.h"

struct reply {
	const struct type *type;  /* rows of the object, or of an element if array; NULL: none */
	bool array;               /* the object is a struct span of pointers to elements */
	int status;
	struct arena mem;         /* what the object points to */
	struct buf raw;           /* the received body */
	struct headers headers;
	struct jnode *doc;        /* made on demand by davit_reply_value() */
	max_align_t object[];
};

/* A reply for one type row or an array of it; free with davit_reply_free(r->object). NULL: out of memory. */
struct reply *reply_make(const struct type *t, bool array);
/* From the object to its head. */
struct reply *reply_of(const void *object);

#endif

#include "api/reply.h"

#include <stdlib.h>

#include <davit/types.h>
#include <davit/value.h>

#include "api/api.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/mem.h"

struct reply *reply_make(const struct type *t, bool array)
{
	size_t size = array ? sizeof(struct span) : t ? t->size : 0;
	struct reply *r = calloc(1, sizeof *r + size);

	if (!r)
		return NULL;
	r->type = t;
	r->array = array;
	r->raw = (struct buf)BUF_INIT_SECRET(LIMIT_REPLY);
	return r;
}

struct reply *reply_of(const void *object)
{
	/* The head is ours and writable even when the caller holds the object as const. */
	return (void *)((char *)mem_unconst(object) - offsetof(struct reply, object));
}

void *reply_new(const struct type *t, davit_err *e)
{
	struct reply *r = reply_make(t, false);

	if (!r) {
		err_nomem(e);
		return NULL;
	}
	return r->object;
}

struct arena *reply_arena(void *reply)
{
	return &reply_of(reply)->mem;
}

int reply_set_raw(void *reply, const char *p, size_t n, davit_err *e)
{
	struct reply *r = reply_of(reply);
	struct buf raw = BUF_INIT_SECRET(LIMIT_REPLY);
	int code;

	buf_add(&raw, p, n);
	code = buf_check(&raw, "the reply", e);
	if (code) {
		buf_fini(&raw);
		return code;
	}
	buf_fini(&r->raw);
	r->raw = raw;
	json_unref_secret(r->doc);
	r->doc = NULL;
	return 0;
}

void davit_reply_free(const void *reply)
{
	struct reply *r;

	if (!reply)
		return;
	r = reply_of(reply);
	json_unref_secret(r->doc);
	headers_fini(&r->headers);
	buf_fini(&r->raw);
	arena_fini(&r->mem);
	free(r);
}

const char *davit_reply_raw(const void *reply, size_t *n)
{
	const struct reply *r = reply_of(reply);

	if (n)
		*n = r->raw.len;
	return buf_str(&r->raw);
}

int davit_reply_status(const void *reply)
{
	return reply_of(reply)->status;
}

const char *davit_reply_header(const void *reply, const char *name)
{
	return headers_get(&reply_of(reply)->headers, name);
}

static size_t count_fields(const struct type *t)
{
	size_t n = 0;

	while (t->fields[n].wire)
		n++;
	return n;
}

static const struct type nothing = { .name = "reply", .fields = (const struct field[]){ { .wire = NULL } } };

/* The object's members as a document; those that came in headers stand beside the others. */
static struct jnode *encode_members(const struct reply *r)
{
	const struct type *from = r->type && !r->array ? r->type : &nothing;
	size_t n = count_fields(from);
	AUTO_FREE struct field *fields = calloc(n + 1, sizeof *fields);
	struct type shown = { .name = from->name, .size = from->size, .fields = fields };
	struct jnode *doc = NULL;

	if (!fields)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		fields[i] = from->fields[i];
		fields[i].where = IN_BODY;
	}
	return codec_encode(&shown, r->object, 0, &doc, NULL) ? NULL : doc;
}

const davit_value *davit_reply_value(const void *reply)
{
	struct reply *r;

	if (!reply)
		return NULL;
	r = reply_of(reply);
	if (!r->doc && r->raw.len && json_parse(r->raw.p, r->raw.len, &r->doc, NULL) == DAVIT_ENOMEM)
		return NULL;
	if (!r->doc)
		r->doc = encode_members(r);
	return json_value(r->doc);
}

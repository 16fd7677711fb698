#include "wire/ndjson.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"

/* White space between documents; 0x1e is the separator of application/json-seq. */
static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == 0x1e;
}

/* What a byte means for the extent of a document. */
enum extent { INSIDE, LAST, BEHIND };

static enum extent step_string(struct ndjson *s, char c)
{
	if (s->escape)
		s->escape = false;
	else if (c == '\\')
		s->escape = true;
	else if (c == '"')
		s->string = false;
	return s->string || s->depth ? INSIDE : LAST;
}

/* Looks only for where the document ends; whether it is JSON is the parser's business. */
static enum extent step(struct ndjson *s, char c)
{
	bool first = !s->open, opens = c == '{' || c == '[' || c == '"';

	s->open = true;
	if (s->string)
		return step_string(s, c);
	if (opens && (first || s->depth)) {
		s->string = c == '"';
		s->depth += c != '"';
		return INSIDE;
	}
	if ((c == '}' || c == ']') && s->depth)
		return --s->depth ? INSIDE : LAST;
	/* A number or literal outside of brackets ends where something else begins. */
	return !s->depth && !first && (opens || is_space(c)) ? BEHIND : INSIDE;
}

static void close_document(struct ndjson *s)
{
	s->open = s->string = s->escape = false;
	s->depth = 0;
}

/* Hands over the document that ends with these n bytes. */
static int deliver(struct ndjson *s, const char *p, size_t n, davit_err *e)
{
	struct jnode *j;
	int r;

	close_document(s);
	s->count++;
	if (s->part.len) {
		buf_add(&s->part, p, n);
		p = buf_str(&s->part);
		n = s->part.len;
	}
	r = buf_check(&s->part, "document of the stream", e);
	if (!r && n > s->part.max)
		r = err_set(e, DAVIT_ELIMIT, "document of the stream is longer than %zu bytes", s->part.max);
	if (!r)
		r = err_at(e, json_parse(p, n, &j, e), "document %llu of the stream: ", s->count);
	buf_clear(&s->part);
	if (r)
		return r;
	r = s->document(s->user, j, e);
	json_unref(j);
	return r;
}

int ndjson_feed(struct ndjson *s, const void *p, size_t n, davit_err *e)
{
	const char *text = p;
	size_t from = 0;

	for (size_t i = 0; i < n; i++) {
		enum extent extent;
		int r;

		if (!s->open && is_space(text[i])) {
			from = i + 1;
			continue;
		}
		extent = step(s, text[i]);
		if (extent == INSIDE)
			continue;
		if (extent == BEHIND)
			i--; /* looked at again, as the first of the next one */
		r = deliver(s, text + from, i + 1 - from, e);
		if (r)
			return r;
		from = i + 1;
	}
	if (!s->open)
		return 0;
	buf_add(&s->part, text + from, n - from);
	return buf_check(&s->part, "document of the stream", e);
}

int ndjson_end(struct ndjson *s, davit_err *e)
{
	if (!s->open)
		return 0;
	if (s->depth || s->string)
		return err_set(e, DAVIT_EPROTO, "stream ended inside of its document %llu", s->count + 1);
	return deliver(s, "", 0, e);
}

void ndjson_fini(struct ndjson *s)
{
	buf_fini(&s->part);
	close_document(s);
}

int ndjson_remote_error(const struct jnode *j, davit_err *e)
{
	const davit_value *error = davit_value_member(json_value(j), "error");
	const davit_value *detail = davit_value_member(json_value(j), "errorDetail");
	const char *text = davit_value_string(davit_value_member(detail, "message"));
	const davit_value *code = davit_value_member(detail, "code");
	int r;

	if (!text || !*text)
		text = davit_value_string(error);
	if ((!text || !*text) && davit_value_get_type(detail) != DAVIT_VALUE_OBJECT)
		return 0;
	r = err_set(e, DAVIT_EREMOTE, "%s",
		    text && *text ? text : "the server reported an error without a message");
	if (e && davit_value_get_type(code) == DAVIT_VALUE_INT)
		snprintf(e->remote, sizeof e->remote, "%lld", (long long)davit_value_int(code, 0));
	return r;
}

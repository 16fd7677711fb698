#include "api/errors.h"

#include <stdio.h>
#include <string.h>

#include "api/attempt.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"

/* Bytes of a server's text that go into a message. */
enum { TEXT_MAX = 300 };

static const struct error_row common[] = {
	{ 304, NULL, DAVIT_ENOTMODIFIED }, { 401, NULL, DAVIT_EDENIED },
	{ 403, NULL, DAVIT_EDENIED },      { 404, NULL, DAVIT_ENOTFOUND },
	{ 409, NULL, DAVIT_ECONFLICT },    { 410, NULL, DAVIT_ENOTFOUND },
	{ 412, NULL, DAVIT_ECONFLICT },    { 0 },
};

static int code_of(const struct error_row *rows, int status, const char *remote)
{
	for (; rows && rows->status; rows++) {
		if (rows->status == status && (!rows->remote || strcmp(rows->remote, remote) == 0))
			return rows->code;
	}
	return 0;
}

static int find_code(const struct service *s, int status, const char *remote)
{
	int code = code_of(s->errors, status, remote);

	if (!code)
		code = code_of(common, status, remote);
	if (code)
		return code;
	/* A success that the row does not know breaks the protocol; the rest is the server's trouble. */
	return status < 300 ? DAVIT_EPROTO : DAVIT_EREMOTE;
}

static void plain_message(const struct jnode *j, struct buf *message)
{
	const char *text = davit_value_string(davit_value_member(json_value(j), "message"));

	if (text)
		buf_puts(message, text);
}

/* The first line of a body that is plain text; nothing of HTML or of bytes that are no text. */
static void first_line(const struct buf *body, struct buf *message)
{
	const char *s = buf_str(body) + strspn(buf_str(body), " \t\r\n");
	size_t n = strcspn(s, "\r\n");

	if (*s == '<' || strlen(buf_str(body)) != body->len)
		return;
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)s[i] < 0x20 && s[i] != '\t')
			return;
	}
	buf_add(message, s, n);
}

/* Cuts between two characters of UTF-8. */
static void shorten(struct buf *message)
{
	size_t n = TEXT_MAX;

	if (message->bad || message->len <= TEXT_MAX)
		return;
	while (n && ((unsigned char)message->p[n] & 0xc0) == 0x80)
		n--;
	message->len = n;
	buf_puts(message, "...");
}

static void read_body(const struct service *s, const struct buf *body, char remote[DAVIT_ERR_REMOTE_MAX],
		      struct buf *message)
{
	struct jnode *j = NULL;

	if (!body->len)
		return;
	if (json_parse(body->p, body->len, &j, NULL)) {
		first_line(body, message);
	} else if (s->error_body) {
		s->error_body(j, remote, message);
	} else {
		plain_message(j, message);
	}
	json_unref(j);
	shorten(message);
}

/* A server that is overloaded says when it wants to be asked again. */
static void add_wait(const struct http_response *r, struct buf *message)
{
	const char *after = headers_get(&r->headers, "Retry-After");
	int64_t ms = after ? retry_after_ms(after, clock_real_s()) : -1;

	if (ms > 0)
		buf_printf(message, "; the server asks to wait %lld s", (long long)(ms / 1000));
}

int error_from_answer(const struct service *s, const struct http_response *r, const struct buf *body,
		      davit_err *e)
{
	struct buf message = BUF_INIT(LIMIT_ERROR_REPLY);
	char remote[DAVIT_ERR_REMOTE_MAX] = "";
	int code;

	read_body(s, body, remote, &message);
	if (!message.len)
		buf_puts(&message, r->reason[0] ? r->reason : "the server gave no reason");
	if (remote[0])
		buf_printf(&message, " (%s)", remote);
	if (r->status < 300)
		buf_puts(&message, ", which is not expected here");
	add_wait(r, &message);
	code = find_code(s, r->status, remote);
	err_set(e, code, "HTTP %d: %s", r->status, buf_str(&message));
	if (e) {
		e->http = r->status;
		memcpy(e->remote, remote, sizeof e->remote);
	}
	buf_fini(&message);
	return code;
}

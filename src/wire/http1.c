#include "wire/http1.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"

static bool is_visible(char c)
{
	return (unsigned char)c > ' ' && c != 0x7f;
}

/* "HTTP/1.x" of exactly 8 bytes. */
static int parse_version(struct http1_head *h, const char *p, size_t n, davit_err *e)
{
	if (n != 8 || memcmp(p, "HTTP/", 5) != 0 || p[6] != '.' || p[5] < '0' || p[5] > '9' || p[7] < '0' ||
	    p[7] > '9')
		return err_set(e, DAVIT_EPROTO, "first line is no HTTP: \"%.*s\"", (int)(n < 40 ? n : 40), p);
	if (p[5] != '1' || p[7] > '1')
		return err_set(e, DAVIT_EPROTO, "HTTP version %c.%c is not known", p[5], p[7]);
	h->minor = (unsigned)(p[7] - '0');
	return 0;
}

/* Three digits between spaces, or at the end of the line; 0 if they are not there. */
static int take_status(const char *p, size_t n)
{
	int status = 0;

	if (n < 12 || p[8] != ' ' || (n > 12 && p[12] != ' '))
		return 0;
	for (size_t i = 9; i < 12; i++) {
		if (p[i] < '0' || p[i] > '9')
			return 0;
		status = status * 10 + p[i] - '0';
	}
	return status < 100 ? 0 : status;
}

/* "HTTP/1.1 200 OK"; the phrase, and the space in front of it, may be missing. */
static int parse_status_line(struct http1_head *h, const char *p, size_t n, davit_err *e)
{
	int status = take_status(p, n), r = parse_version(h, p, n < 8 ? n : 8, e);

	if (r)
		return r;
	if (!status)
		return err_set(e, DAVIT_EPROTO, "status line has no status between 100 and 999");
	for (size_t i = 13; i < n; i++)
		if (!is_visible(p[i]) && p[i] != ' ' && p[i] != '\t')
			return err_set(e, DAVIT_EPROTO, "status line holds a control character");
	h->reason = n > 13 ? strndup(p + 13, n - 13) : strdup("");
	if (!h->reason)
		return err_nomem(e);
	h->status = status;
	return 0;
}

static bool is_visible_part(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_visible(p[i]))
			return false;
	return n > 0;
}

/* "GET /path HTTP/1.1" */
static int parse_request_line(struct http1_head *h, const char *p, size_t n, davit_err *e)
{
	const char *end = p + n, *first = memchr(p, ' ', n), *last = memrchr(p, ' ', n);
	int r;

	if (!first || first == last || !is_visible_part(p, (size_t)(first - p)) ||
	    !is_visible_part(first + 1, (size_t)(last - first) - 1))
		return err_set(e, DAVIT_EPROTO, "request line is not METHOD TARGET VERSION");
	r = parse_version(h, last + 1, (size_t)(end - last) - 1, e);
	if (r)
		return r;
	h->method = strndup(p, (size_t)(first - p));
	h->target = strndup(first + 1, (size_t)(last - first) - 1);
	return h->method && h->target ? 0 : err_nomem(e);
}

/* One line without its end. HTTP1_DONE for the empty line behind the headers. */
static int take_line(struct http1_head *h, const char *p, size_t n, davit_err *e)
{
	if (memchr(p, '\r', n) || memchr(p, 0, n))
		return err_set(e, DAVIT_EPROTO, "head holds a stray carriage return or NUL");
	if (h->started)
		return n ? headers_parse_line(&h->headers, p, n, e) : HTTP1_DONE;
	if (!n && h->kind == HTTP1_REQUEST && h->size == 2)
		return HTTP1_MORE; /* one empty line in front of a request: RFC 9112, 2.2 */
	h->started = true;
	return h->kind == HTTP1_RESPONSE ? parse_status_line(h, p, n, e) : parse_request_line(h, p, n, e);
}

/* Ends the line in h->line, which has its line feed. */
static int end_line(struct http1_head *h, davit_err *e)
{
	size_t n = h->line.len;
	int r;

	if (n < 2 || h->line.p[n - 2] != '\r')
		return err_set(e, DAVIT_EPROTO, "line of the head ends without carriage return");
	r = take_line(h, h->line.p, n - 2, e);
	buf_clear(&h->line);
	return r;
}

int http1_feed(struct http1_head *h, const void *p, size_t n, size_t *used, davit_err *e)
{
	const char *at = p, *end = at + n;

	while (at < end) {
		const char *feed = memchr(at, '\n', (size_t)(end - at));
		size_t take = feed ? (size_t)(feed - at) + 1 : (size_t)(end - at);
		int r;

		if (take > LIMIT_HEADERS - h->size)
			return err_set(e, DAVIT_ELIMIT, "head is longer than %d bytes", LIMIT_HEADERS);
		h->size += take;
		buf_add(&h->line, at, take);
		r = buf_check(&h->line, "line of the head", e);
		if (r)
			return r;
		at += take;
		if (!feed)
			break;
		r = end_line(h, e);
		if (r == HTTP1_DONE)
			*used = (size_t)(at - (const char *)p);
		if (r)
			return r;
	}
	*used = n;
	return HTTP1_MORE;
}

void http1_head_fini(struct http1_head *h)
{
	enum http1_kind kind = h->kind;

	free(h->reason);
	free(h->method);
	free(h->target);
	headers_fini(&h->headers);
	buf_fini(&h->line);
	*h = (struct http1_head)HTTP1_HEAD_INIT(kind);
}

bool http1_has_token(const struct headers *h, const char *name, const char *token)
{
	size_t at = 0, n = strlen(token);
	const char *value;

	while ((value = headers_next(h, name, &at))) {
		while (*value) {
			size_t part = strcspn(value, ","), skip = strspn(value, " \t");
			size_t len = part - (skip < part ? skip : part);
			const char *p = value + part - len;

			while (len && (p[len - 1] == ' ' || p[len - 1] == '\t'))
				len--;
			if (len == n && !strncasecmp(p, token, n))
				return true;
			value += part + (value[part] == ',');
		}
	}
	return false;
}

int http1_write_request(struct buf *out, const char *method, const struct uri *u,
			const struct headers *headers, davit_err *e)
{
	if (!is_visible_part(method, strlen(method)))
		return err_set(e, DAVIT_EARG, "method \"%s\" is not valid", method);
	if (!is_visible_part(u->path, strlen(u->path)) || (u->query && *u->query &&
							    !is_visible_part(u->query, strlen(u->query))))
		return err_set(e, DAVIT_EARG,
			       "path or query of the request holds a space or control character");
	buf_printf(out, "%s %s", method, u->path);
	if (u->query)
		buf_printf(out, "?%s", u->query);
	buf_puts(out, " HTTP/1.1\r\n");
	if (!headers_get(headers, "Host")) {
		buf_puts(out, "Host: ");
		uri_write_authority(u, out);
		buf_puts(out, "\r\n");
	}
	for (size_t i = 0; i < headers->n; i++) {
		buf_puts(out, headers->v[i].name);
		buf_puts(out, ": ");
		buf_puts(out, headers->v[i].value);
		buf_puts(out, "\r\n");
	}
	buf_puts(out, "\r\n");
	return buf_check(out, "head of the request", e);
}

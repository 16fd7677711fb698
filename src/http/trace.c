/* Trace lines without secrets. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "http/internal.h"

enum { TRACE_LINE = 4096 };

static const char redacted[] = "[redacted]";

/* Headers whose value is never shown, besides those whose name ends in "-token". */
static const char *const secret_headers[] = {
	"Authorization", "Cookie",    "Cookie2",    "Proxy-Authorization", "Set-Cookie",
	"Set-Cookie2",   "X-Api-Key", "X-Auth-Key", "X-Registry-Auth",     "X-Registry-Config",
};

/* Ends of names of URL parameters whose value is never shown. */
static const char *const secret_params[] = {
	"_state", "apikey",   "api_key", "credential", "hmac",      "key",
	"passwd", "password", "secret",  "sig",        "signature", "token",
};

static bool ends_with(const char *s, size_t n, const char *end)
{
	size_t len = strlen(end);

	return n >= len && strncasecmp(s + n - len, end, len) == 0;
}

static bool is_secret_header(const char *name, size_t n, const struct headers *known)
{
	for (size_t i = 0; i < sizeof secret_headers / sizeof *secret_headers; i++)
		if (strlen(secret_headers[i]) == n && strncasecmp(name, secret_headers[i], n) == 0)
			return true;
	for (size_t i = 0; known && i < known->n; i++)
		if (known->v[i].secret && strlen(known->v[i].name) == n &&
		    strncasecmp(name, known->v[i].name, n) == 0)
			return true;
	return ends_with(name, n, "-token");
}

static bool is_secret_param(const char *name, size_t n)
{
	for (size_t i = 0; i < sizeof secret_params / sizeof *secret_params; i++)
		if (ends_with(name, n, secret_params[i]))
			return true;
	return false;
}

static void put(struct buf *out, const char *p, size_t n)
{
	size_t control = 0;

	for (size_t i = 0; i < n; i++) {
		if (!control)
			control = err_control(p + i, n - i);
		if (!control) {
			buf_putc(out, p[i]);
			continue;
		}
		buf_printf(out, "\\x%02x", (unsigned)(unsigned char)p[i]);
		control--;
	}
}

/* Length of the part of p that holds none of the characters in stop. */
static size_t span(const char *p, size_t n, const char *stop)
{
	size_t i = 0;

	while (i < n && p[i] && !strchr(stop, p[i]))
		i++;
	return i;
}

/* Behind "://": skips user info, if there is any. */
static size_t user_info(struct buf *out, const char *p, size_t n)
{
	size_t len = span(p, n, "/?# \t\"'<>"), at = len;

	while (at && p[at - 1] != '@')
		at--;
	if (!at)
		return 0;
	buf_puts(out, redacted);
	buf_putc(out, '@');
	return at;
}

/* Behind '?' or '&': skips a secret parameter. */
static size_t parameter(struct buf *out, const char *p, size_t n)
{
	size_t name = span(p, n, "=&# \t\"'<>,;"), value;

	if (name == n || p[name] != '=' || !is_secret_param(p, name))
		return 0;
	value = span(p + name + 1, n - name - 1, "&# \t\"'<>");
	put(out, p, name + 1);
	buf_puts(out, redacted);
	return name + 1 + value;
}

/* Copies text with the secrets of all URLs in it hidden. */
static void put_urls(struct buf *out, const char *p, size_t n)
{
	for (size_t i = 0, len; i < n;) {
		if (n - i >= 3 && memcmp(p + i, "://", 3) == 0) {
			buf_puts(out, "://");
			i += 3;
			i += user_info(out, p + i, n - i);
			continue;
		}
		len = err_control(p + i, n - i);
		len = len ? len : 1;
		put(out, p + i, len);
		i += len;
		if (p[i - 1] == '?' || p[i - 1] == '&')
			i += parameter(out, p + i, n - i);
	}
}

static void put_line(struct buf *out, const char *p, size_t n, const struct headers *known)
{
	size_t name = span(p, n, ": \t");

	if (name < n && p[name] == ':' && is_secret_header(p, name, known)) {
		put(out, p, name);
		buf_puts(out, ": ");
		buf_puts(out, redacted);
		return;
	}
	put_urls(out, p, n);
}

static void give(const davit_connection_opts *o, const struct buf *line)
{
	o->trace(o->trace_user, line->bad ? "[a line too long to be shown]" : buf_str(line));
}

/* A head as it went over the wire, line by line. */
static void trace_head(const struct http_tracer *t, const char *prefix, const char *p, size_t n)
{
	AUTO_BUF struct buf line = BUF_INIT_SECRET(TRACE_LINE);

	while (n) {
		const char *end = memchr(p, '\n', n);
		size_t len = end ? (size_t)(end - p) + 1 : n, shown = len;

		while (shown && (p[shown - 1] == '\n' || p[shown - 1] == '\r'))
			shown--;
		if (shown) {
			buf_clear(&line);
			buf_puts(&line, prefix);
			put_line(&line, p, shown, t->headers);
			give(t->opts, &line);
		}
		p += len;
		n -= len;
	}
}

int http_trace_debug(CURL *h, curl_infotype type, char *p, size_t n, void *user)
{
	(void)h;
	/* CURLINFO_TEXT may quote a proxy's URL with its password; bodies are nobody's business. */
	if (type == CURLINFO_HEADER_OUT)
		trace_head(user, "> ", p, n);
	else if (type == CURLINFO_HEADER_IN)
		trace_head(user, "< ", p, n);
	return 0;
}

void http_trace_attach(CURL *h, struct http_tracer *t)
{
	if (!t->opts->trace)
		return;
	curl_easy_setopt(h, CURLOPT_DEBUGFUNCTION, http_trace_debug);
	curl_easy_setopt(h, CURLOPT_DEBUGDATA, t);
	curl_easy_setopt(h, CURLOPT_VERBOSE, 1L);
}

bool http_client_traces(const struct http_client *c)
{
	return c->opts.trace;
}

void http_client_trace(const struct http_client *c, const char *fmt, ...)
{
	AUTO_BUF struct buf line = BUF_INIT_SECRET(TRACE_LINE);
	char text[TRACE_LINE];
	va_list ap;

	if (!c->opts.trace)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	put_urls(&line, text, strlen(text));
	mem_wipe(text, sizeof text);
	give(&c->opts, &line);
}

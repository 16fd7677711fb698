#include "base/err.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Marks the end of a message that was cut, between two characters of UTF-8. */
static void mark_cut(davit_err *e)
{
	static const char dots[] = "...";
	size_t at = sizeof e->msg - sizeof dots;

	while (at && ((unsigned char)e->msg[at] & 0xc0) == 0x80)
		at--;
	memcpy(e->msg + at, dots, sizeof dots);
}

size_t err_control(const char *p, size_t n)
{
	const unsigned char *s = (const unsigned char *)p;

	if (n > 1 && s[0] == 0xc2 && s[1] >= 0x80 && s[1] < 0xa0)
		return 2;
	return n && (s[0] < 0x20 || s[0] == 0x7f);
}

/* Appends text with the bytes of control characters as \xNN. */
static void append(davit_err *e, const char *text)
{
	size_t at = strlen(e->msg), control = 0;

	for (; *text; text++) {
		size_t need;

		if (!control)
			control = err_control(text, text[1] ? 2 : 1);
		need = control ? 4 : 1;
		if (at + need >= sizeof e->msg) {
			mark_cut(e);
			return;
		}
		if (control) {
			snprintf(e->msg + at, need + 1, "\\x%02x", (unsigned)(unsigned char)*text);
			control--;
		} else {
			e->msg[at] = *text;
		}
		at += need;
		e->msg[at] = 0;
	}
}

__attribute__((format(printf, 2, 0))) static void append_format(davit_err *e, const char *fmt, va_list ap)
{
	/* One byte more than fits, so that append() notices a cut. */
	char text[DAVIT_ERR_MSG_MAX + 1];

	vsnprintf(text, sizeof text, fmt, ap);
	append(e, text);
}

void err_format(davit_err *e, int code, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return;
	*e = (davit_err){ .code = code };
	va_start(ap, fmt);
	append_format(e, fmt, ap);
	va_end(ap);
}

void err_format_errno(davit_err *e, int errnum, const char *fmt, ...)
{
	char why[128];
	va_list ap;

	if (!e)
		return;
	*e = (davit_err){ .code = err_code_of_errno(errnum), .sys = errnum };
	va_start(ap, fmt);
	append_format(e, fmt, ap);
	va_end(ap);
	append(e, ": ");
	append(e, strerror_r(errnum, why, sizeof why));
}

void err_prefix(davit_err *e, int code, const char *fmt, ...)
{
	char inner[DAVIT_ERR_MSG_MAX];
	va_list ap;

	if (!e)
		return;
	memcpy(inner, e->msg, sizeof inner);
	e->code = code;
	e->msg[0] = 0;
	va_start(ap, fmt);
	append_format(e, fmt, ap);
	va_end(ap);
	append(e, inner);
}

static const struct {
	const char *name, *text;
} codes[] = {
	[-DAVIT_OK] = { "OK", "success" },
	[-DAVIT_EARG] = { "ARG", "wrong argument" },
	[-DAVIT_ENOMEM] = { "NOMEM", "out of memory" },
	[-DAVIT_EIO] = { "IO", "input/output failed" },
	[-DAVIT_ETIMEOUT] = { "TIMEOUT", "time limit passed" },
	[-DAVIT_ECANCELLED] = { "CANCELLED", "cancelled" },
	[-DAVIT_ETRUST] = { "TRUST", "certificate not trusted" },
	[-DAVIT_EDENIED] = { "DENIED", "access denied" },
	[-DAVIT_ENOTFOUND] = { "NOTFOUND", "not found" },
	[-DAVIT_ECONFLICT] = { "CONFLICT", "conflict with the current state" },
	[-DAVIT_ENOTMODIFIED] = { "NOTMODIFIED", "not modified" },
	[-DAVIT_EREMOTE] = { "REMOTE", "the server failed or refused" },
	[-DAVIT_EPROTO] = { "PROTO", "protocol violation" },
	[-DAVIT_ELIMIT] = { "LIMIT", "limit exceeded" },
	[-DAVIT_EINTEGRITY] = { "INTEGRITY", "content does not match its digest" },
	[-DAVIT_EUNSUPPORTED] = { "UNSUPPORTED", "not supported" },
	[-DAVIT_ESTATE] = { "STATE", "wrong state for this call" },
	[-DAVIT_ECALLBACK] = { "CALLBACK", "ended by a callback" },
	[-DAVIT_EEXISTS] = { "EXISTS", "exists already" },
};

static size_t code_index(int code)
{
	size_t n = sizeof codes / sizeof *codes;

	return code <= 0 && code > -(int)n ? (size_t)-code : n;
}

const char *davit_code_name(int code)
{
	size_t i = code_index(code);

	return i < sizeof codes / sizeof *codes ? codes[i].name : "UNKNOWN";
}

const char *davit_code_text(int code)
{
	size_t i = code_index(code);

	return i < sizeof codes / sizeof *codes ? codes[i].text : "unknown error";
}

#include "wire/uri.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/limits.h"

/* A part of a text. */
struct part {
	const char *p;
	size_t n;
};

static unsigned default_port(const char *scheme)
{
	return strcmp(scheme, "https") ? 80 : 443;
}

/* Puts a copy into the arena; the result is never NULL on success. */
static int keep(struct arena *a, struct part s, const char **out, davit_err *e)
{
	char *copy = arena_strndup(a, s.p, s.n);

	if (!copy)
		return err_nomem(e);
	*out = copy;
	return 0;
}

static bool is_host_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
	       c == '.' || c == '_';
}

static bool is_ipv6(const char *s)
{
	unsigned char bytes[16];

	return inet_pton(AF_INET6, s, bytes) == 1;
}

/* Where the host is: inside of brackets, or as far as its characters go. */
static int find_host(struct part text, bool bracket, struct part *out, davit_err *e)
{
	const char *end = bracket ? memchr(text.p, ']', text.n) : NULL;
	struct part host = { text.p + bracket, 0 };

	if (bracket && !end)
		return err_set(e, DAVIT_EARG, "bracket of the host is not closed");
	if (bracket)
		host.n = (size_t)(end - host.p);
	while (!bracket && host.n < text.n && is_host_char(host.p[host.n]))
		host.n++;
	if (!host.n)
		return err_set(e, DAVIT_EARG, "host is missing");
	*out = host;
	return 0;
}

/* Takes "[v6]" or a name from the front of *text; out is lower case. */
static int take_host(struct part *text, struct arena *a, const char **out, davit_err *e)
{
	bool bracket = text->n && text->p[0] == '[';
	struct part host = { 0 };
	char *copy;
	int r = find_host(*text, bracket, &host, e);

	if (r)
		return r;
	copy = arena_strndup(a, host.p, host.n);
	if (!copy)
		return err_nomem(e);
	if (bracket && !is_ipv6(copy))
		return err_set(e, DAVIT_EARG, "host \"[%s]\" is no IPv6 address", copy);
	if (!bracket && (*copy == '.' || *copy == '-' || strstr(copy, "..")))
		return err_set(e, DAVIT_EARG, "host \"%s\" is no host name", copy);
	for (char *c = copy; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	text->p += host.n + (bracket ? 2 : 0);
	text->n -= host.n + (bracket ? 2 : 0);
	*out = copy;
	return 0;
}

/* What is behind the host: nothing, or ':' and a number. *port stays if there is no number. */
static int take_port(struct part text, unsigned *port, davit_err *e)
{
	unsigned value = 0;

	if (text.n && *text.p != ':')
		return err_set(e, DAVIT_EARG, "host is followed by the character '%c'", *text.p);
	if (text.n <= 1)
		return 0;
	for (size_t i = 1; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9' || i > 5)
			return err_set(e, DAVIT_EARG, "port \"%.*s\" is no number up to 65535",
				       (int)(text.n & 0xff) - 1, text.p + 1);
		value = value * 10 + (unsigned)(text.p[i] - '0');
	}
	if (!value || value > 65535)
		return err_set(e, DAVIT_EARG, "port %u is not between 1 and 65535", value);
	*port = value;
	return 0;
}

int uri_split_host(const char *text, struct arena *a, const char **host, unsigned *port, davit_err *e)
{
	struct part rest = { text, strlen(text) };
	const char *name;
	unsigned number = 0;
	int r;

	if (rest.n > LIMIT_URL)
		return err_set(e, DAVIT_ELIMIT, "host is longer than %d bytes", LIMIT_URL);
	if (strstr(text, "://"))
		return err_set(e, DAVIT_EARG, "\"%s\" must be HOST[:PORT], without \"://\"", text);
	if (strpbrk(text, "/?#@"))
		return err_set(e, DAVIT_EARG, "\"%s\" must be HOST[:PORT] and nothing else", text);
	r = take_host(&rest, a, &name, e);
	if (!r)
		r = take_port(rest, &number, e);
	if (r)
		return err_at(e, r, "\"%s\": ", text);
	*host = name;
	*port = number;
	return 0;
}

/* "host[:port]" behind "//" of a URL. */
static int parse_authority(struct part text, struct arena *a, struct uri *u, davit_err *e)
{
	int r;

	if (memchr(text.p, '@', text.n))
		return err_set(e, DAVIT_EARG, "user names and passwords in a URL are not allowed");
	u->port = default_port(u->scheme);
	r = take_host(&text, a, &u->host, e);
	return r ? r : take_port(text, &u->port, e);
}

/* Path and query of what follows the authority; the fragment is dropped. */
static int parse_rest(const char *text, struct arena *a, struct uri *u, davit_err *e)
{
	size_t n = strcspn(text, "#"), path = strcspn(text, "?#");
	int r;

	u->query = NULL;
	r = path ? keep(a, (struct part){ text, path }, &u->path, e)
		 : keep(a, (struct part){ "/", 1 }, &u->path, e);
	if (!r && path < n)
		r = keep(a, (struct part){ text + path + 1, n - path - 1 }, &u->query, e);
	return r;
}

/* Length and characters that no part of a URL may hold. */
static int check_text(const char *text, davit_err *e)
{
	if (strlen(text) > LIMIT_URL)
		return err_set(e, DAVIT_ELIMIT, "URL is longer than %d bytes", LIMIT_URL);
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			return err_set(e, DAVIT_EARG, "URL holds a space or control character");
	return 0;
}

int uri_parse(const char *text, struct arena *a, struct uri *out, davit_err *e)
{
	static const char *const schemes[] = { "http", "https" };
	struct uri u = { 0 };
	const char *rest = NULL;
	struct part authority;
	int r = check_text(text, e);

	if (r)
		return r;
	for (size_t i = 0; i < 2; i++) {
		size_t n = strlen(schemes[i]);

		if (!strncasecmp(text, schemes[i], n) && !strncmp(text + n, "://", 3)) {
			u.scheme = schemes[i];
			rest = text + n + 3;
		}
	}
	if (!rest)
		return err_set(e, DAVIT_EARG, "\"%.80s\" is no http:// or https:// URL", text);
	authority = (struct part){ rest, strcspn(rest, "/?#") };
	r = parse_authority(authority, a, &u, e);
	if (!r)
		r = parse_rest(rest + authority.n, a, &u, e);
	if (r)
		return err_at(e, r, "\"%.80s\": ", text);
	*out = u;
	return 0;
}

/* Removes the last segment and its '/' (RFC 3986, 5.2.4). */
static void drop_segment(struct buf *out)
{
	while (out->len && out->p[--out->len] != '/')
		;
}

/* Copies a path that begins with '/' without its dot segments. */
static void put_path(struct buf *out, const char *path)
{
	while (*path) {
		size_t n = strcspn(path + 1, "/") + 1; /* "/segment" */
		bool last = !path[n];
		bool dot = n == 2 && path[1] == '.', dots = n == 3 && path[1] == '.' && path[2] == '.';

		if (dots)
			drop_segment(out);
		if (!dot && !dots)
			buf_add(out, path, n);
		else if (last)
			buf_putc(out, '/');
		path += n;
	}
}

/* Appends a path relative to base, without query. */
static void merge_path(const struct uri *base, struct part ref, struct buf *out)
{
	AUTO_BUF struct buf whole = BUF_INIT(2 * LIMIT_URL + 1), path = BUF_INIT(LIMIT_URL);
	const char *slash = strrchr(base->path, '/');

	if (*ref.p != '/' && slash)
		buf_add(&whole, base->path, (size_t)(slash - base->path) + 1);
	else if (*ref.p != '/')
		buf_putc(&whole, '/');
	buf_add(&whole, ref.p, ref.n);
	put_path(&path, buf_str(&whole));
	buf_add(out, buf_str(&path), path.len);
	if (whole.bad || path.bad)
		out->bad = whole.bad ? whole.bad : path.bad;
}

static bool has_scheme(const char *ref)
{
	size_t n = 0;

	while ((ref[n] >= 'a' && ref[n] <= 'z') || (ref[n] >= 'A' && ref[n] <= 'Z') ||
	       (n && ref[n] && strchr("0123456789+-.", ref[n])))
		n++;
	return n && ref[n] == ':';
}

/* An absolute reference: its path loses its dot segments. */
static int resolve_absolute(const char *text, struct arena *a, struct uri *out, davit_err *e)
{
	AUTO_BUF struct buf path = BUF_INIT(LIMIT_URL);
	struct uri u;
	int r = uri_parse(text, a, &u, e);

	if (r)
		return r;
	put_path(&path, u.path);
	r = buf_check(&path, "URL", e);
	if (!r)
		r = keep(a, (struct part){ buf_str(&path), path.len }, &u.path, e);
	if (!r)
		*out = u;
	return r;
}

int uri_resolve(const struct uri *base, const char *ref, struct arena *a, struct uri *out, davit_err *e)
{
	AUTO_BUF struct buf text = BUF_INIT(LIMIT_URL);
	size_t path = strcspn(ref, "?#");
	int r = check_text(ref, e);

	if (r)
		return r;
	if (has_scheme(ref))
		return resolve_absolute(ref, a, out, e);
	if (!strncmp(ref, "//", 2)) {
		buf_printf(&text, "%s:%s", base->scheme, ref);
		r = buf_check(&text, "URL", e);
		return r ? r : resolve_absolute(buf_str(&text), a, out, e);
	}
	buf_printf(&text, "%s://", base->scheme);
	uri_write_authority(base, &text);
	if (path)
		merge_path(base, (struct part){ ref, path }, &text);
	else
		buf_puts(&text, base->path);
	if (!path && ref[0] != '?' && base->query)
		buf_printf(&text, "?%s", base->query);
	buf_puts(&text, ref + path);
	r = buf_check(&text, "URL", e);
	return r ? r : uri_parse(buf_str(&text), a, out, e);
}

void uri_write_authority(const struct uri *u, struct buf *out)
{
	bool v6 = strchr(u->host, ':');

	buf_printf(out, v6 ? "[%s]" : "%s", u->host);
	if (u->port != default_port(u->scheme))
		buf_printf(out, ":%u", u->port);
}

void uri_write(const struct uri *u, struct buf *out)
{
	buf_printf(out, "%s://", u->scheme);
	uri_write_authority(u, out);
	buf_puts(out, u->path);
	if (u->query)
		buf_printf(out, "?%s", u->query);
}

bool uri_same_origin(const struct uri *a, const struct uri *b)
{
	return a->port == b->port && !strcmp(a->scheme, b->scheme) && !strcmp(a->host, b->host);
}

bool uri_is_loopback(const char *host)
{
	static const char name[] = "localhost";
	size_t n = strlen(host), m = sizeof name - 1;
	unsigned char v4[4], v6[16];

	if (n >= m && !strcasecmp(host + n - m, name) && (n == m || (n > m + 1 && host[n - m - 1] == '.')))
		return true;
	if (inet_pton(AF_INET, host, v4) == 1)
		return v4[0] == 127;
	if (inet_pton(AF_INET6, host, v6) != 1 || v6[15] != 1)
		return false;
	for (int i = 0; i < 15; i++)
		if (v6[i])
			return false;
	return true;
}

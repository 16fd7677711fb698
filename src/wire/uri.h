/* URLs: taking apart, resolving a Location, comparing origins, percent-encoding. */
#ifndef DAVIT_WIRE_URI_H
#define DAVIT_WIRE_URI_H

#include <stdbool.h>
#include <stddef.h>

#include <davit/err.h>

#include "base/arena.h"
#include "base/buf.h"

/* An absolute http or https URL. All strings lie in the arena given to uri_parse(). */
struct uri {
	const char *scheme; /* "http" or "https", lower case */
	const char *host;   /* lower case, without brackets */
	unsigned port;      /* always set: 80 or 443 by default */
	const char *path;   /* as written, begins with '/' */
	const char *query;  /* as written without '?', or NULL */
};

/*
 * Parses an absolute URL of at most LIMIT_URL bytes. User info and fragments are refused (fragment: dropped).
 */
int uri_parse(const char *text, struct arena *a, struct uri *out, davit_err *e);
/*
 * Resolves a reference (absolute, "//host", "/path", "?query", relative) against base, RFC 3986, verbatim
 * query.
 */
int uri_resolve(const struct uri *base, const char *ref, struct arena *a, struct uri *out, davit_err *e);
/* Writes scheme://host[:port]path[?query]; the port only if it is not the default. */
void uri_write(const struct uri *u, struct buf *out);
/* host[:port], the port only if not the default, IPv6 in brackets: the Host header. */
void uri_write_authority(const struct uri *u, struct buf *out);
/* Same scheme, host and port: credentials for a may go to b. */
bool uri_same_origin(const struct uri *a, const struct uri *b);
/* localhost, *.localhost, 127.0.0.0/8, ::1 */
bool uri_is_loopback(const char *host);
/* Splits "host[:port]" ("[v6]:port" too); *port is 0 if absent. DAVIT_EARG for a scheme, path or bad port. */
int uri_split_host(const char *text, struct arena *a, const char **host, unsigned *port, davit_err *e);

/* Percent-encodes all but unreserved characters (RFC 3986) and those in keep. */
void pct_encode(struct buf *out, const char *s, const char *keep);
/* Whether all of n bytes can be decoded: every '%' has two hexadecimal digits, and none makes a NUL. */
bool pct_valid(const char *s, size_t n);
/*
 * Decodes %XX (and '+' as space if plus) of n bytes. NULL if pct_valid() says no, for an
 * embedded NUL, or out of memory.
 */
char *pct_decode(const char *s, size_t n, bool plus, struct arena *a);

#endif

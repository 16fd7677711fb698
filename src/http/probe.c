/* Finding out whether a server speaks TLS, without a TLS library: it answers a greeting, or it does not. */
#include "base/limits.h"
#include "http/dial.h"
#include "http/internal.h"

/* First byte of every TLS record that answers a greeting. */
enum { TLS_ALERT = 0x15, TLS_HANDSHAKE = 0x16 };

/*
 * A ClientHello of TLS 1.2 that offers ECDHE_RSA and ECDHE_ECDSA with AES_128_GCM_SHA256, and RSA with
 * AES_128_CBC_SHA. A server that wants other things answers with an alert. The session id ends an HTTP
 * head, so that an HTTP server answers at once too.
 */
static const char hello[] = "\x16\x03\x01\x00\x37"             /* record: handshake, 55 bytes */
			    "\x01\x00\x00\x33"                 /* client hello, 51 bytes */
			    "\x03\x03"                         /* TLS 1.2 */
			    "davit asks whether TLS is spoken" /* random */
			    "\x04\r\n\r\n"                     /* session id */
			    "\x00\x06\xc0\x2f\xc0\x2b\x00\x2f" /* cipher suites */
			    "\x01\x00"                         /* no compression */
			    "\x00\x00";                        /* no extensions */
_Static_assert(sizeof hello - 1 == 5 + 55, "the record says how long it is");

/* The first byte of the answer; got is 0 if the peer hung up or stayed silent. */
static int first_byte(davit_stream *s, unsigned char *byte, size_t *got, davit_err *e)
{
	int ready = 0, rc;

	*got = 0;
	rc = davit_stream_write(s, hello, sizeof hello - 1, e);
	if (!rc)
		rc = davit_stream_poll(s, DAVIT_STREAM_READ, LIMIT_PROBE_MS, &ready, e);
	if (!rc && ready)
		rc = davit_stream_read(s, byte, 1, got, e);
	/* A peer that resets the connection has understood nothing. */
	return rc == DAVIT_EIO ? 0 : rc;
}

int dial_speaks_tls(struct http_client *c, const struct uri *uri, davit_tri *out, davit_err *e)
{
	const struct stream_opts o = { .cancel = http_client_opts(c)->cancel };
	struct uri plain = *uri;
	struct conn *conn;
	davit_stream *s;
	unsigned char byte = 0;
	size_t got = 0;
	int rc;

	plain.scheme = "http";
	rc = dial_uri(c, &plain, &conn, e);
	if (rc == DAVIT_EIO) {
		*out = DAVIT_UNSET;
		return 0;
	}
	if (rc)
		return rc;
	rc = stream_new(conn, &o, &s, e);
	if (rc) {
		conn->ops->free(conn);
		return rc;
	}
	rc = first_byte(s, &byte, &got, e);
	davit_stream_free(s);
	if (rc)
		return rc;
	*out = got && (byte == TLS_ALERT || byte == TLS_HANDSHAKE) ? DAVIT_YES : DAVIT_NO;
	http_client_trace(c, "* asked %s for TLS: %s", uri->host, *out == DAVIT_YES ? "yes" : "no");
	return 0;
}

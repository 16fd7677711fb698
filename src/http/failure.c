/* Failures of libcurl in words: who, what, why, and what to do about it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/x509_vfy.h>

#include "base/err.h"
#include "base/limits.h"
#include "http/internal.h"

#define TRUST_ADVICE                                                                                         \
	"; give the authority with ca_file (davit --ca-file FILE, DXF_TLSVERIFY) if you trust it, or "       \
	"accept "                                                                                            \
	"any certificate with insecure (davit --insecure)"

void http_who(const struct uri *u, const davit_connection_opts *o, char out[HTTP_WHO_MAX])
{
	bool v6 = strchr(u->host, ':');

	if (o->unix_socket)
		snprintf(out, HTTP_WHO_MAX, "%s (unix socket)", o->unix_socket);
	else
		snprintf(out, HTTP_WHO_MAX, "%s%s%s:%u", v6 ? "[" : "", u->host, v6 ? "]" : "", u->port);
}

/* ---- connecting ---- */

static const struct {
	int sys;
	const char *advice;
} connect_advice[] = {
	{ ECONNREFUSED, " (does the server run, and is the port right?)" },
	{ ENOENT, " (there is no such socket; does the daemon run?)" },
	{ EACCES, " (is this user allowed to use it?)" },
	{ ENETUNREACH, " (is this machine connected to that network?)" },
	{ EHOSTUNREACH, " (is this machine connected to that network?)" },
};

static const char *advice_for(int sys)
{
	for (size_t i = 0; i < sizeof connect_advice / sizeof *connect_advice; i++)
		if (connect_advice[i].sys == sys)
			return connect_advice[i].advice;
	return "";
}

/* Names the proxy in out if that was out of reach: "Failed to connect to HOST port PORT after ..." */
static bool was_proxy(const struct http_failure *f, char out[HTTP_WHO_MAX])
{
	static const char before[] = "Failed to connect to ", between[] = " port ";
	const char *host = f->why + sizeof before - 1, *end;
	unsigned long port;

	if (strncmp(f->why, before, sizeof before - 1) != 0)
		return false;
	end = strstr(host, between);
	if (!end)
		return false;
	port = strtoul(end + sizeof between - 1, NULL, 10);
	if (port == f->uri->port && strlen(f->uri->host) == (size_t)(end - host) &&
	    strncasecmp(host, f->uri->host, (size_t)(end - host)) == 0)
		return false;
	snprintf(out, HTTP_WHO_MAX, "the proxy %.*s:%lu", (int)(end - host), host, port);
	return true;
}

static int fail_connect(struct http_failure *f, const char *who, davit_err *e)
{
	char proxy[HTTP_WHO_MAX];
	long sys = 0;

	/* The rest of that text is the proxy's URL, which may hold a password. */
	if (strstr(f->why, "Unsupported proxy scheme"))
		return err_set(e, DAVIT_EARG,
			       "cannot reach %s: the proxy's URL has a scheme other than http, https, "
			       "socks4, socks4a, socks5 and socks5h",
			       who);
	if (!f->opts->unix_socket && was_proxy(f, proxy))
		who = proxy;
	curl_easy_getinfo(f->easy, CURLINFO_OS_ERRNO, &sys);
	f->nobody = sys == ECONNREFUSED;
	if (!sys)
		return err_set(e, DAVIT_EIO, "cannot connect to %s: %s", who, f->why);
	return err_errno(e, (int)sys, "cannot connect to %s%s", who, advice_for((int)sys));
}

static int fail_name(struct http_failure *f, const char *who, davit_err *e)
{
	(void)who;
	f->nobody = true;
	return err_set(e, DAVIT_EIO,
		       "cannot find the host %s: its name is not known (is it spelt right, and does the "
		       "name service work?)",
		       f->uri->host);
}

static int fail_proxy_name(struct http_failure *f, const char *who, davit_err *e)
{
	static const char known[] = "Could not resolve proxy: ";
	size_t n = sizeof known - 1;

	/* Any other text may quote the proxy's URL with its password. */
	if (strncmp(f->why, known, n) != 0)
		return err_set(e, DAVIT_EARG, "cannot reach %s: the proxy's address is not valid", who);
	f->nobody = true;
	return err_set(e, DAVIT_EIO, "cannot reach %s: the name of the proxy, %s, is not known", who,
		       f->why + n);
}

static int fail_time(struct http_failure *f, const char *who, davit_err *e)
{
	if (f->connected)
		return err_set(e, DAVIT_ETIMEOUT, "%s: no complete answer in time", who);
	return err_set(e, DAVIT_ETIMEOUT, "cannot connect to %s: no connection within %d ms", who,
		       f->opts->connect_timeout_ms);
}

/* ---- TLS ---- */

enum tls_kind { TLS_OTHER = 0, TLS_NONE, TLS_OUR_CERT, TLS_HANDSHAKE, TLS_VERSION };

/* What OpenSSL's words mean; the first that is found counts. */
static const struct {
	const char *needle;
	enum tls_kind kind;
} tls_words[] = {
	{ "alert protocol version", TLS_VERSION },
	{ "unsupported protocol", TLS_VERSION },
	{ "alert certificate", TLS_OUR_CERT },
	{ "alert bad certificate", TLS_OUR_CERT },
	{ "alert unknown ca", TLS_OUR_CERT },
	{ "alert unsupported certificate", TLS_OUR_CERT },
	{ "alert access denied", TLS_OUR_CERT },
	{ "alert handshake failure", TLS_HANDSHAKE },
	{ "alert", TLS_OTHER },
	{ "wrong version number", TLS_NONE },
	{ "http request", TLS_NONE },
	{ "packet length too long", TLS_NONE },
	{ "unexpected eof", TLS_NONE },
	{ "SSL_ERROR_SYSCALL", TLS_NONE },
	{ "Connection reset by peer", TLS_NONE },
};

static enum tls_kind kind_of(const char *why)
{
	for (size_t i = 0; i < sizeof tls_words / sizeof *tls_words; i++)
		if (strstr(why, tls_words[i].needle))
			return tls_words[i].kind;
	return TLS_OTHER;
}

static int refused_our_cert(const struct http_failure *f, const char *who, davit_err *e)
{
	if (f->opts->client_cert)
		return err_set(e, DAVIT_ETRUST, "%s does not accept the certificate %s: %s", who,
			       f->opts->client_cert, f->why);
	return err_set(e, DAVIT_ETRUST,
		       "%s wants a certificate of the client; give one with client_cert and client_key "
		       "(davit --cert FILE --key FILE): %s",
		       who, f->why);
}

static int fail_tls(struct http_failure *f, const char *who, davit_err *e)
{
	switch (kind_of(f->why)) {
	case TLS_NONE:
		f->no_tls = true;
		return err_set(e, DAVIT_EPROTO,
			       "%s does not speak TLS; if it is a plain HTTP server use http:// "
			       "(davit --insecure): %s",
			       who, f->why);
	case TLS_OUR_CERT:
		return refused_our_cert(f, who, e);
	case TLS_HANDSHAKE:
		if (!f->opts->client_cert)
			return err_set(e, DAVIT_ETRUST,
				       "%s ended the TLS handshake; it may want a certificate of the client "
				       "(client_cert, davit --cert FILE): %s",
				       who, f->why);
		break;
	case TLS_VERSION:
		return err_set(e, DAVIT_EPROTO,
			       "%s speaks no TLS version that is still safe (1.2 or later): %s", who, f->why);
	case TLS_OTHER:
		break;
	}
	return err_set(e, DAVIT_EPROTO, "TLS with %s failed: %s", who, f->why);
}

static const char *verify_words(long result)
{
	switch (result) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return "it has expired (or this machine's clock is wrong)";
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return "it is not valid yet (or this machine's clock is wrong)";
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		return "it is signed by itself and not known here";
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		return "it is signed by an authority that is not known here";
	case X509_V_ERR_CERT_REVOKED:
		return "it has been revoked";
	default:
		return X509_verify_cert_error_string(result);
	}
}

/* Whether more trust would help. */
static bool authority_missing(long result)
{
	return result == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT ||
	       result == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN ||
	       result == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT ||
	       result == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
	       result == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE;
}

/* curl compares names itself and leaves OpenSSL's result unspecified. */
static bool is_for_another_name(const struct http_failure *f, long result)
{
	return result == X509_V_ERR_HOSTNAME_MISMATCH || result == X509_V_ERR_IP_ADDRESS_MISMATCH ||
	       strstr(f->why, "subject name") || strstr(f->why, "common name");
}

static int fail_trust(struct http_failure *f, const char *who, davit_err *e)
{
	long result = 0, of_proxy = 0;

	curl_easy_getinfo(f->easy, CURLINFO_SSL_VERIFYRESULT, &result);
	curl_easy_getinfo(f->easy, CURLINFO_PROXY_SSL_VERIFYRESULT, &of_proxy);
	if (of_proxy && !result) {
		who = "the proxy";
		result = of_proxy;
	}
	if (is_for_another_name(f, result))
		return err_set(e, DAVIT_ETRUST,
			       "the certificate of %s is not made for the name %s; use a name that it "
			       "is made for, or accept any certificate with insecure (davit --insecure)",
			       who, f->uri->host);
	return err_set(e, DAVIT_ETRUST, "the certificate of %s is not trusted: %s%s", who,
		       result ? verify_words(result) : f->why, authority_missing(result) ? TRUST_ADVICE : "");
}

static int fail_ca_file(struct http_failure *f, const char *who, davit_err *e)
{
	const char *file = f->opts->ca_file ? f->opts->ca_file : f->opts->ca_dir;

	(void)who;
	return err_set(e, DAVIT_EARG, "cannot read trusted authorities from %s: %s",
		       file ? file : "the system's file", f->why);
}

static int fail_our_cert(struct http_failure *f, const char *who, davit_err *e)
{
	(void)who;
	return err_set(e, DAVIT_EARG,
		       "cannot use the client certificate %s with its key (do the files exist, belong "
		       "together, and is the passphrase right?): %s",
		       f->opts->client_cert ? f->opts->client_cert : "", f->why);
}

/* ---- the transfer ---- */

static int fail_lost(struct http_failure *f, const char *who, davit_err *e)
{
	long sys = 0;

	if (strstr(f->why, "chunk"))
		return err_set(e, DAVIT_EPROTO, "%s sent a broken body: %s", who, f->why);
	if (kind_of(f->why) == TLS_OUR_CERT)
		return refused_our_cert(f, who, e);
	curl_easy_getinfo(f->easy, CURLINFO_OS_ERRNO, &sys);
	if (sys && f->connected)
		return err_errno(e, (int)sys, "the connection to %s was lost %s", who,
				 f->got_head ? "during the answer" : "before an answer came");
	return err_set(e, DAVIT_EIO, "the connection to %s was lost: %s", who, f->why);
}

/* The proxy's own answer to CONNECT, if that is what failed. */
static int fail_tunnel(const struct http_failure *f, const char *who, davit_err *e)
{
	long status = 0;

	curl_easy_getinfo(f->easy, CURLINFO_HTTP_CONNECTCODE, &status);
	if (f->connected || status < 300)
		return 0;
	if (status == 407)
		err_set(e, DAVIT_EDENIED,
			"the proxy on the way to %s wants other credentials (user:password@ in the proxy's "
			"URL)",
			who);
	else
		err_set(e, DAVIT_EIO, "the proxy does not connect to %s: it answered %ld", who, status);
	if (e)
		e->http = (int)status;
	return status == 407 ? DAVIT_EDENIED : DAVIT_EIO;
}

static int fail_empty(struct http_failure *f, const char *who, davit_err *e)
{
	(void)f;
	return err_set(e, DAVIT_EIO, "%s closed the connection without an answer", who);
}

static int fail_short(struct http_failure *f, const char *who, davit_err *e)
{
	return err_set(e, DAVIT_EIO, "the answer of %s is shorter than announced: %s", who, f->why);
}

static int fail_memory(struct http_failure *f, const char *who, davit_err *e)
{
	/* That is also how curl says that one header is longer than its own limit. */
	if (f->head_begun && !f->got_head)
		return err_set(e, DAVIT_ELIMIT, "the answer of %s has a header of more than %d bytes", who,
			       LIMIT_HEADER_LINE);
	return err_nomem(e);
}

static int fail_not_http(struct http_failure *f, const char *who, davit_err *e)
{
	return err_set(e, DAVIT_EPROTO, "%s does not speak HTTP as it should: %s", who, f->why);
}

static int fail_url(struct http_failure *f, const char *who, davit_err *e)
{
	return err_set(e, DAVIT_EARG, "%s: not a usable URL: %s", who, f->why);
}

struct row {
	CURLcode rc;
	int (*fail)(struct http_failure *f, const char *who, davit_err *e);
};

static const struct row rows[] = {
	{ CURLE_COULDNT_CONNECT, fail_connect },
	{ CURLE_COULDNT_RESOLVE_HOST, fail_name },
	{ CURLE_COULDNT_RESOLVE_PROXY, fail_proxy_name },
	{ CURLE_OPERATION_TIMEDOUT, fail_time },
	{ CURLE_PEER_FAILED_VERIFICATION, fail_trust },
	{ CURLE_SSL_ISSUER_ERROR, fail_trust },
	{ CURLE_SSL_CACERT_BADFILE, fail_ca_file },
	{ CURLE_SSL_CERTPROBLEM, fail_our_cert },
	{ CURLE_GOT_NOTHING, fail_empty },
	{ CURLE_PARTIAL_FILE, fail_short },
	{ CURLE_OUT_OF_MEMORY, fail_memory },
	{ CURLE_WEIRD_SERVER_REPLY, fail_not_http },
	{ CURLE_UNSUPPORTED_PROTOCOL, fail_not_http },
	{ CURLE_BAD_CONTENT_ENCODING, fail_not_http },
	{ CURLE_URL_MALFORMAT, fail_url },
};

int http_failure_report(struct http_failure *f, davit_err *e)
{
	char who[HTTP_WHO_MAX];
	int rc;

	http_who(f->uri, f->opts, who);
	f->no_tls = f->nobody = false;
	rc = fail_tunnel(f, who, e);
	if (rc)
		return rc;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].rc == f->rc)
			return rows[i].fail(f, who, e);
	if (f->rc == CURLE_SSL_CONNECT_ERROR)
		return fail_tls(f, who, e);
	if (f->rc == CURLE_RECV_ERROR || f->rc == CURLE_SEND_ERROR || f->rc == CURLE_SEND_FAIL_REWIND)
		return fail_lost(f, who, e);
	return err_set(e, DAVIT_EIO, "%s: %s", who, *f->why ? f->why : curl_easy_strerror(f->rc));
}

void http_failure_keep(struct http_client *c, const struct http_failure *f)
{
	c->spoke_no_tls = f->no_tls;
	c->nobody = f->nobody;
}

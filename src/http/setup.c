/* The options of a curl handle that follow from davit_connection_opts alone. */
#include <stddef.h>
#include <sys/socket.h>

#include "base/err.h"
#include "http/internal.h"

enum {
	DOWNLOAD_BUFFER = 256 << 10, /* more is not faster, less is slower */
	POOL_MAX_IDLE_S = 20,        /* servers close idle connections; an old one is likely dead */
};

/* What every handle gets. */
static const struct {
	CURLoption option;
	long value;
} fixed[] = {
	{ CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1 },
	{ CURLOPT_PATH_AS_IS, 1 },
	{ CURLOPT_NOSIGNAL, 1 },
	{ CURLOPT_FOLLOWLOCATION, 0 },
	{ CURLOPT_TCP_NODELAY, 1 },
	{ CURLOPT_TCP_KEEPALIVE, 1 },
	{ CURLOPT_MAXAGE_CONN, POOL_MAX_IDLE_S },
	{ CURLOPT_BUFFERSIZE, DOWNLOAD_BUFFER },
	{ CURLOPT_HEADEROPT, CURLHEADER_SEPARATE },
	{ CURLOPT_SUPPRESS_CONNECT_HEADERS, 1 },
	{ CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2 },
	{ CURLOPT_PROXY_SSLVERSION, CURL_SSLVERSION_TLSv1_2 },
#if LIBCURL_VERSION_NUM >= 0x075700
	/* Cancelling must not wait for a thread that looks up a name. */
	{ CURLOPT_QUICK_EXIT, 1 },
#endif
};

/* Options that are strings of davit_connection_opts; NULL leaves curl's default. */
static const struct {
	CURLoption option;
	size_t at;
} strings[] = {
	{ CURLOPT_UNIX_SOCKET_PATH, offsetof(davit_connection_opts, unix_socket) },
	{ CURLOPT_SSLCERT, offsetof(davit_connection_opts, client_cert) },
	{ CURLOPT_SSLKEY, offsetof(davit_connection_opts, client_key) },
	{ CURLOPT_PROXY, offsetof(davit_connection_opts, proxy) },
	{ CURLOPT_NOPROXY, offsetof(davit_connection_opts, no_proxy) },
	{ CURLOPT_USERAGENT, offsetof(davit_connection_opts, user_agent) },
};

/* curl opens sockets without close-on-exec. */
static curl_socket_t open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *a)
{
	(void)user;
	(void)purpose;
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static CURLcode set_longs(CURL *h, const davit_connection_opts *o)
{
	CURLcode rc = CURLE_OK;

	for (size_t i = 0; !rc && i < sizeof fixed / sizeof *fixed; i++)
		rc = curl_easy_setopt(h, fixed[i].option, fixed[i].value);
	if (!rc)
		rc = curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, (long)o->connect_timeout_ms);
	return rc;
}

static CURLcode set_strings(CURL *h, const davit_connection_opts *o)
{
	CURLcode rc = CURLE_OK;

	for (size_t i = 0; !rc && i < sizeof strings / sizeof *strings; i++) {
		const char *s = *(const char *const *)(const void *)((const char *)o + strings[i].at);

		if (s)
			rc = curl_easy_setopt(h, strings[i].option, s);
	}
	if (!rc)
		rc = curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
	if (!rc && o->unix_socket)
		rc = curl_easy_setopt(h, CURLOPT_PROXY, "");
	return rc;
}

/* Authorities that are given replace the system's; curl would add them. */
static CURLcode set_authorities(CURL *h, const davit_connection_opts *o)
{
	CURLcode rc;

	if (!o->ca_file && !o->ca_dir)
		return CURLE_OK;
	rc = curl_easy_setopt(h, CURLOPT_CAINFO, o->ca_file);
	if (!rc)
		rc = curl_easy_setopt(h, CURLOPT_CAPATH, o->ca_dir);
	if (!rc)
		rc = curl_easy_setopt(h, CURLOPT_PROXY_CAINFO, o->ca_file);
	if (!rc)
		rc = curl_easy_setopt(h, CURLOPT_PROXY_CAPATH, o->ca_dir);
	return rc;
}

static CURLcode set_tls(CURL *h, const davit_connection_opts *o)
{
	CURLcode rc = set_authorities(h, o);
	bool trust_all = o->insecure == DAVIT_YES;

	/* Without a passphrase OpenSSL would ask for one on the terminal. */
	if (!rc && o->client_cert)
		rc = curl_easy_setopt(h, CURLOPT_KEYPASSWD,
				      o->client_key_password.s ? o->client_key_password.s : "");
	if (!rc && trust_all)
		rc = curl_easy_setopt(h, CURLOPT_SSL_VERIFYPEER, 0L);
	if (!rc && trust_all)
		rc = curl_easy_setopt(h, CURLOPT_SSL_VERIFYHOST, 0L);
	if (!rc && trust_all)
		rc = curl_easy_setopt(h, CURLOPT_PROXY_SSL_VERIFYPEER, 0L);
	if (!rc && trust_all)
		rc = curl_easy_setopt(h, CURLOPT_PROXY_SSL_VERIFYHOST, 0L);
	return rc;
}

int http_setup(CURL *h, const davit_connection_opts *o, char *why, davit_err *e)
{
	CURLcode rc = set_longs(h, o);

	if (!rc)
		rc = set_strings(h, o);
	if (!rc)
		rc = set_tls(h, o);
	if (!rc)
		rc = curl_easy_setopt(h, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	if (!rc)
		rc = curl_easy_setopt(h, CURLOPT_ERRORBUFFER, why);
	if (rc == CURLE_OUT_OF_MEMORY)
		return err_nomem(e);
	return rc ? err_set(e, DAVIT_EUNSUPPORTED, "this libcurl lacks an option that davit needs: %s",
			    curl_easy_strerror(rc))
		  : 0;
}

/* Connections made by libcurl and then used raw. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/limits.h"
#include "http/dial.h"
#include "http/internal.h"

enum { GOODBYE_MAX = 256 };

struct conn_curl {
	struct conn base;
	/* Own handles: a hijacked connection is never pooled and may outlive the client that dialled it. */
	CURLM *multi;
	CURL *easy;
	SSL *ssl;            /* curl's; NULL without TLS */
	unsigned tls_layers; /* 2: TLS within TLS to a proxy */
	curl_socket_t fd;
	pid_t pid;
	bool closed;               /* our direction */
	char goodbye[GOODBYE_MAX]; /* close_notify that is to be sent */
	size_t goodbye_n;
	char who[HTTP_WHO_MAX];
	char why[CURL_ERROR_SIZE];
};

static struct conn_curl *of(struct conn *c)
{
	return (struct conn_curl *)(void *)c;
}

static int lost(struct conn_curl *c, davit_err *e)
{
	long sys = 0;

	curl_easy_getinfo(c->easy, CURLINFO_OS_ERRNO, &sys);
	if (sys)
		return err_errno(e, (int)sys, "the connection to %s was lost", c->who);
	return err_set(e, DAVIT_EIO, "the connection to %s was lost: %s", c->who, c->why);
}

static int curl_conn_read(struct conn *base, void *buf, size_t cap, size_t *got, davit_err *e)
{
	struct conn_curl *c = of(base);
	size_t n = 0;
	CURLcode cc;

	c->why[0] = 0;
	cc = curl_easy_recv(c->easy, buf, cap, &n);
	if (cc == CURLE_AGAIN)
		return CONN_AGAIN;
	if (cc)
		return lost(c, e);
	*got = n;
	return 0;
}

static int curl_conn_write(struct conn *base, const void *p, size_t n, size_t *put, davit_err *e)
{
	struct conn_curl *c = of(base);
	size_t done = 0;
	CURLcode cc;

	c->why[0] = 0;
	cc = curl_easy_send(c->easy, p, n, &done);
	if (cc == CURLE_AGAIN || (!cc && !done))
		return CONN_AGAIN;
	if (cc)
		return lost(c, e);
	*put = done;
	return 0;
}

/*
 * Has OpenSSL write close_notify into memory. Its own BIO leads through curl's filters, which work only while
 * curl itself calls OpenSSL.
 */
static int make_goodbye(struct conn_curl *c, davit_err *e)
{
	BIO *theirs = SSL_get_wbio(c->ssl), *mine = BIO_new(BIO_s_mem());
	long n = 0;
	char *p = NULL;

	if (!mine)
		return err_nomem(e);
	BIO_up_ref(theirs);
	BIO_up_ref(mine);
	SSL_set0_wbio(c->ssl, mine);
	SSL_shutdown(c->ssl);
	n = BIO_get_mem_data(mine, &p);
	if (n > 0 && (size_t)n <= sizeof c->goodbye) {
		memcpy(c->goodbye, p, (size_t)n);
		c->goodbye_n = (size_t)n;
	}
	SSL_set0_wbio(c->ssl, theirs);
	BIO_free(mine);
	return c->goodbye_n ? 0 : err_set(e, DAVIT_EIO, "TLS with %s cannot be closed one way", c->who);
}

static int send_goodbye(struct conn_curl *c, davit_err *e)
{
	while (c->goodbye_n) {
		ssize_t n = send(c->fd, c->goodbye, c->goodbye_n, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return CONN_AGAIN;
		if (n < 0)
			return err_errno(e, errno, "the connection to %s was lost", c->who);
		memmove(c->goodbye, c->goodbye + n, c->goodbye_n - (size_t)n);
		c->goodbye_n -= (size_t)n;
	}
	return 0;
}

static int curl_conn_close_write(struct conn *base, davit_err *e)
{
	struct conn_curl *c = of(base);
	int rc;

	if (c->closed)
		return send_goodbye(c, e);
	if (!c->ssl) {
		if (shutdown(c->fd, SHUT_WR) && errno != ENOTCONN)
			return err_errno(e, errno, "closing our direction to %s", c->who);
		c->closed = true;
		return 0;
	}
	if (c->tls_layers > 1)
		return err_set(e, DAVIT_EUNSUPPORTED,
			       "%s is reached by TLS within TLS, which cannot be closed one way", c->who);
	rc = make_goodbye(c, e);
	if (rc)
		return rc;
	c->closed = true;
	return send_goodbye(c, e);
}

static int curl_conn_fd(const struct conn *base, int event)
{
	(void)event;
	return ((const struct conn_curl *)(const void *)base)->fd;
}

static bool curl_conn_pending(const struct conn *base)
{
	const struct conn_curl *c = (const struct conn_curl *)(const void *)base;

	return c->ssl && SSL_pending(c->ssl) > 0;
}

static void curl_conn_free(struct conn *base)
{
	struct conn_curl *c = of(base);

	/* In a forked child the connection is the parent's: no TLS goodbye from here. */
	if (c->pid == getpid()) {
		if (c->easy && c->multi)
			curl_multi_remove_handle(c->multi, c->easy);
		curl_easy_cleanup(c->easy);
		curl_multi_cleanup(c->multi);
	}
	free(c);
}

static const struct conn_ops ops = {
	.read = curl_conn_read,
	.write = curl_conn_write,
	.close_write = curl_conn_close_write,
	.fd = curl_conn_fd,
	.pending = curl_conn_pending,
	.free = curl_conn_free,
};

static CURLcode count_tls(CURL *h, void *ctx, void *user)
{
	struct conn_curl *c = user;

	(void)h;
	(void)ctx;
	c->tls_layers++;
	return CURLE_OK;
}

/* The connection stands. Only now and from here does curl tell its SSL object. */
static int on_connected(void *user, char *peer, char *local, int peer_port, int local_port)
{
	struct conn_curl *c = user;
	const struct curl_tlssessioninfo *tls = NULL;

	(void)peer;
	(void)local;
	(void)peer_port;
	(void)local_port;
	curl_easy_getinfo(c->easy, CURLINFO_TLS_SSL_PTR, &tls);
	if (tls && tls->backend == CURLSSLBACKEND_OPENSSL)
		c->ssl = tls->internals;
	if (c->ssl)
		SSL_set_mode(c->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	return CURL_PREREQFUNC_OK;
}

static int prepare(struct conn_curl *c, const davit_connection_opts *o, const struct uri *uri, davit_err *e)
{
	AUTO_BUF struct buf url = BUF_INIT_SECRET(LIMIT_URL);
	int rc = http_setup(c->easy, o, c->why, e);
	CURLcode cc;

	uri_write(uri, &url);
	if (!rc)
		rc = buf_check(&url, "the URL", e);
	if (rc)
		return rc;
	cc = curl_easy_setopt(c->easy, CURLOPT_URL, buf_str(&url));
	if (!cc)
		cc = curl_easy_setopt(c->easy, CURLOPT_CONNECT_ONLY, 1L);
	if (!cc)
		cc = curl_easy_setopt(c->easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
	if (!cc)
		cc = curl_easy_setopt(c->easy, CURLOPT_SSL_CTX_FUNCTION, count_tls);
	if (!cc)
		cc = curl_easy_setopt(c->easy, CURLOPT_SSL_CTX_DATA, c);
	if (!cc)
		cc = curl_easy_setopt(c->easy, CURLOPT_PREREQFUNCTION, on_connected);
	if (!cc)
		cc = curl_easy_setopt(c->easy, CURLOPT_PREREQDATA, c);
	return cc ? err_nomem(e) : 0;
}

static int on_tick(void *user, int *wait_ms, davit_err *e)
{
	(void)user;
	(void)e;
	*wait_ms = 1000; /* curl's own limit for connecting ends this */
	return 0;
}

static int connect_now(struct conn_curl *c, struct http_client *client, const struct uri *uri, davit_err *e)
{
	const davit_connection_opts *o = http_client_opts(client);
	struct http_tracer tracer = { o, NULL };
	const struct http_drive d = {
		.multi = c->multi,
		.easy = c->easy,
		.cancel = o->cancel,
		.tick = { on_tick, NULL },
	};
	struct http_failure f = { .easy = c->easy, .why = c->why, .opts = o, .uri = uri };
	int rc;

	http_trace_attach(c->easy, &tracer);
	if (curl_multi_add_handle(c->multi, c->easy))
		return err_nomem(e);
	rc = http_drive(&d, &f.rc, e);
	curl_easy_setopt(c->easy, CURLOPT_VERBOSE, 0L);
	if (!rc && f.rc) {
		rc = http_failure_report(&f, e);
		http_failure_keep(client, &f);
	}
	if (!rc && (curl_easy_getinfo(c->easy, CURLINFO_ACTIVESOCKET, &c->fd) || c->fd == CURL_SOCKET_BAD))
		rc = err_set(e, DAVIT_EIO, "the connection to %s was lost at once", c->who);
	http_client_trace(client, "* raw connection to %s: %s", c->who, rc ? davit_code_name(rc) : "open");
	return rc;
}

int dial_uri(struct http_client *client, const struct uri *uri, struct conn **out, davit_err *e)
{
	struct conn_curl *c;
	int rc = http_client_check_fork(client, e);

	if (rc)
		return rc;
	client->spoke_no_tls = client->nobody = false;
	c = calloc(1, sizeof *c);
	if (!c)
		return err_nomem(e);
	c->base.ops = &ops;
	c->pid = getpid();
	http_who(uri, http_client_opts(client), c->who);
	c->multi = curl_multi_init();
	c->easy = curl_easy_init();
	rc = c->multi && c->easy ? prepare(c, http_client_opts(client), uri, e) : err_nomem(e);
	if (!rc)
		rc = connect_now(c, client, uri, e);
	if (rc) {
		curl_conn_free(&c->base);
		return rc;
	}
	*out = &c->base;
	return 0;
}

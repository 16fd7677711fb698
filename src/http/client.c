#include "http/client.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/opts.h"
#include "http/internal.h"

enum {
	DEFAULT_CONNECT_MS = 30 * 1000,
	DEFAULT_LOW_SPEED = 1,
	DEFAULT_LOW_SPEED_S = 60,
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static CURLcode curl_ready;

static void curl_start(void)
{
	/* The flags change nothing on Unix: curl 7.88 always starts its TLS library here, in about 0.7 ms. */
	curl_ready = curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* Every string of the options. */
static const size_t strings[] = {
	offsetof(davit_connection_opts, unix_socket), offsetof(davit_connection_opts, ca_file),
	offsetof(davit_connection_opts, ca_dir),      offsetof(davit_connection_opts, client_cert),
	offsetof(davit_connection_opts, client_key),  offsetof(davit_connection_opts, client_key_password.s),
	offsetof(davit_connection_opts, proxy),       offsetof(davit_connection_opts, no_proxy),
	offsetof(davit_connection_opts, user_agent),
};

static char **string_at(davit_connection_opts *o, size_t i)
{
	return (char **)(void *)((char *)o + strings[i]);
}

/* Numbers whose 0 means a default. */
static const struct {
	size_t at;
	int value;
} defaults[] = {
	{ offsetof(davit_connection_opts, connect_timeout_ms), DEFAULT_CONNECT_MS },
	{ offsetof(davit_connection_opts, low_speed_limit), DEFAULT_LOW_SPEED },
	{ offsetof(davit_connection_opts, low_speed_time_s), DEFAULT_LOW_SPEED_S },
	{ offsetof(davit_connection_opts, retries), LIMIT_RETRIES },
	{ offsetof(davit_connection_opts, max_redirects), LIMIT_REDIRECTS },
};

static void fill_defaults(davit_connection_opts *o)
{
	for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++) {
		int *n = (int *)(void *)((char *)o + defaults[i].at);

		if (!*n)
			*n = defaults[i].value;
	}
	if (o->insecure == DAVIT_UNSET)
		o->insecure = DAVIT_NO;
	if (!o->user_agent)
		o->user_agent = "davit/" DAVIT_VERSION;
}

static int check_numbers(const davit_connection_opts *o, davit_err *e)
{
	if (o->connect_timeout_ms < 0 || o->timeout_ms < 0 || o->low_speed_time_s < 0)
		return err_set(e, DAVIT_EARG, "connection options: a time limit is negative");
	if (o->client_key && !o->client_cert)
		return err_set(e, DAVIT_EARG, "connection options: client_key needs client_cert");
	return 0;
}

/* Copies with defaults. *to can be given to free_opts() also after a failure. */
static int copy_opts(davit_connection_opts *to, const davit_connection_opts *from, davit_err *e)
{
	davit_connection_opts o = { .size = sizeof o };
	int rc = from ? opts_take(&o, from, sizeof o, "davit_connection_opts", e) : 0;

	if (!rc)
		rc = check_numbers(&o, e);
	if (rc)
		return rc;
	fill_defaults(&o);
	*to = o;
	for (size_t i = 0; i < sizeof strings / sizeof *strings; i++)
		*string_at(to, i) = NULL;
	for (size_t i = 0; i < sizeof strings / sizeof *strings; i++)
		if (!mem_strdup(*string_at(&o, i), string_at(to, i)))
			rc = err_nomem(e);
	if (to->cancel)
		davit_cancel_ref(to->cancel);
	return rc;
}

static void free_opts(davit_connection_opts *o)
{
	/* A proxy's URL may hold a password, too. */
	for (size_t i = 0; i < sizeof strings / sizeof *strings; i++)
		mem_free_secret(*string_at(o, i));
	davit_cancel_unref(o->cancel);
}

static int check_proxy(const char *proxy, davit_err *e)
{
	CURLU *u;
	CURLUcode rc;

	if (!proxy || !*proxy)
		return 0;
	u = curl_url();
	if (!u)
		return err_nomem(e);
	rc = curl_url_set(u, CURLUPART_URL, proxy, CURLU_NON_SUPPORT_SCHEME | CURLU_GUESS_SCHEME);
	curl_url_cleanup(u);
	if (rc == CURLUE_OUT_OF_MEMORY)
		return err_nomem(e);
	return rc ? err_set(e, DAVIT_EARG,
			    "the proxy is no valid URL (expected [scheme://][user:password@]host:port)")
		  : 0;
}

static int open_handles(struct http_client *c, davit_err *e)
{
	pthread_once(&curl_once, curl_start);
	if (curl_ready)
		return err_set(e, DAVIT_ENOMEM, "libcurl did not start: %s", curl_easy_strerror(curl_ready));
	c->multi = curl_multi_init();
	c->easy = curl_easy_init();
	if (!c->multi || !c->easy)
		return err_nomem(e);
	return http_setup(c->easy, &c->opts, c->why, e);
}

int http_client_new(const davit_connection_opts *opts, struct http_client **out, davit_err *e)
{
	struct http_client *c = calloc(1, sizeof *c);
	int rc;

	if (!c)
		return err_nomem(e);
	c->pid = getpid();
	rc = copy_opts(&c->opts, opts, e);
	if (!rc)
		rc = check_proxy(c->opts.proxy, e);
	if (!rc)
		rc = open_handles(c, e);
	if (rc) {
		http_client_free(c);
		return rc;
	}
	*out = c;
	return 0;
}

void http_client_free(struct http_client *c)
{
	if (!c)
		return;
	/* In a forked child closing would say goodbye on TLS connections that the parent still uses. */
	if (c->pid == getpid()) {
		curl_easy_cleanup(c->easy);
		curl_multi_cleanup(c->multi);
	}
	free_opts(&c->opts);
	free(c);
}

int http_client_check_fork(const struct http_client *c, davit_err *e)
{
	return c->pid == getpid()
		   ? 0
		   : err_set(e, DAVIT_ESTATE,
			     "this handle was made before fork(); make a new one in the child process");
}

const davit_connection_opts *http_client_opts(const struct http_client *c)
{
	return &c->opts;
}

bool http_client_peer_spoke_no_tls(const struct http_client *c)
{
	return c->spoke_no_tls;
}

bool http_client_nobody_there(const struct http_client *c)
{
	return c->nobody;
}

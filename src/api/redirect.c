#include "api/redirect.h"

#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/limits.h"

bool redirect_is(int status)
{
	return (status >= 301 && status <= 303) || status == 307 || status == 308;
}

static bool starts_with(const char *s, const char *prefix)
{
	return strncasecmp(s, prefix, strlen(prefix)) == 0;
}

static bool is_secret(const struct header *h)
{
	return h->secret || strcasecmp(h->name, "Authorization") == 0 || strcasecmp(h->name, "Cookie") == 0 ||
	       strcasecmp(h->name, "Proxy-Authorization") == 0;
}

static bool describes_body(const struct header *h)
{
	return starts_with(h->name, "Content-") || strcasecmp(h->name, "Expect") == 0;
}

static int drop(struct headers *h, bool (*which)(const struct header *), davit_err *e)
{
	struct headers kept = { 0 };
	int r = 0;

	for (size_t i = 0; i < h->n && !r; i++) {
		const struct header *x = &h->v[i];

		if (which(x))
			continue;
		r = x->secret ? headers_add_secret(&kept, x->name, x->value, e)
			      : headers_add(&kept, x->name, x->value, e);
	}
	if (r) {
		headers_fini(&kept);
		return r;
	}
	headers_fini(h);
	*h = kept;
	return 0;
}

int redirect_drop_secrets(struct headers *h, davit_err *e)
{
	return drop(h, is_secret, e);
}

/* 303: the answer lies elsewhere, the request itself was done. */
static int become_get(struct transfer *t, davit_err *e)
{
	if (strcmp(t->method, "HEAD") != 0)
		t->method = "GET";
	body_fini(&t->body);
	return drop(&t->headers, describes_body, e);
}

/* The first step to another origin. */
static int leave_origin(struct transfer *t, const struct uri *to, davit_err *e)
{
	if (strcmp(t->uri.scheme, "https") == 0 && strcmp(to->scheme, "http") == 0)
		return err_set(e, DAVIT_EPROTO, "%s redirects to plain http on %s, which is not followed",
			       t->uri.host, to->host);
	if (t->body.there && t->body.is_private)
		return err_set(e, DAVIT_EDENIED,
			       "%s redirects to %s, and the body may hold secrets that are not for "
			       "that server",
			       t->uri.host, to->host);
	t->foreign = true;
	return redirect_drop_secrets(&t->headers, e);
}

int redirect_follow(struct transfer *t, davit_err *e)
{
	const int max = http_client_opts(t->api->http)->max_redirects;
	const char *location = headers_get(&t->resp.headers, "Location");
	struct uri to;
	int r;

	if (!location)
		return err_set(e, DAVIT_EPROTO, "%s answered HTTP %d without a Location", t->uri.host,
			       t->resp.status);
	if (++t->redirects > max)
		return err_set(e, DAVIT_ELIMIT, "more than %d redirects, the last from %s", max, t->uri.host);
	r = uri_resolve(&t->uri, location, &t->mem, &to, e);
	if (r)
		return err_at(e, r == DAVIT_EARG ? DAVIT_EPROTO : r,
			      "%s redirects to a bad address: ", t->uri.host);
	if (t->resp.status == 303)
		r = become_get(t, e);
	if (!r && !uri_same_origin(&t->uri, &to))
		r = leave_origin(t, &to, e);
	if (r)
		return r;
	if (!body_can_resend(&t->body))
		return err_set(e, DAVIT_EUNSUPPORTED,
			       "%s redirects when the body had been read, and it cannot be read "
			       "again: give a source that can be rewound",
			       t->uri.host);
	t->uri = to;
	r = body_rewind(&t->body, e);
	return r ? r : TRANSFER_AGAIN;
}

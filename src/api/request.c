#include "api/request.h"

#include <string.h>

#include "api/path.h"
#include "api/redirect.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "wire/query.h"

bool type_has(const struct type *t, enum where where)
{
	for (const struct field *f = t ? t->fields : NULL; f && f->wire; f++) {
		if (f->where == where)
			return true;
	}
	return false;
}

static int check_gates(const struct api *a, const struct endpoint *ep, davit_err *e)
{
	unsigned v = a->version;

	if (v && ep->since && v < ep->since)
		return err_set(e, DAVIT_EUNSUPPORTED,
			       "needs version %u.%u of the API, and the server speaks %u.%u",
			       ep->since / 100u, ep->since % 100u, v / 100, v % 100);
	if (v && ep->until && v > ep->until)
		return err_set(e, DAVIT_EUNSUPPORTED,
			       "ended with version %u.%u of the API, and the server speaks %u.%u",
			       ep->until / 100u, ep->until % 100u, v / 100, v % 100);
	return 0;
}

/* Scheme, host, port and prefix of the base, as an address to which "/…" or "?…" can be appended. */
static int named_url(struct transfer *t, const struct call *c, struct buf *url, davit_err *e)
{
	struct uri base = t->api->base, to;
	int r;

	base.path = arena_printf(&t->mem, "%s/", base.path);
	if (!base.path)
		return err_nomem(e);
	if (!c->url)
		return err_set(e, DAVIT_EARG, "the address of the request is missing");
	r = uri_resolve(&base, c->url, &t->mem, &to, e);
	if (r)
		return err_at(e, r == DAVIT_EARG ? DAVIT_EPROTO : r, "the server named a bad address: ");
	uri_write(&to, url);
	return 0;
}

static int row_url(struct transfer *t, const struct call *c, struct buf *url, davit_err *e)
{
	/* The path is appended by hand: the prefix and encoded slashes must stay as they are. */
	uri_write(&t->api->base, url);
	return path_build(c->ep->path, c->path, url, e);
}

static int build_url(struct transfer *t, const struct call *c, davit_err *e)
{
	struct buf url = BUF_INIT_SECRET(LIMIT_URL);
	int r = c->ep->flags & EP_OTHER_URL ? named_url(t, c, &url, e) : row_url(t, c, &url, e);

	if (!r && c->in && c->ep->in)
		r = query_put(c->ep->in, c->in, t->api->version, &url, e);
	if (!r)
		r = buf_check(&url, "the URL", e);
	if (!r)
		r = uri_parse(buf_str(&url), &t->mem, &t->uri, e);
	buf_fini(&url);
	return r;
}

/* Bytes that the caller gave, the source, or the encoded body fields; a row without them has no body. */
static int build_body(struct transfer *t, const struct call *c, struct buf *json, davit_err *e)
{
	struct jnode *doc = NULL;
	int r;

	t->body.chunk = c->chunk;
	if (c->body) {
		body_set_bytes(&t->body, c->body, c->body_n);
		return 0;
	}
	if (c->source) {
		body_set_source(&t->body, c->source);
		return 0;
	}
	if (!c->in || !type_has(c->ep->in, IN_BODY))
		return 0;
	r = codec_encode(c->ep->in, c->in, t->api->version, &doc, e);
	if (!r)
		r = json_write(doc, json, e);
	json_unref_secret(doc);
	if (r)
		return r;
	body_set_bytes(&t->body, buf_str(json), json->len);
	t->body.is_private = true;
	return 0;
}

/* Whether a JSON document is expected back. */
static bool is_json(const struct endpoint *ep)
{
	return ep->shape == SHAPE_CALL && !(ep->flags & EP_RAW);
}

static int add_default(struct headers *h, const char *name, const char *value, davit_err *e)
{
	return !value || headers_get(h, name) ? 0 : headers_add(h, name, value, e);
}

static const char *content_type(const struct transfer *t, const struct call *c)
{
	if (!t->body.there || c->content_type)
		return t->body.there ? c->content_type : NULL;
	return c->body || c->source ? NULL : "application/json";
}

/* Whether the server should ask for the body, so that a 401 comes while it can still be sent. */
static bool wants_continue(const struct transfer *t)
{
	return t->auth && t->auth->ops->body == AUTH_BODY_NONE && t->body.there && !t->body.source.rewind;
}

static int build_headers(struct transfer *t, const struct call *c, davit_err *e)
{
	const struct endpoint *ep = c->ep;
	int r = c->headers ? headers_copy(&t->headers, c->headers, e) : 0;

	if (!r && c->in && ep->in)
		r = query_put_headers(ep->in, c->in, t->api->version, &t->headers, e);
	if (!r)
		r = add_default(&t->headers, "User-Agent", http_client_opts(t->api->http)->user_agent, e);
	if (!r)
		r = add_default(&t->headers, "Accept", is_json(ep) ? "application/json" : "*/*", e);
	if (!r)
		r = add_default(&t->headers, "Content-Type", content_type(t, c), e);
	if (!r && wants_continue(t))
		r = add_default(&t->headers, "Expect", "100-continue", e);
	return r;
}

/* A URL that an answer named may lie elsewhere: no secrets go there. */
static int check_origin(struct transfer *t, davit_err *e)
{
	if (uri_same_origin(&t->api->base, &t->uri))
		return 0;
	if (strcmp(t->api->base.scheme, "https") == 0 && strcmp(t->uri.scheme, "http") == 0)
		return err_set(e, DAVIT_EPROTO,
			       "%s names an address with plain http on %s, which is not used",
			       t->api->base.host, t->uri.host);
	t->foreign = true;
	return redirect_drop_secrets(&t->headers, e);
}

int request_build(struct transfer *t, const struct call *c, const struct uri *url, struct buf *json,
		  davit_err *e)
{
	const int limit = http_client_opts(t->api->http)->timeout_ms;
	int r = check_gates(t->api, c->ep, e);

	if (r)
		return r;
	t->method = c->ep->method;
	t->auth = t->api->auth;
	t->scope = c->scope;
	t->ok = c->ep->ok;
	t->idempotent = c->ep->flags & EP_IDEMPOTENT;
	t->no_retry = c->no_retry || c->tidy;
	t->tidy = c->tidy;
	t->decode = c->decode || is_json(c->ep);
	t->idle = c->ep->flags & EP_IDLE;
	t->stream = c->ep->shape != SHAPE_CALL;
	t->deadline = limit > 0 && !t->stream ? clock_mono_ms() + limit : 0;
	if (t->tidy)
		t->deadline = clock_mono_ms() + LIMIT_TIDY_MS;
	if (url)
		t->uri = *url;
	else
		r = build_url(t, c, e);
	if (!r)
		r = build_body(t, c, json, e);
	if (!r)
		r = build_headers(t, c, e);
	return r ? r : check_origin(t, e);
}

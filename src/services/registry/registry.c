/* The handle: opening, https or http, authentication, tokens. */
#include <stdlib.h>
#include <string.h>

#include "auth/bearer.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/limits.h"
#include "http/dial.h"
#include "services/registry/registry_internal.h"
#include "wire/dockerref.h"

/* --- opening ----------------------------------------------------------------------------------- */

/* Every string of the options. */
static const size_t texts[] = {
	offsetof(davit_registry_opts, username),       offsetof(davit_registry_opts, password.s),
	offsetof(davit_registry_opts, identity_token), offsetof(davit_registry_opts, authorization.s),
	offsetof(davit_registry_opts, token.s),        offsetof(davit_registry_opts, auth_host),
	offsetof(davit_registry_opts, basic_username), offsetof(davit_registry_opts, basic_password.s),
};

/* A copy whose strings lie in a; what was absent stays absent. */
static int copy_opts(const davit_registry_opts *in, struct arena *a, davit_registry_opts *out, davit_err *e)
{
	*out = *in;
	out->connection = NULL;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		const char **s = (const char **)(void *)((char *)out + texts[i]);

		if (!*s)
			continue;
		*s = arena_strdup(a, *s);
		if (!*s)
			return err_nomem(e);
	}
	return 0;
}

/* Answers the authenticator's question for credentials. */
static int lookup(void *user, const davit_registry_challenge *c, davit_registry_answer *answer, davit_err *e)
{
	const davit_registry *r = user;
	const davit_registry_opts *o = &r->opts;
	int got;

	if ((o->username && o->password.s) || o->identity_token.s || o->authorization.s) {
		if (o->username && o->password.s) {
			answer->username = o->username;
			answer->password = o->password;
		}
		answer->identity_token = o->identity_token;
		answer->authorization = o->authorization;
		return 0;
	}
	if (!o->challenge)
		return 0;
	got = o->challenge(o->challenge_user, c, answer);
	return got < 0 ? err_callback(e, got, "the challenge callback") : 0;
}

static int make_auth(davit_registry *r, struct auth **out, davit_err *e)
{
	const davit_registry_opts *o = &r->opts;
	struct registry_auth_opts a = {
		.host = r->host, .auth_host = o->auth_host, .http_auth = o->http_auth,
		.preset_over_http = o->preset_over_http == DAVIT_YES,
		.realm_https = o->realm_https == DAVIT_YES,
		.retry_anonymous = o->retry_anonymous == DAVIT_YES,
		.token = o->token, .basic_username = o->basic_username, .basic_password = o->basic_password,
		.lookup = lookup, .user = r,
	};

	return registry_auth_new(&a, out, e);
}

static void set_url(davit_registry *r)
{
	buf_clear(&r->url);
	buf_puts(&r->url, r->api->base.scheme);
	buf_puts(&r->url, "://");
	uri_write_authority(&r->api->base, &r->url);
}

static int open_handle(davit_registry *r, const char *host, const davit_registry_opts *opts, davit_err *e)
{
	static const davit_registry_opts defaults = { .size = sizeof defaults };
	const davit_connection_opts *conn = opts ? opts->connection : NULL;
	AUTO_BUF struct buf url = BUF_INIT(LIMIT_URL);
	struct auth *auth = NULL;
	const char *name;
	unsigned port;
	int rc;

	rc = copy_opts(opts ? opts : &defaults, &r->mem, &r->opts, e);
	if (!rc)
		rc = uri_split_host(host, &r->mem, &name, &port, e);
	if (rc)
		return rc;
	r->hub = registry_is_hub(name);
	r->port_named = port != 0;
	r->host = arena_strdup(&r->mem, dockerref_host(host));
	if (!r->host)
		return err_nomem(e);
	r->scheme_open = r->opts.plain_http == DAVIT_UNSET &&
			 (uri_is_loopback(name) || (conn && conn->insecure == DAVIT_YES));
	buf_printf(&url, "%s://%s", r->opts.plain_http == DAVIT_YES ? "http" : "https", r->host);
	rc = buf_check(&url, "the host", e);
	if (!rc)
		rc = make_auth(r, &auth, e);
	if (!rc)
		rc = api_new(&(struct api_setup){ &registry_service, buf_str(&url), conn, auth }, &r->api, e);
	if (rc)
		return rc;
	/* The authenticator has its own, finer rule. */
	r->api->secret_over_http = true;
	set_url(r);
	return buf_check(&r->url, "the host", e);
}

int davit_registry_open(const char *host, const davit_registry_opts *opts, davit_registry **out, davit_err *e)
{
	davit_registry *r;
	int rc = CHECK_OPTS(opts, davit_registry_opts, e);

	if (rc)
		return rc;
	if (!host || !*host)
		return err_set(e, DAVIT_EARG, "the registry's host is missing");
	r = calloc(1, sizeof *r);
	if (!r)
		return err_nomem(e);
	r->url.max = LIMIT_URL;
	rc = open_handle(r, host, opts, e);
	if (rc) {
		davit_registry_free(r);
		return rc;
	}
	*out = r;
	return 0;
}

void davit_registry_free(davit_registry *r)
{
	if (!r)
		return;
	api_free(r->api);
	arena_fini(&r->mem);
	buf_fini(&r->url);
	free(r);
}

const char *davit_registry_url(const davit_registry *r)
{
	return buf_str(&r->url);
}

/* --- calls ------------------------------------------------------------------------------------- */

/* Before the first request: does a host that may do without TLS speak it? */
static int choose_scheme(davit_registry *r, davit_err *e)
{
	struct uri *base = &r->api->base;
	davit_tri tls;
	int rc;

	if (!r->scheme_open)
		return 0;
	rc = dial_speaks_tls(r->api->http, base, &tls, e);
	if (rc)
		return rc;
	r->scheme_open = tls == DAVIT_UNSET;
	if (tls != DAVIT_NO)
		return 0;
	base->scheme = "http";
	if (!r->port_named)
		base->port = 80;
	set_url(r);
	return 0;
}

/*
 * Says in front of a failure what it is about: host/repo@digest. Calls to a URL of the registry's choice have
 * a path only for this.
 */
static int name_target(const davit_registry *r, const struct call *c, int rc, davit_err *e)
{
	const char *repo = c->path ? c->path[0] : NULL, *what = repo ? c->path[1] : NULL;

	if (!what)
		return err_at(e, rc, repo ? "%s/%s: " : "%s: ", r->host, repo);
	return err_at(e, rc, "%s/%s%s%s: ", r->host, repo, strchr(what, ':') ? "@" : ":", what);
}

int registry_call(davit_registry *r, const struct call *c, void **out, davit_err *e)
{
	int rc = choose_scheme(r, e);

	if (!rc)
		rc = api_call(r->api, c, out, e);
	return name_target(r, c, rc, e);
}

int registry_stream(davit_registry *r, const struct call *c, const struct stream_to *to, void **out,
		    davit_err *e)
{
	int rc = choose_scheme(r, e);

	if (!rc)
		rc = api_stream(r->api, c, to, out, e);
	return name_target(r, c, rc, e);
}

int registry_upload(davit_registry *r, const struct call *c, void **out, davit_err *e)
{
	/* Never the first request: an upload goes to a Location that an answer named. */
	return name_target(r, c, api_upload(r->api, c, out, e), e);
}

int registry_pages(davit_registry *r, const struct call *c,
		   int (*page)(void *user, void *reply, davit_err *e), void *user, davit_err *e)
{
	int rc = choose_scheme(r, e);

	if (!rc)
		rc = api_pages(r->api, c, page, user, e);
	return name_target(r, c, rc, e);
}

/* --- ping and authentication ------------------------------------------------------------------- */

int davit_registry_ping(davit_registry *r, davit_err *e)
{
	const struct call c = { .ep = REGISTRY_ROW(R_PING), .path = NOPATH };
	int rc = registry_call(r, &c, NULL, e);

	if (rc == DAVIT_ENOTFOUND)
		return err_at(e, rc, "%s is no registry with the v2 API: ", davit_registry_url(r));
	return rc;
}

static int begin_auth(davit_registry *r, const char *repo, const davit_registry_authenticate_opts *opts,
		      davit_err *e)
{
	struct registry_auth_force force = { .repo = repo };

	if (opts) {
		force.actions = opts->actions;
		force.username = opts->username;
		force.password = opts->password;
		force.authorization = opts->authorization;
		force.verify = opts->verify == DAVIT_YES;
		force.offline = opts->offline == DAVIT_YES;
	}
	return registry_auth_begin(r->api->auth, &force, e);
}

int davit_registry_authenticate(davit_registry *r, const char *repo,
				const davit_registry_authenticate_opts *opts, const char **token,
				davit_err *e)
{
	const struct call c = { .ep = REGISTRY_ROW(R_PING), .path = NOPATH };
	AUTO_BUF struct buf name = BUF_INIT(LIMIT_URL);
	davit_err own = { 0 };
	int rc = CHECK_OPTS(opts, davit_registry_authenticate_opts, e);

	if (!rc && repo)
		rc = registry_repo(r, repo, &name, e);
	if (!rc)
		rc = begin_auth(r, repo ? buf_str(&name) : NULL, opts, e);
	if (rc)
		return rc;
	rc = registry_call(r, &c, NULL, &own);
	if (registry_auth_end(r->api->auth))
		rc = 0;
	if (rc) {
		if (e)
			*e = own;
		return rc;
	}
	if (token)
		*token = davit_registry_token(r);
	return 0;
}

const char *davit_registry_token(const davit_registry *r)
{
	return registry_auth_token(r->api->auth);
}

const char *davit_registry_refresh_token(const davit_registry *r)
{
	return registry_auth_refresh_token(r->api->auth);
}

int davit_registry_set_token(davit_registry *r, const char *token, davit_err *e)
{
	return registry_auth_set_token(r->api->auth, token, e);
}

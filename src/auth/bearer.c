#include "auth/bearer.h"

#include <stdlib.h>
#include <string.h>

#include "auth/basic.h"
#include "auth/challenge.h"
#include "auth/token.h"
#include "auth/token_cache.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/mem.h"

#define AUTO_ARENA CLEANUP(arena_fini)

enum state {
	IDLE = 0, /* nothing is missing */
	WANTED,   /* ask and cred say which token is needed */
	FALLBACK, /* the same, but the token server knows no POST */
	ASKED,    /* the token request is on its way */
	GOT,      /* the token came; current is it */
};

struct registry_auth {
	struct auth auth;
	/* Options, owned. */
	char *host, *auth_host;
	davit_tri http_auth;
	bool preset_over_http, realm_https, retry_anonymous;
	int (*lookup)(void *user, const davit_registry_challenge *c, davit_registry_answer *answer,
		      davit_err *e);
	void *user;
	/* What requests carry: the Basic header if there is one, else the current token. */
	char *basic;
	bool basic_preset;
	bool basic_given; /* a whole Authorization value */
	struct token_cache tokens;
	struct token *current; /* in tokens, or NULL */
	/* The running request. */
	enum state state;
	bool answered; /* its 401 has been dealt with */
	bool by_post;
	bool anonymous; /* the last token was asked for without credentials */
	bool given_refused; /* the request was sent with the caller's token first, and refused */
	struct token_ask ask;
	struct token_cred cred;
	/* A refresh token that took the place of the identity token seed. */
	char *refresh, *seed;
	/* registry_auth_begin() */
	bool forced, verify, stopped;
	char *force_repo, *force_actions;
	struct token_cred force_cred;
};


static struct registry_auth *self(struct auth *a)
{
	return (struct registry_auth *)a;
}

static const char not_known[] = "wants a user name and a password, and none are known" TOKEN_ADVICE_NONE;
static const char given_token[] = "refused the given token" TOKEN_ADVICE_GIVEN;

static const char *refused_basic(const struct registry_auth *r)
{
	return r->basic_given ? "refused the given authorization" TOKEN_ADVICE_WRONG
			      : "refused the user name or password" TOKEN_ADVICE_WRONG;
}

/* A 401 that stays one: "unauthorized: HOST WHY". */
static int denied(const struct registry_auth *r, const char *why, davit_err *e)
{
	err_set(e, DAVIT_EDENIED, "unauthorized: %s %s", r->host, why);
	if (e)
		e->http = 401;
	return DAVIT_EDENIED;
}

/* Puts a copy of value in place of *to. */
static int replace(char **to, const char *value, davit_err *e)
{
	char *copy;

	if (!mem_strdup(value, &copy))
		return err_nomem(e);
	mem_free_secret(*to);
	*to = copy;
	return 0;
}

/* Whether an answer to a challenge may go to u. */
static bool may_send(const struct registry_auth *r, const struct uri *u)
{
	if (!strcmp(u->scheme, "https") || r->http_auth == DAVIT_YES)
		return true;
	return r->http_auth == DAVIT_UNSET && uri_is_loopback(u->host);
}

static int refuse_http(const struct uri *u, davit_err *e)
{
	err_set(e, DAVIT_EDENIED,
		"credentials are not sent over plain http to %s; use https, or allow it explicitly", u->host);
	if (e)
		e->http = 401;
	return DAVIT_EDENIED;
}

/* Copies credentials; those that cannot be used alone are left out. */
static int copy_cred(const davit_registry_answer *a, struct token_cred *out, davit_err *e)
{
	if (!mem_strdup(a->username, &out->username) || !mem_strdup(a->password.s, &out->password) ||
	    !mem_strdup(a->authorization.s, &out->authorization) ||
	    !mem_strdup(a->identity_token.s, &out->refresh))
		return err_nomem(e);
	return 0;
}

/* "pull,push" of a list, or NULL for an empty one. */
static int join_actions(const davit_strv *actions, char **out, davit_err *e)
{
	AUTO_BUF struct buf text = BUF_INIT(LIMIT_URL);
	int r;

	*out = NULL;
	for (size_t i = 0; i < actions->n; i++)
		buf_printf(&text, "%s%s", i ? "," : "", actions->v[i]);
	r = buf_check(&text, "list of actions", e);
	if (!r && actions->n) {
		*out = buf_take(&text);
		r = *out ? 0 : err_nomem(e);
	}
	return r;
}

/* The resource of the first scope in a list, if it is a repository: "repository:NAME" has n characters. */
static bool repository_of(const char *scopes, size_t *n)
{
	static const char prefix[] = "repository:";
	const char *colon;

	if (!scopes || strncmp(scopes, prefix, sizeof prefix - 1) != 0)
		return false;
	colon = memrchr(scopes, ':', strcspn(scopes, " "));
	*n = (size_t)(colon - scopes);
	return *n >= sizeof prefix - 1;
}

/* "repository:REPO:actions" for the repository of the call, else of the challenge. */
static void scope_for_actions(const struct registry_auth *r, const char *hint, const char *asked,
			      const char *actions, struct buf *out)
{
	size_t n;

	if (r->forced && r->force_repo)
		buf_printf(out, "repository:%s:%s", r->force_repo, actions);
	else if (repository_of(hint, &n))
		buf_printf(out, "%.*s:%s", (int)n, hint, actions);
	else if (repository_of(asked, &n))
		buf_printf(out, "%.*s:%s", (int)n, asked, actions);
}

/* Copies a list of scopes with single spaces between them. */
static int copy_scopes(const char *scopes, struct buf *out, davit_err *e)
{
	size_t count = 0;

	while (*(scopes += strspn(scopes, " \t"))) {
		size_t n = strcspn(scopes, " \t");

		if (count++ == LIMIT_SCOPES)
			return err_set(e, DAVIT_ELIMIT, "challenge asks for more than %d scopes",
				       LIMIT_SCOPES);
		if (out->len)
			buf_putc(out, ' ');
		buf_add(out, scopes, n);
		scopes += n;
	}
	return 0;
}

/*
 * Which scopes to ask for: the caller's actions, else the challenge's, else those of a call to the registry
 * itself.
 */
static int choose_scopes(struct registry_auth *r, const char *hint, const char *asked, const char *actions,
			 davit_err *e)
{
	AUTO_BUF struct buf scopes = BUF_INIT(LIMIT_URL);
	int rc = 0;

	if (actions)
		scope_for_actions(r, hint, asked, actions, &scopes);
	else if (asked)
		rc = copy_scopes(asked, &scopes, e);
	else if (hint && !strncmp(hint, "registry:", 9))
		rc = copy_scopes(hint, &scopes, e);
	if (!rc)
		rc = buf_check(&scopes, "scope of the token", e);
	return rc ? rc : replace(&r->ask.scopes, buf_str(&scopes), e);
}

/*
 * The URL of the token server: https unless the registry itself is http, auth_host in place of its own host.
 */
static int choose_realm(struct registry_auth *r, const struct uri *registry, const char *realm, davit_err *e)
{
	AUTO_ARENA struct arena mem = { 0 };
	AUTO_BUF struct buf url = BUF_INIT(LIMIT_URL);
	struct uri u;
	int rc = uri_parse(realm, &mem, &u, e);

	if (rc == DAVIT_EARG) {
		rc = DAVIT_EPROTO; /* not the caller's argument */
		if (e)
			e->code = rc;
	}
	if (rc)
		return err_at(e, rc, "token server named by %s: ", r->host);
	if (!strcmp(u.scheme, "http") && (r->realm_https || !strcmp(registry->scheme, "https"))) {
		u.scheme = "https";
		u.port = u.port == 80 ? 443 : u.port;
	}
	if (r->auth_host) {
		unsigned port;

		rc = uri_split_host(r->auth_host, &mem, &u.host, &port, e);
		u.port = port ? port : !strcmp(u.scheme, "https") ? 443 : 80;
	}
	if (rc)
		return rc;
	uri_write(&u, &url);
	rc = buf_check(&url, "URL of the token server", e);
	return rc ? rc : replace(&r->ask.realm, buf_str(&url), e);
}

/* Splits a list of scopes for the caller's eyes. */
static int split_scopes(const char *scopes, struct arena *a, davit_strv *out, davit_err *e)
{
	const char **v = arena_alloc(a, LIMIT_SCOPES, sizeof *v);
	size_t n = 0;

	if (!v)
		return err_nomem(e);
	while (scopes && *(scopes += strspn(scopes, " \t")) && n < LIMIT_SCOPES) {
		size_t len = strcspn(scopes, " \t");

		v[n] = arena_strndup(a, scopes, len);
		if (!v[n++])
			return err_nomem(e);
		scopes += len;
	}
	*out = (davit_strv){ v, n };
	return 0;
}

/* Finds the credentials for a challenge into r->cred; *actions gets the caller's choice or NULL, owned. */
static int find_cred(struct registry_auth *r, const davit_registry_challenge *c, char **actions, davit_err *e)
{
	davit_registry_answer answer = { 0 };
	int rc = 0;

	token_cred_fini(&r->cred);
	*actions = NULL;
	if (r->forced && token_cred_is_secret(&r->force_cred))
		answer = (davit_registry_answer){
			.username = r->force_cred.username, .password = { r->force_cred.password },
			.authorization = { r->force_cred.authorization },
		};
	else if (r->lookup)
		rc = r->lookup(r->user, c, &answer, e);
	if (!rc)
		rc = copy_cred(&answer, &r->cred, e);
	r->cred.offline = r->forced && r->force_cred.offline;
	if (!rc && r->cred.refresh && r->seed && !strcmp(r->cred.refresh, r->seed))
		rc = replace(&r->cred.refresh, r->refresh, e);
	if (rc)
		return rc;
	if (r->forced && r->force_actions)
		return replace(actions, r->force_actions, e);
	return join_actions(&answer.actions, actions, e);
}

/* Credentials for another token with the scopes of the current one. */
static int begin_refresh(struct registry_auth *r, davit_err *e)
{
	AUTO_ARENA struct arena mem = { 0 };
	AUTO_FREE char *actions = NULL;
	const struct token_ask *old = &r->current->ask;
	davit_registry_challenge c = {
		.host = r->host, .scheme = "bearer", .realm = old->realm, .service = old->service,
	};
	int rc = split_scopes(old->scopes, &mem, &c.scopes, e);

	if (!rc)
		rc = find_cred(r, &c, &actions, e);
	if (!rc)
		rc = replace(&r->ask.realm, old->realm, e);
	if (!rc)
		rc = replace(&r->ask.service, old->service, e);
	if (!rc)
		rc = replace(&r->ask.scopes, old->scopes, e);
	if (!rc)
		r->state = WANTED;
	return rc;
}

static int ask_token(struct registry_auth *r, struct auth_subrequest *sub, davit_err *e)
{
	AUTO_ARENA struct arena mem = { 0 };
	struct uri u;
	int rc = uri_parse(r->ask.realm, &mem, &u, e);

	if (rc)
		return rc;
	if (token_cred_is_secret(&r->cred) && !may_send(r, &u))
		return refuse_http(&u, e);
	r->anonymous = !token_cred_is_secret(&r->cred);
	r->by_post = r->state != FALLBACK && token_wants_post(&r->cred);
	rc = token_request(&r->ask, &r->cred, r->by_post, sub, e);
	if (rc)
		return rc;
	r->state = ASKED;
	return AUTH_NEED;
}

/* A new request: forgets what the last one left undone and chooses its token. */
static void begin_request(struct registry_auth *r, const struct auth_request *req)
{
	struct token *t;

	r->state = IDLE;
	r->answered = false;
	token_cred_fini(&r->cred);
	if (r->forced) {
		r->current = NULL;
		return;
	}
	if (!req->scope)
		return;
	t = token_cache_find(&r->tokens, req->scope);
	if (!t)
		t = token_cache_find_near(&r->tokens, req->scope, req->now);
	if (!t && r->current && r->current->expires && req->now >= r->current->expires)
		r->current = NULL;
	if (t)
		r->current = t;
}

static int attach(const struct registry_auth *r, struct auth_request *req, davit_err *e)
{
	AUTO_BUF struct buf bearer = BUF_INIT_SECRET(LIMIT_HEADER_LINE);
	bool preset = r->basic ? r->basic_preset : r->current && !r->current->ask.realm;
	int rc;

	if (!r->basic && !r->current)
		return AUTH_READY;
	if (preset && !r->preset_over_http && !may_send(r, req->uri))
		return refuse_http(req->uri, e);
	if (!r->basic) {
		buf_puts(&bearer, "Bearer ");
		buf_puts(&bearer, r->current->text);
	}
	rc = buf_check(&bearer, "token", e);
	if (rc)
		return rc;
	headers_remove(req->headers, "Authorization");
	return headers_add_secret(req->headers, "Authorization", r->basic ? r->basic : buf_str(&bearer), e);
}

/* Whether the token that is about to be sent must be replaced first. */
static bool is_ending(const struct registry_auth *r, int64_t now)
{
	return r->state == IDLE && !r->basic && r->current && r->current->ask.realm &&
	       now >= r->current->refresh_at;
}

static int bearer_prepare(struct auth *a, struct auth_request *req, struct auth_subrequest *sub, davit_err *e)
{
	struct registry_auth *r = self(a);
	int rc = 0;

	if (!req->attempt)
		r->answered = r->given_refused = false;
	if (!req->attempt && r->state != GOT && r->state != FALLBACK)
		begin_request(r, req);
	if (is_ending(r, req->now))
		rc = begin_refresh(r, e);
	if (rc)
		return rc;
	if (r->state == WANTED || r->state == FALLBACK)
		return ask_token(r, sub, e);
	r->state = IDLE;
	if (!r->forced)
		return attach(r, req, e);
	if (!r->answered)
		return AUTH_READY;
	if (r->verify && !r->current)
		return attach(r, req, e);
	r->stopped = true;
	return err_set(e, DAVIT_ESTATE, "authentication ended before the request was sent");
}

/* Keeps a refresh token in place of the identity token that led to it. */
static int keep_refresh(struct registry_auth *r, const char *refresh, davit_err *e)
{
	int rc = 0;

	/* The seed stays the same while refresh tokens are exchanged for one another. */
	if (r->cred.refresh && (!r->refresh || strcmp(r->cred.refresh, r->refresh) != 0))
		rc = replace(&r->seed, r->cred.refresh, e);
	return rc ? rc : replace(&r->refresh, refresh, e);
}

static int bearer_feed(struct auth *a, const struct auth_answer *answer, davit_err *e)
{
	CLEANUP(token_reply_fini) struct token_reply reply = { 0 };
	AUTO_ARENA struct arena mem = { 0 };
	struct registry_auth *r = self(a);
	AUTO_BUF struct buf host = BUF_INIT(LIMIT_URL);
	struct token_asked asked = { .cred = &r->cred, .instead = r->given_refused };
	struct uri u;
	int rc;

	if (r->state != ASKED)
		return err_set(e, DAVIT_ESTATE, "no token was asked for");
	r->state = IDLE;
	if (r->by_post && (answer->status == 404 || answer->status == 405)) {
		r->state = FALLBACK;
		return 0;
	}
	rc = uri_parse(r->ask.realm, &mem, &u, e);
	if (!rc) {
		buf_printf(&host, strchr(u.host, ':') ? "[%s]:%u" : "%s:%u", u.host, u.port);
		asked.host = buf_str(&host);
		rc = token_answer(answer, &asked, &reply, e);
	}
	if (!rc && reply.refresh && r->by_post)
		rc = keep_refresh(r, reply.refresh, e);
	if (!rc) {
		r->current = NULL;
		rc = token_cache_add(&r->tokens, &r->ask, &reply, &r->current, e);
	}
	token_cred_fini(&r->cred);
	if (rc)
		return rc;
	mem_free_secret(r->basic);
	r->basic = NULL;
	r->state = GOT;
	return 0;
}

/* A token that was thought to be good was refused: do not try it again. */
static void drop_refused(struct registry_auth *r, const char *hint, const char *error)
{
	bool invalid = error && !strcmp(error, "invalid_token");

	if (!r->current)
		return;
	if (invalid || (r->current->ask.realm && hint && token_covers(r->current, hint)))
		token_cache_drop(&r->tokens, r->current);
	r->current = NULL;
}

static int answer_bearer(struct registry_auth *r, const struct auth_request *req, const struct challenge *c,
			 davit_err *e)
{
	AUTO_ARENA struct arena mem = { 0 };
	AUTO_FREE char *actions = NULL;
	const char *asked = challenge_param(c, "scope");
	davit_registry_challenge seen = {
		.host = r->host, .scheme = "bearer", .realm = challenge_param(c, "realm"),
		.service = challenge_param(c, "service"),
	};
	int rc = split_scopes(asked, &mem, &seen.scopes, e);

	drop_refused(r, req->scope, challenge_param(c, "error"));
	if (!rc)
		rc = choose_realm(r, req->uri, seen.realm, e);
	if (!rc)
		rc = find_cred(r, &seen, &actions, e);
	if (!rc)
		rc = choose_scopes(r, req->scope, asked, actions, e);
	if (!rc)
		rc = replace(&r->ask.service, seen.service, e);
	if (!rc)
		r->state = WANTED;
	return rc;
}

/* Makes the header from r->cred; NULL if there is nothing to make it of. */
static int make_basic(const struct registry_auth *r, char **out, davit_err *e)
{
	AUTO_BUF struct buf header = BUF_INIT_SECRET(2 * LIMIT_TOKEN);
	int rc = 0;

	*out = NULL;
	if (r->cred.username && r->cred.password)
		rc = basic_header(r->cred.username, r->cred.password, &header, e);
	else if (r->cred.authorization)
		buf_puts(&header, r->cred.authorization);
	else
		return 0;
	if (!rc)
		rc = buf_check(&header, "Authorization header", e);
	if (rc)
		return rc;
	*out = buf_take(&header);
	return *out ? 0 : err_nomem(e);
}

static int answer_basic(struct registry_auth *r, const struct auth_request *req, const struct challenge *c,
			davit_err *e)
{
	AUTO_FREE char *actions = NULL;
	davit_registry_challenge seen = {
		.host = r->host, .scheme = "basic", .realm = challenge_param(c, "realm"),
	};
	char *header;
	bool given;
	int rc = find_cred(r, &seen, &actions, e);

	if (!rc)
		rc = make_basic(r, &header, e);
	given = !(r->cred.username && r->cred.password);
	token_cred_fini(&r->cred);
	if (rc)
		return rc;
	if (!header && !r->retry_anonymous)
		return denied(r, r->basic ? refused_basic(r) : r->given_refused ? given_token : not_known, e);
	if (header && r->basic && !r->forced && !strcmp(header, r->basic)) {
		mem_free_secret(header);
		return denied(r, refused_basic(r), e);
	}
	if (header && !may_send(r, req->uri)) {
		mem_free_secret(header);
		return refuse_http(req->uri, e);
	}
	mem_free_secret(r->basic);
	r->basic = header;
	r->basic_preset = false;
	r->basic_given = given;
	r->current = NULL;
	return AUTH_READY;
}

/* Bearer if it can be used, else Basic. */
static int answer_challenges(struct registry_auth *r, const struct auth_request *req,
			     const struct challenges *all, davit_err *e)
{
	const struct challenge *bearer = challenge_find(all, "bearer"), *basic = challenge_find(all, "basic");

	if (bearer && challenge_param(bearer, "realm"))
		return answer_bearer(r, req, bearer, e);
	if (basic)
		return answer_basic(r, req, basic, e);
	if (bearer)
		return denied(r, "names no token server", e);
	if (!all->n)
		return denied(r, "does not say how to authenticate", e);
	return denied(r, "wants an authentication scheme other than bearer and basic", e);
}

/* Why the answer to the first challenge did not help. */
static const char *refusal(const struct registry_auth *r)
{
	if (r->basic)
		return refused_basic(r);
	if (!r->current)
		return not_known;
	if (r->anonymous)
		return r->given_refused ? given_token
					: "does not allow this without credentials" TOKEN_ADVICE_NONE;
	return "does not allow this with these credentials; use an account that may do it";
}

static int bearer_challenge(struct auth *a, const struct auth_request *req, const struct headers *answer,
			    davit_err *e)
{
	AUTO_ARENA struct arena mem = { 0 };
	struct registry_auth *r = self(a);
	struct challenges all = { 0 };
	int rc;

	if (r->http_auth == DAVIT_NO && strcmp(req->uri->scheme, "https") != 0)
		return denied(r, "was asked over plain http, and authentication requires https", e);
	if (r->answered)
		return denied(r, refusal(r), e);
	if (!r->basic && r->current && !r->current->ask.realm)
		r->given_refused = true;
	rc = challenge_parse_all(answer, &mem, &all, e);
	if (!rc)
		rc = answer_challenges(r, req, &all, e);
	if (rc) {
		token_cred_fini(&r->cred);
		return rc;
	}
	r->answered = true;
	return AUTH_READY;
}

static void clear_force(struct registry_auth *r)
{
	r->forced = r->verify = false;
	free(r->force_repo);
	free(r->force_actions);
	r->force_repo = r->force_actions = NULL;
	token_cred_fini(&r->force_cred);
}

static void bearer_free(struct auth *a)
{
	struct registry_auth *r = self(a);

	clear_force(r);
	token_cache_fini(&r->tokens);
	token_ask_fini(&r->ask);
	token_cred_fini(&r->cred);
	mem_free_secret(r->basic);
	mem_free_secret(r->refresh);
	mem_free_secret(r->seed);
	free(r->host);
	free(r->auth_host);
	free(r);
}

static const struct auth_ops bearer_ops = {
	.prepare = bearer_prepare,
	.feed = bearer_feed,
	.challenge = bearer_challenge,
	.free = bearer_free,
};

/* Credentials for the first request. */
static int set_presets(struct registry_auth *r, const struct registry_auth_opts *o, davit_err *e)
{
	AUTO_BUF struct buf header = BUF_INIT_SECRET(2 * LIMIT_TOKEN);
	int rc = o->token.s ? token_cache_add_given(&r->tokens, o->token.s, &r->current, e) : 0;

	if (rc || !o->basic_username)
		return rc;
	rc = basic_header(o->basic_username, o->basic_password.s, &header, e);
	if (!rc)
		rc = replace(&r->basic, buf_str(&header), e);
	r->basic_preset = true;
	return rc;
}

int registry_auth_new(const struct registry_auth_opts *o, struct auth **out, davit_err *e)
{
	struct registry_auth *r = calloc(1, sizeof *r);
	int rc;

	if (!r)
		return err_nomem(e);
	r->auth.ops = &bearer_ops;
	r->http_auth = o->http_auth;
	r->preset_over_http = o->preset_over_http;
	r->realm_https = o->realm_https;
	r->retry_anonymous = o->retry_anonymous;
	r->lookup = o->lookup;
	r->user = o->user;
	rc = replace(&r->host, o->host, e);
	if (!rc)
		rc = replace(&r->auth_host, o->auth_host, e);
	if (!rc)
		rc = set_presets(r, o, e);
	if (rc) {
		bearer_free(&r->auth);
		return rc;
	}
	*out = &r->auth;
	return 0;
}

const char *registry_auth_token(const struct auth *a)
{
	const struct registry_auth *r = (const struct registry_auth *)a;

	return r->current ? r->current->text : NULL;
}

int registry_auth_set_token(struct auth *a, const char *token, davit_err *e)
{
	struct registry_auth *r = self(a);
	AUTO_FREE char *copy = NULL;
	int rc;

	/* It may be the text of a token that is about to be dropped. */
	if (!mem_strdup(token, &copy))
		return err_nomem(e);
	r->current = NULL;
	token_cache_fini(&r->tokens);
	mem_free_secret(r->basic);
	r->basic = NULL;
	rc = copy ? token_cache_add_given(&r->tokens, copy, &r->current, e) : 0;
	if (copy)
		mem_wipe(copy, strlen(copy));
	return rc;
}

const char *registry_auth_refresh_token(const struct auth *a)
{
	return ((const struct registry_auth *)a)->refresh;
}

int registry_auth_begin(struct auth *a, const struct registry_auth_force *f, davit_err *e)
{
	struct registry_auth *r = self(a);
	const davit_registry_answer given = {
		.username = f->username, .password = f->password, .authorization = f->authorization,
	};
	int rc;

	clear_force(r);
	r->stopped = false;
	rc = replace(&r->force_repo, f->repo, e);
	if (!rc)
		rc = join_actions(&f->actions, &r->force_actions, e);
	if (!rc)
		rc = copy_cred(&given, &r->force_cred, e);
	if (rc) {
		clear_force(r);
		return rc;
	}
	r->force_cred.offline = f->offline;
	r->verify = f->verify;
	r->forced = true;
	r->state = IDLE;
	return 0;
}

bool registry_auth_end(struct auth *a)
{
	struct registry_auth *r = self(a);

	clear_force(r);
	return r->stopped;
}

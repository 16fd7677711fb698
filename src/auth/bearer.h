/*
 * The registry's authenticator: anonymous first, then what the 401 asks for. Bearer tokens come from a token
 * server (GET, or OAuth2 POST with an identity token), Basic is used if nothing better is offered.
 *
 * Tokens are cached by their scopes, so a handle may alternate between repositories. A token that is about to
 * end is replaced before the next request goes out. One 401 per request is answered; the second one is
 * DAVIT_EDENIED with davit_err::http 401.
 */
#ifndef DAVIT_AUTH_BEARER_H
#define DAVIT_AUTH_BEARER_H

#include <stdbool.h>

#include <davit/registry.h>

#include "auth/auth.h"

struct registry_auth_opts {
	const char *host;      /* host[:port] of the registry, for lookup and messages */
	const char *auth_host; /* host[:port] that replaces the one of a realm, or NULL */
	/*
	 * Whether secrets may answer a challenge over plain http, to the registry and to its token server.
	 * Yes: to any host. No: never, a 401 over http fails at once. Unset: to loopback hosts.
	 */
	davit_tri http_auth;
	/* token and basic_username go over plain http to any host, whatever http_auth says */
	bool preset_over_http;
	bool realm_https;      /* the realm is asked by https even if the registry itself is plain http */
	/* answer a Basic challenge without credentials by sending the request once more */
	bool retry_anonymous;
	davit_secret token;    /* bearer token from the first request on, or NULL */
	const char *basic_username; /* Basic credentials from the first request on, with basic_password */
	davit_secret basic_password;
	/*
	 * Asked for credentials when a challenge comes; an answer left empty means anonymous. What it sets
	 * must stay valid until the next call of lookup. 0, or a negative code that ends the call. May be
	 * NULL.
	 */
	int (*lookup)(void *user, const davit_registry_challenge *c, davit_registry_answer *answer,
		      davit_err *e);
	void *user;
};

/* Strings are copied. */
int registry_auth_new(const struct registry_auth_opts *opts, struct auth **out, davit_err *e);

/* The bearer token in use, or NULL; it lasts until the next call that touches a. */
const char *registry_auth_token(const struct auth *a);
/* Forgets all tokens and Basic credentials; a token that is not NULL is sent from now on. */
int registry_auth_set_token(struct auth *a, const char *token, davit_err *e);
/* The refresh token that a token server gave last, or NULL: the identity token to be stored by a login. */
const char *registry_auth_refresh_token(const struct auth *a);

/* Authentication for its own sake. Strings are copied. */
struct registry_auth_force {
	const char *repo;           /* with actions: the scope repository:REPO:A,B is asked for */
	/* absent: the challenge's scopes, else the call's if it is "registry:…" */
	davit_strv actions;
	const char *username;       /* these instead of lookup, if any of them is set */
	davit_secret password;
	davit_secret authorization;
	bool offline;               /* ask for a refresh token too (OAuth2 POST with the password) */
	bool verify;                /* Basic: try the credentials instead of stopping before they are sent */
};

/*
 * The next request (GET /v2/) serves to be challenged: it carries no token, and once its challenge has led to
 * a token, or to Basic credentials without verify, prepare() ends the call with DAVIT_ESTATE.
 * registry_auth_end() must follow: true if that was the reason, so that the call's failure is none.
 */
int registry_auth_begin(struct auth *a, const struct registry_auth_force *f, davit_err *e);
bool registry_auth_end(struct auth *a);

#endif

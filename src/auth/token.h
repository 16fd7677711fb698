/* Requests to a token server (docker's token and OAuth2 specifications) and its answers. */
#ifndef DAVIT_AUTH_TOKEN_H
#define DAVIT_AUTH_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include <davit/err.h>

#include "auth/auth.h"

/* What to ask for. Owned strings; NULL is absent. */
struct token_ask {
	char *realm;   /* URL of the token server */
	char *service;
	char *scopes;  /* separated by single spaces; "" for none */
};
void token_ask_fini(struct token_ask *a);

/* Whom to ask as: owned secrets, none of them for anonymous. */
struct token_cred {
	char *username, *password;
	char *authorization; /* whole value of the header */
	char *refresh;       /* identity token; or a newer refresh token in its place */
	bool offline;        /* ask for a refresh token with the password */
};
void token_cred_fini(struct token_cred *c);
bool token_cred_is_secret(const struct token_cred *c);

/* Whether the request is to be the OAuth2 POST. */
bool token_wants_post(const struct token_cred *c);
/* Fills sub, which is fresh, with a POST or a GET. */
int token_request(const struct token_ask *a, const struct token_cred *c, bool post,
		  struct auth_subrequest *sub, davit_err *e);

/* What the token server gave: owned secrets. */
struct token_reply {
	char *token;        /* never NULL on success */
	char *refresh;      /* refresh token, or NULL */
	int64_t now;        /* when it came: seconds since 1970 */
	int64_t expires_in; /* seconds from then */
};
void token_reply_fini(struct token_reply *r);

/* What to do about missing and about refused credentials; ends a sentence. */
#define TOKEN_ADVICE_NONE                                                                  \
	"; log in (davit registry login) or give a user name and a password (--username, " \
	"DXF_USERNAME and DXF_PASSWORD)"
#define TOKEN_ADVICE_WRONG "; check them, or log in again (davit registry login)"
#define TOKEN_ADVICE_GIVEN "; give a valid token, or log in (davit registry login)"

/* Who was asked for a token, and how; for messages. */
struct token_asked {
	const char *host; /* host:port of the token server */
	const struct token_cred *cred;
	bool instead;     /* of a token that the caller gave and the registry refused */
};

/*
 * Takes the answer of a token server. DAVIT_EDENIED with davit_err::http for 400, 401 and 403,
 * DAVIT_EREMOTE for other errors, DAVIT_EPROTO if there is no token in it.
 */
int token_answer(const struct auth_answer *answer, const struct token_asked *asked, struct token_reply *out,
		 davit_err *e);

#endif

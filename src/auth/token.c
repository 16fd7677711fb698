#include "auth/token.h"

#include <stdlib.h>
#include <string.h>

#include <davit/value.h>

#include "auth/basic.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/mem.h"
#include "wire/json.h"

enum { DEFAULT_EXPIRY = 60 }; /* seconds, as the token specification says */

void token_ask_fini(struct token_ask *a)
{
	free(a->realm);
	free(a->service);
	free(a->scopes);
	*a = (struct token_ask){ 0 };
}

void token_cred_fini(struct token_cred *c)
{
	mem_free_secret(c->username);
	mem_free_secret(c->password);
	mem_free_secret(c->authorization);
	mem_free_secret(c->refresh);
	*c = (struct token_cred){ 0 };
}

void token_reply_fini(struct token_reply *r)
{
	mem_free_secret(r->token);
	mem_free_secret(r->refresh);
	*r = (struct token_reply){ 0 };
}

bool token_cred_is_secret(const struct token_cred *c)
{
	return c->authorization || c->refresh || (c->username && c->password);
}

bool token_wants_post(const struct token_cred *c)
{
	return c->refresh || (c->offline && c->username && c->password);
}

/* "name=value" behind '&', or behind first if this is the first one. */
static void put_param(struct buf *out, char *first, const char *name, const char *value)
{
	if (*first)
		buf_putc(out, *first);
	*first = '&';
	buf_printf(out, "%s=", name);
	pct_encode(out, value, NULL);
}

/* One "scope" per scope. */
static void put_scopes(struct buf *out, char *first, const char *scopes)
{
	while (*scopes) {
		size_t n = strcspn(scopes, " ");

		if (*first)
			buf_putc(out, *first);
		*first = '&';
		buf_puts(out, "scope=");
		for (size_t i = 0; i < n; i++)
			pct_encode(out, (const char[]){ scopes[i], 0 }, NULL);
		scopes += n + (scopes[n] == ' ');
	}
}

static int get_request(const struct token_ask *a, const struct token_cred *c, struct auth_subrequest *sub,
		       davit_err *e)
{
	AUTO_BUF struct buf basic = BUF_INIT_SECRET(2 * LIMIT_TOKEN);
	const char *authorization = c->authorization;
	char first = strchr(a->realm, '?') ? '&' : '?';
	int r;

	sub->method = "GET";
	buf_puts(&sub->url, a->realm);
	if (sub->url.len && strchr("?&", sub->url.p[sub->url.len - 1]))
		first = 0;
	if (a->service)
		put_param(&sub->url, &first, "service", a->service);
	put_scopes(&sub->url, &first, a->scopes);
	r = buf_check(&sub->url, "URL of the token request", e);
	if (!r && c->username && c->password) {
		r = basic_header(c->username, c->password, &basic, e);
		authorization = buf_str(&basic);
	}
	if (!r && authorization)
		r = headers_add_secret(&sub->headers, "Authorization", authorization, e);
	return r;
}

static int post_request(const struct token_ask *a, const struct token_cred *c, struct auth_subrequest *sub,
			davit_err *e)
{
	char first = 0;
	int r;

	sub->method = "POST";
	buf_puts(&sub->url, a->realm);
	put_param(&sub->body, &first, "grant_type", c->refresh ? "refresh_token" : "password");
	put_param(&sub->body, &first, "client_id", "davit");
	if (a->service)
		put_param(&sub->body, &first, "service", a->service);
	if (*a->scopes)
		put_param(&sub->body, &first, "scope", a->scopes);
	if (c->refresh) {
		put_param(&sub->body, &first, "refresh_token", c->refresh);
	} else {
		put_param(&sub->body, &first, "username", c->username);
		put_param(&sub->body, &first, "password", c->password);
	}
	if (c->offline)
		put_param(&sub->body, &first, "access_type", "offline");
	r = buf_check(&sub->url, "URL of the token request", e);
	return r ? r : buf_check(&sub->body, "token request", e);
}

int token_request(const struct token_ask *a, const struct token_cred *c, bool post,
		  struct auth_subrequest *sub, davit_err *e)
{
	return post ? post_request(a, c, sub, e) : get_request(a, c, sub, e);
}

/* A member that is a string and not empty, or NULL. */
static const char *text_of(const davit_value *v, const char *key)
{
	const char *s = davit_value_string(davit_value_member(v, key));

	return s && *s ? s : NULL;
}

/* The reason that the body gives, in one of the forms that token servers use, or NULL. */
static const char *reason_of(const davit_value *v)
{
	static const char *const keys[] = { "error_description", "details", "message", "error" };
	const char *text = text_of(davit_value_at(davit_value_member(v, "errors"), 0), "message");

	for (size_t i = 0; !text && i < sizeof keys / sizeof *keys; i++)
		text = text_of(v, keys[i]);
	return text;
}

/* What a 401 means depends on what was sent. */
static const char *refusal(const struct token_asked *asked, const char **advice)
{
	const struct token_cred *c = asked->cred;

	*advice = TOKEN_ADVICE_WRONG;
	if (c->refresh)
		return "refused the identity token";
	if (c->username && c->password)
		return "refused the user name or password";
	if (c->authorization)
		return "refused the given authorization";
	*advice = asked->instead ? TOKEN_ADVICE_GIVEN : TOKEN_ADVICE_NONE;
	if (asked->instead)
		return "gives none without credentials in place of the given token, which was refused";
	return "gives no token without credentials";
}

static int refused(const struct auth_answer *answer, const struct token_asked *asked, davit_err *e)
{
	struct jnode *j = NULL;
	int status = answer->status, code = DAVIT_EREMOTE;
	const char *what = "gave no token", *advice = "", *reason = NULL;

	if (status == 400 || status == 401 || status == 403)
		code = DAVIT_EDENIED;
	if (status == 401)
		what = refusal(asked, &advice);
	/* What a server says about refused credentials is wrong where none were sent. */
	if ((status != 401 || token_cred_is_secret(asked->cred)) &&
	    !json_parse(answer->body, answer->n, &j, NULL))
		reason = reason_of(json_value(j));
	err_set(e, code, "%sthe token server %s %s (HTTP %d%s%s)%s",
		code == DAVIT_EDENIED ? "unauthorized: " : "", asked->host, what, status, reason ? ": " : "",
		reason ? reason : "", advice);
	if (e)
		e->http = status;
	json_unref_secret(j);
	return code;
}

static int take_reply(const davit_value *v, struct token_reply *out, davit_err *e)
{
	const char *token = text_of(v, "access_token");
	const davit_value *expiry = davit_value_member(v, "expires_in");

	if (!token)
		token = text_of(v, "token");
	if (!token)
		return err_set(e, DAVIT_EPROTO, "its answer holds no token");
	if (strlen(token) > LIMIT_TOKEN - sizeof "Bearer ")
		return err_set(e, DAVIT_ELIMIT, "its token is longer than %d bytes", LIMIT_TOKEN);
	for (const char *c = token; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			return err_set(e, DAVIT_EPROTO, "its token holds a space or control character");
	if (!mem_strdup(token, &out->token) || !mem_strdup(text_of(v, "refresh_token"), &out->refresh))
		return err_nomem(e);
	out->expires_in = davit_value_int(expiry, DEFAULT_EXPIRY);
	if (davit_value_get_type(expiry) == DAVIT_VALUE_DOUBLE && davit_value_double(expiry) < 1e9)
		out->expires_in = (int64_t)davit_value_double(expiry);
	if (out->expires_in <= 0 || out->expires_in > INT32_MAX)
		out->expires_in = out->expires_in > 0 ? INT32_MAX : DEFAULT_EXPIRY;
	return 0;
}

int token_answer(const struct auth_answer *answer, const struct token_asked *asked, struct token_reply *out,
		 davit_err *e)
{
	CLEANUP(token_reply_fini) struct token_reply reply = { 0 };
	struct jnode *j;
	int r;

	if (answer->status < 200 || answer->status > 299)
		return refused(answer, asked, e);
	r = json_parse(answer->body, answer->n, &j, e);
	if (!r) {
		r = take_reply(json_value(j), &reply, e);
		json_unref_secret(j);
	}
	if (r)
		return err_at(e, r, "token server %s: ", asked->host);
	reply.now = answer->now;
	*out = reply;
	reply = (struct token_reply){ 0 };
	return 0;
}

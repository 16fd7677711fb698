#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "auth/bearer.h"
#include "base/limits.h"

#define FRED "Basic ZnJlZDohV29yZFBhc3MwJA=="
#define REALM "https://localhost:5001/auth"
#define PULL "repository:foo/bar:pull"
#define CHALLENGE(scope) "Bearer realm=\"" REALM "\",service=\"Docker registry\",scope=\"" scope "\""
#define GET_TOKEN(scope) "GET " REALM "?service=Docker%20registry&scope=" scope " " FRED "\n"

/* A registry and its token server as far as the authenticator sees them. All that is sent goes to log. */
struct world {
	struct auth *auth;
	struct registry_auth_opts opts;
	struct arena mem;
	struct uri uri;
	struct buf log;
	int status[8];          /* answers of the token server, in order; 0: 200 */
	const char *answer[8];  /* NULL: a token "t1", "t2", … */
	size_t asked;
	int64_t now;
	davit_registry_answer cred;
	size_t lookups;
	char seen[500];         /* the last challenge that lookup got */
	davit_err e;
};

static int lookup(void *user, const davit_registry_challenge *c, davit_registry_answer *answer, davit_err *e)
{
	struct world *w = user;

	(void)e;
	w->lookups++;
	snprintf(w->seen, sizeof w->seen, "%s %s %s %s %zu", c->host, c->scheme, c->realm ? c->realm : "-",
		 c->service ? c->service : "-", c->scopes.n);
	*answer = w->cred;
	return 0;
}

static void open_world(struct world *w, const char *url)
{
	w->log = (struct buf)BUF_INIT(1 << 20);
	w->now = 1000;
	w->opts.host = "localhost:5444";
	w->opts.lookup = lookup;
	w->opts.user = w;
	assert_int_equal(uri_parse(url, &w->mem, &w->uri, NULL), 0);
	assert_int_equal(registry_auth_new(&w->opts, &w->auth, NULL), 0);
}

static void close_world(struct world *w)
{
	auth_free(w->auth);
	buf_fini(&w->log);
	arena_fini(&w->mem);
}

#define LOG_IN                                                                             \
	"; log in (davit registry login) or give a user name and a password (--username, " \
	"DXF_USERNAME and DXF_PASSWORD)"
#define AGAIN "; check them, or log in again (davit registry login)"

#define FRED_KNOWN { .username = "fred", .password = { "!WordPass0$" } }

static int token_server(struct world *w, const struct auth_subrequest *sub)
{
	const char *authorization = headers_get(&sub->headers, "Authorization");
	struct auth_answer answer = { .status = 200, .headers = &sub->headers, .now = w->now };
	char token[100];

	buf_printf(&w->log, "%s %s %s", sub->method, buf_str(&sub->url), authorization ? authorization : "-");
	buf_printf(&w->log, "%s%s\n", sub->body.len ? " " : "", buf_str(&sub->body));
	assert_true(w->asked < 8);
	snprintf(token, sizeof token, "{\"token\":\"t%zu\",\"expires_in\":900}", w->asked + 1);
	answer.body = w->answer[w->asked] ? w->answer[w->asked] : token;
	if (w->status[w->asked])
		answer.status = w->status[w->asked];
	answer.n = strlen(answer.body);
	w->asked++;
	return w->auth->ops->feed(w->auth, &answer, &w->e);
}

/* One attempt at a request up to its being sent. */
static int attempt(struct world *w, const char *scope, unsigned number)
{
	int r = AUTH_NEED;

	for (int step = 0; r == AUTH_NEED; step++) {
		struct auth_subrequest sub = AUTH_SUBREQUEST_INIT;
		struct headers headers = { 0 };
		struct auth_request req = { .method = "GET",
					    .uri = &w->uri,
					    .headers = &headers,
					    .scope = scope,
					    .now = w->now,
					    .attempt = number };

		assert_true(step < LIMIT_AUTH_STEPS);
		r = w->auth->ops->prepare(w->auth, &req, &sub, &w->e);
		if (r == AUTH_READY)
			buf_printf(&w->log, "> %s\n",
				   headers.n ? headers_get(&headers, "Authorization") : "-");
		else if (r == AUTH_NEED && token_server(w, &sub))
			r = w->e.code;
		if (headers.n)
			assert_true(headers.v[0].secret);
		headers_fini(&headers);
		auth_subrequest_fini(&sub);
	}
	return r;
}

static int challenge(struct world *w, const char *scope, unsigned number, const char *value)
{
	const struct auth_request req = { .method = "GET", .uri = &w->uri, .scope = scope, .now = w->now,
					  .attempt = number };
	struct headers headers = { 0 };
	int r;

	if (value)
		assert_int_equal(headers_add(&headers, "Www-Authenticate", value, NULL), 0);
	r = w->auth->ops->challenge(w->auth, &req, &headers, &w->e);
	headers_fini(&headers);
	return r;
}

/* A request that is answered with 401 and value, if there is one, and then, if that helps, accepted. */
static int request(struct world *w, const char *scope, const char *value)
{
	int r = attempt(w, scope, 0);

	if (r || !value)
		return r;
	r = challenge(w, scope, 0, value);
	return r ? r : attempt(w, scope, 1);
}

static void expect(struct world *w, const char *log)
{
	assert_string_equal(buf_str(&w->log), log);
	buf_clear(&w->log);
}

/* The requests of the recorded run token-push, and of token-del-alias. */
static void fetches_tokens_as_challenged(void **state)
{
	struct world w = { .cred = FRED_KNOWN };

	(void)state;
	open_world(&w, "https://localhost:5444/v2/");
	assert_null(registry_auth_token(w.auth));
	assert_int_equal(request(&w, PULL, CHALLENGE(PULL)), 0);
	expect(&w, "> -\n" GET_TOKEN("repository%3Afoo%2Fbar%3Apull") "> Bearer t1\n");
	assert_string_equal(w.seen, "localhost:5444 bearer " REALM " Docker registry 1");
	assert_string_equal(registry_auth_token(w.auth), "t1");
	assert_int_equal(
	    request(&w, "repository:foo/bar:pull,push", CHALLENGE("repository:foo/bar:pull,push")), 0);
	expect(&w, "> Bearer t1\n" GET_TOKEN("repository%3Afoo%2Fbar%3Apull%2Cpush") "> Bearer t2\n");
	assert_int_equal(request(&w, "repository:foo/bar:pull,push", NULL), 0);
	assert_int_equal(request(&w, PULL, NULL), 0);
	expect(&w, "> Bearer t2\n> Bearer t2\n");
	assert_int_equal(request(&w, "repository:foo/bar:delete", CHALLENGE("repository:foo/bar:delete")), 0);
	expect(&w, "> Bearer t2\n" GET_TOKEN("repository%3Afoo%2Fbar%3Adelete") "> Bearer t3\n");
	assert_int_equal(w.lookups, 3);
	close_world(&w);
}

static void alternating_repositories_keep_their_tokens(void **state)
{
	struct world w = { .cred = FRED_KNOWN };

	(void)state;
	open_world(&w, "https://localhost:5444/v2/");
	assert_int_equal(request(&w, "repository:a:pull", CHALLENGE("repository:a:pull")), 0);
	assert_int_equal(request(&w, "repository:b:pull", CHALLENGE("repository:b:pull")), 0);
	buf_clear(&w.log);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(request(&w, "repository:a:pull", NULL), 0);
		assert_int_equal(request(&w, "repository:b:pull", NULL), 0);
		expect(&w, "> Bearer t1\n> Bearer t2\n");
	}
	assert_int_equal(w.asked, 2);
	close_world(&w);
}

static void the_second_401_is_denied(void **state)
{
	struct world w = { .cred = FRED_KNOWN };

	(void)state;
	open_world(&w, "https://localhost:5444/v2/");
	assert_int_equal(request(&w, PULL, CHALLENGE(PULL)), 0);
	assert_int_equal(challenge(&w, PULL, 1, CHALLENGE(PULL)), DAVIT_EDENIED);
	assert_int_equal(w.e.http, 401);
	assert_string_equal(w.e.msg,
			    "unauthorized: localhost:5444 does not allow this with these credentials; use an "
			    "account that may do it");
	/* A token that has become invalid is replaced by the next request's challenge. */
	buf_clear(&w.log);
	assert_int_equal(request(&w, PULL, CHALLENGE(PULL)), 0);
	expect(&w, "> Bearer t1\n" GET_TOKEN("repository%3Afoo%2Fbar%3Apull") "> Bearer t2\n");
	close_world(&w);
}

static void anonymous_asks_without_credentials(void **state)
{
	struct world w = { 0 };

	(void)state;
	open_world(&w, "https://localhost:5444/v2/");
	assert_int_equal(request(&w, "registry:catalog:*", CHALLENGE("registry:catalog:*")), 0);
	expect(&w, "> -\nGET " REALM
		   "?service=Docker%20registry&scope=registry%3Acatalog%3A%2A -\n> Bearer t1\n");
	assert_int_equal(challenge(&w, "registry:catalog:*", 1, CHALLENGE("x:y:z")), DAVIT_EDENIED);
	assert_string_equal(w.e.msg, "unauthorized: localhost:5444 does not allow this without "
				      "credentials" LOG_IN);
	close_world(&w);
}

static void scopes_of_the_request(void **state)
{
	static const struct {
		const char *hint, *challenge, *url;
	} rows[] = {
		/* several scopes, no service; the realm's query is kept */
		{ PULL, "Bearer realm=\"https://h/auth?account=x\",scope=\"a:b:c  d:e:f,g\"",
		  "GET https://h/auth?account=x&scope=a%3Ab%3Ac&scope=d%3Ae%3Af%2Cg" },
		{ PULL, "Bearer realm=\"https://h/auth\",service=\"\",scope=\"\"", "GET https://h/auth" },
		{ "registry:catalog:*", "Bearer realm=\"https://h/auth?\",service=\"s\"",
		  "GET https://h/auth?service=s&scope=registry%3Acatalog%3A%2A" },
		{ NULL, "Bearer realm=\"https://h\"", "GET https://h/" },
		{ NULL, "Bearer realm=\"http://h:80/x\"", "GET https://h/x" },
		{ NULL, "Bearer realm=\"http://h:81/x\"", "GET https://h:81/x" },
		{ PULL, "Basic realm=\"r\", Bearer realm=\"https://h/\"", "GET https://h/" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct world w = { 0 };
		char want[300];

		open_world(&w, "https://localhost:5444/v2/");
		assert_int_equal(request(&w, rows[i].hint, rows[i].challenge), 0);
		snprintf(want, sizeof want, "> -\n%s -\n> Bearer t1\n", rows[i].url);
		expect(&w, want);
		close_world(&w);
	}
}

static void the_caller_chooses_actions(void **state)
{
	static const char *const actions[] = { "pull", "delete" };
	struct world w = { .cred = { .actions = { actions, 2 } } };

	(void)state;
	open_world(&w, "https://localhost:5444/v2/");
	assert_int_equal(request(&w, "repository:x/y:pull", CHALLENGE(PULL)), 0);
	assert_int_equal(request(&w, NULL, CHALLENGE(PULL)), 0);
	expect(&w, "> -\nGET " REALM
		   "?service=Docker%20registry&scope=repository%3Ax%2Fy%3Apull%2Cdelete -\n> Bearer t1\n"
		   "> Bearer t1\nGET " REALM
		   "?service=Docker%20registry&scope=repository%3Afoo%2Fbar%3Apull%2Cdelete -\n"
		   "> Bearer t2\n");
	close_world(&w);
}

static void basic_is_kept(void **state)
{
	struct world w = { .cred = FRED_KNOWN };

	(void)state;
	open_world(&w, "https://localhost:5443/v2/");
	assert_int_equal(request(&w, PULL, "Basic realm=\"r\""), 0);
	assert_int_equal(request(&w, PULL, NULL), 0);
	expect(&w, "> -\n> " FRED "\n> " FRED "\n");
	/* The same credentials are not tried again. */
	assert_int_equal(request(&w, PULL, "Basic realm=\"r\""), DAVIT_EDENIED);
	assert_int_equal(w.e.http, 401);
	assert_string_equal(w.e.msg,
			    "unauthorized: localhost:5444 refused the user name or password" AGAIN);
	buf_clear(&w.log);
	/* A bearer challenge later on takes its place (run put-401-midway). */
	assert_int_equal(request(&w, PULL, CHALLENGE(PULL)), 0);
	assert_int_equal(request(&w, PULL, NULL), 0);
	expect(&w, "> " FRED "\n" GET_TOKEN("repository%3Afoo%2Fbar%3Apull") "> Bearer t1\n> Bearer t1\n");
	close_world(&w);
}

static void basic_without_credentials(void **state)
{
	struct world w = { 0 }, again = { .opts.retry_anonymous = true };

	(void)state;
	open_world(&w, "https://localhost:5443/v2/");
	assert_int_equal(request(&w, PULL, "Basic realm=\"r\""), DAVIT_EDENIED);
	assert_string_equal(w.e.msg, "unauthorized: localhost:5444 wants a user name and a password, and "
				     "none are known" LOG_IN);
	close_world(&w);
	open_world(&again, "https://localhost:5443/v2/");
	assert_int_equal(request(&again, PULL, "Basic realm=\"r\""), 0);
	expect(&again, "> -\n> -\n");
	assert_int_equal(challenge(&again, PULL, 1, "Basic realm=\"r\""), DAVIT_EDENIED);
	close_world(&again);
}

static void a_given_authorization_is_used(void **state)
{
	struct world w = { .cred = { .username = "ignored", .authorization = { "Custom x" } } };

	(void)state;
	open_world(&w, "https://localhost:5443/v2/");
	assert_int_equal(request(&w, PULL, "Basic realm=\"r\""), 0);
	expect(&w, "> -\n> Custom x\n");
	assert_int_equal(request(&w, PULL, "Bearer realm=\"https://h/\""), 0);
	expect(&w, "> Custom x\nGET https://h/ Custom x\n> Bearer t1\n");
	close_world(&w);
}

static void other_challenges_are_refused(void **state)
{
	static const struct {
		const char *value, *message;
		int code;
	} rows[] = {
		{ "", "unauthorized: localhost:5444 does not say how to authenticate", DAVIT_EDENIED },
		{ "Negotiate",
		  "unauthorized: localhost:5444 wants an authentication scheme other than bearer and basic",
		  DAVIT_EDENIED },
		{ "Bearer service=\"x\"", "unauthorized: localhost:5444 names no token server",
		  DAVIT_EDENIED },
		{ "Bearer realm=\"/auth\"", NULL, DAVIT_EPROTO },
		{ "Bearer realm=\"ftp://h/\"", NULL, DAVIT_EPROTO },
		{ "Bearer realm=\"https://u:p@h/\"", NULL, DAVIT_EPROTO },
		{ "Bearer realm=\"", NULL, DAVIT_EPROTO },
		{ "Bearer realm=\"https://h/\",scope=\"1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\"", NULL,
		  DAVIT_ELIMIT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct world w = { .cred = FRED_KNOWN };

		open_world(&w, "https://localhost:5443/v2/");
		assert_int_equal(request(&w, PULL, rows[i].value), rows[i].code);
		assert_int_equal(w.e.code, rows[i].code);
		if (rows[i].message)
			assert_string_equal(w.e.msg, rows[i].message);
		close_world(&w);
	}
}

static void a_preset_token_goes_first(void **state)
{
	struct world w = { .cred = FRED_KNOWN, .opts.token = { "preset" } };

	(void)state;
	open_world(&w, "https://localhost:5444/v2/");
	assert_string_equal(registry_auth_token(w.auth), "preset");
	assert_int_equal(request(&w, PULL, NULL), 0);
	assert_int_equal(
	    request(&w, "repository:foo/bar:pull,push", CHALLENGE("repository:foo/bar:pull,push")), 0);
	assert_int_equal(request(&w, PULL, NULL), 0);
	expect(&w, "> Bearer preset\n> Bearer preset\n" GET_TOKEN("repository%3Afoo%2Fbar%3Apull%2Cpush")
		   "> Bearer t1\n> Bearer t1\n");
	assert_int_equal(registry_auth_set_token(w.auth, registry_auth_token(w.auth), NULL), 0);
	assert_int_equal(request(&w, "repository:other:pull", NULL), 0);
	assert_int_equal(registry_auth_set_token(w.auth, NULL, NULL), 0);
	assert_null(registry_auth_token(w.auth));
	assert_int_equal(request(&w, PULL, NULL), 0);
	expect(&w, "> Bearer t1\n> -\n");
	close_world(&w);
}

static void an_invalid_preset_token_is_forgotten(void **state)
{
	struct world w = { .opts.token = { "garbage" } };

	(void)state;
	open_world(&w, "https://localhost:5444/v2/");
	assert_int_equal(
	    request(&w, PULL, "Bearer realm=\"https://h/\",scope=\"" PULL "\",error=\"invalid_token\""), 0);
	assert_int_equal(request(&w, "repository:b:pull", NULL), 0);
	expect(&w, "> Bearer garbage\nGET https://h/?scope=repository%3Afoo%2Fbar%3Apull -\n> Bearer t1\n> "
		   "Bearer t1\n");
	close_world(&w);
}

static void preset_basic_goes_first(void **state)
{
	struct world w = { .opts = { .basic_username = "fred", .basic_password = { "!WordPass0$" } } };

	(void)state;
	open_world(&w, "https://localhost:5444/v2/");
	assert_int_equal(request(&w, PULL, NULL), 0);
	expect(&w, "> " FRED "\n");
	close_world(&w);
}

static void tokens_are_renewed_before_they_end(void **state)
{
	struct world w = { .cred = FRED_KNOWN, .answer = { "{\"token\":\"\",\"access_token\":\"first\"}" } };

	(void)state;
	open_world(&w, "https://localhost:5444/v2/");
	assert_int_equal(request(&w, PULL, CHALLENGE(PULL)), 0); /* 60 seconds by default */
	buf_clear(&w.log);
	w.now = 1044;
	assert_int_equal(request(&w, PULL, NULL), 0);
	expect(&w, "> Bearer first\n");
	w.now = 1045;
	assert_int_equal(request(&w, PULL, NULL), 0);
	expect(&w, GET_TOKEN("repository%3Afoo%2Fbar%3Apull") "> Bearer t2\n");
	w.now = 1045 + 869;
	assert_int_equal(request(&w, PULL, NULL), 0);
	expect(&w, "> Bearer t2\n");
	w.now++;
	assert_int_equal(request(&w, PULL, NULL), 0);
	expect(&w, GET_TOKEN("repository%3Afoo%2Fbar%3Apull") "> Bearer t3\n");
	assert_string_equal(w.seen, "localhost:5444 bearer " REALM " Docker registry 1");
	/* Of another repository: it is not renewed for nothing. */
	w.now += 10000;
	assert_int_equal(request(&w, "repository:b:pull", NULL), 0);
	expect(&w, "> -\n");
	close_world(&w);
}

static void identity_tokens_go_by_post(void **state)
{
	struct world w = { .cred = { .identity_token = { "id+1" } },
			   .answer = { "{\"access_token\":\"a\",\"refresh_token\":\"id2\"}" } };

	(void)state;
	open_world(&w, "https://localhost:5444/v2/");
	assert_int_equal(request(&w, PULL, CHALLENGE(PULL)), 0);
	expect(&w, "> -\nPOST " REALM " - grant_type=refresh_token&client_id=davit&service=Docker%20registry"
		   "&scope=repository%3Afoo%2Fbar%3Apull&refresh_token=id%2B1\n> Bearer a\n");
	assert_string_equal(registry_auth_refresh_token(w.auth), "id2");
	w.now += 1000;
	assert_int_equal(request(&w, PULL, NULL), 0);
	expect(&w, "POST " REALM " - grant_type=refresh_token&client_id=davit&service=Docker%20registry"
		   "&scope=repository%3Afoo%2Fbar%3Apull&refresh_token=id2\n> Bearer t2\n");
	close_world(&w);
}

static void post_falls_back_to_get(void **state)
{
	struct world w = {
		.cred = { .username = "fred", .password = { "!WordPass0$" }, .identity_token = { "id" } },
		.status = { 404, 0, 405 }
	};

	(void)state;
	open_world(&w, "https://localhost:5444/v2/");
	assert_int_equal(request(&w, PULL, "Bearer realm=\"https://h/\""), 0);
	expect(&w, "> -\nPOST https://h/ - grant_type=refresh_token&client_id=davit&refresh_token=id\n"
		   "GET https://h/ " FRED "\n> Bearer t2\n");
	w.asked = 2;
	assert_int_equal(request(&w, "repository:x:pull", "Bearer realm=\"https://h/\",scope=\"s\""), 0);
	expect(&w, "> Bearer t2\nPOST https://h/ - "
		   "grant_type=refresh_token&client_id=davit&scope=s&refresh_token=id\n"
		   "GET https://h/?scope=s " FRED "\n> Bearer t4\n");
	close_world(&w);
}

static void the_token_server_refuses(void **state)
{
	static const struct {
		int status;
		const char *body, *message;
		int code;
	} rows[] = {
		{ 401, "{\"errors\":[{\"code\":\"UNAUTHORIZED\",\"message\":\"Auth failed.\"}]}",
		  "unauthorized: the token server localhost:5001 refused the user name or password "
		  "(HTTP 401: Auth failed.)" AGAIN,
		  DAVIT_EDENIED },
		{ 401, "{\"details\":\"incorrect username or password\"}",
		  "unauthorized: the token server localhost:5001 refused the user name or password "
		  "(HTTP 401: incorrect username or password)" AGAIN,
		  DAVIT_EDENIED },
		{ 403, "<html>", "unauthorized: the token server localhost:5001 gave no token (HTTP 403)",
		  DAVIT_EDENIED },
		{ 503, "", "the token server localhost:5001 gave no token (HTTP 503)", DAVIT_EREMOTE },
		{ 404, "{}", "the token server localhost:5001 gave no token (HTTP 404)", DAVIT_EREMOTE },
		{ 200, "{}", "token server localhost:5001: its answer holds no token", DAVIT_EPROTO },
		{ 200, "{\"token\":7}", "token server localhost:5001: its answer holds no token",
		  DAVIT_EPROTO },
		{ 200, "{\"token\":\"a b\"}",
		  "token server localhost:5001: its token holds a space or control character", DAVIT_EPROTO },
		{ 200, "<html>", NULL, DAVIT_EPROTO },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct world w = { .cred = FRED_KNOWN,
				   .status = { rows[i].status },
				   .answer = { rows[i].body } };

		open_world(&w, "https://localhost:5444/v2/");
		assert_int_equal(request(&w, PULL, CHALLENGE(PULL)), rows[i].code);
		if (rows[i].message)
			assert_string_equal(w.e.msg, rows[i].message);
		if (rows[i].status != 200)
			assert_int_equal(w.e.http, rows[i].status);
		assert_null(registry_auth_token(w.auth));
		close_world(&w);
	}
}

/* Nobody hears of a wrong password who gave none. */
static void what_was_refused_is_named(void **state)
{
	static const struct {
		davit_registry_answer cred;
		const char *token, *message;
	} rows[] = {
		{ { 0 }, NULL, "gives no token without credentials (HTTP 401)" LOG_IN },
		{ { 0 }, "preset",
		  "gives none without credentials in place of the given token, which was refused (HTTP 401); "
		  "give a valid token, or log in (davit registry login)" },
		{ FRED_KNOWN, "preset", "refused the user name or password (HTTP 401)" AGAIN },
		{ { .identity_token = { "id" } }, NULL, "refused the identity token (HTTP 401)" AGAIN },
		{ { .authorization = { "Basic abc" } }, NULL,
		  "refused the given authorization (HTTP 401)" AGAIN },
	};
	struct world given = { .opts.token = { "preset" } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct world w = { .cred = rows[i].cred, .opts.token = { rows[i].token }, .status = { 401 },
				   .answer = { "{}" } };
		char want[400];

		open_world(&w, "https://localhost:5444/v2/");
		assert_int_equal(request(&w, PULL, "Bearer realm=\"https://h/\""), DAVIT_EDENIED);
		snprintf(want, sizeof want, "unauthorized: the token server h:443 %s", rows[i].message);
		assert_string_equal(w.e.msg, want);
		close_world(&w);
	}
	open_world(&given, "https://localhost:5444/v2/");
	assert_int_equal(request(&given, PULL, "Basic realm=\"x\""), DAVIT_EDENIED);
	assert_string_equal(given.e.msg, "unauthorized: localhost:5444 refused the given token; give a valid "
					 "token, or log in (davit registry login)");
	close_world(&given);
}

static void another_host_for_tokens(void **state)
{
	struct world w = { .opts.auth_host = "127.0.0.1:5445" }, plain = { .opts.auth_host = "auth.example" };

	(void)state;
	open_world(&w, "https://localhost:5445/v2/");
	assert_int_equal(request(&w, NULL, "Bearer realm=\"http://localhost:5445/auth?account=x\""), 0);
	expect(&w, "> -\nGET https://127.0.0.1:5445/auth?account=x -\n> Bearer t1\n");
	close_world(&w);
	open_world(&plain, "https://localhost:5445/v2/");
	assert_int_equal(request(&plain, NULL, "Bearer realm=\"https://localhost:5445/auth\""), 0);
	expect(&plain, "> -\nGET https://auth.example/auth -\n> Bearer t1\n");
	close_world(&plain);
}

/* Which secrets go over plain http, to whom. */
static void secrets_over_http(void **state)
{
	static const struct {
		const char *url, *challenge;
		davit_tri http_auth;
		bool fred, realm_https;
		int code;
		const char *log;
	} rows[] = {
		{ "http://localhost/", "Basic realm=\"r\"", DAVIT_UNSET, true, false, 0,
		  "> -\n> " FRED "\n" },
		{ "http://h.example/", "Basic realm=\"r\"", DAVIT_UNSET, true, false, DAVIT_EDENIED,
		  "> -\n" },
		{ "http://h.example/", "Basic realm=\"r\"", DAVIT_YES, true, false, 0, "> -\n> " FRED "\n" },
		{ "http://localhost/", "Basic realm=\"r\"", DAVIT_NO, true, false, DAVIT_EDENIED, "> -\n" },
		{ "http://localhost/", NULL, DAVIT_NO, false, false, DAVIT_EDENIED, "> -\n" },
		{ "http://localhost/", "Bearer realm=\"http://localhost/t\"", DAVIT_UNSET, true, false, 0,
		  "> -\nGET http://localhost/t " FRED "\n> Bearer t1\n" },
		{ "http://localhost/", "Bearer realm=\"http://localhost/t\"", DAVIT_UNSET, true, true, 0,
		  "> -\nGET https://localhost/t " FRED "\n> Bearer t1\n" },
		{ "http://localhost/", "Bearer realm=\"http://h.example/t\"", DAVIT_UNSET, true, false,
		  DAVIT_EDENIED, "> -\n" },
		{ "http://localhost/", "Bearer realm=\"http://h.example/t\"", DAVIT_UNSET, false, false, 0,
		  "> -\nGET http://h.example/t -\n> Bearer t1\n" },
		{ "http://h.example/", "Bearer realm=\"http://h.example/t\"", DAVIT_YES, true, false, 0,
		  "> -\nGET http://h.example/t " FRED "\n> Bearer t1\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct world w = { .opts.http_auth = rows[i].http_auth,
				   .opts.realm_https = rows[i].realm_https };

		if (rows[i].fred)
			w.cred = (davit_registry_answer)FRED_KNOWN;
		open_world(&w, rows[i].url);
		assert_int_equal(request(&w, PULL, rows[i].challenge ? rows[i].challenge : "x"),
				 rows[i].code);
		if (rows[i].code)
			assert_int_equal(w.e.http, 401);
		expect(&w, rows[i].log);
		close_world(&w);
	}
}

static void presets_over_http(void **state)
{
	struct world no = { .opts.token = { "t" } },
		     yes = { .opts = { .token = { "t" }, .preset_over_http = true, .http_auth = DAVIT_NO } };

	(void)state;
	open_world(&no, "http://h.example/");
	assert_int_equal(request(&no, PULL, NULL), DAVIT_EDENIED);
	expect(&no, "");
	close_world(&no);
	open_world(&yes, "http://h.example/");
	assert_int_equal(request(&yes, PULL, NULL), 0);
	expect(&yes, "> Bearer t\n");
	close_world(&yes);
}

static void forced_authentication_ends_with_a_token(void **state)
{
	static const char *const actions[] = { "pull", "push" };
	struct registry_auth_force f = { .repo = "foo/bar", .actions = { actions, 2 } };
	struct world w = { .cred = FRED_KNOWN, .opts.token = { "preset" } };

	(void)state;
	open_world(&w, "https://localhost:5444/v2/");
	assert_int_equal(registry_auth_begin(w.auth, &f, NULL), 0);
	assert_int_equal(request(&w, NULL, "Bearer realm=\"" REALM "\",service=\"Docker registry\""),
			 DAVIT_ESTATE);
	assert_true(registry_auth_end(w.auth));
	expect(&w, "> -\n" GET_TOKEN("repository%3Afoo%2Fbar%3Apull%2Cpush"));
	assert_string_equal(registry_auth_token(w.auth), "t1");
	assert_int_equal(request(&w, PULL, NULL), 0);
	expect(&w, "> Bearer t1\n");
	f = (struct registry_auth_force){
		.repo = "foo/bar", .username = "u", .password = { "p" }, .offline = true
	};
	assert_int_equal(registry_auth_begin(w.auth, &f, NULL), 0);
	assert_int_equal(request(&w, NULL, "Bearer realm=\"https://h/\""), DAVIT_ESTATE);
	assert_true(registry_auth_end(w.auth));
	expect(&w, "> -\nPOST https://h/ - grant_type=password&client_id=davit&username=u&password=p"
		   "&access_type=offline\n");
	assert_int_equal(w.lookups, 1);
	close_world(&w);
}

static void forced_authentication_without_token_server(void **state)
{
	struct registry_auth_force f = { .repo = "foo/bar" };
	struct world w = { .cred = FRED_KNOWN };

	(void)state;
	open_world(&w, "https://localhost:5443/v2/");
	assert_int_equal(registry_auth_begin(w.auth, &f, NULL), 0);
	assert_int_equal(request(&w, NULL, NULL), 0); /* the registry wants nothing */
	assert_false(registry_auth_end(w.auth));
	assert_null(registry_auth_token(w.auth));
	assert_int_equal(registry_auth_begin(w.auth, &f, NULL), 0);
	assert_int_equal(request(&w, NULL, "Basic realm=\"r\""), DAVIT_ESTATE);
	assert_true(registry_auth_end(w.auth));
	expect(&w, "> -\n> -\n");
	f.verify = true;
	assert_int_equal(registry_auth_begin(w.auth, &f, NULL), 0);
	assert_int_equal(request(&w, NULL, "Basic realm=\"r\""), 0);
	assert_int_equal(challenge(&w, NULL, 1, "Basic realm=\"r\""), DAVIT_EDENIED);
	assert_false(registry_auth_end(w.auth));
	expect(&w, "> -\n> " FRED "\n");
	close_world(&w);
}

static void many_repositories_do_not_fill_memory(void **state)
{
	struct world w = { 0 };

	(void)state;
	open_world(&w, "https://localhost:5444/v2/");
	for (int i = 0; i < 3 * LIMIT_TOKENS; i++) {
		char scope[50], value[100];

		snprintf(scope, sizeof scope, "repository:r%d:pull", i);
		snprintf(value, sizeof value, "Bearer realm=\"https://h/\",scope=\"%s\"", scope);
		w.asked = 0;
		assert_int_equal(request(&w, scope, value), 0);
	}
	buf_clear(&w.log);
	assert_int_equal(request(&w, "repository:r191:pull", NULL), 0);
	expect(&w, "> Bearer t1\n");
	close_world(&w);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(fetches_tokens_as_challenged),
		cmocka_unit_test(alternating_repositories_keep_their_tokens),
		cmocka_unit_test(the_second_401_is_denied),
		cmocka_unit_test(anonymous_asks_without_credentials),
		cmocka_unit_test(scopes_of_the_request),
		cmocka_unit_test(the_caller_chooses_actions),
		cmocka_unit_test(basic_is_kept),
		cmocka_unit_test(basic_without_credentials),
		cmocka_unit_test(a_given_authorization_is_used),
		cmocka_unit_test(other_challenges_are_refused),
		cmocka_unit_test(a_preset_token_goes_first),
		cmocka_unit_test(an_invalid_preset_token_is_forgotten),
		cmocka_unit_test(preset_basic_goes_first),
		cmocka_unit_test(tokens_are_renewed_before_they_end),
		cmocka_unit_test(identity_tokens_go_by_post),
		cmocka_unit_test(post_falls_back_to_get),
		cmocka_unit_test(the_token_server_refuses),
		cmocka_unit_test(what_was_refused_is_named),
		cmocka_unit_test(another_host_for_tokens),
		cmocka_unit_test(secrets_over_http),
		cmocka_unit_test(presets_over_http),
		cmocka_unit_test(forced_authentication_ends_with_a_token),
		cmocka_unit_test(forced_authentication_without_token_server),
		cmocka_unit_test(many_repositories_do_not_fill_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* davit registry login, logout, token */
#include <string.h>

#include "base/err.h"
#include "cli/cmd/cmds.h"
#include "cli/cmd/registry.h"
#include "cli/jsontext.h"
#include "cli/out.h"
#include "cli/show.h"

enum { NAME_LIMIT = 4096 };

static const char *host_argument(const struct args *args)
{
	return args->n ? args->v[0] : "docker.io";
}

static int check(struct door *d, const char *username, davit_err *e)
{
	int r = davit_registry_authenticate(d->r, NULL,
					    DAVIT_OPTS(davit_registry_authenticate_opts, .username = username,
						       .password.s = buf_str(&d->password),
						       .verify = DAVIT_YES),
					    NULL, e);

	if (!r)
		registry_warn_http(d);
	return r;
}

static int show_login(struct app *app, const char *host, const char *username, const char *where,
		      davit_err *e)
{
	struct buf json = BUF_INIT(OUT_MAX);
	int r;

	buf_putc(&json, '{');
	json_member_str(&json, "host", host);
	json_member_str(&json, "username", username);
	json_member_str(&json, "where", where);
	buf_putc(&json, '}');
	r = show_json(app, &json, "logged in to {{.host}} as {{.username}}; kept in {{.where}}", e);
	buf_fini(&json);
	return r;
}

static int run_login(struct app *app, const void *opts, const struct args *args, davit_err *e)
{
	struct buf username = BUF_INIT(NAME_LIMIT);
	char where[1024] = "";
	struct door d = { 0 };
	int r = registry_enter_host(&d, app, host_argument(args), e);

	(void)opts;
	r = r ? r : registry_ask(&d, app, d.host, &username, e);
	r = r ? r : check(&d, buf_str(&username), e);
	if (!r) {
		davit_credentials c = { .username = buf_str(&username), .password.s = buf_str(&d.password) };

		r = davit_credentials_store(d.host, &c, NULL, where, sizeof where, e);
	}
	r = r ? r : show_login(app, d.host, buf_str(&username), where, e);
	buf_fini(&username);
	return registry_leave(&d, r, e);
}

static int run_logout(struct app *app, const void *opts, const struct args *args, davit_err *e)
{
	(void)app;
	(void)opts;
	return davit_credentials_erase(host_argument(args), NULL, e);
}

static int show_token(struct door *d, const char *token, davit_err *e)
{
	struct buf json = BUF_INIT_SECRET(OUT_MAX);
	int r;

	if (!token)
		return err_set(e, DAVIT_EUNSUPPORTED, "%s does not use tokens", d->host);
	buf_putc(&json, '{');
	json_member_str(&json, "token", token);
	buf_putc(&json, '}');
	r = show_json(d->app, &json, "{{.token}}", e);
	buf_fini(&json);
	return r;
}

static int run_token(struct app *app, const void *opts, const struct args *args, davit_err *e)
{
	static const char *const standard[] = { "pull" };
	davit_strv actions = { standard, 1 };
	const char *token = NULL;
	struct door d = { 0 };
	int r = registry_enter(&d, app, args->v[0], e);

	(void)opts;
	if (args->n > 1)
		actions = (davit_strv){ args->v + 1, args->n - 1 };
	r = r ? r : registry_need_bare(&d, e);
	r = r ? r
	      : davit_registry_authenticate(d.r, d.ref->repo,
					    DAVIT_OPTS(davit_registry_authenticate_opts, .actions = actions),
					    &token, e);
	r = r ? r : show_token(&d, token, e);
	return registry_leave(&d, r, e);
}

const struct cmd registry_auth_cmds[] = {
	{
		.path = "registry login",
		.summary = "check and keep a password for a registry",
		.description = "Asks for user name and password, unless options give them, checks them with "
			       "the registry and keeps them where docker does: in the helper that its "
			       "config.json names, else in that file. HOST is docker.io if there is "
			       "none; https://HOST is the same, and http://HOST is HOST with "
			       "--plain-http.\n\nFields for --format: host, username, where.",
		.args = "[HOST]",
		.max = 1,
		.run = run_login,
	},
	{
		.path = "registry logout",
		.summary = "forget the password for a registry",
		.description = "Removes what login has kept. HOST is docker.io if there is none; a scheme "
			       "in front of it does not matter.",
		.args = "[HOST]",
		.max = 1,
		.flags = CMD_LOCAL,
		.run = run_logout,
	},
	{
		.path = "registry token",
		.summary = "get a bearer token and print it",
		.description = "Gets a token for actions (pull, push, delete, *; default pull) on a "
			       "repository from the registry's token server and prints it, for other "
			       "programs.\n\nFields for --format: token.",
		.args = "REPO [ACTION]...",
		.min = 1,
		.max = CMD_ANY,
		.run = run_token,
	},
	{ .path = NULL },
};

#include "cli/cmd/registry.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "cli/cmd/cmds.h"
#include "cli/jsontext.h"
#include "cli/out.h"
#include "cli/tty.h"

enum { PASSWORD_MAX = 64 << 10 };

static const struct opt registry_options[] = {
	OPT(struct registry_flags, username, 'u', "username", "NAME",
	    "user name; else DXF_USERNAME, else the files of docker and podman, else netrc"),
	OPT(struct registry_flags, password, 'p', "password", "PASSWORD",
	    "password; others can see it: better use --password-stdin"),
	OPT(struct registry_flags, password_stdin, 0, "password-stdin", NULL,
	    "read the password from standard input"),
	OPT(struct registry_flags, token, 0, "token", "TOKEN", "send this bearer token; else DXF_TOKEN"),
	OPT(struct registry_flags, plain_http, 0, "plain-http", NULL,
	    "use HTTP at once, or with --no-plain-http never (default: only where a loopback address does "
	    "not speak TLS)"),
	OPT_END,
};

const struct cmd registry_cmds[] = {
	{
		.path = "registry",
		.summary = "store and fetch data in a container registry",
		.description = "Works with registries that speak Docker Registry v2 or OCI distribution.\n\n"
			       "A REPO is written as docker does: [HOST[:PORT]/]NAME, followed by :TAG or "
			       "@DIGEST where one is wanted; without a host it means Docker Hub. An ALIAS "
			       "is a tag whose manifest lists blobs.",
		CMD_OPTS(struct registry_flags, registry_options),
		.opts_title = "Registry options",
	},
	{ .path = "registry blob", .summary = "blobs: content under its digest" },
	{ .path = "registry manifest", .summary = "manifests: what an image or alias consists of" },
	{ .path = "registry alias", .summary = "aliases: names for lists of blobs" },
	{ .path = NULL },
};

/* host[:port] of this machine; when in doubt not, as that only brings a warning. */
static bool is_loopback(const char *host)
{
	size_t n = strncmp(host, "127.", 4) ? 0 : strspn(host, "0123456789.");

	if (!strncmp(host, "localhost", 9))
		n = 9;
	else if (!strncmp(host, "[::1]", 5))
		n = 5;
	return n && (!host[n] || host[n] == ':');
}

void registry_warn_http(struct door *d)
{
	if (d->warned || d->app->g.insecure != DAVIT_YES ||
	    strncmp(davit_registry_url(d->r), "http://", 7) != 0 || is_loopback(d->host))
		return;
	d->warned = true;
	app_warn(d->app, "the credentials for %s go over plain http, where others can read them", d->host);
}

/* DXF_* variables are meant for the host that DXF_HOST names, if it names one. */
static const char *dxf_variable(const struct door *d, const char *name)
{
	const char *host = getenv("DXF_HOST");
	const char *value = getenv(name);

	if (host && *host && strcmp(host, d->host) != 0)
		return NULL;
	return value && *value ? value : NULL;
}

static int read_password(struct door *d, davit_err *e)
{
	int r = fd_read_all(STDIN_FILENO, "standard input", &d->password, e);

	if (r)
		return r;
	while (d->password.len && strchr("\r\n", d->password.p[d->password.len - 1]))
		d->password.p[--d->password.len] = 0;
	if (!d->password.len)
		return err_set(e, DAVIT_EARG, "option --password-stdin: standard input is empty");
	d->has_password = true;
	return 0;
}

static int ask_password(struct door *d, const char *username, davit_err *e)
{
	char question[256];
	davit_err shown = { 0 };

	err_set(&shown, 0, "Password of %.100s at %.100s: ", username, d->host);
	memcpy(question, shown.msg, sizeof question - 1);
	question[sizeof question - 1] = 0;
	d->has_password = true;
	return tty_ask_secret(question, "--password-stdin", &d->password, e);
}

/* The password that belongs to the user name of the options. */
static int own_password(struct door *d, davit_secret *out, davit_err *e)
{
	const struct registry_flags *f = d->app->noun_opts;
	int r = 0;

	if (f->password.s) {
		*out = f->password;
		return 0;
	}
	if (!d->has_password)
		r = ask_password(d, f->username, e);
	if (!r)
		out->s = buf_str(&d->password);
	return r;
}

static int answer_challenge(struct door *d, const davit_registry_challenge *c, davit_registry_answer *answer,
			    davit_err *e)
{
	const struct registry_flags *f = d->app->noun_opts;
	struct buf server = BUF_INIT(4096);
	int r;

	if (f->username) {
		answer->username = f->username;
		return own_password(d, &answer->password, e);
	}
	answer->authorization.s = dxf_variable(d, "DXF_AUTHORIZATION");
	answer->username = dxf_variable(d, "DXF_USERNAME");
	answer->password.s = dxf_variable(d, "DXF_PASSWORD");
	if (answer->authorization.s || (answer->username && answer->password.s))
		return 0;
	buf_printf(&server, "%s%s%s", c->host, d->ref ? "/" : "", d->ref ? d->ref->repo : "");
	davit_credentials_free(d->found);
	d->found = NULL;
	r = buf_check(&server, "the reference", e);
	if (!r)
		r = davit_credentials_find(buf_str(&server),
					   DAVIT_OPTS(davit_credentials_opts,
						      .cancel = d->app->connection.cancel),
					   &d->found, e);
	buf_fini(&server);
	if (r)
		return r;
	answer->username = d->found->username;
	answer->password = d->found->password;
	answer->identity_token = d->found->identity_token;
	if (d->found->registry_token.s && !answer->identity_token.s && !answer->password.s)
		return davit_registry_set_token(d->r, d->found->registry_token.s, e);
	return 0;
}

static int on_challenge(void *user, const davit_registry_challenge *c, davit_registry_answer *answer)
{
	struct door *d = user;
	int r = answer_challenge(d, c, answer, &d->failure);

	if (!r && (answer->username || answer->authorization.s || answer->identity_token.s))
		registry_warn_http(d);
	return r;
}

static int open_registry(struct door *d, davit_err *e)
{
	const struct registry_flags *f = d->app->noun_opts;
	bool insecure = d->app->g.insecure == DAVIT_YES;
	davit_registry_opts opts = {
		.size = sizeof opts,
		.connection = &d->app->connection,
		.plain_http = d->plain_http,
		.http_auth = insecure ? DAVIT_YES : DAVIT_UNSET,
		.token.s = f->token.s ? f->token.s : dxf_variable(d, "DXF_TOKEN"),
		.auth_host = dxf_variable(d, "DXF_AUTH_HOST"),
		.challenge = on_challenge,
		.challenge_user = d,
	};
	int r = 0;

	d->has_token = opts.token.s;
	d->password = (struct buf)BUF_INIT_SECRET(PASSWORD_MAX);
	if (f->password.s && f->password_stdin)
		return err_set(e, DAVIT_EARG, "options --password and --password-stdin exclude each other");
	if (f->password.s && !f->username)
		return err_set(e, DAVIT_EARG, "option --password needs --username");
	if (f->password_stdin && !f->username)
		return err_set(e, DAVIT_EARG, "option --password-stdin needs --username");
	if (f->password_stdin)
		r = read_password(d, e);
	return r ? r : davit_registry_open(d->host, &opts, &d->r, e);
}

/* Takes HOST out of https://HOST/ or http://HOST/; the latter is as good as --plain-http. */
static int take_scheme(struct door *d, const char *host, davit_err *e)
{
	const struct registry_flags *f = d->app->noun_opts;
	bool http = !strncmp(host, "http://", 7), https = !strncmp(host, "https://", 8);
	const char *bare = host + (http ? 7 : https ? 8 : 0);
	size_t n = strlen(bare);

	if (http && f->plain_http == DAVIT_NO)
		return err_set(e, DAVIT_EARG, "%s and option --no-plain-http exclude each other", host);
	if (https && f->plain_http == DAVIT_YES)
		return err_set(e, DAVIT_EARG, "%s and option --plain-http exclude each other", host);
	d->plain_http = http ? DAVIT_YES : f->plain_http;
	if (bare != host && n && bare[n - 1] == '/')
		n--;
	d->host = strndup(bare, n);
	return d->host ? 0 : err_nomem(e);
}

int registry_enter_host(struct door *d, struct app *app, const char *host, davit_err *e)
{
	int r = app_connection(app, e);

	if (r)
		return r;
	d->app = app;
	r = take_scheme(d, host, e);
	return r ? r : open_registry(d, e);
}

int registry_enter(struct door *d, struct app *app, const char *reference, davit_err *e)
{
	int r = davit_registry_ref_parse(reference, &d->ref, e);

	return r ? r : registry_enter_host(d, app, d->ref->host, e);
}

int registry_leave(struct door *d, int r, davit_err *e)
{
	if (d->app)
		app_progress_end(d->app);
	if (r == DAVIT_ECALLBACK && d->failure.code) {
		r = d->failure.code;
		if (e)
			*e = d->failure;
	}
	if (r)
		r = out_sink_result(r, e);
	/* Only an answer decides between https and http. */
	if (d->app && d->r && d->has_token)
		registry_warn_http(d);
	davit_registry_free(d->r);
	davit_reply_free(d->ref);
	davit_credentials_free(d->found);
	free(d->host);
	buf_fini(&d->password);
	return r;
}

int registry_ask(struct door *d, struct app *app, const char *host, struct buf *username, davit_err *e)
{
	const struct registry_flags *f = app->noun_opts;
	int r;

	if (f->username)
		buf_puts(username, f->username);
	else if ((r = tty_ask("Username: ", "--username", username, e)))
		return r;
	if (!username->len)
		return err_set(e, DAVIT_EARG, "logging in to %s needs a user name", host);
	if (f->password.s) {
		buf_puts(&d->password, f->password.s);
		d->has_password = true;
	}
	return d->has_password ? 0 : ask_password(d, buf_str(username), e);
}

const char *registry_reference(const struct door *d)
{
	return d->ref->digest ? d->ref->digest : d->ref->tag ? d->ref->tag : "latest";
}

int registry_need_digest(const struct door *d, const char **digest, davit_err *e)
{
	if (!d->ref->digest)
		return err_set(e, DAVIT_EARG, "%s/%s: a digest is missing; write REPO@sha256:...",
			       d->ref->host, d->ref->repo);
	*digest = d->ref->digest;
	return 0;
}

int registry_need_bare(const struct door *d, davit_err *e)
{
	if (d->ref->tag || d->ref->digest)
		return err_set(e, DAVIT_EARG, "%s/%s: a repository without tag or digest is wanted here",
			       d->ref->host, d->ref->repo);
	return 0;
}

bool registry_is_digest(const char *text)
{
	return !strncmp(text, "sha256:", 7) || !strncmp(text, "sha512:", 7);
}

static void platform_text(const davit_registry_platform *p, struct buf *out)
{
	buf_printf(out, "%s/%s%s%s", p->os ? p->os : "unknown", p->architecture ? p->architecture : "unknown",
		   p->variant ? "/" : "", p->variant ? p->variant : "");
}

void registry_descriptor_json(const davit_registry_descriptor *desc, const char *platform, struct buf *out)
{
	struct buf text = BUF_INIT(1024);

	if (!platform && desc->platform) {
		platform_text(desc->platform, &text);
		platform = buf_str(&text);
	}
	buf_putc(out, '{');
	json_member_str(out, "digest", desc->digest);
	json_member_int(out, "size", desc->size);
	json_member_str(out, "mediaType", desc->media_type);
	json_member_str(out, "platform", platform);
	buf_putc(out, '}');
	buf_fini(&text);
}

int registry_save(const char *path, const char *bytes, size_t n, davit_err *e)
{
	struct newfile f = NEWFILE_INIT;
	int r;

	if (!path || !strcmp(path, "-"))
		return out_write(bytes, n, e);
	r = newfile_open(&f, path, 0666, e);
	if (!r) {
		int errnum = fd_write_all(f.fd, bytes, n);

		r = errnum ? err_errno(e, -errnum, "writing %s", path) : newfile_commit(&f, e);
	}
	newfile_fini(&f);
	return r;
}

#include "cli/cmd/dxf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/limits.h"
#include "cli/out.h"
#include "cli/personality.h"
#include "cli/sig.h"

enum { MAX_REDIRECTS = 30 }; /* as Python's requests */

static int op_auth(struct dxf *d, davit_err *e);
static int op_list_aliases(struct dxf *d, davit_err *e);
static int op_list_repos(struct dxf *d, davit_err *e);

const struct dxf_op dxf_ops[] = {
	{ .name = "auth", .run = op_auth, .max = SIZE_MAX },
	{ .name = "push-blob", .run = dxf_push_blob, .min = 1, .max = 2, .alias = 2 },
	{ .name = "pull-blob", .run = dxf_pull_blob, .max = SIZE_MAX, .from_stdin = true },
	{ .name = "blob-size", .run = dxf_blob_size, .max = SIZE_MAX, .from_stdin = true },
	{ .name = "mount-blob", .run = dxf_mount_blob, .min = 2, .max = 3, .alias = 3 },
	{ .name = "del-blob", .run = dxf_del_blob, .max = SIZE_MAX, .from_stdin = true },
	{ .name = "set-alias", .run = dxf_set_alias, .min = 2, .max = SIZE_MAX },
	{ .name = "get-alias", .run = dxf_get_alias, .max = SIZE_MAX, .from_stdin = true },
	{ .name = "del-alias", .run = dxf_del_alias, .max = SIZE_MAX },
	{ .name = "get-digest", .run = dxf_get_digest, .max = SIZE_MAX, .from_stdin = true },
	{ .name = "get-manifest", .run = dxf_get_manifest, .max = SIZE_MAX },
	{ .name = "list-aliases", .run = op_list_aliases },
	{ .name = "list-repos", .run = op_list_repos, .no_repo = true },
	{ .name = NULL },
};

/* The value of a variable that is set and not empty, or NULL. */
static const char *env_text(const char *name)
{
	const char *s = getenv(name);

	return s && *s ? s : NULL;
}

static bool env_is_one(const char *name)
{
	const char *s = getenv(name);

	return s && !strcmp(s, "1");
}

static int op_auth(struct dxf *d, davit_err *e)
{
	AUTO_BUF struct buf out = BUF_INIT_SECRET(LIMIT_TOKEN + 1);
	const char *token;
	int rc = davit_registry_authenticate(d->r, d->repo,
					     DAVIT_OPTS(davit_registry_authenticate_opts,
							.actions = { d->n ? d->v : NULL, d->n },
							.verify = DAVIT_YES),
					     &token, e);

	if (rc || !token)
		return rc;
	buf_printf(&out, "%s\n", token);
	return out_buf(&out, e);
}

/* Where a page of names goes; e keeps why it could not be printed. */
struct printed {
	davit_err *e;
	int rc;
};

static int print_page(void *user, const davit_strv *names)
{
	struct printed *to = user;
	AUTO_BUF struct buf out = BUF_INIT(OUT_MAX);

	for (size_t i = 0; i < names->n; i++)
		buf_printf(&out, "%s\n", names->v[i]);
	to->rc = out_buf(&out, to->e);
	return to->rc;
}

/* The tags of repo, or for NULL the repositories. */
static int print_list(struct dxf *d, const char *repo, davit_err *e)
{
	davit_err why = { 0 };
	struct printed to = { .e = &why };
	davit_registry_list *list = NULL;
	const davit_registry_list_opts *opts =
		DAVIT_OPTS(davit_registry_list_opts, .page = print_page, .page_user = &to);
	int rc = repo ? davit_registry_tags(d->r, repo, opts, &list, e)
		      : davit_registry_repos(d->r, opts, &list, e);

	davit_reply_free(list);
	if (to.rc) {
		*e = why;
		return to.rc;
	}
	return rc;
}

static int op_list_aliases(struct dxf *d, davit_err *e)
{
	return print_list(d, d->repo, e);
}

static int op_list_repos(struct dxf *d, davit_err *e)
{
	return print_list(d, NULL, e);
}

/* Which authorities to trust. A missing file is no error over http, where nobody looks into it. */
static int set_trust(struct dxf *d, davit_err *e)
{
	static const char *const names[] = { "DXF_TLSVERIFY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE" };
	struct globals *g = &d->app.g;
	const char *path = NULL;
	struct stat st;
	size_t i = 0;

	if (env_is_one("DXF_SKIPTLSVERIFY")) {
		g->insecure = DAVIT_YES;
		return 0;
	}
	for (; i < sizeof names / sizeof *names && !path; i++)
		path = env_text(names[i]);
	if (!path)
		return 0;
	if (stat(path, &st))
		return d->insecure ? 0 : err_errno(e, errno, "%s: cannot find %s", names[i - 1], path);
	if (S_ISDIR(st.st_mode))
		g->ca_dir = path;
	else
		g->ca_file = path;
	return 0;
}

/* What netrc says about a host[:port]. *out is always set on success. */
static int find_netrc(const char *host, davit_credentials **out, davit_err *e)
{
	const char *netrc = env_text("NETRC");
	int rc = davit_credentials_find(host,
					DAVIT_OPTS(davit_credentials_opts, .config_file = "/dev/null",
						   .netrc_file = netrc),
					out, e);

	/* Only a file that was asked for by name must be readable. */
	if (rc && rc != DAVIT_ENOMEM && !netrc)
		rc = davit_credentials_find(host,
					    DAVIT_OPTS(davit_credentials_opts, .config_file = "/dev/null",
						       .use_netrc = DAVIT_NO),
					    out, e);
	return rc;
}

/* Who asks for credentials: the registry, or the token server that it names. NULL: out of memory. */
static char *asking_host(const davit_registry_challenge *c)
{
	const char *host = c->host, *at;
	size_t n;

	if (!strcmp(c->scheme, "bearer") && c->realm) {
		host = strstr(c->realm, "://");
		host = env_text("DXF_AUTH_HOST") ? env_text("DXF_AUTH_HOST") : host ? host + 3 : c->realm;
	}
	n = strcspn(host, "/?#");
	at = memchr(host, '@', n);
	if (at) {
		n -= (size_t)(at + 1 - host);
		host = at + 1;
	}
	return strndup(host, n);
}

/* Without credentials in the environment netrc is asked, as Python's requests does for every host. */
static int on_challenge(void *user, const davit_registry_challenge *c, davit_registry_answer *answer)
{
	struct dxf *d = user;
	AUTO_FREE char *host = asking_host(c);
	int rc;

	davit_credentials_free(d->asked);
	d->asked = NULL;
	if (!host)
		return DAVIT_ENOMEM;
	rc = find_netrc(host, &d->asked, NULL);
	if (rc)
		return rc;
	if (d->asked->username && d->asked->password.s) {
		answer->username = d->asked->username;
		answer->password = d->asked->password;
	}
	return 0;
}

static int open_registry(struct dxf *d, const davit_credentials *netrc, bool with_token, davit_err *e)
{
	const char *username = getenv("DXF_USERNAME"), *password = getenv("DXF_PASSWORD");
	bool both = username && password, first = netrc->username && netrc->password.s;
	davit_registry_opts opts = {
		.size = sizeof opts,
		.connection = &d->app.connection,
		.plain_http = d->insecure ? DAVIT_YES : DAVIT_NO,
		.http_auth = DAVIT_NO,
		.preset_over_http = DAVIT_YES,
		.realm_https = DAVIT_YES,
		.retry_anonymous = DAVIT_YES,
		.username = both ? username : NULL,
		.password.s = both ? password : NULL,
		.authorization.s = both ? NULL : env_text("DXF_AUTHORIZATION"),
		.token.s = with_token && !first ? env_text("DXF_TOKEN") : NULL,
		.auth_host = env_text("DXF_AUTH_HOST"),
		.basic_username = first ? netrc->username : NULL,
		.basic_password.s = first ? netrc->password.s : NULL,
		.challenge = on_challenge,
		.challenge_user = d,
		.check_names = DAVIT_NO,
	};

	return davit_registry_open(d->host, &opts, &d->r, e);
}

/* Everything that comes before the first request. */
static int prepare(struct dxf *d, const struct dxf_op *op, davit_err *e)
{
	davit_credentials *netrc = NULL;
	int rc;

	/* stdin is read while a signal still ends the program by itself. */
	if (op->from_stdin && !d->n) {
		rc = fd_read_all(STDIN_FILENO, "standard input", &d->manifest, e);
		if (rc)
			return rc;
	}
	d->app.g.retries = (davit_opt_int){ .value = 0, .set = true };
	rc = set_trust(d, e);
	if (!rc)
		rc = app_connection(&d->app, e);
	if (rc)
		return rc;
	/* The original waits as long as it takes. */
	d->app.connection.low_speed_limit = -1;
	d->app.connection.max_redirects = MAX_REDIRECTS;
	/* curl leaves this name to CGI programs. */
	if (d->insecure && !getenv("http_proxy") && !getenv("REQUEST_METHOD"))
		d->app.connection.proxy = env_text("HTTP_PROXY");
	rc = find_netrc(d->host, &netrc, e);
	if (!rc)
		rc = open_registry(d, netrc, op->run != op_auth, e);
	davit_credentials_free(netrc);
	return rc;
}

/* Whether a name, as a part of a path, would name another path: the original learns that from a 404. */
static bool names_nothing(const char *name)
{
	for (;;) {
		size_t n = strcspn(name, "/");

		if (!n || (n <= 2 && !strncmp(name, "..", n)))
			return true;
		if (!name[n])
			return false;
		name += n + 1;
	}
}

static bool any_names_nothing(const struct dxf *d)
{
	bool found = d->repo && names_nothing(d->repo);

	for (size_t i = 0; i < d->n && !found; i++)
		found = names_nothing(d->v[i] + (*d->v[i] == '@'));
	return found;
}

static int exit_code(const struct dxf *d, int rc, const davit_err *e)
{
	if (!rc)
		return EXIT_OK;
	if (sig_caught())
		return EXIT_SIGNAL + sig_caught();
	if (e->http == 404 || (rc == DAVIT_EARG && any_names_nothing(d)))
		return DXF_EXIT_NOTFOUND;
	/* Over http nothing but "Auth requires HTTPS" can follow a 401. */
	return rc == DAVIT_EDENIED && e->http == 401 && !d->insecure ? DXF_EXIT_DENIED : EXIT_FAILED;
}

static int complain(const char *message)
{
	app_complain("dxf: error", message);
	return EXIT_FAILED;
}

/* The message of a wrong number or form of arguments, or NULL. */
static const char *wrong_arguments(const struct dxf_op *op, const struct dxf_args *args)
{
	if (args->n < op->min)
		return "too few arguments";
	if (args->n > op->max)
		return "too many arguments";
	return op->alias && args->n == op->alias && *args->v[op->alias - 1] != '@' ? "invalid alias" : NULL;
}

static int run(struct dxf *d, const struct dxf_op *op)
{
	davit_err e = { 0 };
	int rc = prepare(d, op, &e), status;

	if (!rc)
		rc = op->run(d, &e);
	dxf_bar_end(d->bar);
	if (!rc)
		rc = out_close(&e);
	status = exit_code(d, rc, &e);
	if (rc)
		complain(e.msg);
	return status;
}

int dxf_main(int argc, char **argv)
{
	struct dxf_args args;
	struct dxf d = { .manifest = BUF_INIT(LIMIT_MANIFEST_READ) };
	const char *wrong;
	int status;

	if (!dxf_args_parse(argc, argv, &args, &status))
		goto out;
	d.host = env_text("DXF_HOST");
	wrong = args.op ? wrong_arguments(args.op, &args) : NULL;
	if (!args.op) {
		status = complain("no operation given; 'dxf -h' lists them");
	} else if (!d.host) {
		status = complain("DXF_HOST is not set; set it to the registry's host[:port]");
	} else if (wrong) {
		status = dxf_usage_error(wrong);
	} else {
		d.repo = args.repo;
		d.v = args.v;
		d.n = args.n;
		d.platform = env_text("DXF_PLATFORM");
		d.insecure = env_is_one("DXF_INSECURE");
		d.bar = dxf_bar_new();
		status = run(&d, args.op);
		dxf_bar_free(d.bar);
		davit_registry_free(d.r);
		davit_credentials_free(d.asked);
		app_fini(&d.app);
	}
	buf_fini(&d.manifest);
out:
	free(args.v);
	return status;
}

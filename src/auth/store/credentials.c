/* Where credentials are looked for, in order, and where they are stored. */
#include <davit/credentials.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/store/docker_config.h"
#include "auth/store/found.h"
#include "auth/store/netrc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/opts.h"

static const davit_credentials_opts defaults = { .size = sizeof defaults };

static int check_opts(const davit_credentials_opts **opts, davit_err *e)
{
	int rc = opts_check(*opts, sizeof **opts, "davit_credentials_opts", e);

	if (!*opts)
		*opts = &defaults;
	return rc;
}

/* One place for a file: environment variable (with a directory: its value) and what follows it. */
static const struct place {
	const char *variable;
	const char *suffix;
	bool docker; /* where docker itself would write */
} places[] = {
	{ "REGISTRY_AUTH_FILE", "", true },
	{ "XDG_RUNTIME_DIR", "/containers/auth.json", false },
	{ "XDG_CONFIG_HOME", "/containers/auth.json", false },
	{ "HOME", "/.config/containers/auth.json", false },
	{ "DOCKER_CONFIG", "/config.json", true },
	{ "HOME", "/.docker/config.json", true },
	{ "HOME", "/.dockercfg", false },
};

/* The path of a place in mem; NULL if its variable is not set. False when memory ran out. */
static bool place_path(const struct place *p, struct arena *mem, const char **out)
{
	const char *value = secure_getenv(p->variable);

	*out = value && *value ? arena_printf(mem, "%s%s", value, p->suffix) : NULL;
	return *out || !value || !*value;
}

static int find_in_files(const struct server_name *server, const davit_credentials_opts *opts,
			 struct found *f, davit_err *e)
{
	struct docker_config_place place = { .file = opts->config_file, .cancel = opts->cancel };

	if (opts->config_file)
		return docker_config_find(&place, server, f, e);
	for (size_t i = 0; i < sizeof places / sizeof *places && !f->hit; i++) {
		int rc;

		if (!place_path(&places[i], &f->mem, &place.file))
			return err_nomem(e);
		rc = place.file ? docker_config_find(&place, server, f, e) : 0;
		if (rc)
			return rc;
	}
	return 0;
}

/* netrc knows hosts without ports. */
static const char *host_only(const char *host, struct arena *mem)
{
	const char *end = *host == '[' ? strchr(host, ']') : strchr(host, ':');

	if (*host == '[' && end)
		return arena_strndup(mem, host + 1, (size_t)(end - host) - 1);
	return end ? arena_strndup(mem, host, (size_t)(end - host)) : host;
}

static int find_in_netrc_file(const char *path, const char *host, struct found *f, davit_err *e)
{
	AUTO_BUF struct buf text = BUF_INIT_SECRET(LIMIT_NETRC_FILE);
	struct netrc_entry entry;
	bool hit;
	int rc = fd_read_file(path, &text, e);

	if (rc)
		return rc == DAVIT_ENOTFOUND ? 0 : rc;
	if (!netrc_find(buf_str(&text), host, &f->mem, &entry, &hit))
		return err_nomem(e);
	if (!hit || !entry.password)
		return 0;
	f->hit = true;
	f->c.username = entry.login ? entry.login : "";
	f->c.password.s = entry.password;
	f->c.origin = arena_strdup(&f->mem, path);
	return f->c.origin ? 0 : err_nomem(e);
}

static int find_in_netrc(const struct server_name *server, const davit_credentials_opts *opts,
			 struct found *f, davit_err *e)
{
	static const struct place netrcs[] = {
		{ "NETRC", "", false }, { "HOME", "/.netrc", false }, { "HOME", "/_netrc", false },
	};
	const char *host = host_only(server->host, &f->mem), *path;

	if (!host)
		return err_nomem(e);
	if (opts->netrc_file)
		return find_in_netrc_file(opts->netrc_file, host, f, e);
	for (size_t i = 0; i < sizeof netrcs / sizeof *netrcs && !f->hit; i++) {
		int rc;

		if (!place_path(&netrcs[i], &f->mem, &path))
			return err_nomem(e);
		rc = path ? find_in_netrc_file(path, host, f, e) : 0;
		if (rc)
			return rc;
	}
	return 0;
}

int davit_credentials_find(const char *server, const davit_credentials_opts *opts, davit_credentials **out,
			   davit_err *e)
{
	struct server_name name;
	struct found *f;
	int rc = check_opts(&opts, e);

	if (rc)
		return rc;
	f = calloc(1, sizeof *f);
	if (!f)
		return err_nomem(e);
	if (!server_name_parse(server, &f->mem, &name))
		rc = err_nomem(e);
	if (!rc)
		rc = find_in_files(&name, opts, f, e);
	if (!rc && !f->hit && opts->use_netrc != DAVIT_NO)
		rc = find_in_netrc(&name, opts, f, e);
	if (rc) {
		davit_credentials_free(&f->c);
		return err_at(e, rc, "credentials for %s: ", server);
	}
	*out = &f->c;
	return 0;
}

void davit_credentials_free(davit_credentials *c)
{
	struct found *f = (struct found *)c;

	if (!f)
		return;
	arena_fini(&f->mem);
	free(f);
}

/* The file that a login changes: the named one, else the first place that is docker's. */
static int file_to_change(const davit_credentials_opts *opts, struct arena *mem, const char **out,
			  davit_err *e)
{
	*out = opts->config_file;
	for (size_t i = 0; i < sizeof places / sizeof *places && !*out; i++)
		if (places[i].docker && !place_path(&places[i], mem, out))
			return err_nomem(e);
	return *out ? 0 : err_set(e, DAVIT_EIO, "no place to store credentials: HOME is not set");
}

static int change(const char *server, const davit_credentials *c, const davit_credentials_opts *opts,
		  struct docker_config_place *place, davit_err *e)
{
	struct arena mem = { 0 };
	struct server_name name;
	int rc = check_opts(&opts, e);

	if (!rc)
		rc = file_to_change(opts, &mem, &place->file, e);
	if (!rc && !server_name_parse(server, &mem, &name))
		rc = err_nomem(e);
	if (!rc) {
		place->cancel = opts->cancel;
		rc = docker_config_change(place, &name, c, e);
	}
	arena_fini(&mem);
	return rc;
}

int davit_credentials_store(const char *server, const davit_credentials *c,
			    const davit_credentials_opts *opts, char *where, size_t n, davit_err *e)
{
	struct docker_config_place place = { .where = where, .n = n };

	if (!c || !((c->username && c->password.s) || c->identity_token.s || c->registry_token.s))
		return err_set(e, DAVIT_EARG, "credentials for %s: neither user and password nor a token",
			       server);
	return change(server, c, opts, &place, e);
}

int davit_credentials_erase(const char *server, const davit_credentials_opts *opts, davit_err *e)
{
	struct docker_config_place place = { 0 };

	return change(server, NULL, opts, &place, e);
}

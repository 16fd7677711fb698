#include "auth/store/docker_config.h"

#include <ctype.h>
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "auth/store/helper.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/mem.h"
#include "wire/base64.h"
#include "wire/dockerref.h"
#include "wire/json.h"
#include "wire/json_edit.h"

static const char hub[] = "docker.io";
static const char hub_key[] = "https://index.docker.io/v1/";

/* ---- names of servers -------------------------------------------------------------------------- */

/* A path that only says "API version" names no repository. */
static bool is_version_path(const char *path)
{
	return !strcmp(path, "/v1") || !strcmp(path, "/v2");
}

bool server_name_parse(const char *text, struct arena *mem, struct server_name *out)
{
	const char *scheme = strstr(text, "://");
	char *host, *path;
	bool is_hub;
	size_t n;

	if (scheme)
		text = scheme + 3;
	n = strcspn(text, "/");
	host = arena_strndup(mem, text, n);
	path = arena_strdup(mem, text + n);
	if (!host || !path)
		return false;
	for (char *p = host; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	for (n = strlen(path); n && path[n - 1] == '/'; n--)
		path[n - 1] = 0;
	/* A key with a scheme is the address of a registry; what follows the host is its API. */
	if (scheme || is_version_path(path))
		path[0] = 0;
	is_hub = strcmp(dockerref_host(host), DOCKERREF_HUB) == 0;
	*out = (struct server_name){ .host = is_hub ? hub : host, .path = path };
	return true;
}

const char *server_name_key(const struct server_name *s, struct arena *mem)
{
	if (s->host == hub && !*s->path)
		return hub_key;
	return arena_printf(mem, "%s%s", s->host, s->path);
}

/* Length of the path by which key covers server, plus 1; 0 if it does not. */
static size_t key_match(const struct server_name *key, const struct server_name *server)
{
	size_t n = strlen(key->path);

	if (strcmp(key->host, server->host) != 0 || strncmp(key->path, server->path, n) != 0)
		return 0;
	return server->path[n] == 0 || server->path[n] == '/' ? n + 1 : 0;
}

/* The member of an object whose key covers server best; DAVIT_ENOMEM or 0 with *key NULL for none. */
static int best_member(const davit_value *object, const struct server_name *server, struct arena *mem,
		       const char **key, davit_err *e)
{
	size_t best = 0, n = davit_value_get_type(object) == DAVIT_VALUE_OBJECT ? davit_value_len(object) : 0;

	*key = NULL;
	for (size_t i = 0; i < n; i++) {
		const char *text = davit_value_key(object, i);
		struct server_name name;
		size_t match;

		if (!server_name_parse(text, mem, &name))
			return err_nomem(e);
		match = key_match(&name, server);
		if (match > best) {
			best = match;
			*key = text;
		}
	}
	return 0;
}

/* ---- reading ----------------------------------------------------------------------------------- */

/* An open file. */
struct config {
	struct jnode *root;
	const davit_value *value;
	const davit_value *auths;   /* of .dockercfg: the file itself */
};

static const davit_value *object_member(const davit_value *v, const char *key)
{
	const davit_value *m = davit_value_member(v, key);

	return davit_value_get_type(m) == DAVIT_VALUE_OBJECT ? m : NULL;
}

/* A member that should hold objects by name but is something else: the file cannot be understood. */
static int check_object(const char *file, const davit_value *v, const char *key, davit_err *e)
{
	const davit_value *m = davit_value_member(v, key);

	if (!m || davit_value_get_type(m) == DAVIT_VALUE_NULL ||
	    davit_value_get_type(m) == DAVIT_VALUE_OBJECT)
		return 0;
	return err_set(e, DAVIT_EPROTO, "%s: \"%s\": expected a JSON object", file, key);
}

/* A file without content is an empty one: podman makes it so. */
static int config_load(const char *file, struct config *out, davit_err *e)
{
	AUTO_BUF struct buf text = BUF_INIT_SECRET(LIMIT_CONFIG_FILE);
	int rc = fd_read_file(file, &text, e);

	if (rc)
		return rc;
	if (strspn(buf_str(&text), " \t\r\n") == text.len)
		buf_puts(&text, "{}");
	rc = json_parse(buf_str(&text), text.len, &out->root, e);
	if (rc)
		return err_at(e, rc, "%s: ", file);
	out->value = json_value(out->root);
	if (davit_value_get_type(out->value) != DAVIT_VALUE_OBJECT)
		rc = err_set(e, DAVIT_EPROTO, "%s: expected a JSON object", file);
	rc = rc ? rc : check_object(file, out->value, "auths", e);
	rc = rc ? rc : check_object(file, out->value, "credHelpers", e);
	if (rc) {
		json_unref_secret(out->root);
		return rc;
	}
	out->auths = object_member(out->value, "auths");
	if (!out->auths && strstr(file, ".dockercfg"))
		out->auths = out->value;
	return 0;
}

/* Splits the "auth" member: base64 of user:password. */
static int take_auth(const char *auth, struct arena *mem, davit_credentials *c, davit_err *e)
{
	AUTO_BUF struct buf plain = BUF_INIT_SECRET(LIMIT_TOKEN);
	const char *colon;

	if (!base64_decode(&plain, auth, strlen(auth)) || plain.bad)
		return err_set(e, DAVIT_EPROTO, "\"auth\" is not valid base64");
	colon = memchr(buf_str(&plain), ':', plain.len);
	if (!colon)
		return err_set(e, DAVIT_EPROTO, "\"auth\" holds no user:password");
	c->username = arena_strndup(mem, plain.p, (size_t)(colon - plain.p));
	/* Old versions of docker padded with NUL bytes. */
	c->password.s = arena_strdup(mem, colon + 1);
	return c->username && c->password.s ? 0 : err_nomem(e);
}

static int take_string(const davit_value *entry, const char *key, struct arena *mem, const char **out,
		       davit_err *e)
{
	const char *s = davit_value_string(davit_value_member(entry, key));

	if (!s || !*s)
		return 0;
	*out = arena_strdup(mem, s);
	return *out ? 0 : err_nomem(e);
}

/* An entry of "auths"; one without any secret (as docker leaves behind a helper) is no hit. */
static int take_entry(const davit_value *entry, struct arena *mem, davit_credentials *c, davit_err *e)
{
	const char *auth = davit_value_string(davit_value_member(entry, "auth"));
	int rc = auth && *auth ? take_auth(auth, mem, c, e) : 0;

	if (!rc && !c->username)
		rc = take_string(entry, "username", mem, &c->username, e);
	if (!rc && !c->password.s)
		rc = take_string(entry, "password", mem, &c->password.s, e);
	if (!rc)
		rc = take_string(entry, "identitytoken", mem, &c->identity_token.s, e);
	if (!rc)
		rc = take_string(entry, "registrytoken", mem, &c->registry_token.s, e);
	return rc;
}

static bool has_secret(const davit_credentials *c)
{
	return (c->username && c->password.s) || c->identity_token.s || c->registry_token.s;
}

/* The helper that the file names for server: its own, else the store for all; NULL for none. */
static int pick_helper(const struct config *cfg, const struct server_name *server, struct arena *mem,
		       const char **name, davit_err *e)
{
	const davit_value *helpers = object_member(cfg->value, "credHelpers");
	const char *key;
	int rc = best_member(helpers, server, mem, &key, e);

	if (rc)
		return rc;
	*name = davit_value_string(key ? davit_value_member(helpers, key)
				       : davit_value_member(cfg->value, "credsStore"));
	if (*name && !**name)
		*name = NULL;
	return 0;
}

static int find_in_auths(const struct config *cfg, const struct server_name *server, struct arena *mem,
			 davit_credentials *out, davit_err *e)
{
	const char *key;
	int rc = best_member(cfg->auths, server, mem, &key, e);

	if (rc || !key)
		return rc;
	if (davit_value_get_type(davit_value_member(cfg->auths, key)) != DAVIT_VALUE_OBJECT)
		rc = err_set(e, DAVIT_EPROTO, "expected a JSON object");
	else
		rc = take_entry(davit_value_member(cfg->auths, key), mem, out, e);
	return err_at(e, rc, "entry \"%s\": ", key);
}

static int find_in_config(const struct config *cfg, const struct docker_config_place *place,
			  const struct server_name *server, struct found *out, davit_err *e)
{
	struct helper helper = { .cancel = place->cancel };
	davit_credentials c = { 0 };
	int rc = pick_helper(cfg, server, &out->mem, &helper.name, e);

	if (!rc && helper.name) {
		const char *key = server_name_key(server, &out->mem);

		rc = key ? helper_get(&helper, key, out, e) : err_nomem(e);
	}
	if (rc || out->hit)
		return rc;
	rc = find_in_auths(cfg, server, &out->mem, &c, e);
	if (rc || !has_secret(&c))
		return rc;
	c.origin = arena_strdup(&out->mem, place->file);
	if (!c.origin)
		return err_nomem(e);
	out->c = c;
	out->hit = true;
	return 0;
}

int docker_config_find(const struct docker_config_place *place, const struct server_name *server,
		       struct found *out, davit_err *e)
{
	struct config cfg;
	int rc = config_load(place->file, &cfg, e);

	if (rc)
		return rc == DAVIT_ENOTFOUND ? 0 : rc;
	rc = find_in_config(&cfg, place, server, out, e);
	json_unref_secret(cfg.root);
	return err_at(e, rc, "%s: ", place->file);
}

/* ---- changing ---------------------------------------------------------------------------------- */

static int encode_auth(const davit_credentials *c, struct jnode **out, davit_err *e)
{
	AUTO_BUF struct buf plain = BUF_INIT_SECRET(LIMIT_TOKEN), auth = BUF_INIT_SECRET(2 * LIMIT_TOKEN);
	struct jnode *entry = json_make_object();
	bool ok = entry != NULL;

	if (c->username && c->password.s) {
		buf_printf(&plain, "%s:%s", c->username, c->password.s);
		base64_encode(&auth, buf_str(&plain), plain.len);
		if (plain.bad || auth.bad) {
			json_unref_secret(entry);
			return buf_check(plain.bad ? &plain : &auth, "the password", e);
		}
		ok = ok && json_set_string(entry, "auth", auth.p);
	}
	if (c->identity_token.s)
		ok = ok && json_set_string(entry, "identitytoken", c->identity_token.s);
	if (c->registry_token.s)
		ok = ok && json_set_string(entry, "registrytoken", c->registry_token.s);
	if (!ok) {
		json_unref_secret(entry);
		return err_nomem(e);
	}
	*out = entry;
	return 0;
}

/* Sets the entry (NULL: removes it) under key, after removing every other spelling of the same server. */
static int change_auths(struct config *cfg, const struct server_name *server, struct jnode *entry,
			bool *changed, davit_err *e)
{
	struct arena mem = { 0 };
	struct jnode *auths = json_edit_member(cfg->root, "auths");
	const char *key = server_name_key(server, &mem);
	int rc = 0;

	*changed = false;
	for (;;) {
		struct server_name name = { 0 };
		const char *old;

		rc = best_member(json_value(auths), server, &mem, &old, e);
		if (rc || !old)
			break;
		if (!server_name_parse(old, &mem, &name)) {
			rc = err_nomem(e);
			break;
		}
		if (strcmp(name.path, server->path) != 0)
			break; /* a shorter prefix: somebody else's entry */
		json_unset(auths, old);
		*changed = true;
	}
	if (!rc && (!auths || !key))
		rc = err_nomem(e);
	if (!rc && entry && !json_set(auths, key, json_ref(entry)))
		rc = err_nomem(e);
	arena_fini(&mem);
	return rc;
}

static int config_save(const char *file, const struct config *cfg, davit_err *e)
{
	AUTO_BUF struct buf text = BUF_INIT_SECRET(LIMIT_CONFIG_FILE);
	const davit_sink sink = buf_sink(&text);
	struct newfile f = NEWFILE_INIT;
	int rc = davit_value_write(json_value(cfg->root), DAVIT_VALUE_PRETTY, &sink, e);

	if (rc)
		return text.bad ? buf_check(&text, file, e) : rc;
	buf_putc(&text, '\n');
	rc = buf_check(&text, file, e);
	if (!rc)
		rc = newfile_open(&f, file, 0600, e);
	if (!rc) {
		int failed = fd_write_all(f.fd, text.p, text.len);

		rc = failed ? err_errno(e, -failed, "%s", file) : newfile_commit(&f, e);
	}
	newfile_fini(&f);
	return rc;
}

/* Makes the directory of file, mode 0700. */
static int make_parent(const char *file, davit_err *e)
{
	AUTO_FREE char *copy = strdup(file);
	char *dir = copy ? dirname(copy) : NULL;

	if (!dir)
		return err_nomem(e);
	for (char *p = dir + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = 0;
		if (mkdir(dir, 0700) < 0 && errno != EEXIST)
			return err_errno(e, errno, "%s", dir);
		*p = '/';
	}
	return mkdir(dir, 0700) < 0 && errno != EEXIST ? err_errno(e, errno, "%s", dir) : 0;
}

static int config_open(const char *file, struct config *cfg, davit_err *e)
{
	int rc = config_load(file, cfg, e);

	if (rc != DAVIT_ENOTFOUND)
		return rc;
	rc = make_parent(file, e);
	if (rc)
		return rc;
	*cfg = (struct config){ .root = json_make_object() };
	cfg->value = json_value(cfg->root);
	return cfg->root ? 0 : err_nomem(e);
}

static int change_with_helper(const struct helper *h, const struct server_name *server,
			      const davit_credentials *c, davit_err *e)
{
	struct arena mem = { 0 };
	const char *key = server_name_key(server, &mem);
	int rc;

	if (!key)
		rc = err_nomem(e);
	else
		rc = c ? helper_store(h, key, c, e) : helper_erase(h, key, e);
	arena_fini(&mem);
	return rc;
}

static int change_file(const struct docker_config_place *place, struct config *cfg,
		       const struct server_name *server, const davit_credentials *c, davit_err *e)
{
	struct jnode *entry = NULL;
	bool changed = false;
	int rc = c ? encode_auth(c, &entry, e) : 0;

	if (!rc)
		rc = change_auths(cfg, server, entry, &changed, e);
	if (!rc && !c && !changed)
		rc = err_set(e, DAVIT_ENOTFOUND, "nothing is stored for %s", server->host);
	if (!rc)
		rc = config_save(place->file, cfg, e);
	json_unref(entry); /* wiped with the tree */
	return rc;
}

/* With a helper the file keeps an empty entry, so that docker lists the server as logged in. */
static int change_config(const struct docker_config_place *place, struct config *cfg,
			 const struct server_name *server, const davit_credentials *c, davit_err *e)
{
	static const davit_credentials none = { 0 };
	struct helper helper = { .cancel = place->cancel };
	struct arena mem = { 0 };
	int rc = pick_helper(cfg, server, &mem, &helper.name, e);

	if (!rc && place->where)
		snprintf(place->where, place->n, "%s%s", helper.name ? "docker-credential-" : "",
			 helper.name ? helper.name : place->file);
	if (!rc && helper.name)
		rc = change_with_helper(&helper, server, c, e);
	if (!rc)
		rc = change_file(place, cfg, server, helper.name && c ? &none : c, e);
	/* The helper has forgotten it; that the file had no entry is no failure. */
	if (rc == DAVIT_ENOTFOUND && helper.name && !c)
		rc = 0;
	arena_fini(&mem);
	return rc;
}

int docker_config_change(const struct docker_config_place *place, const struct server_name *server,
			 const davit_credentials *c, davit_err *e)
{
	struct config cfg = { 0 };
	int rc = config_open(place->file, &cfg, e);

	if (rc)
		return rc;
	rc = change_config(place, &cfg, server, c, e);
	json_unref_secret(cfg.root);
	return err_at(e, rc, "%s: ", place->file);
}

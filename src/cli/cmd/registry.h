/* What the registry commands share: references, a connection with its credentials, and their options. */
#ifndef DAVIT_CLI_CMD_REGISTRY_H
#define DAVIT_CLI_CMD_REGISTRY_H

#include <davit/registry.h>

#include "base/buf.h"
#include "cli/cmd.h"

/* Options of the noun "registry". */
struct registry_flags {
	const char *username;
	davit_secret password;
	bool password_stdin;
	davit_secret token;
	davit_tri plain_http;
};

/* An open registry. Zero-initialise, registry_enter…(), in the end registry_leave(). */
struct door {
	struct app *app;
	davit_registry *r;
	davit_registry_ref *ref;  /* NULL if a host was given */
	char *host;               /* without a scheme */
	davit_tri plain_http;     /* as the options or the scheme want it */
	struct buf password;      /* read from stdin or asked for */
	bool has_password;
	davit_credentials *found; /* from the user's files */
	davit_err failure;        /* why the challenge callback failed */
	bool has_token;           /* one is sent from the first request on */
	bool warned;              /* by registry_warn_http() */
};

/* Opens the registry of a host, which may be written as https://HOST or http://HOST (plain HTTP). */
int registry_enter_host(struct door *d, struct app *app, const char *host, davit_err *e);

/* Opens the registry of a reference, which is then in d->ref. */
int registry_enter(struct door *d, struct app *app, const char *reference, davit_err *e);

/* Closes and frees; gives the result of the calls made: r, or the failure of a callback behind it. */
int registry_leave(struct door *d, int r, davit_err *e);

/* The user name and password from options, stdin or a question; for login. */
int registry_ask(struct door *d, struct app *app, const char *host, struct buf *username, davit_err *e);

/* Warns once if credentials go where others can read them; without --insecure they do not go there. */
void registry_warn_http(struct door *d);

/* The tag or digest of d->ref; "latest" if there is none. A digest goes before a tag. */
const char *registry_reference(const struct door *d);

/* The digest of d->ref, which must have one: else DAVIT_EARG. */
int registry_need_digest(const struct door *d, const char **digest, davit_err *e);

/* DAVIT_EARG if d->ref has a tag or digest. */
int registry_need_bare(const struct door *d, davit_err *e);

/* Appends {"digest":…,"size":…,"mediaType":…,"platform":…}. */
void registry_descriptor_json(const davit_registry_descriptor *desc, const char *platform, struct buf *out);

/* Writes bytes to a file, complete or not at all, or to standard output if path is NULL or "-". */
int registry_save(const char *path, const char *bytes, size_t n, davit_err *e);

/* Pushes a file, or standard input for "-". digest: the known one, or NULL. */
struct push_flags {
	const char *digest;
	davit_tri check_exists;
	struct opt_size chunk_size;
};
int registry_push(struct door *d, const char *path, const struct push_flags *flags,
		  davit_registry_descriptor **out, davit_err *e);

/* Whether text looks like a digest rather than a file name. */
bool registry_is_digest(const char *text);

#endif

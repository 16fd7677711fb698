/* Docker's config.json and podman's auth.json, which share their format. */
#ifndef DAVIT_AUTH_STORE_DOCKER_CONFIG_H
#define DAVIT_AUTH_STORE_DOCKER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include <davit/credentials.h>

#include "auth/store/found.h"
#include "base/arena.h"

/* A server in the form in which keys are compared. Strings lie in an arena. */
struct server_name {
	const char *host; /* host[:port], lower case; "docker.io" for all names of Docker Hub */
	const char *path; /* "" or "/repository/prefix" */
};

/*
 * Brings any historical spelling of a key to that form: "https://host/v1/", "host/v2", "index.docker.io",
 * "Host:5000/some/repo". False when memory ran out.
 */
bool server_name_parse(const char *text, struct arena *mem, struct server_name *out);

/* How the key is written by docker: "https://index.docker.io/v1/" for Docker Hub, else host and path. */
const char *server_name_key(const struct server_name *s, struct arena *mem);

/* A file, and what using it needs. */
struct docker_config_place {
	const char *file;
	davit_cancel_token *cancel; /* or NULL */
	char *where;                /* gets the place of a change (file or helper) as text; or NULL */
	size_t n;                   /* size of where */
};

/* Looks server up. A file that is not there knows nothing. */
int docker_config_find(const struct docker_config_place *place, const struct server_name *server,
		       struct found *out, davit_err *e);

/* Stores or, with c NULL, removes. Removing what is not there is DAVIT_ENOTFOUND. */
int docker_config_change(const struct docker_config_place *place, const struct server_name *server,
			 const davit_credentials *c, davit_err *e);

#endif

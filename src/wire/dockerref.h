/* Names of images: [host[:port]/]repo[:tag][@digest], with the rules and defaults of docker. */
#ifndef DAVIT_WIRE_DOCKERREF_H
#define DAVIT_WIRE_DOCKERREF_H

#include <stdbool.h>

#include <davit/err.h>

#include "base/arena.h"

#define DOCKERREF_HUB "registry-1.docker.io"

/* Parts of a reference, in the arena; absent ones are NULL. */
struct dockerref {
	const char *host;   /* host[:port], lower case; DOCKERREF_HUB if none was named */
	const char *repo;   /* with "library/" where Docker Hub wants it */
	const char *tag;
	const char *digest;
};

/*
 * DAVIT_EARG, or DAVIT_EUNSUPPORTED for a digest of another algorithm; the message says which part is wrong.
 */
int dockerref_parse(const char *text, struct arena *a, struct dockerref *out, davit_err *e);

/*
 * The host that serves a registry name: DOCKERREF_HUB for docker.io, index.docker.io and itself, else host.
 */
const char *dockerref_host(const char *host);
/*
 * The repository as the host wants it: "library/" in front of a single name on Docker Hub. NULL: out of
 * memory.
 */
const char *dockerref_repo(const char *host, const char *repo, struct arena *a);

/* 0 or DAVIT_EARG with the reason. */
int dockerref_check_repo(const char *repo, davit_err *e);
int dockerref_check_tag(const char *tag, davit_err *e);

#endif

/*
 * Fetches everything that an alias names and streams it through a callback to standard output. Nothing is
 * held in memory; the digest of each blob is checked while it passes.
 *
 * Usage: pull_blob HOST REPOSITORY ALIAS
 *
 *   cc pull_blob.c $(pkg-config --cflags --libs davit) -o pull_blob
 *   ./pull_blob localhost:5000 fred/datalogger may15-readings > logger.dat
 */
#include <stdio.h>

#include <davit/davit.h>

/* What the callback keeps between its calls. */
struct counter {
	FILE *out;
	unsigned long long bytes;
};

/* Takes the next bytes; a negative value would end the transfer. */
static int take(void *user, const void *p, size_t n)
{
	struct counter *c = user;

	c->bytes += n;
	return fwrite(p, 1, n, c->out) == n ? 0 : -1;
}

static int pull_all(davit_registry *registry, const char *repo, const char *alias, struct counter *c,
		    davit_err *err)
{
	const davit_sink sink = { .write = take, .user = c };
	davit_registry_alias *found;
	int rc = davit_registry_alias_get(registry, repo, alias, NULL, &found, err);

	if (rc)
		return rc;
	/* An alias has one entry, or one for each platform of an image index. */
	for (size_t i = 0; !rc && i < found->n; i++) {
		const davit_registry_descriptors *blobs = &found->v[i]->blobs;

		for (size_t k = 0; !rc && k < blobs->n; k++)
			rc = davit_registry_blob_pull(registry, repo, blobs->v[k]->digest, NULL, &sink, NULL,
						      err);
	}
	davit_reply_free(found);
	return rc;
}

int main(int argc, char **argv)
{
	struct counter counter = { stdout, 0 };
	davit_registry *registry = NULL;
	davit_err err = { 0 };
	int rc;

	if (argc != 4) {
		fprintf(stderr, "usage: %s HOST[:PORT] REPOSITORY ALIAS\n", argv[0]);
		return 2;
	}
	rc = davit_registry_open(argv[1], NULL, &registry, &err);
	if (!rc)
		rc = pull_all(registry, argv[2], argv[3], &counter, &err);
	if (!rc && fflush(stdout) != 0) {
		perror(argv[0]);
		rc = -1;
	} else if (rc) {
		fprintf(stderr, "%s: %s\n", argv[0], err.msg);
	} else {
		fprintf(stderr, "%llu bytes\n", counter.bytes);
	}
	davit_registry_free(registry);
	return rc ? 1 : 0;
}

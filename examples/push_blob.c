/*
 * Stores a file in a registry and gives it a name.
 *
 * Usage: push_blob HOST REPOSITORY FILE ALIAS
 *
 *   cc push_blob.c $(pkg-config --cflags --libs davit) -o push_blob
 *   ./push_blob localhost:5000 fred/datalogger logger.dat may15-readings
 */
#include <stdio.h>

#include <davit/davit.h>

int main(int argc, char **argv)
{
	davit_registry *registry = NULL;
	davit_registry_descriptor *blob = NULL;
	davit_err err = { 0 };
	int rc;

	if (argc != 5) {
		fprintf(stderr, "usage: %s HOST[:PORT] REPOSITORY FILE ALIAS\n", argv[0]);
		return 2;
	}
	rc = davit_registry_open(argv[1], NULL, &registry, &err);
	if (!rc)
		rc = davit_registry_blob_push_file(registry, argv[2], argv[3], NULL, &blob, &err);
	if (!rc) {
		const davit_strv digests = { &blob->digest, 1 };

		rc = davit_registry_alias_set(registry, argv[2], argv[4], &digests, NULL, &err);
	}
	if (rc)
		fprintf(stderr, "%s: %s\n", argv[0], err.msg);
	else
		printf("%s %lld bytes\n", blob->digest, (long long)blob->size);
	davit_reply_free(blob);
	davit_registry_free(registry);
	return rc ? 1 : 0;
}

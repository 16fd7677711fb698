/* Shared by the blob commands. */
#ifndef DAVIT_CLI_CMD_REGISTRY_BLOB_H
#define DAVIT_CLI_CMD_REGISTRY_BLOB_H

#include "cli/cmd/registry.h"

enum { PUSH_FILES_MAX = 4096 };

struct platform_flags {
	const char *platform;
};

struct pull_flags {
	const char *output;
	const char *output_dir;
	const char *platform;
	struct opt_size chunk_size;
};

/* What one read or write of a transfer may be. */
extern const struct opt_range registry_chunk_range;

extern const struct opt registry_platform_options[];
extern const struct opt registry_pull_options[];

int registry_run_pull(struct app *app, const void *opts, const struct args *args, davit_err *e);

/* Appends the blobs of the alias d->ref as JSON objects with commas between. */
int registry_alias_blobs(struct door *d, const char *platform, struct buf *json, davit_err *e);

#endif

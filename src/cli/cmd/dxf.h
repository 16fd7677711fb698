/*
 * The command of python-dxf: same arguments, environment, output bytes and exit codes. Inside of the dxf
 * personality only; what it does differently from the original, and why, is in docs/dxf.md.
 */
#ifndef DAVIT_CLI_CMD_DXF_H
#define DAVIT_CLI_CMD_DXF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <davit/davit.h>

#include "base/buf.h"
#include "cli/app.h"

/* Exit codes that are not 0 or 1, as the original has them. */
enum dxf_exit {
	DXF_EXIT_USAGE = 2,
	DXF_EXIT_NOTFOUND = 2, /* ENOENT: HTTP 404 */
	DXF_EXIT_DENIED = 13,  /* EACCES: HTTP 401 */
};

/* --- dxf_args.c: the command line as Python's argparse (3.11) reads it --- */

struct dxf_op;

struct dxf_args {
	const struct dxf_op *op; /* NULL: none was given */
	const char *repo;        /* NULL for an operation without one */
	const char **v;          /* what follows; pointers into argv, array on the heap */
	size_t n;
};

/*
 * Parses. Returns whether to go on; if not, help or a usage error was printed and *status is the exit code.
 * Free args->v in any case.
 */
bool dxf_args_parse(int argc, char **argv, struct dxf_args *args, int *status);

/* Prints the usage and "dxf: error: MESSAGE". Returns DXF_EXIT_USAGE. */
int dxf_usage_error(const char *message);

/* --- dxf.c --- */

struct dxf_bar;

/* One run of the command. */
struct dxf {
	struct app app;
	davit_registry *r;
	const char *host;
	const char *repo;      /* NULL for list-repos */
	const char *const *v;  /* arguments after the repository */
	size_t n;
	struct buf manifest;   /* what was read from stdin if there were no arguments */
	const char *platform;  /* DXF_PLATFORM, or NULL */
	bool insecure;         /* DXF_INSECURE: http */
	struct dxf_bar *bar;   /* NULL: no progress */
	davit_credentials *asked; /* the last answer to a challenge, or NULL */
};

struct dxf_op {
	const char *name;
	int (*run)(struct dxf *d, davit_err *e);
	size_t min, max;   /* number of arguments after the repository */
	size_t alias;      /* number of an argument that must begin with "@"; 0: none */
	bool no_repo;      /* takes neither a repository nor arguments */
	bool from_stdin;   /* without arguments a manifest is read from stdin */
};

/* All operations, in the order in which help lists them; ends with a NULL name. */
extern const struct dxf_op dxf_ops[];

/* --- dxf_blob.c --- */
int dxf_push_blob(struct dxf *d, davit_err *e);
int dxf_pull_blob(struct dxf *d, davit_err *e);
int dxf_blob_size(struct dxf *d, davit_err *e);
int dxf_mount_blob(struct dxf *d, davit_err *e);
int dxf_del_blob(struct dxf *d, davit_err *e);

/* --- dxf_alias.c --- */
int dxf_set_alias(struct dxf *d, davit_err *e);
int dxf_get_alias(struct dxf *d, davit_err *e);
int dxf_del_alias(struct dxf *d, davit_err *e);
int dxf_get_digest(struct dxf *d, davit_err *e);
int dxf_get_manifest(struct dxf *d, davit_err *e);

/* Reads the alias name, or for NULL resolves the manifest from stdin. platform may be NULL. */
int dxf_alias_read(struct dxf *d, const char *name, const char *platform, davit_registry_alias **out,
		   davit_err *e);

/* --- dxf_json.c: text as Python's json.dumps(sort_keys=True) writes it --- */

/* Appends the value of one platform as JSON text. */
typedef int (*dxf_json_fn)(struct dxf *d, const davit_registry_alias_entry *entry, struct buf *out,
			   davit_err *e);

/* Appends {"PLATFORM": value, …} for the entries of an index. */
int dxf_json_platforms(struct dxf *d, const davit_registry_alias *alias, dxf_json_fn value, struct buf *out,
		       davit_err *e);

/* The layers of an entry: ["sha256:…", …]. */
int dxf_json_layers(struct dxf *d, const davit_registry_alias_entry *entry, struct buf *out, davit_err *e);

/* --- dxf_progress.c: the bar that tqdm draws --- */

/* A display on stderr, or NULL if DXF_PROGRESS or the lack of a terminal says so. */
struct dxf_bar *dxf_bar_new(void);
/* The callback for one transfer, whose bar opens with its first report. {NULL, NULL} for NULL. */
davit_progress dxf_bar_begin(struct dxf_bar *b);
/* Draws the last state of a transfer that ended early. NULL is ignored. */
void dxf_bar_end(struct dxf_bar *b);
void dxf_bar_free(struct dxf_bar *b);

#endif

/* What every command gets: the global options, and the ways out of the program. */
#ifndef DAVIT_CLI_APP_H
#define DAVIT_CLI_APP_H

#include <davit/davit.h>

#include "base/buf.h"
#include "cli/opt.h"

struct progress;

/* Exit codes, as the man page documents them. 128 + n: ended by signal n. */
enum exit_code {
	EXIT_OK = 0,
	EXIT_FAILED = 1,      /* anything that has no code of its own */
	EXIT_USAGE = 2,       /* wrong command, option or argument; nothing was done */
	EXIT_NOTFOUND = 3,    /* the remote thing does not exist */
	EXIT_DENIED = 4,      /* not authenticated or not allowed */
	EXIT_CONFLICT = 5,    /* exists already, or the remote state forbids it */
	EXIT_INTEGRITY = 6,   /* content does not match its digest, size or signature */
	EXIT_TRUST = 7,       /* the server's certificate is not trusted */
	EXIT_UNSUPPORTED = 8, /* this davit or this server cannot do it */
	EXIT_TIMEOUT = 9,     /* a time limit passed */
	EXIT_SIGNAL = 128,
};

/* Options that every command takes. */
struct globals {
	bool help;
	bool version;
	bool quiet;
	bool no_progress;
	const char *format;
	const char *ca_file;
	const char *ca_dir;
	const char *cert;
	const char *key;
	const char *proxy;
	const char *unix_socket;
	davit_tri insecure;
	davit_opt_int retries;
	struct opt_time timeout;
	struct opt_time connect_timeout;
};

/* Rows for struct globals: for all commands, and for those that use the network. */
extern const struct opt global_options[];
extern const struct opt connection_options[];

struct app {
	struct globals g;
	const void *noun_opts; /* options of the nearest noun that has some, or NULL */
	struct progress *progress; /* made by app_progress(), or NULL */
	davit_connection_opts connection; /* filled by app_connection() */
};

/*
 * Readies a command for the network: catches signals, makes the cancel token and fills app->connection from
 * the global options and DAVIT_DEBUG. A second call does nothing.
 */
int app_connection(struct app *app, davit_err *e);

/* Progress callbacks as the options and the terminal want them; {NULL, NULL} for none. */
davit_progress app_progress(struct app *app);

/* Ends the display of progress; call before other output. */
void app_progress_end(struct app *app);

void app_fini(struct app *app);

/* The exit code for a davit code. */
int app_exit_code(int code);

/* Prints "davit: MESSAGE" to stderr; program is davit or dxf. */
void app_complain(const char *program, const char *message);

/* A warning in the same form; not with -q. */
void app_warn(const struct app *app, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif

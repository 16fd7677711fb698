/* The global options: rows for struct globals. */
#include <limits.h>

#include "cli/app.h"

static const struct opt_range any_count = { 0, INT_MAX };
static const struct opt_range any_time = { 0, INT_MAX };
static const struct opt_range some_time = { 1, INT_MAX };

const struct opt global_options[] = {
	OPT(struct globals, help, 'h', "help", NULL, "show help and exit"),
	OPT(struct globals, version, 0, "version", NULL, "show the version and exit"),
	OPT(struct globals, quiet, 'q', "quiet", NULL,
	    "no progress and no warnings; print only what is asked for"),
	OPT(struct globals, no_progress, 0, "no-progress", NULL, "do not show progress"),
	OPT(struct globals, format, 0, "format", "FORMAT",
	    "'json', a template such as '{{.digest}} {{.size}}', or 'table TEMPLATE'"),
	OPT_END,
};

const struct opt connection_options[] = {
	OPT(struct globals, ca_file, 0, "ca-file", "FILE", "trust the authorities in this PEM file"),
	OPT(struct globals, ca_dir, 0, "ca-dir", "DIR", "trust the authorities in this hashed directory"),
	OPT(struct globals, cert, 0, "cert", "FILE", "show this client certificate (PEM)"),
	OPT(struct globals, key, 0, "key", "FILE", "key of the client certificate; else in the --cert file"),
	OPT(struct globals, insecure, 0, "insecure", NULL,
	    "accept any certificate, and plain HTTP where TLS is not spoken"),
	OPT(struct globals, proxy, 0, "proxy", "URL",
	    "proxy; '' for none; else from http_proxy, https_proxy and no_proxy"),
	OPT(struct globals, unix_socket, 0, "unix-socket", "FILE",
	    "connect to this socket whatever the host is"),
	OPT(struct globals, timeout, 0, "timeout", "TIME",
	    "longest time of one call that is no transfer, for example 30s", .range = &any_time),
	OPT(struct globals, connect_timeout, 0, "connect-timeout", "TIME",
	    "longest time to connect (default 30s)", .range = &some_time),
	OPT(struct globals, retries, 0, "retries", "N",
	    "further attempts after a passing failure (default 4)", .range = &any_count),
	OPT_END,
};

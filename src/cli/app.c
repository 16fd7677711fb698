#include "cli/app.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "cli/progress.h"
#include "cli/sig.h"
#include "cli/text.h"

enum { COMPLAINT_MAX = 64 << 10 };

int app_exit_code(int code)
{
	static const struct {
		int code, exit;
	} table[] = {
		{ DAVIT_OK, EXIT_OK },
		{ DAVIT_EARG, EXIT_USAGE },
		{ DAVIT_ENOTFOUND, EXIT_NOTFOUND },
		{ DAVIT_EDENIED, EXIT_DENIED },
		{ DAVIT_ECONFLICT, EXIT_CONFLICT },
		{ DAVIT_EEXISTS, EXIT_CONFLICT },
		{ DAVIT_EINTEGRITY, EXIT_INTEGRITY },
		{ DAVIT_ETRUST, EXIT_TRUST },
		{ DAVIT_EUNSUPPORTED, EXIT_UNSUPPORTED },
		{ DAVIT_ETIMEOUT, EXIT_TIMEOUT },
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (table[i].code == code)
			return table[i].exit;
	return EXIT_FAILED;
}

void app_complain(const char *program, const char *message)
{
	struct buf b = BUF_INIT(COMPLAINT_MAX);

	/* One write, so that lines of several processes do not mix. */
	buf_printf(&b, "%s: %s\n", program, message);
	fd_write_all(STDERR_FILENO, buf_str(&b), b.len);
	buf_fini(&b);
}

void app_warn(const struct app *app, const char *fmt, ...)
{
	davit_err text = { 0 };
	char raw[DAVIT_ERR_MSG_MAX];
	va_list ap;

	if (app->g.quiet)
		return;
	va_start(ap, fmt);
	vsnprintf(raw, sizeof raw, fmt, ap);
	va_end(ap);
	/* err_set() escapes control characters. */
	err_set(&text, DAVIT_EARG, "warning: %s", raw);
	app_complain("davit", text.msg);
}

static void trace_line(void *user, const char *line)
{
	struct buf b = BUF_INIT(COMPLAINT_MAX / 2);

	(void)user;
	text_escape(line, strlen(line), &b);
	app_complain("davit: trace", buf_str(&b));
	buf_fini(&b);
}

/* DAVIT_DEBUG is a list of words; the only one so far is http. */
static bool debug_wanted(const char *word)
{
	const char *list = getenv("DAVIT_DEBUG");
	size_t n = strlen(word);

	while (list && *list) {
		size_t len = strcspn(list, ", ");

		if (len == n && !memcmp(list, word, n))
			return true;
		list += len;
		list += strspn(list, ", ");
	}
	return false;
}

static int milliseconds(struct opt_time t)
{
	return t.ms > INT_MAX ? INT_MAX : (int)t.ms;
}

/* The library's 0 means its default, so a 0 that was given becomes "none". */
static int retries(davit_opt_int n)
{
	if (!n.set)
		return 0;
	return n.value <= 0 ? -1 : n.value > INT_MAX ? INT_MAX : (int)n.value;
}

int app_connection(struct app *app, davit_err *e)
{
	const struct globals *g = &app->g;
	davit_cancel_token *token;
	int r;

	if (app->connection.size)
		return 0;
	r = sig_catch(&token, e);
	if (r)
		return r;
	app->connection = (davit_connection_opts){
		.size = sizeof app->connection,
		.unix_socket = g->unix_socket,
		.ca_file = g->ca_file,
		.ca_dir = g->ca_dir,
		.client_cert = g->cert,
		.client_key = g->key,
		.insecure = g->insecure,
		.proxy = g->proxy,
		.timeout_ms = milliseconds(g->timeout),
		.connect_timeout_ms = milliseconds(g->connect_timeout),
		.retries = retries(g->retries),
		.cancel = token,
		.trace = debug_wanted("http") ? trace_line : NULL,
	};
	return 0;
}

davit_progress app_progress(struct app *app)
{
	if (app->g.quiet || app->g.no_progress)
		return (davit_progress){ NULL, NULL };
	if (!app->progress)
		app->progress = progress_new(STDERR_FILENO);
	return progress_callback(app->progress);
}

void app_progress_end(struct app *app)
{
	progress_free(app->progress);
	app->progress = NULL;
}

void app_fini(struct app *app)
{
	app_progress_end(app);
	sig_release();
}

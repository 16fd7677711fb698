#include "cli/sig.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/tty.h"

static volatile sig_atomic_t caught;
static davit_cancel_token *token;

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

static void on_signal(int sig)
{
	int saved = errno;

	if (caught) {
		tty_restore();
		_exit(128 + sig);
	}
	caught = sig;
	davit_cancel(token);
	errno = saved;
}

static void set_handlers(void (*handler)(int))
{
	struct sigaction sa = { .sa_handler = handler };
	struct sigaction old;

	sigemptyset(&sa.sa_mask);
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
		/* What the caller ignores (nohup) stays ignored. */
		if (!sigaction(signals[i], NULL, &old) && old.sa_handler != SIG_IGN)
			sigaction(signals[i], &sa, NULL);
	}
}

void sig_ignore_pipe(void)
{
	struct sigaction sa = { .sa_handler = SIG_IGN };

	sigaction(SIGPIPE, &sa, NULL);
}

int sig_catch(davit_cancel_token **out, davit_err *e)
{
	if (!token) {
		int r = davit_cancel_new(&token, e);

		if (r)
			return r;
		set_handlers(on_signal);
	}
	*out = token;
	return 0;
}

int sig_caught(void)
{
	return (int)caught;
}

void sig_release(void)
{
	if (!token)
		return;
	set_handlers(SIG_DFL);
	davit_cancel_unref(token);
	token = NULL;
}

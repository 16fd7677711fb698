#include "cli/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/fd.h"
#include "cli/sig.h"

enum {
	COLUMNS_DEFAULT = 80,
	COLUMNS_MAX = 1000,
};

static struct termios before;
static volatile sig_atomic_t changed_fd = -1; /* terminal whose echo is off */

bool tty_is_smart(int fd)
{
	const char *term = getenv("TERM");

	return isatty(fd) && term && *term && strcmp(term, "dumb") != 0;
}

size_t tty_columns(int fd)
{
	const char *env = getenv("COLUMNS");
	struct winsize w;
	long n;

	if (!ioctl(fd, TIOCGWINSZ, &w) && w.ws_col)
		return w.ws_col;
	n = env ? strtol(env, NULL, 10) : 0;
	return n > 0 && n <= COLUMNS_MAX ? (size_t)n : COLUMNS_DEFAULT;
}

void tty_restore(void)
{
	int fd = (int)changed_fd;

	if (fd < 0)
		return;
	changed_fd = -1;
	tcsetattr(fd, TCSANOW, &before);
}

static int echo_off(int fd, davit_err *e)
{
	struct termios t;

	if (tcgetattr(fd, &before))
		return err_errno(e, errno, "/dev/tty");
	t = before;
	t.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	changed_fd = fd;
	if (tcsetattr(fd, TCSAFLUSH, &t)) {
		changed_fd = -1;
		return err_errno(e, errno, "/dev/tty");
	}
	return 0;
}

static int read_line(int fd, struct buf *out, davit_err *e)
{
	char c;

	for (;;) {
		ssize_t n = read(fd, &c, 1);

		if (sig_caught() || !n)
			return err_set(e, DAVIT_ECANCELLED, "no answer was given");
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, errno, "/dev/tty");
		if (c == '\n')
			return buf_check(out, "the answer", e);
		buf_putc(out, c);
	}
}

static int ask(const char *question, const char *instead, bool echo, struct buf *out, davit_err *e)
{
	AUTO_CLOSE int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	davit_cancel_token *token;
	int r;

	if (fd < 0)
		return err_set(e, DAVIT_EIO, "there is no terminal to ask on for '%s'; give it with %s",
			       question, instead);
	r = sig_catch(&token, e);
	if (r)
		return r;
	r = echo ? 0 : echo_off(fd, e);
	if (r)
		return r;
	fd_write_all(fd, question, strlen(question));
	r = read_line(fd, out, e);
	tty_restore();
	if (!echo || r)
		fd_write_all(fd, "\n", 1);
	return r;
}

int tty_ask_secret(const char *question, const char *instead, struct buf *out, davit_err *e)
{
	return ask(question, instead, false, out, e);
}

int tty_ask(const char *question, const char *instead, struct buf *out, davit_err *e)
{
	return ask(question, instead, true, out, e);
}

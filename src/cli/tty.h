/* The terminal: is there one, how wide is it, and a question whose answer is not shown. */
#ifndef DAVIT_CLI_TTY_H
#define DAVIT_CLI_TTY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Whether fd is a terminal that understands cursor movement (TERM is set and not "dumb"). */
bool tty_is_smart(int fd);

/* Columns of the terminal at fd: its size, else COLUMNS, else 80. */
size_t tty_columns(int fd);

/*
 * Asks on /dev/tty without echo and appends the answer (without newline) to out, which should be a secret
 * buffer. The terminal is restored on every way out, also by signals. DAVIT_EIO if there is no terminal: the
 * message then names instead, the option that gives the answer. DAVIT_ECANCELLED at end of input or on a
 * signal.
 */
int tty_ask_secret(const char *question, const char *instead, struct buf *out, davit_err *e);

/* The same with echo. */
int tty_ask(const char *question, const char *instead, struct buf *out, davit_err *e);

/* Puts the terminal back as tty_ask_secret() found it. May be called from a signal handler. */
void tty_restore(void);

#endif

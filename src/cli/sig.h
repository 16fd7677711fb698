/*
 * Signals: SIGINT and SIGTERM fire a cancel token, so that calls end and clean up; a second one ends at once.
 */
#ifndef DAVIT_CLI_SIG_H
#define DAVIT_CLI_SIG_H

#include <davit/stream.h>

/* Writing to a closed pipe becomes an error that is reported. */
void sig_ignore_pipe(void);

/*
 * Catches SIGINT, SIGTERM and SIGHUP from now on. The token lives as long as the program; *out is borrowed.
 */
int sig_catch(davit_cancel_token **out, davit_err *e);

/* The signal that was caught, or 0. */
int sig_caught(void);

/* Back to default handling; gives the token back. */
void sig_release(void);

#endif

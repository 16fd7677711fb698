/* What the files of src/http share. Nothing here is for other layers. */
#ifndef DAVIT_HTTP_INTERNAL_H
#define DAVIT_HTTP_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <curl/curl.h>

#include "http/client.h"

struct http_client {
	davit_connection_opts opts; /* strings are owned copies; cancel is a reference */
	CURLM *multi;               /* the connection pool */
	CURL *easy;                 /* set up once, used for every exchange */
	char why[CURL_ERROR_SIZE];  /* curl's words for the last failure */
	pid_t pid;                  /* process that made it */
	bool busy;                  /* an exchange runs */
	bool spoke_no_tls;          /* see http_client_peer_spoke_no_tls() */
	bool nobody;                /* see http_client_nobody_there() */
};

/* 0, or DAVIT_ESTATE in a forked child: its sockets are the parent's. */
int http_client_check_fork(const struct http_client *c, davit_err *e);

/* ---- setup.c ---- */

/* Applies everything that does not depend on the request. why: CURL_ERROR_SIZE bytes that outlive h. */
int http_setup(CURL *h, const davit_connection_opts *o, char *why, davit_err *e);

/* ---- drive.c ---- */

/* Runs between two steps of a transfer: sets the longest wait in ms; a negative code ends the transfer. */
struct http_tick {
	int (*fn)(void *user, int *wait_ms, davit_err *e);
	void *user;
};

/*
 * Runs h in m until it ends (its result goes to *rc), the token fires or tick fails. h stays in m.
 * Returns 0 or a negative code.
 */
struct http_drive {
	CURLM *multi;
	CURL *easy;
	const davit_cancel_token *cancel;
	struct http_tick tick;
};
int http_drive(const struct http_drive *d, CURLcode *rc, davit_err *e);

/* ---- failure.c ---- */

/* A failed transfer, to be put into words. */
struct http_failure {
	CURL *easy;
	CURLcode rc;
	const char *why; /* curl's words */
	const davit_connection_opts *opts;
	const struct uri *uri;
	bool connected;  /* the connection stood and the request could go out */
	bool got_head;   /* the head of the answer had arrived */
	bool head_begun; /* at least a part of it */
	bool no_tls;     /* result: the peer does not speak TLS */
	bool nobody;     /* result: no such host, or nobody listens there */
};
int http_failure_report(struct http_failure *f, davit_err *e);
/* Keeps the results for those who ask the client. */
void http_failure_keep(struct http_client *c, const struct http_failure *f);

/* Names the server for messages: host:port or the path of the socket. */
enum { HTTP_WHO_MAX = 320 };
void http_who(const struct uri *u, const davit_connection_opts *o, char out[HTTP_WHO_MAX]);

/* ---- trace.c ---- */

/* What the debug callback of curl gets. */
struct http_tracer {
	const davit_connection_opts *opts;
	const struct headers *headers; /* of the request: those marked secret are hidden; may be NULL */
};
int http_trace_debug(CURL *h, curl_infotype type, char *p, size_t n, void *user);
/* Lets curl tell t about h, if anybody listens. */
void http_trace_attach(CURL *h, struct http_tracer *t);

#endif

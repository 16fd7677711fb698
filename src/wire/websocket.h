/*
 * Websockets (RFC 6455): the opening handshake of a client, and messages. No I/O: bytes in → messages out,
 * messages in → bytes out. Randomness is passed in.
 */
#ifndef DAVIT_WIRE_WEBSOCKET_H
#define DAVIT_WIRE_WEBSOCKET_H

#include <stdbool.h>
#include <stddef.h>

#include <davit/err.h>

#include "base/buf.h"
#include "wire/headers.h"

enum { WS_KEY_MAX = 32, WS_NONCE = 16 };

/* Adds the headers of an upgrade request. protocols: comma-separated list of subprotocols, or NULL. */
int ws_request(const unsigned char nonce[WS_NONCE], const char *protocols, struct headers *h, davit_err *e);

/*
 * Checks the answer to it: status 101, Upgrade, Connection, Sec-WebSocket-Accept, no extension, no
 * subprotocol that was not offered. *chosen gets the subprotocol, which lies in h, or NULL; chosen may be
 * NULL. DAVIT_EPROTO, or DAVIT_EREMOTE if the status is another one.
 */
struct ws_offer {
	const unsigned char *nonce; /* WS_NONCE bytes */
	const char *protocols;      /* or NULL */
};
int ws_check_answer(const struct ws_offer *offer, int status, const struct headers *h, const char **chosen,
		    davit_err *e);

/* Sec-WebSocket-Accept for a Sec-WebSocket-Key. */
int ws_accept(const char *key, char out[WS_KEY_MAX], davit_err *e);

enum ws_kind { WS_TEXT = 1, WS_BINARY = 2 };

struct ws_opts {
	bool server;        /* the other end's side, which does not mask */
	size_t max_message; /* largest message either way; 0: LIMIT_WS_MESSAGE */
	/* Fills n random bytes; 0 or negative. Not needed for a server. */
	int (*mask)(void *user, unsigned char *out, size_t n);
	/* Takes a whole message. 0, or a negative code that ws_receive() then returns. */
	int (*message)(void *user, enum ws_kind kind, const void *p, size_t n, davit_err *e);
	void *user;
};

struct ws;

int ws_new(const struct ws_opts *opts, struct ws **out, davit_err *e);
void ws_free(struct ws *w);

/*
 * Takes received bytes. Pings and a close are answered into ws_output(). DAVIT_EPROTO for a broken frame or
 * invalid text, DAVIT_ELIMIT for a message that is too large; the close frame that tells the peer is then in
 * ws_output(). Bytes behind a close frame are ignored.
 */
int ws_receive(struct ws *w, const void *p, size_t n, davit_err *e);
/* Writes a message to ws_output(). DAVIT_ESTATE after a close. */
int ws_send(struct ws *w, enum ws_kind kind, const void *p, size_t n, davit_err *e);
/* Writes a close frame; a second one is ignored. reason: at most 123 bytes. */
int ws_close(struct ws *w, unsigned code, const char *reason, davit_err *e);
/* What is to be sent: take it with buf_consume(). */
struct buf *ws_output(struct ws *w);
/* The code of the peer's close frame (1005 if it had none), or 0 before it came. */
unsigned ws_closed(const struct ws *w);

#endif

#include "wire/websocket.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <wslay/wslay.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/limits.h"
#include "wire/base64.h"
#include "wire/digest.h"
#include "wire/http1.h"

/* Frame heads, and answers to pings that nobody has taken yet. */
enum { OUTPUT_EXTRA = 1 << 20 };

struct ws {
	struct ws_opts opts;
	struct wslay_event_context *ctx;
	const unsigned char *in; /* what ws_receive() was given and wslay has not taken */
	size_t in_n;
	struct buf out;
	int failed;              /* what message() returned */
	davit_err *e;            /* of the running ws_receive() */
};

int ws_accept(const char *key, char out[WS_KEY_MAX], davit_err *e)
{
	AUTO_BUF struct buf text = BUF_INIT(LIMIT_HEADER_LINE), b64 = BUF_INIT(WS_KEY_MAX - 1);
	unsigned char sha1[20];
	int r;

	buf_printf(&text, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
	r = buf_check(&text, "websocket key", e);
	if (!r)
		r = digest_sha1(buf_str(&text), text.len, sha1, e);
	if (r)
		return r;
	base64_encode(&b64, sha1, sizeof sha1);
	r = buf_check(&b64, "websocket accept value", e);
	if (!r)
		memcpy(out, b64.p, b64.len + 1);
	return r;
}

static int make_key(const unsigned char nonce[WS_NONCE], struct buf *out, davit_err *e)
{
	base64_encode(out, nonce, WS_NONCE);
	return buf_check(out, "websocket key", e);
}

int ws_request(const unsigned char nonce[WS_NONCE], const char *protocols, struct headers *h, davit_err *e)
{
	AUTO_BUF struct buf key = BUF_INIT(WS_KEY_MAX);
	int r = make_key(nonce, &key, e);

	if (!r)
		r = headers_set(h, "Upgrade", "websocket", e);
	if (!r)
		r = headers_set(h, "Connection", "Upgrade", e);
	if (!r)
		r = headers_set(h, "Sec-WebSocket-Version", "13", e);
	if (!r)
		r = headers_set(h, "Sec-WebSocket-Key", buf_str(&key), e);
	if (!r && protocols)
		r = headers_set(h, "Sec-WebSocket-Protocol", protocols, e);
	return r;
}

/* Whether one of a comma-separated list is exactly name. */
static bool is_offered(const char *list, const char *name)
{
	size_t n = strlen(name);

	while (list && *list) {
		size_t part;

		list += strspn(list, " \t,");
		part = strcspn(list, ", \t");
		if (n && part == n && !memcmp(list, name, n))
			return true;
		list += part;
	}
	return false;
}

int ws_check_answer(const struct ws_offer *offer, int status, const struct headers *h, const char **chosen,
		    davit_err *e)
{
	AUTO_BUF struct buf key = BUF_INIT(WS_KEY_MAX);
	const char *accept = headers_get(h, "Sec-WebSocket-Accept"), *protocol;
	char expected[WS_KEY_MAX];
	int r;

	if (status != 101)
		return err_set(e, DAVIT_EREMOTE, "server answered the websocket request with status %d",
			       status);
	if (!http1_has_token(h, "Upgrade", "websocket") || !http1_has_token(h, "Connection", "upgrade"))
		return err_set(e, DAVIT_EPROTO, "server switched to something that is no websocket");
	r = make_key(offer->nonce, &key, e);
	if (!r)
		r = ws_accept(buf_str(&key), expected, e);
	if (r)
		return r;
	if (!accept || strcmp(accept, expected) != 0)
		return err_set(e, DAVIT_EPROTO, "websocket answer has a wrong Sec-WebSocket-Accept");
	if (headers_get(h, "Sec-WebSocket-Extensions"))
		return err_set(e, DAVIT_EPROTO, "websocket answer has an extension that was not offered");
	protocol = headers_get(h, "Sec-WebSocket-Protocol");
	if (protocol && !is_offered(offer->protocols, protocol))
		return err_set(e, DAVIT_EPROTO,
			       "websocket answer has the subprotocol \"%s\", which was not offered",
			       protocol);
	if (chosen)
		*chosen = protocol;
	return 0;
}

static ssize_t on_recv(struct wslay_event_context *ctx, uint8_t *to, size_t n, int flags, void *user)
{
	struct ws *w = user;

	(void)flags;
	if (w->failed) {
		wslay_event_set_error(ctx, WSLAY_ERR_CALLBACK_FAILURE);
		return -1;
	}
	if (!w->in_n) {
		wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	if (n > w->in_n)
		n = w->in_n;
	memcpy(to, w->in, n);
	w->in += n;
	w->in_n -= n;
	return (ssize_t)n;
}

static ssize_t on_send(struct wslay_event_context *ctx, const uint8_t *p, size_t n, int flags, void *user)
{
	struct ws *w = user;

	(void)flags;
	buf_add(&w->out, p, n);
	if (w->out.bad) {
		wslay_event_set_error(ctx, WSLAY_ERR_CALLBACK_FAILURE);
		return -1;
	}
	return (ssize_t)n;
}

static int on_mask(struct wslay_event_context *ctx, uint8_t *to, size_t n, void *user)
{
	struct ws *w = user;

	(void)ctx;
	return w->opts.mask && !w->opts.mask(w->opts.user, to, n) ? 0 : -1;
}

static void on_message(struct wslay_event_context *ctx, const struct wslay_event_on_msg_recv_arg *m,
		       void *user)
{
	struct ws *w = user;

	(void)ctx;
	if (wslay_is_ctrl_frame(m->opcode) || w->failed)
		return;
	w->failed = w->opts.message(w->opts.user, m->opcode == WSLAY_TEXT_FRAME ? WS_TEXT : WS_BINARY,
				    m->msg_length ? (const void *)m->msg : "", m->msg_length, w->e);
}

static const struct wslay_event_callbacks callbacks = {
	.recv_callback = on_recv,
	.send_callback = on_send,
	.genmask_callback = on_mask,
	.on_msg_recv_callback = on_message,
};

int ws_new(const struct ws_opts *opts, struct ws **out, davit_err *e)
{
	struct ws *w = calloc(1, sizeof *w);
	int r;

	if (!w)
		return err_nomem(e);
	w->opts = *opts;
	if (!w->opts.max_message)
		w->opts.max_message = LIMIT_WS_MESSAGE;
	w->out = (struct buf)BUF_INIT(w->opts.max_message + OUTPUT_EXTRA);
	r = opts->server ? wslay_event_context_server_init(&w->ctx, &callbacks, w) :
			   wslay_event_context_client_init(&w->ctx, &callbacks, w);
	if (r) {
		free(w);
		return err_nomem(e);
	}
	wslay_event_config_set_max_recv_msg_length(w->ctx, w->opts.max_message);
	*out = w;
	return 0;
}

void ws_free(struct ws *w)
{
	if (!w)
		return;
	wslay_event_context_free(w->ctx);
	buf_fini(&w->out);
	free(w);
}

/* Brings what wslay has queued to the output. */
static int flush(struct ws *w, davit_err *e)
{
	int r = wslay_event_send(w->ctx);

	if (w->out.bad)
		return buf_check(&w->out, "websocket output", e);
	if (r == WSLAY_ERR_NOMEM)
		return err_nomem(e);
	if (r)
		return err_set(e, DAVIT_EIO, "no random bytes for a websocket frame");
	return 0;
}

/* wslay reports a broken frame by no more than the close frame that it sends for it. */
static int broken(struct ws *w, davit_err *e)
{
	unsigned code = wslay_event_get_status_code_sent(w->ctx);

	if (code == WSLAY_CODE_MESSAGE_TOO_BIG)
		return err_set(e, DAVIT_ELIMIT, "websocket message is longer than %zu bytes",
			       w->opts.max_message);
	if (code == WSLAY_CODE_INVALID_FRAME_PAYLOAD_DATA)
		return err_set(e, DAVIT_EPROTO, "websocket text is not valid UTF-8");
	return err_set(e, DAVIT_EPROTO, "websocket frame is broken");
}

/* Whether the close frame that was just sent is no mere answer to the peer's. */
static bool has_complained(struct ws *w, bool closing_before)
{
	if (!wslay_event_get_close_received(w->ctx))
		return !wslay_event_get_read_enabled(w->ctx);
	return !closing_before && wslay_event_get_close_sent(w->ctx) &&
	       wslay_event_get_status_code_sent(w->ctx) != wslay_event_get_status_code_received(w->ctx);
}

int ws_receive(struct ws *w, const void *p, size_t n, davit_err *e)
{
	bool closing = wslay_event_get_close_sent(w->ctx);
	int r, failed;

	w->in = p;
	w->in_n = n;
	w->e = e;
	r = wslay_event_recv(w->ctx);
	w->e = NULL;
	w->in_n = 0;
	if (w->failed)
		return w->failed;
	if (r == WSLAY_ERR_NOMEM)
		return err_nomem(e);
	failed = r;
	r = flush(w, e);
	return !r && (failed || has_complained(w, closing)) ? broken(w, e) : r;
}

static int queued(struct ws *w, int r, davit_err *e)
{
	if (r == WSLAY_ERR_NOMEM)
		return err_nomem(e);
	if (r == WSLAY_ERR_NO_MORE_MSG)
		return err_set(e, DAVIT_ESTATE, "websocket was closed");
	if (r)
		return err_set(e, DAVIT_EARG, "websocket frame cannot be made");
	return flush(w, e);
}

int ws_send(struct ws *w, enum ws_kind kind, const void *p, size_t n, davit_err *e)
{
	struct wslay_event_msg m = { .opcode = kind == WS_TEXT ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME,
				     .msg = p, .msg_length = n };

	if (n > w->opts.max_message)
		return err_set(e, DAVIT_ELIMIT, "websocket message is longer than %zu bytes",
			       w->opts.max_message);
	return queued(w, wslay_event_queue_msg(w->ctx, &m), e);
}

int ws_close(struct ws *w, unsigned code, const char *reason, davit_err *e)
{
	size_t n = reason ? strlen(reason) : 0;
	int r;

	if (code > 4999 || n > 123)
		return err_set(e, DAVIT_EARG, "websocket close code %u or its reason is not valid", code);
	r = wslay_event_queue_close(w->ctx, (uint16_t)code, (const uint8_t *)reason, n);
	return r == WSLAY_ERR_NO_MORE_MSG ? 0 : queued(w, r, e);
}

struct buf *ws_output(struct ws *w)
{
	return &w->out;
}

unsigned ws_closed(const struct ws *w)
{
	if (!wslay_event_get_close_received(w->ctx))
		return 0;
	return wslay_event_get_status_code_received(w->ctx);
}

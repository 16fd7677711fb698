#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "wire/websocket.h"

/* RFC 6455, 1.3: the nonce is "the sample nonce". */
static const unsigned char nonce[WS_NONCE] = "the sample nonce";

static void good_answer(struct headers *h)
{
	headers_fini(h);
	assert_int_equal(headers_add(h, "Upgrade", "WebSocket", NULL), 0);
	assert_int_equal(headers_add(h, "Connection", "keep-alive, upgrade", NULL), 0);
	assert_int_equal(headers_add(h, "Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", NULL), 0);
}

static void asks(void **state)
{
	struct headers h = { 0 };

	(void)state;
	assert_int_equal(ws_request(nonce, "chat, v4.channel.k8s.io", &h, NULL), 0);
	assert_string_equal(headers_get(&h, "Sec-WebSocket-Key"), "dGhlIHNhbXBsZSBub25jZQ==");
	assert_string_equal(headers_get(&h, "Sec-WebSocket-Version"), "13");
	assert_string_equal(headers_get(&h, "Upgrade"), "websocket");
	assert_string_equal(headers_get(&h, "Connection"), "Upgrade");
	assert_string_equal(headers_get(&h, "Sec-WebSocket-Protocol"), "chat, v4.channel.k8s.io");
	headers_fini(&h);
}

static void checks_the_answer(void **state)
{
	const struct ws_offer offer = { nonce, "chat, v4" }, nothing = { nonce, NULL };
	struct headers h = { 0 };
	const char *chosen = "x";

	(void)state;
	good_answer(&h);
	assert_int_equal(ws_check_answer(&offer, 101, &h, &chosen, NULL), 0);
	assert_null(chosen);
	assert_int_equal(ws_check_answer(&offer, 200, &h, NULL, NULL), DAVIT_EREMOTE);
	assert_int_equal(headers_add(&h, "Sec-WebSocket-Protocol", "v4", NULL), 0);
	assert_int_equal(ws_check_answer(&offer, 101, &h, &chosen, NULL), 0);
	assert_string_equal(chosen, "v4");
	assert_int_equal(ws_check_answer(&nothing, 101, &h, NULL, NULL), DAVIT_EPROTO);
	assert_int_equal(headers_set(&h, "Sec-WebSocket-Protocol", "v", NULL), 0);
	assert_int_equal(ws_check_answer(&offer, 101, &h, NULL, NULL), DAVIT_EPROTO);
	good_answer(&h);
	assert_int_equal(headers_set(&h, "Upgrade", "tcp", NULL), 0);
	assert_int_equal(ws_check_answer(&offer, 101, &h, NULL, NULL), DAVIT_EPROTO);
	good_answer(&h);
	headers_remove(&h, "Connection");
	assert_int_equal(ws_check_answer(&offer, 101, &h, NULL, NULL), DAVIT_EPROTO);
	good_answer(&h);
	assert_int_equal(headers_set(&h, "Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOO=", NULL), 0);
	assert_int_equal(ws_check_answer(&offer, 101, &h, NULL, NULL), DAVIT_EPROTO);
	headers_remove(&h, "Sec-WebSocket-Accept");
	assert_int_equal(ws_check_answer(&offer, 101, &h, NULL, NULL), DAVIT_EPROTO);
	good_answer(&h);
	assert_int_equal(headers_add(&h, "Sec-WebSocket-Extensions", "permessage-deflate", NULL), 0);
	assert_int_equal(ws_check_answer(&offer, 101, &h, NULL, NULL), DAVIT_EPROTO);
	headers_fini(&h);
}

struct end {
	struct ws *ws;
	struct buf got; /* "T:text\n" or "B:bytes\n" per message */
	int fail;
};

static int on_message(void *user, enum ws_kind kind, const void *p, size_t n, davit_err *e)
{
	struct end *end = user;

	(void)e;
	buf_puts(&end->got, kind == WS_TEXT ? "T:" : "B:");
	buf_add(&end->got, p, n);
	buf_puts(&end->got, "\n");
	return end->fail;
}

/* The mask of the example in RFC 6455, 5.7. */
static int example_mask(void *user, unsigned char *out, size_t n)
{
	(void)user;
	assert_int_equal(n, 4);
	memcpy(out, "\x37\xfa\x21\x3d", 4);
	return 0;
}

static int no_mask(void *user, unsigned char *out, size_t n)
{
	(void)user;
	(void)out;
	(void)n;
	return -1;
}

static void open_end(struct end *end, bool server)
{
	struct ws_opts opts = { .server = server, .mask = server ? NULL : example_mask, .message = on_message,
				.user = end, .max_message = 1000 };

	*end = (struct end){ .got = BUF_INIT(1 << 20) };
	assert_int_equal(ws_new(&opts, &end->ws, NULL), 0);
}

static void close_end(struct end *end)
{
	ws_free(end->ws);
	buf_fini(&end->got);
}

static int receive(struct end *end, const char *p, size_t n, davit_err *e)
{
	return ws_receive(end->ws, p, n, e);
}
#define RECEIVE(end, literal) receive(end, literal, sizeof literal - 1, NULL)

static void expect_output(struct end *end, const char *p, size_t n)
{
	struct buf *out = ws_output(end->ws);

	assert_int_equal(out->len, n);
	assert_memory_equal(buf_str(out), p, n);
	buf_consume(out, n);
}
#define EXPECT(end, literal) expect_output(end, literal, sizeof literal - 1)

/* Frames of RFC 6455, 5.7. */
static void speaks_the_examples(void **state)
{
	struct end c;

	(void)state;
	open_end(&c, false);
	assert_int_equal(ws_send(c.ws, WS_TEXT, "Hello", 5, NULL), 0);
	EXPECT(&c, "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
	assert_int_equal(RECEIVE(&c, "\x81\x05Hello\x01\x03Hel\x80\x02lo\x82\x00"), 0);
	assert_string_equal(buf_str(&c.got), "T:Hello\nT:Hello\nB:\n");
	EXPECT(&c, "");
	assert_int_equal(RECEIVE(&c, "\x89\x05Hello"), 0); /* ping → pong */
	EXPECT(&c, "\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
	assert_int_equal(ws_closed(c.ws), 0);
	close_end(&c);
}

static void takes_single_bytes(void **state)
{
	static const char bytes[] = "\x01\x03Hel\x89\x00\x80\x02lo\x82\x01x";
	struct end c;

	(void)state;
	open_end(&c, false);
	for (size_t i = 0; i < sizeof bytes - 1; i++)
		assert_int_equal(receive(&c, bytes + i, 1, NULL), 0);
	assert_string_equal(buf_str(&c.got), "T:Hello\nB:x\n");
	EXPECT(&c, "\x8a\x80\x37\xfa\x21\x3d");
	close_end(&c);
}

static void closes(void **state)
{
	struct end c, s;
	struct buf *out;

	(void)state;
	open_end(&c, false);
	open_end(&s, true);
	assert_int_equal(ws_send(c.ws, WS_BINARY, "last", 4, NULL), 0);
	assert_int_equal(ws_close(c.ws, 1000, "bye", NULL), 0);
	assert_int_equal(ws_close(c.ws, 1000, "bye", NULL), 0);
	assert_int_equal(ws_send(c.ws, WS_TEXT, "x", 1, NULL), DAVIT_ESTATE);
	out = ws_output(c.ws);
	assert_int_equal(receive(&s, buf_str(out), out->len, NULL), 0);
	assert_string_equal(buf_str(&s.got), "B:last\n");
	assert_int_equal(ws_closed(s.ws), 1000);
	assert_int_equal(ws_closed(c.ws), 0);
	out = ws_output(s.ws);
	assert_int_equal(receive(&c, buf_str(out), out->len, NULL), 0);
	assert_int_equal(ws_closed(c.ws), 1000);
	assert_int_equal(receive(&c, "\x81\x05Hello", 7, NULL), 0); /* nothing counts behind a close */
	assert_int_equal(c.got.len, 0);
	assert_int_equal(ws_close(c.ws, 6000, NULL, NULL), DAVIT_EARG);
	close_end(&c);
	close_end(&s);
}

static void a_close_without_code_is_1005(void **state)
{
	struct end c;

	(void)state;
	open_end(&c, false);
	assert_int_equal(RECEIVE(&c, "\x88\x00"), 0);
	assert_int_equal(ws_closed(c.ws), 1005);
	close_end(&c);
}

static void refuse(const char *p, size_t n, int code, const char *close_code)
{
	struct end c;
	davit_err e = { 0 };
	struct buf *out;

	open_end(&c, false);
	assert_int_equal(receive(&c, p, n, &e), code);
	assert_true(e.msg[0]);
	assert_int_equal(c.got.len, 0);
	out = ws_output(c.ws);
	assert_int_equal(out->len, close_code ? 8 : 6);
	assert_int_equal((unsigned char)out->p[0], 0x88);
	if (close_code) {
		assert_int_equal(out->p[6] ^ 0x37, close_code[0]);
		assert_int_equal((unsigned char)out->p[7] ^ 0xfa, (unsigned char)close_code[1]);
	}
	close_end(&c);
}
#define REFUSE(literal, code, close_code) refuse(literal, sizeof literal - 1, code, close_code)

static void refuses_broken_frames(void **state)
{
	(void)state;
	/* masked by a server */
	REFUSE("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", DAVIT_EPROTO, "\x03\xea");
	REFUSE("\xc1\x00", DAVIT_EPROTO, "\x03\xea");                                   /* reserved bit */
	REFUSE("\x83\x00", DAVIT_EPROTO, "\x03\xea");                                   /* unknown opcode */
	/* continues nothing */
	REFUSE("\x80\x00", DAVIT_EPROTO, "\x03\xea");
	REFUSE("\x09\x00", DAVIT_EPROTO, NULL);                                          /* ping in pieces */
	REFUSE("\x81\x02\xc3\x28", DAVIT_EPROTO, "\x03\xef");                           /* no UTF-8 */
	REFUSE("\x88\x02\x03\xe7", DAVIT_EPROTO, "\x03\xea"); /* close code 999 */
	REFUSE("\x82\x7e\x03\xe9x", DAVIT_ELIMIT, "\x03\xf1");                           /* 1001 bytes */
	REFUSE("\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff" "x", DAVIT_ELIMIT, "\x03\xf1");
}

static void keeps_the_limit_over_fragments(void **state)
{
	char frame[604] = "\x02\x7e\x02\x58", more[604] = "\x00\x7e\x02\x58";
	struct end c;

	(void)state;
	open_end(&c, false);
	assert_int_equal(receive(&c, frame, sizeof frame, NULL), 0);
	assert_int_equal(receive(&c, more, sizeof more, NULL), DAVIT_ELIMIT);
	assert_int_equal(ws_send(c.ws, WS_BINARY, frame, 1001, NULL), DAVIT_ELIMIT);
	close_end(&c);
}

static void a_callback_ends_it(void **state)
{
	struct end c;

	(void)state;
	open_end(&c, false);
	c.fail = -99;
	assert_int_equal(RECEIVE(&c, "\x81\x01x\x81\x01y"), -99);
	assert_string_equal(buf_str(&c.got), "T:x\n");
	assert_int_equal(RECEIVE(&c, "\x81\x01z"), -99);
	close_end(&c);
}

static void needs_randomness(void **state)
{
	struct ws_opts opts = { .mask = no_mask, .message = on_message };
	struct ws *w;

	(void)state;
	assert_int_equal(ws_new(&opts, &w, NULL), 0);
	assert_int_equal(ws_send(w, WS_TEXT, "x", 1, NULL), DAVIT_EIO);
	ws_free(w);
	ws_free(NULL);
}

static void pings_cannot_fill_memory(void **state)
{
	char pings[127 * 100];
	struct end c;
	int r = 0;

	(void)state;
	for (size_t i = 0; i < sizeof pings; i += 127) {
		memset(pings + i, 'x', 127);
		memcpy(pings + i, "\x89\x7d", 2);
	}
	open_end(&c, false);
	for (int i = 0; i < 1000 && !r; i++)
		r = receive(&c, pings, sizeof pings, NULL);
	assert_int_equal(r, DAVIT_ELIMIT);
	close_end(&c);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(asks),
		cmocka_unit_test(checks_the_answer),
		cmocka_unit_test(speaks_the_examples),
		cmocka_unit_test(takes_single_bytes),
		cmocka_unit_test(closes),
		cmocka_unit_test(a_close_without_code_is_1005),
		cmocka_unit_test(refuses_broken_frames),
		cmocka_unit_test(keeps_the_limit_over_fragments),
		cmocka_unit_test(a_callback_ends_it),
		cmocka_unit_test(needs_randomness),
		cmocka_unit_test(pings_cannot_fill_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

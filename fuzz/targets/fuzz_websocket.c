#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/websocket.h"

static int mask(void *user, unsigned char *out, size_t n)
{
	(void)user;
	memset(out, 7, n);
	return 0;
}

static int message(void *user, enum ws_kind kind, const void *p, size_t n, davit_err *e)
{
	(void)user;
	(void)kind;
	(void)p;
	(void)e;
	if (n > 4096)
		abort();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct ws_opts opts = {
		.server = n && data[0] & 1, .max_message = 4096, .mask = mask, .message = message
	};
	size_t step = n ? data[0] / 2 + 1U : 1;
	struct ws *w;
	int r = 0;

	if (ws_new(&opts, &w, NULL))
		abort();
	for (size_t i = 1; i < n && !r; i += step)
		r = ws_receive(w, data + i, n - i < step ? n - i : step, NULL);
	ws_send(w, WS_TEXT, "x", 1, NULL);
	ws_close(w, 1000, NULL, NULL);
	ws_free(w);
	return 0;
}

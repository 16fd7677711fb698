#include "auth/basic.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/mem.h"
#include "wire/base64.h"

static bool has_control(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return true;
	return false;
}

int basic_header(const char *username, const char *password, struct buf *out, davit_err *e)
{
	AUTO_BUF struct buf pair = BUF_INIT_SECRET(LIMIT_TOKEN);
	int r;

	if (strchr(username, ':'))
		return err_set(e, DAVIT_EARG,
			       "user name \"%s\" holds a colon, which Basic authentication cannot send",
			       username);
	if (has_control(username) || (password && has_control(password)))
		return err_set(e, DAVIT_EARG, "user name or password holds a control character");
	buf_puts(&pair, username);
	buf_putc(&pair, ':');
	if (password)
		buf_puts(&pair, password);
	r = buf_check(&pair, "user name and password", e);
	if (r)
		return r;
	buf_puts(out, "Basic ");
	base64_encode(out, pair.p, pair.len);
	return buf_check(out, "user name and password", e);
}

struct basic {
	struct auth auth;
	char *header; /* secret */
};

static int basic_prepare(struct auth *a, struct auth_request *req, struct auth_subrequest *sub, davit_err *e)
{
	(void)sub;
	headers_remove(req->headers, "Authorization");
	return headers_add_secret(req->headers, "Authorization", ((struct basic *)a)->header, e);
}

static int basic_feed(struct auth *a, const struct auth_answer *answer, davit_err *e)
{
	(void)a;
	(void)answer;
	return err_set(e, DAVIT_ESTATE, "Basic authentication asked for nothing");
}

static int basic_challenge(struct auth *a, const struct auth_request *req, const struct headers *answer,
			   davit_err *e)
{
	(void)a;
	(void)answer;
	err_set(e, DAVIT_EDENIED, "unauthorized: %s refused the user name or password", req->uri->host);
	if (e)
		e->http = 401;
	return DAVIT_EDENIED;
}

static void basic_free(struct auth *a)
{
	struct basic *b = (struct basic *)a;

	mem_free_secret(b->header);
	free(b);
}

static const struct auth_ops basic_ops = {
	.prepare = basic_prepare,
	.feed = basic_feed,
	.challenge = basic_challenge,
	.free = basic_free,
};

int basic_auth_new(const char *username, davit_secret password, struct auth **out, davit_err *e)
{
	AUTO_BUF struct buf header = BUF_INIT_SECRET(2 * LIMIT_TOKEN);
	struct basic *b;
	int r = basic_header(username, password.s, &header, e);

	if (r)
		return r;
	b = calloc(1, sizeof *b);
	if (!b)
		return err_nomem(e);
	b->auth.ops = &basic_ops;
	b->header = buf_take(&header);
	*out = &b->auth;
	return 0;
}

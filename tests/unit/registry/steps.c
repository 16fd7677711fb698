#include "steps.h"

#include <stdio.h>

static void put_cut(struct buf *out, const struct step *step)
{
	const char *body = step->body ? step->body : "";

	buf_printf(out, "HTTP/1.1 %d Because\r\n%sContent-Length: %zu\r\n\r\n", step->status,
		   step->headers ? step->headers : "", strlen(body));
	buf_add(out, body, step->cut);
}

static bool follow(struct server *server, const struct seen *q, int nth, struct buf *out)
{
	struct script *s = server->user;
	const struct step *step = nth < s->n ? &s->steps[nth] : NULL;
	char got[512];

	if (q->no_body)
		return true;
	snprintf(got, sizeof got, "%s %s", q->method, q->target);
	if (!step || strcmp(got, step->request) != 0 ||
	    (step->sent && strcmp(step->sent, buf_str(&q->body)) != 0)) {
		if (!s->wrong[0])
			snprintf(s->wrong, sizeof s->wrong, "%.300s %.200s", got, buf_str(&q->body));
		put_answer(out, 418, "", "");
		return true;
	}
	if (step->cut) {
		put_cut(out, step);
		return false;
	}
	/* An answer to HEAD says its own length. */
	if (!strcmp(q->method, "HEAD"))
		buf_printf(out, "HTTP/1.1 %d Because\r\n%s\r\n", step->status,
			   step->headers ? step->headers : "");
	else
		put_answer(out, step->status, step->headers ? step->headers : "",
			   step->body ? step->body : "");
	return true;
}

void script_start(struct script *s, const struct step *steps, int n, const davit_registry_opts *opts)
{
	davit_connection_opts conn = { .size = sizeof conn, .proxy = "" };
	davit_registry_opts o = { .size = sizeof o };
	char host[64];

	*s = (struct script){ .steps = steps, .n = n, .server = { .answer = follow } };
	s->server.user = s;
	server_start(&s->server);
	snprintf(host, sizeof host, "127.0.0.1:%u", s->server.port);
	if (opts)
		o = *opts;
	if (!o.connection)
		o.connection = &conn;
	if (!o.plain_http)
		o.plain_http = DAVIT_YES;
	assert_code(0, davit_registry_open(host, &o, &s->r, &s->e), s->e);
}

void script_end(struct script *s)
{
	davit_registry_free(s->r);
	server_stop(&s->server);
	if (s->wrong[0])
		fail_msg("not expected: %s", s->wrong);
	assert_int_equal(s->server.n, s->n);
	server_free(&s->server);
}

const char *script_header(const struct script *s, int i, const char *name)
{
	return headers_get(&s->server.seen[i].headers, name);
}

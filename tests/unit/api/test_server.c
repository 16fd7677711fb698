/*
 * A server of three rows: libmicrohttpd for the sockets, the client's rows for everything else. Requests are
 * written by hand and the answers compared byte for byte.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <microhttpd.h>

#include "api/request.h"
#include "api/route.h"
#include "base/err.h"
#include "base/limits.h"
#include "rows.h"
#include "wire/query.h"

/* ---- the service ---- */

struct thing {
	const char *name;
	int64_t size;
	davit_strv tags;
};
static const struct type t_thing =
    TYPE(struct thing, F(struct thing, name, "Name", .required = true),
	 F(struct thing, size, "Size", .emit = EMIT_ZERO), F(struct thing, tags, "Tags"));

struct get_in {
	davit_opt_int level;
	davit_tri all;
	davit_strv filter;
};
static const struct type t_get_in =
    TYPE(struct get_in, F(struct get_in, level, "level", .where = IN_QUERY),
	 F(struct get_in, all, "all", .where = IN_QUERY, .spell = SPELL_TRUE_FALSE),
	 F(struct get_in, filter, "filter", .where = IN_QUERY));

struct create_in {
	const char *name;
	davit_strv tags;
	davit_tri dry;
};
static const struct type t_create_in =
    TYPE(struct create_in, F(struct create_in, name, "Name", .required = true),
	 F(struct create_in, tags, "Tags"), F(struct create_in, dry, "dry", .where = IN_QUERY));

static const struct endpoint rows[] = {
	{ "demo.thing.get",
	  "GET",
	  "/v1/things/{name:name}/json",
	  &t_get_in,
	  &t_thing,
	  { 200 },
	  .flags = EP_IDEMPOTENT },
	{ "demo.thing.create", "POST", "/v1/things", &t_create_in, &t_thing, { 201 }, .flags = 0 },
	{ "demo.thing.attach", "POST", "/v1/things/{id}/attach", NULL, NULL, { 101 }, .shape = SHAPE_HIJACK },
};
static const struct service service = { .name = "demo", .endpoints = rows, .n = 3 };

static void do_get(const struct route *r, const void *input, struct thing *out)
{
	const struct get_in *in = input;

	out->name = r->args[0];
	out->size = in->level.set ? in->level.value : in->all == DAVIT_YES ? -1 : 0;
	out->tags = in->filter;
}

static void do_create(const struct route *r, const void *input, struct thing *out)
{
	const struct create_in *in = input;

	(void)r;
	out->name = in->name;
	out->tags = in->tags;
	out->size = in->dry == DAVIT_YES;
}

static void (*const actions[])(const struct route *r, const void *in, struct thing *out) = { do_get,
											     do_create };

/* ---- the server over rows ---- */

struct request {
	char *target; /* undecoded */
	struct buf body;
};

static void *on_uri(void *cls, const char *uri, struct MHD_Connection *c)
{
	struct request *q = calloc(1, sizeof *q);

	(void)cls;
	(void)c;
	q->target = strdup(uri);
	q->body = (struct buf)BUF_INIT(1000);
	return q;
}

static void on_end(void *cls, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode code)
{
	struct request *q = *state;

	(void)cls;
	(void)c;
	(void)code;
	if (!q)
		return;
	free(q->target);
	buf_fini(&q->body);
	free(q);
}

static enum MHD_Result answer(struct MHD_Connection *c, unsigned status, const char *text)
{
	struct MHD_Response *r =
	    MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result ok;

	MHD_add_response_header(r, "Content-Type", "application/json");
	ok = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return ok;
}

static int encode_out(const struct type *t, const void *out, struct buf *text, davit_err *e)
{
	struct jnode *doc = NULL;
	int r = codec_encode(t, out, 0, &doc, e);

	if (!r)
		r = json_write(doc, text, e);
	json_unref(doc);
	return r;
}

struct problem {
	const char *message;
};
static const struct type t_problem = TYPE(struct problem, F(struct problem, message, "message"));

static enum MHD_Result refuse(struct MHD_Connection *c, int code, const davit_err *e)
{
	static const struct {
		int code;
		unsigned status;
	} map[] = { { DAVIT_ENOTFOUND, 404 }, { DAVIT_EUNSUPPORTED, 405 }, { DAVIT_ELIMIT, 413 } };
	const struct problem problem = { e->msg };
	struct buf text = BUF_INIT(LIMIT_ERROR_REPLY);
	unsigned status = 400;
	enum MHD_Result ok;

	for (size_t i = 0; i < sizeof map / sizeof *map; i++) {
		if (map[i].code == code)
			status = map[i].status;
	}
	encode_out(&t_problem, &problem, &text, NULL);
	ok = answer(c, status, buf_str(&text));
	buf_fini(&text);
	return ok;
}

static int decode_in(const struct request *q, const struct type *t, void *in, struct arena *mem, davit_err *e)
{
	const char *query = strchr(q->target, '?');
	struct jnode *doc = NULL;
	int r = query ? query_get(t, query + 1, in, mem, e) : 0;

	if (r || !type_has(t, IN_BODY))
		return r;
	r = buf_check(&q->body, "the body", e);
	if (!r)
		r = json_parse(buf_str(&q->body), q->body.len, &doc, e);
	if (!r)
		r = codec_decode(t, doc, in, mem, e);
	json_unref(doc);
	return r;
}

/* ---- upgrades ---- */

struct echo {
	struct MHD_UpgradeResponseHandle *handle;
	int fd;
	struct buf early;
};
static struct {
	pthread_t thread;
	bool runs;
} echoing;

static void *echo_main(void *user)
{
	struct echo *e = user;
	char piece[1000];
	ssize_t n;

	fcntl(e->fd, F_SETFL, fcntl(e->fd, F_GETFL) & ~O_NONBLOCK);
	send(e->fd, buf_str(&e->early), e->early.len, MSG_NOSIGNAL);
	while ((n = recv(e->fd, piece, sizeof piece, 0)) > 0)
		send(e->fd, piece, (size_t)n, MSG_NOSIGNAL);
	send(e->fd, "bye", 3, MSG_NOSIGNAL);
	MHD_upgrade_action(e->handle, MHD_UPGRADE_ACTION_CLOSE);
	buf_fini(&e->early);
	free(e);
	return NULL;
}

static void on_upgrade(void *cls, struct MHD_Connection *c, void *state, const char *extra, size_t n,
		       MHD_socket fd, struct MHD_UpgradeResponseHandle *handle)
{
	struct echo *e = calloc(1, sizeof *e);

	(void)cls;
	(void)c;
	(void)state;
	*e = (struct echo){ .handle = handle, .fd = fd, .early = BUF_INIT(10000) };
	buf_add(&e->early, extra, n);
	echoing.runs = pthread_create(&echoing.thread, NULL, echo_main, e) == 0;
}

static enum MHD_Result upgrade(struct MHD_Connection *c)
{
	const char *to = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Upgrade");
	struct MHD_Response *r;
	enum MHD_Result ok;

	if (!to || strcasecmp(to, "tcp") != 0)
		return answer(c, 400, "{\"message\":\"an upgrade to tcp is needed\"}");
	r = MHD_create_response_for_upgrade(on_upgrade, NULL);
	MHD_add_response_header(r, "Upgrade", "tcp");
	ok = MHD_queue_response(c, MHD_HTTP_SWITCHING_PROTOCOLS, r);
	MHD_destroy_response(r);
	return ok;
}

/* ---- one request ---- */

static enum MHD_Result dispatch(struct MHD_Connection *c, const char *method, const struct request *q,
				struct arena *mem)
{
	char *path = arena_strndup(mem, q->target, strcspn(q->target, "?"));
	struct buf text = BUF_INIT(LIMIT_REPLY);
	struct route route = { .mem = mem };
	enum MHD_Result ok;
	davit_err e = { 0 };
	void *in, *out;
	int r = route_find(&service, method, path, &route, &e);

	if (r)
		return refuse(c, r, &e);
	if (route.ep->shape == SHAPE_HIJACK)
		return upgrade(c);
	in = arena_alloc(mem, 1, route.ep->in->size);
	out = arena_alloc(mem, 1, route.ep->out->size);
	r = decode_in(q, route.ep->in, in, mem, &e);
	if (!r) {
		actions[route.ep - rows](&route, in, out);
		r = encode_out(route.ep->out, out, &text, &e);
	}
	ok = r ? refuse(c, r, &e) : answer(c, route.ep->ok[0], buf_str(&text));
	buf_fini(&text);
	return ok;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *c, const char *url, const char *method,
				  const char *version, const char *data, size_t *n, void **state)
{
	struct request *q = *state;
	struct arena mem = { 0 };
	enum MHD_Result ok;

	(void)url;
	(void)version;
	/* First call: only the head is there. */
	if (!q->body.cap && !q->body.bad && !*n) {
		buf_reserve(&q->body, 0);
		return MHD_YES;
	}
	if (*n) {
		buf_add(&q->body, data, *n);
		*n = 0;
		return MHD_YES;
	}
	(void)cls;
	ok = dispatch(c, method, q, &mem);
	arena_fini(&mem);
	return ok;
}

static struct MHD_Daemon *daemon_;
static unsigned port;

static int start(void **state)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	(void)state;
	daemon_ = MHD_start_daemon(
	    MHD_USE_INTERNAL_POLLING_THREAD | MHD_ALLOW_UPGRADE | MHD_USE_SUPPRESS_DATE_NO_CLOCK, 0, NULL,
	    NULL, on_request, NULL, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&at, MHD_OPTION_URI_LOG_CALLBACK,
	    on_uri, NULL, MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL, MHD_OPTION_END);
	if (!daemon_)
		return -1;
	port = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_BIND_PORT)->port;
	return 0;
}

static int stop(void **state)
{
	(void)state;
	MHD_stop_daemon(daemon_);
	return 0;
}

/* ---- raw requests ---- */

static int dial(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				  .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
	return fd;
}

static void read_all(int fd, struct buf *out)
{
	char piece[4096];
	ssize_t n;

	while ((n = recv(fd, piece, sizeof piece, 0)) > 0)
		buf_add(out, piece, (size_t)n);
	close(fd);
}

#define ANSWER(status, length, body)                                                                         \
	"HTTP/1.1 " status                                                                                   \
	"\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: " length "\r\n\r\n" body
#define GET(target) "GET " target " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
#define POST(target, length, body)                                                                           \
	"POST " target " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: " length "\r\n\r"       \
											      "\n" body

static void test_bytes(void **state)
{
	static const struct {
		const char *request, *answer;
	} cases[] = {
		{ GET("/v1/things/a/json"), ANSWER("200 OK", "21", "{\"Name\":\"a\",\"Size\":0}") },
		{ GET("/v1/things/a/b%2fc/json?level=7&unknown=1"),
		  ANSWER("200 OK", "25", "{\"Name\":\"a/b/c\",\"Size\":7}") },
		{ GET("/v1/things/%C3%A4%22/json?all=true&filter=x&filter=a%26b+c"),
		  ANSWER("200 OK", "46",
			 "{\"Name\":\"\xc3\xa4\\\"\",\"Size\":-1,\"Tags\":[\"x\",\"a&b c\"]}") },
		{ POST("/v1/things?dry=1", "34", "{\"Name\":\"n\",\"Tags\":[],\"New\":[{}]}  "),
		  ANSWER("201 Created", "31", "{\"Name\":\"n\",\"Size\":1,\"Tags\":[]}") },
		{ GET("/v1/things"), ANSWER("405 Method Not Allowed", "48",
					    "{\"message\":\"GET is not possible for /v1/things\"}") },
		{ GET("/v2/things"),
		  ANSWER("404 Not Found", "36", "{\"message\":\"there is no /v2/things\"}") },
		{ GET("/v1/things/%2e%2e/json"),
		  ANSWER("400 Bad Request", "54",
			 "{\"message\":\"the path has the segment \\\".\\\" or \\\"..\\\"\"}") },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf got = BUF_INIT(100000);
		int fd = dial();

		assert_int_equal(send(fd, cases[i].request, strlen(cases[i].request), 0),
				 strlen(cases[i].request));
		read_all(fd, &got);
		assert_string_equal(buf_str(&got), cases[i].answer);
		buf_fini(&got);
	}
}

/* Wrong input: the status, and the place in the message. */
static void test_refusals(void **state)
{
	static const struct {
		const char *request, *status, *message;
	} cases[] = {
		{ POST("/v1/things", "2", "{}"), "HTTP/1.1 400 ", "Name" },
		{ POST("/v1/things", "10", "{\"Name\":[]}"), "HTTP/1.1 400 ", "" },
		{ POST("/v1/things", "11", "{\"Name\":[]}"), "HTTP/1.1 400 ", ".Name: expected string" },
		{ POST("/v1/things", "0", ""), "HTTP/1.1 400 ", "" },
		{ POST("/v1/things?dry=maybe", "12", "{\"Name\":\"n\"}"), "HTTP/1.1 400 ", "dry" },
		{ GET("/v1/things/a/json?level=x"), "HTTP/1.1 400 ", "level" },
		{ GET("/v1/things/a/json?level=99999999999999999999"), "HTTP/1.1 400 ", "level" },
		{ GET("/v1/things/a%00b/json"), "HTTP/1.1 400 ", "escape" },
		{ POST("/v1/things/x/attach", "0", ""), "HTTP/1.1 400 ", "an upgrade to tcp is needed" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf got = BUF_INIT(100000);
		int fd = dial();

		assert_int_equal(send(fd, cases[i].request, strlen(cases[i].request), 0),
				 strlen(cases[i].request));
		read_all(fd, &got);
		if (strncmp(buf_str(&got), cases[i].status, strlen(cases[i].status)) != 0 ||
		    !strstr(buf_str(&got), cases[i].message))
			fail_msg("case %zu: %s", i, buf_str(&got));
		buf_fini(&got);
	}
}

static void test_upgrade(void **state)
{
	static const char request[] =
	    "POST /v1/things/x/attach HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
	    "Upgrade: tcp\r\nContent-Length: 0\r\n\r\nearly ";
	struct buf got = BUF_INIT(100000);
	int fd = dial();

	(void)state;
	assert_int_equal(send(fd, request, sizeof request - 1, 0), sizeof request - 1);
	assert_int_equal(send(fd, "late ", 5, 0), 5);
	shutdown(fd, SHUT_WR);
	read_all(fd, &got);
	assert_string_equal(buf_str(&got),
			    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
			    "early late bye");
	assert_true(echoing.runs);
	pthread_join(echoing.thread, NULL);
	buf_fini(&got);
}

/* The same rows, both ends. */
static void test_own_client(void **state)
{
	static const char *const tags[] = { "a=b&c", "\xc3\xa4" };
	const struct get_in get = { .level = { -5, true }, .filter = { tags, 2 } };
	const struct create_in create = { .name = "new \"one\"", .tags = { tags, 2 }, .dry = DAVIT_YES };
	const struct hijack h = { .protocol = "tcp" };
	const davit_connection_opts no_proxy = { .size = sizeof no_proxy, .proxy = "" };
	char url[64], text[16] = "";
	struct api *a;
	davit_stream *s;
	void *out;
	const struct thing *t;
	size_t got;
	davit_err e = { 0 };

	(void)state;
	snprintf(url, sizeof url, "http://127.0.0.1:%u", port);
	assert_int_equal(api_new(&(struct api_setup){ &service, url, &no_proxy, NULL }, &a, &e), 0);
	if (api_call(a, &(struct call){ .ep = &rows[0], .path = PATH("x y/z%"), .in = &get }, &out, &e))
		fail_msg("%s", e.msg);
	t = out;
	assert_string_equal(t->name, "x y/z%");
	assert_int_equal(t->size, -5);
	assert_int_equal(t->tags.n, 2);
	assert_string_equal(t->tags.v[0], "a=b&c");
	davit_reply_free(out);
	if (api_call(a, &(struct call){ .ep = &rows[1], .path = NOPATH, .in = &create }, &out, &e))
		fail_msg("%s", e.msg);
	t = out;
	assert_string_equal(t->name, "new \"one\"");
	assert_int_equal(t->size, 1);
	assert_string_equal(t->tags.v[1], "\xc3\xa4");
	davit_reply_free(out);
	if (api_hijack(a, &(struct call){ .ep = &rows[2], .path = PATH("x") }, &h, &s, &e))
		fail_msg("%s", e.msg);
	assert_int_equal(davit_stream_write(s, "hello", 5, NULL), 0);
	assert_int_equal(davit_stream_read(s, text, sizeof text, &got, NULL), 0);
	assert_string_equal(text, "hello");
	davit_stream_free(s);
	pthread_join(echoing.thread, NULL);
	api_free(a);
}

static void test_rows(void **state)
{
	(void)state;
	check_rows(&service);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes),   cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_upgrade), cmocka_unit_test(test_own_client),
		cmocka_unit_test(test_rows),
	};

	return cmocka_run_group_tests(tests, start, stop);
}

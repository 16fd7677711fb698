/* Calls, replies, pages, streams, errors. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <davit/value.h>

#include "base/err.h"
#include "base/limits.h"
#include "wire/ndjson.h"

struct thing {
	const char *name;
	int64_t size;
	const char *etag;
	davit_opt_int length;
};
static const struct type t_thing =
    TYPE(struct thing, F(struct thing, name, "Name", .required = true), F(struct thing, size, "Size"),
	 F(struct thing, etag, "Etag", .where = IN_HEADER),
	 F(struct thing, length, "Content-Length", .where = IN_HEADER));

struct things {
	const struct thing *const *v;
	size_t n;
};

struct stat_out {
	const char *digest;
	davit_opt_int length;
};
static const struct type t_stat =
    TYPE(struct stat_out, F(struct stat_out, digest, "Docker-Content-Digest", .where = IN_HEADER),
	 F(struct stat_out, length, "Content-Length", .where = IN_HEADER));

struct list_in {
	davit_opt_int n;
};
static const struct type t_list_in = TYPE(struct list_in, F(struct list_in, n, "n", .where = IN_QUERY));

static const struct endpoint rows[] = {
	{ "test.thing.get",
	  "GET",
	  "/things/{id}",
	  NULL,
	  &t_thing,
	  { 200 },
	  .flags = EP_IDEMPOTENT,
	  .reply_max = 1000 },
	{ "test.thing.list",
	  "GET",
	  "/things",
	  &t_list_in,
	  &t_thing,
	  { 200 },
	  .flags = EP_IDEMPOTENT | EP_ARRAY | EP_PAGED_LINK },
	{ "test.thing.stat", "HEAD", "/things/{id}", NULL, &t_stat, { 200 }, .flags = EP_IDEMPOTENT },
	{ "test.thing.read",
	  "GET",
	  "/things/{id}/data",
	  NULL,
	  &t_stat,
	  { 200, 206 },
	  .flags = EP_IDEMPOTENT,
	  .shape = SHAPE_STREAM },
	{ "test.thing.rm", "DELETE", "/things/{id}", NULL, NULL, { 204 }, .since = 110, .until = 120 },
};
enum { GET = 0, LIST, STAT, READ, RM };

static const struct error_row errors[] = {
	{ 400, "NAME_UNKNOWN", DAVIT_ENOTFOUND },
	{ 423, NULL, DAVIT_ECONFLICT },
	{ 0 },
};

static void error_body(const struct jnode *j, char remote[DAVIT_ERR_REMOTE_MAX], struct buf *message)
{
	const davit_value *first = davit_value_at(davit_value_member(json_value(j), "errors"), 0);
	const char *code = davit_value_string(davit_value_member(first, "code"));
	const char *text = davit_value_string(davit_value_member(first, "message"));

	if (code)
		snprintf(remote, DAVIT_ERR_REMOTE_MAX, "%s", code);
	if (text)
		buf_puts(message, text);
}

static const struct service service = { "test", rows, sizeof rows / sizeof *rows, errors, error_body };
static const struct service plain = { .name = "plain", .endpoints = rows, .n = sizeof rows / sizeof *rows };

static bool fixed(struct server *s, const struct seen *q, int nth, struct buf *out)
{
	(void)q;
	(void)nth;
	buf_puts(out, s->user);
	return false;
}

/* One call against one raw answer. */
static int get(const struct service *svc, const char *raw, int row, void **out, davit_err *e)
{
	char copy[4096];
	struct server s = { .answer = fixed, .user = copy };
	struct api *a;
	int r;

	snprintf(copy, sizeof copy, "%s", raw);
	server_start(&s);
	a = open_api_with(&s, svc, NULL, DAVIT_OPTS(davit_connection_opts, .proxy = "", .retries = -1));
	r = api_call(a, &(struct call){ .ep = &rows[row], .path = row == LIST ? NOPATH : PATH("x") }, out, e);
	api_free(a);
	server_free(&s);
	return r;
}

#define JSON_200(n)                                                                                          \
	"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nETag: \"v1\"\r\nContent-Length: " #n "\r\n\r"  \
												   "\n"

static void test_reply(void **state)
{
	struct thing *t;
	const davit_value *v;
	davit_err e = { 0 };
	size_t n;
	void *out;

	(void)state;
	assert_code(0, get(&service, JSON_200(32) "{\"Name\":\"a\",\"Size\":7,\"New\":true}", GET, &out, &e),
		    e);
	t = out;
	assert_string_equal(t->name, "a");
	assert_int_equal(t->size, 7);
	assert_string_equal(t->etag, "\"v1\"");
	assert_true(t->length.set && t->length.value == 32);
	assert_string_equal(davit_reply_raw(t, &n), "{\"Name\":\"a\",\"Size\":7,\"New\":true}");
	assert_int_equal(n, 32);
	assert_int_equal(davit_reply_status(t), 200);
	assert_string_equal(davit_reply_header(t, "etag"), "\"v1\"");
	assert_null(davit_reply_header(t, "X-None"));
	/* The received document, with what no row knows. */
	v = davit_reply_value(t);
	assert_true(davit_value_bool(davit_value_member(v, "New")));
	assert_null(davit_value_member(v, "Etag"));
	davit_reply_free(t);
	davit_reply_free(NULL);
	assert_null(davit_reply_value(NULL));
}

static void test_array(void **state)
{
	struct things *t;
	davit_err e = { 0 };
	void *out;

	(void)state;
	assert_code(0, get(&service, JSON_200(27) "[{\"Name\":\"a\"},{\"Name\":\"b\"}]", LIST, &out, &e), e);
	t = out;
	assert_int_equal(t->n, 2);
	assert_string_equal(t->v[1]->name, "b");
	assert_int_equal(davit_value_len(davit_reply_value(t)), 2);
	davit_reply_free(t);
}

static void test_head(void **state)
{
	struct stat_out *t;
	const davit_value *v;
	davit_err e = { 0 };
	void *out;

	(void)state;
	assert_code(0,
		    get(&service,
			"HTTP/1.1 200 OK\r\nDocker-Content-Digest: sha256:00\r\nContent-Length: 1234\r\n\r\n",
			STAT, &out, &e),
		    e);
	t = out;
	assert_string_equal(t->digest, "sha256:00");
	assert_true(t->length.set && t->length.value == 1234);
	assert_string_equal(davit_reply_raw(t, NULL), "");
	v = davit_reply_value(t);
	assert_string_equal(davit_value_string(davit_value_member(v, "Docker-Content-Digest")), "sha256:00");
	assert_int_equal(davit_value_int(davit_value_member(v, "Content-Length"), 0), 1234);
	davit_reply_free(t);
}

static void test_made_reply(void **state)
{
	struct thing *t;
	davit_err e = { 0 };

	(void)state;
	t = reply_new(&t_thing, &e);
	assert_non_null(t);
	t->name = arena_strdup(reply_arena(t), "made");
	assert_string_equal(davit_value_string(davit_value_member(davit_reply_value(t), "Name")), "made");
	assert_code(0, reply_set_raw(t, "[1]", 3, &e), e);
	assert_int_equal(davit_value_get_type(davit_reply_value(t)), DAVIT_VALUE_ARRAY);
	assert_code(0, reply_set_raw(t, "\0x", 2, &e), e);
	assert_int_equal(davit_value_get_type(davit_reply_value(t)), DAVIT_VALUE_OBJECT);
	assert_null(davit_reply_header(t, "Date"));
	davit_reply_free(t);
	t = reply_new(NULL, &e);
	assert_int_equal(davit_value_get_type(davit_reply_value(t)), DAVIT_VALUE_OBJECT);
	davit_reply_free(t);
}

/* Error answers: code, message, remote code. */
static void test_errors(void **state)
{
	static const struct {
		const struct service *service;
		const char *raw;
		int row, code, http;
		const char *remote, *msg;
	} cases[] = {
		{ &service,
		  "HTTP/1.1 404 Not Found\r\nContent-Length: 60\r\n\r\n"
		  "{\"errors\":[{\"code\":\"THING_UNKNOWN\",\"message\":\"no such thing\"}]}",
		  GET, DAVIT_ENOTFOUND, 404, "",
		  "test.thing.get: HTTP 404: {\"errors\":[{\"code\":\"THING_UNKNOWN\",\"message\":\"no such "
		  "thing\"" },
		{ &service,
		  "HTTP/1.1 404 Not Found\r\nContent-Length: 63\r\n\r\n"
		  "{\"errors\":[{\"code\":\"THING_UNKNOWN\",\"message\":\"no such thing\"}]}",
		  GET, DAVIT_ENOTFOUND, 404, "THING_UNKNOWN",
		  "test.thing.get: HTTP 404: no such thing (THING_UNKNOWN)" },
		{ &service,
		  "HTTP/1.1 400 Bad\r\nContent-Length: 37\r\n\r\n{\"errors\":[{\"code\":\"NAME_UNKNOWN\"}]} "
		  " ",
		  GET, DAVIT_ENOTFOUND, 400, "NAME_UNKNOWN", "test.thing.get: HTTP 400: Bad (NAME_UNKNOWN)" },
		{ &service, "HTTP/1.1 423 Locked\r\nContent-Length: 0\r\n\r\n", GET, DAVIT_ECONFLICT, 423, "",
		  "test.thing.get: HTTP 423: Locked" },
		{ &plain, "HTTP/1.1 400 Bad\r\nContent-Length: 19\r\n\r\n{\"message\":\"what?\"}", GET,
		  DAVIT_EREMOTE, 400, "", "test.thing.get: HTTP 400: what?" },
		{ &plain, "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", GET, DAVIT_EDENIED, 401, "",
		  "test.thing.get: HTTP 401: No" },
		{ &plain, "HTTP/1.1 403 No\r\nContent-Length: 9\r\n\r\nget\x1b out\n", GET, DAVIT_EDENIED,
		  403, "", "test.thing.get: HTTP 403: No" },
		{ &plain, "HTTP/1.1 409 No\r\nContent-Length: 20\r\n\r\n\n  in use\r\nand more.. ", GET,
		  DAVIT_ECONFLICT, 409, "", "test.thing.get: HTTP 409: in use" },
		{ &plain, "HTTP/1.1 412 No\r\nContent-Length: 13\r\n\r\n<html>\n<body>", GET, DAVIT_ECONFLICT,
		  412, "", "test.thing.get: HTTP 412: No" },
		{ &plain, "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n", GET, DAVIT_ENOTFOUND, 410, "",
		  "test.thing.get: HTTP 410: Gone" },
		{ &plain, "HTTP/1.1 304 Same\r\n\r\n", GET, DAVIT_ENOTMODIFIED, 304, "",
		  "test.thing.get: HTTP 304: Same" },
		{ &plain, "HTTP/1.1 500\r\nContent-Length: 0\r\n\r\n", GET, DAVIT_EREMOTE, 500, "",
		  "test.thing.get: HTTP 500: the server gave no reason" },
		{ &plain, "HTTP/1.1 202 Later\r\nContent-Length: 0\r\n\r\n", GET, DAVIT_EPROTO, 202, "",
		  "test.thing.get: HTTP 202: Later, which is not expected here" },
		{ &plain, "HTTP/1.1 404 No\r\nContent-Length: 9\r\n\r\n", STAT, DAVIT_ENOTFOUND, 404, "",
		  "test.thing.stat: HTTP 404: No" },
		/* Answers that are accepted and wrong. */
		{ &plain, JSON_200(14) "{\"Name\":[true]}", GET, DAVIT_EPROTO, 0, "",
		  "test.thing.get: the answer: " },
		{ &plain, JSON_200(15) "{\"Name\":[true]}", GET, DAVIT_EPROTO, 0, "",
		  "test.thing.get: reply.Name: expected string" },
		{ &plain, JSON_200(26) "[{\"Name\":\"a\"},{\"Name\":[1]}]", LIST, DAVIT_EPROTO, 0, "",
		  "test.thing.list: the answer: " },
		{ &plain, JSON_200(27) "[{\"Name\":\"a\"},{\"Name\":[1]}]", LIST, DAVIT_EPROTO, 0, "",
		  "test.thing.list: reply[1].Name: expected string" },
		{ &plain, JSON_200(0), GET, DAVIT_EPROTO, 0, "",
		  "test.thing.get: the answer has no body, JSON was expected" },
		{ &plain, JSON_200(17) "\n <!DOCTYPE html>", GET, DAVIT_EPROTO, 0, "",
		  "test.thing.get: 127.0.0.1 answered HTML: it is no plain server" },
		{ &plain,
		  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: text/HTML; charset=x\r\n\r\nhello",
		  GET, DAVIT_EPROTO, 0, "", "test.thing.get: 127.0.0.1 answered HTML" },
		{ &plain, JSON_200(9999) "{", GET, DAVIT_EIO, 0, "", "test.thing.get: " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		davit_err e = { 0 };
		char untouched;
		void *out = &untouched;
		int r = get(cases[i].service, cases[i].raw, cases[i].row, &out, &e);

		if (r != cases[i].code || e.code != r || e.http != cases[i].http ||
		    strcmp(e.remote, cases[i].remote) != 0 ||
		    strncmp(e.msg, cases[i].msg, strlen(cases[i].msg)) != 0)
			fail_msg("case %zu: %d %d '%s' %s", i, r, e.http, e.remote, e.msg);
		assert_ptr_equal(out, &untouched);
	}
}

static bool long_text(struct server *s, const struct seen *q, int nth, struct buf *out)
{
	(void)s;
	(void)q;
	buf_printf(out, "HTTP/1.1 %d X\r\n\r\n", nth ? 200 : 500);
	/* Much more than is read, and a character of two bytes at every place. */
	for (int i = 0; i < 100000; i++)
		buf_puts(out, "\xc3\xa4");
	return false;
}

static void test_limits(void **state)
{
	struct server s = { .answer = long_text };
	struct api *a;
	davit_err e = { 0 };

	(void)state;
	server_start(&s);
	a = open_api(&s, &service, NULL);
	assert_code(DAVIT_EREMOTE,
		    api_call(a, &(struct call){ .ep = &rows[GET], .path = PATH("x") }, NULL, &e), e);
	assert_true(strlen(e.msg) < 400);
	assert_string_equal(e.msg + strlen(e.msg) - 5, "\xc3\xa4...");
	/* reply_max of the row */
	assert_code(DAVIT_ELIMIT,
		    api_call(a, &(struct call){ .ep = &rows[GET], .path = PATH("x") }, NULL, &e), e);
	assert_string_equal(e.msg, "test.thing.get: the answer is longer than 1000 bytes");
	api_free(a);
	server_free(&s);
}

static void test_arguments(void **state)
{
	struct api *a;
	davit_err e = { 0 };

	(void)state;
	assert_code(DAVIT_EARG,
		    api_new(&(struct api_setup){ &service, "ftp://x", NULL, signer_new() }, &a, &e), e);
	assert_code(DAVIT_EARG, api_new(&(struct api_setup){ &service, "http://x/?q", NULL, NULL }, &a, &e),
		    e);
	/* Nobody listens: nothing of this is sent. */
	assert_code(
	    0, api_new(&(struct api_setup){ &service, "http://127.0.0.1:1/prefix//", NULL, NULL }, &a, &e),
	    e);
	assert_string_equal(a->base.path, "/prefix");
	a->version = 109;
	assert_code(DAVIT_EUNSUPPORTED,
		    api_call(a, &(struct call){ .ep = &rows[RM], .path = PATH("x") }, NULL, &e), e);
	assert_string_equal(e.msg, "test.thing.rm: needs version 1.10 of the API, and the server speaks 1.9");
	a->version = 121;
	assert_code(DAVIT_EUNSUPPORTED,
		    api_call(a, &(struct call){ .ep = &rows[RM], .path = PATH("x") }, NULL, &e), e);
	a->version = 120;
	assert_code(DAVIT_EARG, api_call(a, &(struct call){ .ep = &rows[RM], .path = PATH("..") }, NULL, &e),
		    e);
	assert_code(DAVIT_EARG, api_call(a, &(struct call){ .ep = &rows[READ], .path = PATH("x") }, NULL, &e),
		    e);
	assert_code(DAVIT_EARG,
		    api_upload(a, &(struct call){ .ep = &rows[GET], .path = PATH("x") }, NULL, &e), e);
	assert_code(DAVIT_EARG,
		    api_stream(a, &(struct call){ .ep = &rows[GET], .path = PATH("x") },
			       &(struct stream_to){ 0 }, NULL, &e),
		    e);
	assert_code(DAVIT_EARG,
		    api_pages(a, &(struct call){ .ep = &rows[GET], .path = PATH("x") }, NULL, NULL, &e), e);
	api_free(a);
	api_free(NULL);
}

/* The base's path goes in front of every row's. */
static void test_prefix(void **state)
{
	char raw[] = JSON_200(12) "{\"Name\":\"a\"}";
	struct server s = { .answer = fixed, .user = raw };
	const davit_connection_opts o = { .size = sizeof o, .proxy = "", .user_agent = "me/1" };
	char url[256];
	struct api *a;
	davit_err e = { 0 };

	(void)state;
	server_start(&s);
	assert_code(
	    0, api_new(&(struct api_setup){ &service, server_url(&s, "/pre%2Ffix/", url), &o, NULL }, &a, &e),
	    e);
	assert_code(0, api_call(a, &(struct call){ .ep = &rows[GET], .path = PATH("x") }, NULL, &e), e);
	api_free(a);
	server_stop(&s);
	assert_string_equal(s.seen[0].target, "/pre%2Ffix/things/x");
	assert_string_equal(headers_get(&s.seen[0].headers, "User-Agent"), "me/1");
	assert_string_equal(headers_get(&s.seen[0].headers, "Accept"), "application/json");
	server_free(&s);
}

static void test_fork(void **state)
{
	struct api *a;
	davit_err e = { 0 };
	int status;
	pid_t pid;

	(void)state;
	assert_code(0, api_new(&(struct api_setup){ &service, "http://127.0.0.1:1", NULL, NULL }, &a, &e), e);
	pid = fork();
	if (!pid)
		_exit(api_call(a, &(struct call){ .ep = &rows[GET], .path = PATH("x") }, NULL, &e) ==
			      DAVIT_ESTATE
			  ? 0
			  : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	api_free(a);
}

/* ---- streams ---- */

struct taken {
	struct buf all;
	size_t largest;
	int heads, stop_with;
	struct api *api;
	int inner;
};

static int take(void *user, const void *p, size_t n)
{
	struct taken *t = user;

	if (t->api)
		t->inner =
		    api_call(t->api, &(struct call){ .ep = &rows[GET], .path = PATH("x") }, NULL, NULL);
	buf_add(&t->all, p, n);
	if (n > t->largest)
		t->largest = n;
	return t->stop_with;
}

static int take_head(void *user, int status, const struct headers *h, davit_err *e)
{
	struct taken *t = user;

	(void)e;
	assert_int_equal(status, 206);
	assert_string_equal(headers_get(h, "Docker-Content-Digest"), "sha256:11");
	t->heads++;
	return 0;
}

static int refuse_head(void *user, int status, const struct headers *h, davit_err *e)
{
	(void)user;
	(void)status;
	(void)h;
	return err_set(e, DAVIT_EINTEGRITY, "not that one");
}

static bool some_bytes(struct server *s, const struct seen *q, int nth, struct buf *out)
{
	(void)s;
	(void)q;
	(void)nth;
	put_answer(out, 206, "Docker-Content-Digest: sha256:11\r\n", "0123456789");
	return true;
}

static void test_stream(void **state)
{
	struct server s = { .answer = some_bytes };
	struct taken t = { .all = BUF_INIT(100) };
	const davit_sink sink = { take, &t };
	const struct call c = { .ep = &rows[READ], .path = PATH("x"), .chunk = 4 };
	struct stat_out *reply;
	struct api *a;
	davit_err e = { 0 };
	void *out;

	(void)state;
	server_start(&s);
	a = open_api(&s, &service, NULL);
	assert_code(
	    0,
	    api_stream(a, &c, &(struct stream_to){ .sink = &sink, .head = take_head, .user = &t }, &out, &e),
	    e);
	assert_string_equal(t.all.p, "0123456789");
	assert_int_equal(t.largest, 4);
	assert_int_equal(t.heads, 1);
	reply = out;
	assert_string_equal(reply->digest, "sha256:11");
	assert_int_equal(davit_reply_status(reply), 206);
	assert_string_equal(davit_reply_raw(reply, NULL), "");
	davit_reply_free(out);

	t.stop_with = -77;
	assert_code(DAVIT_ECALLBACK, api_stream(a, &c, &(struct stream_to){ .sink = &sink }, NULL, &e), e);
	assert_int_equal(e.callback, -77);
	assert_code(DAVIT_EINTEGRITY,
		    api_stream(a, &c, &(struct stream_to){ .sink = &sink, .head = refuse_head }, NULL, &e),
		    e);
	assert_string_equal(e.msg, "test.thing.read: not that one");

	/* A callback that uses the handle. */
	t.stop_with = 0;
	t.api = a;
	assert_code(0, api_stream(a, &c, &(struct stream_to){ .sink = &sink }, NULL, &e), e);
	assert_int_equal(t.inner, DAVIT_ESTATE);
	buf_fini(&t.all);
	api_free(a);
	server_free(&s);
}

static void test_stream_error(void **state)
{
	char raw[] = "HTTP/1.1 404 No\r\nContent-Length: 63\r\n\r\n"
		     "{\"errors\":[{\"code\":\"THING_UNKNOWN\",\"message\":\"no such thing\"}]}";
	struct server s = { .answer = fixed, .user = raw };
	struct taken t = { .all = BUF_INIT(100) };
	const davit_sink sink = { take, &t };
	struct api *a;
	davit_err e = { 0 };

	(void)state;
	server_start(&s);
	a = open_api(&s, &service, NULL);
	assert_code(DAVIT_ENOTFOUND,
		    api_stream(a, &(struct call){ .ep = &rows[READ], .path = PATH("x") },
			       &(struct stream_to){ .sink = &sink, .head = take_head }, NULL, &e),
		    e);
	assert_string_equal(e.remote, "THING_UNKNOWN");
	assert_int_equal(t.all.len, 0);
	api_free(a);
	server_free(&s);
}

/* ---- a JSON stream with an error inside of a 200 ---- */

static int document(void *user, const struct jnode *j, davit_err *e)
{
	int *n = user;
	int r = ndjson_remote_error(j, e);

	*n += !r;
	return r;
}

static int feed(void *user, const void *p, size_t n, davit_err *e)
{
	return ndjson_feed(user, p, n, e);
}

static bool json_stream(struct server *s, const struct seen *q, int nth, struct buf *out)
{
	(void)s;
	(void)q;
	put_answer(out, 200, "",
		   nth ? "{\"status\":\"a\"}\r\n{\"status\":\"b\"}\n{\"sta"
		       : "{\"status\":\"a\"}{\"error\":\"no space\",\"errorDetail\":{\"code\":28,"
			 "\"message\":\"no space left\"}}\n{\"status\":\"c\"}\n");
	return true;
}

static void test_json_stream(void **state)
{
	struct server s = { .answer = json_stream };
	const struct call c = { .ep = &rows[READ], .path = PATH("x"), .chunk = 3 };
	int n = 0;
	struct ndjson parser = NDJSON_INIT(document, &n);
	const struct stream_to to = { .body = feed, .user = &parser };
	struct api *a;
	davit_err e = { 0 };

	(void)state;
	server_start(&s);
	a = open_api(&s, &service, NULL);
	assert_code(DAVIT_EREMOTE, api_stream(a, &c, &to, NULL, &e), e);
	assert_string_equal(e.msg, "test.thing.read: no space left");
	assert_int_equal(n, 1);
	ndjson_fini(&parser);
	n = 0;
	parser = (struct ndjson)NDJSON_INIT(document, &n);
	assert_code(0, api_stream(a, &c, &to, NULL, &e), e);
	assert_int_equal(n, 2);
	assert_code(DAVIT_EPROTO, ndjson_end(&parser, &e), e);
	ndjson_fini(&parser);
	api_free(a);
	server_free(&s);
}

/* ---- pages ---- */

struct book {
	const char *next[8]; /* target of the link on page n, NULL: none */
	const struct server *other;
};

static bool turn(struct server *s, const struct seen *q, int nth, struct buf *out)
{
	const struct book *b = s->user;
	const char *next = b->next[nth < 8 ? nth : 7];
	char link[400] = "", url[256], body[64];

	(void)q;
	if (next && *next == '!')
		snprintf(link, sizeof link, "Link: <%s>; rel=\"next\"\r\n",
			 server_url(b->other, next + 1, url));
	else if (next)
		snprintf(link, sizeof link, "Link: <%s>; rel=\"next\"\r\n", next);
	snprintf(body, sizeof body, "[{\"Name\":\"p%d\"}]", nth);
	put_answer(out, 200, link, body);
	return true;
}

struct reader {
	int pages, stop_at;
};

static int read_page(void *user, void *reply, davit_err *e)
{
	struct reader *r = user;
	const struct things *t = reply;

	assert_int_equal(t->n, 1);
	davit_reply_free(reply);
	r->pages++;
	if (r->stop_at < 0)
		return err_set(e, DAVIT_EARG, "enough");
	return r->pages == r->stop_at;
}

static void test_pages(void **state)
{
	static const struct {
		struct book book;
		int stop_at, code, pages;
		const char *last; /* target of the last request */
	} cases[] = {
		{ { .next = { NULL } }, 0, 0, 1, "/things?n=5" },
		{ { .next = { "/things?n=5&last=p0", "?x=2", NULL } }, 0, 0, 3, "/things?x=2" },
		{ { .next = { "/a", "/b", "/c" } }, 2, 0, 2, "/a" },
		{ { .next = { "/a", "/b", "/c" } }, -1, DAVIT_EARG, 1, "/things?n=5" },
		{ { .next = { "/things?n=5" } }, 0, DAVIT_EPROTO, 0, "/things?n=5" },
		{ { .next = { "/a", "/a" } }, 0, DAVIT_EPROTO, 1, "/a" },
		{ { .next = { "/a", "/b", "/a", "/b", "/a", "/b", "/a", "/b" } }, 0, DAVIT_EPROTO, 3, NULL },
		{ { .next = { "ftp://x/" } }, 0, DAVIT_EPROTO, 0, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct book book = cases[i].book;
		struct server s = { .answer = turn, .user = &book };
		struct reader reader = { .stop_at = cases[i].stop_at };
		const struct list_in in = { .n = { 5, true } };
		struct api *a;
		davit_err e = { 0 };
		int r;

		server_start(&s);
		a = open_api(&s, &service, NULL);
		r = api_pages(a, &(struct call){ .ep = &rows[LIST], .path = NOPATH, .in = &in }, read_page,
			      &reader, &e);
		api_free(a);
		server_stop(&s);
		if (r != cases[i].code || reader.pages != cases[i].pages)
			fail_msg("case %zu: %d after %d pages: %s", i, r, reader.pages, e.msg);
		if (cases[i].last)
			assert_string_equal(s.seen[s.n - 1].target, cases[i].last);
		server_free(&s);
	}
}

static void test_page_elsewhere(void **state)
{
	struct book there = { .next = { NULL } }, book = { .next = { "!/things?n=2" } };
	struct server b = { .answer = turn, .user = &there }, s = { .answer = turn, .user = &book };
	struct reader reader = { 0 };
	struct api *a;
	davit_err e = { 0 };

	(void)state;
	book.other = &b;
	server_start(&s);
	server_start(&b);
	a = open_api(&s, &service, signer_new());
	assert_code(
	    0, api_pages(a, &(struct call){ .ep = &rows[LIST], .path = NOPATH }, read_page, &reader, &e), e);
	api_free(a);
	server_stop(&s);
	server_stop(&b);
	assert_int_equal(reader.pages, 2);
	assert_non_null(headers_get(&s.seen[0].headers, "X-Test-Signature"));
	assert_null(headers_get(&b.seen[0].headers, "X-Test-Signature"));
	server_free(&s);
	server_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reply),        cmocka_unit_test(test_array),
		cmocka_unit_test(test_head),         cmocka_unit_test(test_made_reply),
		cmocka_unit_test(test_errors),       cmocka_unit_test(test_limits),
		cmocka_unit_test(test_arguments),    cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_fork),         cmocka_unit_test(test_stream),
		cmocka_unit_test(test_stream_error), cmocka_unit_test(test_json_stream),
		cmocka_unit_test(test_pages),        cmocka_unit_test(test_page_elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Blobs: push, pull, stat, mount, delete. */
#include "steps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A sink over a buffer. */
static int keep(void *user, const void *p, size_t n)
{
	buf_add(user, p, n);
	return 0;
}

static int refuse(void *user, const void *p, size_t n)
{
	(void)user;
	(void)p;
	(void)n;
	return -9;
}

static void stats_and_deletes(void **state)
{
	static const struct step steps[] = {
		{ .request = "HEAD /v2/a/b/blobs/" HELLO,
		  200,
		  "Content-Length: 6\r\nContent-Type: text/x\r\n" },
		{ .request = "HEAD /v2/a/b/blobs/" HELLO, 403, "Content-Length: 0\r\n" },
		{ .request = "DELETE /v2/a/b/blobs/" HELLO, 202 },
		{ .request = "DELETE /v2/a/b/blobs/" HELLO,
		  405,
		  NULL,
		  "{\"errors\":[{\"code\":\"UNSUPPORTED\"}]}" },
	};
	davit_registry_descriptor *d;
	struct script s;
	bool there;

	(void)state;
	SCRIPT(&s, steps, NULL);
	assert_code(0, davit_registry_blob_stat(s.r, "a/b", HELLO, &d, &s.e), s.e);
	assert_int_equal(d->size, 6);
	assert_string_equal(d->digest, HELLO);
	assert_string_equal(d->media_type, "text/x");
	davit_reply_free(d);
	assert_code(DAVIT_EDENIED, davit_registry_blob_exists(s.r, "a/b", HELLO, &there, &s.e), s.e);
	assert_has(s.e.msg, "a/b@" HELLO);
	assert_code(0, davit_registry_blob_delete(s.r, "a/b", HELLO, &s.e), s.e);
	assert_code(DAVIT_EUNSUPPORTED, davit_registry_blob_delete(s.r, "a/b", HELLO, &s.e), s.e);
	script_end(&s);
}

static void mounts(void **state)
{
	static const struct step steps[] = {
		{ .request = "POST /v2/a/blobs/uploads/?mount=" HELLO_QUERY "&from=x%2Fy", 201 },
		{ .request = "POST /v2/a/blobs/uploads/?mount=" HELLO_QUERY "&from=x%2Fy",
		  202,
		  "Location: u1?s=1\r\n" },
		{ .request = "DELETE /v2/a/blobs/uploads/u1?s=1", 204 },
	};
	struct script s;

	(void)state;
	SCRIPT(&s, steps, NULL);
	assert_code(0, davit_registry_blob_mount(s.r, "a", "x/y", HELLO, &s.e), s.e);
	assert_code(DAVIT_EUNSUPPORTED, davit_registry_blob_mount(s.r, "a", "x/y", HELLO, &s.e), s.e);
	assert_has(s.e.msg, "Cross repository blob mount failed");
	script_end(&s);
}

static void pushes_what_can_be_read_twice(void **state)
{
	static const struct step steps[] = {
		{ .request = "HEAD /v2/a/blobs/" HELLO, 404, "Content-Length: 0\r\n" },
		{ .request = "POST /v2/a/blobs/uploads/", 202, "Location: /up/1?a=%20&b=\r\n", NULL, "" },
		{ .request = "PUT /up/1?a=%20&b=&digest=" HELLO_QUERY, 201, NULL, NULL, "hello\n" },
		{ .request = "HEAD /v2/a/blobs/" HELLO, 200, "Content-Length: 6\r\n" },
		{ .request = "POST /v2/a/blobs/uploads/", 202, "Location: /up/2\r\n" },
		{ .request = "PUT /up/2?digest=" HELLO_QUERY, 201, NULL, NULL, "hello\n" },
	};
	davit_registry_descriptor *d;
	struct text_source t;
	davit_source src = text_source(&t, "hello\n", true);
	struct script s;

	(void)state;
	SCRIPT(&s, steps, NULL);
	assert_code(0, davit_registry_blob_push(s.r, "a", &src, NULL, &d, &s.e), s.e);
	assert_string_equal(d->digest, HELLO);
	assert_int_equal(d->size, 6);
	davit_reply_free(d);
	assert_string_equal(script_header(&s, 2, "Content-Length"), "6");
	src = text_source(&t, "hello\n", true);
	assert_code(0, davit_registry_blob_push(s.r, "a", &src, NULL, NULL, &s.e), s.e);
	src = text_source(&t, "hello\n", true);
	assert_code(0, davit_registry_blob_push(s.r, "a", &src,
		    DAVIT_OPTS(davit_registry_push_opts, .check_exists = DAVIT_NO), NULL, &s.e), s.e);
	script_end(&s);
}

struct caller {
	davit_registry *r;
	int reports;
	bool boasts;
};

static int calling_read(void *user, void *buf, size_t cap, size_t *got)
{
	struct caller *c = user;

	(void)buf;
	*got = c->boasts ? cap + 1 : 0;
	return c->boasts ? 0 : davit_registry_ping(c->r, NULL) == DAVIT_ESTATE ? -7 : -8;
}

static int calling_rewind(void *user)
{
	(void)user;
	return 0;
}

static int calling_update(void *user, const davit_progress_info *info)
{
	struct caller *c = user;

	(void)info;
	c->reports++;
	return davit_registry_ping(c->r, NULL) == DAVIT_ESTATE ? 0 : -8;
}

/* Also between the requests of a call its callbacks must not use the handle. */
static void refuses_calls_of_callbacks(void **state)
{
	static const struct step steps[] = {
		{ .request = "HEAD /v2/a/blobs/" HELLO, 404 },
		{ .request = "POST /v2/a/blobs/uploads/", 202, "Location: /up/1\r\n" },
		{ .request = "PUT /up/1?digest=" HELLO_QUERY, 201, NULL, NULL, "hello\n" },
	};
	struct caller c = { 0 };
	const davit_source calling = { calling_read, calling_rewind, &c, -1 };
	struct text_source t;
	davit_source src = text_source(&t, "hello\n", true);
	struct script s;

	(void)state;
	SCRIPT(&s, steps, NULL);
	c.r = s.r;
	assert_code(DAVIT_ECALLBACK, davit_registry_blob_push(s.r, "a", &calling, NULL, NULL, &s.e), s.e);
	assert_int_equal(s.e.callback, -7);
	c.boasts = true;
	assert_code(DAVIT_EARG, davit_registry_blob_push(s.r, "a", &calling, NULL, NULL, &s.e), s.e);
	assert_code(0,
		    davit_registry_blob_push(
			s.r, "a", &src,
			DAVIT_OPTS(davit_registry_push_opts, .progress = { calling_update, &c }), NULL, &s.e),
		    s.e);
	assert_true(c.reports >= 2);
	script_end(&s);
}

static void pushes_a_stream(void **state)
{
	static const struct step steps[] = {
		{ .request = "POST /v2/a/blobs/uploads/", 202, "Location: /up/1\r\n" },
		{ .request = "PATCH /up/1", 202, "Location: 2?x=1\r\n", NULL, "hello\n" },
		{ .request = "PUT /up/2?x=1&digest=" HELLO_QUERY, 201, NULL, NULL, "" },
	};
	davit_registry_descriptor *d;
	struct text_source t;
	davit_source src = text_source(&t, "hello\n", false);
	struct script s;

	(void)state;
	src.size = -1;
	SCRIPT(&s, steps, NULL);
	assert_code(0, davit_registry_blob_push(s.r, "a", &src, NULL, &d, &s.e), s.e);
	assert_string_equal(d->digest, HELLO);
	assert_int_equal(d->size, 6);
	davit_reply_free(d);
	script_end(&s);
}

static void checks_a_promised_digest(void **state)
{
	static const struct step steps[] = {
		{ .request = "HEAD /v2/a/blobs/" EMPTY, 404, "Content-Length: 0\r\n" },
		{ .request = "POST /v2/a/blobs/uploads/", 202, "Location: /up/1\r\n" },
		{ .request = "DELETE /up/1", 204 },
	};
	struct text_source t;
	davit_source src = text_source(&t, "hello\n", false);
	struct script s;

	(void)state;
	SCRIPT(&s, steps, NULL);
	assert_code(DAVIT_EINTEGRITY, davit_registry_blob_push(s.r, "a", &src,
		    DAVIT_OPTS(davit_registry_push_opts, .digest = EMPTY), NULL, &s.e), s.e);
	assert_has(s.e.msg, "expected digest " EMPTY ", got " HELLO);
	assert_code(DAVIT_EARG, davit_registry_blob_push(s.r, "a", &src,
		    DAVIT_OPTS(davit_registry_push_opts, .chunk_size = 17 << 20), NULL, &s.e), s.e);
	script_end(&s);
}

static void gives_a_session_back(void **state)
{
	static const struct step steps[] = {
		{ .request = "POST /v2/a/blobs/uploads/", 202, "Location: /up/1\r\n" },
		{ .request = "PUT /up/1?digest=" HELLO_QUERY, 400, NULL,
		  "{\"errors\":[{\"code\":\"DIGEST_INVALID\",\"message\":\"no\"}]}" },
		{ .request = "DELETE /up/1", 404 },
		{ .request = "POST /v2/a/blobs/uploads/", 202 },
	};
	const davit_registry_push_opts *o = DAVIT_OPTS(davit_registry_push_opts, .check_exists = DAVIT_NO);
	struct text_source t;
	davit_source src = text_source(&t, "hello\n", true);
	struct script s;

	(void)state;
	SCRIPT(&s, steps, NULL);
	assert_code(DAVIT_EINTEGRITY, davit_registry_blob_push(s.r, "a", &src, o, NULL, &s.e), s.e);
	assert_int_equal(s.e.http, 400);
	src = text_source(&t, "hello\n", true);
	assert_code(DAVIT_EPROTO, davit_registry_blob_push(s.r, "a", &src, o, NULL, &s.e), s.e);
	script_end(&s);
}

static int cancel_now(void *user, const davit_progress_info *info)
{
	(void)info;
	davit_cancel(user);
	return 0;
}

static void gives_a_session_back_when_cancelled(void **state)
{
	static const struct step steps[] = {
		{ .request = "POST /v2/a/blobs/uploads/", 202, "Location: /up/1\r\n" },
		{ .request = "DELETE /up/1", 204 },
	};
	davit_connection_opts conn = { .size = sizeof conn, .proxy = "" };
	struct text_source t;
	davit_source src = text_source(&t, "hello\n", false);
	davit_registry_push_opts o = { .size = sizeof o };
	struct script s;

	(void)state;
	assert_int_equal(davit_cancel_new(&conn.cancel, NULL), 0);
	src.size = -1;
	o.progress = (davit_progress){ cancel_now, conn.cancel };
	SCRIPT(&s, steps, DAVIT_OPTS(davit_registry_opts, .connection = &conn));
	assert_code(DAVIT_ECANCELLED, davit_registry_blob_push(s.r, "a", &src, &o, NULL, &s.e), s.e);
	script_end(&s);
	davit_cancel_unref(conn.cancel);
}

static void starts_again_after_a_passing_failure(void **state)
{
	static const struct step steps[] = {
		{ .request = "POST /v2/a/blobs/uploads/", 202, "Location: /up/1\r\n" },
		{ .request = "PUT /up/1?digest=" HELLO_QUERY, 503 },
		{ .request = "DELETE /up/1", 204 },
		{ .request = "POST /v2/a/blobs/uploads/", 202, "Location: /up/2\r\n" },
		{ .request = "PUT /up/2?digest=" HELLO_QUERY, 201, NULL, NULL, "hello\n" },
	};
	struct text_source t;
	davit_source src = text_source(&t, "hello\n", true);
	struct script s;

	(void)state;
	SCRIPT(&s, steps, NULL);
	assert_code(0, davit_registry_blob_push(s.r, "a", &src,
		    DAVIT_OPTS(davit_registry_push_opts, .check_exists = DAVIT_NO), NULL, &s.e), s.e);
	script_end(&s);
}

static void pushes_files(void **state)
{
	static const struct step steps[] = {
		{ .request = "HEAD /v2/a/blobs/" EMPTY, 404, "Content-Length: 0\r\n" },
		{ .request = "POST /v2/a/blobs/uploads/", 202, "Location: /up/1\r\n" },
		{ .request =
		      "PUT "
		      "/up/"
		      "1?digest=sha256%3Ae3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		  201 },
	};
	char path[] = "/tmp/davit-test-XXXXXX";
	davit_registry_descriptor *d;
	struct script s;

	(void)state;
	close(mkstemp(path));
	SCRIPT(&s, steps, NULL);
	assert_code(0, davit_registry_blob_push_file(s.r, "a", path, NULL, &d, &s.e), s.e);
	assert_string_equal(d->digest, EMPTY);
	assert_int_equal(d->size, 0);
	davit_reply_free(d);
	unlink(path);
	assert_code(DAVIT_EIO, davit_registry_blob_push_file(s.r, "a", path, NULL, NULL, &s.e), s.e);
	assert_int_equal(s.e.sys, ENOENT);
	assert_code(DAVIT_EIO, davit_registry_blob_push_file(s.r, "a", "/", NULL, NULL, &s.e), s.e);
	assert_int_equal(s.e.sys, EISDIR);
	script_end(&s);
}

static int told(void *user, const char *digest, int64_t size)
{
	assert_string_equal(digest, HELLO);
	*(int64_t *)user = size;
	return 0;
}

static void pulls(void **state)
{
	static const struct step steps[] = {
		{ .request = "GET /v2/a/blobs/" HELLO, 200, NULL, "hello\n" },
		{ .request = "GET /v2/a/blobs/" HELLO, 200, NULL, "HELLO\n" },
		{ .request = "GET /v2/a/blobs/" HELLO, 200, NULL, "hello\n" },
		{ .request = "GET /v2/a/blobs/" HELLO, 404 },
	};
	struct buf got = BUF_INIT(100);
	const davit_sink sink = { keep, &got }, bad = { refuse, NULL };
	davit_registry_pull_opts o = { .size = sizeof o, .begin = told };
	davit_registry_descriptor *d;
	int64_t size = 0;
	struct script s;

	(void)state;
	o.begin_user = &size;
	SCRIPT(&s, steps, NULL);
	assert_code(0, davit_registry_blob_pull(s.r, "a", HELLO, &o, &sink, &d, &s.e), s.e);
	assert_string_equal(buf_str(&got), "hello\n");
	assert_int_equal(size, 6);
	assert_int_equal(d->size, 6);
	davit_reply_free(d);
	assert_code(DAVIT_EINTEGRITY, davit_registry_blob_pull(s.r, "a", HELLO, NULL, &sink, NULL, &s.e),
		    s.e);
	assert_has(s.e.msg, "expected digest " HELLO);
	assert_code(DAVIT_ECALLBACK, davit_registry_blob_pull(s.r, "a", HELLO, NULL, &bad, NULL, &s.e), s.e);
	assert_int_equal(s.e.callback, -9);
	assert_code(DAVIT_ENOTFOUND, davit_registry_blob_pull(s.r, "a", HELLO, NULL, &sink, NULL, &s.e), s.e);
	script_end(&s);
	buf_fini(&got);
}

/* Cancels at its first bytes, when all others lie in the socket already. */
static int cancel_late(void *user, const void *p, size_t n)
{
	(void)p;
	(void)n;
	usleep(100 * 1000);
	davit_cancel(user);
	return 0;
}

static void stops_at_once_when_cancelled(void **state)
{
	enum { SIZE = 150000 };
	char *body = calloc(1, SIZE + 1);
	const struct step steps[] = { { .request = "GET /v2/a/blobs/" HELLO, 200, NULL, body } };
	davit_connection_opts conn = { .size = sizeof conn, .proxy = "" };
	davit_sink sink = { .write = cancel_late };
	struct script s;

	(void)state;
	memset(body, 'x', SIZE);
	assert_int_equal(davit_cancel_new(&conn.cancel, NULL), 0);
	sink.user = conn.cancel;
	SCRIPT(&s, steps, DAVIT_OPTS(davit_registry_opts, .connection = &conn));
	assert_code(DAVIT_ECANCELLED, davit_registry_blob_pull(s.r, "a", HELLO,
		    DAVIT_OPTS(davit_registry_pull_opts, .chunk_size = 1000), &sink, NULL, &s.e), s.e);
	assert_code(DAVIT_EARG, davit_registry_blob_pull(s.r, "a", HELLO, NULL, NULL, NULL, &s.e), s.e);
	script_end(&s);
	davit_cancel_unref(conn.cancel);
	free(body);
}

static void goes_on_after_a_break(void **state)
{
	static const struct step steps[] = {
		{ .request = "GET /v2/a/blobs/" HELLO, 200, NULL, "hello\n", .cut = 2 },
		{ .request = "GET /v2/a/blobs/" HELLO,
		  206,
		  "Content-Range: bytes 2-5/*\r\n",
		  "llo\n",
		  .cut = 2 },
		{ .request = "GET /v2/a/blobs/" HELLO, 200, NULL, "hello\n" },
		{ .request = "GET /v2/a/blobs/" HELLO, 200, NULL, "hello\n", .cut = 3 },
		{ .request = "GET /v2/a/blobs/" HELLO, 206, "Content-Range: bytes 2-5/6\r\n", "llo\n" },
		{ .request = "GET /v2/a/blobs/" HELLO, 206, "Content-Range: bytes 0-5/6\r\n", "hello\n" },
	};
	struct buf got = BUF_INIT(100);
	const davit_sink sink = { keep, &got };
	struct script s;

	(void)state;
	SCRIPT(&s, steps, NULL);
	assert_code(0, davit_registry_blob_pull(s.r, "a", HELLO, NULL, &sink, NULL, &s.e), s.e);
	assert_string_equal(buf_str(&got), "hello\n");
	assert_string_equal(script_header(&s, 1, "Range"), "bytes=2-");
	assert_string_equal(script_header(&s, 2, "Range"), "bytes=4-");
	assert_code(DAVIT_EPROTO, davit_registry_blob_pull(s.r, "a", HELLO, NULL, &sink, NULL, &s.e), s.e);
	assert_code(DAVIT_EPROTO, davit_registry_blob_pull(s.r, "a", HELLO, NULL, &sink, NULL, &s.e), s.e);
	script_end(&s);
	buf_fini(&got);
}

static void refuses_wrong_ranges(void **state)
{
	static const char *const ranges[] = {
		"bytes 3-5/6", "bytes 2-1/6", "bytes 2-5/7", "bytes -2-5/6", "bytes 2-5/6x", "bytes 2-5/",
		"2-5/6", "bytes 18446744073709551618-5/6",
	};

	(void)state;
	for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
		char head[80];
		const struct step steps[] = {
			{ .request = "GET /v2/a/blobs/" HELLO, 200, NULL, "hello\n", .cut = 2 },
			{ .request = "GET /v2/a/blobs/" HELLO, 206, head, "llo\n" },
		};
		struct buf got = BUF_INIT(100);
		const davit_sink sink = { keep, &got };
		struct script s;

		snprintf(head, sizeof head, "Content-Range: %s\r\n", ranges[i]);
		SCRIPT(&s, steps, NULL);
		assert_code(DAVIT_EPROTO, davit_registry_blob_pull(s.r, "a", HELLO, NULL, &sink, NULL, &s.e),
			    s.e);
		script_end(&s);
		buf_fini(&got);
	}
}

static void pulls_into_files(void **state)
{
	static const struct step steps[] = {
		{ .request = "GET /v2/a/blobs/" HELLO, 200, NULL, "hellO\n" },
		{ .request = "GET /v2/a/blobs/" HELLO, 200, NULL, "hello\n" },
	};
	char dir[] = "/tmp/davit-test-XXXXXX", path[64], text[16] = "";
	struct script s;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/blob", dir);
	SCRIPT(&s, steps, NULL);
	assert_code(DAVIT_EINTEGRITY, davit_registry_blob_pull_file(s.r, "a", HELLO, NULL, path, NULL, &s.e),
		    s.e);
	assert_int_equal(access(path, F_OK), -1);
	assert_code(0, davit_registry_blob_pull_file(s.r, "a", HELLO, NULL, path, NULL, &s.e), s.e);
	fd = open(path, O_RDONLY);
	assert_int_equal(read(fd, text, sizeof text), 6);
	close(fd);
	assert_string_equal(text, "hello\n");
	unlink(path);
	assert_int_equal(rmdir(dir), 0); /* nothing else is left */
	assert_code(DAVIT_EIO, davit_registry_blob_pull_file(s.r, "a", HELLO, NULL, path, NULL, &s.e), s.e);
	script_end(&s);
}

/* 4 MiB both ways: through the worker. */
static void moves_large_blobs(void **state)
{
	enum { N = 4 << 20 };
	char *text = malloc(N + 1), digest[DAVIT_DIGEST_MAX], get[256], put[256], head[256];
	struct step steps[] = {
		{ .request = head, 404, "Content-Length: 0\r\n" },
		{ .request = "POST /v2/a/blobs/uploads/", 202, "Location: /up/1\r\n" },
		{ .request = put, 201, NULL, NULL, text },
		{ .request = get, 200, NULL, text },
	};
	struct buf got = BUF_INIT(N);
	const davit_sink sink = { keep, &got };
	struct text_source t;
	davit_source src;
	struct script s;

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; text && i < N; i++)
		text[i] = (char)('a' + i % 23);
	if (text)
		text[N] = 0;
	assert_int_equal(davit_digest_bytes(text, N, digest, NULL), 0);
	snprintf(head, sizeof head, "HEAD /v2/a/blobs/%s", digest);
	snprintf(get, sizeof get, "GET /v2/a/blobs/%s", digest);
	snprintf(put, sizeof put, "PUT /up/1?digest=sha256%%3A%s", digest + 7);
	src = text_source(&t, text, true);
	SCRIPT(&s, steps, NULL);
	assert_code(0, davit_registry_blob_push(s.r, "a", &src, NULL, NULL, &s.e), s.e);
	assert_code(0, davit_registry_blob_pull(s.r, "a", digest, NULL, &sink, NULL, &s.e), s.e);
	assert_int_equal(got.len, N);
	script_end(&s);
	buf_fini(&got);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stats_and_deletes), cmocka_unit_test(mounts),
		cmocka_unit_test(pushes_what_can_be_read_twice), cmocka_unit_test(refuses_calls_of_callbacks),
		cmocka_unit_test(pushes_a_stream),
		cmocka_unit_test(checks_a_promised_digest), cmocka_unit_test(gives_a_session_back),
		cmocka_unit_test(gives_a_session_back_when_cancelled),
		cmocka_unit_test(starts_again_after_a_passing_failure), cmocka_unit_test(pushes_files),
		cmocka_unit_test(pulls), cmocka_unit_test(stops_at_once_when_cancelled),
		cmocka_unit_test(goes_on_after_a_break),
		cmocka_unit_test(refuses_wrong_ranges), cmocka_unit_test(pulls_into_files),
		cmocka_unit_test(moves_large_blobs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Streams by themselves: polling, cancelling, resizing, fork. */
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "fixture.h"
#include "http/dial.h"

static davit_stream *over_child(const char *script, const struct stream_opts *o)
{
	const char *const argv[] = { "sh", "-c", script, NULL };
	struct conn *conn = NULL;
	davit_stream *s = NULL;

	assert_int_equal(dial_child(argv, &conn, NULL), 0);
	assert_int_equal(stream_new(conn, o, &s, NULL), 0);
	return s;
}

static davit_stream *over_tls(void)
{
	struct http_client *c =
	    fixture_client(DAVIT_OPTS(davit_connection_opts, .ca_file = fixture_file("ca.pem")));
	struct arena mem = { 0 };
	struct conn *conn = NULL;
	davit_stream *s = NULL;

	assert_int_equal(dial_uri(c, fixture_uri(&mem, "https", "echo_tls", "/"), &conn, NULL), 0);
	assert_int_equal(stream_new(conn, NULL, &s, NULL), 0);
	arena_fini(&mem);
	http_client_free(c);
	return s;
}

static int poll_for(davit_stream *s, int events, int ms)
{
	davit_err e = { 0 };
	int ready = -1;

	if (davit_stream_poll(s, events, ms, &ready, &e))
		fail_msg("%s", e.msg);
	return ready;
}

static void polling(void **state)
{
	const struct stream_opts early = { .early = "ab", .early_n = 2 };
	int all = DAVIT_STREAM_READ | DAVIT_STREAM_WRITE, ready;
	davit_stream *s = over_child("read x; sleep 0.2; echo $x", &early);
	int64_t start = clock_mono_ms();
	char buf[64];
	size_t got;

	(void)state;
	assert_int_equal(poll_for(s, all, -1), all);
	assert_int_equal(poll_for(s, DAVIT_STREAM_READ, 0), DAVIT_STREAM_READ);
	assert_int_equal(davit_stream_read(s, buf, 1, &got, NULL), 0);
	assert_int_equal(got, 1);
	assert_int_equal(poll_for(s, DAVIT_STREAM_READ, 0), DAVIT_STREAM_READ);
	assert_int_equal(davit_stream_read(s, buf, 1, &got, NULL), 0);
	assert_int_equal(buf[0], 'b');
	assert_int_equal(poll_for(s, DAVIT_STREAM_READ, 0), 0);
	assert_int_equal(poll_for(s, DAVIT_STREAM_READ, 50), 0);
	assert_true(clock_mono_ms() - start >= 50);
	assert_int_equal(davit_stream_write(s, "yes\n", 4, NULL), 0);
	assert_int_equal(poll_for(s, DAVIT_STREAM_READ, 5000), DAVIT_STREAM_READ);
	assert_int_equal(davit_stream_read(s, buf, sizeof buf, &got, NULL), 0);
	assert_memory_equal(buf, "yes\n", 4);
	/* The end counts as readable. */
	assert_int_equal(poll_for(s, DAVIT_STREAM_READ, 5000), DAVIT_STREAM_READ);
	assert_int_equal(davit_stream_read(s, buf, sizeof buf, &got, NULL), 0);
	assert_int_equal(got, 0);
	assert_int_equal(davit_stream_poll(s, 0, 0, &ready, NULL), DAVIT_EARG);
	assert_int_equal(davit_stream_poll(s, 8, 0, &ready, NULL), DAVIT_EARG);
	assert_int_equal(davit_stream_read(s, buf, 0, &got, NULL), DAVIT_EARG);
	davit_stream_free(s);
}

/* TLS sends messages without data, and holds bytes that poll() does not see. */
static void polling_tls(void **state)
{
	davit_stream *s = over_tls();
	char piece[8192] = { 0 }, buf[512];
	size_t got, sum = 0;

	(void)state;
	assert_int_equal(poll_for(s, DAVIT_STREAM_READ, 300), 0);
	assert_int_equal(poll_for(s, DAVIT_STREAM_READ | DAVIT_STREAM_WRITE, 300), DAVIT_STREAM_WRITE);
	assert_int_equal(davit_stream_write(s, piece, sizeof piece, NULL), 0);
	while (sum < sizeof piece) {
		assert_int_equal(poll_for(s, DAVIT_STREAM_READ, 5000), DAVIT_STREAM_READ);
		assert_int_equal(davit_stream_read(s, buf, sizeof buf, &got, NULL), 0);
		assert_true(got > 0);
		sum += got;
	}
	assert_int_equal(sum, sizeof piece);
	assert_int_equal(poll_for(s, DAVIT_STREAM_READ, 0), 0);
	davit_stream_free(s);
}

/* A failure that polling met is given by reading. */
static void failure_after_poll(void **state)
{
	davit_stream *s = over_child("exit 5", NULL);
	davit_err e = { 0 };
	char c;
	size_t got;

	(void)state;
	assert_int_equal(poll_for(s, DAVIT_STREAM_READ, 5000), DAVIT_STREAM_READ);
	assert_int_equal(davit_stream_read(s, &c, 1, &got, &e), DAVIT_EIO);
	assert_non_null(strstr(e.msg, "status 5"));
	davit_stream_free(s);
}

static void *fire_later(void *token)
{
	nanosleep(&(struct timespec){ 0, 100 * 1000000L }, NULL);
	davit_cancel(token);
	return NULL;
}

static int cancelled_read(davit_stream *s, davit_err *e)
{
	char c;
	size_t got;

	return davit_stream_read(s, &c, 1, &got, e);
}

static int cancelled_write(davit_stream *s, davit_err *e)
{
	static const char much[4 << 20];

	return davit_stream_write(s, much, sizeof much, e);
}

static int cancelled_poll(davit_stream *s, davit_err *e)
{
	int ready;

	return davit_stream_poll(s, DAVIT_STREAM_READ, -1, &ready, e);
}

static int cancelled_pump(davit_stream *s, davit_err *e)
{
	return davit_stream_pump(s, NULL, NULL, e);
}

static void cancelling(void **state)
{
	static int (*const calls[])(davit_stream *, davit_err *) = { cancelled_read, cancelled_write,
								     cancelled_poll, cancelled_pump };

	(void)state;
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		davit_cancel_token *t = NULL;
		davit_stream *s;
		pthread_t thread;
		davit_err e = { 0 };

		assert_int_equal(davit_cancel_new(&t, NULL), 0);
		s = over_child("exec sleep 20", &(struct stream_opts){ .cancel = t });
		assert_int_equal(pthread_create(&thread, NULL, fire_later, t), 0);
		assert_int_equal(calls[i](s, &e), DAVIT_ECANCELLED);
		pthread_join(thread, NULL);
		assert_int_equal(calls[i](s, &e), DAVIT_ECANCELLED);
		davit_cancel_unref(t);
		davit_stream_free(s);
	}
}

static int reading_source(void *user, void *buf, size_t cap, size_t *got)
{
	davit_stream *s = *(davit_stream **)user;

	return davit_stream_read(s, buf, cap, got, NULL) == DAVIT_ESTATE ? -5 : -6;
}

static int writing_sink(void *user, const void *p, size_t n)
{
	davit_stream *s = *(davit_stream **)user;

	return davit_stream_write(s, p, n, NULL) == DAVIT_ESTATE ? -7 : -8;
}

/* Callbacks must not use the stream; afterwards it can be used again. */
static void reentry(void **state)
{
	davit_stream *s = over_child("cat", &(struct stream_opts){ .early = "x", .early_n = 1 });
	const davit_source in = { .read = reading_source, .user = &s, .size = -1 };
	const davit_sink out = { .write = writing_sink, .user = &s };
	davit_err e = { 0 };
	char buf[8];
	size_t got;

	(void)state;
	assert_int_equal(davit_stream_pump(s, NULL, &out, &e), DAVIT_ECALLBACK);
	assert_int_equal(e.callback, -7);
	assert_int_equal(davit_stream_pump(s, &in, NULL, &e), DAVIT_ECALLBACK);
	assert_int_equal(e.callback, -5);
	assert_int_equal(davit_stream_write(s, "ab", 2, NULL), 0);
	assert_int_equal(davit_stream_read(s, buf, sizeof buf, &got, NULL), 0);
	assert_memory_equal(buf, "ab", 2);
	davit_stream_free(s);
}

static int on_resize(void *user, unsigned rows, unsigned cols, davit_err *e)
{
	(void)e;
	*(unsigned *)user = rows * 1000 + cols;
	return 0;
}

static void on_release(void *user)
{
	*(unsigned *)user += 1;
}

static void resizing(void **state)
{
	unsigned seen = 0;
	davit_err e = { 0 };
	davit_stream *s = over_child("exit 0", NULL);

	(void)state;
	assert_int_equal(davit_stream_resize(s, 24, 80, &e), DAVIT_EUNSUPPORTED);
	davit_stream_free(s);
	s = over_child("exit 0",
		       &(struct stream_opts){ .resize = on_resize, .release = on_release, .user = &seen });
	assert_int_equal(davit_stream_resize(s, 24, 80, &e), 0);
	assert_int_equal(seen, 24080);
	davit_stream_free(s);
	assert_int_equal(seen, 24081);
	davit_stream_free(NULL);
}

static void forking(void **state)
{
	davit_stream *s = over_tls();
	char buf[16];
	size_t got;
	int status = 0;
	pid_t pid = fork();

	(void)state;
	if (!pid) {
		davit_err e = { 0 };
		int rc = davit_stream_write(s, "child", 5, &e);

		davit_stream_free(s);
		_exit(rc == DAVIT_ESTATE && strstr(e.msg, "fork") ? 7 : 1);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(WEXITSTATUS(status), 7);
	assert_int_equal(davit_stream_write(s, "parent", 6, NULL), 0);
	assert_int_equal(davit_stream_read(s, buf, sizeof buf, &got, NULL), 0);
	assert_int_equal(got, 6);
	assert_memory_equal(buf, "parent", 6);
	davit_stream_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(polling),
		cmocka_unit_test(polling_tls),
		cmocka_unit_test(failure_after_poll),
		cmocka_unit_test(cancelling),
		cmocka_unit_test(resizing),
		cmocka_unit_test(reentry),
		cmocka_unit_test(forking),
	};

	return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}

/*
 * Running out of memory in our own code. Exchanges are left out: libcurl 7.88 itself loses a block when its
 * name cache cannot grow. So is a proxy's URL: its parser then calls the URL malformed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../torture.h"
#include "http/client.h"
#include "http/dial.h"

static int make_client(void *user)
{
	struct http_client *c = NULL;
	int rc = http_client_new(DAVIT_OPTS(davit_connection_opts, .user_agent = "x", .ca_file = "/ca.pem",
					    .client_cert = "/c.pem", .client_key_password.s = "hush"),
				 &c, NULL);

	(void)user;
	http_client_free(c);
	return rc;
}

static int make_stream(void *user)
{
	static const char *const argv[] = { "cat", NULL };
	struct conn *conn = NULL;
	davit_stream *s = NULL;
	char text[8];
	size_t got = 0;
	int rc = dial_child(argv, &conn, NULL);

	(void)user;
	if (rc)
		return rc;
	rc = stream_new(conn, &(struct stream_opts){ .early = "early", .early_n = 5 }, &s, NULL);
	if (rc) {
		conn->ops->free(conn);
		return rc;
	}
	rc = davit_stream_read(s, text, sizeof text, &got, NULL);
	assert_int_equal(got, 5);
	davit_stream_free(s);
	return rc;
}

static void out_of_memory(void **state)
{
	(void)state;
	assert_int_equal(make_client(NULL), 0); /* what curl allocates once */
	assert_true(torture_run(make_client, NULL) > 10);
	assert_true(torture_run(make_stream, NULL) > 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(out_of_memory) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Trust: whom we trust, who trusts us, and what is said otherwise. */
#include <stdio.h>
#include <string.h>

#include "fixture.h"

static void get(const davit_connection_opts *o, const char *server, int code, const char *words)
{
	struct http_client *c = fixture_client(o);
	struct got g = { 0 };

	ASK(c, &g, .scheme = "https", .server = server, .path = "/ok");
	if (g.rc != code || !strstr(g.e.msg, words))
		fail_msg("%s: expected %s with \"%s\", got %s: %s", server, davit_code_name(code), words,
			 davit_code_name(g.rc), g.e.msg);
	if (!code)
		assert_string_equal(buf_str(&g.body), "hello");
	got_fini(&g);
	http_client_free(c);
}

static void trusted(void **state)
{
	(void)state;
	get(DAVIT_OPTS(davit_connection_opts, .ca_file = fixture_file("ca.pem")), "tls", 0, "");
	get(DAVIT_OPTS(davit_connection_opts, .insecure = DAVIT_YES), "tls", 0, "");
	get(DAVIT_OPTS(davit_connection_opts, .insecure = DAVIT_YES), "tls_self", 0, "");
	get(DAVIT_OPTS(davit_connection_opts, .insecure = DAVIT_YES), "tls_old", 0, "");
	get(DAVIT_OPTS(davit_connection_opts, .insecure = DAVIT_YES), "tls_other", 0, "");
}

static void reuse(void **state)
{
	struct http_client *c =
	    fixture_client(DAVIT_OPTS(davit_connection_opts, .ca_file = fixture_file("ca.pem")));
	struct got g = { 0 };

	(void)state;
	ASK(c, &g, .scheme = "https", .server = "tls", .path = "/ok");
	got_fini(&g);
	ASK(c, &g, .scheme = "https", .server = "tls", .path = "/ok");
	assert_string_equal(headers_get(&g.r.headers, "X-Request"), "2");
	got_fini(&g);
	http_client_free(c);
}

static void untrusted(void **state)
{
	const char *ca = fixture_file("ca.pem");

	(void)state;
	get(NULL, "tls", DAVIT_ETRUST,
	    "an authority that is not known here; give the authority with ca_file (davit --ca-file FILE");
	get(DAVIT_OPTS(davit_connection_opts, .ca_file = fixture_file("self.pem")), "tls", DAVIT_ETRUST,
	    "not known here");
	get(DAVIT_OPTS(davit_connection_opts, .ca_file = ca), "tls_self", DAVIT_ETRUST, "signed by itself");
	get(DAVIT_OPTS(davit_connection_opts, .ca_file = ca), "tls_old", DAVIT_ETRUST, "it has expired");
	get(DAVIT_OPTS(davit_connection_opts, .ca_file = ca), "tls_other", DAVIT_ETRUST,
	    "not made for the name 127.0.0.1");
	get(DAVIT_OPTS(davit_connection_opts, .ca_file = "/nonexistent.pem"), "tls", DAVIT_EARG,
	    "/nonexistent.pem");
}

static void client_certificate(void **state)
{
	const char *ca = fixture_file("ca.pem"), *cert = fixture_file("client.pem");

	(void)state;
	get(DAVIT_OPTS(davit_connection_opts, .ca_file = ca, .client_cert = cert,
		       .client_key = fixture_file("client.key")),
	    "tls_client", 0, "");
	get(DAVIT_OPTS(davit_connection_opts, .ca_file = ca, .client_cert = cert,
		       .client_key = fixture_file("locked.key"), .client_key_password.s = "sesame"),
	    "tls_client", 0, "");
	get(DAVIT_OPTS(davit_connection_opts, .ca_file = ca), "tls_client", DAVIT_ETRUST,
	    "certificate of the client");
	/* Must not ask on the terminal. */
	get(DAVIT_OPTS(davit_connection_opts, .ca_file = ca, .client_cert = cert,
		       .client_key = fixture_file("locked.key")),
	    "tls_client", DAVIT_EARG, "is the passphrase right?");
	get(DAVIT_OPTS(davit_connection_opts, .ca_file = ca, .client_cert = "/nonexistent.pem"), "tls_client",
	    DAVIT_EARG, "/nonexistent.pem");
	get(DAVIT_OPTS(davit_connection_opts, .ca_file = ca, .client_cert = fixture_file("self.pem"),
		       .client_key = fixture_file("self.key")),
	    "tls_client", DAVIT_ETRUST, "does not accept the certificate");
}

static void no_tls(void **state)
{
	static const char *const plain[] = { "garbage", "http", "hangup" };

	(void)state;
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
		struct http_client *c = fixture_client(NULL);
		struct got g = { 0 };

		/* The fixture's own HTTP server waits for more of the "request" than TLS sends. */
		ASK(c, &g, .scheme = "https", .server = plain[i], .path = "/ok", .deadline_ms = 500);
		if (i == 1) {
			assert_int_equal(g.rc, DAVIT_ETIMEOUT);
		} else {
			assert_int_equal(g.rc, DAVIT_EPROTO);
			assert_non_null(strstr(g.e.msg, "does not speak TLS"));
		}
		assert_int_equal(http_client_peer_spoke_no_tls(c), i != 1);
		got_fini(&g);
		ASK(c, &g, .path = "/ok");
		assert_int_equal(g.rc, 0);
		assert_false(http_client_peer_spoke_no_tls(c));
		got_fini(&g);
		http_client_free(c);
	}
}

static void through_proxy(void **state)
{
	char url[128];

	(void)state;
	snprintf(url, sizeof url, "http://user:hush-proxy@127.0.0.1:%s", fixture_value("proxy_auth"));
	get(DAVIT_OPTS(davit_connection_opts, .proxy = url, .ca_file = fixture_file("ca.pem")), "tls", 0, "");
	get(DAVIT_OPTS(davit_connection_opts, .proxy = url), "tls", DAVIT_ETRUST, "not known here");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trusted),   cmocka_unit_test(reuse),
		cmocka_unit_test(untrusted), cmocka_unit_test(client_certificate),
		cmocka_unit_test(no_tls),    cmocka_unit_test(through_proxy),
	};

	return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}

/* Names, options and files. */
#include "steps.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void parses_references(void **state)
{
	static const struct {
		const char *text, *host, *repo, *tag, *digest;
	} rows[] = {
		{ "alpine", "registry-1.docker.io", "library/alpine", NULL, NULL },
		{ "docker.io/alpine:3", "registry-1.docker.io", "library/alpine", "3", NULL },
		{ "fred/x", "registry-1.docker.io", "fred/x", NULL, NULL },
		{ "localhost:5000/x:y@" HELLO, "localhost:5000", "x", "y", HELLO },
		{ "h.example/a/b/c@" HELLO, "h.example", "a/b/c", NULL, HELLO },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		davit_registry_ref *ref;

		assert_int_equal(davit_registry_ref_parse(rows[i].text, &ref, NULL), 0);
		assert_string_equal(ref->host, rows[i].host);
		assert_string_equal(ref->repo, rows[i].repo);
		assert_string_equal(ref->tag ? ref->tag : "", rows[i].tag ? rows[i].tag : "");
		assert_string_equal(ref->digest ? ref->digest : "", rows[i].digest ? rows[i].digest : "");
		davit_reply_free(ref);
	}
}

static void refuses_references(void **state)
{
	static const char *const bad[] = { "", "Alpine", "a//b", "x:y:z", "x@sha256:12", "host:5000/" };
	davit_registry_ref *ref = NULL;
	davit_err e;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_code(DAVIT_EARG, davit_registry_ref_parse(bad[i], &ref, &e), e);
		assert_true(e.msg[0] != 0);
	}
	assert_int_equal(davit_registry_ref_parse(NULL, &ref, NULL), DAVIT_EARG);
	assert_null(ref);
}

static void opens(void **state)
{
	davit_registry_opts o = { 0 };
	davit_registry *r = NULL;
	davit_err e;

	(void)state;
	assert_code(DAVIT_EARG, davit_registry_open("h", &o, &r, &e), e);
	assert_code(DAVIT_EARG, davit_registry_open("", NULL, &r, &e), e);
	assert_code(DAVIT_EARG, davit_registry_open("http://h", NULL, &r, &e), e);
	assert_null(r);
	assert_code(0, davit_registry_open("docker.io", NULL, &r, &e), e);
	assert_string_equal(davit_registry_url(r), "https://registry-1.docker.io");
	assert_null(davit_registry_token(r));
	assert_code(0, davit_registry_set_token(r, "abc", &e), e);
	assert_string_equal(davit_registry_token(r), "abc");
	davit_registry_free(r);
	davit_registry_free(NULL);
}

static void checks_names_before_sending(void **state)
{
	struct script s;
	davit_registry_descriptor *d = NULL;
	bool there;

	(void)state;
	script_start(&s, NULL, 0, NULL);
	assert_code(DAVIT_EARG, davit_registry_blob_stat(s.r, "Foo", HELLO, &d, &s.e), s.e);
	assert_code(DAVIT_EARG, davit_registry_blob_exists(s.r, "foo", "sha256:12", &there, &s.e), s.e);
	assert_code(DAVIT_EARG, davit_registry_blob_delete(s.r, NULL, HELLO, &s.e), s.e);
	assert_code(DAVIT_EARG, davit_registry_manifest_stat(s.r, "foo", "bad tag", NULL, &d, &s.e), s.e);
	assert_code(DAVIT_EARG, davit_registry_manifest_delete(s.r, "foo", "", &s.e), s.e);
	assert_null(d);
	script_end(&s);
}

static void sends_names_unchecked(void **state)
{
	static const struct step steps[] = {
		{ .request = "HEAD /v2/Foo/blobs/hello", 404, "Content-Length: 0\r\n" },
		{ .request = "DELETE /v2/x/manifests/bad%20tag", 404 },
	};
	struct script s;
	bool there = true;

	(void)state;
	SCRIPT(&s, steps, DAVIT_OPTS(davit_registry_opts, .check_names = DAVIT_NO));
	assert_code(0, davit_registry_blob_exists(s.r, "Foo", "hello", &there, &s.e), s.e);
	assert_false(there);
	assert_code(DAVIT_ENOTFOUND, davit_registry_manifest_delete(s.r, "x", "bad tag", &s.e), s.e);
	assert_int_equal(s.e.http, 404);
	script_end(&s);
}

static void lists_pages(void **state)
{
	static const struct step steps[] = {
		{ .request = "GET /v2/_catalog?n=2",
		  200,
		  "Link: </v2/_catalog?last=b&n=2>; rel=\"next\"\r\n",
		  "{\"repositories\":[\"a\",\"b\"]}" },
		{ .request = "GET /v2/_catalog?last=b&n=2", 200, NULL, "{\"repositories\":[\"c\"]}" },
		{ .request = "GET /v2/x/tags/list?last=m",
		  200,
		  "Link: </v2/x/tags/list?last=p>; rel=\"next\"\r\n",
		  "{\"name\":\"x\",\"tags\":[\"n\",\"o\",\"p\"]}" },
		{ .request = "GET /v2/x/tags/list", 200, NULL, "{\"tags\":null}" },
		{ .request = "GET /v2/x/tags/list", 200, NULL, "{\"name\":\"x\"}" },
		{ .request = "GET /v2/x/tags/list",
		  404,
		  NULL,
		  "{\"errors\":[{\"code\":\"NAME_UNKNOWN\",\"message\":\"no such "
		  "name\",\"detail\":\"x\"}]}" },
	};
	davit_registry_list *l;
	struct script s;

	(void)state;
	SCRIPT(&s, steps, NULL);
	assert_code(0, davit_registry_repos(s.r, DAVIT_OPTS(davit_registry_list_opts, .batch = 2), &l, &s.e),
		    s.e);
	assert_int_equal(l->names.n, 3);
	assert_string_equal(l->names.v[2], "c");
	davit_reply_free(l);
	assert_code(0,
		    davit_registry_tags(
			s.r, "x", DAVIT_OPTS(davit_registry_list_opts, .last = "m", .limit = 2), &l, &s.e),
		    s.e);
	assert_int_equal(l->names.n, 2);
	davit_reply_free(l);
	assert_code(0, davit_registry_tags(s.r, "x", NULL, &l, &s.e), s.e);
	assert_int_equal(l->names.n, 0);
	assert_non_null(l->names.v);
	davit_reply_free(l);
	assert_code(DAVIT_EPROTO, davit_registry_tags(s.r, "x", NULL, &l, &s.e), s.e);
	assert_code(DAVIT_ENOTFOUND, davit_registry_tags(s.r, "x", NULL, &l, &s.e), s.e);
	assert_string_equal(s.e.remote, "NAME_UNKNOWN");
	assert_has(s.e.msg, "no such name");
	script_end(&s);
}

struct pages {
	davit_registry *r;
	size_t n;
};

static int stop_at_page(void *user, const davit_strv *names)
{
	struct pages *p = user;

	p->n += names->n;
	return davit_registry_ping(p->r, NULL) == DAVIT_ESTATE ? -7 : -8;
}

static void gives_pages(void **state)
{
	static const struct step steps[] = {
		{ .request = "GET /v2/_catalog", 200, NULL, "{\"repositories\":[\"a\",\"b\"]}" }
	};
	davit_registry_list *l = NULL;
	struct script s;
	struct pages p = { 0 };

	(void)state;
	SCRIPT(&s, steps, NULL);
	p.r = s.r;
	assert_code(DAVIT_EARG,
		    davit_registry_repos(s.r, DAVIT_OPTS(davit_registry_list_opts, .limit = -1), &l, &s.e),
		    s.e);
	assert_code(DAVIT_ECALLBACK, davit_registry_repos(s.r, DAVIT_OPTS(davit_registry_list_opts,
			.page = stop_at_page, .page_user = &p), &l, &s.e), s.e);
	assert_int_equal(s.e.callback, -7);
	assert_int_equal(p.n, 2);
	assert_null(l);
	script_end(&s);
}

static void falls_back_to_http(void **state)
{
	static const struct step steps[] = { { .request = "GET /v2/", 200, NULL, "{}" },
					     { .request = "GET /v2/", 404 } };
	davit_registry *r;
	struct script s;
	char host[64];

	(void)state;
	SCRIPT(&s, steps, NULL);
	snprintf(host, sizeof host, "127.0.0.1:%u", s.server.port);
	assert_code(0, davit_registry_open(host, NULL, &r, &s.e), s.e);
	assert_has(davit_registry_url(r), "https://");
	assert_code(0, davit_registry_ping(r, &s.e), s.e);
	assert_has(davit_registry_url(r), "http://127");
	assert_code(DAVIT_ENOTFOUND, davit_registry_ping(r, &s.e), s.e);
	davit_registry_free(r);
	assert_code(
	    0, davit_registry_open(host, DAVIT_OPTS(davit_registry_opts, .plain_http = DAVIT_NO), &r, &s.e),
	    s.e);
	assert_true(davit_registry_ping(r, &s.e) < 0);
	davit_registry_free(r);
	script_end(&s);
}

static void hashes_files(void **state)
{
	char path[] = "/tmp/davit-test-XXXXXX", digest[DAVIT_DIGEST_MAX];
	int fd = mkstemp(path);
	davit_err e;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "hello\n", 6), 6);
	close(fd);
	assert_code(0, davit_digest_file(path, digest, &e), e);
	assert_string_equal(digest, HELLO);
	unlink(path);
	assert_code(DAVIT_EIO, davit_digest_file(path, digest, &e), e);
	assert_code(DAVIT_EIO, davit_digest_file("/", digest, &e), e);
	assert_code(DAVIT_EARG, davit_digest_file(NULL, digest, &e), e);
}

/* Every option struct of this door must have its size set; the handle's holds another one. */
static void checks_option_structs(void **state)
{
	davit_registry_opts opts = { 0 };
	davit_connection_opts conn = { 0 };
	const davit_registry_authenticate_opts auth = { 0 };
	const davit_registry_list_opts list = { 0 };
	const davit_registry_push_opts push = { 0 };
	const davit_registry_pull_opts pull = { 0 };
	const davit_registry_manifest_opts get = { 0 };
	davit_registry *r = NULL;
	davit_err e = { 0 };
	void *out = NULL;

	(void)state;
	assert_code(DAVIT_EARG, davit_registry_open("h", &opts, &r, &e), e);
	assert_non_null(strstr(e.msg, "davit_registry_opts: size is 0"));
	opts = (davit_registry_opts){ .size = sizeof opts, .connection = &conn };
	assert_code(DAVIT_EARG, davit_registry_open("h", &opts, &r, &e), e);
	assert_non_null(strstr(e.msg, "davit_connection_opts: size is 0"));
	assert_null(r);
	assert_code(0, davit_registry_open("h", NULL, &r, &e), e);
#define REFUSED(call)                                           \
	do {                                                    \
		assert_code(DAVIT_EARG, (call), e);             \
		assert_non_null(strstr(e.msg, ": size is 0")); \
	} while (0)
	REFUSED(davit_registry_authenticate(r, "x", &auth, NULL, &e));
	REFUSED(davit_registry_repos(r, &list, (davit_registry_list **)&out, &e));
	REFUSED(davit_registry_tags(r, "x", &list, (davit_registry_list **)&out, &e));
	REFUSED(davit_registry_blob_push(r, "x", NULL, &push, NULL, &e));
	REFUSED(davit_registry_blob_push_file(r, "x", "/dev/null", &push, NULL, &e));
	REFUSED(davit_registry_blob_pull(r, "x", HELLO, &pull, NULL, NULL, &e));
	REFUSED(davit_registry_blob_pull_file(r, "x", HELLO, &pull, "/dev/null", NULL, &e));
	REFUSED(davit_registry_manifest_get(r, "x", "t", &get, (davit_registry_manifest **)&out, &e));
	REFUSED(davit_registry_manifest_stat(r, "x", "t", &get, (davit_registry_descriptor **)&out, &e));
	REFUSED(davit_registry_manifest_parse("{}", 2, NULL, &get, (davit_registry_manifest **)&out, &e));
	REFUSED(davit_registry_alias_get(r, "x", "t", &get, (davit_registry_alias **)&out, &e));
#undef REFUSED
	assert_null(out);
	davit_registry_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_references),
		cmocka_unit_test(refuses_references),
		cmocka_unit_test(opens),
		cmocka_unit_test(checks_option_structs),
		cmocka_unit_test(checks_names_before_sending),
		cmocka_unit_test(sends_names_unchecked),
		cmocka_unit_test(lists_pages),
		cmocka_unit_test(gives_pages),
		cmocka_unit_test(falls_back_to_http),
		cmocka_unit_test(hashes_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

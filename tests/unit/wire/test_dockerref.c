#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "wire/dockerref.h"

#define HEX "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define DIGEST "sha256:" HEX

static void same(const char *got, const char *want)
{
	if (want) {
		assert_non_null(got);
		assert_string_equal(got, want);
	} else {
		assert_null(got);
	}
}

static void parses(void **state)
{
	static const struct {
		const char *text;
		struct dockerref ref;
	} rows[] = {
		{ "alpine", { DOCKERREF_HUB, "library/alpine", NULL, NULL } },
		{ "alpine:3.18", { DOCKERREF_HUB, "library/alpine", "3.18", NULL } },
		{ "user/app@" DIGEST, { DOCKERREF_HUB, "user/app", NULL, DIGEST } },
		{ "docker.io/alpine:a@" DIGEST, { DOCKERREF_HUB, "library/alpine", "a", DIGEST } },
		{ "index.docker.io/alpine", { DOCKERREF_HUB, "library/alpine", NULL, NULL } },
		{ "registry-1.docker.io/a/b", { DOCKERREF_HUB, "a/b", NULL, NULL } },
		{ "Docker.IO/a", { DOCKERREF_HUB, "library/a", NULL, NULL } },
		{ "localhost/a", { "localhost", "a", NULL, NULL } },
		{ "localhost:5000/a:b", { "localhost:5000", "a", "b", NULL } },
		{ "host:5000/a/b/c", { "host:5000", "a/b/c", NULL, NULL } },
		{ "Host/a", { "host", "a", NULL, NULL } },
		{ "host/a", { DOCKERREF_HUB, "host/a", NULL, NULL } },
		{ "reg.example.com/a", { "reg.example.com", "a", NULL, NULL } },
		{ "[::1]:5000/a", { "[::1]:5000", "a", NULL, NULL } },
		{ "[FE80::1]/a:t", { "[fe80::1]", "a", "t", NULL } },
		{ "127.0.0.1:443/a", { "127.0.0.1:443", "a", NULL, NULL } },
		{ "a.b/c__d/e-----f.g_h:_T.-x", { "a.b", "c__d/e-----f.g_h", "_T.-x", NULL } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct arena a = { 0 };
		struct dockerref ref;

		assert_int_equal(dockerref_parse(rows[i].text, &a, &ref, NULL), 0);
		same(ref.host, rows[i].ref.host);
		same(ref.repo, rows[i].ref.repo);
		same(ref.tag, rows[i].ref.tag);
		same(ref.digest, rows[i].ref.digest);
		arena_fini(&a);
	}
}

static void says_which_part_is_wrong(void **state)
{
	static const struct {
		const char *text, *message;
		int code;
	} rows[] = {
		{ "", "reference \"\": repository name is empty", DAVIT_EARG },
		{ "https://h/a", "reference \"https://h/a\": write it without \"https://\"", DAVIT_EARG },
		{ "user/App", "reference \"user/App\": repository name \"user/App\" holds a capital letter",
		  DAVIT_EARG },
		{ "h:1/a//b", "reference \"h:1/a//b\": repository name \"a//b\" has an empty part",
		  DAVIT_EARG },
		{ "h:1/", "reference \"h:1/\": repository name is empty", DAVIT_EARG },
		{ "a/", "reference \"a/\": repository name \"a/\" has an empty part", DAVIT_EARG },
		{ "a/-b",
		  "reference \"a/-b\": repository name \"a/-b\" has a part that does not begin with a small "
		  "letter "
		  "or digit",
		  DAVIT_EARG },
		{ "a-", "reference \"a-\": repository name \"a-\" has a part that ends in '.', '_' or '-'",
		  DAVIT_EARG },
		{ "a___b",
		  "reference \"a___b\": repository name \"a___b\" has a wrong run of '.', '_' and '-'",
		  DAVIT_EARG },
		{ "a..b", "reference \"a..b\": repository name \"a..b\" has two dots side by side",
		  DAVIT_EARG },
		{ "a b",
		  "reference \"a b\": repository name \"a b\" holds a character other than a-z 0-9 . _ - /",
		  DAVIT_EARG },
		{ "a:", "reference \"a:\": tag is empty", DAVIT_EARG },
		{ "a:-b", "reference \"a:-b\": tag \"-b\" begins with '-'", DAVIT_EARG },
		{ "a:b!", "reference \"a:b!\": tag \"b!\" holds a character other than A-Z a-z 0-9 _ . -",
		  DAVIT_EARG },
		{ "a@sha256:12", "reference \"a@sha256:12\": digest \"sha256:12\" has 2 digits instead of 64",
		  DAVIT_EARG },
		{ "a@", NULL, DAVIT_EARG },
		{ "a@md5:00", NULL, DAVIT_EUNSUPPORTED },
		{ "a@" DIGEST "@" DIGEST, NULL, DAVIT_EARG },
		{ "h:x/a", "reference \"h:x/a\": host \"h:x\": port \"x\" is no number up to 65535",
		  DAVIT_EARG },
		{ "h:99999/a", NULL, DAVIT_EARG },
		{ "u@h.x/a", NULL, DAVIT_EARG },
		{ "[::1/a", NULL, DAVIT_EARG },
		{ "../a", NULL, DAVIT_EARG },
		{ HEX, NULL, DAVIT_EARG },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct arena a = { 0 };
		struct dockerref ref = { .host = "untouched" };
		davit_err e = { 0 };

		assert_int_equal(dockerref_parse(rows[i].text, &a, &ref, &e), rows[i].code);
		if (rows[i].message)
			assert_string_equal(e.msg, rows[i].message);
		assert_string_equal(ref.host, "untouched");
		arena_fini(&a);
	}
}

static void keeps_its_limits(void **state)
{
	char name[LIMIT_REPO_NAME + 2] = "", tag[LIMIT_TAG + 2] = "";

	(void)state;
	memset(name, 'a', LIMIT_REPO_NAME);
	memset(tag, 'a', LIMIT_TAG);
	assert_int_equal(dockerref_check_repo(name, NULL), 0);
	assert_int_equal(dockerref_check_tag(tag, NULL), 0);
	name[LIMIT_REPO_NAME] = tag[LIMIT_TAG] = 'a';
	assert_int_equal(dockerref_check_repo(name, NULL), DAVIT_EARG);
	assert_int_equal(dockerref_check_tag(tag, NULL), DAVIT_EARG);
}

static void knows_docker_hub(void **state)
{
	struct arena a = { 0 };

	(void)state;
	assert_string_equal(dockerref_host("docker.io"), DOCKERREF_HUB);
	assert_string_equal(dockerref_host("example.com:5000"), "example.com:5000");
	assert_string_equal(dockerref_repo(DOCKERREF_HUB, "a", &a), "library/a");
	assert_string_equal(dockerref_repo(DOCKERREF_HUB, "a/b", &a), "a/b");
	assert_string_equal(dockerref_repo("example.com", "a", &a), "a");
	arena_fini(&a);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses),
		cmocka_unit_test(says_which_part_is_wrong),
		cmocka_unit_test(keeps_its_limits),
		cmocka_unit_test(knows_docker_hub),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

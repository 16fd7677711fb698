/* The credential store on files and helpers made by the test; HOME is a directory of its own. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <davit/credentials.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/limits.h"

static char home[] = "/tmp/davit-test-XXXXXX";

static const char *in_home(const char *name)
{
	static char path[4][4096];
	static int turn;

	turn = (turn + 1) % 4;
	snprintf(path[turn], sizeof path[turn], "%s/%s", home, name);
	return path[turn];
}

static void write_file(const char *name, const char *text, mode_t mode)
{
	FILE *f = fopen(in_home(name), "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(in_home(name), mode), 0);
}

static char *read_file(const char *name)
{
	static char text[8192];
	FILE *f = fopen(in_home(name), "re");
	size_t n;

	assert_non_null(f);
	n = fread(text, 1, sizeof text - 1, f);
	text[n] = 0;
	fclose(f);
	return text;
}

static void remove_tree(void)
{
	char command[4200];

	snprintf(command, sizeof command, "rm -rf %s", home);
	assert_int_equal(system(command), 0);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(home + strlen(home) - 6, "XXXXXX");
	if (!mkdtemp(home) || mkdir(in_home("bin"), 0700) || mkdir(in_home(".docker"), 0700))
		return -1;
	setenv("HOME", home, 1);
	setenv("PATH", in_home("bin:/usr/bin:/bin"), 1);
	unsetenv("DOCKER_CONFIG");
	unsetenv("REGISTRY_AUTH_FILE");
	unsetenv("XDG_RUNTIME_DIR");
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("NETRC");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	remove_tree();
	return 0;
}

static void config(const char *text)
{
	write_file(".docker/config.json", text, 0600);
}

/* Looks server up and compares; NULL stands for absent. */
static void expect(const char *server, const char *user, const char *password)
{
	davit_credentials *c = NULL;
	davit_err e = { 0 };

	if (davit_credentials_find(server, NULL, &c, &e))
		fail_msg("%s: %s", server, e.msg);
	if (user)
		assert_string_equal(c->username, user);
	else
		assert_null(c->username);
	if (password)
		assert_string_equal(c->password.s, password);
	else
		assert_null(c->password.s);
	davit_credentials_free(c);
}

static void expect_error(const char *server, int code, const char *part)
{
	davit_credentials *c = NULL;
	davit_err e = { 0 };

	assert_int_equal(davit_credentials_find(server, NULL, &c, &e), code);
	assert_null(c);
	if (!strstr(e.msg, part))
		fail_msg("\"%s\" does not say \"%s\"", e.msg, part);
}

static void nothing_known(void **state)
{
	(void)state;
	expect("host", NULL, NULL);
	config("");
	expect("host", NULL, NULL);
	config("{\"auths\":{\"host\":{}}}");
	expect("host", NULL, NULL);
}

static void all_spellings_of_keys(void **state)
{
	static const char *const spellings[] = {
		"reg.example:5000",
		"http://reg.example:5000",
		"https://reg.example:5000/",
		"https://reg.example:5000/v1/",
		"https://reg.example:5000/v2/",
		"reg.example:5000/v1",
		"REG.example:5000/v2/",
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
		snprintf(text, sizeof text, "{\"auths\":{\"%s\":{\"auth\":\"dTpwOnE=\"}}}", spellings[i]);
		config(text);
		expect("reg.example:5000", "u", "p:q");
		expect("https://reg.example:5000/v2/", "u", "p:q");
		expect("reg.example", NULL, NULL);
	}
}

static void names_of_docker_hub(void **state)
{
	static const char *const names[] = {
		"docker.io", "index.docker.io", "registry-1.docker.io", "https://index.docker.io/v1/",
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < 4; i++)
		for (size_t k = 0; k < 4; k++) {
			snprintf(text, sizeof text, "{\"auths\":{\"%s\":{\"auth\":\"dTpw\"}}}", names[i]);
			config(text);
			expect(names[k], "u", "p");
		}
}

static void longest_prefix_wins(void **state)
{
	(void)state;
	config("{\"auths\":{\"q.io\":{\"auth\":\"YTphCg==\"},\"q.io/team\":{\"auth\":\"Yjpi\"},"
	       "\"q.io/team/app\":{\"auth\":\"Yzpj\"}}}");
	expect("q.io/team/app", "c", "c");
	expect("q.io/team/app/x", "c", "c");
	expect("q.io/team/application", "b", "b");
	expect("q.io/teams", "a", "a\n");
}

static void forms_of_entries(void **state)
{
	davit_credentials *c = NULL;

	(void)state;
	config("{\"auths\":{\"a\":{\"username\":\"u\",\"password\":\"p\"},\"b\":{\"auth\":\"dTpw\","
	       "\"identitytoken\":\"it\"},"
	       "\"c\":{\"registrytoken\":\"rt\"},\"d\":{\"auth\":\"???\"},\"e\":{\"auth\":\"dQ==\"}}}");
	expect("a", "u", "p");
	assert_int_equal(davit_credentials_find("b", NULL, &c, NULL), 0);
	assert_string_equal(c->identity_token.s, "it");
	davit_credentials_free(c);
	assert_int_equal(davit_credentials_find("c", NULL, &c, NULL), 0);
	assert_string_equal(c->registry_token.s, "rt");
	assert_non_null(strstr(c->origin, "config.json"));
	davit_credentials_free(c);
	expect_error("d", DAVIT_EPROTO, "base64");
	expect_error("e", DAVIT_EPROTO, "user:password");
}

static void order_of_places(void **state)
{
	(void)state;
	write_file(".dockercfg", "{\"host\":{\"auth\":\"Mjox\"}}", 0600);
	expect("host", "2", "1");
	config("{\"auths\":{\"host\":{\"auth\":\"Mzox\"}}}");
	expect("host", "3", "1");
	write_file("other.json", "{\"auths\":{\"host\":{\"auth\":\"NDox\"}}}", 0600);
	setenv("REGISTRY_AUTH_FILE", in_home("other.json"), 1);
	expect("host", "4", "1");
	setenv("REGISTRY_AUTH_FILE", in_home("absent.json"), 1);
	expect("host", "3", "1");
	write_file("netrc", "machine host login n password o machine elsewhere login x password y", 0600);
	setenv("NETRC", in_home("netrc"), 1);
	expect("host", "3", "1");
	expect("elsewhere:5000", "x", "y");
}

static void broken_files(void **state)
{
	(void)state;
	config("{\"auths\": ");
	expect_error("host", DAVIT_EPROTO, ".docker/config.json");
	config("[]");
	expect_error("host", DAVIT_EPROTO, "expected a JSON object");
	assert_int_equal(unlink(in_home(".docker/config.json")), 0);
	assert_int_equal(mkdir(in_home(".docker/config.json"), 0700), 0);
	expect_error("host", DAVIT_EIO, ".docker/config.json");
	assert_int_equal(rmdir(in_home(".docker/config.json")), 0);
}

/* A file of n spaces. */
static void write_spaces(const char *name, size_t n)
{
	char *text = malloc(n + 1);

	assert_non_null(text);
	memset(text, ' ', n);
	text[n] = 0;
	write_file(name, text, 0600);
	free(text);
}

static void huge_files(void **state)
{
	(void)state;
	write_spaces(".netrc", LIMIT_NETRC_FILE);
	expect("host", NULL, NULL);
	write_spaces(".netrc", LIMIT_NETRC_FILE + 1);
	expect_error("host", DAVIT_ELIMIT, ".netrc is larger than");
	write_spaces(".docker/config.json", LIMIT_CONFIG_FILE + 1);
	expect_error("host", DAVIT_ELIMIT, "config.json is larger than");
}

static void helper(const char *name, const char *script)
{
	char path[64], text[1024];

	snprintf(path, sizeof path, "bin/docker-credential-%s", name);
	snprintf(text, sizeof text, "#!/bin/sh\nread server\n%s\n", script);
	write_file(path, text, 0700);
}

static void helpers_answer(void **state)
{
	davit_credentials *c = NULL;

	(void)state;
	helper("one", "echo "
		      "\"{\\\"ServerURL\\\":\\\"$server\\\",\\\"Username\\\":\\\"$server\\\",\\\"Secret\\\":"
		      "\\\"s\\\"}\"");
	helper("none", "echo credentials not found in native keychain; exit 1");
	helper("token", "echo '{\"Username\":\"<token>\",\"Secret\":\"it\"}'");
	helper("broken", "echo no keychain here; exit 2");
	helper("html", "echo '<html>'");
	helper("endless", "yes");
	config("{\"credsStore\":\"one\",\"credHelpers\":{\"a.io\":\"none\",\"b.io\":\"token\",\"c.io\":"
	       "\"broken\","
	       "\"d.io\":\"html\",\"g.io\":\"endless\",\"e.io\":\"notinstalled\",\"f.io\":\"../one\"},"
	       "\"auths\":{\"a.io\":{\"auth\":\"dTpw\"},\"e.io\":{\"auth\":\"ZTpl\"}}}");
	expect("x.io", "x.io", "s");
	expect("docker.io", "https://index.docker.io/v1/", "s");
	expect("a.io", "u", "p");
	expect("e.io", "e", "e");
	expect_error("c.io", DAVIT_EIO, "no keychain here");
	expect_error("d.io", DAVIT_EPROTO, "docker-credential-html");
	expect_error("f.io", DAVIT_EPROTO, "../one");
	expect_error("g.io", DAVIT_ELIMIT, "the answer of the credential helper is longer than");
	assert_int_equal(davit_credentials_find("b.io", NULL, &c, NULL), 0);
	assert_string_equal(c->identity_token.s, "it");
	assert_null(c->username);
	assert_string_equal(c->origin, "docker-credential-token");
	davit_credentials_free(c);
}

static void *fire_later(void *token)
{
	nanosleep(&(struct timespec){ 0, 200 * 1000000L }, NULL);
	davit_cancel(token);
	return NULL;
}

/* One that has said all and does not end. */
static void lasting_helper_is_cancelled(void **state)
{
	davit_cancel_token *t = NULL;
	davit_credentials *c = NULL;
	int64_t start = clock_mono_ms();
	pthread_t thread;
	davit_err e = { 0 };

	(void)state;
	helper("lasting", "echo '{\"Username\":\"u\",\"Secret\":\"s\"}'; exec sleep 20 >&-");
	config("{\"credsStore\":\"lasting\"}");
	assert_int_equal(davit_cancel_new(&t, NULL), 0);
	assert_int_equal(pthread_create(&thread, NULL, fire_later, t), 0);
	assert_int_equal(davit_credentials_find("h", DAVIT_OPTS(davit_credentials_opts, .cancel = t), &c, &e),
			 DAVIT_ECANCELLED);
	assert_true(clock_mono_ms() - start < 5000);
	pthread_join(thread, NULL);
	davit_cancel_unref(t);
}

static void slow_helper_is_cancelled(void **state)
{
	davit_cancel_token *t = NULL;
	davit_credentials *c = NULL;
	int64_t start = clock_mono_ms();
	davit_err e = { 0 };

	(void)state;
	helper("slow", "sleep 20");
	config("{\"credsStore\":\"slow\"}");
	assert_int_equal(davit_cancel_new(&t, NULL), 0);
	davit_cancel(t);
	assert_int_equal(davit_credentials_find("h", DAVIT_OPTS(davit_credentials_opts, .cancel = t), &c, &e),
			 DAVIT_ECANCELLED);
	assert_true(clock_mono_ms() - start < 5000);
	davit_cancel_unref(t);
}

static const davit_credentials fred = { .username = "fred", .password = { "secret" } };

static void store_and_erase_in_file(void **state)
{
	char where[256];
	davit_err e = { 0 };
	struct stat st;

	(void)state;
	assert_int_equal(rmdir(in_home(".docker")), 0);
	assert_int_equal(davit_credentials_store("reg:5000", &fred, NULL, where, sizeof where, &e), 0);
	assert_string_equal(where, in_home(".docker/config.json"));
	assert_int_equal(stat(where, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	expect("reg:5000", "fred", "secret");
	config("{\"HttpHeaders\":{\"X\":\"1\"},\"auths\":{\"https://reg:5000/v1/"
	       "\":{\"auth\":\"dTpw\"},\"o\":{\"auth\":\"dTpw\"}}}");
	assert_int_equal(davit_credentials_store("reg:5000", &fred, NULL, NULL, 0, &e), 0);
	expect("reg:5000", "fred", "secret");
	expect("o", "u", "p");
	assert_non_null(strstr(read_file(".docker/config.json"), "\"HttpHeaders\""));
	assert_null(strstr(read_file(".docker/config.json"), "/v1/"));
	assert_int_equal(davit_credentials_erase("https://reg:5000/", NULL, &e), 0);
	expect("reg:5000", NULL, NULL);
	expect("o", "u", "p");
	assert_int_equal(davit_credentials_erase("reg:5000", NULL, &e), DAVIT_ENOTFOUND);
	assert_int_equal(davit_credentials_store("reg:5000", &(davit_credentials){ 0 }, NULL, NULL, 0, &e),
			 DAVIT_EARG);
}

static void store_and_erase_in_helper(void **state)
{
	char where[256];
	davit_err e = { 0 };

	(void)state;
	write_file("bin/docker-credential-keep",
		   "#!/bin/sh\necho \"$1\" >>$HOME/log; cat >>$HOME/log; echo >>$HOME/log\n", 0700);
	config("{\"credsStore\":\"keep\"}");
	assert_int_equal(davit_credentials_store("docker.io", &fred, NULL, where, sizeof where, &e), 0);
	assert_string_equal(where, "docker-credential-keep");
	assert_string_equal(read_file("log"), "store\n{\"ServerURL\":\"https://index.docker.io/v1/"
					      "\",\"Username\":\"fred\",\"Secret\":\"secret\"}\n");
	assert_null(strstr(read_file(".docker/config.json"), "auth\""));
	assert_non_null(strstr(read_file(".docker/config.json"), "https://index.docker.io/v1/"));
	assert_int_equal(davit_credentials_erase("index.docker.io", NULL, &e), 0);
	assert_non_null(strstr(read_file("log"), "erase\nhttps://index.docker.io/v1/\n"));
	assert_null(strstr(read_file(".docker/config.json"), "index.docker.io"));
	config("{\"credsStore\":\"notinstalled\"}");
	assert_int_equal(davit_credentials_store("docker.io", &fred, NULL, NULL, 0, &e), DAVIT_ENOTFOUND);
	assert_non_null(strstr(e.msg, "not installed"));
}

static void options_are_checked(void **state)
{
	davit_credentials_opts none = { 0 };
	davit_credentials *c = NULL;

	(void)state;
	assert_int_equal(davit_credentials_find("h", &none, &c, NULL), DAVIT_EARG);
	assert_null(c);
	davit_credentials_free(NULL);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(nothing_known), T(all_spellings_of_keys), T(names_of_docker_hub), T(longest_prefix_wins),
		T(forms_of_entries), T(order_of_places), T(broken_files), T(huge_files), T(helpers_answer),
		T(slow_helper_is_cancelled), T(lasting_helper_is_cancelled),
		T(store_and_erase_in_file), T(store_and_erase_in_helper),
		T(options_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

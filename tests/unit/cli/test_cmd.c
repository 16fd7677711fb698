/* The command tree: every row is sound; dispatch, help, usage errors and exit codes. */
#include <ctype.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "cli/cmd.h"
#include "cli/out.h"

struct result {
	int code;
	struct buf out, err;
};

/* Runs a command line, words separated by spaces, in a child. out_fd: where stdout goes, -1 to capture it. */
static void run_to(const char *line, int out_fd, struct result *r)
{
	char *copy = strdup(line);
	char *argv[32] = { (char[]){ "davit" } };
	int argc = 1, status;
	int out[2], err[2];
	char *save = NULL;
	pid_t pid;

	*r = (struct result){ .out = BUF_INIT(1 << 20), .err = BUF_INIT(1 << 20) };
	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(pipe2(err, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		dup2(out_fd < 0 ? out[1] : out_fd, 1);
		dup2(err[1], 2);
		_exit(cmd_main(argc, argv));
	}
	close(out[1]);
	close(err[1]);
	assert_int_equal(fd_read_all(out[0], "stdout", &r->out, NULL), 0);
	assert_int_equal(fd_read_all(err[0], "stderr", &r->err, NULL), 0);
	close(out[0]);
	close(err[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	r->code = WEXITSTATUS(status);
	free(copy);
}

static void expect(const char *line, int code, const char *out, const char *err)
{
	struct result r;

	run_to(line, -1, &r);
	if (r.code != code || (out && !strstr(buf_str(&r.out), out)) ||
	    (err && strcmp(buf_str(&r.err), err) != 0))
		fail_msg("%s: exit %d, stdout '%s', stderr '%s'", line, r.code, buf_str(&r.out),
			 buf_str(&r.err));
	/* A failure prints one sentence, and nothing on stdout. */
	if (code) {
		assert_int_equal(r.out.len, 0);
		assert_ptr_equal(strchr(buf_str(&r.err), '\n'), r.err.p + r.err.len - 1);
	}
	buf_fini(&r.out);
	buf_fini(&r.err);
}

static void rows_are_sound(void **state)
{
	const struct cmd *c;

	(void)state;
	for (size_t i = 0; (c = cmd_at(i)); i++) {
		const char *last = strrchr(c->path, ' ');
		const struct cmd *parent = NULL;

		for (size_t k = 0; last && cmd_at(k); k++)
			if (strlen(cmd_at(k)->path) == (size_t)(last - c->path) &&
			    !strncmp(cmd_at(k)->path, c->path, (size_t)(last - c->path)))
				parent = cmd_at(k);
		if (last && (!parent || parent->run))
			fail_msg("%s: its noun is missing", c->path);
		if (cmd_child(parent, cmd_word(c)) != c)
			fail_msg("%s: there are two", c->path);
		if (c->alias && cmd_child(parent, c->alias) != c)
			fail_msg("%s: its alias is not found", c->path);
		if (!c->summary || isupper((unsigned char)*c->summary) ||
		    c->summary[strlen(c->summary) - 1] == '.')
			fail_msg("%s: bad summary", c->path);
		if (c->description && c->description[strlen(c->description) - 1] != '.')
			fail_msg("%s: its description has no end", c->path);
		if (c->min > c->max || (c->max && !c->args) || (!c->opts != !c->opts_size))
			fail_msg("%s: arguments and options do not fit", c->path);
		if (c->complete && !c->args)
			fail_msg("%s: completes nothing", c->path);
		if (!c->run && c->opts && !c->opts_title)
			fail_msg("%s: its options have no title", c->path);
	}
	assert_true(cmd_at(0) != NULL);
}

static size_t tables_of(const struct cmd *c, const struct opt *out[OPT_SETS])
{
	const struct cmd *noun = cmd_noun_with_options(c);
	size_t n = 0;

	out[n++] = global_options;
	out[n++] = connection_options;
	if (c->run && c->opts)
		out[n++] = c->opts;
	if (noun)
		out[n++] = noun->opts;
	return n;
}

static void options_are_unique(void **state)
{
	const struct opt *table[OPT_SETS];
	const struct cmd *c;

	(void)state;
	for (size_t i = 0; (c = cmd_at(i)); i++) {
		bool letter[256] = { false };
		size_t n = tables_of(c, table);

		for (size_t t = 0; t < n; t++) {
			for (const struct opt *o = table[t]; o->name; o++) {
				size_t found = 0;

				for (size_t k = 0; k < n; k++)
					found += opt_find_name(table[k], o->name, strlen(o->name)) != NULL;
				if (found != 1)
					fail_msg("%s: --%s is there %zu times", c->path, o->name, found);
				if (o->letter && letter[(unsigned char)o->letter])
					fail_msg("%s: -%c is there twice", c->path, o->letter);
				letter[(unsigned char)o->letter] = true;
				if (!o->help || isupper((unsigned char)*o->help) ||
				    o->help[strlen(o->help) - 1] == '.')
					fail_msg("%s: --%s has a bad help text", c->path, o->name);
				if (opt_has_value(o) != (o->arg != NULL))
					fail_msg("%s: --%s and its value's name do not fit", c->path,
						 o->name);
			}
		}
	}
}

static void help_for_everything(void **state)
{
	const struct cmd *c;

	(void)state;
	for (size_t i = 0; (c = cmd_at(i)); i++) {
		for (size_t columns = 20; columns <= 200; columns += 60) {
			struct buf out = BUF_INIT(OUT_MAX);

			help_text(c, columns, &out);
			assert_int_equal(buf_check(&out, "help", NULL), 0);
			assert_non_null(strstr(out.p, c->path));
			assert_non_null(strstr(out.p, "--help"));
			buf_fini(&out);
		}
	}
}

static void dispatch(void **state)
{
	(void)state;
	expect("--version", 0, "davit ", "");
	expect("version", 0, "(libdavit ", "");
	expect("version --format {{.version}}", 0, DAVIT_VERSION "\n", "");
	expect("--format {{.version}} version", 0, DAVIT_VERSION "\n", "");
	expect("version --format=json", 0, "\"library\":", "");
	expect("endpoints registry.api.ping", 0, "NAME                METHOD", "");
	expect("endpoints nothing. --format json", 0, "[]", "");
	expect("--help", 0, "Usage: davit COMMAND", "");
	expect("-h registry", 0, "Groups of commands:", "");
	expect("registry blob push --help", 0, "Usage: davit registry blob push [OPTIONS] REPO", "");
	expect("registry blob push x y z --help", 0, "--chunk-size", "");
	expect("help registry blob remove", 0, "Also called: remove", "");
	expect("help", 0, "dxf", "");
	expect("completion bash", 0, "complete -F _davit davit dxf", "");
	expect("completion zsh", 0, "#compdef davit dxf", "");
	expect("completion fish", 0, "complete -c dxf", "");
}

static void usage_errors(void **state)
{
	(void)state;
	expect("", 2, "", "davit: a command is missing; 'davit help' lists all\n");
	expect("registry", 2, "", "davit: a command is missing; 'davit help registry' lists all\n");
	expect("frobnicate", 2, "", "davit: unknown command 'frobnicate'; 'davit help' lists all\n");
	expect("registri", 2, "", "davit: unknown command 'registri'; did you mean 'registry'?\n");
	expect("registry blob psuh", 2, "",
	       "davit: unknown command 'registry blob psuh'; did you mean 'registry blob push'?\n");
	expect("help registry blub", 2, "",
	       "davit: unknown command 'registry blub'; did you mean 'registry blob'?\n");
	expect("version x", 2, "", "davit: unexpected argument 'x'; usage: davit version\n");
	expect("registry tags", 2, "", "davit: missing argument; usage: davit registry tags REPO\n");
	expect("--quite version", 2, "", "davit: unknown option --quite; did you mean --quiet?\n");
	expect("version --username x", 2, "", "davit: unknown option --username\n");
	expect("registry tags x/y --password p", 2, "", "davit: option --password needs --username\n");
	expect("registry blob pull x/y -o a -d b", 2, "",
	       "davit: options --output and --output-dir exclude each other\n");
	expect("version --timeout soon", 2, "",
	       "davit: option --timeout: expected a time such as 30s, 1m30s or 500ms, got 'soon'\n");
	expect("version --format {{.x", 2, "",
	       "davit: option --format: template, character 5: }} is missing\n");
	expect("completion tcsh", 2, "", "davit: unknown shell 'tcsh': expected bash, zsh or fish\n");
	expect("\x1b[31m", 2, "", "davit: unknown command '\\x1b[31m'; 'davit help' lists all\n");
}

static void failures_of_stdout(void **state)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	int unwritable = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct result r;

	(void)state;
	run_to("version", full, &r);
	assert_int_equal(r.code, 1);
	assert_string_equal(buf_str(&r.err), "davit: standard output: No space left on device\n");
	buf_fini(&r.out);
	buf_fini(&r.err);
	run_to("--help", unwritable, &r);
	assert_int_equal(r.code, 1);
	assert_string_equal(buf_str(&r.err), "davit: standard output: Bad file descriptor\n");
	buf_fini(&r.out);
	buf_fini(&r.err);
	close(full);
	close(unwritable);
}

static void exit_codes(void **state)
{
	static const struct {
		int code, exit;
	} table[] = {
		{ 0, 0 },
		{ DAVIT_EARG, 2 },
		{ DAVIT_ENOMEM, 1 },
		{ DAVIT_EIO, 1 },
		{ DAVIT_ETIMEOUT, 9 },
		{ DAVIT_ECANCELLED, 1 },
		{ DAVIT_ETRUST, 7 },
		{ DAVIT_EDENIED, 4 },
		{ DAVIT_ENOTFOUND, 3 },
		{ DAVIT_ECONFLICT, 5 },
		{ DAVIT_EREMOTE, 1 },
		{ DAVIT_EPROTO, 1 },
		{ DAVIT_ELIMIT, 1 },
		{ DAVIT_EINTEGRITY, 6 },
		{ DAVIT_EUNSUPPORTED, 8 },
		{ DAVIT_ESTATE, 1 },
		{ DAVIT_ECALLBACK, 1 },
		{ DAVIT_EEXISTS, 5 },
		{ -1000, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		assert_int_equal(app_exit_code(table[i].code), table[i].exit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_sound),   cmocka_unit_test(options_are_unique),
		cmocka_unit_test(help_for_everything), cmocka_unit_test(dispatch),
		cmocka_unit_test(usage_errors),	    cmocka_unit_test(failures_of_stdout),
		cmocka_unit_test(exit_codes),
	};

	unsetenv("DAVIT_DEBUG");
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Completion: what a word can become at each place of a line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/cmd.h"
#include "cli/complete.h"

/* Candidates without their descriptions, joined by spaces. line: words by spaces, "_" is an empty word. */
static void complete(const char *line, struct buf *out)
{
	struct buf raw = BUF_INIT(65536);
	const char *words[32];
	char *copy = strdup(line);
	char *save = NULL;
	size_t n = 0;

	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
		words[n++] = strcmp(w, "_") ? w : "";
	complete_words(words, n, &raw);
	for (const char *p = buf_str(&raw); *p; p += strcspn(p, "\n") + 1) {
		if (out->len)
			buf_putc(out, ' ');
		buf_add(out, p, strcspn(p, "\t\n"));
	}
	buf_fini(&raw);
	free(copy);
}

static const struct {
	const char *line, *expected;
} cases[] = {
	{ "davit", "" },
	{ "davit _", "registry endpoints version completion help dxf" },
	{ "davit ver", "version" },
	{ "davit __", "" },
	{ "davit registry b", "blob" },
	{ "davit registry blob _", "push pull stat mount rm" },
	{ "davit -q registry blob p", "push pull" },
	{ "davit --format json registry blob p", "push pull" },
	{ "davit --format registry blob", "" },
	{ "davit registry blob push --ch", "--check-exists --chunk-size" },
	{ "davit registry blob push --user", "--username" },
	{ "davit registry --user", "--username" },
	{ "davit --user", "" },
	{ "davit version --ca", "" },
	{ "davit registry tags --ca", "--ca-file --ca-dir" },
	{ "davit registry tags --ca-file _", ":file" },
	{ "davit registry tags --ca-file=x", ":file" },
	{ "davit registry tags --ca-dir _", ":dir" },
	{ "davit registry tags --proxy _", "" },
	{ "davit registry tags -u _", "" },
	{ "davit registry tags -u x _", "" },
	{ "davit registry blob pull -o _", ":file" },
	{ "davit registry blob pull x/y:z -d _", ":dir" },
	{ "davit registry blob push _", "" },
	{ "davit registry blob push x/y _", ":file" },
	{ "davit registry blob push x/y a b c _", ":file" },
	{ "davit registry manifest put x/y a _", "" },
	{ "davit registry blob push -- --ch", "" },
	{ "davit registry blob push x/y -- --ch", ":file" },
	{ "davit completion _", "bash zsh fish" },
	{ "davit completion z", "zsh" },
	{ "davit help reg", "registry" },
	{ "davit help registry al", "alias" },
	{ "davit nonsense _", "registry endpoints version completion help" },
	{ "dxf push", "push-blob" },
	{ "davit dxf list", "list-aliases list-repos" },
	{ "dxf push-blob repo _", ":file" },
	{ "dxf push-blob _", "" },
};

static void all_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf out = BUF_INIT(65536);

		complete(cases[i].line, &out);
		/* The order within a table is the table's; dxf's is checked as a set of two. */
		if (strcmp(buf_str(&out), cases[i].expected) != 0)
			fail_msg("'%s': got '%s', expected '%s'", cases[i].line, buf_str(&out),
				 cases[i].expected);
		buf_fini(&out);
	}
}

static void every_command_is_offered(void **state)
{
	const struct cmd *c;

	(void)state;
	for (size_t i = 0; (c = cmd_at(i)); i++) {
		struct buf line = BUF_INIT(256), out = BUF_INIT(65536);

		if (c->flags & CMD_HIDDEN)
			continue;
		buf_printf(&line, "davit %s", c->path);
		complete(buf_str(&line), &out);
		if (!strstr(buf_str(&out), cmd_word(c)))
			fail_msg("%s is not offered", c->path);
		buf_fini(&line);
		buf_fini(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_cases),
		cmocka_unit_test(every_command_is_offered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

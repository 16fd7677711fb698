/* Options: every way to write them, and every mistake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/opt.h"

struct flags {
	bool interactive, tty;
	davit_tri check;
	int level;
	int64_t big;
	davit_opt_int retries;
	const char *output;
	davit_secret password;
	struct opt_list env;
	struct opt_map label;
	struct opt_size memory;
	struct opt_time wait;
	const char *mode;
	bool secret_switch;
};

static const char *const modes[] = { "fast", "slow", "off", NULL };

static const struct opt_range few = { 1, 4096 };

static const struct opt flag_rows[] = {
	OPT(struct flags, interactive, 'i', "interactive", NULL, "keep stdin open"),
	OPT(struct flags, tty, 't', "tty", NULL, "make a terminal"),
	OPT(struct flags, check, 0, "check", NULL, "check first"),
	OPT(struct flags, level, 'l', "level", "N", "how much"),
	OPT(struct flags, big, 0, "big", "N", "a large number"),
	OPT(struct flags, retries, 0, "retries", "N", "how often"),
	OPT(struct flags, output, 'o', "output", "FILE", "where to"),
	OPT(struct flags, password, 'p', "password", "TEXT", "secret"),
	OPT(struct flags, env, 'e', "env", "TEXT", "may be repeated"),
	OPT(struct flags, label, 0, "label", "KEY=VALUE", "may be repeated"),
	OPT(struct flags, memory, 'm', "memory", "SIZE", "how much memory"),
	OPT(struct flags, wait, 0, "wait", "TIME", "how long"),
	OPT(struct flags, big, 0, "some", "N", "a number of things", .range = &few),
	OPT(struct flags, memory, 0, "piece", "SIZE", "how much", .range = &few),
	OPT(struct flags, wait, 0, "pause", "TIME", "how long", .range = &few),
	OPT(struct flags, mode, 0, "mode", "MODE", "how", .values = modes),
	OPT(struct flags, secret_switch, 0, "secret-switch", NULL, "not shown", .hidden = true),
	OPT_END,
};

struct more {
	bool quiet;
	const char *format;
};

static const struct opt more_rows[] = {
	OPT(struct more, quiet, 'q', "quiet", NULL, "say little"),
	OPT(struct more, format, 0, "format", "FORMAT", "how to show"),
	OPT_END,
};

/* What was parsed, as text: only what differs from zero. */
static void dump(const struct flags *f, const struct more *m, struct buf *out)
{
	static const char *const tri[] = { "", " check=unset", " check" };

	buf_puts(out, f->interactive ? " i" : "");
	buf_puts(out, f->tty ? " t" : "");
	if (f->check)
		buf_puts(out, f->check == DAVIT_NO ? " no-check" : tri[f->check]);
	if (f->level)
		buf_printf(out, " level=%d", f->level);
	if (f->big)
		buf_printf(out, " big=%lld", (long long)f->big);
	if (f->retries.set)
		buf_printf(out, " retries=%lld", (long long)f->retries.value);
	if (f->output)
		buf_printf(out, " output=%s", f->output);
	if (f->password.s)
		buf_printf(out, " password=%s", f->password.s);
	for (size_t i = 0; i < f->env.n; i++)
		buf_printf(out, " env=%s", f->env.v[i]);
	for (size_t i = 0; i < f->label.n; i++)
		buf_printf(out, " label[%s]=%s", f->label.v[i].key, f->label.v[i].value);
	if (f->memory.bytes)
		buf_printf(out, " memory=%lld", (long long)f->memory.bytes);
	if (f->wait.ms)
		buf_printf(out, " wait=%lld", (long long)f->wait.ms);
	if (f->mode)
		buf_printf(out, " mode=%s", f->mode);
	buf_puts(out, f->secret_switch ? " secret" : "");
	buf_puts(out, m->quiet ? " q" : "");
	if (m->format)
		buf_printf(out, " format=%s", m->format);
}

/* Parses words separated by spaces ("_" is an empty word) and compares what came out. */
static void check(const char *line, const char *expected)
{
	char *copy = strdup(line);
	char *argv[32] = { NULL };
	struct flags f = { 0 };
	struct more m = { 0 };
	struct opt_parser p = { .argv = argv };
	struct buf args = BUF_INIT(4096), got = BUF_INIT(4096);
	davit_err e = { 0 };
	const char *word;
	char *save = NULL;
	int r;

	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
		argv[p.argc++] = strcmp(w, "_") ? w : w + 1;
	p.set[0] = (struct opt_set){ flag_rows, &f };
	p.set[1] = (struct opt_set){ more_rows, &m };
	while ((r = opt_next(&p, &word, &e)) == 1)
		buf_printf(&args, " <%s>", word);
	if (r) {
		assert_int_equal(r, DAVIT_EARG);
		buf_puts(&got, e.msg);
	} else {
		dump(&f, &m, &got);
		buf_puts(&got, buf_str(&args));
	}
	if (strcmp(buf_str(&got), expected) != 0)
		fail_msg("'%s': got '%s', expected '%s'", line, buf_str(&got), expected);
	opt_fini(&p.set[0]);
	opt_fini(&p.set[1]);
	buf_fini(&args);
	buf_fini(&got);
	free(copy);
}

static const struct {
	const char *line, *expected;
} cases[] = {
	{ "", "" },
	{ "a b", " <a> <b>" },
	{ "-i", " i" },
	{ "-it", " i t" },
	{ "-ti", " i t" },
	{ "-i -t", " i t" },
	{ "--interactive --tty x", " i t <x>" },
	{ "x -i y", " i <x> <y>" },
	{ "--interactive=true", " i" },
	{ "--interactive=no", "" },
	{ "--interactive=maybe", "option --interactive: expected true or false, got 'maybe'" },
	{ "--check", " check" },
	{ "--no-check", " no-check" },
	{ "--check=false", " no-check" },
	{ "--check --no-check", " no-check" },
	{ "--no-check=1", "option --no-check takes no value" },
	{ "--no-interactive", "unknown option --no-interactive; did you mean --interactive?" },
	{ "-p80", " password=80" },
	{ "-p 80", " password=80" },
	{ "-p=80", " password=80" },
	{ "-itp80", " i t password=80" },
	{ "-itp 80 x", " i t password=80 <x>" },
	{ "--password=a=b", " password=a=b" },
	{ "--password a=b", " password=a=b" },
	{ "--password --tty", " password=--tty" },
	{ "-o -", " output=-" },
	{ "-o-", " output=-" },
	{ "--output= x", " output= <x>" },
	{ "--output _ x", " output= <x>" },
	{ "-o a -o b", " output=b" },
	{ "-l 3", " level=3" },
	{ "-l -3", " level=-3" },
	{ "-l-3", " level=-3" },
	{ "--level=-3", " level=-3" },
	{ "--level 0x10", "option --level: expected a number, got '0x10'" },
	{ "--level _", "option --level: expected a number, got ''" },
	{ "--level 3x", "option --level: expected a number, got '3x'" },
	{ "--level 2147483648", "option --level: 2147483648 is not between -2147483648 and 2147483647" },
	{ "--big 9223372036854775807", " big=9223372036854775807" },
	{ "--big 9223372036854775808",
	  "option --big: 9223372036854775808 is not between -9223372036854775808 and 9223372036854775807" },
	{ "--retries 0", " retries=0" },
	{ "--retries=-1", " retries=-1" },
	{ "-e A -e B=1 --env C", " env=A env=B=1 env=C" },
	{ "-eA", " env=A" },
	{ "--label a=1 --label b=", " label[a]=1 label[b]=" },
	{ "--label a=1 --label a=2=3", " label[a]=2=3" },
	{ "--label a", "option --label: expected KEY=VALUE, got 'a'" },
	{ "--label =a", "option --label: expected KEY=VALUE, got '=a'" },
	{ "-m 64m", " memory=67108864" },
	{ "-m 1k", " memory=1024" },
	{ "-m 1KiB", " memory=1024" },
	{ "-m 1kb", " memory=1024" },
	{ "-m 17", " memory=17" },
	{ "-m 17B", " memory=17" },
	{ "-m 2g", " memory=2147483648" },
	{ "-m 1x", "option --memory: expected a size such as 4096, 64k or 16MiB, got '1x'" },
	{ "-m -1", "option --memory: expected a size such as 4096, 64k or 16MiB, got '-1'" },
	{ "-m 9999999999t",
	  "option --memory: expected a size such as 4096, 64k or 16MiB, got '9999999999t'" },
	{ "--wait 90", " wait=90000" },
	{ "--wait 90s", " wait=90000" },
	{ "--wait 1m30s", " wait=90000" },
	{ "--wait 1h", " wait=3600000" },
	{ "--wait 500ms", " wait=500" },
	{ "--wait 1d2h", " wait=93600000" },
	{ "--wait 1m30", "option --wait: expected a time such as 30s, 1m30s or 500ms, got '1m30'" },
	{ "--some 1", " big=1" },
	{ "--some -1", "option --some: expected at least 1, got -1" },
	{ "--some 0", "option --some: expected at least 1, got 0" },
	{ "--some 5000", "option --some: expected at most 4096, got 5000" },
	{ "--piece 4k", " memory=4096" },
	{ "--piece 0", "option --piece: expected at least 1 bytes, got 0" },
	{ "--piece 5k", "option --piece: expected at most 4096 bytes, got 5k" },
	{ "--pause 4s", " wait=4000" },
	{ "--pause 5s", "option --pause: expected at most 4096 ms, got 5s" },
	{ "--wait x", "option --wait: expected a time such as 30s, 1m30s or 500ms, got 'x'" },
	{ "--wait 99999999999999999d",
	  "option --wait: expected a time such as 30s, 1m30s or 500ms, got '99999999999999999d'" },
	{ "--mode fast", " mode=fast" },
	{ "--mode quick", "option --mode: expected fast, slow or off, got 'quick'" },
	{ "--secret-switch", " secret" },
	{ "-q --format json -i", " i q format=json" },
	{ "-qi", " i q" },
	{ "-iq x -t", " i t q <x>" },
	{ "-- -i --tty", " <-i> <--tty>" },
	{ "a -- -- b", " <a> <--> <b>" },
	{ "-o -- x", " output=-- <x>" },
	{ "-", " <->" },
	{ "- -i", " i <->" },
	{ "-5", " <-5>" },
	{ "-.5 -5x", " <-.5> <-5x>" },
	{ "_", " <>" },
	{ "--foo", "unknown option --foo" },
	{ "--ouput x", "unknown option --ouput; did you mean --output?" },
	{ "--outp", "unknown option --outp; did you mean --output?" },
	{ "--intractive", "unknown option --intractive; did you mean --interactive?" },
	{ "--secret-switc", "unknown option --secret-switc" },
	{ "--formt=json", "unknown option --formt; did you mean --format?" },
	{ "-x", "unknown option -x" },
	{ "-ix", "unknown option -x" },
	{ "--output", "option --output needs a value (FILE)" },
	{ "-o", "option --output needs a value (FILE)" },
	{ "-ito", "option --output needs a value (FILE)" },
	{ "--=x", "unknown option --" },
};

static void all_cases(void **state)
{
	(void)state;
	assert_true(sizeof cases / sizeof *cases >= 60);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		check(cases[i].line, cases[i].expected);
}

static void help_is_wrapped(void **state)
{
	static const struct opt rows[] = {
		OPT(struct flags, tty, 't', "tty", NULL, "make a terminal"),
		OPT(struct flags, check, 0, "check", NULL,
		    "a longer text that does not fit on one line of fifty columns"),
		OPT(struct flags, output, 0, "a-very-long-option-name", "VALUE", "text"),
		OPT(struct flags, mode, 0, "hidden", "X", "nothing", .hidden = true),
		OPT_END,
	};
	struct buf out = BUF_INIT(4096);

	(void)state;
	opt_help(rows, 60, &out);
	assert_string_equal(buf_str(&out),
			    "  -t, --tty                   make a terminal\n"
			    "      --[no-]check            a longer text that does not\n"
			    "                              fit on one line of fifty\n"
			    "                              columns\n"
			    "      --a-very-long-option-name VALUE\n"
			    "                              text\n");
	buf_fini(&out);
}

static void text_is_wrapped(void **state)
{
	struct buf out = BUF_INIT(4096);

	(void)state;
	opt_wrap("one two three four five\n\nsix", 0, 0, 20, &out);
	assert_string_equal(buf_str(&out), "one two three four\nfive\n\nsix\n");
	buf_clear(&out);
	opt_wrap("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa b", 2, 2, 20, &out);
	assert_string_equal(buf_str(&out), "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n  b\n");
	buf_fini(&out);
}

static const char *nearest(const char *word, const char *const *names)
{
	const char *best = NULL;
	size_t score = opt_far(word);

	for (; *names; names++)
		opt_nearer(word, *names, &best, &score);
	return best;
}

static void suggestions(void **state)
{
	static const char *const names[] = { "push", "pull", "stat", "mount", "rm", "completion", NULL };
	static const struct {
		const char *word, *near;
	} table[] = {
		{ "psuh", "push" }, { "pul", "pull" },
		{ "sat", "stat" },  { "stta", "stat" },
		{ "mnt", "mount" }, { "comp", "completion" },
		{ "mr", "rm" },     { "complexion", "completion" },
	};
	char huge[300];

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		assert_string_equal(nearest(table[i].word, names), table[i].near);
	memset(huge, 'p', sizeof huge - 1);
	huge[sizeof huge - 1] = 0;
	assert_null(nearest(huge, names));
	assert_null(nearest("xyzzy", names));
	assert_null(nearest("", names));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_cases),
		cmocka_unit_test(help_is_wrapped),
		cmocka_unit_test(text_is_wrapped),
		cmocka_unit_test(suggestions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The display of progress, with a clock of our own and a pipe for a terminal. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/progress.h"

static int64_t now_ms;

static int64_t fake_now(void)
{
	return now_ms;
}

struct screen {
	int fd[2];
	struct progress *p;
	davit_progress callback;
	char text[65536];
};

static void open_screen(struct screen *s, bool bars, size_t columns)
{
	struct progress_config c = { .bars = bars, .columns = columns, .now = fake_now };

	now_ms = 1000;
	assert_int_equal(pipe2(s->fd, O_NONBLOCK | O_CLOEXEC), 0);
	c.fd = s->fd[1];
	s->p = progress_new_config(&c);
	assert_non_null(s->p);
	s->callback = progress_callback(s->p);
}

static void tell(struct screen *s, const char *what, uint64_t done, int64_t total)
{
	davit_progress_info info = { .what = what, .done = done, .total = total };

	assert_int_equal(s->callback.update(s->callback.user, &info), 0);
}

/* What was written since the last call. */
static const char *written(struct screen *s)
{
	ssize_t n = read(s->fd[0], s->text, sizeof s->text - 1);

	s->text[n > 0 ? n : 0] = 0;
	return s->text;
}

static void close_screen(struct screen *s)
{
	progress_free(s->p);
	close(s->fd[0]);
	close(s->fd[1]);
}

static const char digest[] = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static void a_bar_is_redrawn_in_place(void **state)
{
	struct screen s;

	(void)state;
	open_screen(&s, true, 80);
	tell(&s, digest, 0, 10 << 20);
	assert_string_equal(
	    written(&s),
	    "sha256:0123456789ab   0% [>                                  ]  0 B of 10.0 MiB\x1b[K\n\x1b[J");
	now_ms += 1000;
	tell(&s, digest, 5 << 20, 10 << 20);
	assert_non_null(strstr(written(&s), "\x1b[1A\rsha256:0123456789ab  50%"));
	assert_non_null(strstr(s.text, "  5.0 MiB of 10.0 MiB, 5.0 MiB/s, 0:02 left\x1b[K\n"));
	now_ms += 1000;
	tell(&s, digest, 10 << 20, 10 << 20);
	assert_non_null(strstr(written(&s), "]  10.0 MiB, 5.0 MiB/s, done in 0:02\x1b[K\n"));
	close_screen(&s);
}

static void not_more_than_ten_per_second(void **state)
{
	struct screen s;
	size_t n = 0;

	(void)state;
	open_screen(&s, true, 80);
	for (int i = 0; i < 1000; i++) {
		now_ms++;
		tell(&s, "file", (uint64_t)i, 1000000);
		n += *written(&s) != 0;
	}
	assert_in_range(n, 9, 11);
	close_screen(&s);
}

static void parallel_transfers_have_a_line_each(void **state)
{
	struct screen s;

	(void)state;
	open_screen(&s, true, 60);
	tell(&s, "one", 0, 100);
	now_ms += 200;
	tell(&s, "two", 50, 100);
	assert_non_null(strstr(written(&s), "one"));
	assert_non_null(strstr(s.text, "two"));
	now_ms += 200;
	tell(&s, "one", 10, 100);
	assert_non_null(strstr(written(&s), "\x1b[2A\r"));
	tell(&s, "two", 100, 100);
	/* The finished line stays above, the other is drawn again below. */
	assert_non_null(strstr(written(&s), "\x1b[2A\rtwo"));
	assert_true(strstr(s.text, "one") > strstr(s.text, "two"));
	now_ms += 200;
	tell(&s, "one", 20, 100);
	assert_non_null(strstr(written(&s), "\x1b[1A\rone"));
	close_screen(&s);
}

/* Columns of the longest line, escape sequences apart. */
static size_t longest(const char *text)
{
	size_t n = 0, most = 0;

	while (*text) {
		if (*text == '\x1b') {
			text += strcspn(text, "AKJ") + 1;
			continue;
		}
		n = *text == '\n' || *text == '\r' ? 0 : n + 1;
		most = n > most ? n : most;
		text++;
	}
	return most;
}

static void lines_fit_the_terminal(void **state)
{
	(void)state;
	for (size_t columns = 40; columns < 200; columns++) {
		struct screen s;

		open_screen(&s, true, columns);
		tell(&s, digest, 0, 1LL << 50);
		now_ms += 700;
		tell(&s, digest, 12345678901, 1LL << 50);
		assert_in_range(longest(written(&s)), 20, columns - 1);
		tell(&s, "nobody knows how long", 5, -1);
		close_screen(&s);
	}
}

static void unknown_total_has_no_bar(void **state)
{
	struct screen s;

	(void)state;
	open_screen(&s, true, 80);
	tell(&s, "-", 2048, -1);
	assert_null(strchr(written(&s), '%'));
	assert_non_null(strstr(s.text, "-  2.0 KiB"));
	close_screen(&s);
}

static void names_are_cut_and_escaped(void **state)
{
	struct screen s;

	(void)state;
	open_screen(&s, true, 200);
	tell(&s, "evil\x1b[2J", 0, 10);
	assert_non_null(strstr(written(&s), "evil\\x1b[2J"));
	now_ms += 200;
	tell(&s, "/a/very/long/path/that/goes/on/and/on/and/on/until/the/name/of/the/file.tar", 0, 10);
	assert_non_null(strstr(written(&s), "/until/the/name/of/the/file.tar"));
	assert_null(strstr(s.text, "/a/very"));
	close_screen(&s);
}

static void plain_lines_every_few_seconds(void **state)
{
	struct screen s;

	(void)state;
	open_screen(&s, false, 0);
	for (int i = 0; i <= 120; i++) {
		tell(&s, "file", (uint64_t)i << 20, 120 << 20);
		now_ms += 100;
	}
	assert_string_equal(written(&s), "file: 41%, 50.0 MiB of 120.0 MiB, 10.0 MiB/s, 0:08 left\n"
					 "file: 83%, 100.0 MiB of 120.0 MiB, 10.0 MiB/s, 0:03 left\n"
					 "file: 100%, 120.0 MiB, 10.0 MiB/s, done in 0:12\n");
	close_screen(&s);
}

static void short_transfers_print_no_line(void **state)
{
	struct screen s;

	(void)state;
	open_screen(&s, false, 0);
	tell(&s, "file", 0, 10);
	now_ms += 900;
	tell(&s, "file", 10, 10);
	assert_string_equal(written(&s), "");
	close_screen(&s);
}

static void a_restart_does_not_break_the_rate(void **state)
{
	struct screen s;

	(void)state;
	open_screen(&s, true, 80);
	tell(&s, "file", 1 << 20, 10 << 20);
	now_ms += 1000;
	tell(&s, "file", 0, 10 << 20);
	now_ms += 1000;
	tell(&s, "file", 1 << 20, 10 << 20);
	written(&s);
	assert_non_null(strstr(s.text, "1.0 MiB/s"));
	close_screen(&s);
}

static void many_transfers_at_once(void **state)
{
	struct screen s;
	char name[16];

	(void)state;
	open_screen(&s, true, 80);
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof name, "n%d", i);
		tell(&s, name, 1, 10);
	}
	close_screen(&s);
}

static void times(void **state)
{
	static const struct {
		int64_t s;
		const char *text;
	} table[] = { { 0, "0:00" }, { 59, "0:59" }, { 754, "12:34" }, { 3723, "1:02:03" } };

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct buf out = BUF_INIT(64);

		text_time(table[i].s, &out);
		assert_string_equal(buf_str(&out), table[i].text);
		buf_fini(&out);
	}
	assert_null(progress_callback(NULL).update);
	progress_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bar_is_redrawn_in_place),
		cmocka_unit_test(not_more_than_ten_per_second),
		cmocka_unit_test(parallel_transfers_have_a_line_each),
		cmocka_unit_test(lines_fit_the_terminal),
		cmocka_unit_test(unknown_total_has_no_bar),
		cmocka_unit_test(names_are_cut_and_escaped),
		cmocka_unit_test(plain_lines_every_few_seconds),
		cmocka_unit_test(short_transfers_print_no_line),
		cmocka_unit_test(a_restart_does_not_break_the_rate),
		cmocka_unit_test(many_transfers_at_once),
		cmocka_unit_test(times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

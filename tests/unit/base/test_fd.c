#include "../unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../torture.h"
#include "base/fd.h"

static char dir[] = "/tmp/davit-test-fd-XXXXXX";
static char path_text[4][512];

/* A name in the test's directory; four can be in use. */
static const char *in_dir(const char *name)
{
	static unsigned i;
	char *p = path_text[i++ % 4];

	snprintf(p, sizeof path_text[0], "%s/%s", dir, name);
	return p;
}

static void put_file(const char *name, const char *text)
{
	FILE *f = fopen(in_dir(name), "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void assert_file(const char *name, const char *text)
{
	struct buf b = BUF_INIT(1000);

	assert_int_equal(fd_read_file(in_dir(name), &b, NULL), 0);
	assert_string_equal(buf_str(&b), text);
	buf_fini(&b);
}

static int count_files(void)
{
	DIR *d = opendir(dir);
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static void empty_dir(void)
{
	DIR *d = opendir(dir);

	for (struct dirent *x; (x = readdir(d));) {
		if (strcmp(x->d_name, ".") != 0 && strcmp(x->d_name, "..") != 0)
			remove(in_dir(x->d_name));
	}
	closedir(d);
}

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	empty_dir();
	return rmdir(dir);
}

static void reads(void **state)
{
	struct buf b = BUF_INIT(5);
	davit_err e = { 0 };

	(void)state;
	put_file("five", "12345");
	assert_int_equal(fd_read_file(in_dir("five"), &b, &e), 0);
	assert_string_equal(buf_str(&b), "12345");
	buf_clear(&b);
	put_file("six", "123456");
	assert_int_equal(fd_read_file(in_dir("six"), &b, &e), DAVIT_ELIMIT);
	assert_non_null(strstr(e.msg, "six is larger than 5 bytes"));
	assert_int_equal(fd_read_file(in_dir("none"), &b, &e), DAVIT_ENOTFOUND);
	assert_int_equal(e.code, DAVIT_ENOTFOUND);
	assert_int_equal(e.sys, ENOENT);
	assert_int_equal(fd_read_file(in_dir("none"), &b, NULL), DAVIT_ENOTFOUND);
	buf_clear(&b);
	assert_int_equal(fd_read_file(dir, &b, &e), DAVIT_EIO);
	assert_int_equal(e.sys, EISDIR);
	buf_fini(&b);
	empty_dir();
}

static void *drain(void *fd)
{
	static char got[300000];
	size_t n = 0;

	usleep(20000);
	for (ssize_t r; (r = read(*(int *)fd, got + n, sizeof got - n)) > 0;)
		n += (size_t)r;
	return (void *)n;
}

static void writes_to_a_full_pipe(void **state)
{
	static char text[250000];
	pthread_t thread;
	void *n;
	int p[2];

	(void)state;
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	assert_int_equal(fcntl(p[1], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(pthread_create(&thread, NULL, drain, &p[0]), 0);
	assert_int_equal(fd_write_all(p[1], text, sizeof text), 0);
	close(p[1]);
	pthread_join(thread, &n);
	assert_int_equal((size_t)n, sizeof text);
	close(p[0]);
	assert_int_equal(fd_write_all(-1, "x", 1), -EBADF);
	assert_int_equal(fd_write_all(-1, "", 0), 0);
}

static void appears_when_complete(void **state)
{
	struct newfile f = NEWFILE_INIT;
	struct stat st;

	(void)state;
	put_file("x", "old");
	assert_int_equal(newfile_open(&f, in_dir("x"), 0600, NULL), 0);
	assert_int_equal(fd_write_all(f.fd, "new", 3), 0);
	assert_file("x", "old");
	assert_int_equal(newfile_commit(&f, NULL), 0);
	newfile_fini(&f);
	assert_file("x", "new");
	assert_int_equal(stat(in_dir("x"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(count_files(), 1);
	assert_int_equal(newfile_open(&f, in_dir("x"), 0600, NULL), 0);
	assert_int_equal(fd_write_all(f.fd, "lost", 4), 0);
	assert_int_equal(count_files(), 2);
	newfile_fini(&f);
	newfile_fini(&f);
	assert_file("x", "new");
	assert_int_equal(count_files(), 1);
	empty_dir();
}

static void follows_links(void **state)
{
	struct newfile f = NEWFILE_INIT;
	struct stat st;

	(void)state;
	put_file("real", "old");
	assert_int_equal(symlink("real", in_dir("one")), 0);
	assert_int_equal(symlink(in_dir("one"), in_dir("two")), 0);
	assert_int_equal(symlink("missing", in_dir("dangling")), 0);
	assert_int_equal(symlink("loop", in_dir("loop")), 0);
	assert_int_equal(newfile_open(&f, in_dir("two"), 0600, NULL), 0);
	assert_int_equal(fd_write_all(f.fd, "new", 3), 0);
	assert_int_equal(newfile_commit(&f, NULL), 0);
	newfile_fini(&f);
	assert_file("real", "new");
	assert_int_equal(lstat(in_dir("two"), &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(newfile_open(&f, in_dir("dangling"), 0600, NULL), 0);
	assert_int_equal(newfile_commit(&f, NULL), 0);
	newfile_fini(&f);
	assert_file("missing", "");
	assert_int_equal(newfile_open(&f, in_dir("loop"), 0600, NULL), DAVIT_EIO);
	empty_dir();
}

static void refuses(void **state)
{
	struct newfile f = NEWFILE_INIT;
	davit_err e = { 0 };

	(void)state;
	assert_int_equal(newfile_open(&f, dir, 0600, &e), DAVIT_EIO);
	assert_int_equal(e.sys, EISDIR);
	assert_int_equal(newfile_open(&f, in_dir("x/"), 0600, &e), DAVIT_EIO);
	assert_int_equal(newfile_open(&f, in_dir("none/x"), 0600, &e), DAVIT_EIO);
	assert_int_equal(e.sys, ENOENT);
	assert_int_equal(newfile_open(&f, "", 0600, &e), DAVIT_EARG);
	assert_int_equal(f.fd, -1);
	assert_null(f.path);
	assert_int_equal(count_files(), 0);
}

static void writes_devices_directly(void **state)
{
	struct newfile f = NEWFILE_INIT;
	struct stat st;
	char text[32], got[4] = "";
	int p[2];

	(void)state;
	assert_int_equal(newfile_open(&f, "/dev/null", 0600, NULL), 0);
	assert_int_equal(fd_write_all(f.fd, "x", 1), 0);
	assert_int_equal(newfile_commit(&f, NULL), 0);
	newfile_fini(&f);
	assert_int_equal(stat("/dev/null", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	snprintf(text, sizeof text, "/dev/fd/%d", p[1]);
	assert_int_equal(newfile_open(&f, text, 0600, NULL), 0);
	assert_int_equal(fd_write_all(f.fd, "abc", 3), 0);
	assert_int_equal(newfile_commit(&f, NULL), 0);
	newfile_fini(&f);
	assert_int_equal(read(p[0], got, 3), 3);
	assert_string_equal(got, "abc");
	close(p[0]);
	close(p[1]);
}

static void failed_commit_leaves_nothing(void **state)
{
	struct newfile f = NEWFILE_INIT;

	(void)state;
	assert_int_equal(newfile_open(&f, in_dir("x"), 0600, NULL), 0);
	/* A directory in the way makes the rename fail. */
	assert_int_equal(mkdir(in_dir("x"), 0700), 0);
	assert_int_equal(newfile_commit(&f, NULL), DAVIT_EIO);
	newfile_fini(&f);
	assert_int_equal(count_files(), 1);
	empty_dir();
}

static void spools(void **state)
{
	struct stat st;
	int fd = fd_spool(NULL);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_nlink, 0);
	close(fd);
	setenv("TMPDIR", in_dir("none"), 1);
	assert_int_equal(fd_spool(NULL), DAVIT_EIO);
	unsetenv("TMPDIR");
}

static int make(void *user)
{
	struct newfile f = NEWFILE_INIT;
	int r = newfile_open(&f, user, 0600, NULL);

	if (!r)
		r = newfile_commit(&f, NULL);
	newfile_fini(&f);
	return r;
}

static void out_of_memory(void **state)
{
	char name[200];

	(void)state;
	snprintf(name, sizeof name, "%s", in_dir("link"));
	assert_int_equal(symlink("file", name), 0);
	assert_true(torture_run(make, name) > 3);
	assert_int_equal(count_files(), 2);
	empty_dir();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),
		cmocka_unit_test(writes_to_a_full_pipe),
		cmocka_unit_test(appears_when_complete),
		cmocka_unit_test(follows_links),
		cmocka_unit_test(refuses),
		cmocka_unit_test(writes_devices_directly),
		cmocka_unit_test(failed_commit_leaves_nothing),
		cmocka_unit_test(spools),
		cmocka_unit_test(out_of_memory),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

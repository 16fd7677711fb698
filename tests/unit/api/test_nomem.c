/* Every allocation fails once. */
#include "fixture.h"

#include <davit/value.h>

#include "../torture.h"
#include "api/path.h"
#include "api/route.h"
#include "base/limits.h"

struct thing {
	const char *name, *tag;
};
static const struct type t_thing =
    TYPE(struct thing, F(struct thing, name, "Name"), F(struct thing, tag, "Etag", .where = IN_HEADER));

static const struct endpoint rows[] = {
	{ .name = "t.thing.get", .method = "GET", .path = "/v2/{name:name}/things/{id}", .ok = { 200 } },
	{ .name = "t.thing.list", .method = "GET", .path = "/v2/{name:name}/things/", .ok = { 200 } },
};
static const struct service service = { .name = "t", .endpoints = rows, .n = 2 };

static int path_and_route(void *user)
{
	struct buf path = BUF_INIT(LIMIT_URL);
	struct arena mem = { 0 };
	struct route route = { .mem = &mem };
	int r = path_build(rows[0].path, PATH("a/b", "x y"), &path, NULL);

	(void)user;
	if (!r)
		r = route_find(&service, "GET", path.p, &route, NULL);
	if (!r) {
		assert_ptr_equal(route.ep, &rows[0]);
		assert_string_equal(route.args[1], "x y");
	}
	arena_fini(&mem);
	buf_fini(&path);
	return r;
}

static int replies(void *user)
{
	davit_err e = { 0 };
	struct thing *t = reply_new(&t_thing, &e);
	const davit_value *v;
	int r = t ? 0 : e.code;

	(void)user;
	if (!r) {
		t->tag = "v1";
		v = davit_reply_value(t);
		if (v)
			assert_string_equal(davit_value_string(davit_value_member(v, "Etag")), "v1");
		r = v ? reply_set_raw(t, "[1]", 3, &e) : DAVIT_ENOMEM;
	}
	davit_reply_free(t);
	return r;
}

static void test_path_and_route(void **state)
{
	(void)state;
	assert_true(torture_run(path_and_route, NULL) > 3);
}

static void test_replies(void **state)
{
	(void)state;
	assert_true(torture_run(replies, NULL) > 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_path_and_route),
		cmocka_unit_test(test_replies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

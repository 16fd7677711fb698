/* Path templates filled and matched, and the rules for rows. */
#include "fixture.h"

#include "api/path.h"
#include "api/route.h"
#include "base/limits.h"
#include "rows.h"

static void test_build(void **state)
{
	static const struct {
		const char *template, *args[4];
		int code;
		const char *path;
	} cases[] = {
		{ "/", { NULL }, 0, "/" },
		{ "/v2/", { NULL }, 0, "/v2/" },
		{ "/a/{id}/b", { "x y/z" }, 0, "/a/x%20y%2Fz/b" },
		{ "/a/{id}", { "sha256:00" }, 0, "/a/sha256%3A00" },
		{ "/a/{d:digest}", { "sha256:00" }, 0, "/a/sha256:00" },
		{ "/v2/{name:name}/manifests/{ref}", { "a/b c", "v1.0" }, 0, "/v2/a/b%20c/manifests/v1.0" },
		{ "/f/{path:rest}", { "a/b%/c?d#e" }, 0, "/f/a/b%25/c%3Fd%23e" },
		{ "/a/{id}", { "..." }, 0, "/a/..." },
		{ "/a/{id}", { "\xc3\xa4\n" }, 0, "/a/%C3%A4%0A" },
		{ "/a/{id}", { NULL }, DAVIT_EARG, NULL },
		{ "/a/{id}", { "" }, DAVIT_EARG, NULL },
		{ "/a/{id}", { "." }, DAVIT_EARG, NULL },
		{ "/a/{id}", { ".." }, DAVIT_EARG, NULL },
		{ "/a/{id}", { "x", "y" }, DAVIT_EARG, NULL },
		{ "/a/{n:name}", { "a/../b" }, DAVIT_EARG, NULL },
		{ "/a/{n:name}", { "/a" }, DAVIT_EARG, NULL },
		{ "/a/{n:name}", { "a/" }, DAVIT_EARG, NULL },
		{ "/a/{n:name}", { "a//b" }, DAVIT_EARG, NULL },
		{ "/a/{n:rest}", { "a/." }, DAVIT_EARG, NULL },
		{ "a", { NULL }, DAVIT_EARG, NULL },
		{ "/{}", { "x" }, DAVIT_EARG, NULL },
		{ "/{:name}", { "x" }, DAVIT_EARG, NULL },
		{ "/{a:other}", { "x" }, DAVIT_EARG, NULL },
		{ "/{a", { "x" }, DAVIT_EARG, NULL },
		{ "/a{b}", { "x" }, DAVIT_EARG, NULL },
		{ "/{a{b}", { "x" }, DAVIT_EARG, NULL },
		{ "/{a:rest}/b", { "x" }, DAVIT_EARG, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf out = BUF_INIT(LIMIT_URL);
		davit_err e = { 0 };
		int r = path_build(cases[i].template, cases[i].args, &out, &e);

		if (r != cases[i].code || (!r && strcmp(out.p, cases[i].path) != 0))
			fail_msg("case %zu: %d %s %s", i, r, buf_str(&out), e.msg);
		buf_fini(&out);
	}
}

static void test_build_limit(void **state)
{
	struct buf out = BUF_INIT(LIMIT_URL);
	static char name[LIMIT_URL];
	davit_err e = { 0 };

	(void)state;
	memset(name, 'x', sizeof name - 1);
	assert_code(DAVIT_ELIMIT, path_build("/a/{id}", PATH(name), &out, &e), e);
	buf_fini(&out);
}

static const struct endpoint rows[] = {
	{ .name = "r.base.check", .method = "GET", .path = "/v2/" },
	{ .name = "r.tag.list", .method = "GET", .path = "/v2/{name:name}/tags/list" },
	{ .name = "r.manifest.get", .method = "GET", .path = "/v2/{name:name}/manifests/{reference:digest}" },
	{ .name = "r.blob.get", .method = "GET", .path = "/v2/{name:name}/blobs/{digest:digest}" },
	{ .name = "r.blob.rm", .method = "DELETE", .path = "/v2/{name:name}/blobs/{digest:digest}" },
	{ .name = "r.upload.start", .method = "POST", .path = "/v2/{name:name}/blobs/uploads/" },
	{ .name = "r.upload.patch", .method = "PATCH", .path = "/v2/{name:name}/blobs/uploads/{id}" },
	{ .name = "r.thing.get", .method = "GET", .path = "/things/{id}" },
	{ .name = "r.thing.list", .method = "GET", .path = "/things/json" },
	{ .name = "r.file.get", .method = "GET", .path = "/files/{id}/{path:rest}" },
	{ .name = "r.broken.one", .method = "GET", .path = "/broken/{x" },
};
static const struct service service = { .name = "r", .endpoints = rows, .n = sizeof rows / sizeof *rows };

static void test_find(void **state)
{
	static const struct {
		const char *method, *path;
		int code;
		const char *name, *args[3];
	} cases[] = {
		{ "GET", "/v2/", 0, "r.base.check", { NULL } },
		{ "GET", "/v2", DAVIT_ENOTFOUND, NULL, { NULL } },
		{ "GET", "/v2//", DAVIT_ENOTFOUND, NULL, { NULL } },
		{ "GET", "/v2/a/tags/list", 0, "r.tag.list", { "a" } },
		{ "GET", "/v2/a/b/c/tags/list", 0, "r.tag.list", { "a/b/c" } },
		{ "GET", "/v2/a/tags/list/tags/list", 0, "r.tag.list", { "a/tags/list" } },
		{ "GET", "/v2/tags/list", DAVIT_ENOTFOUND, NULL, { NULL } },
		{ "GET", "/v2/a//b/tags/list", DAVIT_ENOTFOUND, NULL, { NULL } },
		{ "GET", "/v2/a%2Fb/tags/list", 0, "r.tag.list", { "a/b" } },
		{ "GET", "/v2/a%2F..%2Fb/tags/list", DAVIT_ENOTFOUND, NULL, { NULL } },
		{ "GET", "/v2/a/../b/tags/list", DAVIT_EARG, NULL, { NULL } },
		{ "GET", "/v2/a/%2e%2E/b/tags/list", DAVIT_EARG, NULL, { NULL } },
		{ "GET", "/v2/a/./tags/list", DAVIT_EARG, NULL, { NULL } },
		{ "GET", "/v2/a/manifests/v1", 0, "r.manifest.get", { "a", "v1" } },
		{ "GET",
		  "/v2/a/manifests/b/manifests/sha256:0",
		  0,
		  "r.manifest.get",
		  { "a/manifests/b", "sha256:0" } },
		{ "GET", "/v2/a/manifests/sha256%3A0", 0, "r.manifest.get", { "a", "sha256:0" } },
		{ "GET", "/v2/a/manifests/v%2F1", DAVIT_ENOTFOUND, NULL, { NULL } },
		{ "DELETE", "/v2/a/blobs/sha256:0", 0, "r.blob.rm", { "a", "sha256:0" } },
		{ "PUT", "/v2/a/blobs/sha256:0", DAVIT_EUNSUPPORTED, NULL, { NULL } },
		{ "get", "/v2/", DAVIT_EUNSUPPORTED, NULL, { NULL } },
		{ "POST", "/v2/a/blobs/uploads/", 0, "r.upload.start", { "a" } },
		{ "POST", "/v2/a/blobs/uploads", DAVIT_EUNSUPPORTED, NULL, { NULL } },
		{ "PATCH", "/v2/a/blobs/uploads/77", 0, "r.upload.patch", { "a", "77" } },
		{ "GET", "/things/json", 0, "r.thing.list", { NULL } },
		{ "GET", "/things/js%6Fn", 0, "r.thing.list", { NULL } },
		{ "GET", "/things/jso", 0, "r.thing.get", { "jso" } },
		/* Decoded once. */
		{ "GET", "/things/%252e%20+", 0, "r.thing.get", { "%2e +" } },
		{ "GET", "/things/", DAVIT_ENOTFOUND, NULL, { NULL } },
		{ "GET", "/things/a%00", DAVIT_EARG, NULL, { NULL } },
		{ "GET", "/things/a%0", DAVIT_EARG, NULL, { NULL } },
		{ "GET", "/files/1/a/b%2fc", 0, "r.file.get", { "1", "a/b/c" } },
		{ "GET", "/files/1/", DAVIT_ENOTFOUND, NULL, { NULL } },
		{ "GET", "/files/1/a/", DAVIT_ENOTFOUND, NULL, { NULL } },
		{ "GET", "/broken/x", DAVIT_ENOTFOUND, NULL, { NULL } },
		{ "GET", "things", DAVIT_EARG, NULL, { NULL } },
		{ "GET", "", DAVIT_EARG, NULL, { NULL } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct arena mem = { 0 };
		struct route out = { .mem = &mem };
		davit_err e = { 0 };
		int r = route_find(&service, cases[i].method, cases[i].path, &out, &e);

		if (r != cases[i].code || (!r && strcmp(out.ep->name, cases[i].name) != 0))
			fail_msg("case %zu %s: %d %s %s", i, cases[i].path, r, r ? "" : out.ep->name, e.msg);
		for (size_t k = 0; !r && k < 3; k++) {
			if (!cases[i].args[k]) {
				assert_null(out.args[k]);
				break;
			}
			assert_string_equal(out.args[k], cases[i].args[k]);
		}
		arena_fini(&mem);
	}
}

/* Hostile paths end soon. */
static void test_find_limits(void **state)
{
	static char path[LIMIT_URL + 2];
	struct arena mem = { 0 };
	struct route out = { .mem = &mem };
	davit_err e = { 0 };

	(void)state;
	memset(path, '/', sizeof path - 1);
	assert_code(DAVIT_ELIMIT, route_find(&service, "GET", path, &out, &e), e);
	path[1000] = 0;
	assert_code(DAVIT_ELIMIT, route_find(&service, "GET", path, &out, &e), e);
	for (size_t i = 0; i < 300; i += 2)
		memcpy(path + i, "/a", 3);
	assert_code(DAVIT_ENOTFOUND, route_find(&service, "GET", path, &out, &e), e);
	arena_fini(&mem);
}

/* What path_build() makes, route_find() takes apart. */
static void test_round_trip(void **state)
{
	static const char *const hard[] = { "a b", "%2F", "a%b", "\xc3\xa4", "a:b@c", "?", "#", "~-._" };

	(void)state;
	for (size_t i = 0; i < sizeof hard / sizeof *hard; i++) {
		struct buf path = BUF_INIT(LIMIT_URL);
		struct arena mem = { 0 };
		struct route out = { .mem = &mem };
		davit_err e = { 0 };

		assert_code(0, path_build(rows[2].path, PATH(hard[i], hard[i]), &path, &e), e);
		assert_code(0, route_find(&service, "GET", path.p, &out, &e), e);
		assert_ptr_equal(out.ep, &rows[2]);
		assert_string_equal(out.args[0], hard[i]);
		assert_string_equal(out.args[1], hard[i]);
		arena_fini(&mem);
		buf_fini(&path);
	}
}

struct body {
	const char *x;
};
static const struct type t_body = TYPE(struct body, F(struct body, x, "x"));

/* The check of rows notices each mistake. */
static void test_row_rules(void **state)
{
	static const struct {
		struct endpoint row;
		bool good;
	} cases[] = {
		{ { "r.a.b", "GET", "/a", NULL, &t_body, { 200 }, .flags = EP_IDEMPOTENT }, true },
		{ { "r.a.b", "POST", "/a/{x}/{y:rest}", &t_body, NULL, { 200, 201, 204, 304 }, .flags = 0 },
		  true },
		{ { "q.a.b", "POST", "/a", NULL, NULL, { 200 }, .flags = 0 }, false },
		{ { "r.a", "POST", "/a", NULL, NULL, { 200 }, .flags = 0 }, false },
		{ { "r.a.b.c", "POST", "/a", NULL, NULL, { 200 }, .flags = 0 }, false },
		{ { "r.A.b", "POST", "/a", NULL, NULL, { 200 }, .flags = 0 }, false },
		{ { "r..b", "POST", "/a", NULL, NULL, { 200 }, .flags = 0 }, false },
		{ { "r.a.b", "post", "/a", NULL, NULL, { 200 }, .flags = 0 }, false },
		{ { "r.a.b", "POST", "a", NULL, NULL, { 200 }, .flags = 0 }, false },
		{ { "r.a.b", "POST", "/{a}/{a}", NULL, NULL, { 200 }, .flags = 0 }, false },
		{ { "r.a.b", "POST", "/{a:rest}/b", NULL, NULL, { 200 }, .flags = 0 }, false },
		{ { "r.a.b", "POST", "/a", NULL, NULL, { 0 }, .flags = 0 }, false },
		{ { "r.a.b", "POST", "/a", NULL, NULL, { 404 }, .flags = 0 }, false },
		{ { "r.a.b", "GET", "/a", &t_body, NULL, { 200 }, .flags = EP_IDEMPOTENT }, false },
		{ { "r.a.b", "HEAD", "/a", NULL, &t_body, { 200 }, .flags = EP_IDEMPOTENT }, false },
		{ { "r.a.b", "GET", "/a", NULL, NULL, { 200 }, .flags = 0 }, false },
		{ { "r.a.b", "GET", "/a", NULL, NULL, { 200 }, .flags = EP_IDEMPOTENT | EP_ARRAY }, false },
		{ { "r.a.b", "POST", "/a", NULL, NULL, { 200 }, .flags = EP_PAGED_LINK }, false },
		{ { "r.a.b", "POST", "/a", NULL, NULL, { 200 }, .since = 110, .until = 109 }, false },
		{ { "r.a.b", "POST", "/a", NULL, NULL, { 200 }, .shape = 9 }, false },
		{ { "r.a.b", "PUT", "/a", &t_body, NULL, { 200 }, .shape = SHAPE_UPLOAD }, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct endpoint twice[] = { cases[i].row, cases[i].row };
		const struct service s = { .name = "r", .endpoints = twice, .n = 2 };
		const char *problem = row_problem(&s, 0);

		if (!problem != cases[i].good)
			fail_msg("case %zu: %s", i, problem ? problem : "taken for good");
		assert_non_null(row_problem(&s, 1));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_build),      cmocka_unit_test(test_build_limit),
		cmocka_unit_test(test_find),       cmocka_unit_test(test_find_limits),
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_row_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

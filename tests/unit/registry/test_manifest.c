/* Manifests, indexes, aliases. */
#include "steps.h"

#include <stdio.h>
#include <stdlib.h>

#define DOCKER "application/vnd.docker.distribution.manifest."
#define OCI    "application/vnd.oci.image."
#define LAYER  "{\"mediaType\":\"x/y\",\"digest\":\"" HELLO "\",\"size\":6}"
#define IMAGE                                                                              \
	"{\"schemaVersion\":2,\"mediaType\":\"" OCI "manifest.v1+json\",\"config\":" LAYER \
	",\"layers\":[" LAYER "],\"annotations\":{\"a\":\"b\"}}"

/* An alias of python-dxf, as its own run recorded it. */
#define DXF_BLOB "sha256:1a4f0b8631578808731903b577ac417cc4eea30c963cc55782190ab98e13f2fd"
#define DXF_ALIAS                                                                                            \
	"{\"config\": {\"digest\": \"" DXF_BLOB "\", \"mediaType\": "                                        \
	"\"application/vnd.docker.container.image.v1+json\", \"size\": 10}, \"layers\": [{\"digest\": "      \
	"\"" DXF_BLOB                                                                                        \
	"\", \"mediaType\": \"application/octet-stream\", \"size\": 10}], \"mediaType\": \"" DOCKER          \
	"v2+json\", \"schemaVersion\": 2}"
#define DXF_DIGEST "sha256:dce4da75b544a6f7060b3c5f7969c2c941f95d49945ad766583ad8d0bd25fe8a"

static void understands_images(void **state)
{
	davit_registry_manifest *m;
	davit_err e;
	size_t n;

	(void)state;
	assert_code(0, davit_registry_manifest_parse(IMAGE, strlen(IMAGE), NULL, NULL, &m, &e), e);
	assert_int_equal(m->schema_version, 2);
	assert_string_equal(m->media_type, OCI "manifest.v1+json");
	assert_string_equal(m->config->digest, HELLO);
	assert_int_equal(m->layers.n, 1);
	assert_int_equal(m->layers.v[0]->size, 6);
	assert_null(m->manifests.v);
	assert_string_equal(m->annotations.v[0].value, "b");
	assert_string_equal(davit_reply_raw(m, &n), IMAGE);
	assert_int_equal(n, strlen(IMAGE));
	davit_reply_free(m);
	assert_code(
	    0, davit_registry_manifest_parse(DXF_ALIAS, strlen(DXF_ALIAS), "text/plain", NULL, &m, &e), e);
	assert_string_equal(m->digest, DXF_DIGEST);
	davit_reply_free(m);
}

static void finds_the_type(void **state)
{
	static const struct {
		const char *text, *said, *type;
	} rows[] = {
		{ "{\"schemaVersion\":2,\"layers\":[]}", NULL, OCI "manifest.v1+json" },
		{ "{\"schemaVersion\":2,\"layers\":null}", DOCKER "v2+json; charset=utf-8",
		  DOCKER "v2+json" },
		{ "{\"schemaVersion\":2,\"manifests\":[]}", "application/json", OCI "index.v1+json" },
		{ "{\"schemaVersion\":2,\"manifests\":null}", DOCKER "list.v2+json", DOCKER "list.v2+json" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		davit_registry_manifest *m;
		davit_err e;

		assert_code(0,
			    davit_registry_manifest_parse(rows[i].text, strlen(rows[i].text), rows[i].said,
							  NULL, &m, &e),
			    e);
		assert_string_equal(m->media_type, rows[i].type);
		assert_true(!m->layers.v != !m->manifests.v);
		davit_reply_free(m);
	}
}

static void refuses_what_is_wrong(void **state)
{
	static const struct {
		const char *text;
		int code;
		const char *part;
	} rows[] = {
		{ "<html>", DAVIT_EPROTO, "JSON" },
		{ "", DAVIT_EPROTO, "" },
		{ "[]", DAVIT_EPROTO, "no JSON object" },
		{ "{}", DAVIT_EPROTO, "no manifest" },
		{ "{\"mediaType\":\"a/b\",\"layers\":[]}", DAVIT_EUNSUPPORTED, "\"a/b\" is not supported" },
		{ "{\"layers\":[],\"manifests\":[]}", DAVIT_EPROTO, "ambiguous" },
		{ "{\"mediaType\":\"" OCI "index.v1+json\",\"layers\":[]}", DAVIT_EPROTO,
		  "manifests is missing" },
		{ "{\"mediaType\":\"" OCI "manifest.v1+json\"}", DAVIT_EPROTO, "layers is missing" },
		{ "{\"layers\":[{\"digest\":\"x\",\"size\":1}]}", DAVIT_EPROTO, "layers[0].digest" },
		{ "{\"layers\":[{\"digest\":\"" HELLO "\",\"size\":-1}]}", DAVIT_EPROTO, "negative" },
		{ "{\"layers\":[{\"size\":1}]}", DAVIT_EPROTO, "digest" },
		{ "{\"layers\":[{\"digest\":\"" HELLO "\",\"size\":\"1\"}]}", DAVIT_EPROTO, "size" },
	};
	davit_registry_manifest *m = NULL;
	davit_err e;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_code(
		    rows[i].code,
		    davit_registry_manifest_parse(rows[i].text, strlen(rows[i].text), NULL, NULL, &m, &e), e);
		assert_has(e.msg, rows[i].part);
	}
	assert_int_equal(davit_registry_manifest_parse(NULL, 0, NULL, NULL, &m, NULL), DAVIT_EARG);
	assert_null(m);
}

static void limits_layers(void **state)
{
	struct buf text = BUF_INIT(1 << 20);
	davit_registry_manifest *m = NULL;
	davit_err e;

	(void)state;
	buf_puts(&text, "{\"layers\":[" LAYER);
	for (int i = 0; i < 4096; i++)
		buf_puts(&text, "," LAYER);
	buf_puts(&text, "]}");
	assert_code(DAVIT_ELIMIT, davit_registry_manifest_parse(buf_str(&text), text.len, NULL, NULL, &m, &e),
		    e);
	buf_clear(&text);
	buf_puts(&text, "{\"schemaVersion\":2,\"manifests\":[" LAYER);
	for (int i = 0; i < 4096; i++)
		buf_puts(&text, "," LAYER);
	buf_puts(&text, "]}");
	assert_code(DAVIT_ELIMIT, davit_registry_manifest_parse(buf_str(&text), text.len, NULL, NULL, &m, &e),
		    e);
	assert_has(e.msg, "4096");
	buf_fini(&text);
}

/* The digest of a text and paths made of it. */
struct named {
	char digest[DAVIT_DIGEST_MAX], get[256];
};

static void name_it(const char *text, struct named *out)
{
	assert_int_equal(davit_digest_bytes(text, strlen(text), out->digest, NULL), 0);
	snprintf(out->get, sizeof out->get, "GET /v2/r/manifests/%s", out->digest);
}

static void checks_digests(void **state)
{
	struct named image;
	char right[300], sha512[300], get[300];
	static const char wrong[] = "Docker-Content-Digest: " EMPTY "\r\n";
	struct step steps[] = {
		{ .request = "GET /v2/r/manifests/t", 200, right, IMAGE },
		{ .request = "GET /v2/r/manifests/t", 200, wrong, IMAGE },
		{ .request = get, 200, NULL, IMAGE },
		{ .request = "GET /v2/r/manifests/" HELLO, 200, NULL, IMAGE },
		{ .request = "GET /v2/r/manifests/t", 200, sha512, IMAGE },
		{ .request = "HEAD /v2/r/manifests/t", 200, right },
		{ .request = "HEAD /v2/r/manifests/t", 200, "Content-Length: 5\r\n" },
		{ .request = "GET /v2/r/manifests/t", 200, NULL, IMAGE },
	};
	davit_registry_descriptor *d;
	davit_registry_manifest *m;
	struct script s;

	(void)state;
	name_it(IMAGE, &image);
	snprintf(get, sizeof get, "%s", image.get);
	snprintf(right, sizeof right, "Docker-Content-Digest: %s\r\n", image.digest);
	snprintf(sha512, sizeof sha512, "Docker-Content-Digest: sha512:%0128d\r\n", 0);
	SCRIPT(&s, steps, NULL);
	assert_code(0, davit_registry_manifest_get(s.r, "r", "t", NULL, &m, &s.e), s.e);
	assert_has(script_header(&s, 0, "Accept"), OCI "index.v1+json");
	davit_reply_free(m);
	assert_code(DAVIT_EINTEGRITY, davit_registry_manifest_get(s.r, "r", "t", NULL, &m, &s.e), s.e);
	assert_has(s.e.msg, "expected digest " EMPTY);
	assert_code(0, davit_registry_manifest_get(s.r, "r", image.digest, NULL, &m, &s.e), s.e);
	davit_reply_free(m);
	assert_code(DAVIT_EINTEGRITY, davit_registry_manifest_get(s.r, "r", HELLO, NULL, &m, &s.e), s.e);
	assert_code(DAVIT_EINTEGRITY, davit_registry_manifest_get(s.r, "r", "t", NULL, &m, &s.e), s.e);
	assert_has(s.e.msg, "got sha512:");
	assert_code(0, davit_registry_manifest_stat(s.r, "r", "t", NULL, &d, &s.e), s.e);
	assert_string_equal(d->digest, image.digest);
	davit_reply_free(d);
	assert_code(0, davit_registry_manifest_stat(s.r, "r", "t", NULL, &d, &s.e), s.e);
	assert_string_equal(d->digest, image.digest);
	assert_int_equal(d->size, strlen(IMAGE));
	davit_reply_free(d);
	script_end(&s);
}

/* An index over IMAGE with the given platform members, twice over. */
static char *make_index(const char *digest, const char *const *platforms, size_t n)
{
	struct buf b = BUF_INIT(1 << 16);

	buf_puts(&b, "{\"schemaVersion\":2,\"mediaType\":\"" OCI "index.v1+json\",\"manifests\":[");
	for (size_t i = 0; i < n; i++)
		buf_printf(&b, "%s{\"digest\":\"%s\",\"size\":1%s%s}", i ? "," : "", digest,
			   platforms[i] ? "," : "", platforms[i] ? platforms[i] : "");
	buf_puts(&b, "]}");
	return buf_take(&b);
}

static void chooses_platforms(void **state)
{
	static const char *const platforms[] = {
		"\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}",
		"\"platform\":{\"os\":\"linux\",\"architecture\":\"arm64\",\"variant\":\"v8\"}",
		"\"platform\":{\"os\":\"unknown\",\"architecture\":\"unknown\"}",
		NULL,
	};
	static const struct {
		const char *platform;
		davit_tri exact;
		int code;
	} rows[] = {
		{ "linux/amd64", DAVIT_UNSET, 0 },
		{ "linux/arm64", DAVIT_UNSET, 0 },
		{ "linux/arm64/v8", DAVIT_YES, 0 },
		{ "linux/arm64", DAVIT_YES, DAVIT_ENOTFOUND },
		{ "linux/arm64/v7", DAVIT_UNSET, DAVIT_ENOTFOUND },
		{ "windows/amd64", DAVIT_UNSET, DAVIT_ENOTFOUND },
		{ "linux", DAVIT_UNSET, DAVIT_ENOTFOUND },
	};
	struct named image;
	char *index;
	davit_registry_manifest *m;

	(void)state;
	name_it(IMAGE, &image);
	index = make_index(image.digest, platforms, 4);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct step steps[] = {
			{ .request = "GET /v2/r/manifests/t", 200, NULL, index },
			{ .request = image.get, 200, NULL, IMAGE },
		};
		struct script s;

		script_start(&s, steps, rows[i].code ? 1 : 2, NULL);
		assert_code(rows[i].code, davit_registry_manifest_get(s.r, "r", "t",
			    DAVIT_OPTS(davit_registry_manifest_opts, .platform = rows[i].platform,
				       .exact_platform = rows[i].exact), &m, &s.e), s.e);
		if (!rows[i].code)
			davit_reply_free(m);
		else
			assert_has(s.e.msg, "linux/amd64, linux/arm64/v8, unknown/unknown");
		script_end(&s);
	}
	free(index);
}

/* The digest asked for is that of the platform's manifest, not of the index. */
static void stats_a_platform(void **state)
{
	static const char *const platforms[] = {
		"\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}",
	};
	struct named image;
	davit_registry_descriptor *d;
	char *index;

	(void)state;
	name_it(IMAGE, &image);
	index = make_index(image.digest, platforms, 1);
	{
		const struct step steps[] = {
			{ .request = "GET /v2/r/manifests/t", 200, NULL, index },
			{ .request = image.get, 200, NULL, IMAGE },
		};
		struct script s;

		script_start(&s, steps, 2, NULL);
		assert_code(0, davit_registry_manifest_stat(s.r, "r", "t",
			    DAVIT_OPTS(davit_registry_manifest_opts, .platform = "linux/amd64"), &d, &s.e),
			    s.e);
		assert_string_equal(d->digest, image.digest);
		assert_int_equal(d->size, strlen(IMAGE));
		davit_reply_free(d);
		script_end(&s);
	}
	free(index);
}

static void resolves_an_index(void **state)
{
	static const char *const platforms[] = {
		"\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}", NULL,
		"\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}",
	};
	struct named image;
	char *index;

	(void)state;
	name_it(IMAGE, &image);
	index = make_index(image.digest, platforms, 3);
	{
		const struct step steps[] = {
			{ .request = "GET /v2/r/manifests/t", 200, NULL, index },
			{ .request = image.get, 200, NULL, IMAGE },
			{ .request = image.get, 200, NULL, IMAGE },
			{ .request = image.get, 200, NULL, IMAGE },
		};
		davit_registry_alias *a;
		struct script s;

		SCRIPT(&s, steps, NULL);
		assert_code(0, davit_registry_alias_get(s.r, "r", "t", NULL, &a, &s.e), s.e);
		assert_true(a->index);
		assert_int_equal(a->n, 2);
		assert_string_equal(a->v[0]->platform, "linux/amd64");
		assert_string_equal(a->v[1]->platform, image.digest);
		assert_string_equal(a->v[0]->config_digest, HELLO);
		assert_string_equal(a->v[0]->blobs.v[0]->digest, HELLO);
		assert_string_equal(a->v[1]->manifest_raw, IMAGE);
		davit_reply_free(a);
		script_end(&s);
	}
	free(index);
}

static void refuses_an_index_in_an_index(void **state)
{
	static const char *const none[] = { NULL };
	static const char empty[] = "{\"manifests\":[]}";
	struct named inner;
	char *index;

	(void)state;
	name_it(empty, &inner);
	index = make_index(inner.digest, none, 1);
	{
		const struct step steps[] = { { .request = inner.get, 200, NULL, empty } };
		const davit_registry_manifest_body body = { index, strlen(index), NULL };
		davit_registry_alias *a;
		struct script s;

		SCRIPT(&s, steps, NULL);
		assert_code(DAVIT_EUNSUPPORTED, davit_registry_alias_resolve(s.r, "r", &body, NULL, &a, &s.e),
			    s.e);
		script_end(&s);
	}
	free(index);
}

static void writes_the_alias_of_dxf(void **state)
{
	static const struct step steps[] = {
		{ .request = "HEAD /v2/foo/bar/blobs/" DXF_BLOB, 200, "Content-Length: 10\r\n" },
		{ .request = "PUT /v2/foo/bar/manifests/hello",
		  201,
		  "Docker-Content-Digest: " DXF_DIGEST "\r\n",
		  NULL,
		  DXF_ALIAS },
		{ .request = "HEAD /v2/foo/bar/blobs/" DXF_BLOB, 200, "Content-Length: 10\r\n" },
		{ .request = "PUT /v2/foo/bar/manifests/hello",
		  201,
		  "Docker-Content-Digest: " EMPTY "\r\n",
		  NULL,
		  DXF_ALIAS },
		{ .request = "HEAD /v2/foo/bar/blobs/" DXF_BLOB, 404, "Content-Length: 0\r\n" },
		{ .request = "HEAD /v2/foo/bar/blobs/" DXF_BLOB, 200, "X: y\r\n" },
	};
	static const char *const blobs[] = { DXF_BLOB };
	const davit_strv digests = { blobs, 1 }, none = { blobs, 0 };
	davit_registry_manifest *m;
	struct script s;

	(void)state;
	SCRIPT(&s, steps, NULL);
	assert_code(0, davit_registry_alias_set(s.r, "foo/bar", "hello", &digests, &m, &s.e), s.e);
	assert_string_equal(davit_reply_raw(m, NULL), DXF_ALIAS);
	assert_string_equal(m->digest, DXF_DIGEST);
	assert_string_equal(script_header(&s, 1, "Content-Type"), DOCKER "v2+json");
	davit_reply_free(m);
	assert_code(DAVIT_EINTEGRITY, davit_registry_alias_set(s.r, "foo/bar", "hello", &digests, NULL, &s.e),
		    s.e);
	assert_code(DAVIT_ENOTFOUND, davit_registry_alias_set(s.r, "foo/bar", "hello", &digests, NULL, &s.e),
		    s.e);
	assert_code(DAVIT_EPROTO, davit_registry_alias_set(s.r, "foo/bar", "hello", &digests, NULL, &s.e),
		    s.e);
	assert_code(DAVIT_EARG, davit_registry_alias_set(s.r, "foo/bar", "hello", &none, NULL, &s.e), s.e);
	script_end(&s);
}

static void deletes_aliases(void **state)
{
	static const char *const platforms[] = { "\"platform\":{\"os\":\"linux\",\"architecture\":\"arm\"}" };
	struct named image, all;
	char *index, del_image[256], del_index[256];

	(void)state;
	name_it(IMAGE, &image);
	index = make_index(image.digest, platforms, 1);
	name_it(index, &all);
	snprintf(del_image, sizeof del_image, "DELETE /v2/r/manifests/%s", image.digest);
	snprintf(del_index, sizeof del_index, "DELETE /v2/r/manifests/%s", all.digest);
	{
		const struct step steps[] = {
			{ .request = "GET /v2/r/manifests/t", 200, NULL, IMAGE },
			{ .request = del_image, 202 },
			{ .request = "GET /v2/r/manifests/t", 200, NULL, index },
			{ .request = del_index, 202 },
		};
		davit_registry_alias *a;
		struct script s;

		SCRIPT(&s, steps, NULL);
		assert_code(0, davit_registry_alias_delete(s.r, "r", "t", &a, &s.e), s.e);
		assert_false(a->index);
		assert_string_equal(a->v[0]->blobs.v[0]->digest, HELLO);
		davit_reply_free(a);
		assert_code(0, davit_registry_alias_delete(s.r, "r", "t", &a, &s.e), s.e);
		assert_true(a->index);
		assert_string_equal(a->v[0]->platform, "linux/arm");
		assert_string_equal(a->v[0]->manifest_digest, image.digest);
		assert_null(a->v[0]->manifest);
		davit_reply_free(a);
		script_end(&s);
	}
	free(index);
}

static void puts_manifests(void **state)
{
	static const char plain[] = "{\"schemaVersion\":2,\"layers\":[]}";
	static const struct step steps[] = {
		{ .request = "PUT /v2/r/manifests/t", 201, NULL, NULL, IMAGE },
		{ .request = "PUT /v2/r/manifests/t", 201, NULL, NULL, plain },
	};
	davit_registry_manifest_body body = { IMAGE, strlen(IMAGE), NULL };
	davit_registry_descriptor *d;
	struct script s;

	(void)state;
	SCRIPT(&s, steps, NULL);
	assert_code(0, davit_registry_manifest_put(s.r, "r", "t", &body, &d, &s.e), s.e);
	assert_int_equal(d->size, strlen(IMAGE));
	assert_string_equal(d->media_type, OCI "manifest.v1+json");
	assert_string_equal(script_header(&s, 0, "Content-Type"), OCI "manifest.v1+json");
	davit_reply_free(d);
	body = (davit_registry_manifest_body){ plain, strlen(plain), NULL };
	assert_code(DAVIT_EARG, davit_registry_manifest_put(s.r, "r", "t", &body, NULL, &s.e), s.e);
	body.media_type = DOCKER "v2+json";
	assert_code(0, davit_registry_manifest_put(s.r, "r", "t", &body, NULL, &s.e), s.e);
	assert_string_equal(script_header(&s, 1, "Content-Type"), DOCKER "v2+json");
	body.n = 5 << 20;
	assert_code(DAVIT_ELIMIT, davit_registry_manifest_put(s.r, "r", "t", &body, NULL, &s.e), s.e);
	script_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(understands_images), cmocka_unit_test(finds_the_type),
		cmocka_unit_test(refuses_what_is_wrong), cmocka_unit_test(limits_layers),
		cmocka_unit_test(checks_digests), cmocka_unit_test(chooses_platforms),
		cmocka_unit_test(stats_a_platform),
		cmocka_unit_test(resolves_an_index), cmocka_unit_test(refuses_an_index_in_an_index),
		cmocka_unit_test(writes_the_alias_of_dxf), cmocka_unit_test(deletes_aliases),
		cmocka_unit_test(puts_manifests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

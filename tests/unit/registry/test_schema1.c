/* Schema 1: the text of python-dxf 11.4.0, signatures, and what must not pass. */
#include "steps.h"

#include <stdio.h>
#include <stdlib.h>

#include "auth/jws.h"
#include "services/registry/registry_internal.h"

#define B1 "sha256:1a4f0b8631578808731903b577ac417cc4eea30c963cc55782190ab98e13f2fd"
#define B2 "sha256:b7f62a5bb001d76520427bca445c34a28ad8adff9da469594ece415e6393418b"

/* What dxf 11.4.0 sent, recorded, and the digest that the registry gave it. */
static const char recorded[] =
	"{\"fsLayers\": [{\"blobSum\": \"sha256:1a4f0b8631578808731903b577ac417cc4ee"
	"a30c963cc55782190ab98e13f2fd\"}, {\"blobSum\": \"sha256:b7f62a5bb001d76520"
	"427bca445c34a28ad8adff9da469594ece415e6393418b\"}], \"history\": [{\"v1Com"
	"patibility\": \"{}\"}, {\"v1Compatibility\": \"{}\"}], \"name\": \"foo/bar\", \"sc"
	"hemaVersion\": 1, \"tag\": \"both\", \"signatures\": [{\"header\":{\"alg\":\"ES256"
	"\",\"jwk\":{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"c5Pi0b-0xzf9-qF2gYYgT2Y_akPsX8r"
	"zQSPSl3p_cPQ\",\"y\":\"aSJlf24IBqNxVoBJHXE1Jp-G49klbXPk_nzehoVXmkE\"}},\"pay"
	"load\":\"eyJmc0xheWVycyI6IFt7ImJsb2JTdW0iOiAic2hhMjU2OjFhNGYwYjg2MzE1Nzg"
	"4MDg3MzE5MDNiNTc3YWM0MTdjYzRlZWEzMGM5NjNjYzU1NzgyMTkwYWI5OGUxM2YyZmQif"
	"SwgeyJibG9iU3VtIjogInNoYTI1NjpiN2Y2MmE1YmIwMDFkNzY1MjA0MjdiY2E0NDVjMzR"
	"hMjhhZDhhZGZmOWRhNDY5NTk0ZWNlNDE1ZTYzOTM0MThiIn1dLCAiaGlzdG9yeSI6IFt7I"
	"nYxQ29tcGF0aWJpbGl0eSI6ICJ7fSJ9LCB7InYxQ29tcGF0aWJpbGl0eSI6ICJ7fSJ9XSw"
	"gIm5hbWUiOiAiZm9vL2JhciIsICJzY2hlbWFWZXJzaW9uIjogMSwgInRhZyI6ICJib3RoI"
	"n0\",\"protected\":\"eyJmb3JtYXRMZW5ndGgiOjMxMCwiZm9ybWF0VGFpbCI6ImZRIn0\","
	"\"signature\":\"qma91WcQi1qvnP_AgRe1SPYJKTlQd1GPU_3mqDeuitxkAO11tBCG3HzV7"
	"WiHG0RRADdGLeeS55FqRUcJ97u6mQ\"}]}";
#define RECORDED_DIGEST "sha256:22bc8663f6eeed12badd2ee7a9046c1069155f9528663b723009233e42bd3aaa"


static int parse(const char *text, davit_tri verify, davit_registry_manifest **m, davit_err *e)
{
	return davit_registry_manifest_parse(
	    text, strlen(text), NULL, DAVIT_OPTS(davit_registry_manifest_opts, .verify = verify), m, e);
}

/* text with the first from replaced by to; the caller frees. */
static char *replaced(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);
	char *out;

	assert_non_null(at);
	assert_true(asprintf(&out, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)) > 0);
	return out;
}

static void verifies_what_dxf_signed(void **state)
{
	davit_registry_manifest *m;
	davit_err e;

	(void)state;
	assert_code(0, parse(recorded, DAVIT_UNSET, &m, &e), e);
	assert_int_equal(m->schema_version, 1);
	assert_string_equal(m->digest, RECORDED_DIGEST);
	assert_int_equal(m->layers.n, 2);
	assert_string_equal(m->layers.v[0]->digest, B1);
	assert_string_equal(m->layers.v[1]->digest, B2);
	assert_int_equal(m->layers.v[0]->size, -1);
	assert_null(m->config);
	davit_reply_free(m);
}

static void refuses_what_was_changed(void **state)
{
	static const struct {
		const char *from, *to;
		int code;
		const char *part;
	} rows[] = {
		{ "1a4f0b86", "1a4f0b87", DAVIT_EINTEGRITY, "the signature is not" },
		{ "\"signature\":\"q", "\"signature\":\"r", DAVIT_EINTEGRITY, "the signature is not" },
		{ "\"signature\":\"qma", "\"signature\":\"", DAVIT_EINTEGRITY, "malformed" },
		{ "\"x\":\"c5", "\"x\":\"c6", DAVIT_EINTEGRITY, "no point of P-256" },
		{ "\"alg\":\"ES256\"", "\"alg\":\"none\"", DAVIT_EINTEGRITY,
		  "disallowed signature algorithm: none" },
		{ "\"alg\":\"ES256\"", "\"alg\":\"RS256\"", DAVIT_EUNSUPPORTED,
		  "disallowed signature algorithm: RS256" },
		{ "\"alg\":\"ES256\"", "\"alg\":\"ES256\",\"chain\":[\"x\"]", DAVIT_EUNSUPPORTED,
		  "cert chain" },
		{ "\"kty\":\"EC\"", "\"kty\":\"RSA\"", DAVIT_EUNSUPPORTED, "expected key type EC, got RSA" },
		{ "\"crv\":\"P-256\"", "\"crv\":\"P-384\"", DAVIT_EUNSUPPORTED,
		  "expected key type P-256, got P-384" },
		{ "\"protected\":\"ey", "\"protected\":\"!!", DAVIT_EINTEGRITY, "no base64" },
		{ "\"signatures\"", "\"notsigned\"", DAVIT_EINTEGRITY, "not signed" },
		{ "\"signatures\": [", "\"signatures\": [], \"x\": [", DAVIT_EINTEGRITY, "not signed" },
	};
	davit_registry_manifest *m = NULL;
	davit_err e;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char *text = replaced(recorded, rows[i].from, rows[i].to);

		assert_code(rows[i].code, parse(text, DAVIT_YES, &m, &e), e);
		assert_has(e.msg, rows[i].part);
		free(text);
	}
	assert_null(m);
}

/* Members behind the signed text must not override it. */
static void believes_only_what_is_signed(void **state)
{
	char *text = replaced(recorded, ", \"signatures\"",
			      ", \"fsLayers\": [{\"blobSum\": \"" EMPTY "\"}], \"signatures\"");
	davit_registry_manifest *m;
	davit_err e;

	(void)state;
	assert_code(0, parse(text, DAVIT_YES, &m, &e), e);
	assert_int_equal(m->layers.n, 2);
	assert_string_equal(m->layers.v[0]->digest, B1);
	davit_reply_free(m);
	free(text);
}

static void accepts_unsigned_if_told(void **state)
{
	static const char *const blobs[] = { B1, B2 };
	const davit_strv digests = { blobs, 2 };
	davit_registry_manifest *m, *again;
	davit_err e;
	char *bad;

	(void)state;
	assert_code(0, davit_registry_manifest_make_schema1("foo/bar", "both", &digests, &m, &e), e);
	assert_string_equal(m->digest, RECORDED_DIGEST); /* the same bytes as dxf */
	assert_code(DAVIT_EINTEGRITY, parse(davit_reply_raw(m, NULL), DAVIT_UNSET, &again, &e), e);
	assert_code(0, parse(davit_reply_raw(m, NULL), DAVIT_NO, &again, &e), e);
	davit_reply_free(again);
	davit_reply_free(m);
	bad = replaced(recorded, "\"signature\":\"q", "\"signature\":\"r");
	assert_code(0, parse(bad, DAVIT_NO, &again, &e), e);
	davit_reply_free(again);
	free(bad);
	assert_code(DAVIT_EARG, davit_registry_manifest_make_schema1("foo", NULL, &digests, &m, &e), e);
}

static void escapes_as_python_does(void **state)
{
	static const char *const blobs[] = { B1 };
	const davit_strv digests = { blobs, 1 };
	davit_registry_manifest *m;
	davit_err e;

	(void)state;
	assert_code(0, davit_registry_manifest_make_schema1("a\"b/c", "\xc3\xa4\n", &digests, &m, &e), e);
	assert_string_equal(davit_reply_raw(m, NULL),
			    "{\"fsLayers\": [{\"blobSum\": \"" B1
			    "\"}], \"history\": [{\"v1Compatibility\": \"{}\"}], "
			    "\"name\": \"a\\\"b/c\", \"schemaVersion\": 1, \"tag\": \"\\u00e4\\n\"}");
	davit_reply_free(m);
}

static void signs(void **state)
{
	static const char text[] = "{\"fsLayers\": [], \"schemaVersion\": 1}\n";
	struct buf out = BUF_INIT(1 << 16);
	davit_registry_manifest *m;
	davit_err e;

	(void)state;
	assert_code(0, registry_schema1_sign(text, strlen(text), &out, &e), e);
	assert_code(0, parse(buf_str(&out), DAVIT_YES, &m, &e), e);
	assert_int_equal(m->layers.n, 0);
	davit_reply_free(m);
	buf_fini(&out);
	assert_code(DAVIT_EARG, registry_schema1_sign("[]", 2, &out, &e), e);
}

static int check(const char *input, const char *x, const char *y, const char *signature, davit_err *e)
{
	const struct jws_text text = { x, y, signature };

	return jws_verify(input, strlen(input), &text, e);
}

/* RFC 7515, appendix A.3: the example of ES256. */
static void knows_the_example_of_the_rfc(void **state)
{
	static const char input[] =
	    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGF"
	    "tcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
	static const char x[] = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
	static const char y[] = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
	static const char sig[] =
	    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
	struct jws_es256 made;
	davit_err e;

	(void)state;
	assert_code(0, check(input, x, y, sig, &e), e);
	assert_code(DAVIT_EINTEGRITY, check(input + 1, x, y, sig, &e), e);
	assert_code(DAVIT_EINTEGRITY, check(input, y, x, sig, &e), e);
	assert_code(DAVIT_EINTEGRITY, check(input, x, NULL, sig, &e), e);
	assert_code(DAVIT_EINTEGRITY, check(input, x, y, "AAAA", &e), e);
	for (int i = 0; i < 64; i++) {
		assert_code(0, jws_sign_once(input, strlen(input), &made, &e), e);
		assert_int_equal(strlen(made.x), 43);
		assert_int_equal(strlen(made.signature), 86);
		assert_code(0, check(input, made.x, made.y, made.signature, &e), e);
	}
}

static void is_the_way_out_for_old_registries(void **state)
{
	static const struct step steps[] = {
		{ .request = "HEAD /v2/foo/bar/blobs/" B1, 200, "Content-Length: 10\r\n" },
		{ .request = "PUT /v2/foo/bar/manifests/t",
		  400,
		  NULL,
		  "{\"errors\":[{\"code\":\"MANIFEST_INVALID\"}]}" },
		{ .request = "PUT /v2/foo/bar/manifests/t", 201 },
		{ .request = "HEAD /v2/foo/bar/blobs/" B1, 200, "Content-Length: 10\r\n" },
		{ .request = "PUT /v2/foo/bar/manifests/t",
		  400,
		  NULL,
		  "{\"errors\":[{\"code\":\"MANIFEST_INVALID\"}]}" },
		{ .request = "PUT /v2/foo/bar/manifests/t", 500 },
	};
	static const char *const blobs[] = { B1 };
	const davit_strv digests = { blobs, 1 };
	davit_registry_manifest *m, *again;
	struct script s;

	(void)state;
	SCRIPT(&s, steps, NULL);
	assert_code(0, davit_registry_alias_set(s.r, "foo/bar", "t", &digests, &m, &s.e), s.e);
	assert_int_equal(m->schema_version, 1);
	assert_null(script_header(&s, 2, "Content-Type"));
	assert_string_equal(buf_str(&s.server.seen[2].body), davit_reply_raw(m, NULL));
	assert_code(0, parse(davit_reply_raw(m, NULL), DAVIT_YES, &again, &s.e), s.e);
	davit_reply_free(again);
	davit_reply_free(m);
	assert_code(DAVIT_EREMOTE, davit_registry_alias_set(s.r, "foo/bar", "t", &digests, &m, &s.e), s.e);
	assert_int_equal(s.e.http, 400);
	script_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verifies_what_dxf_signed),
		cmocka_unit_test(refuses_what_was_changed),
		cmocka_unit_test(believes_only_what_is_signed),
		cmocka_unit_test(accepts_unsigned_if_told),
		cmocka_unit_test(escapes_as_python_does),
		cmocka_unit_test(signs),
		cmocka_unit_test(knows_the_example_of_the_rfc),
		cmocka_unit_test(is_the_way_out_for_old_registries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Docker schema 1 manifests: the text of python-dxf, signed as libtrust does. A signature covers the first
 * formatLength bytes with formatTail behind them; the rest is the signatures. Only what is covered is
 * believed.
 */
#include <string.h>
#include <strings.h>

#include "auth/jws.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/limits.h"
#include "services/registry/registry_internal.h"
#include "wire/base64.h"

/* --- types ------------------------------------------------------------------------------------- */

struct s1_layer {
	const char *blob_sum;
};
struct s1_history {
	const char *v1;
};
struct s1_manifest {
	const char *name, *tag;
	int64_t schema_version;
	struct {
		const struct s1_layer *const *v;
		size_t n;
	} layers;
	struct {
		const struct s1_history *const *v;
		size_t n;
	} history;
};

static const struct type layer_type = TYPE(struct s1_layer,
	F(struct s1_layer, blob_sum, "blobSum", .required = true));
static const struct type history_type = TYPE(struct s1_history,
	F(struct s1_history, v1, "v1Compatibility"));
static const struct type manifest_type = TYPE(struct s1_manifest,
	F_VEC(struct s1_manifest, layers, "fsLayers", struct s1_layer, &layer_type, .required = true),
	F_VEC(struct s1_manifest, history, "history", struct s1_history, &history_type),
	F(struct s1_manifest, name, "name"),
	F(struct s1_manifest, schema_version, "schemaVersion", .required = true),
	F(struct s1_manifest, tag, "tag"));

struct s1_jwk {
	const char *crv, *kty, *x, *y;
};
struct s1_header {
	const char *alg;
	const struct s1_jwk *jwk;
	davit_raw chain;
};
struct s1_signature {
	const struct s1_header *header;
	const char *protected_part, *signature;
};
struct s1_signed {
	struct {
		const struct s1_signature *const *v;
		size_t n;
	} signatures;
};
/* What the protected part says. */
struct s1_format {
	int64_t length;
	const char *tail;
};

static const struct type jwk_type = TYPE(struct s1_jwk,
	F(struct s1_jwk, crv, "crv"), F(struct s1_jwk, kty, "kty"),
	F(struct s1_jwk, x, "x"), F(struct s1_jwk, y, "y"));
static const struct type header_type = TYPE(struct s1_header,
	F(struct s1_header, alg, "alg", .required = true),
	F_PTR(struct s1_header, jwk, "jwk", struct s1_jwk, &jwk_type),
	F(struct s1_header, chain, "chain"));
static const struct type signature_type = TYPE(struct s1_signature,
	F_PTR(struct s1_signature, header, "header", struct s1_header, &header_type, .required = true),
	F(struct s1_signature, protected_part, "protected", .required = true),
	F(struct s1_signature, signature, "signature", .required = true));
static const struct type signed_type = TYPE(struct s1_signed,
	F_VEC(struct s1_signed, signatures, "signatures", struct s1_signature, &signature_type));
static const struct type format_type = TYPE(struct s1_format,
	F(struct s1_format, length, "formatLength", .required = true),
	F(struct s1_format, tail, "formatTail", .required = true));

bool registry_is_schema1(const struct jnode *j)
{
	return davit_value_int(davit_value_member(json_value(j), "schemaVersion"), 0) == 1;
}

/* --- reading ----------------------------------------------------------------------------------- */

static int decode_format(const struct s1_signature *s, struct arena *a, struct s1_format *out, davit_err *e)
{
	AUTO_BUF struct buf text = BUF_INIT(LIMIT_HEADER_LINE);
	struct jnode *j = NULL;
	int r;

	if (!base64_decode(&text, s->protected_part, strlen(s->protected_part)))
		return err_set(e, DAVIT_EINTEGRITY, "the protected part of a signature is no base64");
	r = json_parse(buf_str(&text), text.len, &j, e);
	if (!r)
		r = codec_decode(&format_type, j, out, a, e);
	json_unref(j);
	return err_at(e, r, "the protected part of a signature: ");
}

/* The text that the signature covers. */
static int take_payload(const struct registry_bytes *b, const struct s1_signature *s, struct arena *a,
			struct buf *out, davit_err *e)
{
	struct s1_format f = { 0 };
	int r = decode_format(s, a, &f, e);

	if (r)
		return r;
	if (f.length < 0 || (uint64_t)f.length > b->n)
		return err_set(e, DAVIT_EINTEGRITY, "a signature covers more than there is");
	buf_add(out, b->p, (size_t)f.length);
	if (!base64_decode(out, f.tail, strlen(f.tail)))
		return err_set(e, DAVIT_EINTEGRITY, "the formatTail of a signature is no base64");
	return buf_check(out, "the manifest", e);
}

static int check_algorithm(const struct s1_header *h, davit_err *e)
{
	if (!strcasecmp(h->alg, "none"))
		return err_set(e, DAVIT_EINTEGRITY, "disallowed signature algorithm: %s", h->alg);
	if (h->chain.json)
		return err_set(e, DAVIT_EUNSUPPORTED, "verification with a cert chain is not implemented");
	if (!h->jwk || !h->jwk->kty || strcmp(h->jwk->kty, "EC") != 0)
		return err_set(e, DAVIT_EUNSUPPORTED, "expected key type EC, got %s",
			       h->jwk && h->jwk->kty ? h->jwk->kty : "none");
	if (!h->jwk->crv || strcmp(h->jwk->crv, "P-256") != 0)
		return err_set(e, DAVIT_EUNSUPPORTED, "expected key type P-256, got %s",
			       h->jwk->crv ? h->jwk->crv : "none");
	if (strcmp(h->alg, "ES256") != 0)
		return err_set(e, DAVIT_EUNSUPPORTED, "disallowed signature algorithm: %s", h->alg);
	return 0;
}

static int verify(const struct s1_signature *s, const struct buf *payload, davit_err *e)
{
	const struct jws_text text = { s->header->jwk->x, s->header->jwk->y, s->signature };
	AUTO_BUF struct buf input = BUF_INIT(2 * LIMIT_MANIFEST_READ);
	int r;

	buf_puts(&input, s->protected_part);
	buf_putc(&input, '.');
	base64url_encode(&input, buf_str(payload), payload->len);
	r = buf_check(&input, "the signed text", e);
	if (r)
		return r;
	return jws_verify(buf_str(&input), input.len, &text, e);
}

static int check_signatures(const struct registry_bytes *b, const struct s1_signed *s, struct arena *a,
			    struct buf *payload, davit_err *e)
{
	int r = 0;

	if (!s->signatures.n && !b->unverified)
		return err_set(e, DAVIT_EINTEGRITY, "the schema 1 manifest is not signed");
	if (s->signatures.n > LIMIT_SCOPES)
		return err_set(e, DAVIT_ELIMIT, "a manifest with %zu signatures", s->signatures.n);
	if (s->signatures.n)
		r = take_payload(b, s->signatures.v[0], a, payload, e);
	else
		buf_add(payload, b->p, b->n);
	for (size_t i = 0; !r && !b->unverified && i < s->signatures.n; i++) {
		r = check_algorithm(s->signatures.v[i]->header, e);
		if (!r)
			r = verify(s->signatures.v[i], payload, e);
	}
	return r ? r : buf_check(payload, "the manifest", e);
}

/* The blobs, in file order. */
static int take_layers(const struct s1_manifest *s1, struct arena *a, davit_registry_manifest *out,
		       davit_err *e)
{
	size_t n = s1->layers.n;
	davit_registry_descriptor *d = arena_alloc(a, n ? n : 1, sizeof *d);
	const davit_registry_descriptor **v = arena_alloc(a, n ? n : 1, sizeof *v);

	if (n > LIMIT_LAYERS)
		return err_set(e, DAVIT_ELIMIT, "a manifest with %zu layers: the limit is %d", n,
			       LIMIT_LAYERS);
	if (!d || !v)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++) {
		enum digest_alg alg;
		const char *hex;

		d[i].digest = s1->layers.v[i]->blob_sum;
		d[i].size = -1;
		v[i] = &d[i];
		if (digest_parse(d[i].digest, &alg, &hex, NULL) == DAVIT_EARG)
			return err_set(e, DAVIT_EPROTO, "manifest.fsLayers[%zu].blobSum: \"%s\" is no digest",
				       i, d[i].digest);
	}
	out->layers = (davit_registry_descriptors){ v, n };
	return 0;
}

static int decode_payload(const struct buf *payload, struct arena *a, davit_registry_manifest *out,
			  davit_err *e)
{
	struct s1_manifest s1 = { 0 };
	char digest[DAVIT_DIGEST_MAX];
	struct jnode *j = NULL;
	int r = json_parse(buf_str(payload), payload->len, &j, e);

	if (!r)
		r = codec_decode(&manifest_type, j, &s1, a, e);
	json_unref(j);
	if (!r && s1.schema_version != 1)
		r = err_set(e, DAVIT_EINTEGRITY, ": what is signed is not schema 1");
	r = err_at(e, r, "manifest");
	if (!r)
		r = take_layers(&s1, a, out, e);
	if (!r)
		r = davit_digest_bytes(buf_str(payload), payload->len, digest, e);
	if (r)
		return r;
	out->schema_version = 1;
	out->digest = arena_strdup(a, digest);
	return out->digest ? 0 : err_nomem(e);
}

int registry_schema1_decode(const struct registry_bytes *b, const struct jnode *j, struct arena *a,
			    davit_registry_manifest *out, davit_err *e)
{
	AUTO_BUF struct buf payload = BUF_INIT(LIMIT_MANIFEST_READ);
	struct s1_signed s = { 0 };
	int r = err_at(e, codec_decode(&signed_type, j, &s, a, e), "manifest");

	if (!r)
		r = check_signatures(b, &s, a, &payload, e);
	if (!r)
		r = decode_payload(&payload, a, out, e);
	out->media_type = s.signatures.n ? "application/vnd.docker.distribution.manifest.v1+prettyjws"
					 : "application/vnd.docker.distribution.manifest.v1+json";
	return r;
}

/* --- writing ----------------------------------------------------------------------------------- */

int registry_schema1_make(const char *repo, const char *alias, const davit_strv *digests, struct buf *out,
			  davit_err *e)
{
	static const struct s1_history nothing = { "{}" };
	struct s1_manifest m = { .name = repo, .tag = alias, .schema_version = 1 };
	struct arena mem = { 0 };
	struct s1_layer *layers = arena_alloc(&mem, digests->n, sizeof *layers);
	const struct s1_layer **lv = arena_alloc(&mem, digests->n, sizeof *lv);
	const struct s1_history **hv = arena_alloc(&mem, digests->n, sizeof *hv);
	int r;

	if (!layers || !lv || !hv) {
		arena_fini(&mem);
		return err_nomem(e);
	}
	for (size_t i = 0; i < digests->n; i++) {
		layers[i].blob_sum = digests->v[i];
		lv[i] = &layers[i];
		hv[i] = &nothing;
	}
	m.layers.v = lv;
	m.history.v = hv;
	m.layers.n = m.history.n = digests->n;
	r = registry_json(&manifest_type, &m, out, e);
	arena_fini(&mem);
	return r;
}

int registry_schema1_sign(const char *text, size_t n, struct buf *out, davit_err *e)
{
	AUTO_BUF struct buf format = BUF_INIT(256), tail = BUF_INIT(LIMIT_MANIFEST);
	AUTO_BUF struct buf head64 = BUF_INIT(512), payload64 = BUF_INIT(2 * LIMIT_MANIFEST);
	AUTO_BUF struct buf input = BUF_INIT(2 * LIMIT_MANIFEST);
	const char *end = memrchr(text, '}', n);
	size_t length = end ? (size_t)(end - text) : 0;
	struct jws_es256 s;
	int r;

	if (!end)
		return err_set(e, DAVIT_EARG, "the text to sign is no JSON object");
	base64url_encode(&tail, end, n - length);
	buf_printf(&format, "{\"formatLength\":%zu,\"formatTail\":\"%s\"}", length, buf_str(&tail));
	base64url_encode(&head64, buf_str(&format), format.len);
	base64url_encode(&payload64, text, n);
	buf_printf(&input, "%s.%s", buf_str(&head64), buf_str(&payload64));
	r = buf_check(&input, "the signed text", e);
	if (!r)
		r = jws_sign_once(buf_str(&input), input.len, &s, e);
	if (r)
		return r;
	buf_add(out, text, length);
	buf_printf(
	    out,
	    ", \"signatures\": [{\"header\":{\"alg\":\"ES256\",\"jwk\":{\"crv\":\"P-256\",\"kty\":\"EC\","
	    "\"x\":\"%s\",\"y\":\"%s\"}},\"payload\":\"%s\",\"protected\":\"%s\",\"signature\":\"%s\"}]",
	    s.x, s.y, buf_str(&payload64), buf_str(&head64), s.signature);
	buf_add(out, end, n - length);
	return buf_check(out, "the signed manifest", e);
}

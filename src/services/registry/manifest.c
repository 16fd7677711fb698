/* Manifests and indexes: understanding, reading, writing, deleting. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/limits.h"
#include "services/registry/blob.h"
#include "wire/json.h"

#define DOCKER "application/vnd.docker.distribution.manifest."
#define OCI    "application/vnd.oci.image."

/* What we can understand. Schema 1 is told by its body. */
enum { OCI_IMAGE = 0, OCI_INDEX, DOCKER_IMAGE, DOCKER_INDEX };
static const struct media {
	const char *type;
	bool index;
} known[] = {
	[OCI_IMAGE] = { OCI "manifest.v1+json", false },
	[OCI_INDEX] = { OCI "index.v1+json", true },
	[DOCKER_IMAGE] = { DOCKER "v2+json", false },
	[DOCKER_INDEX] = { DOCKER "list.v2+json", true },
};

static const char accept_all[] = DOCKER "v1+json, " DOCKER "v2+json, " DOCKER "list.v2+json, " OCI
					"manifest.v1+json, " OCI "index.v1+json";

/* n: length of type without parameters. */
static const struct media *find_media(const char *type, size_t n)
{
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (strlen(known[i].type) == n && !strncasecmp(known[i].type, type, n))
			return &known[i];
	}
	return NULL;
}

/* --- understanding ----------------------------------------------------------------------------- */

static bool has_array(const struct jnode *j, const char *name)
{
	return davit_value_get_type(davit_value_member(json_value(j), name)) == DAVIT_VALUE_ARRAY;
}

/* mediaType decides; an OCI manifest may leave it out: then Content-Type, then what the members look like. */
static const struct media *choose_media(const struct registry_bytes *b, const struct jnode *j, int *code,
					davit_err *e)
{
	const char *own = davit_value_string(davit_value_member(json_value(j), "mediaType"));
	const char *type = own ? own : b->content_type;
	const struct media *found = type ? find_media(type, strcspn(type, " ;")) : NULL;

	*code = 0;
	if (found)
		return found;
	if (own)
		*code = err_set(e, DAVIT_EUNSUPPORTED, "The mediaType \"%s\" is not supported", own);
	else if (has_array(j, "layers"))
		return &known[OCI_IMAGE];
	else if (has_array(j, "manifests"))
		return &known[OCI_INDEX];
	else
		*code = err_set(e, DAVIT_EPROTO,
				"this is no manifest: it has neither mediaType nor layers nor manifests");
	return NULL;
}

static int check_descriptors(const char *what, const davit_registry_descriptors *d, size_t max, davit_err *e)
{
	if (d->n > max)
		return err_set(e, DAVIT_ELIMIT, "a manifest with %zu %s: the limit is %zu", d->n, what, max);
	for (size_t i = 0; i < d->n; i++) {
		enum digest_alg alg;
		const char *hex;
		int r = digest_parse(d->v[i]->digest, &alg, &hex, e);

		/* Another algorithm is no fault of the manifest. */
		if (r && r != DAVIT_EUNSUPPORTED)
			return err_set(e, DAVIT_EPROTO, "manifest.%s[%zu].digest: \"%s\" is no digest", what,
				       i, d->v[i]->digest);
		if (d->v[i]->size < 0)
			return err_set(e, DAVIT_EPROTO, "manifest.%s[%zu].size is negative", what, i);
	}
	return 0;
}

static int check_shape(const struct media *m, const struct jnode *j, davit_registry_manifest *out,
		       davit_err *e)
{
	int r;

	/* One client would see an image where another sees an index. */
	if (has_array(j, "layers") + has_array(j, "manifests") + has_array(j, "fsLayers") > 1)
		return err_set(e, DAVIT_EPROTO, "an ambiguous manifest: it has layers and manifests at once");
	if (m->index && !out->manifests.v)
		return err_set(e, DAVIT_EPROTO, "manifest.manifests is missing, though its type is %s",
			       m->type);
	if (!m->index && !out->layers.v)
		return err_set(e, DAVIT_EPROTO, "manifest.layers is missing, though its type is %s", m->type);
	if (m->index)
		out->layers = (davit_registry_descriptors){ 0 };
	else
		out->manifests = (davit_registry_descriptors){ 0 };
	r = check_descriptors("layers", &out->layers, LIMIT_LAYERS, e);
	return r ? r : check_descriptors("manifests", &out->manifests, LIMIT_INDEX_ENTRIES, e);
}

static int decode_schema2(const struct registry_bytes *b, const struct jnode *j, struct arena *a,
			  davit_registry_manifest *out, davit_err *e)
{
	char digest[DAVIT_DIGEST_MAX];
	int r;
	const struct media *media = choose_media(b, j, &r, e);

	if (!media)
		return r;
	r = err_at(e, codec_decode(&registry_manifest_type, j, out, a, e), "manifest");
	if (!r)
		r = check_shape(media, j, out, e);
	if (!r)
		r = davit_digest_bytes(b->p, b->n, digest, e);
	if (r)
		return r;
	out->media_type = media->type;
	out->digest = arena_strdup(a, digest);
	return out->digest ? 0 : err_nomem(e);
}

int registry_manifest_decode(const struct registry_bytes *b, struct arena *a, davit_registry_manifest *out,
			     davit_err *e)
{
	davit_registry_manifest m = { 0 };
	struct jnode *j = NULL;
	int r;

	if (b->n > LIMIT_MANIFEST_READ)
		return err_set(e, DAVIT_ELIMIT, "a manifest of %zu bytes is larger than %d", b->n,
			       LIMIT_MANIFEST_READ);
	r = err_at(e, json_parse(b->p, b->n, &j, e), "the manifest: ");
	if (r)
		return r;
	if (davit_value_get_type(json_value(j)) != DAVIT_VALUE_OBJECT)
		r = err_set(e, DAVIT_EPROTO, "the manifest is no JSON object");
	else if (registry_is_schema1(j))
		r = registry_schema1_decode(b, j, a, &m, e);
	else
		r = decode_schema2(b, j, a, &m, e);
	json_unref(j);
	if (!r)
		*out = m;
	return r;
}

int registry_manifest_reply(const struct registry_bytes *b, davit_registry_manifest **out, davit_err *e)
{
	davit_registry_manifest *m = reply_new(&registry_manifest_type, e);
	int r;

	if (!m)
		return DAVIT_ENOMEM;
	r = reply_set_raw(m, b->p, b->n, e);
	if (!r)
		r = registry_manifest_decode(b, reply_arena(m), m, e);
	if (r)
		davit_reply_free(m);
	else
		*out = m;
	return r;
}

int davit_registry_manifest_parse(const char *bytes, size_t n, const char *media_type,
				  const davit_registry_manifest_opts *opts, davit_registry_manifest **out,
				  davit_err *e)
{
	const struct registry_bytes b = {
		.p = bytes,
		.n = n,
		.content_type = media_type,
		.unverified = opts && opts->verify == DAVIT_NO,
	};
	int r = CHECK_OPTS(opts, davit_registry_manifest_opts, e);

	if (!r && !bytes)
		r = err_set(e, DAVIT_EARG, "the manifest is missing");
	return r ? r : registry_manifest_reply(&b, out, e);
}

int registry_json(const struct type *t, const void *in, struct buf *out, davit_err *e)
{
	const davit_sink sink = buf_sink(out);
	struct jnode *j = NULL;
	int r = codec_encode(t, in, 0, &j, e), full;

	if (!r)
		r = davit_value_write(json_value(j), DAVIT_VALUE_SPACED, &sink, e);
	json_unref(j);
	full = buf_check(out, "the manifest", e);
	return full ? full : r;
}

/* --- reading ----------------------------------------------------------------------------------- */

int registry_digest_like(const char *like, const char *p, size_t n, char out[DAVIT_DIGEST_MAX], davit_err *e)
{
	struct digest *d = NULL;
	enum digest_alg alg;
	const char *hex;
	int r = digest_parse(like, &alg, &hex, e);

	if (!r)
		r = digest_new(alg, &d, e);
	if (!r)
		r = digest_update(d, p, n) ? err_nomem(e) : digest_text(d, out, e);
	digest_free(d);
	return r;
}

/* The digest that the manifest must have; schema 1 is named after its unsigned text, in sha256. */
static int check_digest(const davit_registry_manifest *m, const char *expected, const char *who, davit_err *e)
{
	char digest[DAVIT_DIGEST_MAX];
	const char *got = m->digest;
	int r = 0;

	if (m->schema_version != 1) {
		size_t n;
		const char *raw = davit_reply_raw(m, &n);

		r = err_at(e, registry_digest_like(expected, raw, n, digest, e), "%s: ", who);
		got = digest;
	}
	if (!r && strcmp(got, expected) != 0)
		r = err_set(e, DAVIT_EINTEGRITY, "%s: expected digest %s, got %s", who, expected, got);
	return r == DAVIT_EARG ? err_set(e, DAVIT_EPROTO, "%s: \"%s\" is no digest", who, expected) : r;
}

/* opts->accept joined, or all types. */
static int add_accept(const davit_registry_manifest_opts *opts, struct headers *h, davit_err *e)
{
	AUTO_BUF struct buf text = BUF_INIT(LIMIT_HEADER_LINE);
	int r;

	if (!opts || !opts->accept.v)
		return headers_add(h, "Accept", accept_all, e);
	for (size_t i = 0; i < opts->accept.n; i++)
		buf_printf(&text, "%s%s", i ? ", " : "", opts->accept.v[i]);
	r = buf_check(&text, "the list of media types", e);
	return r ? r : headers_add(h, "Accept", buf_str(&text), e);
}

static int check_target(const struct registry_at *at, struct buf *name, davit_err *e)
{
	int rc = registry_repo(at->r, at->repo, name, e);

	return rc ? rc : registry_check_reference(at->r, at->reference, e);
}

/* Decodes what was received into its own reply and checks all digests. */
static int accept_reply(davit_registry_manifest *m, const char *reference, bool unverified, davit_err *e)
{
	const char *stored = davit_reply_header(m, "Docker-Content-Digest");
	struct registry_bytes b = {
		.content_type = davit_reply_header(m, "Content-Type"), .unverified = unverified,
	};
	int r;

	b.p = davit_reply_raw(m, &b.n);
	r = registry_manifest_decode(&b, reply_arena(m), m, e);
	if (!r && stored && *stored && !(unverified && m->schema_version == 1))
		r = check_digest(m, stored, "Docker-Content-Digest", e);
	if (!r && strchr(reference, ':'))
		r = check_digest(m, reference, "the manifest", e);
	return r;
}

int registry_manifest_fetch(const struct registry_at *at, const davit_registry_manifest_opts *opts,
			    davit_registry_manifest **out, davit_err *e)
{
	AUTO_BUF struct buf name = BUF_INIT(LIMIT_URL);
	struct headers h = { 0 };
	struct call c = { .ep = REGISTRY_ROW(R_MANIFEST_GET), .headers = &h, .decode = true };
	void *m = NULL;
	int rc = check_target(at, &name, e);

	if (rc)
		return rc;
	rc = add_accept(opts, &h, e);
	c.path = PATH(buf_str(&name), at->reference);
	if (!rc)
		rc = registry_call(at->r, &c, &m, e);
	headers_fini(&h);
	if (rc)
		return rc;
	rc = accept_reply(m, at->reference, opts && opts->verify == DAVIT_NO, e);
	if (rc) {
		davit_reply_free(m);
		return err_at(e, rc, "%s/%s%s%s: %s: ", at->r->host, at->repo,
			      strchr(at->reference, ':') ? "@" : ":", at->reference, c.ep->name);
	}
	*out = m;
	return 0;
}

int registry_manifest_fetch_entry(const struct registry_at *at, const davit_registry_manifest_opts *opts,
				  davit_registry_manifest **out, davit_err *e)
{
	davit_registry_manifest *m;
	int rc = registry_manifest_fetch(at, opts, &m, e);

	if (rc)
		return rc;
	if (m->manifests.v) {
		rc = err_set(e, DAVIT_EUNSUPPORTED,
			     "The mediaType \"%s\" is not supported inside of an index (%s)", m->media_type,
			     at->reference);
		davit_reply_free(m);
		return rc;
	}
	*out = m;
	return 0;
}

int davit_registry_manifest_get(davit_registry *r, const char *repo, const char *reference,
				const davit_registry_manifest_opts *opts, davit_registry_manifest **out,
				davit_err *e)
{
	struct registry_at at = { r, repo, reference };
	const davit_registry_descriptor *d;
	davit_registry_manifest *index;
	int rc = CHECK_OPTS(opts, davit_registry_manifest_opts, e);

	if (!rc)
		rc = registry_manifest_fetch(&at, opts, &index, e);
	if (rc)
		return rc;
	if (!opts || !opts->platform || !index->manifests.v) {
		*out = index;
		return 0;
	}
	d = registry_platform_find(index, opts->platform, opts->exact_platform == DAVIT_YES);
	if (!d) {
		(void)registry_platform_missing(index, opts->platform, e);
		davit_reply_free(index);
		return DAVIT_ENOTFOUND;
	}
	at.reference = d->digest;
	rc = registry_manifest_fetch_entry(&at, opts, out, e);
	davit_reply_free(index);
	return rc;
}

/* For a registry whose HEAD does not tell the digest, and to look into an index. */
static int stat_by_reading(const struct registry_at *at, const davit_registry_manifest_opts *opts,
			   davit_registry_descriptor **out, davit_err *e)
{
	davit_registry_manifest *m = NULL;
	size_t n;
	int rc = davit_registry_manifest_get(at->r, at->repo, at->reference, opts, &m, e);

	if (rc)
		return rc;
	(void)davit_reply_raw(m, &n);
	rc = registry_descriptor(m->digest, (int64_t)n, m->media_type, out, e);
	davit_reply_free(m);
	return rc;
}

int davit_registry_manifest_stat(davit_registry *r, const char *repo, const char *reference,
				 const davit_registry_manifest_opts *opts, davit_registry_descriptor **out,
				 davit_err *e)
{
	const struct registry_at at = { r, repo, reference };
	AUTO_BUF struct buf name = BUF_INIT(LIMIT_URL);
	struct headers h = { 0 };
	struct call c = { .ep = REGISTRY_ROW(R_MANIFEST_STAT), .headers = &h };
	davit_registry_descriptor *d;
	int rc = CHECK_OPTS(opts, davit_registry_manifest_opts, e);

	if (!rc)
		rc = check_target(&at, &name, e);
	if (rc)
		return rc;
	if (opts && opts->platform)
		return stat_by_reading(&at, opts, out, e);
	rc = add_accept(opts, &h, e);
	c.path = PATH(buf_str(&name), reference);
	if (!rc)
		rc = registry_stat(r, &c, strchr(reference, ':') ? reference : NULL, &d, e);
	headers_fini(&h);
	if (rc)
		return rc;
	if (d->digest && *d->digest) {
		*out = d;
		return 0;
	}
	davit_reply_free(d);
	return stat_by_reading(&at, opts, out, e);
}

/* --- writing ----------------------------------------------------------------------------------- */

int registry_manifest_send(const struct registry_at *at, const davit_registry_manifest_body *body,
			   const char *digest, davit_err *e)
{
	AUTO_BUF struct buf name = BUF_INIT(LIMIT_URL);
	struct call c = {
		.ep = REGISTRY_ROW(R_MANIFEST_PUT), .body = body->bytes, .body_n = body->n,
		.content_type = body->media_type,
	};
	char own[DAVIT_DIGEST_MAX];
	const char *stored;
	void *reply;
	int rc = check_target(at, &name, e);

	if (rc)
		return rc;
	c.path = PATH(buf_str(&name), at->reference);
	rc = registry_call(at->r, &c, &reply, e);
	if (rc)
		return rc;
	stored = davit_reply_header(reply, "Docker-Content-Digest");
	if (stored && *stored && strcmp(stored, digest) != 0 &&
	    (registry_digest_like(stored, body->bytes, body->n, own, NULL) || strcmp(stored, own) != 0))
		rc = err_set(e, DAVIT_EINTEGRITY, "%s: the registry stored %s, expected %s", c.ep->name,
			     stored, digest);
	davit_reply_free(reply);
	return rc;
}

/* The type to send: what was said, else the body's own; schema 1 has none. */
static int body_type(const davit_registry_manifest_body *body, const davit_registry_manifest *m,
		     const char **out, davit_err *e)
{
	struct jnode *j = NULL;
	bool own;
	int r = body->media_type ? 0 : json_parse(body->bytes, body->n, &j, e);

	if (r)
		return r;
	own = j && davit_value_string(davit_value_member(json_value(j), "mediaType"));
	json_unref(j);
	*out = body->media_type ? body->media_type : own ? m->media_type : NULL;
	if (!*out && m->schema_version != 1)
		return err_set(e, DAVIT_EARG, "the manifest does not say its mediaType: name one "
			       "(media_type, davit --media-type)");
	return 0;
}

/* A reference that is a digest must be that of the bytes; whether it is one at all is checked elsewhere. */
static int check_promised(const davit_registry_manifest *m, const char *reference, davit_err *e)
{
	enum digest_alg alg;
	const char *hex;

	if (!reference || !strchr(reference, ':') || digest_parse(reference, &alg, &hex, NULL))
		return 0;
	return check_digest(m, reference, "the manifest to write", e);
}

int davit_registry_manifest_put(davit_registry *r, const char *repo, const char *reference,
				const davit_registry_manifest_body *body, davit_registry_descriptor **out,
				davit_err *e)
{
	const struct registry_at at = { r, repo, reference };
	struct registry_bytes b = { .unverified = true };
	davit_registry_manifest_body send;
	davit_registry_manifest *m;
	int rc;

	if (!body || !body->bytes)
		return err_set(e, DAVIT_EARG, "the manifest is missing");
	if (body->n > LIMIT_MANIFEST)
		return err_set(e, DAVIT_ELIMIT, "a manifest of %zu bytes is larger than %d", body->n,
			       LIMIT_MANIFEST);
	b.p = body->bytes;
	b.n = body->n;
	b.content_type = body->media_type;
	rc = registry_manifest_reply(&b, &m, e);
	if (rc)
		return rc;
	send = *body;
	rc = check_promised(m, reference, e);
	if (!rc)
		rc = body_type(body, m, &send.media_type, e);
	if (!rc)
		rc = registry_manifest_send(&at, &send, m->digest, e);
	if (!rc)
		rc = registry_descriptor(m->digest, (int64_t)body->n, m->media_type, out, e);
	davit_reply_free(m);
	return rc;
}

int davit_registry_manifest_delete(davit_registry *r, const char *repo, const char *reference, davit_err *e)
{
	const struct registry_at at = { r, repo, reference };
	AUTO_BUF struct buf name = BUF_INIT(LIMIT_URL);
	struct call c = { .ep = REGISTRY_ROW(R_MANIFEST_DELETE) };
	davit_err own = { 0 };
	int rc = check_target(&at, &name, e);

	if (rc)
		return rc;
	c.path = PATH(buf_str(&name), reference);
	rc = registry_call(r, &c, NULL, &own);
	/* What the specification and docker-registry 2 say about tags that cannot be deleted. */
	if (rc == DAVIT_EREMOTE && own.http == 400 && !strchr(reference, ':'))
		rc = err_set(&own, DAVIT_EUNSUPPORTED,
			     "%s/%s:%s: this registry deletes manifests by digest only, with all their tags; "
			     "manifest stat tells the digest",
			     r->host, repo, reference);
	if (rc && e)
		*e = own;
	return rc;
}

/* Aliases: tags whose manifests list blobs, and the platforms of an index. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/limits.h"
#include "services/registry/registry_internal.h"

/* --- platforms --------------------------------------------------------------------------------- */

char *registry_platform_text(const davit_registry_platform *p, struct arena *a)
{
	const char *variant = p && p->variant ? p->variant : "";

	if (!p || !p->os || !p->architecture)
		return NULL;
	return arena_printf(a, "%s/%s%s%s", p->os, p->architecture, *variant ? "/" : "", variant);
}

/* The variant that an architecture has if none is named, or "". */
static const char *default_variant(const char *arch, size_t n)
{
	if (n == 5 && !memcmp(arch, "arm64", 5))
		return "v8";
	return n == 3 && !memcmp(arch, "arm", 3) ? "v7" : "";
}

static bool same_text(const char *a, const char *b, size_t n)
{
	return strlen(a) == n && !memcmp(a, b, n);
}

/* 0: no match, 1: with the default variant, 2: to the letter. */
static int platform_match(const davit_registry_platform *p, const char *wanted, bool exact)
{
	size_t os = strcspn(wanted, "/"), arch;
	const char *variant = p && p->variant ? p->variant : "", *rest, *asked, *usual;

	if (!p || !p->os || !p->architecture || !wanted[os] || !same_text(p->os, wanted, os))
		return 0;
	rest = wanted + os + 1;
	arch = strcspn(rest, "/");
	if (!same_text(p->architecture, rest, arch))
		return 0;
	asked = rest[arch] ? rest + arch + 1 : "";
	if (!strcmp(asked, variant))
		return 2;
	usual = default_variant(rest, arch);
	return !exact && !strcmp(*asked ? asked : usual, *variant ? variant : usual);
}

const davit_registry_descriptor *registry_platform_find(const davit_registry_manifest *index,
							const char *platform, bool exact)
{
	const davit_registry_descriptor *found = NULL;
	int best = 1;

	for (size_t i = 0; i < index->manifests.n; i++) {
		int m = platform_match(index->manifests.v[i]->platform, platform, exact);

		if (m >= best) {
			best = m;
			found = index->manifests.v[i];
		}
	}
	return found;
}

int registry_platform_missing(const davit_registry_manifest *index, const char *platform, davit_err *e)
{
	AUTO_BUF struct buf list = BUF_INIT(512);
	struct arena mem = { 0 };

	for (size_t i = 0; i < index->manifests.n; i++) {
		const char *text = registry_platform_text(index->manifests.v[i]->platform, &mem);

		if (text)
			buf_printf(&list, "%s%s", list.len ? ", " : "", text);
	}
	arena_fini(&mem);
	return err_set(e, DAVIT_ENOTFOUND, "Data not found for platform: %s; the index has %s", platform,
		       list.len ? buf_str(&list) : "no platforms");
}

/* --- reading ----------------------------------------------------------------------------------- */

static const struct type alias_type = { .name = "davit_registry_alias", .size = sizeof(davit_registry_alias),
					.fields = (const struct field[]){ { .wire = NULL } } };

/* An alias reply that is being filled. */
struct alias {
	struct registry_at at;
	const davit_registry_manifest_opts *opts; /* may be NULL */
	davit_registry_alias *reply;
	davit_registry_alias_entry **v;           /* in the reply's arena */
};

/* One manifest of the alias, copied into its arena: the manifest's own reply ends here. */
static int fill_entry(struct alias *al, const davit_registry_manifest *m, davit_registry_alias_entry *out,
		      davit_err *e)
{
	struct arena *a = reply_arena(al->reply);
	davit_registry_manifest *copy = arena_alloc(a, 1, sizeof *copy);
	struct registry_bytes b = {
		.content_type = m->media_type, .unverified = al->opts && al->opts->verify == DAVIT_NO,
	};
	const char *raw = davit_reply_raw(m, &b.n);
	int r;

	b.p = arena_strndup(a, raw, b.n);
	if (!copy || !b.p)
		return err_nomem(e);
	r = registry_manifest_decode(&b, a, copy, e);
	if (r)
		return r;
	out->manifest = copy;
	out->manifest_digest = copy->digest;
	out->manifest_raw = b.p;
	out->manifest_size = b.n;
	out->config_digest = copy->config ? copy->config->digest : NULL;
	out->blobs = copy->layers;
	return 0;
}

/* The place for a platform: that of an earlier entry with the same one, or a new one. */
static davit_registry_alias_entry *place(struct alias *al, const char *platform)
{
	struct arena *a = reply_arena(al->reply);

	for (size_t i = 0; platform && i < al->reply->n; i++) {
		if (!strcmp(al->v[i]->platform, platform))
			return al->v[i];
	}
	al->v[al->reply->n] = arena_alloc(a, 1, sizeof **al->v);
	return al->v[al->reply->n] ? al->v[al->reply->n++] : NULL;
}

/* Makes an entry for a descriptor of an index; m is its manifest, or NULL. */
static int add_entry(struct alias *al, const davit_registry_descriptor *d, const davit_registry_manifest *m,
		     davit_err *e)
{
	struct arena *a = reply_arena(al->reply);
	davit_registry_alias_entry made = { .manifest_digest = arena_strdup(a, d->digest) }, *to;
	int r = 0;

	made.platform = registry_platform_text(d->platform, a);
	if (!made.platform)
		made.platform = made.manifest_digest;
	if (!made.manifest_digest)
		return err_nomem(e);
	if (m)
		r = fill_entry(al, m, &made, e);
	to = r ? NULL : place(al, made.platform);
	if (r || !to)
		return r ? r : err_nomem(e);
	*to = made;
	return 0;
}

static int add_fetched(struct alias *al, const davit_registry_descriptor *d, davit_err *e)
{
	const struct registry_at at = { al->at.r, al->at.repo, d->digest };
	davit_registry_manifest *m;
	int r = registry_manifest_fetch_entry(&at, al->opts, &m, e);

	if (r)
		return r;
	r = add_entry(al, d, m, e);
	davit_reply_free(m);
	return r;
}

static int add_single(struct alias *al, const davit_registry_manifest *m, davit_err *e)
{
	davit_registry_alias_entry made = { 0 }, *to;
	int r = fill_entry(al, m, &made, e);

	to = r ? NULL : place(al, NULL);
	if (r || !to)
		return r ? r : err_nomem(e);
	*to = made;
	return 0;
}

/* shallow: the manifests of an index are not read. */
static int fill_alias(struct alias *al, const davit_registry_manifest *m, bool shallow, davit_err *e)
{
	const char *platform = al->opts ? al->opts->platform : NULL;
	const davit_registry_descriptor *d;
	int r = 0;

	if (!m->manifests.v)
		return add_single(al, m, e);
	if (platform && !shallow) {
		d = registry_platform_find(m, platform, al->opts->exact_platform == DAVIT_YES);
		return d ? add_fetched(al, d, e) : registry_platform_missing(m, platform, e);
	}
	al->reply->index = true;
	for (size_t i = 0; !r && i < m->manifests.n; i++)
		r = shallow ? add_entry(al, m->manifests.v[i], NULL, e)
			    : add_fetched(al, m->manifests.v[i], e);
	return r;
}

/* What the alias with manifest m stands for. */
static int make_alias(struct alias *al, const davit_registry_manifest *m, bool shallow,
		      davit_registry_alias **out, davit_err *e)
{
	davit_registry_alias *reply = reply_new(&alias_type, e);
	struct arena *a;
	int r;

	if (!reply)
		return DAVIT_ENOMEM;
	al->reply = reply;
	a = reply_arena(reply);
	al->v = arena_alloc(a, m->manifests.n + 1, sizeof *al->v);
	reply->digest = arena_strdup(a, m->digest);
	r = al->v && reply->digest ? fill_alias(al, m, shallow, e) : err_nomem(e);
	if (r) {
		davit_reply_free(reply);
		return r;
	}
	reply->v = (const davit_registry_alias_entry *const *)al->v;
	*out = reply;
	return 0;
}

int davit_registry_alias_get(davit_registry *r, const char *repo, const char *alias,
			     const davit_registry_manifest_opts *opts, davit_registry_alias **out,
			     davit_err *e)
{
	struct alias al = { .at = { r, repo, alias }, .opts = opts };
	davit_registry_manifest *m;
	int rc = CHECK_OPTS(opts, davit_registry_manifest_opts, e);

	if (!rc)
		rc = registry_manifest_fetch(&al.at, opts, &m, e);
	if (rc)
		return rc;
	rc = make_alias(&al, m, false, out, e);
	davit_reply_free(m);
	return rc;
}

int davit_registry_alias_resolve(davit_registry *r, const char *repo,
				 const davit_registry_manifest_body *body,
				 const davit_registry_manifest_opts *opts, davit_registry_alias **out,
				 davit_err *e)
{
	struct alias al = { .at = { r, repo, NULL }, .opts = opts };
	davit_registry_manifest *m;
	int rc = body ? 0 : err_set(e, DAVIT_EARG, "the manifest is missing");

	if (!rc)
		rc = davit_registry_manifest_parse(body->bytes, body->n, body->media_type, opts, &m, e);
	if (rc)
		return rc;
	rc = make_alias(&al, m, false, out, e);
	davit_reply_free(m);
	return rc;
}

int davit_registry_alias_delete(davit_registry *r, const char *repo, const char *alias,
				davit_registry_alias **out, davit_err *e)
{
	struct alias al = { .at = { r, repo, alias } };
	davit_registry_alias *made = NULL;
	davit_registry_manifest *m;
	int rc = registry_manifest_fetch(&al.at, NULL, &m, e);

	if (rc)
		return rc;
	rc = make_alias(&al, m, true, &made, e);
	if (!rc)
		rc = davit_registry_manifest_delete(r, repo, m->digest, e);
	davit_reply_free(m);
	if (!rc && out)
		*out = made;
	else
		davit_reply_free(made);
	return rc;
}

/* --- writing ----------------------------------------------------------------------------------- */

/* The manifest of python-dxf: the first blob is the configuration, too. */
static int fill_layers(const struct registry_at *at, const davit_strv *digests, struct arena *a,
		       davit_registry_manifest *m, davit_err *e)
{
	const davit_registry_descriptor **v = arena_alloc(a, digests->n, sizeof *v);
	davit_registry_descriptor *layers = arena_alloc(a, digests->n + 1, sizeof *layers);
	int rc = 0;

	if (!v || !layers)
		return err_nomem(e);
	for (size_t i = 0; i < digests->n; i++) {
		davit_registry_descriptor *d;

		rc = davit_registry_blob_stat(at->r, at->repo, digests->v[i], &d, e);
		if (rc)
			return rc;
		layers[i] = (davit_registry_descriptor){
			.digest = digests->v[i], .size = d->size, .media_type = "application/octet-stream",
		};
		davit_reply_free(d);
		if (layers[i].size < 0)
			return err_set(e, DAVIT_EPROTO, "the registry does not say how large %s is",
				       digests->v[i]);
		v[i] = &layers[i];
	}
	layers[digests->n] = layers[0];
	layers[digests->n].media_type = "application/vnd.docker.container.image.v1+json";
	*m = (davit_registry_manifest){
		.schema_version = 2, .media_type = "application/vnd.docker.distribution.manifest.v2+json",
		.config = &layers[digests->n], .layers = { v, digests->n },
	};
	return 0;
}

static int check_digests(const davit_strv *digests, davit_err *e)
{
	if (!digests || !digests->n)
		return err_set(e, DAVIT_EARG, "an alias needs at least one blob");
	if (digests->n > LIMIT_LAYERS)
		return err_set(e, DAVIT_ELIMIT, "an alias of %zu blobs: the limit is %d", digests->n,
			       LIMIT_LAYERS);
	return 0;
}

static int as_reply(const struct buf *text, davit_registry_manifest **out, davit_err *e)
{
	const struct registry_bytes b = { .p = buf_str(text), .n = text->len, .unverified = true };

	return registry_manifest_reply(&b, out, e);
}

int davit_registry_manifest_make(davit_registry *r, const char *repo, const davit_strv *digests,
				 davit_registry_manifest **out, davit_err *e)
{
	const struct registry_at at = { r, repo, NULL };
	AUTO_BUF struct buf text = BUF_INIT(LIMIT_MANIFEST);
	davit_registry_manifest m;
	struct arena mem = { 0 };
	int rc = check_digests(digests, e);

	if (!rc)
		rc = fill_layers(&at, digests, &mem, &m, e);
	if (!rc)
		rc = registry_json(&registry_manifest_type, &m, &text, e);
	arena_fini(&mem);
	return rc ? rc : as_reply(&text, out, e);
}

int davit_registry_manifest_make_schema1(const char *repo, const char *alias, const davit_strv *digests,
					 davit_registry_manifest **out, davit_err *e)
{
	AUTO_BUF struct buf text = BUF_INIT(LIMIT_MANIFEST);
	int rc = check_digests(digests, e);

	if (!rc && (!repo || !alias))
		rc = err_set(e, DAVIT_EARG, "the name of the repository or of the alias is missing");
	if (!rc)
		rc = registry_schema1_make(repo, alias, digests, &text, e);
	return rc ? rc : as_reply(&text, out, e);
}

/* PUT of a manifest that was made; media_type NULL: none is said. Takes m. */
static int send_made(const struct registry_at *at, davit_registry_manifest *m, const char *media_type,
		     davit_err *e)
{
	davit_registry_manifest_body body = { .media_type = media_type };
	int rc;

	body.bytes = davit_reply_raw(m, &body.n);
	rc = registry_manifest_send(at, &body, m->digest, e);
	if (rc)
		davit_reply_free(m);
	return rc;
}

static int set_schema2(const struct registry_at *at, const davit_strv *digests, davit_registry_manifest **out,
		       davit_err *e)
{
	int rc = davit_registry_manifest_make(at->r, at->repo, digests, out, e);

	return rc ? rc : send_made(at, *out, (*out)->media_type, e);
}

static int set_schema1(const struct registry_at *at, const davit_strv *digests, davit_registry_manifest **out,
		       davit_err *e)
{
	AUTO_BUF struct buf text = BUF_INIT(LIMIT_MANIFEST), signed_text = BUF_INIT(LIMIT_MANIFEST);
	int rc = registry_schema1_make(at->repo, at->reference, digests, &text, e);

	if (!rc)
		rc = registry_schema1_sign(buf_str(&text), text.len, &signed_text, e);
	if (!rc)
		rc = as_reply(&signed_text, out, e);
	return rc ? rc : send_made(at, *out, NULL, e);
}

int davit_registry_alias_set(davit_registry *r, const char *repo, const char *alias,
			     const davit_strv *digests, davit_registry_manifest **out, davit_err *e)
{
	const struct registry_at at = { r, repo, alias };
	davit_registry_manifest *m;
	davit_err first = { 0 };
	int rc = check_digests(digests, e);

	if (!rc)
		rc = registry_check_reference(r, alias, e);
	if (rc)
		return rc;
	rc = set_schema2(&at, digests, &m, &first);
	/* A registry of the old kind. If it does not want this either, its first reason is the better one. */
	if (rc && first.http == 400 && !set_schema1(&at, digests, &m, NULL))
		rc = 0;
	if (rc) {
		if (e)
			*e = first;
		return rc;
	}
	if (out)
		*out = m;
	else
		davit_reply_free(m);
	return 0;
}

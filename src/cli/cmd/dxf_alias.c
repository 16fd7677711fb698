#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cli/cmd/dxf.h"
#include "cli/jsontext.h"
#include "cli/out.h"

int dxf_alias_read(struct dxf *d, const char *name, const char *platform, davit_registry_alias **out,
		   davit_err *e)
{
	const davit_registry_manifest_opts *opts =
		DAVIT_OPTS(davit_registry_manifest_opts, .platform = platform, .exact_platform = DAVIT_YES);
	davit_registry_manifest_body body = { buf_str(&d->manifest), d->manifest.len, NULL };

	if (!name)
		return err_at(e, davit_registry_alias_resolve(d->r, d->repo, &body, opts, out, e),
			      "standard input: ");
	return davit_registry_alias_get(d->r, d->repo, name, opts, out, e);
}

/* What one alias is printed as. */
typedef int (*print_fn)(struct dxf *d, const davit_registry_alias *alias, struct buf *out, davit_err *e);

/* Reads all aliases, or the manifest on stdin, and prints when nothing can fail any more. */
static int print_aliases(struct dxf *d, print_fn print, davit_err *e)
{
	AUTO_BUF struct buf out = BUF_INIT(OUT_MAX);
	size_t i = 0;

	do {
		davit_registry_alias *alias;
		int rc = dxf_alias_read(d, d->n ? d->v[i] : NULL, d->platform, &alias, e);

		if (rc)
			return rc;
		rc = print(d, alias, &out, e);
		davit_reply_free(alias);
		if (rc)
			return rc;
	} while (++i < d->n);
	return out_buf(&out, e);
}

static int print_layers(struct dxf *d, const davit_registry_alias *alias, struct buf *out, davit_err *e)
{
	if (alias->index) {
		int rc = dxf_json_platforms(d, alias, dxf_json_layers, out, e);

		buf_putc(out, '\n');
		return rc;
	}
	for (size_t i = 0; i < alias->n; i++)
		for (size_t k = 0; k < alias->v[i]->blobs.n; k++)
			buf_printf(out, "%s\n", alias->v[i]->blobs.v[k]->digest);
	return 0;
}

int dxf_get_alias(struct dxf *d, davit_err *e)
{
	return print_aliases(d, print_layers, e);
}

static int add_config(const davit_registry_alias_entry *entry, bool json, struct buf *out, davit_err *e)
{
	const char *digest = entry->config_digest;

	if (!digest)
		return err_set(e, DAVIT_EUNSUPPORTED,
			       "%s is a schema 1 manifest, which has no configuration blob",
			       entry->manifest_digest);
	if (json)
		json_quote(digest, strlen(digest), out);
	else
		buf_printf(out, "%s\n", digest);
	return 0;
}

static int json_config(struct dxf *d, const davit_registry_alias_entry *entry, struct buf *out, davit_err *e)
{
	(void)d;
	return add_config(entry, true, out, e);
}

static int print_digest(struct dxf *d, const davit_registry_alias *alias, struct buf *out, davit_err *e)
{
	int rc = 0;

	if (alias->index) {
		rc = dxf_json_platforms(d, alias, json_config, out, e);
		buf_putc(out, '\n');
		return rc;
	}
	for (size_t i = 0; i < alias->n && !rc; i++)
		rc = add_config(alias->v[i], false, out, e);
	return rc;
}

int dxf_get_digest(struct dxf *d, davit_err *e)
{
	return print_aliases(d, print_digest, e);
}

static int json_manifest(struct dxf *d, const davit_registry_alias_entry *entry, struct buf *out,
			 davit_err *e)
{
	(void)d;
	(void)e;
	json_quote(entry->manifest_raw, entry->manifest_size, out);
	return 0;
}

/* The bytes of each manifest as soon as it is there, one behind the other. */
int dxf_get_manifest(struct dxf *d, davit_err *e)
{
	for (size_t i = 0; i < d->n; i++) {
		AUTO_BUF struct buf out = BUF_INIT(OUT_MAX);
		davit_registry_alias *alias;
		int rc = dxf_alias_read(d, d->v[i], d->platform, &alias, e);

		if (rc)
			return rc;
		if (alias->index)
			rc = dxf_json_platforms(d, alias, json_manifest, &out, e);
		else if (alias->n)
			buf_add(&out, alias->v[0]->manifest_raw, alias->v[0]->manifest_size);
		davit_reply_free(alias);
		if (!rc)
			rc = out_buf(&out, e);
		if (rc)
			return rc;
	}
	return 0;
}

static int json_manifest_digest(struct dxf *d, const davit_registry_alias_entry *entry, struct buf *out,
				davit_err *e)
{
	(void)d;
	(void)e;
	json_quote(entry->manifest_digest, strlen(entry->manifest_digest), out);
	return 0;
}

int dxf_del_alias(struct dxf *d, davit_err *e)
{
	AUTO_BUF struct buf out = BUF_INIT(OUT_MAX);

	for (size_t i = 0; i < d->n; i++) {
		davit_registry_alias *alias;
		int rc = davit_registry_alias_delete(d->r, d->repo, d->v[i], &alias, e);

		if (rc)
			return rc;
		if (!alias->index) {
			rc = print_layers(d, alias, &out, e);
		} else {
			rc = dxf_json_platforms(d, alias, json_manifest_digest, &out, e);
			buf_putc(&out, '\n');
		}
		davit_reply_free(alias);
		if (rc)
			return rc;
	}
	return out_buf(&out, e);
}

int dxf_set_alias(struct dxf *d, davit_err *e)
{
	AUTO_FREE char(*hashes)[DAVIT_DIGEST_MAX] = calloc(d->n, sizeof *hashes);
	AUTO_FREE const char **digests = calloc(d->n, sizeof *digests);
	davit_registry_manifest *manifest;
	const char *raw;
	size_t size;
	int rc = 0;

	if (!hashes || !digests)
		return err_nomem(e);
	for (size_t i = 1; i < d->n && !rc; i++) {
		digests[i - 1] = d->v[i];
		/* A name with a slash is a file, else it would be a digest. */
		if (strchr(d->v[i], '/')) {
			rc = davit_digest_file(d->v[i], hashes[i], e);
			digests[i - 1] = hashes[i];
		}
	}
	if (!rc)
		rc = davit_registry_alias_set(d->r, d->repo, d->v[0], &(davit_strv){ digests, d->n - 1 },
					      &manifest, e);
	if (rc)
		return rc;
	raw = davit_reply_raw(manifest, &size);
	rc = out_write(raw, size, e);
	davit_reply_free(manifest);
	return rc;
}

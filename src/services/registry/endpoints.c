/* The registry's wire contract: type rows, endpoint rows, errors. */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "services/registry/registry_internal.h"

/* --- types ------------------------------------------------------------------------------------- */

static const struct type platform_type = TYPE(davit_registry_platform,
	F(davit_registry_platform, architecture, "architecture"),
	F(davit_registry_platform, os, "os"),
	F(davit_registry_platform, os_version, "os.version"),
	F(davit_registry_platform, variant, "variant"));

const struct type registry_descriptor_type = TYPE(davit_registry_descriptor,
	F(davit_registry_descriptor, digest, "digest", .required = true),
	F(davit_registry_descriptor, media_type, "mediaType"),
	F(davit_registry_descriptor, size, "size", .required = true),
	F(davit_registry_descriptor, artifact_type, "artifactType"),
	F(davit_registry_descriptor, annotations, "annotations"),
	F_PTR(davit_registry_descriptor, platform, "platform", davit_registry_platform, &platform_type));

/* What HEAD tells. */
static const struct type stat_type = TYPE(davit_registry_descriptor,
	F(davit_registry_descriptor, digest, "Docker-Content-Digest", .where = IN_HEADER),
	F(davit_registry_descriptor, media_type, "Content-Type", .where = IN_HEADER));

const struct type registry_manifest_type = TYPE(davit_registry_manifest,
	F(davit_registry_manifest, annotations, "annotations"),
	F(davit_registry_manifest, artifact_type, "artifactType"),
	F_PTR(davit_registry_manifest, config, "config", davit_registry_descriptor,
	      &registry_descriptor_type),
	F_VEC(davit_registry_manifest, layers, "layers", davit_registry_descriptor, &registry_descriptor_type,
	      .null = NULL_IS_ZERO),
	F_VEC(davit_registry_manifest, manifests, "manifests", davit_registry_descriptor,
	      &registry_descriptor_type, .null = NULL_IS_ZERO),
	F(davit_registry_manifest, media_type, "mediaType"),
	F(davit_registry_manifest, schema_version, "schemaVersion"),
	F_PTR(davit_registry_manifest, subject, "subject", davit_registry_descriptor,
	      &registry_descriptor_type));

/* Collected pages. */
const struct type registry_list_type = TYPE(davit_registry_list,
	F(davit_registry_list, names, "names"));

static const struct type tags_type = TYPE(davit_registry_list,
	F(davit_registry_list, names, "tags", .required = true, .null = NULL_IS_ZERO));

static const struct type catalog_type = TYPE(davit_registry_list,
	F(davit_registry_list, names, "repositories", .required = true, .null = NULL_IS_ZERO));

static const struct type page_query_type = TYPE(struct registry_page_query,
	F(struct registry_page_query, n, "n", .where = IN_QUERY),
	F(struct registry_page_query, last, "last", .where = IN_QUERY));

static const struct type mount_query_type = TYPE(struct registry_mount_query,
	F(struct registry_mount_query, mount, "mount", .where = IN_QUERY),
	F(struct registry_mount_query, from, "from", .where = IN_QUERY));

/* --- endpoints --------------------------------------------------------------------------------- */

#define BLOB     "/v2/{name:name}/blobs/{digest:digest}"
#define UPLOADS  "/v2/{name:name}/blobs/uploads"
#define MANIFEST "/v2/{name:name}/manifests/{reference:digest}"

static const struct endpoint rows[R_ROWS] = {
	[R_PING] = { "registry.api.ping", "GET", "/v2/", .ok = { 200 }, .flags = EP_IDEMPOTENT | EP_RAW },
	[R_CATALOG] = { "registry.repo.list", "GET", "/v2/_catalog", &page_query_type, &catalog_type,
			{ 200 }, .flags = EP_IDEMPOTENT | EP_PAGED_LINK },
	[R_TAGS] = { "registry.tag.list", "GET", "/v2/{name:name}/tags/list", &page_query_type, &tags_type,
		     { 200 }, .flags = EP_IDEMPOTENT | EP_PAGED_LINK },
	[R_BLOB_GET] = { "registry.blob.get", "GET", BLOB, .ok = { 200, 206 },
			 .flags = EP_IDEMPOTENT | EP_RAW, .shape = SHAPE_STREAM },
	[R_BLOB_STAT] = { "registry.blob.stat", "HEAD", BLOB, .out = &stat_type, .ok = { 200 },
			  .flags = EP_IDEMPOTENT | EP_RAW },
	[R_BLOB_DELETE] = { "registry.blob.delete", "DELETE", BLOB, .ok = { 202, 200, 204 },
			    .flags = EP_RAW },
	[R_UPLOAD_START] = { "registry.upload.start", "POST", UPLOADS "/", .ok = { 202, 201, 200 },
			     .flags = EP_RAW },
	[R_UPLOAD_MOUNT] = { "registry.upload.mount", "POST", UPLOADS "/", &mount_query_type, NULL,
			     { 201, 202 }, .flags = EP_RAW },
	[R_UPLOAD_CHUNK] = { "registry.upload.chunk", "PATCH", UPLOADS "/{id}", .ok = { 202, 201, 204 },
			     .flags = EP_RAW | EP_OTHER_URL, .shape = SHAPE_UPLOAD },
	[R_UPLOAD_FINISH] = { "registry.upload.finish", "PUT", UPLOADS "/{id}", .ok = { 201, 200, 202, 204 },
			      .flags = EP_RAW | EP_OTHER_URL, .shape = SHAPE_UPLOAD },
	[R_UPLOAD_STATUS] = { "registry.upload.status", "GET", UPLOADS "/{id}", .ok = { 204, 200 },
			      .flags = EP_IDEMPOTENT | EP_RAW | EP_OTHER_URL },
	[R_UPLOAD_CANCEL] = { "registry.upload.cancel", "DELETE", UPLOADS "/{id}", .ok = { 204, 200, 202 },
			      .flags = EP_RAW | EP_OTHER_URL },
	[R_MANIFEST_GET] = { "registry.manifest.get", "GET", MANIFEST, .out = &registry_manifest_type,
			     .ok = { 200 }, .flags = EP_IDEMPOTENT | EP_RAW,
			     .reply_max = LIMIT_MANIFEST_READ },
	[R_MANIFEST_STAT] = { "registry.manifest.stat", "HEAD", MANIFEST, .out = &stat_type, .ok = { 200 },
			      .flags = EP_IDEMPOTENT | EP_RAW },
	[R_MANIFEST_PUT] = { "registry.manifest.put", "PUT", MANIFEST, .ok = { 201, 200, 202, 204 },
			     .flags = EP_IDEMPOTENT | EP_RAW },
	[R_MANIFEST_DELETE] = { "registry.manifest.delete", "DELETE", MANIFEST, .ok = { 202, 200, 204 },
				.flags = EP_RAW },
};

/* --- errors ------------------------------------------------------------------------------------ */

static const struct error_row errors[] = {
	{ 400, "BLOB_UNKNOWN", DAVIT_ENOTFOUND },
	{ 400, "BLOB_UPLOAD_UNKNOWN", DAVIT_ENOTFOUND },
	{ 400, "MANIFEST_BLOB_UNKNOWN", DAVIT_ENOTFOUND },
	{ 400, "MANIFEST_UNKNOWN", DAVIT_ENOTFOUND },
	{ 400, "NAME_UNKNOWN", DAVIT_ENOTFOUND },
	{ 400, "UNSUPPORTED", DAVIT_EUNSUPPORTED },
	{ 405, NULL, DAVIT_EUNSUPPORTED },
	{ 413, NULL, DAVIT_ELIMIT },
	{ 501, NULL, DAVIT_EUNSUPPORTED },
	{ 0 },
};

static const char *text_member(const davit_value *v, const char *key)
{
	return davit_value_string(davit_value_member(v, key));
}

/* {"errors": [{"code", "message", "detail"}]}; some servers have one {"message"} or {"error"} instead. */
static void error_body(const struct jnode *j, char remote[DAVIT_ERR_REMOTE_MAX], struct buf *message)
{
	const davit_value *all = json_value(j);
	const davit_value *first = davit_value_at(davit_value_member(all, "errors"), 0);
	const char *code = text_member(first, "code"), *text = text_member(first, "message");
	const char *detail = text_member(first, "detail");

	if (!text)
		text = text_member(all, "message");
	if (!text)
		text = text_member(all, "error");
	if (code)
		snprintf(remote, DAVIT_ERR_REMOTE_MAX, "%s", code);
	if (text)
		buf_puts(message, text);
	if (text && detail && *detail && !strstr(text, detail))
		buf_printf(message, " (%s)", detail);
}

const struct service registry_service = {
	.name = "registry", .endpoints = rows, .n = R_ROWS, .errors = errors, .error_body = error_body,
};

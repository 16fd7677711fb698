/* What the files of the registry client share. */
#ifndef DAVIT_REGISTRY_INTERNAL_H
#define DAVIT_REGISTRY_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <davit/registry.h>

#include "api/api.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/opts.h"
#include "wire/digest.h"

extern const struct service registry_service;

/* Rows, in the order of the table in endpoints.c. */
enum registry_row {
	R_PING = 0,
	R_CATALOG,
	R_TAGS,
	R_BLOB_GET,
	R_BLOB_STAT,
	R_BLOB_DELETE,
	R_UPLOAD_START,
	R_UPLOAD_MOUNT,
	R_UPLOAD_CHUNK,
	R_UPLOAD_FINISH,
	R_UPLOAD_STATUS,
	R_UPLOAD_CANCEL,
	R_MANIFEST_GET,
	R_MANIFEST_STAT,
	R_MANIFEST_PUT,
	R_MANIFEST_DELETE,
	R_ROWS,
};
#define REGISTRY_ROW(r) (&registry_service.endpoints[r])

/* Input and output types that are not public. */
struct registry_page_query {
	int64_t n;
	const char *last;
};
struct registry_mount_query {
	const char *mount, *from;
};

extern const struct type registry_descriptor_type, registry_manifest_type, registry_list_type;

struct davit_registry {
	struct api *api;
	struct arena mem;       /* copies of the credentials; wiped at the end */
	davit_registry_opts opts; /* strings in mem; connection is not kept */
	char *host;             /* host[:port] as used */
	struct buf url;         /* davit_registry_url() */
	bool hub;               /* Docker Hub: one-component names get "library/" */
	bool port_named;        /* the host has a port of its own */
	bool scheme_open;       /* https, but http if the host turns out not to speak TLS */
};

/* --- registry.c: calls that settle https or http with the first answer ------------------------- */

int registry_call(davit_registry *r, const struct call *c, void **out, davit_err *e);
int registry_stream(davit_registry *r, const struct call *c, const struct stream_to *to, void **out,
		    davit_err *e);
int registry_upload(davit_registry *r, const struct call *c, void **out, davit_err *e);
int registry_pages(davit_registry *r, const struct call *c,
		   int (*page)(void *user, void *reply, davit_err *e), void *user, davit_err *e);

/* opts_check() for a pointer to options of that type. */
#define CHECK_OPTS(opts, type, e) opts_check((opts), sizeof(type), #type, (e))

/* --- ref.c: names ------------------------------------------------------------------------------ */

/*
 * The repository's name as it goes into paths: checked (unless switched off), "library/" added for Docker
 * Hub.
 */
int registry_repo(const davit_registry *r, const char *repo, struct buf *out, davit_err *e);
int registry_check_digest(const davit_registry *r, const char *digest, davit_err *e);
/* Both for a blob: the repository's name as it goes into paths, and its digest. */
int registry_check_blob(const davit_registry *r, const char *repo, const char *digest, struct buf *name,
			davit_err *e);
/* A tag or a digest. */
int registry_check_reference(const davit_registry *r, const char *reference, davit_err *e);
/* Whether host, without port, is docker.io or below it. */
bool registry_is_hub(const char *host);

/* --- transfer.c: what pushing and pulling share ------------------------------------------------ */

/* Tells a progress callback, at most every 50 ms. Zero-initialise; p may be NULL. */
struct registry_meter {
	davit_registry *r;
	const davit_progress *p;
	davit_progress_info info;
	int64_t next_ms;
};
void registry_meter_init(struct registry_meter *m, davit_registry *r, const davit_progress *p,
			 const char *what, int64_t total);
/* 0 or what the callback returned. */
int registry_meter_start(struct registry_meter *m);
int registry_meter_add(struct registry_meter *m, size_t n);
int registry_meter_end(struct registry_meter *m);

/*
 * A digest computed beside the transfer: in the caller's thread as long as little has come, then in a worker.
 * Zero-initialise.
 */
struct registry_hash {
	struct digest *d;
	struct worker *w;
	enum digest_alg alg;
	uint64_t n;    /* bytes so far */
	char text[DAVIT_DIGEST_MAX]; /* the result */
};
int registry_hash_init(struct registry_hash *h, enum digest_alg alg, davit_err *e);
int registry_hash_add(struct registry_hash *h, const void *p, size_t n, davit_err *e);
/* Fills text. */
int registry_hash_end(struct registry_hash *h, davit_err *e);
/* Back to zero bytes. */
int registry_hash_reset(struct registry_hash *h, davit_err *e);
void registry_hash_fini(struct registry_hash *h);

/* Whether a further attempt may succeed where this one failed: a lost connection, a time limit, a 5xx. */
bool registry_passing(int code, const davit_err *e);
/* Number of further attempts that the connection's options allow. */
unsigned registry_retries(const davit_registry *r);
/* Waits before further attempt number n (from 0); ends early when cancelled. */
int registry_wait(const davit_registry *r, unsigned n, davit_err *e);
/* The chunk size to use: the option's, or the default; DAVIT_EARG over the limit. */
int registry_chunk(size_t option, size_t *out, davit_err *e);
/* A descriptor reply; out may be NULL (nothing is made). */
int registry_descriptor(const char *digest, int64_t size, const char *media_type,
			davit_registry_descriptor **out, davit_err *e);

/* --- manifest.c -------------------------------------------------------------------------------- */

/* Bytes to understand, and what is known of them. */
struct registry_bytes {
	const char *p;
	size_t n;
	const char *content_type; /* or NULL */
	bool unverified;          /* schema 1 without valid signatures is accepted */
};
/* A manifest in a registry. */
struct registry_at {
	davit_registry *r;
	const char *repo;      /* as the caller named it */
	const char *reference; /* tag or digest */
};
/* Fills *out; all that it points to goes to a. */
int registry_manifest_decode(const struct registry_bytes *b, struct arena *a, davit_registry_manifest *out,
			     davit_err *e);
/* Reads one manifest, without platform choice. */
int registry_manifest_fetch(const struct registry_at *at, const davit_registry_manifest_opts *opts,
			    davit_registry_manifest **out, davit_err *e);
/* The manifest of an index's entry (at names its digest); DAVIT_EUNSUPPORTED if that is an index again. */
int registry_manifest_fetch_entry(const struct registry_at *at, const davit_registry_manifest_opts *opts,
				  davit_registry_manifest **out, davit_err *e);
/* PUT; body->media_type NULL: no Content-Type is sent. digest: what the registry must call it. */
int registry_manifest_send(const struct registry_at *at, const davit_registry_manifest_body *body,
			   const char *digest, davit_err *e);
/* The digest of n bytes in the algorithm of the digest text like. */
int registry_digest_like(const char *like, const char *p, size_t n, char out[DAVIT_DIGEST_MAX], davit_err *e);
/* Writes *in (a type's struct) as python's json.dumps(sort_keys=True) does. */
int registry_json(const struct type *t, const void *in, struct buf *out, davit_err *e);
/* The manifest that bytes say, as a reply of its own. */
int registry_manifest_reply(const struct registry_bytes *b, davit_registry_manifest **out, davit_err *e);

/* --- alias.c: platforms ------------------------------------------------------------------------ */

/* "os/arch[/variant]" in a, or NULL without a platform (or out of memory). */
char *registry_platform_text(const davit_registry_platform *p, struct arena *a);
/* The entry of an index for a platform; NULL: none. exact: compared as text. */
const davit_registry_descriptor *registry_platform_find(const davit_registry_manifest *index,
							const char *platform, bool exact);
/* DAVIT_ENOTFOUND with the platforms that there are. */
int registry_platform_missing(const davit_registry_manifest *index, const char *platform, davit_err *e);

/* --- schema1.c --------------------------------------------------------------------------------- */

/* Whether the document says schemaVersion 1. */
bool registry_is_schema1(const struct jnode *j);
/* Verifies and decodes. */
int registry_schema1_decode(const struct registry_bytes *b, const struct jnode *j, struct arena *a,
			    davit_registry_manifest *out, davit_err *e);
/* Appends the text without signatures. */
int registry_schema1_make(const char *repo, const char *alias, const davit_strv *digests, struct buf *out,
			  davit_err *e);
/* Appends the text with one signature by a key made for it. */
int registry_schema1_sign(const char *text, size_t n, struct buf *out, davit_err *e);

#endif

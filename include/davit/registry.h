/**
 * @file
 * Docker Registry v2 / OCI distribution 1.1: blobs, manifests, aliases, tags.
 *
 * A handle talks to one registry; the repository is an argument of each call. A handle belongs to one
 * thread at a time. Every call can fail with #DAVIT_EARG (an argument), #DAVIT_ENOMEM, #DAVIT_EIO,
 * #DAVIT_ETIMEOUT, #DAVIT_ECANCELLED, #DAVIT_ETRUST, #DAVIT_EDENIED, #DAVIT_EREMOTE, #DAVIT_EPROTO and
 * #DAVIT_ELIMIT; each call names what else it returns. HTTP statuses become codes as err.h says, and
 * davit_err::remote holds the registry's own code (`BLOB_UNKNOWN`, …).
 *
 * A *digest* is `algorithm:hex` with sha256 (64 digits) or sha512 (128 digits). A *reference* of a
 * manifest is a tag or a digest. An *alias* is a tag whose manifest lists blobs, as python-dxf writes it.
 */
#ifndef DAVIT_REGISTRY_H
#define DAVIT_REGISTRY_H

#include <davit/connection.h>
#include <davit/credentials.h>
#include <davit/digest.h>
#include <davit/err.h>
#include <davit/stream.h>
#include <davit/types.h>
#include <davit/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A connection to one registry. */
typedef struct davit_registry davit_registry;

/** What a registry asked for when it answered 401; see davit_registry_opts::challenge. */
typedef struct davit_registry_challenge {
	const char *host;    /**< `host[:port]` of the registry. */
	const char *scheme;  /**< `bearer` or `basic`. */
	const char *realm;   /**< The realm as sent; for bearer the token server's URL. NULL if absent. */
	const char *service; /**< Bearer: the service name, or NULL. */
	davit_strv scopes;   /**< Bearer: the scopes that are missing. */
} davit_registry_challenge;

/** The caller's answer to a challenge. What is set is copied after the callback has returned. */
typedef struct davit_registry_answer {
	const char *username;         /**< User name, with @ref password. */
	davit_secret password;        /**< Password. */
	davit_secret identity_token;  /**< OAuth2 refresh token, used instead of a password. */
	/** A whole value of the Authorization header (for the token server, if there is one). */
	davit_secret authorization;
	/** Ask for these actions (`pull`, `push`, `delete`, `*`) instead of the challenge's scopes. */
	davit_strv actions;
} davit_registry_answer;

/** Options of davit_registry_open(); see #DAVIT_OPTS. Strings are copied. */
typedef struct davit_registry_opts {
	size_t size;                            /**< Set by #DAVIT_OPTS. */
	const davit_connection_opts *connection;/**< TLS, proxy, limits; NULL: defaults. */
	/**
	 * Yes: http. No: https only. Unset: https, but a loopback host (with davit_connection_opts::insecure
	 * any host) that does not speak TLS is asked by http; the first request decides for the handle.
	 */
	davit_tri plain_http;
	/**
	 * Yes: credentials may go over http to any host. No: never, a 401 over http is final. Unset: to
	 * loopback hosts only.
	 */
	davit_tri http_auth;
	/** Yes: @ref token and @ref basic_username go over http to any host, whatever @ref http_auth says. */
	davit_tri preset_over_http;
	/** Yes: the token server is asked by https even if its realm says http. Default no. */
	davit_tri realm_https;
	/**
	 * Yes: without credentials, a Basic challenge is answered by asking once more (as python-dxf).
	 * Default no.
	 */
	davit_tri retry_anonymous;
	const char *username;   /**< Credentials to answer a challenge with; with @ref password. */
	davit_secret password;  /**< Password of @ref username. */
	davit_secret identity_token; /**< OAuth2 refresh token (token servers; by POST). */
	davit_secret authorization;  /**< A whole Authorization value to answer a challenge with. */
	davit_secret token;     /**< A bearer token to send from the first request on. */
	const char *auth_host;  /**< `host[:port]` that replaces the one of a bearer realm. */
	/** Basic credentials to send from the first request on (netrc); with @ref basic_password. */
	const char *basic_username;
	davit_secret basic_password;/**< Password of @ref basic_username. */
	/**
	 * Asked for credentials when a challenge comes and none are set above; 0 to go on, negative to end
	 * the call.
	 */
	int (*challenge)(void *user, const davit_registry_challenge *c, davit_registry_answer *answer);
	void *challenge_user;   /**< Passed to @ref challenge. */
	/** No: repository names, references and digests are sent unchecked. Default yes. */
	davit_tri check_names;
} davit_registry_opts;

/**
 * Makes a handle. No request is sent yet.
 * @param host  `host[:port]`; names of Docker Hub (`docker.io`, `index.docker.io`) mean
 * `registry-1.docker.io`
 * @param out   gets the handle; free it with davit_registry_free()
 */
DAVIT_API int davit_registry_open(const char *host, const davit_registry_opts *opts, davit_registry **out,
				  davit_err *e);
/** Closes connections, wipes secrets and frees. NULL is ignored. */
DAVIT_API void davit_registry_free(davit_registry *r);
/**
 * Where the handle sends its requests, for example `https://registry-1.docker.io`. Until the first answer has
 * decided between https and http (davit_registry_opts::plain_http unset) it says https. It belongs to the
 * handle.
 */
DAVIT_API const char *davit_registry_url(const davit_registry *r);

/** The parts of an image reference. Parts that are absent are NULL. */
typedef struct davit_registry_ref {
	const char *host;   /**< `host[:port]`; `registry-1.docker.io` if the text named none. */
	const char *repo;   /**< Repository, with `library/` where Docker Hub wants it. */
	const char *tag;    /**< Tag. */
	const char *digest; /**< Digest. */
} davit_registry_ref;

/**
 * Takes `[host[:port]/]repo[:tag][@digest]` apart, with the rules and defaults of docker.
 * @return 0 or #DAVIT_EARG, which says which part is wrong
 */
DAVIT_API int davit_registry_ref_parse(const char *text, davit_registry_ref **out, davit_err *e);

/** A platform of a multi-platform image. */
typedef struct davit_registry_platform {
	const char *os;           /**< For example `linux`. */
	const char *architecture; /**< For example `arm64`. */
	const char *variant;      /**< For example `v8`, or NULL. */
	const char *os_version;   /**< Or NULL. */
} davit_registry_platform;

/** Content that a registry holds: what, how large, under which digest. */
typedef struct davit_registry_descriptor {
	const char *media_type;    /**< Media type, or NULL. */
	const char *digest;        /**< Digest. */
	int64_t size;              /**< Bytes. */
	const davit_registry_platform *platform; /**< In an index: its platform, or NULL. */
	const char *artifact_type; /**< Or NULL. */
	davit_map annotations;     /**< Annotations. */
} davit_registry_descriptor;

/** A list of descriptors. */
typedef struct davit_registry_descriptors {
	const davit_registry_descriptor *const *v; /**< The entries. */
	size_t n;                                  /**< How many. */
} davit_registry_descriptors;

/**
 * A manifest or an index. davit_reply_raw() gives its bytes. For Docker schema 1 the layers are those of
 * `fsLayers` in file order, with size -1.
 */
typedef struct davit_registry_manifest {
	int64_t schema_version;              /**< 1 or 2. */
	const char *media_type;              /**< From the body, else from Content-Type; never NULL. */
	const char *digest;                  /**< Of the bytes (schema 1: of the unsigned payload). */
	const char *artifact_type;           /**< Or NULL. */
	const davit_registry_descriptor *config;  /**< Of an image; NULL in an index and in schema 1. */
	davit_registry_descriptors layers;   /**< Of an image. */
	davit_registry_descriptors manifests;/**< Of an index or manifest list: `v` is NULL otherwise. */
	const davit_registry_descriptor *subject; /**< Or NULL. */
	davit_map annotations;               /**< Annotations. */
} davit_registry_manifest;

/**
 * Asks whether the registry answers and accepts us. GET /v2/.
 * @return 0; #DAVIT_ENOTFOUND: no v2 registry there
 */
DAVIT_API int davit_registry_ping(davit_registry *r, davit_err *e);

/** Options of davit_registry_authenticate(); see #DAVIT_OPTS. */
typedef struct davit_registry_authenticate_opts {
	size_t size;                 /**< Set by #DAVIT_OPTS. */
	/** `pull`, `push`, `delete`, `*` for the repository; absent: no scope is asked for. */
	davit_strv actions;
	const char *username;        /**< Instead of the handle's. */
	davit_secret password;       /**< Instead of the handle's. */
	davit_secret authorization;  /**< Instead of the handle's. */
	davit_tri verify;            /**< Yes: without a token server, try the credentials too. Default no. */
	/** Yes: ask the token server for a refresh token too (OAuth2 POST). Default no. */
	davit_tri offline;
} davit_registry_authenticate_opts;

/**
 * Authenticates now rather than on the next challenge. GET /v2/, then the token server's realm.
 * @param repo   repository for the scope, or NULL
 * @param token  gets the bearer token, or NULL if the registry wants none; belongs to the handle
 * @return 0 or #DAVIT_EDENIED
 */
DAVIT_API int davit_registry_authenticate(davit_registry *r, const char *repo,
					  const davit_registry_authenticate_opts *opts, const char **token,
					  davit_err *e);
/**
 * The refresh token that the token server gave last, or NULL: an identity token that a login may store
 * instead of the password. It belongs to the handle and lasts until its next call.
 */
DAVIT_API const char *davit_registry_refresh_token(const davit_registry *r);
/** The bearer token in use, or NULL. It belongs to the handle and lasts until its next call. */
DAVIT_API const char *davit_registry_token(const davit_registry *r);
/** Sets the bearer token that is sent from now on; NULL forgets it. */
DAVIT_API int davit_registry_set_token(davit_registry *r, const char *token, davit_err *e);

/** Options of the listings; see #DAVIT_OPTS. */
typedef struct davit_registry_list_opts {
	size_t size;     /**< Set by #DAVIT_OPTS. */
	int64_t batch;   /**< Names per page to ask for; 0: the registry decides. */
	const char *last;/**< Begin after this name. */
	int64_t limit;   /**< At most so many names in all; 0: all. */
	/**
	 * Given each page as it comes; the names are then not collected. 0 to go on, negative to end the
	 * call.
	 */
	int (*page)(void *user, const davit_strv *names);
	void *page_user; /**< Passed to @ref page. */
} davit_registry_list_opts;

/** Names of repositories or tags. */
typedef struct davit_registry_list {
	davit_strv names; /**< In the registry's order; empty if a page callback took them. */
} davit_registry_list;

/** Lists all repositories, page by page. GET /v2/_catalog. Not all registries allow it. */
DAVIT_API int davit_registry_repos(davit_registry *r, const davit_registry_list_opts *opts,
				   davit_registry_list **out, davit_err *e);
/**
 * Lists all tags of a repository, page by page. GET /v2/REPO/tags/list. #DAVIT_ENOTFOUND: no such repository.
 */
DAVIT_API int davit_registry_tags(davit_registry *r, const char *repo, const davit_registry_list_opts *opts,
				  davit_registry_list **out, davit_err *e);

/** Options of pushing a blob; see #DAVIT_OPTS. */
typedef struct davit_registry_push_opts {
	size_t size;            /**< Set by #DAVIT_OPTS. */
	/** Known digest: checked while sending, and no pass is needed to compute it. */
	const char *digest;
	davit_tri check_exists; /**< No: send even if the registry has the blob. Default yes. */
	size_t chunk_size;      /**< Bytes of one read and one write; 0: 256 KiB; at most 16 MiB. */
	davit_progress progress;/**< Told how far it is; may be left out. */
} davit_registry_push_opts;

/**
 * Pushes a blob from a source. With a known digest (option), or a source that can be rewound (it is then
 * read twice): HEAD blob, POST uploads/, PUT with the whole body. From a source that can be read only
 * once: POST uploads/, PATCH, PUT, hashed on the way. A failed upload's session is cancelled (DELETE).
 * @param out  digest and size; may be NULL
 * @return 0; #DAVIT_EINTEGRITY: not the digest that the option promised; #DAVIT_ECALLBACK: the source failed
 */
DAVIT_API int davit_registry_blob_push(davit_registry *r, const char *repo, const davit_source *src,
				       const davit_registry_push_opts *opts, davit_registry_descriptor **out,
				       davit_err *e);
/** Pushes a file as a blob: hashed, HEAD, then sent if it is not there. A pipe or terminal is read once. */
DAVIT_API int davit_registry_blob_push_file(davit_registry *r, const char *repo, const char *path,
					    const davit_registry_push_opts *opts,
					    davit_registry_descriptor **out, davit_err *e);

/** Options of pulling a blob; see #DAVIT_OPTS. */
typedef struct davit_registry_pull_opts {
	size_t size;            /**< Set by #DAVIT_OPTS. */
	size_t chunk_size;      /**< Most bytes given to the sink at once; 0: 256 KiB; at most 16 MiB. */
	/**
	 * Told the digest and size (-1 if unknown) before the first byte; 0 to go on, negative to end the
	 * call.
	 */
	int (*begin)(void *user, const char *digest, int64_t size);
	void *begin_user;       /**< Passed to @ref begin. */
	davit_progress progress;/**< Told how far it is; may be left out. */
} davit_registry_pull_opts;

/**
 * Pulls a blob into a sink; the digest is computed on the way. A connection that breaks is continued with
 * a Range request. GET /v2/REPO/blobs/DIGEST.
 * @param out  digest and size; may be NULL
 * @return 0; #DAVIT_ENOTFOUND; #DAVIT_EINTEGRITY: what went to the sink is not the blob
 */
DAVIT_API int davit_registry_blob_pull(davit_registry *r, const char *repo, const char *digest,
				       const davit_registry_pull_opts *opts, const davit_sink *sink,
				       davit_registry_descriptor **out, davit_err *e);
/**
 * Pulls a blob into a file. It is written under a temporary name in the same directory and gets its name
 * only when it is complete, verified and on disk; an existing file is replaced. On failure nothing is left.
 */
DAVIT_API int davit_registry_blob_pull_file(davit_registry *r, const char *repo, const char *digest,
					    const davit_registry_pull_opts *opts, const char *path,
					    davit_registry_descriptor **out, davit_err *e);
/** Size and media type of a blob. HEAD /v2/REPO/blobs/DIGEST. #DAVIT_ENOTFOUND: not there. */
DAVIT_API int davit_registry_blob_stat(davit_registry *r, const char *repo, const char *digest,
				       davit_registry_descriptor **out, davit_err *e);
/** Whether a blob is there. HEAD /v2/REPO/blobs/DIGEST. */
DAVIT_API int davit_registry_blob_exists(davit_registry *r, const char *repo, const char *digest, bool *out,
					 davit_err *e);
/**
 * Makes a blob of another repository available in this one without moving bytes.
 * POST /v2/REPO/blobs/uploads/?mount=DIGEST&from=FROM. If the registry will not (202), the upload session
 * that it opened is cancelled. @return 0; #DAVIT_EUNSUPPORTED: refused; the blob must be pushed
 */
DAVIT_API int davit_registry_blob_mount(davit_registry *r, const char *repo, const char *from,
					const char *digest, davit_err *e);
/**
 * Deletes a blob. DELETE /v2/REPO/blobs/DIGEST. #DAVIT_ENOTFOUND; #DAVIT_EUNSUPPORTED: deleting is switched
 * off.
 */
DAVIT_API int davit_registry_blob_delete(davit_registry *r, const char *repo, const char *digest,
					 davit_err *e);

/** Options of reading manifests; see #DAVIT_OPTS. */
typedef struct davit_registry_manifest_opts {
	size_t size;          /**< Set by #DAVIT_OPTS. */
	davit_strv accept;    /**< Media types to accept; absent: all image and index types. */
	/** `os/arch[/variant]`: of an index, read the manifest for this platform instead. */
	const char *platform;
	/** Yes: compare @ref platform as text. Default no: `linux/arm64` also finds `linux/arm64/v8`. */
	davit_tri exact_platform;
	davit_tri verify;     /**< No: accept schema 1 without valid signatures. Default yes. */
} davit_registry_manifest_opts;

/**
 * Reads a manifest and checks its bytes against the requested digest and Docker-Content-Digest.
 * GET /v2/REPO/manifests/REFERENCE.
 * @return 0; #DAVIT_ENOTFOUND (also: no such platform); #DAVIT_EINTEGRITY; #DAVIT_EUNSUPPORTED: unknown media
 * type
 */
DAVIT_API int davit_registry_manifest_get(davit_registry *r, const char *repo, const char *reference,
					  const davit_registry_manifest_opts *opts,
					  davit_registry_manifest **out, davit_err *e);
/** Digest, size and media type of a manifest. HEAD /v2/REPO/manifests/REFERENCE; with a platform GET. */
DAVIT_API int davit_registry_manifest_stat(davit_registry *r, const char *repo, const char *reference,
					   const davit_registry_manifest_opts *opts,
					   davit_registry_descriptor **out, davit_err *e);
/**
 * Understands manifest bytes from elsewhere, for example a file. No request.
 * @param media_type  what the bytes are said to be; NULL: their `mediaType` member
 */
DAVIT_API int davit_registry_manifest_parse(const char *bytes, size_t n, const char *media_type,
					    const davit_registry_manifest_opts *opts,
					    davit_registry_manifest **out, davit_err *e);
/** Bytes of a manifest to write. */
typedef struct davit_registry_manifest_body {
	const char *bytes;      /**< The manifest. */
	size_t n;               /**< Number of bytes, at most 4 MiB. */
	const char *media_type; /**< NULL: its `mediaType` member, which must then be there. */
} davit_registry_manifest_body;

/**
 * Writes a manifest. PUT /v2/REPO/manifests/REFERENCE.
 * @param out  what was written; may be NULL
 * @return 0; #DAVIT_EINTEGRITY: @p reference is another digest than that of the bytes (then nothing was
 * sent), or the registry stored another one
 */
DAVIT_API int davit_registry_manifest_put(davit_registry *r, const char *repo, const char *reference,
					  const davit_registry_manifest_body *body,
					  davit_registry_descriptor **out, davit_err *e);
/**
 * Deletes a tag, or with a digest the manifest and all its tags. DELETE /v2/REPO/manifests/REFERENCE.
 * @return 0; #DAVIT_ENOTFOUND; #DAVIT_EUNSUPPORTED: deleting is switched off, or works by digest only
 */
DAVIT_API int davit_registry_manifest_delete(davit_registry *r, const char *repo, const char *reference,
					     davit_err *e);

/** What an alias stands for, for one platform. */
typedef struct davit_registry_alias_entry {
	/**
	 * `os/arch[/variant]`; NULL unless the alias names an index. Where the index names no platform it is
	 * the manifest's digest, so that no entry is lost; of entries with the same platform the last counts.
	 */
	const char *platform;
	const char *manifest_digest; /**< Digest of the manifest. */
	const char *config_digest;   /**< Digest of the configuration blob, or NULL (schema 1). */
	davit_registry_descriptors blobs; /**< The blobs in order; size -1 where the manifest does not say. */
	const davit_registry_manifest *manifest; /**< The manifest itself. */
	const char *manifest_raw;    /**< Its bytes, NUL-terminated. */
	size_t manifest_size;        /**< Number of its bytes. */
} davit_registry_alias_entry;

/** What an alias stands for. */
typedef struct davit_registry_alias {
	bool index;   /**< Whether it names an index and no platform was chosen. */
	const char *digest; /**< Digest of the manifest or index that the alias names. */
	const davit_registry_alias_entry *const *v; /**< One entry, or one per platform of an index. */
	size_t n;     /**< Number of entries. */
} davit_registry_alias;

/**
 * Reads an alias: its manifest and, for an index without a chosen platform, the manifest of each platform.
 */
DAVIT_API int davit_registry_alias_get(davit_registry *r, const char *repo, const char *alias,
				       const davit_registry_manifest_opts *opts, davit_registry_alias **out,
				       davit_err *e);
/**
 * As davit_registry_alias_get(), for manifest bytes that the caller has. Requests are made only for an index.
 */
DAVIT_API int davit_registry_alias_resolve(davit_registry *r, const char *repo,
					   const davit_registry_manifest_body *body,
					   const davit_registry_manifest_opts *opts,
					   davit_registry_alias **out, davit_err *e);
/**
 * Makes the manifest of an alias for @p digests without writing it: Docker schema 2, the first blob as
 * configuration, all of them as layers. Sizes are asked from the registry (HEAD blob each).
 * @param digests  at least one
 * @param out      davit_reply_raw() gives the bytes
 */
DAVIT_API int davit_registry_manifest_make(davit_registry *r, const char *repo, const davit_strv *digests,
					   davit_registry_manifest **out, davit_err *e);
/**
 * Makes the unsigned Docker schema 1 manifest of an alias. No request.
 */
DAVIT_API int davit_registry_manifest_make_schema1(const char *repo, const char *alias,
						   const davit_strv *digests, davit_registry_manifest **out,
						   davit_err *e);
/**
 * Points an alias at blobs: davit_registry_manifest_make(), then PUT. A registry that answers 400 to
 * either is sent a signed schema 1 manifest instead. An alias that exists is overwritten.
 * @param out  the manifest that was written; may be NULL
 */
DAVIT_API int davit_registry_alias_set(davit_registry *r, const char *repo, const char *alias,
				       const davit_strv *digests, davit_registry_manifest **out,
				       davit_err *e);
/**
 * Deletes the manifest that an alias names, and so every tag of it; the blobs stay.
 * GET manifest, DELETE /v2/REPO/manifests/DIGEST.
 * @param out  what the alias stood for; may be NULL. Of an index, the entries say only platform and
 *             manifest_digest: its manifests stay and are not read
 */
DAVIT_API int davit_registry_alias_delete(davit_registry *r, const char *repo, const char *alias,
					  davit_registry_alias **out, davit_err *e);

#ifdef __cplusplus
}
#endif
#endif

/**
 * @file
 * Credentials where users already keep them: docker's config.json with its helpers, podman's
 * auth.json, netrc.
 */
#ifndef DAVIT_CREDENTIALS_H
#define DAVIT_CREDENTIALS_H

#include <stddef.h>

#include <davit/err.h>
#include <davit/stream.h>
#include <davit/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Credentials for one server. Members that are NULL are absent; all absent means anonymous. */
typedef struct davit_credentials {
	const char *username;        /**< User name. */
	davit_secret password;       /**< Password. */
	/** OAuth2 refresh token (`identitytoken`, or a helper's `<token>` user). */
	davit_secret identity_token;
	davit_secret registry_token; /**< Bearer token to be sent as it is (`registrytoken`). */
	const char *origin;          /**< Where they were found, for messages: a file or a helper's name. */
} davit_credentials;

/** Options of the credential store; see #DAVIT_OPTS. */
typedef struct davit_credentials_opts {
	size_t size;              /**< Set by #DAVIT_OPTS. */
	const char *config_file;  /**< Only this docker or podman file; NULL: the usual places. */
	const char *netrc_file;   /**< This netrc; NULL: `$NETRC`, then `~/.netrc`, then `~/_netrc`. */
	davit_tri use_netrc;      /**< Whether netrc is read at all; default yes. */
	davit_cancel_token *cancel; /**< Ends a helper that does not answer; may be NULL. */
} davit_credentials_opts;

/**
 * Finds the credentials for @p server (a `host[:port]`, with an optional `/path` prefix of a repository).
 *
 * Searched in order, the first hit wins: `$REGISTRY_AUTH_FILE`, `$XDG_RUNTIME_DIR/containers/auth.json`,
 * `~/.config/containers/auth.json`, then docker's `$DOCKER_CONFIG/config.json` or `~/.docker/config.json`,
 * then netrc. In each file `credHelpers` goes before `credsStore`, that before `auths`; a longer path
 * prefix before a shorter one. All historical spellings of a key (`https://host/`, `host/v1/`, the names
 * of Docker Hub) mean the same server. A helper that is not installed is skipped.
 *
 * @param out  always set on success; free it with davit_credentials_free()
 * @return 0 (also when nothing is known: all members are then NULL), #DAVIT_EIO for a file that
 *         cannot be read, #DAVIT_EPROTO for one that cannot be understood, #DAVIT_ETIMEOUT, #DAVIT_ECANCELLED
 */
DAVIT_API int davit_credentials_find(const char *server, const davit_credentials_opts *opts,
				     davit_credentials **out, davit_err *e);

/** Wipes and frees. NULL is ignored. */
DAVIT_API void davit_credentials_free(davit_credentials *c);

/**
 * Stores @p c for @p server: in the helper that the file names for it, else in the file itself (mode
 * 0600, other members kept, written to a temporary name and renamed).
 * @param where  gets a description of the place for messages if not NULL: at least @p n bytes
 * @return 0, #DAVIT_EARG if @p c holds neither user and password nor a token, #DAVIT_ENOTFOUND for a helper
 *         that is not installed, or as davit_credentials_find()
 */
DAVIT_API int davit_credentials_store(const char *server, const davit_credentials *c,
				      const davit_credentials_opts *opts, char *where, size_t n,
				      davit_err *e);

/** Removes what is stored for @p server. @return 0, #DAVIT_ENOTFOUND if there was nothing, or as above */
DAVIT_API int davit_credentials_erase(const char *server, const davit_credentials_opts *opts, davit_err *e);

#ifdef __cplusplus
}
#endif
#endif

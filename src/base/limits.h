/*
 * Every limit on what comes from outside, in one place. Units are bytes unless the name says otherwise.
 */
#ifndef DAVIT_BASE_LIMITS_H
#define DAVIT_BASE_LIMITS_H

enum {
	LIMIT_ARENA = 256 << 20,           /* one decoded reply with everything it points to */
	LIMIT_URL = 16 << 10,              /* a URL, with its query */
	/* one header of a request or an answer (X-Registry-Auth is large) */
	LIMIT_HEADER_LINE = 64 << 10,
	LIMIT_HEADERS = 256 << 10,         /* all headers of one message */
	LIMIT_HEADER_COUNT = 256,          /* headers of one message */
	LIMIT_REPLY = 64 << 20,            /* a JSON reply that is held in memory */
	LIMIT_ERROR_REPLY = 64 << 10,      /* the body of an error answer; the rest is not read */
	LIMIT_MANIFEST = 4 << 20,          /* a manifest that is written */
	LIMIT_MANIFEST_READ = 8 << 20,     /* a manifest that is read */
	LIMIT_TOKEN_REPLY = 256 << 10,     /* a token server's answer */
	LIMIT_TOKEN = 64 << 10,            /* one token or password */
	LIMIT_CONFIG_FILE = 4 << 20,       /* docker's config.json and the like */
	LIMIT_NETRC_FILE = 1 << 20,        /* a netrc file */
	LIMIT_HELPER_REPLY = 256 << 10,    /* what a credential helper prints */
	LIMIT_HELPER_MS = 60 * 1000,       /* milliseconds for a credential helper */
	LIMIT_JSON_DEPTH = 64,             /* nesting levels of JSON */
	LIMIT_JSON_NODES = 4 << 20,        /* values of one JSON document; an object counts as 8 */
	LIMIT_NDJSON_LINE = 8 << 20,       /* one line of a JSON stream */
	LIMIT_REPO_NAME = 255,             /* a repository name */
	LIMIT_TAG = 128,                   /* a tag */
	LIMIT_CHALLENGE = 16 << 10,        /* one WWW-Authenticate header */
	LIMIT_CHALLENGE_PARAMS = 32,       /* parameters of one challenge */
	LIMIT_CHALLENGES = 16,             /* challenges of one answer */
	LIMIT_SCOPES = 16,                 /* scopes of one token request */
	LIMIT_TOKENS = 64,                 /* tokens that one handle keeps */
	LIMIT_AUTH_STEPS = 6,              /* requests of an authenticator per attempt */
	LIMIT_PAGES = 100000,              /* pages of one listing */
	LIMIT_INDEX_ENTRIES = 4096,        /* manifests of one index */
	LIMIT_LAYERS = 4096,               /* layers of one manifest */
	LIMIT_REDIRECTS = 10,              /* redirects of one request, by default */
	LIMIT_RETRIES = 4,                 /* further attempts, by default */
	LIMIT_RETRY_WAIT_MS = 60 * 1000,   /* longest wait before a further attempt, also by Retry-After */
	LIMIT_PROBE_MS = 3000,             /* milliseconds to find out whether a server speaks TLS */
	LIMIT_WS_MESSAGE = 16 << 20,       /* one websocket message */
	LIMIT_CHUNK = 16 << 20,            /* one read or write of a transfer */
	LIMIT_CHUNK_DEFAULT = 256 << 10,   /* the same if nothing is asked for */
	LIMIT_TIDY_MS = 3000,              /* milliseconds for a request that clears up after a failure */
	LIMIT_SPOOL = 1 << 30,             /* a body that is spooled to be signed */
};

#endif

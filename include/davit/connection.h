/**
 * @file
 * How a handle reaches its server: TLS, proxy, socket, time limits, tracing. All services share it.
 */
#ifndef DAVIT_CONNECTION_H
#define DAVIT_CONNECTION_H

#include <stddef.h>

#include <davit/err.h>
#include <davit/stream.h>
#include <davit/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Receives one line of trace text without newline. Secrets are already replaced by `[redacted]`. */
typedef void (*davit_trace_fn)(void *user, const char *line);

/** Options of every `…_open()` call; see #DAVIT_OPTS. Strings are copied. */
typedef struct davit_connection_opts {
	size_t size;              /**< Set by #DAVIT_OPTS. */
	const char *unix_socket;  /**< Connect to this path whatever the host is. */
	const char *ca_file;      /**< PEM file with the trusted authorities; NULL: the system's. */
	const char *ca_dir;       /**< Directory of hashed authorities. */
	const char *client_cert;  /**< PEM file with our certificate. */
	const char *client_key;   /**< PEM file with its key; NULL: in @ref client_cert. */
	davit_secret client_key_password; /**< Passphrase of the key. */
	davit_tri insecure;       /**< Yes: accept any certificate. Default no. */
	const char *proxy;        /**< Proxy URL; NULL: from `http_proxy`, `HTTPS_PROXY`, …; "" for none. */
	const char *no_proxy;     /**< Hosts without proxy; NULL: from `no_proxy`. */
	const char *user_agent;   /**< NULL: `davit/VERSION`. */
	int connect_timeout_ms;   /**< Time to connect; 0: 30,000. */
	/** Time for one call that is no stream, each page of a listing for itself; 0: no limit. */
	int timeout_ms;
	/** Bytes per second under which a transfer counts as stalled; 0: 1, negative: never. */
	int low_speed_limit;
	int low_speed_time_s;     /**< Seconds of stall that end a transfer; 0: 60. */
	/**
	 * Further attempts after a passing failure; 0: 4, negative: none. Passing are the statuses 408, 429,
	 * 502, 503 and 504, a connection that is lost or does not come about, and a stall or
	 * @ref connect_timeout_ms that ran out. A refused connection, an unknown host name, and failures of
	 * TLS and trust are told at once. A call that is not idempotent is repeated only if nothing of it was
	 * sent, or after 429; a body only if its source can be rewound.
	 */
	int retries;
	int max_redirects;        /**< 0: 10, negative: none. */
	davit_cancel_token *cancel; /**< Ends running calls; the handle takes its own reference. */
	davit_trace_fn trace;     /**< Told what goes over the wire; NULL: nobody. */
	void *trace_user;         /**< Passed to @ref trace. */
} davit_connection_opts;

#ifdef __cplusplus
}
#endif
#endif

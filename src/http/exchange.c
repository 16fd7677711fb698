/* One request and its answer. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/cancel.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/mem.h"
#include "http/internal.h"

enum {
	UPLOAD_BUFFER_MIN = 64 << 10,
	UPLOAD_BUFFER_MAX = 2 << 20, /* curl takes no more */
	SAMPLE_MS = 1000,            /* how often the speed is looked at */
	WAIT_MAX_MS = 60 * 1000,
};

/* Tells a slow network from a slow caller: time in callbacks does not count. */
struct speed {
	int64_t at;       /* clock at the last sample; 0: not connected yet */
	int64_t in_calls; /* x->in_calls then */
	int64_t bytes;    /* moved until then */
	int64_t slow_ms;  /* for how long it has been too slow */
};

struct exchange {
	struct http_client *c;
	const struct http_request *req;
	const struct http_handler *h;
	struct http_response *r;
	davit_err *e;
	int code; /* why a callback ended the transfer */
	const char *who;
	/* the head that arrives */
	struct headers head;
	int status;
	char reason[sizeof((struct http_response *)0)->reason];
	size_t head_bytes; /* all heads, interim ones too */
	bool head_done;
	/* progress */
	unsigned issued;  /* how often curl sent the request */
	int64_t sent;     /* bytes taken from the body source */
	int64_t in_calls; /* ms spent in the caller's callbacks */
	struct speed speed;
	struct http_tracer tracer;
	/* request headers as curl wants them; the block holds secrets */
	struct curl_slist *list;
	struct buf text;
};

void http_response_fini(struct http_response *r)
{
	headers_fini(&r->headers);
}

/* Keeps the first reason why a callback ended the transfer. Whether code is one. */
static bool stop(struct exchange *x, int code)
{
	if (code < 0 && !x->code)
		x->code = code;
	return code < 0;
}

/* ---- the answer's head ---- */

/* Copies a reason phrase with everything outside printable ASCII replaced. */
static void copy_reason(char *to, size_t cap, const char *p, size_t n)
{
	size_t len = n < cap ? n : cap - 1;

	for (size_t i = 0; i < len; i++)
		to[i] = (char)(p[i] >= 0x20 && p[i] < 0x7f ? p[i] : '?');
	to[len] = 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "HTTP/1.1 200 OK"; curl has looked at it before. */
static int status_line(struct exchange *x, const char *p, size_t n)
{
	const char *sp = memchr(p, ' ', n);
	size_t at = sp ? (size_t)(sp - p) + 1 : n;

	if (at + 3 > n || !is_digit(p[at]) || !is_digit(p[at + 1]) || !is_digit(p[at + 2]) ||
	    (at + 3 < n && p[at + 3] != ' '))
		return err_set(x->e, DAVIT_EPROTO, "%s answered with a broken status line", x->who);
	headers_fini(&x->head);
	x->head = (struct headers){ 0 };
	x->status = (p[at] - '0') * 100 + (p[at + 1] - '0') * 10 + (p[at + 2] - '0');
	at += at + 3 < n ? 4 : 3;
	copy_reason(x->reason, sizeof x->reason, p + at, n - at);
	return 0;
}

/* Two lengths that differ are how answers are smuggled past a proxy. */
static int check_lengths(const struct exchange *x)
{
	size_t at = 0;
	const char *first = headers_next(&x->head, "Content-Length", &at);
	const char *other;

	while (first && (other = headers_next(&x->head, "Content-Length", &at)))
		if (strcmp(first, other) != 0)
			return err_set(x->e, DAVIT_EPROTO, "%s sent two different Content-Length headers",
				       x->who);
	return 0;
}

static int64_t timed(const struct exchange *x)
{
	return x->c->opts.low_speed_limit < 0 ? 0 : clock_mono_ms();
}

static int head_end(struct exchange *x)
{
	int64_t start;
	int rc;

	if (x->status == 101)
		return err_set(x->e, DAVIT_EPROTO, "%s switched to another protocol without being asked",
			       x->who);
	if (x->status < 200) {
		x->status = 0;
		return 0;
	}
	rc = check_lengths(x);
	if (rc)
		return rc;
	x->head_done = true;
	x->r->status = x->status;
	x->r->headers = x->head;
	x->head = (struct headers){ 0 };
	memcpy(x->r->reason, x->reason, sizeof x->reason);
	if (!x->h || !x->h->head)
		return 0;
	start = timed(x);
	rc = x->h->head(x->h->user, x->r, x->e);
	x->in_calls += timed(x) - start;
	return rc;
}

static int head_line(struct exchange *x, const char *p, size_t n)
{
	while (n && (p[n - 1] == '\n' || p[n - 1] == '\r'))
		n--;
	if (!n)
		return x->status ? head_end(x) : 0;
	if (!x->status)
		return status_line(x, p, n);
	return err_at(x->e, headers_parse_line(&x->head, p, n, x->e), "the answer of %s: ", x->who);
}

static size_t on_header(char *p, size_t size, size_t n, void *user)
{
	struct exchange *x = user;
	int rc = 0;

	n *= size;
	x->head_bytes += n;
	if (x->head_bytes > LIMIT_HEADERS)
		rc = err_set(x->e, DAVIT_ELIMIT, "the answer of %s has more than %d bytes of headers", x->who,
			     LIMIT_HEADERS);
	else if (!x->head_done) /* what follows a body are trailers, which nobody needs */
		rc = head_line(x, p, n);
	return stop(x, rc) ? 0 : n;
}

/* ---- bodies ---- */

static davit_cancel_token *cancel_of(const struct exchange *x)
{
	return x->req->uncancelled ? NULL : x->c->opts.cancel;
}

/* curl may hand over many pieces before it returns to where the token is looked at. */
static bool cancelled(struct exchange *x)
{
	return stop(x, cancel_check(cancel_of(x), x->e));
}

static size_t on_body(char *p, size_t size, size_t n, void *user)
{
	struct exchange *x = user;
	int64_t start;
	int rc;

	n *= size;
	if (!n || cancelled(x))
		return 0;
	x->r->body_started = true;
	if (!x->h || !x->h->body)
		return n;
	start = timed(x);
	rc = x->h->body(x->h->user, p, n, x->e);
	x->in_calls += timed(x) - start;
	return stop(x, rc) ? 0 : n;
}

static size_t body_cap(const struct exchange *x, size_t cap)
{
	size_t chunk = x->req->chunk ? x->req->chunk : LIMIT_CHUNK_DEFAULT;
	int64_t total = x->req->body->size;

	if (cap > chunk)
		cap = chunk;
	if (total >= 0 && (uint64_t)(total - x->sent) < cap)
		cap = (size_t)(total - x->sent);
	return cap;
}

static int check_source(struct exchange *x, int value, size_t got, size_t cap)
{
	const davit_source *s = x->req->body;

	if (value < 0)
		return err_callback(x->e, value, "reading the body to send");
	if (got > cap)
		return err_set(x->e, DAVIT_EARG, "the body source gave %zu bytes where %zu were asked for",
			       got, cap);
	if (!got && s->size >= 0)
		return err_set(x->e, DAVIT_EINTEGRITY, "the body to send ended after %lld of %lld bytes",
			       (long long)x->sent, (long long)s->size);
	return 0;
}

static size_t on_read(char *p, size_t size, size_t n, void *user)
{
	struct exchange *x = user;
	size_t cap = body_cap(x, size * n), got = 0;
	int64_t start = timed(x);
	int rc;

	if (!cap)
		return 0;
	if (cancelled(x))
		return CURL_READFUNC_ABORT;
	rc = x->req->body->read(x->req->body->user, p, cap, &got);
	x->in_calls += timed(x) - start;
	rc = check_source(x, rc, got, cap);
	if (stop(x, rc))
		return CURL_READFUNC_ABORT;
	x->sent += (int64_t)got;
	return got;
}

/* ---- sending ---- */

static bool is_safe(const struct http_request *req)
{
	return !req->body && (strcmp(req->method, "GET") == 0 || strcmp(req->method, "HEAD") == 0 ||
			      strcmp(req->method, "OPTIONS") == 0);
}

/*
 * curl is about to send the request. It does so again by itself when a pooled connection turns out to be
 * dead; whether the server has acted on the first copy is not known then.
 */
static int on_request(void *user, char *peer, char *local, int peer_port, int local_port)
{
	struct exchange *x = user;

	(void)local;
	(void)local_port;
	if (x->issued++ && !is_safe(x->req)) {
		stop(x, err_set(x->e, DAVIT_EIO,
				"%s closed the connection without an answer to %s; whether it acted on it is "
				"not known",
				x->who, x->req->method));
		return CURL_PREREQFUNC_ABORT;
	}
	x->r->sent = true;
	x->speed.at = clock_mono_ms();
	if (http_client_traces(x->c)) {
		long fresh = 0;

		curl_easy_getinfo(x->c->easy, CURLINFO_NUM_CONNECTS, &fresh);
		http_client_trace(x->c, "* %s connection to %s (%s port %d)", fresh ? "new" : "reused",
				  x->who, *peer ? peer : "socket", peer_port);
	}
	return CURL_PREREQFUNC_OK;
}

/* Headers that are made here whatever the caller says. */
static bool is_ours(const char *name)
{
	static const char *const names[] = { "Host", "Content-Length", "Transfer-Encoding", "Connection" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcasecmp(name, names[i]) == 0)
			return true;
	return false;
}

static void add_line(struct exchange *x, size_t *n, const char *name, const char *value)
{
	/* "Name;" is how curl wants an empty value. Each line keeps its NUL. */
	buf_printf(&x->text, *value ? "%s: %s" : "%s;%s", name, value);
	buf_putc(&x->text, 0);
	(*n)++;
}

static void add_raw(struct exchange *x, size_t *n, const char *line)
{
	buf_add(&x->text, line, strlen(line) + 1);
	(*n)++;
}

static int link_lines(struct exchange *x, size_t n, davit_err *e)
{
	int rc = buf_check(&x->text, "the headers of the request", e);
	char *p = x->text.p;

	if (rc)
		return rc;
	x->list = calloc(n, sizeof *x->list);
	if (!x->list)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++) {
		x->list[i] = (struct curl_slist){ .data = p, .next = i + 1 < n ? x->list + i + 1 : NULL };
		p += strlen(p) + 1;
	}
	return 0;
}

/* All headers in one block that is wiped at the end; what curl would add by itself is suppressed. */
static int make_lines(struct exchange *x, davit_err *e)
{
	static const struct headers none;
	const struct headers *in = x->req->headers ? x->req->headers : &none;
	AUTO_BUF struct buf host = BUF_INIT(LIMIT_URL);
	size_t n = 0;
	int rc;

	uri_write_authority(x->req->uri, &host);
	rc = buf_check(&host, "the name of the host", e);
	if (rc)
		return rc;
	add_line(x, &n, "Host", buf_str(&host));
	for (size_t i = 0; i < in->n; i++)
		if (!is_ours(in->v[i].name))
			add_line(x, &n, in->v[i].name, in->v[i].value);
	if (!headers_get(in, "Expect"))
		add_raw(x, &n, "Expect:");
	if (!headers_get(in, "Accept"))
		add_raw(x, &n, "Accept:");
	if (!headers_get(in, "Content-Type"))
		add_raw(x, &n, "Content-Type:");
	if (x->req->decode && !headers_get(in, "Accept-Encoding"))
		add_raw(x, &n, "Accept-Encoding:");
	if (x->req->body && x->req->body->size < 0)
		add_raw(x, &n, "Transfer-Encoding: chunked");
	return link_lines(x, n, e);
}

/* Methods whose missing body is told as Content-Length: 0. */
static bool has_body(const struct http_request *req)
{
	return req->body || strcmp(req->method, "POST") == 0 || strcmp(req->method, "PUT") == 0 ||
	       strcmp(req->method, "PATCH") == 0;
}

static long upload_buffer(const struct http_request *req)
{
	size_t n = req->chunk ? req->chunk : LIMIT_CHUNK_DEFAULT;

	if (!req->body || n < UPLOAD_BUFFER_MIN)
		return UPLOAD_BUFFER_MIN;
	return n > UPLOAD_BUFFER_MAX ? UPLOAD_BUFFER_MAX : (long)n;
}

static CURLcode set_method(CURL *h, const struct http_request *req)
{
	/* HTTPGET first: it takes back what the last request has set. */
	CURLcode rc = curl_easy_setopt(h, CURLOPT_HTTPGET, 1L);
	bool get = strcmp(req->method, "GET") == 0;
	/* Any negative size is an unknown one; curl takes only -1. */
	curl_off_t size = !req->body ? 0 : req->body->size < 0 ? -1 : req->body->size;

	if (!rc && strcmp(req->method, "HEAD") == 0)
		rc = curl_easy_setopt(h, CURLOPT_NOBODY, 1L);
	if (!rc && has_body(req))
		rc = curl_easy_setopt(h, CURLOPT_UPLOAD, 1L);
	if (!rc)
		rc = curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, get && !req->body ? NULL : req->method);
	if (!rc)
		rc = curl_easy_setopt(h, CURLOPT_INFILESIZE_LARGE, size);
	if (!rc)
		rc = curl_easy_setopt(h, CURLOPT_UPLOAD_BUFFERSIZE, upload_buffer(req));
	return rc;
}

static CURLcode set_callbacks(CURL *h, struct exchange *x)
{
	CURLcode rc = curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, on_header);

	if (!rc)
		rc = curl_easy_setopt(h, CURLOPT_HEADERDATA, x);
	if (!rc)
		rc = curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_body);
	if (!rc)
		rc = curl_easy_setopt(h, CURLOPT_WRITEDATA, x);
	if (!rc)
		rc = curl_easy_setopt(h, CURLOPT_READFUNCTION, on_read);
	if (!rc)
		rc = curl_easy_setopt(h, CURLOPT_READDATA, x);
	if (!rc)
		rc = curl_easy_setopt(h, CURLOPT_PREREQFUNCTION, on_request);
	if (!rc)
		rc = curl_easy_setopt(h, CURLOPT_PREREQDATA, x);
	if (!rc)
		rc = curl_easy_setopt(h, CURLOPT_HTTPHEADER, x->list);
	/* Servers that compress without being asked; the header that curl would send is suppressed. */
	if (!rc)
		rc = curl_easy_setopt(h, CURLOPT_ACCEPT_ENCODING, x->req->decode ? "gzip, deflate" : NULL);
	return rc;
}

static int prepare(struct exchange *x, davit_err *e)
{
	AUTO_BUF struct buf url = BUF_INIT_SECRET(LIMIT_URL);
	int rc = make_lines(x, e);
	CURLcode cc;

	if (rc)
		return rc;
	uri_write(x->req->uri, &url);
	rc = buf_check(&url, "the URL", e);
	if (rc)
		return rc;
	cc = curl_easy_setopt(x->c->easy, CURLOPT_URL, buf_str(&url));
	if (!cc)
		cc = set_method(x->c->easy, x->req);
	if (!cc)
		cc = set_callbacks(x->c->easy, x);
	http_trace_attach(x->c->easy, &x->tracer);
	return cc ? err_nomem(e) : 0;
}

/* ---- time ---- */

static int64_t bytes_moved(CURL *h)
{
	curl_off_t up = 0, down = 0;
	long head = 0;

	curl_easy_getinfo(h, CURLINFO_SIZE_UPLOAD_T, &up);
	curl_easy_getinfo(h, CURLINFO_SIZE_DOWNLOAD_T, &down);
	curl_easy_getinfo(h, CURLINFO_HEADER_SIZE, &head);
	return up + down + head;
}

static int check_speed(struct exchange *x, int64_t now, davit_err *e)
{
	const davit_connection_opts *o = &x->c->opts;
	struct speed *s = &x->speed;
	int64_t spent = now - s->at - (x->in_calls - s->in_calls), bytes;

	if (spent < SAMPLE_MS)
		return 0;
	bytes = bytes_moved(x->c->easy);
	if (bytes - s->bytes < o->low_speed_limit * spent / 1000)
		s->slow_ms += spent;
	else
		s->slow_ms = 0;
	s->at = now;
	s->in_calls = x->in_calls;
	s->bytes = bytes;
	if (s->slow_ms < o->low_speed_time_s * (int64_t)1000)
		return 0;
	return err_set(e, DAVIT_ETIMEOUT, "%s: the transfer stalled: less than %d bytes per second for %d s",
		       x->who, o->low_speed_limit, o->low_speed_time_s);
}

static int on_tick(void *user, int *wait_ms, davit_err *e)
{
	struct exchange *x = user;
	int64_t deadline = x->req->stream ? 0 : x->req->deadline_ms, now;
	bool watch = x->c->opts.low_speed_limit >= 0 && !x->req->idle && x->speed.at;

	*wait_ms = watch ? SAMPLE_MS : WAIT_MAX_MS;
	if (!deadline && !watch)
		return 0;
	now = clock_mono_ms();
	if (deadline && now >= deadline)
		return err_set(e, DAVIT_ETIMEOUT, "%s: %s within the time limit of the call", x->who,
			       x->head_done ? "the answer was not complete" : "no answer came");
	if (deadline && deadline - now < *wait_ms)
		*wait_ms = (int)(deadline - now);
	return watch ? check_speed(x, now, e) : 0;
}

/* ---- the whole ---- */

static void trace_end(const struct exchange *x, int rc)
{
	curl_off_t connect = 0, first = 0, total = 0, up = 0, down = 0;
	CURL *h = x->c->easy;

	if (!http_client_traces(x->c))
		return;
	curl_easy_getinfo(h, CURLINFO_CONNECT_TIME_T, &connect);
	curl_easy_getinfo(h, CURLINFO_STARTTRANSFER_TIME_T, &first);
	curl_easy_getinfo(h, CURLINFO_TOTAL_TIME_T, &total);
	curl_easy_getinfo(h, CURLINFO_SIZE_UPLOAD_T, &up);
	curl_easy_getinfo(h, CURLINFO_SIZE_DOWNLOAD_T, &down);
	http_client_trace(
	    x->c,
	    "* %s: status %d, sent %lld, received %lld bytes; connected %lld, first byte %lld, end %lld us",
	    rc ? davit_code_name(rc) : "done", x->r->status, (long long)up, (long long)down,
	    (long long)connect, (long long)first, (long long)total);
}

static int report(struct exchange *x, CURLcode cc, davit_err *e)
{
	struct http_failure f = {
		.easy = x->c->easy,
		.rc = cc,
		.why = x->c->why,
		.opts = &x->c->opts,
		.uri = x->req->uri,
		.connected = x->issued > 0,
		.got_head = x->head_done,
		.head_begun = x->head_bytes > 0,
	};
	int rc = http_failure_report(&f, e);

	http_failure_keep(x->c, &f);
	return rc;
}

static int run(struct exchange *x, davit_err *e)
{
	const struct http_drive d = {
		.multi = x->c->multi,
		.easy = x->c->easy,
		.tick = { on_tick, x },
		.cancel = cancel_of(x),
	};
	CURLcode cc = CURLE_OK;
	int rc;

	x->c->why[0] = 0;
	if (curl_multi_add_handle(d.multi, d.easy))
		return err_nomem(e);
	rc = http_drive(&d, &cc, e);
	if (!rc && x->code)
		rc = x->code;
	else if (!rc && cc)
		rc = report(x, cc, e);
	else if (!rc && !x->head_done)
		rc = err_set(e, DAVIT_EPROTO, "%s sent no complete answer", x->who);
	trace_end(x, rc);
	curl_multi_remove_handle(d.multi, d.easy);
	return rc;
}

static int check_request(struct http_client *c, const struct http_request *req, davit_err *e)
{
	int rc = http_client_check_fork(c, e);

	if (rc)
		return rc;
	if (c->busy)
		return err_set(e, DAVIT_ESTATE, "a callback used the handle whose call runs it");
	if (!req->method || !*req->method || !req->uri)
		return err_set(e, DAVIT_EARG, "a request needs a method and a URL");
	return 0;
}

int http_exchange(struct http_client *c, const struct http_request *req, const struct http_handler *h,
		  struct http_response *r, davit_err *e)
{
	char who[HTTP_WHO_MAX];
	struct exchange x = {
		.c = c,
		.req = req,
		.h = h,
		.r = r,
		.e = e,
		.who = who,
		.text = BUF_INIT_SECRET(LIMIT_HEADERS + LIMIT_URL),
		.tracer = { &c->opts, req->headers },
	};
	int rc;

	*r = (struct http_response){ 0 };
	rc = check_request(c, req, e);
	if (rc)
		return rc;
	c->busy = true;
	c->spoke_no_tls = c->nobody = false;
	http_who(req->uri, &c->opts, who);
	rc = prepare(&x, e);
	if (!rc)
		rc = run(&x, e);
	curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, NULL);
	buf_fini(&x.text);
	free(x.list);
	headers_fini(&x.head);
	c->busy = false;
	return rc;
}

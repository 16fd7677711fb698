#include "fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "wire/digest.h"
#include "wire/http1.h"

enum { PEERS_MAX = 16 };

struct peer {
	int fd;
	struct buf in;
	bool continued; /* 100 was sent for the request that is arriving */
};

struct thread {
	pthread_t id;
	int stop[2];
	struct peer peers[PEERS_MAX];
	size_t n;
};

static void send_all(int fd, const struct buf *b)
{
	for (size_t at = 0; at < b->len;) {
		ssize_t n = send(fd, b->p + at, b->len - at, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		at += (size_t)n;
	}
}

/* Takes a chunked body off p; the bytes used, or 0 if it is not complete. */
static size_t take_chunks(const char *p, size_t n, struct buf *body)
{
	const char *start = p, *end = p + n;

	for (;;) {
		const char *line = memmem(p, (size_t)(end - p), "\r\n", 2);
		size_t size;

		if (!line)
			return 0;
		size = strtoul(p, NULL, 16);
		p = line + 2;
		if ((size_t)(end - p) < size + 2)
			return 0;
		buf_add(body, p, size);
		p += size + 2;
		if (!size)
			return (size_t)(p - start);
	}
}

/* The body behind head_n bytes; false if it is not complete. */
static bool take_body(const struct buf *in, size_t head_n, struct seen *q, size_t *used)
{
	const char *length = headers_get(&q->headers, "Content-Length");
	size_t n = length ? strtoul(length, NULL, 10) : 0;

	*used = head_n + n;
	if (http1_has_token(&q->headers, "Transfer-Encoding", "chunked")) {
		n = take_chunks(in->p + head_n, in->len - head_n, &q->body);
		*used = head_n + n;
		return n > 0;
	}
	if (in->len < *used)
		return false;
	buf_add(&q->body, in->p + head_n, n);
	return true;
}

static void seen_fini(struct seen *q)
{
	free(q->method);
	free(q->target);
	headers_fini(&q->headers);
	buf_fini(&q->body);
}

/* Keeps q and sends the answer; recorded first, so that the client's thread sees it once the answer is there.
 */
static void finish(struct server *s, const struct peer *p, struct seen *q, const struct buf *out)
{
	if (s->n < SEEN_MAX)
		s->seen[s->n] = *q;
	else
		seen_fini(q);
	s->n++;
	send_all(p->fd, out);
}

/* Takes one request off the peer's bytes; false if there is none yet. *keep: false to close. */
static bool serve_one(struct server *s, struct peer *p, bool *keep)
{
	struct http1_head head = HTTP1_HEAD_INIT(HTTP1_REQUEST);
	struct seen q = { .body = BUF_INIT(64 << 20) };
	struct buf out = BUF_INIT(64 << 20), go = BUF_INIT(64);
	size_t used = 0;
	int r = http1_feed(&head, buf_str(&p->in), p->in.len, &used, NULL);
	bool done = r == HTTP1_DONE;

	*keep = r >= 0;
	if (done) {
		q.method = strdup(head.method);
		q.target = strdup(head.target);
		headers_copy(&q.headers, &head.headers, NULL);
	}
	http1_head_fini(&head);
	if (done && !p->continued && headers_get(&q.headers, "Expect")) {
		q.no_body = p->continued = true;
		*keep = s->answer(s, &q, s->n, &out);
		q.no_body = !*keep || out.len;
		if (!q.no_body) {
			buf_puts(&go, "HTTP/1.1 100 Continue\r\n\r\n");
			send_all(p->fd, &go);
		}
		*keep = !q.no_body;
	}
	if (done && !q.no_body) {
		done = take_body(&p->in, used, &q, &used);
		if (done) {
			p->continued = false;
			buf_consume(&p->in, used);
			*keep = s->answer(s, &q, s->n, &out);
		}
	}
	if (done)
		finish(s, p, &q, &out);
	else
		seen_fini(&q);
	buf_fini(&out);
	buf_fini(&go);
	return done;
}

/* Handles what arrived; false to close. */
static bool serve(struct server *s, struct peer *p)
{
	bool keep = true;

	while (keep && serve_one(s, p, &keep))
		;
	return keep;
}

static bool receive(struct server *s, struct peer *p)
{
	char piece[65536];
	ssize_t n = recv(p->fd, piece, sizeof piece, 0);

	if (n <= 0)
		return false;
	buf_add(&p->in, piece, (size_t)n);
	return serve(s, p);
}

static void hang_up(struct peer *p)
{
	shutdown(p->fd, SHUT_RDWR);
	close(p->fd);
	buf_fini(&p->in);
}

static void poll_peers(struct server *s, struct pollfd *fds)
{
	struct thread *t = s->thread;
	size_t kept = 0;

	for (size_t i = 0; i < t->n; i++) {
		if (!fds[i + 2].revents || receive(s, &t->peers[i]))
			t->peers[kept++] = t->peers[i];
		else
			hang_up(&t->peers[i]);
	}
	t->n = kept;
}

static void *server_main(void *user)
{
	struct server *s = user;
	struct thread *t = s->thread;

	for (;;) {
		struct pollfd fds[PEERS_MAX + 2] = {
			{ .fd = t->stop[0], .events = POLLIN },
			{ .fd = t->n < PEERS_MAX ? s->fd : -1, .events = POLLIN },
		};

		for (size_t i = 0; i < t->n; i++)
			fds[i + 2] = (struct pollfd){ .fd = t->peers[i].fd, .events = POLLIN };
		poll(fds, t->n + 2, -1);
		if (fds[0].revents)
			break;
		poll_peers(s, fds);
		if (fds[1].revents) {
			int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);

			if (fd >= 0)
				t->peers[t->n++] = (struct peer){ .fd = fd, .in = BUF_INIT(64 << 20) };
		}
	}
	for (size_t i = 0; i < t->n; i++)
		hang_up(&t->peers[i]);
	return NULL;
}

void server_start(struct server *s)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof at;

	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&at, n), 0);
	assert_int_equal(listen(s->fd, 16), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&at, &n), 0);
	s->port = ntohs(at.sin_port);
	s->thread = calloc(1, sizeof *s->thread);
	assert_non_null(s->thread);
	assert_int_equal(pipe(s->thread->stop), 0);
	assert_int_equal(pthread_create(&s->thread->id, NULL, server_main, s), 0);
}

void server_stop(struct server *s)
{
	if (!s->thread)
		return;
	close(s->thread->stop[1]);
	pthread_join(s->thread->id, NULL);
	close(s->thread->stop[0]);
	close(s->fd);
	free(s->thread);
	s->thread = NULL;
}

void server_free(struct server *s)
{
	server_stop(s);
	for (int i = 0; i < s->n && i < SEEN_MAX; i++)
		seen_fini(&s->seen[i]);
	s->n = 0;
}

const char *server_url(const struct server *s, const char *path, char out[256])
{
	snprintf(out, 256, "http://127.0.0.1:%u%s", s->port, path);
	return out;
}

void put_answer(struct buf *out, int status, const char *headers, const char *body)
{
	buf_printf(out, "HTTP/1.1 %d Because\r\n%s", status, headers);
	if (status != 204 && status != 304)
		buf_printf(out, "Content-Length: %zu\r\n", strlen(body));
	buf_printf(out, "\r\n%s", body);
}

struct api *open_api_with(const struct server *s, const struct service *service, struct auth *auth,
			  const davit_connection_opts *o)
{
	char url[256];
	struct api *a;
	davit_err e = { 0 };

	assert_code(0, api_new(&(struct api_setup){ service, server_url(s, "", url), o, auth }, &a, &e), e);
	return a;
}

struct api *open_api(const struct server *s, const struct service *service, struct auth *auth)
{
	return open_api_with(s, service, auth, DAVIT_OPTS(davit_connection_opts, .proxy = ""));
}

/* ---- signing ---- */

static const char key[] = "a key for tests";

struct signer {
	struct auth base;
};

/* Everything that is signed, in one text. */
static void hash_text(struct buf *text, char out[DAVIT_DIGEST_MAX])
{
	struct digest *d;

	buf_puts(text, key);
	assert_int_equal(buf_check(text, "text", NULL), 0);
	assert_int_equal(digest_new(DIGEST_SHA256, &d, NULL), 0);
	assert_int_equal(digest_update(d, text->p, text->len), 0);
	assert_int_equal(digest_text(d, out, NULL), 0);
	digest_free(d);
	buf_fini(text);
}

static int signer_prepare(struct auth *a, struct auth_request *req, struct auth_subrequest *sub, davit_err *e)
{
	struct buf text = BUF_INIT(1 << 20);
	char digest[DAVIT_DIGEST_MAX], count[32], when[32];

	(void)a;
	(void)sub;
	assert_non_null(req->body_sha256);
	buf_printf(&text, "%s %s%s%s\n", req->method, req->uri->path, req->uri->query ? "?" : "",
		   req->uri->query ? req->uri->query : "");
	snprintf(count, sizeof count, "%zu", req->headers->n);
	for (size_t i = 0; i < req->headers->n; i++)
		buf_printf(&text, "%s: %s\n", req->headers->v[i].name, req->headers->v[i].value);
	snprintf(when, sizeof when, "%lld", (long long)req->now);
	buf_printf(&text, "%s %s %s\n", req->nonce, when, req->body_sha256);
	hash_text(&text, digest);
	headers_add(req->headers, "X-Test-Nonce", req->nonce, e);
	headers_add(req->headers, "X-Test-Time", when, e);
	headers_add_secret(req->headers, "X-Test-Signature", digest, e);
	return AUTH_READY;
}

static int signer_challenge(struct auth *a, const struct auth_request *req, const struct headers *answer,
			    davit_err *e)
{
	(void)a;
	(void)req;
	(void)answer;
	return err_set(e, DAVIT_EDENIED, "the server does not accept the signature");
}

static void signer_free(struct auth *a)
{
	free(a);
}

struct auth *signer_new(void)
{
	static const struct auth_ops ops = {
		.body = AUTH_BODY_SHA256,
		.prepare = signer_prepare,
		.challenge = signer_challenge,
		.free = signer_free,
	};
	struct signer *s = calloc(1, sizeof *s);

	assert_non_null(s);
	s->base.ops = &ops;
	return &s->base;
}

/* Headers that the HTTP library makes by itself, and those of the signature. */
static bool is_signed(const char *name)
{
	static const char *const not [] = { "Host",         "Content-Length", "Transfer-Encoding",
					    "X-Test-Nonce", "X-Test-Time",    "X-Test-Signature" };

	for (size_t i = 0; i < sizeof not / sizeof *not ; i++) {
		if (strcasecmp(not [i], name) == 0)
			return false;
	}
	return true;
}

bool signer_verifies(const struct seen *q)
{
	const char *nonce = headers_get(&q->headers, "X-Test-Nonce"),
		   *when = headers_get(&q->headers, "X-Test-Time");
	const char *given = headers_get(&q->headers, "X-Test-Signature");
	char digest[DAVIT_DIGEST_MAX], body[DAVIT_DIGEST_MAX];
	struct buf text = BUF_INIT(1 << 20);
	struct digest *d;

	if (!nonce || strlen(nonce) != 32 || !when || !given || llabs(atoll(when) - clock_real_s()) > 60)
		return false;
	assert_int_equal(digest_new(DIGEST_SHA256, &d, NULL), 0);
	digest_update(d, buf_str(&q->body), q->body.len);
	digest_text(d, body, NULL);
	digest_free(d);
	buf_printf(&text, "%s %s\n", q->method, q->target);
	for (size_t i = 0; i < q->headers.n; i++) {
		if (is_signed(q->headers.v[i].name))
			buf_printf(&text, "%s: %s\n", q->headers.v[i].name, q->headers.v[i].value);
	}
	buf_printf(&text, "%s %s %s\n", nonce, when, strchr(body, ':') + 1);
	hash_text(&text, digest);
	return strcmp(digest, given) == 0;
}

/* ---- sources ---- */

static int text_read(void *user, void *buf, size_t cap, size_t *got)
{
	struct text_source *t = user;
	size_t n = t->n - t->at < 7 ? t->n - t->at : 7;

	if (n > cap)
		n = cap;
	memcpy(buf, t->p + t->at, n);
	t->at += n;
	*got = n;
	return 0;
}

static int text_rewind(void *user)
{
	struct text_source *t = user;

	t->at = 0;
	t->rewinds++;
	return 0;
}

davit_source text_source(struct text_source *t, const char *p, bool rewind)
{
	*t = (struct text_source){ .p = p, .n = strlen(p) };
	return (davit_source){ .read = text_read,
			       .rewind = rewind ? text_rewind : NULL,
			       .user = t,
			       .size = rewind ? (int64_t)t->n : -1 };
}

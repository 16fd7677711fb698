#include "api/api.h"

#include <string.h>
#include <strings.h>

#include "api/errors.h"
#include "api/reply.h"
#include "api/request.h"
#include "base/err.h"
#include "base/limits.h"
#include "wire/linkheader.h"
#include "wire/query.h"

/* One running call. */
struct job {
	struct transfer t;
	struct buf json; /* encoded body */
	struct reply *reply;
};

static int job_init(struct job *j, struct api *a, const struct call *c, davit_err *e)
{
	const struct endpoint *ep = c->ep;
	size_t max = ep->reply_max ? ep->reply_max : LIMIT_REPLY;

	transfer_init(&j->t, a);
	j->json = (struct buf)BUF_INIT_SECRET(LIMIT_REPLY);
	j->reply = reply_make(ep->out, ep->flags & EP_ARRAY);
	if (!j->reply)
		return err_nomem(e);
	j->reply->raw.max = max;
	return 0;
}

static void job_fini(struct job *j)
{
	if (j->reply)
		davit_reply_free(j->reply->object);
	transfer_fini(&j->t);
	buf_fini(&j->json);
}

/* Receiver of replies that are held in memory. */
static int collect(void *user, const void *p, size_t n, davit_err *e)
{
	struct buf *raw = &((struct reply *)user)->raw;

	buf_add(raw, p, n);
	return buf_check(raw, "the answer", e);
}

static void collect_again(void *user)
{
	buf_clear(&((struct reply *)user)->raw);
}

/* A web page is the answer to no call, whatever its status says. */
static int refuse_html(const struct job *j, davit_err *e)
{
	const char *type = headers_get(&j->reply->headers, "Content-Type"), *p = buf_str(&j->reply->raw);

	p += strspn(p, " \t\r\n");
	if (*p == '<' || (type && strncasecmp(type, "text/html", 9) == 0))
		return err_set(e, DAVIT_EPROTO,
			       "%s answered HTML: it is no %s server, or a proxy or login page answers "
			       "for it",
			       j->t.uri.host, j->t.api->service->name);
	return 0;
}

static int decode_document(struct reply *r, const struct jnode *doc, davit_err *e)
{
	if (r->array) {
		/* The object of an array is a span; its memory is max_align_t. */
		return codec_decode_vec(r->type, doc, (struct span *)(void *)r->object, &r->mem, e);
	}
	return codec_decode(r->type, doc, r->object, &r->mem, e);
}

/* Whether an answer like this carries the row's document. */
static bool has_document(const struct job *j, const struct endpoint *ep)
{
	int status = j->t.resp.status;

	if (ep->flags & EP_RAW || strcmp(j->t.method, "HEAD") == 0 || status == 204 || status == 205 ||
	    status == 304)
		return false;
	return ep->flags & EP_ARRAY || type_has(ep->out, IN_BODY);
}

static int decode_body(struct job *j, davit_err *e)
{
	struct reply *r = j->reply;
	struct jnode *doc = NULL;
	int code;

	if (!r->raw.len)
		return err_set(e, DAVIT_EPROTO, "the answer has no body, JSON was expected");
	code = err_at(e, json_parse(r->raw.p, r->raw.len, &doc, e), "the answer: ");
	if (code)
		return code;
	code = err_at(e, decode_document(r, doc, e), "reply");
	/* davit_reply_value() wants it again. */
	r->doc = code ? NULL : doc;
	if (code)
		json_unref_secret(doc);
	return code;
}

/* Turns the final answer into the reply object, or into the call's error. */
static int finish(struct job *j, const struct endpoint *ep, davit_err *e)
{
	struct transfer *t = &j->t;
	struct reply *r = j->reply;
	int code = 0;

	if (!t->accepted)
		return error_from_answer(t->api->service, &t->resp, &t->error, e);
	r->status = t->resp.status;
	r->headers = t->resp.headers;
	t->resp.headers = (struct headers){ 0 };
	if (!r->array && type_has(ep->out, IN_HEADER))
		code = query_get_headers(ep->out, &r->headers, r->object, &r->mem, e);
	if (code || ep->shape == SHAPE_STREAM)
		return code;
	code = refuse_html(j, e);
	return code || !has_document(j, ep) ? code : decode_body(j, e);
}

static int run(struct job *j, const struct call *c, const struct uri *url, davit_err *e)
{
	int r = request_build(&j->t, c, url, &j->json, e);

	if (!r)
		r = transfer_run(&j->t, e);
	return r ? r : finish(j, c->ep, e);
}

static void *take_object(struct job *j)
{
	void *object = j->reply->object;

	j->reply = NULL;
	return object;
}

/* Guards the handle, runs the job and names the row in the message of a failure. */
static int run_guarded(struct job *j, const struct call *c, const struct uri *url, davit_err *e)
{
	struct api *a = j->t.api;
	int r = api_enter(a, e);

	if (!r) {
		r = run(j, c, url, e);
		api_leave(a);
	}
	return err_at(e, r, "%s: ", c->ep->name);
}

static int check_shape(const struct call *c, enum shape shape, davit_err *e)
{
	if (c->ep->shape == shape)
		return 0;
	return err_set(e, DAVIT_EARG, "%s: the row is of another shape than the call", c->ep->name);
}

static void receive_in_memory(struct job *j)
{
	j->t.to = (struct receiver){ .body = collect, .restart = collect_again, .user = j->reply };
}

static int call_in_memory(struct api *a, const struct call *c, void **out, davit_err *e)
{
	struct job j;
	int r = job_init(&j, a, c, e);

	if (!r) {
		receive_in_memory(&j);
		r = run_guarded(&j, c, NULL, e);
	}
	if (!r && out)
		*out = take_object(&j);
	job_fini(&j);
	return r;
}

int api_call(struct api *a, const struct call *c, void **out, davit_err *e)
{
	int r = check_shape(c, SHAPE_CALL, e);

	return r ? r : call_in_memory(a, c, out, e);
}

int api_upload(struct api *a, const struct call *c, void **out, davit_err *e)
{
	int r = check_shape(c, SHAPE_UPLOAD, e);

	return r ? r : call_in_memory(a, c, out, e);
}

/* Receiver of api_stream(). */
struct piecewise {
	const struct stream_to *to;
	size_t chunk;
};

static int stream_head(void *user, const struct http_response *r, davit_err *e)
{
	const struct stream_to *to = ((const struct piecewise *)user)->to;

	return to->head ? to->head(to->user, r->status, &r->headers, e) : 0;
}

static int stream_piece(const struct stream_to *to, const char *p, size_t n, davit_err *e)
{
	int r;

	if (!to->sink)
		return to->body ? to->body(to->user, p, n, e) : 0;
	r = to->sink->write(to->sink->user, p, n);
	return r < 0 ? err_callback(e, r, "writing the answer") : 0;
}

static int stream_body(void *user, const void *bytes, size_t n, davit_err *e)
{
	const struct piecewise *s = user;
	const char *p = bytes;
	int r = 0;

	while (n && !r) {
		size_t piece = n < s->chunk ? n : s->chunk;

		r = stream_piece(s->to, p, piece, e);
		p += piece;
		n -= piece;
	}
	return r;
}

int api_stream(struct api *a, const struct call *c, const struct stream_to *to, void **out, davit_err *e)
{
	struct piecewise s = { .to = to, .chunk = c->chunk ? c->chunk : LIMIT_CHUNK_DEFAULT };
	struct job j;
	int r = check_shape(c, SHAPE_STREAM, e);

	if (r)
		return r;
	r = job_init(&j, a, c, e);
	if (!r) {
		j.t.to = (struct receiver){ .head = stream_head, .body = stream_body, .user = &s };
		r = run_guarded(&j, c, NULL, e);
	}
	if (!r && out)
		*out = take_object(&j);
	job_fini(&j);
	return r;
}

/* A listing on its way. */
struct pages {
	struct api *api;
	const struct call *call;
	struct arena mem[2]; /* of the current and of the next URL, in turn */
	struct uri url;      /* of the next page */
	bool more;
	size_t n;        /* pages so far */
	struct buf text; /* url written out */
	struct buf mark; /* that of an earlier page */
};

/*
 * Brent's search for cycles: the mark moves on at every power of two, so that a cycle of any length meets it,
 * and two URLs are all that must be remembered.
 */
static int check_cycle(struct pages *p, davit_err *e)
{
	int r;

	buf_clear(&p->text);
	uri_write(&p->url, &p->text);
	r = buf_check(&p->text, "the address of the next page", e);
	if (r)
		return r;
	if (strcmp(buf_str(&p->text), buf_str(&p->mark)) == 0)
		return err_set(e, DAVIT_EPROTO, "page %zu names a page as the next one that was there before",
			       p->n);
	if ((p->n & (p->n - 1)) == 0) {
		buf_clear(&p->mark);
		buf_puts(&p->mark, buf_str(&p->text));
	}
	return buf_check(&p->mark, "the address of the next page", e);
}

/* Finds the next page in the answer of j. */
static int find_next(struct pages *p, const struct job *j, davit_err *e)
{
	struct arena *mem = &p->mem[p->n & 1];
	const char *target;
	int r;

	arena_fini(mem);
	if (p->n++ == 0)
		uri_write(&j->t.uri, &p->mark);
	r = link_find(&j->reply->headers, "next", mem, &target, e);
	if (r)
		return r;
	p->more = target;
	if (!target)
		return 0;
	if (p->n == LIMIT_PAGES)
		return err_set(e, DAVIT_ELIMIT, "the listing has more than %d pages", LIMIT_PAGES);
	r = uri_resolve(&j->t.uri, target, mem, &p->url, e);
	if (r)
		return err_at(e, r == DAVIT_EARG ? DAVIT_EPROTO : r, "the address of the next page: ");
	return check_cycle(p, e);
}

/* Gets one page; *object is the caller's. */
static int get_page(struct pages *p, void **object, davit_err *e)
{
	struct job j;
	int r = job_init(&j, p->api, p->call, e);

	if (!r) {
		receive_in_memory(&j);
		r = run_guarded(&j, p->call, p->n ? &p->url : NULL, e);
	}
	if (!r)
		r = err_at(e, find_next(p, &j, e), "%s: ", p->call->ep->name);
	if (!r)
		*object = take_object(&j);
	job_fini(&j);
	return r;
}

int api_pages(struct api *a, const struct call *c, int (*page)(void *user, void *reply, davit_err *e),
	      void *user, davit_err *e)
{
	struct pages p = {
		.api = a, .call = c, .text = BUF_INIT_SECRET(LIMIT_URL), .mark = BUF_INIT_SECRET(LIMIT_URL)
	};
	int r = check_shape(c, SHAPE_CALL, e);

	if (!r && !(c->ep->flags & EP_PAGED_LINK))
		r = err_set(e, DAVIT_EARG, "%s: the row has no pages", c->ep->name);
	if (r)
		return r;
	do {
		void *object;

		r = get_page(&p, &object, e);
		if (r)
			break;
		a->busy = true;
		r = page(user, object, e);
		a->busy = false;
	} while (!r && p.more);
	arena_fini(&p.mem[0]);
	arena_fini(&p.mem[1]);
	buf_fini(&p.text);
	buf_fini(&p.mark);
	return r > 0 ? 0 : r;
}

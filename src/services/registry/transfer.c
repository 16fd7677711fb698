/* What pushing and pulling share: progress, hashing beside the transfer, further attempts. */
#include <string.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/worker.h"
#include "services/registry/registry_internal.h"

enum {
	METER_MS = 50,             /* shortest time between two reports */
	HASH_INLINE = 512 << 10,   /* bytes that are hashed without a thread */
	HASH_PIECE = 256 << 10,    /* bytes that the thread takes at once; the queue holds 3 MiB */
	RETRY_FIRST_MS = 200,      /* wait before the first further attempt; doubles */
	RETRY_MOST_MS = 5000,
};

/* --- progress ---------------------------------------------------------------------------------- */

void registry_meter_init(struct registry_meter *m, davit_registry *r, const davit_progress *p,
			 const char *what, int64_t total)
{
	*m = (struct registry_meter){ .r = r, .p = p && p->update ? p : NULL,
				      .info = { .what = what, .total = total } };
}

/* The callback must not use the handle, also between two requests. */
static int report(struct registry_meter *m)
{
	bool *busy = &m->r->api->busy, before = *busy;
	int r;

	*busy = true;
	r = m->p->update(m->p->user, &m->info);
	*busy = before;
	return r < 0 ? r : 0;
}

int registry_meter_start(struct registry_meter *m)
{
	m->info.done = 0;
	m->next_ms = m->p ? clock_mono_ms() + METER_MS : 0;
	return m->p ? report(m) : 0;
}

int registry_meter_add(struct registry_meter *m, size_t n)
{
	int64_t now;

	m->info.done += n;
	if (!m->p)
		return 0;
	now = clock_mono_ms();
	if (now < m->next_ms)
		return 0;
	m->next_ms = now + METER_MS;
	return report(m);
}

int registry_meter_end(struct registry_meter *m)
{
	return m->p ? report(m) : 0;
}

/* --- hashing ----------------------------------------------------------------------------------- */

int registry_hash_init(struct registry_hash *h, enum digest_alg alg, davit_err *e)
{
	h->alg = alg;
	return digest_new(alg, &h->d, e);
}

static int hash_some(void *user, const void *p, size_t n)
{
	struct registry_hash *h = user;

	return digest_update(h->d, p, n);
}

int registry_hash_add(struct registry_hash *h, const void *p, size_t n, davit_err *e)
{
	int r;

	h->n += n;
	if (!h->w && h->n > HASH_INLINE) {
		r = worker_start(&h->w, hash_some, h, HASH_PIECE, e);
		if (r)
			return r;
	}
	r = h->w ? worker_push(h->w, p, n) : digest_update(h->d, p, n);
	return r ? err_set(e, r, "cannot compute a digest") : 0;
}

int registry_hash_end(struct registry_hash *h, davit_err *e)
{
	int r = worker_finish(h->w);

	h->w = NULL;
	return r ? err_set(e, r, "cannot compute a digest") : digest_text(h->d, h->text, e);
}

int registry_hash_reset(struct registry_hash *h, davit_err *e)
{
	struct digest *fresh;
	int r = digest_new(h->alg, &fresh, e);

	if (r)
		return r;
	worker_abort(h->w);
	digest_free(h->d);
	h->w = NULL;
	h->d = fresh;
	h->n = 0;
	return 0;
}

void registry_hash_fini(struct registry_hash *h)
{
	worker_abort(h->w);
	digest_free(h->d);
	h->w = NULL;
	h->d = NULL;
}

/* --- further attempts -------------------------------------------------------------------------- */

bool registry_passing(int code, const davit_err *e)
{
	return code == DAVIT_EIO || code == DAVIT_ETIMEOUT || (code == DAVIT_EREMOTE && e->http >= 500);
}

unsigned registry_retries(const davit_registry *r)
{
	int n = http_client_opts(r->api->http)->retries;

	return n > 0 ? (unsigned)n : 0;
}

int registry_wait(const davit_registry *r, unsigned n, davit_err *e)
{
	int64_t ms = n < 5 ? (int64_t)RETRY_FIRST_MS << n : RETRY_MOST_MS;

	return cancel_sleep(http_client_opts(r->api->http)->cancel, ms < RETRY_MOST_MS ? ms : RETRY_MOST_MS,
			    e);
}

int registry_chunk(size_t option, size_t *out, davit_err *e)
{
	if (option > LIMIT_CHUNK)
		return err_set(e, DAVIT_EARG, "a chunk of %zu bytes is larger than %d", option, LIMIT_CHUNK);
	*out = option ? option : LIMIT_CHUNK_DEFAULT;
	return 0;
}

int registry_descriptor(const char *digest, int64_t size, const char *media_type,
			davit_registry_descriptor **out, davit_err *e)
{
	davit_registry_descriptor *d;

	if (!out)
		return 0;
	d = reply_new(&registry_descriptor_type, e);
	if (!d)
		return DAVIT_ENOMEM;
	d->size = size;
	d->digest = arena_strdup(reply_arena(d), digest);
	d->media_type = media_type ? arena_strdup(reply_arena(d), media_type) : NULL;
	if (!d->digest || (media_type && !d->media_type)) {
		davit_reply_free(d);
		return err_nomem(e);
	}
	*out = d;
	return 0;
}

#include "torture.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <davit/err.h>

#define EXPORTED __attribute__((visibility("default")))

static _Thread_local unsigned left; /* allocations until the one that fails; 0: not armed */
static _Thread_local bool hit;
static _Thread_local long live;

/* The allocator behind ours: the C library's or the sanitizer's. */
static struct {
	void *(*malloc)(size_t);
	void *(*calloc)(size_t, size_t);
	void *(*realloc)(void *, size_t);
	void (*free)(void *);
	bool looking;
} real;

/* What dlsym() itself allocates while it looks for them; never given back. */
static _Alignas(max_align_t) char early[4096];
static size_t early_used;

static void *early_alloc(size_t n)
{
	char *p = early + early_used;

	n = (n + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
	if (n > sizeof early - early_used)
		return NULL;
	early_used += n;
	return p;
}

static bool is_early(const void *p)
{
	return (const char *)p >= early && (const char *)p < early + sizeof early;
}

/* False while the search is under way: this is dlsym() calling. */
static bool ready(void)
{
	if (real.free)
		return true;
	if (real.looking)
		return false;
	real.looking = true;
	*(void **)&real.malloc = dlsym(RTLD_NEXT, "malloc");
	*(void **)&real.calloc = dlsym(RTLD_NEXT, "calloc");
	*(void **)&real.realloc = dlsym(RTLD_NEXT, "realloc");
	*(void **)&real.free = dlsym(RTLD_NEXT, "free");
	return true;
}

static bool refuse(void)
{
	if (!left || --left)
		return false;
	hit = true;
	errno = ENOMEM;
	return true;
}

static void *counted(void *p)
{
	live += p != NULL;
	return p;
}

EXPORTED void *malloc(size_t n)
{
	if (!ready())
		return early_alloc(n);
	return refuse() ? NULL : counted(real.malloc(n));
}

EXPORTED void *calloc(size_t count, size_t n)
{
	if (!ready())
		return early_alloc(count * n);
	return refuse() ? NULL : counted(real.calloc(count, n));
}

EXPORTED void *realloc(void *old, size_t n)
{
	void *p;

	if (!ready() || is_early(old))
		abort();
	/* Shrinking does not fail in practice, and the C library does not report it. */
	if ((!old || malloc_usable_size(old) < n) && refuse())
		return NULL;
	p = real.realloc(old, n);
	return old ? p : counted(p);
}

EXPORTED void free(void *p)
{
	if (!ready() || is_early(p))
		return;
	live -= p != NULL;
	real.free(p);
}

/* A sanitizer's strdup() would not come by our malloc(). */
EXPORTED char *strndup(const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *p = malloc(len + 1);

	if (!p)
		return NULL;
	p[len] = 0;
	return memcpy(p, s, len);
}

EXPORTED char *strdup(const char *s)
{
	return strndup(s, strlen(s));
}

void torture_arm(unsigned nth)
{
	left = nth;
	hit = false;
}

bool torture_disarm(void)
{
	left = 0;
	return hit;
}

long torture_live(void)
{
	return live;
}

unsigned torture_run(torture_fn op, void *user)
{
	/* What libraries allocate once and keep is allocated here. */
	assert_int_equal(op(user), 0);
	for (unsigned nth = 1;; nth++) {
		long before = torture_live();
		bool failed;
		int r;

		torture_arm(nth);
		r = op(user);
		failed = torture_disarm();
		if (torture_live() != before)
			fail_msg("allocation %u failing: %ld blocks left", nth, torture_live() - before);
		if (!failed) {
			assert_int_equal(r, 0);
			return nth - 1;
		}
		/* 0: the C library got by without it (asprintf() can), and op found its results right. */
		if (r && r != DAVIT_ENOMEM)
			fail_msg("allocation %u failing: %d instead of %d", nth, r, DAVIT_ENOMEM);
	}
}

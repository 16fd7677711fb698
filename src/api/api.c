#include "api/api.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/attempt.h"
#include "base/err.h"

/* The path prefix without its final slashes, so that templates can follow. */
static int trim_path(struct api *a, davit_err *e)
{
	size_t n = strlen(a->base.path);

	while (n && a->base.path[n - 1] == '/')
		n--;
	a->base.path = arena_strndup(&a->mem, a->base.path, n);
	return a->base.path ? 0 : err_nomem(e);
}

static int open_base(struct api *a, const struct api_setup *setup, davit_err *e)
{
	int r = uri_parse(setup->base_url, &a->mem, &a->base, e);

	if (r)
		return r;
	if (a->base.query)
		return err_set(e, DAVIT_EARG, "the address of the server must not have a query");
	r = trim_path(a, e);
	return r ? r : http_client_new(setup->opts, &a->http, e);
}

int api_new(const struct api_setup *setup, struct api **out, davit_err *e)
{
	struct api *a = calloc(1, sizeof *a);
	int r;

	if (!a) {
		auth_free(setup->auth);
		return err_nomem(e);
	}
	a->service = setup->service;
	a->auth = setup->auth;
	a->pid = (int)getpid();
	r = open_base(a, setup, e);
	if (r) {
		api_free(a);
		return r;
	}
	*out = a;
	return 0;
}

void api_free(struct api *a)
{
	if (!a)
		return;
	http_client_free(a->http);
	auth_free(a->auth);
	arena_fini(&a->mem);
	free(a);
}

int api_enter(struct api *a, davit_err *e)
{
	if (a->pid != (int)getpid())
		return err_set(e, DAVIT_ESTATE,
			       "a handle cannot be used in a forked child: open another one");
	if (a->busy)
		return err_set(e, DAVIT_ESTATE, "a callback must not use the handle whose call runs it");
	a->busy = true;
	return 0;
}

void api_leave(struct api *a)
{
	a->busy = false;
}

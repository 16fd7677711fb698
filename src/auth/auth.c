#include "auth/auth.h"

void auth_subrequest_fini(struct auth_subrequest *r)
{
	buf_fini(&r->url);
	headers_fini(&r->headers);
	buf_fini(&r->body);
}

void auth_free(struct auth *a)
{
	if (a)
		a->ops->free(a);
}

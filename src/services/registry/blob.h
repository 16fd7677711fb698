/* Upload sessions and what the files about blobs share. */
#ifndef DAVIT_REGISTRY_BLOB_H
#define DAVIT_REGISTRY_BLOB_H

#include "services/registry/registry_internal.h"

/* A size as a header says it. */
bool registry_parse_size(const char *text, int64_t *out);

/* A HEAD call; digest NULL: the one that the answer names, or NULL. A size that is not said is -1. */
int registry_stat(davit_registry *r, const struct call *c, const char *digest,
		  davit_registry_descriptor **out, davit_err *e);

/* An upload session: where its next request goes. */
struct registry_session {
	struct buf url; /* absolute */
};
#define REGISTRY_SESSION_INIT { .url = BUF_INIT(LIMIT_URL) }

/* From the answer to POST uploads/ for the repository name (as in paths). DAVIT_EPROTO without a Location. */
int registry_session_begin(davit_registry *r, struct registry_session *s, const char *name, const void *reply,
			   davit_err *e);
/* From the answer to PATCH: a Location is relative to the last one; none leaves the session where it is. */
int registry_session_next(davit_registry *r, struct registry_session *s, const void *reply, davit_err *e);
/* DELETE; failures are of no interest. Works after cancelling, too. */
void registry_session_cancel(davit_registry *r, struct registry_session *s);
void registry_session_fini(struct registry_session *s);

#endif

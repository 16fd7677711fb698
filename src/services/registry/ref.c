/* Names: hosts, repositories, tags, digests, image references; digests of files. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/limits.h"
#include "services/registry/registry_internal.h"
#include "wire/dockerref.h"

bool registry_is_hub(const char *host)
{
	static const char hub[] = "docker.io";
	size_t n = strlen(host), tail = sizeof hub - 1;

	return n >= tail && !strcasecmp(host + n - tail, hub) && (n == tail || host[n - tail - 1] == '.');
}

int registry_repo(const davit_registry *r, const char *repo, struct buf *out, davit_err *e)
{
	int rc;

	if (!repo || !*repo)
		return err_set(e, DAVIT_EARG, "the name of the repository is missing");
	rc = r->opts.check_names == DAVIT_NO ? 0 : dockerref_check_repo(repo, e);
	if (rc)
		return rc;
	if (r->hub && !strchr(repo, '/'))
		buf_puts(out, "library/");
	buf_puts(out, repo);
	return buf_check(out, "the name of the repository", e);
}

int registry_check_digest(const davit_registry *r, const char *digest, davit_err *e)
{
	enum digest_alg alg;
	const char *hex;

	if (!digest || !*digest)
		return err_set(e, DAVIT_EARG, "the digest is missing");
	return r->opts.check_names == DAVIT_NO ? 0 : digest_parse(digest, &alg, &hex, e);
}

int registry_check_blob(const davit_registry *r, const char *repo, const char *digest, struct buf *name,
			davit_err *e)
{
	int rc = registry_repo(r, repo, name, e);

	return rc ? rc : registry_check_digest(r, digest, e);
}

int registry_check_reference(const davit_registry *r, const char *reference, davit_err *e)
{
	if (!reference || !*reference)
		return err_set(e, DAVIT_EARG, "the tag or digest is missing");
	if (strchr(reference, ':'))
		return registry_check_digest(r, reference, e);
	return r->opts.check_names == DAVIT_NO ? 0 : dockerref_check_tag(reference, e);
}

static const struct type ref_type = { .name = "davit_registry_ref", .size = sizeof(davit_registry_ref),
				      .fields = (const struct field[]){ { .wire = NULL } } };

int davit_registry_ref_parse(const char *text, davit_registry_ref **out, davit_err *e)
{
	davit_registry_ref *ref;
	struct dockerref d;
	int r;

	if (!text || !*text)
		return err_set(e, DAVIT_EARG, "the reference is missing");
	ref = reply_new(&ref_type, e);
	if (!ref)
		return DAVIT_ENOMEM;
	r = dockerref_parse(text, reply_arena(ref), &d, e);
	if (r) {
		davit_reply_free(ref);
		return r;
	}
	*ref = (davit_registry_ref){ .host = d.host, .repo = d.repo, .tag = d.tag, .digest = d.digest };
	*out = ref;
	return 0;
}

static int digest_fd(int fd, const char *path, struct digest *d, davit_err *e)
{
	AUTO_FREE char *piece = malloc(LIMIT_CHUNK_DEFAULT);

	if (!piece)
		return err_nomem(e);
	for (;;) {
		ssize_t n = read(fd, piece, LIMIT_CHUNK_DEFAULT);

		if (n == 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return err_errno(e, errno, "cannot read %s", path);
		if (n > 0 && digest_update(d, piece, (size_t)n))
			return err_nomem(e);
	}
}

int davit_digest_file(const char *path, char out[DAVIT_DIGEST_MAX], davit_err *e)
{
	AUTO_CLOSE int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) : -1;
	struct digest *d = NULL;
	int r;

	if (!path)
		return err_set(e, DAVIT_EARG, "the name of the file is missing");
	if (fd < 0)
		return err_errno(e, errno, "cannot open %s", path);
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	r = digest_new(DIGEST_SHA256, &d, e);
	if (!r)
		r = digest_fd(fd, path, d, e);
	if (!r)
		r = digest_text(d, out, e);
	digest_free(d);
	return r;
}

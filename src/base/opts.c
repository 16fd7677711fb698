#include "base/opts.h"

#include <string.h>

#include "base/err.h"

static int check(const void *opts, size_t size, size_t known, const char *name, davit_err *e)
{
	const char *p = opts;

	if (!size)
		return err_set(e, DAVIT_EARG, "%s: size is 0; make it with DAVIT_OPTS()", name);
	for (size_t i = known; i < size; i++) {
		if (p[i])
			return err_set(e, DAVIT_EARG,
				       "%s: the caller uses an option that this libdavit does not know",
				       name);
	}
	return 0;
}

int opts_check(const void *opts, size_t known, const char *name, davit_err *e)
{
	size_t size;

	if (!opts)
		return 0;
	memcpy(&size, opts, sizeof size);
	if (size && size < known)
		return err_set(e, DAVIT_EARG, "%s: size is %zu, which no version of it has", name, size);
	return check(opts, size, known, name, e);
}

int opts_take(void *to, const void *opts, size_t known, const char *name, davit_err *e)
{
	size_t size;
	int r;

	memcpy(&size, opts, sizeof size);
	r = check(opts, size, known, name, e);
	if (r)
		return r;
	memcpy(to, opts, size < known ? size : known);
	memcpy(to, &known, sizeof known);
	return 0;
}

#include "api/path.h"

#include <string.h>

#include "base/err.h"
#include "wire/uri.h"

static const struct {
	const char *name; /* behind the colon of the placeholder */
	const char *keep; /* characters that stay as they are */
} kinds[] = {
	[SEG_LITERAL] = { NULL, "" },  [SEG_ID] = { "", "" },         [SEG_DIGEST] = { ":digest", ":" },
	[SEG_NAME] = { ":name", "/" }, [SEG_REST] = { ":rest", "/" },
};

/* The inside of "{…}": "id" or "id:kind". */
static bool placeholder(const char *s, size_t n, struct segment *out)
{
	const char *colon = memchr(s, ':', n);
	size_t name = colon ? (size_t)(colon - s) : n;

	for (enum seg_kind k = SEG_ID; k <= SEG_REST; k++) {
		if (strlen(kinds[k].name) != n - name || memcmp(kinds[k].name, s + name, n - name) != 0)
			continue;
		*out = (struct segment){ k, s, name };
		return name > 0;
	}
	return false;
}

bool path_segment(const char **at, struct segment *out, bool *bad)
{
	const char *s = *at;
	size_t n;

	*bad = false;
	if (!*s)
		return false;
	*bad = *s++ != '/';
	if (*bad)
		return false;
	n = strcspn(s, "/");
	*at = s + n;
	if (n && s[0] == '{')
		*bad = s[n - 1] != '}' || n < 3 || !placeholder(s + 1, n - 2, out);
	else
		*out = (struct segment){ SEG_LITERAL, s, n };
	/* Nothing can follow the rest, and braces stand nowhere else. */
	if (!*bad && out->kind == SEG_REST)
		*bad = **at != 0;
	if (!*bad && memchr(out->text, '{', out->n))
		*bad = true;
	return !*bad;
}

bool path_value_ok(enum seg_kind kind, const char *value)
{
	if (kind < SEG_NAME)
		return *value && strcmp(value, ".") != 0 && strcmp(value, "..") != 0;
	for (;;) {
		size_t n = strcspn(value, "/");

		if (n == 0 || (n == 1 && value[0] == '.') || (n == 2 && value[0] == '.' && value[1] == '.'))
			return false;
		if (!value[n])
			return true;
		value += n + 1;
	}
}

static int put_argument(const struct segment *seg, const char *value, struct buf *out, davit_err *e)
{
	if (!value)
		return err_set(e, DAVIT_EARG, "the argument %.*s is missing", (int)seg->n, seg->text);
	if (!*value)
		return err_set(e, DAVIT_EARG, "the argument %.*s is empty", (int)seg->n, seg->text);
	if (!path_value_ok(seg->kind, value))
		return err_set(e, DAVIT_EARG,
			       "the argument %.*s must not be \"%s\": empty segments, \".\" and \"..\" "
			       "would name another path",
			       (int)seg->n, seg->text, value);
	pct_encode(out, value, kinds[seg->kind].keep);
	return 0;
}

int path_build(const char *template, const char *const *args, struct buf *out, davit_err *e)
{
	const char *at = template;
	struct segment seg;
	bool bad;
	int r;

	while (path_segment(&at, &seg, &bad)) {
		buf_putc(out, '/');
		if (seg.kind == SEG_LITERAL) {
			buf_add(out, seg.text, seg.n);
			continue;
		}
		r = put_argument(&seg, args ? *args : NULL, out, e);
		if (r)
			return r;
		args++;
	}
	if (bad)
		return err_set(e, DAVIT_EARG, "the path template %s is malformed", template);
	if (args && *args)
		return err_set(e, DAVIT_EARG, "too many path arguments, from \"%s\" on", *args);
	return buf_check(out, "the URL", e);
}

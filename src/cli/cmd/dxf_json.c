#include <string.h>

#include "base/cleanup.h"
#include "cli/cmd/dxf.h"
#include "cli/jsontext.h"
#include "cli/out.h"

int dxf_json_platforms(struct dxf *d, const davit_registry_alias *alias, dxf_json_fn value, struct buf *out,
		       davit_err *e)
{
	AUTO_BUF struct buf text = BUF_INIT(OUT_MAX);
	davit_value *v;
	int rc;

	buf_putc(&text, '{');
	for (size_t i = 0; i < alias->n; i++) {
		json_key(&text, alias->v[i]->platform);
		rc = value(d, alias->v[i], &text, e);
		if (rc)
			return rc;
	}
	buf_putc(&text, '}');
	/* Reading and writing it again sorts and spaces as Python does. */
	rc = json_to_value(&text, &v, e);
	if (rc)
		return rc;
	rc = json_of_value(v, DAVIT_VALUE_SPACED, out, e);
	davit_value_free(v);
	return rc;
}

int dxf_json_layers(struct dxf *d, const davit_registry_alias_entry *entry, struct buf *out, davit_err *e)
{
	(void)d;
	(void)e;
	buf_putc(out, '[');
	for (size_t i = 0; i < entry->blobs.n; i++) {
		const char *digest = entry->blobs.v[i]->digest;

		buf_puts(out, i ? "," : "");
		json_quote(digest, strlen(digest), out);
	}
	buf_putc(out, ']');
	return 0;
}

/* Any text as a template of --format, run over a small document and for its heading. */
#include <stdint.h>
#include <string.h>

#include "cli/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char document[] = "{\"a\":\"text\",\"b\":[1,2.5,null,{\"c\":true}],\"d\":{\"x\":\"y\"}}";
	struct buf text = BUF_INIT(1 << 20), out = BUF_INIT(1 << 16);
	struct format *f = NULL;
	davit_value *v = NULL;
	davit_err e = { 0 };

	buf_add(&text, data, n);
	if (!davit_value_parse(document, strlen(document), &v, &e) && !format_new(buf_str(&text), &f, &e)) {
		format_run(f, v, &out, &e);
		buf_clear(&out);
		format_heading(f, &out, &e);
	}
	format_free(f);
	davit_value_free(v);
	buf_fini(&text);
	buf_fini(&out);
	return 0;
}

/* Any bytes as a manifest: images, indexes, schema 1 with and without verification. */
#include <stdint.h>
#include <stdlib.h>

#include <davit/davit.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const davit_tri verify[] = { DAVIT_YES, DAVIT_NO };

	for (size_t i = 0; i < 2; i++) {
		const davit_registry_manifest_opts *o =
		    DAVIT_OPTS(davit_registry_manifest_opts, .verify = verify[i]);
		davit_registry_manifest *m = NULL;
		davit_err e = { 0 };
		int r = davit_registry_manifest_parse((const char *)data, n, "text/x; y=z", o, &m, &e);

		if (r && (m || e.code != r || !e.msg[0]))
			abort();
		if (!r && (!m->digest || !m->media_type || (m->layers.v && m->manifests.v)))
			abort();
		davit_reply_free(m);
	}
	return 0;
}

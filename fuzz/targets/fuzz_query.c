/* Any text as a query string. */
#include <stdlib.h>

#include "../../tests/unit/wire/sample.h"
#include "wire/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define E struct everything
static const struct type query_type = TYPE(
    E, F(E, str, "s", .where = IN_QUERY), F(E, tri, "t", .where = IN_QUERY),
    F(E, i64, "i", .where = IN_QUERY), F(E, opt_f64, "f", .where = IN_QUERY),
    F(E, time, "w", .where = IN_QUERY), F(E, strv, "l", .where = IN_QUERY), F(E, map, "m", .where = IN_QUERY),
    F(E, raw, "r", .where = IN_QUERY), F_VEC(E, vec, "v", struct port, &port_type, .where = IN_QUERY),
    F_CUSTOM(E, command, "c", &command_kind, .where = IN_QUERY),
    F_PTR(E, self, "e", E, &everything_type, .where = IN_QUERY));

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct buf text = BUF_INIT(1 << 20);
	E out = { 0 };
	struct arena a = { 0 };

	buf_add(&text, data, n);
	query_get(&query_type, buf_str(&text), &out, &a, NULL);
	buf_fini(&text);
	arena_fini(&a);
	return 0;
}

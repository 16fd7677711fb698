#include "../unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../torture.h"
#include "base/limits.h"
#include "sample.h"

#define E struct everything

static struct jnode *parse(const char *text)
{
	struct jnode *j = NULL;
	davit_err e = { 0 };

	if (json_parse(text, strlen(text), &j, &e))
		fail_msg("%s", e.msg);
	return j;
}

static void assert_json(struct jnode *j, const char *want)
{
	struct buf b = BUF_INIT(1 << 20);

	assert_int_equal(json_write(j, &b, NULL), 0);
	assert_string_equal(buf_str(&b), want);
	buf_fini(&b);
	json_unref(j);
}

static void assert_encodes(const struct type *t, const void *in, const char *want)
{
	struct jnode *j = NULL;
	davit_err e = { 0 };

	if (codec_encode(t, in, 0, &j, &e))
		fail_msg("%s", e.msg);
	assert_json(j, want);
}

/* Random values: xorshift, so that a seed gives the same on every machine. */
static uint64_t rng;

static uint64_t rnd(uint64_t below)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng % below;
}

static void *mem(struct arena *a, size_t count, size_t n)
{
	void *p = arena_alloc(a, count, n);

	assert_non_null(p);
	return p;
}

static const char *rnd_text(struct arena *a)
{
	static const char *const parts[] = { "a", "\"", "\\", "\n", "\x01", "é",
					     "€", "😀",  "/",  " ",  "\x7f", "{" };
	char text[64] = "";

	for (uint64_t n = rnd(8); n; n--)
		strcat(text, parts[rnd(sizeof parts / sizeof *parts)]);
	return arena_strdup(a, text);
}

static uint64_t rnd_bits(void)
{
	rnd(2);
	return rng >> rnd(64);
}

static double rnd_double(void)
{
	union {
		uint64_t u;
		double d;
	} v;

	do {
		rnd(2);
		v.u = rng;
	} while (!isfinite(v.d) || v.d == 0);
	return rnd(2) ? v.d : (double)(int64_t)rnd(2000) + 0.5;
}

static void fill(const struct type *t, void *out, struct arena *a, int depth);

static void fill_list(const struct field *f, struct span *s, struct arena *a, int depth)
{
	size_t n = rnd(5), size = f->kind == K_MAP ? sizeof(davit_pair) : sizeof(void *);
	void *v = mem(a, n + 1, size);

	for (size_t i = 0; i < n; i++) {
		if (f->kind == K_MAP) {
			((davit_pair *)v)[i] =
			    (davit_pair){ arena_printf(a, "k%zu%s", i, rnd_text(a)), rnd_text(a) };
		} else if (f->kind == K_VEC) {
			void *el = mem(a, 1, f->sub.type->size);

			fill(f->sub.type, el, a, depth + 1);
			((void **)v)[i] = el;
		} else {
			((const char **)v)[i] = rnd_text(a);
		}
	}
	*s = (struct span){ v, n };
}

static void fill_scalar(const struct field *f, void *p, struct arena *a)
{
	static const char *const raws[] = { "[1,2.50,{\"x\":null}]", "\"\xc3\xa9\"", "18446744073709551616",
					    "{}" };
	const char *raw = raws[rnd(4)];

	switch ((enum kind)f->kind) {
	case K_STR: case K_SECRET: *(const char **)p = rnd_text(a); break;
	case K_BOOL: *(bool *)p = true; break;
	case K_TRI: *(davit_tri *)p = rnd(2) ? DAVIT_NO : DAVIT_YES; break;
	case K_I64: *(int64_t *)p = (int64_t)(rnd(2) ? rnd_bits() : 0 - rnd_bits()); break;
	case K_U64: *(uint64_t *)p = rnd_bits(); break;
	case K_F64: *(double *)p = rnd_double(); break;
	case K_OPT_I64: *(davit_opt_int *)p = (davit_opt_int){ (int64_t)(0 - rnd_bits()), true }; break;
	case K_OPT_U64:
		*(davit_opt_uint *)p = (davit_opt_uint){ rnd(4) ? rnd_bits() : UINT64_MAX, true };
		break;
	case K_OPT_F64: *(davit_opt_double *)p = (davit_opt_double){ rnd(3) ? rnd_double() : 0, true }; break;
	case K_TIME:
		*(davit_time *)p =
		    (davit_time){ (int64_t)rnd(300000000000) - 60000000000,
				  rnd(2) ? (uint32_t)rnd(1000000000) : 0, (int16_t)(rnd(1800) - 900), true };
		break;
	case K_RAW: *(davit_raw *)p = (davit_raw){ raw, strlen(raw) }; break;
	case K_ENUM: *(int *)p = rnd(2) ? LEVEL_LOW : LEVEL_HIGH; break;
	case K_STRV: case K_MAP: case K_OBJ: case K_PTR: case K_VEC: case K_CUSTOM: break;
	}
}

static void fill(const struct type *t, void *out, struct arena *a, int depth)
{
	for (const struct field *f = t->fields; f->wire; f++) {
		void *p = (char *)out + f->off;

		if (!f->required && rnd(3) == 0)
			continue;
		if (f->kind == K_OBJ) {
			fill(f->sub.type, p, a, depth + 1);
		} else if (f->kind == K_PTR && depth < 4) {
			*(void **)p = mem(a, 1, f->sub.type->size);
			fill(f->sub.type, *(void **)p, a, depth + 1);
		} else if (f->kind == K_STRV || f->kind == K_MAP || f->kind == K_VEC || f->kind == K_CUSTOM) {
			fill_list(f, p, a, depth);
		} else {
			fill_scalar(f, p, a);
		}
	}
}

static bool same(const struct type *t, const void *x, const void *y);

static bool same_text(const char *x, const char *y)
{
	return x == y || (x && y && !strcmp(x, y));
}

static bool same_list(const struct field *f, const struct span *x, const struct span *y)
{
	bool ok = x->n == y->n && !x->v == !y->v;

	for (size_t i = 0; ok && i < x->n; i++) {
		const davit_pair *px = x->v, *py = y->v;
		const void *const *vx = x->v, *const *vy = y->v;

		if (f->kind == K_MAP)
			ok = same_text(px[i].key, py[i].key) && same_text(px[i].value, py[i].value);
		else
			ok = f->kind == K_VEC ? same(f->sub.type, vx[i], vy[i]) : same_text(vx[i], vy[i]);
	}
	return ok;
}

static bool same_number(const struct field *f, const void *x, const void *y)
{
	if (f->kind == K_OPT_I64 || f->kind == K_OPT_U64 || f->kind == K_OPT_F64)
		return ((const davit_opt_uint *)x)->set == ((const davit_opt_uint *)y)->set &&
		       (!((const davit_opt_uint *)x)->set || !memcmp(x, y, 8));
	return f->kind == K_BOOL ? *(const bool *)x == *(const bool *)y
				 : !memcmp(x, y, f->kind == K_TRI || f->kind == K_ENUM ? sizeof(int) : 8);
}

static bool same_field(const struct field *f, const void *x, const void *y)
{
	const davit_time *tx = x, *ty = y;
	const void *const *px = x, *const *py = y;

	switch ((enum kind)f->kind) {
	case K_STR: case K_SECRET: case K_RAW:
		return same_text(*px, *py);
	case K_TIME:
		return tx->set == ty->set && tx->sec == ty->sec && tx->nsec == ty->nsec &&
		       tx->offset == ty->offset;
	case K_STRV: case K_MAP: case K_VEC: case K_CUSTOM:
		return same_list(f, x, y);
	case K_OBJ:
		return same(f->sub.type, x, y);
	case K_PTR:
		return !*px == !*py && (!*px || same(f->sub.type, *px, *py));
	case K_BOOL:
	case K_TRI:
	case K_I64:
	case K_U64:
	case K_F64:
	case K_OPT_I64:
	case K_OPT_U64:
	case K_OPT_F64:
	case K_ENUM:
		break;
	}
	return same_number(f, x, y);
}

static bool same(const struct type *t, const void *x, const void *y)
{
	for (const struct field *f = t->fields; f->wire; f++) {
		if (!same_field(f, (const char *)x + f->off, (const char *)y + f->off))
			return false;
	}
	return true;
}

static void random_round_trip(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 4000; seed++) {
		struct arena a = { 0 };
		struct buf text = BUF_INIT(16 << 20);
		struct jnode *j = NULL;
		E in = { 0 }, out = { 0 };
		davit_err e = { 0 };
		int r;

		rng = seed * 0x9e3779b97f4a7c15;
		fill(&everything_type, &in, &a, 0);
		r = codec_encode(&everything_type, &in, 0, &j, &e);
		if (!r)
			r = json_write(j, &text, &e);
		json_unref(j);
		j = NULL;
		if (!r)
			r = json_parse(buf_str(&text), text.len, &j, &e);
		if (!r)
			r = codec_decode(&everything_type, j, &out, &a, &e);
		if (r || !same(&everything_type, &in, &out))
			fail_msg("seed %llu: %s\n%s", (unsigned long long)seed, e.msg, buf_str(&text));
		json_unref(j);
		buf_fini(&text);
		arena_fini(&a);
	}
}

/* One wrong document per rule: the message must name the place. */
static void says_where(void **state)
{
	static const struct {
		const char *text, *msg;
	} cases[] = {
		{ "[]", ": expected object, got array" },
		{ "null", ": expected object, got null" },
		{ "{\"Str\":1}", ".Str: expected string, got int" },
		{ "{\"Str\":\"a\\u0000\"}", ".Str: string holds a NUL" },
		{ "{\"Secret\":[]}", ".Secret: expected string, got array" },
		{ "{\"Bool\":\"true\"}", ".Bool: expected bool, got string" },
		{ "{\"Bool\":1}", ".Bool: expected bool, got int" },
		{ "{\"Tri\":0}", ".Tri: expected bool, got int" },
		{ "{\"I64\":\"5\"}", ".I64: expected int, got string" },
		{ "{\"I64\":1.0}", ".I64: expected int, got double" },
		{ "{\"I64\":1e3}", ".I64: expected int, got double" },
		{ "{\"I64\":9223372036854775808}", ".I64: 9223372036854775808 is out of range" },
		{ "{\"I64\":-9223372036854775809}", ".I64: -9223372036854775809 is out of range" },
		{ "{\"U64\":-1}", ".U64: -1 is out of range" },
		{ "{\"U64\":18446744073709551616}", ".U64: 18446744073709551616 is out of range" },
		{ "{\"F64\":true}", ".F64: expected number, got boolean" },
		{ "{\"F64\":1e999}", ".F64: 1e999 is out of range" },
		{ "{\"OptI64\":9223372036854775808}", ".OptI64: 9223372036854775808 is out of range" },
		{ "{\"OptU64\":-1}", ".OptU64: -1 is out of range" },
		{ "{\"OptF64\":\"1\"}", ".OptF64: expected number, got string" },
		{ "{\"Time\":\"yesterday\"}", ".Time: \"yesterday\" is no RFC 3339 time" },
		{ "{\"Time\":0}", ".Time: expected time, got int" },
		{ "{\"Strv\":{}}", ".Strv: expected array, got object" },
		{ "{\"Strv\":[\"a\",null]}", ".Strv[1]: expected string, got null" },
		{ "{\"Map\":[]}", ".Map: expected object, got array" },
		{ "{\"Map\":{\"a\":\"1\",\"b\":2}}", ".Map.b: expected string, got int" },
		{ "{\"Level\":1}", ".Level: expected string, got int" },
		{ "{\"Obj\":{\"PrivatePort\":\"80\"}}", ".Obj.PrivatePort: expected int, got string" },
		{ "{\"Obj\":{}}", ".Obj.PrivatePort: missing" },
		{ "{\"Ptr\":{\"PrivatePort\":null}}", ".Ptr.PrivatePort: expected int, got null" },
		{ "{\"Ports\":[{\"PrivatePort\":1},{\"PrivatePort\":\"x\"}]}",
		  ".Ports[1].PrivatePort: expected int, got string" },
		{ "{\"Ports\":[null]}", ".Ports[0]: expected object, got null" },
		{ "{\"Self\":{\"Self\":{\"Strv\":[1]}}}", ".Self.Self.Strv[0]: expected string, got int" },
		{ "{\"Cmd\":[\"a\",1]}", ".Cmd[1]: expected string, got int" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct jnode *j = parse(cases[i].text);
		struct arena a = { 0 };
		E out = { .i64 = 77 }, before = out;
		davit_err e = { 0 };

		assert_int_equal(codec_decode(&everything_type, j, &out, &a, &e), DAVIT_EPROTO);
		assert_string_equal(e.msg, cases[i].msg);
		assert_int_equal(codec_decode(&everything_type, j, &out, &a, NULL), DAVIT_EPROTO);
		assert_memory_equal(&out, &before, sizeof out);
		json_unref(j);
		arena_fini(&a);
	}
}

/* Every kind's member replaced by a value of another type fails at that member. */
static void mutation_fails_there(void **state)
{
	static const char *const values[] = { "1", "1.5", "\"x\"", "true", "[1]", "{\"k\":1}" };

	(void)state;
	for (const struct field *f = everything_type.fields; f->wire; f++) {
		int refused = 0;

		for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
			struct arena a = { 0 };
			davit_err e = { 0 };
			E out = { 0 };
			struct jnode *j =
			    parse(arena_printf(&a, "{\"Self\":{\"%s\":%s}}", f->wire, values[i]));
			const char *path = arena_printf(&a, ".Self.%s", f->wire);

			if (codec_decode(&everything_type, j, &out, &a, &e)) {
				assert_memory_equal(e.msg, path, strlen(path));
				refused++;
			}
			json_unref(j);
			arena_fini(&a);
		}
		assert_true(f->kind == K_RAW ? refused == 0 : refused >= 3);
	}
}

struct rules {
	const char *s, *zero_s, *null_s, *must_s;
	davit_strv v, zero_v;
	davit_map m;
	davit_opt_int o;
	davit_tri t;
	davit_time when;
	int64_t i, must_i;
	int level;
	struct port obj;
	const struct port *ptr;
	davit_raw raw;
};
#define R struct rules
static const struct type emit_rules = TYPE(
    R, F(R, s, "s"), F(R, zero_s, "zero_s", .emit = EMIT_ZERO), F(R, null_s, "null_s", .emit = EMIT_NULL),
    F(R, v, "v"), F(R, zero_v, "zero_v", .emit = EMIT_ZERO), F(R, m, "m", .emit = EMIT_ZERO),
    F(R, o, "o", .emit = EMIT_ZERO), F(R, t, "t", .emit = EMIT_ZERO), F(R, when, "when", .emit = EMIT_ZERO),
    F(R, i, "i"), F(R, must_i, "must_i", .required = true),
    F_ENUM(R, level, "level", level_names, .emit = EMIT_ZERO),
    F_OBJ(R, obj, "obj", struct port, &port_type, .emit = EMIT_ZERO),
    F_PTR(R, ptr, "ptr", struct port, &port_type, .emit = EMIT_NULL), F(R, raw, "raw", .emit = EMIT_ZERO));
static const struct type required_rule = TYPE(R, F(R, must_s, "must_s", .required = true));
static const struct type null_rules =
    TYPE(R, F(R, s, "s"), F(R, zero_s, "zero_s", .null = NULL_IS_ZERO),
	 F(R, null_s, "null_s", .null = NULL_IS_ERROR), F(R, v, "v"),
	 F(R, zero_v, "zero_v", .null = NULL_IS_ZERO), F(R, m, "m", .null = NULL_IS_ZERO),
	 F(R, o, "o", .null = NULL_IS_ZERO), F(R, t, "t", .null = NULL_IS_ZERO),
	 F(R, raw, "raw", .null = NULL_IS_ZERO), F(R, i, "i", .null = NULL_IS_ZERO, .required = true));

static void emits_by_rule(void **state)
{
	R in = { 0 };
	davit_err e = { 0 };
	struct jnode *j = NULL;
	static const char *none[1];

	(void)state;
	assert_encodes(&emit_rules, &in,
		       "{\"zero_s\":\"\",\"null_s\":null,\"zero_v\":[],\"m\":{},\"o\":0,\"t\":false,"
		       "\"when\":\"0001-01-01T00:00:00Z\",\"must_i\":0,\"level\":\"\",\"obj\":{},\"ptr\":"
		       "null,\"raw\":null}");
	in = (R){ .v = { none, 0 }, .s = "", .o.set = true, .t = DAVIT_NO, .obj.ip = "x" };
	assert_encodes(
	    &emit_rules, &in,
	    "{\"s\":\"\",\"zero_s\":\"\",\"null_s\":null,\"v\":[],\"zero_v\":[],\"m\":{},\"o\":0,\"t\":false,"
	    "\"when\":\"0001-01-01T00:00:00Z\",\"must_i\":0,\"level\":\"\","
	    "\"obj\":{\"PrivatePort\":0,\"IP\":\"x\"},\"ptr\":null,\"raw\":null}");
	assert_int_equal(codec_encode(&required_rule, &in, 0, &j, &e), DAVIT_EARG);
	assert_string_equal(e.msg, ".must_s: must be given");
	assert_null(j);
}

static void null_by_rule(void **state)
{
	static const char nulls[] =
	    "{\"s\":null,\"zero_s\":null,\"v\":null,\"zero_v\":null,\"m\":null,\"o\":null,"
	    "\"t\":null,\"raw\":null,\"i\":null}";
	struct jnode *j = parse(nulls);
	struct arena a = { 0 };
	davit_err e = { 0 };
	R out = { 0 };

	(void)state;
	assert_int_equal(codec_decode(&null_rules, j, &out, &a, &e), 0);
	assert_null(out.s);
	assert_string_equal(out.zero_s, "");
	assert_null(out.v.v);
	assert_true(out.zero_v.v && !out.zero_v.n);
	assert_true(out.m.v && !out.m.n);
	assert_true(out.o.set && !out.o.value);
	assert_int_equal(out.t, DAVIT_NO);
	assert_string_equal(out.raw.json, "null");
	json_unref(j);
	j = parse("{\"i\":1,\"zero_v\":[\"a\",null],\"m\":{\"x\":null}}");
	assert_int_equal(codec_decode(&null_rules, j, &out, &a, &e), 0);
	assert_string_equal(out.zero_v.v[1], "");
	assert_string_equal(out.m.v[0].value, "");
	json_unref(j);
	j = parse("{\"i\":1,\"null_s\":null}");
	assert_int_equal(codec_decode(&null_rules, j, &out, &a, &e), DAVIT_EPROTO);
	assert_string_equal(e.msg, ".null_s: expected string, got null");
	json_unref(j);
	j = parse("{}");
	assert_int_equal(codec_decode(&null_rules, j, &out, &a, &e), DAVIT_EPROTO);
	assert_string_equal(e.msg, ".i: missing");
	json_unref(j);
	arena_fini(&a);
}

static void absent_and_empty(void **state)
{
	struct jnode *j = parse(
	    "{\"Strv\":[],\"Map\":{\"a\":null,\"b\":\"1\"},\"Ports\":[],\"Time\":\"\",\"Level\":\"new\","
	    "\"U64\":18446744073709551615,\"F64\":7,\"Cmd\":\"sh\",\"Unknown\":[1]}");
	struct arena a = { 0 };
	E out = { 0 };

	(void)state;
	assert_int_equal(codec_decode(&everything_type, j, &out, &a, NULL), 0);
	assert_true(out.strv.v && !out.strv.n && out.vec.v && !out.vec.n);
	assert_int_equal(out.map.n, 1);
	assert_string_equal(out.map.v[0].key, "b");
	assert_false(out.time.set);
	assert_int_equal(out.level, LEVEL_OTHER);
	assert_true(out.u64 == UINT64_MAX);
	assert_true(out.f64 > 6.9);
	assert_int_equal(out.command.n, 1);
	assert_null(out.str);
	assert_int_equal(out.tri, DAVIT_UNSET);
	out.level = 0;
	assert_encodes(&everything_type, &out,
		       "{\"U64\":18446744073709551615,\"F64\":7.0,\"Strv\":[],\"Map\":{\"b\":\"1\"},"
		       "\"Ports\":[],\"Cmd\":[\"sh\"]}");
	json_unref(j);
	arena_fini(&a);
}

static void refuses_bad_input(void **state)
{
	static const char *const hole[] = { "a", NULL };
	static const davit_pair twice[] = { { "k", "1" }, { "k", "2" } }, no_value[] = { { "k", NULL } };
	static const struct port *const no_port[] = { NULL };
	const struct {
		E in;
		const char *msg;
	} cases[] = {
		{ { .str = "\xff" }, ".Str: string is not valid UTF-8" },
		{ { .strv = { hole, 2 } }, ".Strv[1]: is NULL" },
		{ { .strv = { NULL, 3 } }, ".Strv: has 3 elements at NULL" },
		{ { .map = { twice, 2 } }, ".Map.k: is there twice" },
		{ { .map = { no_value, 1 } }, ".Map.k: is NULL" },
		{ { .vec = { no_port, 1 } }, ".Ports[0]: is NULL" },
		{ { .f64 = (double)NAN }, ".F64: JSON has no infinity and no NaN" },
		{ { .level = 9 }, ".Level: 9 is none of its values" },
		{ { .time = { .sec = INT64_MAX, .set = true } },
		  ".Time: is no time between the years 0 and 9999" },
		{ { .raw = { "{", 1 } }, ".Raw: invalid JSON: it ends at byte 1, within a value" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct jnode *j = NULL;
		davit_err e = { 0 };

		assert_int_equal(codec_encode(&everything_type, &cases[i].in, 0, &j, &e), DAVIT_EARG);
		assert_string_equal(e.msg, cases[i].msg);
		assert_null(j);
	}
}

static const struct type gates = TYPE(R,
	F(R, s, "s", .since = 125, .emit = EMIT_ZERO), F(R, i, "i", .until = 130),
	F_PTR(R, ptr, "ptr", struct port, &port_type));

static void gates_by_version(void **state)
{
	R in = { .s = "x", .i = 1 };
	struct jnode *j = NULL;
	davit_err e = { 0 };

	(void)state;
	assert_int_equal(codec_encode(&gates, &in, 124, &j, &e), DAVIT_EUNSUPPORTED);
	assert_string_equal(e.msg, ".s: needs at least API version 1.25, but version 1.24 is spoken");
	assert_int_equal(codec_encode(&gates, &in, 131, &j, &e), DAVIT_EUNSUPPORTED);
	assert_string_equal(e.msg, ".i: is gone after API version 1.30, but version 1.31 is spoken");
	assert_int_equal(codec_encode(&gates, &in, 125, &j, &e), 0);
	assert_json(j, "{\"s\":\"x\",\"i\":1}");
	in = (R){ 0 };
	assert_int_equal(codec_encode(&gates, &in, 124, &j, &e), 0);
	assert_json(j, "{}");
	in.s = "x";
	assert_encodes(&gates, &in, "{\"s\":\"x\"}");
}

static void encodes_over(void **state)
{
	static const struct port p1 = { .private_port = 1 }, p3 = { .private_port = 33 };
	static const struct port *const ports[] = { &p1, &p3 };
	struct jnode *base =
	    parse("{\"New\":1,\"Str\":\"old\",\"I64\":5,\"Bool\":true,\"Tri\":null,\"OptI64\":4,"
		  "\"Ptr\":{\"PrivatePort\":9,\"X\":[]},\"Obj\":{\"Y\":1},\"Ports\":["
		  "{\"PrivatePort\":1,\"Z\":1},{\"PrivatePort\":2},{\"PrivatePort\":3,\"Z\":3}]}");
	E in = { .u64 = 8, .ptr = &p1, .vec = { ports, 2 }, .obj.ip = "i" };
	struct jnode *j = NULL;

	(void)state;
	assert_int_equal(codec_encode_over(&everything_type, &in, base, &j, NULL), 0);
	assert_json(j,
		    "{\"New\":1,\"I64\":0,\"Bool\":false,\"Tri\":null,\"Ptr\":{\"PrivatePort\":1,\"X\":[]},"
		    "\"Obj\":{\"Y\":1,\"PrivatePort\":0,\"IP\":\"i\"},"
		    "\"Ports\":[{\"PrivatePort\":1,\"Z\":1},{\"PrivatePort\":33}],\"U64\":8}");
	assert_int_equal(codec_encode_over(&everything_type, &in, NULL, &j, NULL), 0);
	json_unref(j);
	json_unref(base);
}

static void depth_is_capped(void **state)
{
	E *loop = calloc(1, sizeof *loop);
	struct jnode *j = NULL;
	davit_err e = { 0 };

	(void)state;
	loop->self = loop;
	assert_int_equal(codec_encode(&everything_type, loop, 0, &j, &e), DAVIT_ELIMIT);
	assert_non_null(strstr(e.msg, ".Self.Self: nested deeper than 64 levels"));
	free(loop);
}

static void arena_limit(void **state)
{
	struct jnode *j = parse("{\"Str\":\"0123456789012345678901234567890123456789\"}");
	struct arena a = { .max = sizeof(E) + 20 };
	davit_err e = { 0 };
	E out = { 0 };

	(void)state;
	assert_int_equal(codec_decode(&everything_type, j, &out, &a, &e), DAVIT_ELIMIT);
	assert_memory_equal(e.msg, ".Str: takes more than ", 22);
	json_unref(j);
	arena_fini(&a);
}

static void decodes_lists(void **state)
{
	struct jnode *j = parse("[{\"PrivatePort\":1},{\"PrivatePort\":2}]");
	struct arena a = { 0 };
	struct span v = { 0 };
	davit_err e = { 0 };

	(void)state;
	assert_int_equal(codec_decode_vec(&port_type, j, &v, &a, &e), 0);
	assert_int_equal(v.n, 2);
	assert_int_equal(((const struct port *const *)v.v)[1]->private_port, 2);
	json_unref(j);
	j = parse("[{\"PrivatePort\":1},{}]");
	assert_int_equal(codec_decode_vec(&port_type, j, &v, &a, &e), DAVIT_EPROTO);
	assert_string_equal(e.msg, "[1].PrivatePort: missing");
	assert_int_equal(v.n, 2);
	json_unref(j);
	assert_int_equal(codec_decode_vec(&port_type, NULL, &v, &a, &e), DAVIT_EPROTO);
	assert_string_equal(e.msg, ": expected array, got null");
	arena_fini(&a);
}

static const char document[] =
    "{\"Str\":\"a\",\"Raw\":[1],\"Strv\":[\"x\"],\"Map\":{\"k\":\"v\"},\"Time\":\"2020-01-01T00:00:00Z\","
    "\"Ports\":[{\"PrivatePort\":1}],\"Ptr\":{\"PrivatePort\":2},\"Cmd\":\"sh\",\"F64\":1.5,\"X\":1}";

static int decode_encode_over(void *user)
{
	struct jnode *j = NULL, *again = NULL;
	struct arena a = { 0 };
	E out = { 0 }, untouched = { 0 };
	int r = json_parse(document, sizeof document - 1, &j, NULL);

	(void)user;
	if (!r) {
		r = codec_decode(&everything_type, j, &out, &a, NULL);
		assert_true(!r || !memcmp(&out, &untouched, sizeof out));
	}
	if (!r) {
		r = codec_encode_over(&everything_type, &out, j, &again, NULL);
		assert_true(!r == !!again);
	}
	json_unref(again);
	again = NULL;
	if (!r) {
		out.str = NULL; /* one member less: no table grows */
		out.raw = (davit_raw){ 0 };
		r = codec_encode(&everything_type, &out, 0, &again, NULL);
		assert_true(!r == !!again);
	}
	json_unref(again);
	json_unref(j);
	arena_fini(&a);
	return r;
}

static void out_of_memory(void **state)
{
	(void)state;
	assert_true(torture_run(decode_encode_over, NULL) > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_round_trip),    cmocka_unit_test(says_where),
		cmocka_unit_test(mutation_fails_there), cmocka_unit_test(emits_by_rule),
		cmocka_unit_test(null_by_rule),         cmocka_unit_test(absent_and_empty),
		cmocka_unit_test(refuses_bad_input),    cmocka_unit_test(gates_by_version),
		cmocka_unit_test(encodes_over),         cmocka_unit_test(depth_is_capped),
		cmocka_unit_test(arena_limit),          cmocka_unit_test(decodes_lists),
		cmocka_unit_test(out_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

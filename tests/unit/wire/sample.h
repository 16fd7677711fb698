/* A type with a member of every kind, shared by the tests of the codec and its fuzz target. */
#ifndef TESTS_SAMPLE_H
#define TESTS_SAMPLE_H

#include <string.h>

#include <davit/types.h>

#include "base/err.h"
#include "wire/json.h"
#include "wire/reflect.h"

struct port {
	uint64_t private_port;
	const char *ip;
	davit_opt_uint public_port;
};

struct everything {
	const char *str;
	davit_secret secret;
	bool boolean;
	davit_tri tri;
	int64_t i64;
	uint64_t u64;
	double f64;
	davit_opt_int opt_i64;
	davit_opt_uint opt_u64;
	davit_opt_double opt_f64;
	davit_time time;
	davit_raw raw;
	davit_strv strv;
	davit_map map;
	int level;
	struct port obj;
	const struct port *ptr;
	const struct everything *self;
	struct {
		const struct port *const *v;
		size_t n;
	} vec;
	davit_strv command; /* a string or a list of strings */
};

enum { LEVEL_OTHER = -1, LEVEL_LOW = 1, LEVEL_HIGH = 2 };

static const struct enum_name level_names[] = {
	{ "low", LEVEL_LOW }, { "high", LEVEL_HIGH }, { NULL, LEVEL_OTHER },
};

static int command_decode(const struct jnode *j, void *member, struct arena *a, davit_err *e)
{
	static const struct field one = { .wire = "", .kind = K_STR }, list = { .wire = "", .kind = K_STRV };
	const char **v;
	int r;

	if (davit_value_get_type(json_value(j)) != DAVIT_VALUE_STRING)
		return codec_decode_as(&list, j, member, a, e);
	v = arena_alloc(a, 1, sizeof *v);
	if (!v)
		return err_set(e, DAVIT_ENOMEM, ": out of memory");
	r = codec_decode_as(&one, j, v, a, e);
	if (!r)
		*(davit_strv *)member = (davit_strv){ v, 1 };
	return r;
}

static int command_encode(const void *member, struct jnode **out, davit_err *e)
{
	static const struct field list = { .wire = "", .kind = K_STRV };

	return codec_encode_as(&list, member, 0, out, e);
}

static const struct custom command_kind = { "command", command_decode, command_encode };

static const struct type port_type = TYPE(struct port,
	F(struct port, private_port, "PrivatePort", .required = true),
	F(struct port, ip, "IP"),
	F(struct port, public_port, "PublicPort"));

static const struct type everything_type;
#define E struct everything
static const struct type everything_type = TYPE(E,
	F(E, str, "Str"), F(E, secret, "Secret"), F(E, boolean, "Bool"), F(E, tri, "Tri"), F(E, i64, "I64"),
	F(E, u64, "U64"), F(E, f64, "F64"), F(E, opt_i64, "OptI64"), F(E, opt_u64, "OptU64"),
	F(E, opt_f64, "OptF64"), F(E, time, "Time"), F(E, raw, "Raw"), F(E, strv, "Strv"), F(E, map, "Map"),
	F_ENUM(E, level, "Level", level_names), F_OBJ(E, obj, "Obj", struct port, &port_type),
	F_PTR(E, ptr, "Ptr", struct port, &port_type), F_PTR(E, self, "Self", E, &everything_type),
	F_VEC(E, vec, "Ports", struct port, &port_type), F_CUSTOM(E, command, "Cmd", &command_kind));
#undef E

#endif

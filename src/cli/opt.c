#include "cli/opt.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

bool opt_has_value(const struct opt *o)
{
	return o->kind != OPT_BOOL && o->kind != OPT_TRI;
}

const struct opt *opt_find_name(const struct opt *rows, const char *name, size_t n)
{
	for (; rows && rows->name; rows++)
		if (strlen(rows->name) == n && !memcmp(rows->name, name, n))
			return rows;
	return NULL;
}

const struct opt *opt_find_letter(const struct opt *rows, char letter)
{
	for (; rows && rows->name; rows++)
		if (rows->letter && rows->letter == letter)
			return rows;
	return NULL;
}

int opt_parse_int(const char *s, int64_t min, int64_t max, int64_t *out, davit_err *e)
{
	long long value;
	char *end;

	errno = 0;
	value = strtoll(s, &end, 10);
	if (end == s || *end || isspace((unsigned char)*s))
		return err_set(e, DAVIT_EARG, "expected a number, got '%s'", s);
	if (errno || value < min || value > max)
		return err_set(e, DAVIT_EARG, "%s is not between %lld and %lld", s, (long long)min,
			       (long long)max);
	*out = value;
	return 0;
}

/* A decimal number without sign; *s is moved behind it. */
static bool digits(const char **s, int64_t *out)
{
	char *end;
	long long value;

	if (!isdigit((unsigned char)**s))
		return false;
	errno = 0;
	value = strtoll(*s, &end, 10);
	if (errno)
		return false;
	*s = end;
	*out = value;
	return true;
}

int opt_parse_size(const char *s, int64_t *bytes, davit_err *e)
{
	static const char units[] = "kmgt";
	const char *p = s;
	const char *unit;
	unsigned shift = 0;
	int64_t n;

	if (!digits(&p, &n))
		goto bad;
	unit = *p ? strchr(units, tolower((unsigned char)*p)) : NULL;
	if (unit) {
		shift = 10 * (unsigned)(unit - units + 1);
		p++;
		if (*p == 'i')
			p++;
	}
	if (*p == 'b' || *p == 'B')
		p++;
	if (*p || n > (INT64_MAX >> shift))
		goto bad;
	*bytes = n << shift;
	return 0;
bad:
	return err_set(e, DAVIT_EARG, "expected a size such as 4096, 64k or 16MiB, got '%s'", s);
}

int opt_parse_time(const char *s, int64_t *ms, davit_err *e)
{
	static const struct {
		const char *name;
		int64_t ms;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 } };
	const size_t n_units = sizeof units / sizeof *units;
	const int64_t most = INT64_MAX / 86400000 / 8;
	const char *p = s;
	int64_t sum = 0;
	int64_t n;

	do {
		size_t i = 0;
		size_t len;

		if (!digits(&p, &n) || n > most)
			goto bad;
		len = strcspn(p, "0123456789");
		if (!*p && strspn(s, "0123456789") == strlen(s)) {
			*ms = n * 1000;
			return 0;
		}
		while (i < n_units && !(strlen(units[i].name) == len && !memcmp(units[i].name, p, len)))
			i++;
		if (i == n_units || sum > INT64_MAX / 2)
			goto bad;
		sum += n * units[i].ms;
		p += len;
	} while (*p);
	*ms = sum;
	return 0;
bad:
	return err_set(e, DAVIT_EARG, "expected a time such as 30s, 1m30s or 500ms, got '%s'", s);
}

static int parse_tri(const char *s, bool *out, davit_err *e)
{
	static const char *const yes[] = { "true", "yes", "on", "1" };
	static const char *const no[] = { "false", "no", "off", "0" };

	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
		if (!strcmp(s, yes[i]) || !strcmp(s, no[i])) {
			*out = !strcmp(s, yes[i]);
			return 0;
		}
	}
	return err_set(e, DAVIT_EARG, "expected true or false, got '%s'", s);
}

static int list_add(struct opt_list *l, const char *value, davit_err *e)
{
	const char **v = realloc(l->v, (l->n + 1) * sizeof *v);

	if (!v)
		return err_nomem(e);
	v[l->n++] = value;
	l->v = v;
	return 0;
}

static int map_add(struct opt_map *m, const char *text, davit_err *e)
{
	const char *eq = strchr(text, '=');
	davit_pair *v;
	char *key;

	if (!eq || eq == text)
		return err_set(e, DAVIT_EARG, "expected KEY=VALUE, got '%s'", text);
	for (size_t i = 0; i < m->n; i++) {
		if (strlen(m->v[i].key) == (size_t)(eq - text) &&
		    !memcmp(m->v[i].key, text, (size_t)(eq - text))) {
			m->v[i].value = eq + 1;
			return 0;
		}
	}
	key = strndup(text, (size_t)(eq - text));
	v = key ? realloc(m->v, (m->n + 1) * sizeof *v) : NULL;
	if (!v) {
		free(key);
		return err_nomem(e);
	}
	v[m->n++] = (davit_pair){ .key = key, .value = eq + 1 };
	m->v = v;
	return 0;
}

static int check_values(const struct opt *o, const char *value, davit_err *e)
{
	struct buf all = BUF_INIT(512);
	int r;

	for (const char *const *v = o->values; v && *v; v++)
		if (!strcmp(*v, value))
			return 0;
	if (!o->values)
		return 0;
	for (const char *const *v = o->values; *v; v++)
		buf_printf(&all, "%s%s", v == o->values ? "" : v[1] ? ", " : " or ", *v);
	r = err_set(e, DAVIT_EARG, "expected %s, got '%s'", buf_str(&all), value);
	buf_fini(&all);
	return r;
}

/* Values are shown as they were written, limits in the smallest unit. */
static int check_range(const struct opt *o, int64_t n, const char *value, davit_err *e)
{
	const char *unit = o->kind == OPT_SIZE ? " bytes" : o->kind == OPT_TIME ? " ms" : "";

	if (o->range && n < o->range->min)
		return err_set(e, DAVIT_EARG, "expected at least %lld%s, got %s", (long long)o->range->min,
			       unit, value);
	if (o->range && n > o->range->max)
		return err_set(e, DAVIT_EARG, "expected at most %lld%s, got %s", (long long)o->range->max,
			       unit, value);
	return 0;
}

static int store_number(const struct opt *o, void *member, const char *value, davit_err *e)
{
	bool narrow = o->kind == OPT_INT;
	int64_t n;
	int r = opt_parse_int(value, narrow ? INT_MIN : INT64_MIN, narrow ? INT_MAX : INT64_MAX, &n, e);

	if (!r)
		r = check_range(o, n, value, e);
	if (r)
		return r;
	if (narrow)
		*(int *)member = (int)n;
	else if (o->kind == OPT_I64)
		*(int64_t *)member = n;
	else
		*(davit_opt_int *)member = (davit_opt_int){ .value = n, .set = true };
	return 0;
}

static int store_quantity(const struct opt *o, void *member, const char *value, davit_err *e)
{
	bool size = o->kind == OPT_SIZE;
	int64_t n;
	int r = size ? opt_parse_size(value, &n, e) : opt_parse_time(value, &n, e);

	if (!r)
		r = check_range(o, n, value, e);
	if (r)
		return r;
	if (size)
		((struct opt_size *)member)->bytes = n;
	else
		((struct opt_time *)member)->ms = n;
	return 0;
}

static int store_value(const struct opt *o, void *member, const char *value, davit_err *e)
{
	int r = check_values(o, value, e);

	if (r)
		return r;
	switch ((enum opt_kind)o->kind) {
	case OPT_BOOL:
		return parse_tri(value, member, e);
	case OPT_TRI: {
		bool yes;

		r = parse_tri(value, &yes, e);
		if (!r)
			*(davit_tri *)member = yes ? DAVIT_YES : DAVIT_NO;
		return r;
	}
	case OPT_INT:
	case OPT_I64:
	case OPT_OPT_INT:
		return store_number(o, member, value, e);
	case OPT_STR:
		*(const char **)member = value;
		return 0;
	case OPT_SECRET:
		((davit_secret *)member)->s = value;
		return 0;
	case OPT_LIST:
		return list_add(member, value, e);
	case OPT_MAP:
		return map_add(member, value, e);
	case OPT_SIZE:
	case OPT_TIME:
		return store_quantity(o, member, value, e);
	}
	return err_set(e, DAVIT_ESTATE, "option of unknown kind");
}

static int store(const struct opt *o, const struct opt_set *set, const char *value, davit_err *e)
{
	int r = store_value(o, (char *)set->to + o->off, value, e);

	return err_at(e, r, "option --%s: ", o->name);
}

static int missing_value(const struct opt *o, davit_err *e)
{
	return err_set(e, DAVIT_EARG, "option --%s needs a value (%s)", o->name, o->arg ? o->arg : "VALUE");
}

static int unknown_long(const struct opt_parser *p, const char *word, size_t n, davit_err *e)
{
	char name[64];
	const char *best = NULL;
	size_t score;

	if (n >= sizeof name)
		return err_set(e, DAVIT_EARG, "unknown option --%.*s", (int)(n > 200 ? 200 : n), word);
	memcpy(name, word, n);
	name[n] = 0;
	score = opt_far(name);
	for (size_t s = 0; s < OPT_SETS; s++)
		for (const struct opt *o = p->set[s].rows; o && o->name; o++)
			if (!o->hidden)
				opt_nearer(name, o->name, &best, &score);
	if (best)
		return err_set(e, DAVIT_EARG, "unknown option --%s; did you mean --%s?", name, best);
	return err_set(e, DAVIT_EARG, "unknown option --%s", name);
}

/* word is what follows the two dashes. */
static int take_long(struct opt_parser *p, const char *word, davit_err *e)
{
	const char *eq = strchr(word, '=');
	size_t n = eq ? (size_t)(eq - word) : strlen(word);
	bool no = n > 3 && !strncmp(word, "no-", 3);

	for (size_t s = 0; s < OPT_SETS; s++) {
		const struct opt_set *set = &p->set[s];
		const struct opt *o = opt_find_name(set->rows, word, n);
		const struct opt *off = no ? opt_find_name(set->rows, word + 3, n - 3) : NULL;

		if (!o && off && off->kind == OPT_TRI)
			return eq ? err_set(e, DAVIT_EARG, "option --no-%s takes no value", off->name) :
				    store(off, set, "false", e);
		if (!o)
			continue;
		if (eq)
			return store(o, set, eq + 1, e);
		if (!opt_has_value(o))
			return store(o, set, "true", e);
		if (p->at == p->argc)
			return missing_value(o, e);
		return store(o, set, p->argv[p->at++], e);
	}
	return unknown_long(p, word, n, e);
}

/* word is what follows the dash: letters of switches, the last of which may take a value. */
static int take_cluster(struct opt_parser *p, const char *word, davit_err *e)
{
	for (; *word; word++) {
		const struct opt_set *set = p->set;
		const struct opt *o = NULL;
		int r;

		for (size_t s = 0; s < OPT_SETS && !o; s++) {
			set = &p->set[s];
			o = opt_find_letter(set->rows, *word);
		}
		if (!o)
			return err_set(e, DAVIT_EARG, "unknown option -%c", *word);
		if (opt_has_value(o)) {
			if (word[1])
				return store(o, set, word + 1 + (word[1] == '='), e);
			if (p->at == p->argc)
				return missing_value(o, e);
			return store(o, set, p->argv[p->at++], e);
		}
		r = store(o, set, "true", e);
		if (r)
			return r;
	}
	return 0;
}

static bool is_option(const struct opt_parser *p, const char *word)
{
	if (p->ended || word[0] != '-' || !word[1])
		return false;
	/* -5 is a number, unless an option is called so. */
	if (isdigit((unsigned char)word[1]) || word[1] == '.') {
		for (size_t s = 0; s < OPT_SETS; s++)
			if (opt_find_letter(p->set[s].rows, word[1]))
				return true;
		return false;
	}
	return true;
}

int opt_next(struct opt_parser *p, const char **word, davit_err *e)
{
	while (p->at < p->argc) {
		const char *w = p->argv[p->at++];
		int r;

		if (!is_option(p, w)) {
			*word = w;
			return 1;
		}
		if (!strcmp(w, "--")) {
			p->ended = true;
			continue;
		}
		r = w[1] == '-' ? take_long(p, w + 2, e) : take_cluster(p, w + 1, e);
		if (r)
			return r;
	}
	return 0;
}

void opt_fini(const struct opt_set *s)
{
	for (const struct opt *o = s->rows; o && o->name; o++) {
		void *member = (char *)s->to + o->off;

		if (o->kind == OPT_LIST) {
			struct opt_list *l = member;

			free(l->v);
			*l = (struct opt_list){ 0 };
		} else if (o->kind == OPT_MAP) {
			struct opt_map *m = member;

			for (size_t i = 0; i < m->n; i++)
				free(mem_unconst(m->v[i].key));
			free(m->v);
			*m = (struct opt_map){ 0 };
		}
	}
}

#include "auth/store/netrc.h"

#include <string.h>
#include <strings.h>

static const char *skip_space(const char *p)
{
	for (;;) {
		p += strspn(p, " \t\r\n");
		if (*p != '#')
			return p;
		p += strcspn(p, "\n");
	}
}

/* The end of the word at p: a space, or in a quoted word the closing quote. */
static const char *word_end(const char *p, bool quoted)
{
	for (; *p; p++) {
		if (quoted ? *p == '"' : strchr(" \t\r\n", *p) != NULL)
			break;
		if (*p == '\\' && p[1])
			p++;
	}
	return p;
}

/*
 * Reads the word at *at, NULL at the end of the file, and moves *at behind it. Quoted words may hold spaces;
 * a backslash takes the next character as it is. False when memory ran out.
 */
static bool take_word(const char **at, struct arena *mem, const char **word)
{
	const char *p = *at, *end;
	bool quoted = *p == '"';
	char *to;

	*word = NULL;
	if (!*p)
		return true;
	p += quoted;
	end = word_end(p, quoted);
	*at = end + (*end == '"' && quoted);
	*word = to = arena_strndup(mem, p, (size_t)(end - p));
	if (!to)
		return false;
	for (; p < end; p++) {
		if (*p == '\\' && p + 1 < end)
			p++;
		*to++ = *p;
	}
	*to = 0;
	return true;
}

static bool next_keyword(const char **at, struct arena *mem, const char **word)
{
	*at = skip_space(*at);
	return take_word(at, mem, word);
}

/* A value may begin with '#', as in Python's netrc: a password that does would be lost as a comment. */
static bool next_value(const char **at, struct arena *mem, const char **word)
{
	*at += strspn(*at, " \t\r\n");
	return take_word(at, mem, word);
}

/* A macro definition ends at the first empty line. */
static const char *skip_macro(const char *p)
{
	const char *end = strstr(p, "\n\n");

	return end ? end + 2 : p + strlen(p);
}

/* Takes one keyword; entry is NULL outside of an entry that matters. */
static bool take_keyword(const char *key, const char **at, struct arena *mem, struct netrc_entry *entry)
{
	bool password = !strcmp(key, "password"), login = !strcmp(key, "login") || !strcmp(key, "user");
	const char *value;

	if (!password && !login && strcmp(key, "account") != 0)
		return true;
	if (!next_value(at, mem, &value))
		return false;
	if (entry && password)
		entry->password = value;
	else if (entry && login)
		entry->login = value;
	return true;
}

bool netrc_find(const char *text, const char *host, struct arena *mem, struct netrc_entry *out, bool *found)
{
	struct netrc_entry hit = { 0 }, fallback = { 0 }, *entry = NULL;
	bool have_hit = false, have_default = false;
	const char *word, *name;

	for (;;) {
		if (!next_keyword(&text, mem, &word))
			return false;
		if (!word)
			break;
		if (!strcmp(word, "machine")) {
			if (!next_value(&text, mem, &name))
				return false;
			entry = name && !have_hit && !strcasecmp(name, host) ? &hit : NULL;
			have_hit |= entry != NULL;
		} else if (!strcmp(word, "default")) {
			entry = have_default ? NULL : &fallback;
			have_default = true;
		} else if (!strcmp(word, "macdef")) {
			text = skip_macro(text);
			entry = NULL;
		} else if (!take_keyword(word, &text, mem, entry)) {
			return false;
		}
	}
	*found = have_hit || have_default;
	*out = have_hit ? hit : fallback;
	return true;
}

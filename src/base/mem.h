/* Memory that must leave no trace, and overflow-checked sizes. */
#ifndef DAVIT_BASE_MEM_H
#define DAVIT_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>

/* Overwrites n bytes in a way that the compiler keeps. p may be NULL if n is 0. */
void mem_wipe(void *p, size_t n);

/* Wipes a NUL-terminated heap string and frees it; NULL is ignored. */
void mem_free_secret(char *s);

/* For memory that is ours although its pointer is const, as in public structs. */
static inline void *mem_unconst(const void *p)
{
	union {
		const void *in;
		void *out;
	} u = { .in = p };

	return u.out;
}

/* strdup() that passes NULL through: false only when memory ran out. *out is set on success. */
bool mem_strdup(const char *s, char **out);

#endif

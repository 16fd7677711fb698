/* Cleanup attributes for .c files: the variable is released when it goes out of scope. */
#ifndef DAVIT_BASE_CLEANUP_H
#define DAVIT_BASE_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(fn) __attribute__((cleanup(fn)))

static inline void cleanup_free_(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_close_(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* A heap pointer that is freed, a descriptor that is closed (negative: none). */
#define AUTO_FREE  CLEANUP(cleanup_free_)
#define AUTO_CLOSE CLEANUP(cleanup_close_)

/* Moves a value out of a variable so that its cleanup does nothing. */
#define TAKE_PTR(p)                              \
	({                                       \
		__typeof__(p) take_ = (p);       \
		(p) = NULL;                      \
		take_;                           \
	})

#endif

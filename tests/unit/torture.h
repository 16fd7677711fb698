/*
 * Fails allocations on purpose. Linking torture.c (meson: sources: torture_src) replaces malloc() and its kin
 * of the whole program, shared libraries included; it works under gcc's sanitizers too.
 */
#ifndef TESTS_TORTURE_H
#define TESTS_TORTURE_H

#include <stdbool.h>

/* The nth allocation of this thread from now on fails, the others do not; 0: none fails. */
void torture_arm(unsigned nth);
/* Ends it. Whether an allocation failed. */
bool torture_disarm(void);
/* Blocks that this thread allocated minus those it freed. */
long torture_live(void);

/* Does all of its work, tests its results, releases everything, and returns 0 or the code of the failure. */
typedef int (*torture_fn)(void *user);

/*
 * Runs op with its 1st, 2nd, ... allocation failing until none fails any more. Each time it must return
 * DAVIT_ENOMEM (or 0 where the C library survives that), at last 0, and free all that it allocated. Returns
 * the number of failures made.
 */
unsigned torture_run(torture_fn op, void *user);

#endif

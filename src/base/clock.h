/* Time: monotonic for limits, real for signatures and expiry. */
#ifndef DAVIT_BASE_CLOCK_H
#define DAVIT_BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds of the monotonic clock. */
int64_t clock_mono_ms(void);
/* Seconds since 1970. */
int64_t clock_real_s(void);

#endif

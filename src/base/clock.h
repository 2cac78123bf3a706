#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Microseconds since 1970, UTC: the unit of Cassandra's write timestamps. May step. */
int64_t clock_wall_us(void);
/* Microseconds that never go back; for durations and time-outs. */
int64_t clock_mono_us(void);

#endif

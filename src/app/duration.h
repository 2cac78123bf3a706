#ifndef APP_DURATION_H
#define APP_DURATION_H

#include "base/attr.h"
#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

/* "60", "0.5" (seconds), "250ms", "30s", "5m", "1h", "7d" to milliseconds. has_unit (may be NULL):
 * whether a unit was written. False: not a duration, negative, or beyond 100 years. */
MUST_USE bool duration_parse(const char *text, int64_t *ms, bool *has_unit);
/* The shortest way to write it. */
void duration_render(int64_t ms, struct buf *out);

#endif

#ifndef JOB_CHECK_SETTINGS_H
#define JOB_CHECK_SETTINGS_H

#include "base/attr.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

/* A time as settings of an index give it, "500ms", "1m", "-1" (never: negative), in ms. */
MUST_USE bool check_read_time(struct slice text, int64_t *ms);

#endif

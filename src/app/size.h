#ifndef APP_SIZE_H
#define APP_SIZE_H

#include "base/attr.h"
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/* Values of options on the command line; NULL: not given, *out stays. Errors: ERR_CONFIG, one line
 * that begins with name. */

/* A whole number above 0. */
MUST_USE bool count_option(const char *value, const char *name, int64_t *out, struct err *err);
/* "64M", "1G", "500K", "1000000": bytes, at least 1 MiB. */
MUST_USE bool size_option(const char *value, const char *name, size_t *out, struct err *err);
/* "LOW..HIGH": tokens above LOW, up to HIGH. */
MUST_USE bool range_option(const char *value, int64_t *low, int64_t *high, struct err *err);

#endif

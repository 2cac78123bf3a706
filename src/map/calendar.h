#ifndef MAP_CALENDAR_H
#define MAP_CALENDAR_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/slice.h"

#include <stdint.h>

/* Instants as text and back, UTC, proleptic Gregorian. */

enum { CALENDAR_DAY_MS = 86400000 };

/* Days since 1970-01-01 of a year's (any within +-10^9) month 1 to 12 and day. */
int64_t calendar_days(int64_t year, int month, int day);
/* Appends "2015-03-25"; false, and nothing appended, outside the years 0 to 9999. */
MUST_USE bool calendar_append_date(struct buf *out, int64_t days);
/* Appends "2015-03-25T03:30:12.000Z"; false outside the years 0 to 9999. */
MUST_USE bool calendar_append_instant(struct buf *out, int64_t ms);

enum calendar_result { CALENDAR_OK, CALENDAR_NO_DATE, CALENDAR_TOO_FINE };

/* Milliseconds since 1970 of the ISO 8601 forms listed in codec_time.h. */
enum calendar_result calendar_read(struct slice text, int64_t *ms);

#endif

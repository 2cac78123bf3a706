#ifndef STATUS_WORDS_H
#define STATUS_WORDS_H

#include "base/buf.h"

#include <stdint.h>

/* Numbers and times as people read them. */

/* "0.4 s", "12 s", "5 min 3 s", "3 h 12 min", "2 d 4 h"; below 0 counts as 0. */
void status_append_duration(struct buf *out, int64_t us);
/* "1,234,567" */
void status_append_count(struct buf *out, int64_t count);
/* Of something a second: "0", "0.05", "3.1", "12,345". */
void status_append_rate(struct buf *out, double rate);
/* "12:04:31" in the daemon's time zone; another day than now's with its date before. */
void status_append_clock(struct buf *out, int64_t us, int64_t now_us);
/* "2026-11-25T12:04:31Z", for machines. */
void status_append_iso(struct buf *out, int64_t us);

#endif

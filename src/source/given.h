#ifndef SOURCE_GIVEN_H
#define SOURCE_GIVEN_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

/* What the last window of the time series table gave, in the table's own order: windows begin some
 * seconds back, and so find the same entries again and again. A row that is not recognised, for a
 * row before it is gone or there were too many, is only given once more. 128 bits stand for a row,
 * so two are never taken for one. Zero-initialised is empty. */

struct source_given_row {
    uint64_t hash[2];
    int64_t version;
    uint32_t bucket;
};

/* Rows that are kept of a window, at 32 bytes each, twice: 4 MiB. */
enum { SOURCE_GIVEN_MAX = 1 << 16 };
struct source_given_rows {
    struct source_given_row *at;
    uint32_t count, capacity;
};
struct source_given {
    struct source_given_rows before, present; /* of the last window that is done; of this one */
    uint32_t next;                            /* of before */
    bool kept;
};

void source_given_free(struct source_given *given);
/* A window is read from its beginning. keep: it may become the one before the next. */
void source_given_begin(struct source_given *given, bool keep);
/* Of each row, in order: whether the window before had it. */
bool source_given_before(struct source_given *given, uint32_t bucket, int64_t version,
                         const struct slice *cells, uint32_t count);
/* All that the present window gave is dealt with for good. */
void source_given_done(struct source_given *given);

#endif

#ifndef CHANGE_RECORD_H
#define CHANGE_RECORD_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

/* The content of a record on one side, as CQL cells in the order of the pipeline's mapped columns
 * (map/schema.h): whatever side it came from, equal content has equal bytes. */
struct change_content {
    bool missing;              /* no such row, no such document, or marked as deleted */
    const struct slice *cells; /* cell_count of them; null, missing and empty collection: null */
    uint32_t cell_count;
};

/* Hash of a content, for own copies. Independent of columns that are null. */
struct change_hash {
    uint64_t high, low;
};

static inline bool change_hash_equal(struct change_hash a, struct change_hash b)
{
    return a.high == b.high && a.low == b.low;
}

#endif

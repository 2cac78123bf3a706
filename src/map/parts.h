#ifndef MAP_PARTS_H
#define MAP_PARTS_H

#include "base/arena.h"
#include "base/err.h"
#include "cql/type.h"

/* The values inside of a cell: of a list, set, map, tuple, user-defined type or vector. Lengths are
 * foreign bytes and checked before they are used. Native protocol v5, section 6. */

struct map_parts {
    const struct cql_type *type;
    uint32_t count; /* of a map: keys and values in turn */
    uint32_t at;
    uint32_t size; /* of each, in a vector whose elements have no lengths; else 0 */
    struct slice rest;
};

/* Errors: ERR_VALUE. */
MUST_USE bool map_parts_open(struct map_parts *p, const struct cql_type *type, struct slice cell,
                             struct err *err);
/* The next of count values; null where it is one, also for fields at the end that a tuple or
 * user-defined type leaves out. Errors: ERR_VALUE. */
MUST_USE bool map_parts_next(struct map_parts *p, struct slice *value, struct err *err);
/* That nothing follows the last one. Errors: ERR_VALUE; ERR_SCHEMA where a user-defined type has
 * more fields than its table told: it has been altered since. */
MUST_USE bool map_parts_close(const struct map_parts *p, struct err *err);

/* Of every value of type inside of a vector; 0: a length stands before each. That is so for all
 * types whose size the server counts as variable, smallint, tinyint, date and time among them. */
uint32_t map_parts_size(const struct cql_type *type);

/* The type of value number i. */
const struct cql_type *map_parts_type(const struct cql_type *type, uint32_t i);

/* The cell that holds these values, in arena. Null is for tuples and user-defined types. Errors:
 * ERR_TOO_LARGE. */
MUST_USE bool map_parts_join(const struct cql_type *type, const struct slice *values,
                             uint32_t count, struct arena *arena, struct slice *cell,
                             struct err *err);

#endif

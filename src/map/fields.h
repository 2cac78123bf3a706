#ifndef MAP_FIELDS_H
#define MAP_FIELDS_H

#include "map/schema.h"

/* Looks columns up by the name of their field: documents may have hundreds. */
struct map_fields;

enum {
    MAP_FIELD_UNKNOWN = -1,
    MAP_FIELD_TIMESTAMP = -2,
    MAP_FIELD_DELETED = -3,
    MAP_FIELD_TTL = -4
};

/* Lives in arena, borrows the columns. Errors: ERR_SCHEMA when two share a field. */
MUST_USE const struct map_fields *map_fields_build(const struct map_column *columns, uint32_t count,
                                                   const struct map_options *options,
                                                   struct arena *arena, struct err *err);
/* The column's index, or one of the above. */
int32_t map_fields_find(const struct map_fields *fields, struct slice field);

#endif

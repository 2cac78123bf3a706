#ifndef MAP_NORMAL_H
#define MAP_NORMAL_H

#include "base/arena.h"
#include "cql/type.h"

/* One encoding for each value, so that equal contents have equal bytes: the server stores what a
 * driver sent, and that may be a varint with zeros in front, a set inside of a list in any order, a
 * user-defined type without its last fields. */

/* Whether some value of the type has more than one encoding. */
bool map_normal_needed(const struct cql_type *type);
/* The one encoding; the cell itself where it is that already, or is broken. What is new lives in
 * arena. */
struct slice map_normal(const struct cql_type *type, struct slice cell, struct arena *arena);

/* Whether a column's value is as good as none: null, an empty collection, or a user-defined type
 * that isn't frozen and has nothing but nulls (the server keeps no such value). */
bool map_normal_is_null(const struct cql_type *type, struct slice cell);

#endif

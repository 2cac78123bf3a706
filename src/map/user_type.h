#ifndef MAP_USER_TYPE_H
#define MAP_USER_TYPE_H

#include "base/arena.h"
#include "base/err.h"
#include "cql/type.h"

/* User-defined types of a keyspace, as system_schema.types has them. */

struct map_user_type {
    struct slice name;
    const struct slice *field_names;
    const struct slice *field_types; /* as system_schema spells them */
    uint32_t field_count;
};

struct map_user_types {
    const struct map_user_type *items;
    uint32_t count;
};

/* A copy of type in which every user-defined type, at any depth, has its fields; types may be NULL.
 * Lives in arena. Errors: ERR_SCHEMA for one that isn't there, a type that can't be mapped, nesting
 * beyond CQL_TYPE_DEPTH_MAX. */
MUST_USE const struct cql_type *map_user_type_resolve(const struct cql_type *type,
                                                      const struct map_user_types *types,
                                                      bool non_finite_text, struct arena *arena,
                                                      struct err *err);

#endif

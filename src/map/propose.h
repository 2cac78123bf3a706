#ifndef MAP_PROPOSE_H
#define MAP_PROPOSE_H

#include "base/json.h"
#include "map/schema.h"

/* What a missing side should look like, taken from the side that is there. Pure. */

struct map_propose_target {
    const char *timestamp_field; /* holds the version; not written when meta_timestamp */
    struct slice deleted_field;  /* may be null */
    bool meta_timestamp;         /* the version is `_timestamp` (Elasticsearch before 5) */
    bool legacy;                 /* "string" in place of "text" and "keyword" (before 5) */
};

/* Appends the mapping for schema's columns: one JSON object, a line a field, `dynamic: false`, so
 * that no other field is ever indexed by accident (all are kept in the document). Errors:
 * ERR_SCHEMA for a field whose name is not UTF-8. */
MUST_USE bool map_propose_mapping(const struct map_schema *schema,
                                  const struct map_propose_target *target, struct buf *out,
                                  struct err *err);

/* Regular columns for the fields of mapping (the object with "properties") that may travel to
 * Cassandra, with the type that holds all that the field can (position and kind are set too).
 * What has no such type is left out and told in remarks, one line each ("field \"x\": …").
 * columns and what they point to live in arena. Fields named like a key column, and the fields of
 * version and deletion, give no column. */
void map_propose_columns(const struct json_node *mapping, const struct map_options *options,
                         struct arena *arena, struct map_table_column **columns, uint32_t *count,
                         struct buf *remarks);

#endif

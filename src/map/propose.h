#ifndef MAP_PROPOSE_H
#define MAP_PROPOSE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "map/schema.h"

/* What `init` creates on a side that has nothing yet, taken from the other side. Pure. */

struct map_index_style {
    bool legacy; /* before Elasticsearch 5.0: `string` for text and keyword, `_timestamp` on */
    bool dense_vector; /* the server has such fields, with up to 4,096 dimensions */
};

/* Appends the mapping for the mapped columns, explicit and closed to other fields:
 * {"dynamic":false,"properties":{...}}, with the timestamp field as long and the deleted field as
 * boolean (either may be null), and the schema's ttl_field as an integer. */
void map_propose_mapping(const struct map_schema *schema, struct map_index_style style,
                         struct slice timestamp_field, struct slice deleted_field, struct buf *out);

struct map_proposal {
    struct slice field;
    struct slice column; /* its name after `rename`, not quoted */
    const char *type;    /* in CQL; frozen<caes_json> (map/codec_any.h) where nothing else fits */
    struct slice remark; /* then why, else null */
};

/* The columns for an index's mapping (the object that has "properties"), in its order, without the
 * reserved fields of options, of which only these and rename count. vectors: Cassandra has them.
 * Everything in *out lives in arena. A mapping without properties gives none. */
void map_propose_columns(const struct json_node *mapping, const struct map_options *options,
                         bool vectors, struct arena *arena, const struct map_proposal **out,
                         uint32_t *count);

/* Each type of field that has a type of column of its own, for the page of types. */
typedef void map_propose_pair_fn(void *ctx, const char *field, const char *column);
void map_propose_list(map_propose_pair_fn *pair, void *ctx);

#endif

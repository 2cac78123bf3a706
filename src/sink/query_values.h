#ifndef SINK_QUERY_VALUES_H
#define SINK_QUERY_VALUES_H

#include "base/json.h"
#include "cql/result.h"
#include "cql/statement.h"
#include "map/codec.h"
#include "map/schema.h"
#include "sink/sink.h"

/* What the ? of an insertQuery stand for. Pure. */

enum query_value_from { QUERY_FROM_FIELD, QUERY_FROM_KEY, QUERY_FROM_VERSION, QUERY_FROM_TIME };

struct query_bind {
    enum query_value_from from;
    uint32_t key;       /* QUERY_FROM_KEY: which column */
    struct slice field; /* the placeholder's name */
    const struct cql_type *type;
    const struct map_codec *codec;
    bool needs_value;
    bool in_using; /* without a value it is as if USING did not say it */
};

struct query_values {
    const struct map_schema *schema; /* of the data table */
    int64_t unit_us;                 /* of versions, 0: not wall-clock */
    const struct sink_write *write;
    const struct json_node *source; /* the document; NULL where no bind is QUERY_FROM_FIELD */
};

/* field: a placeholder's name, or null for the write time; column: what it is bound to. Both are
 * borrowed. Errors: ERR_SCHEMA when nothing of that kind can be bound to the column's type. */
MUST_USE bool query_bind_plan(const struct map_schema *schema, int64_t unit_us, struct slice field,
                              const struct cql_column *column, struct query_bind *bind,
                              struct err *err);
/* The value, in arena. Errors: ERR_VALUE naming the field. */
MUST_USE bool query_bind_value(const struct query_bind *bind, const struct query_values *values,
                               struct arena *arena, struct cql_value *out, struct err *err);

#endif

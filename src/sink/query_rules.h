#ifndef SINK_QUERY_RULES_H
#define SINK_QUERY_RULES_H

#include "map/schema.h"
#include "sink/query_text.h"

/* What a statement of insertQuery may do to the table that it names, as that table is on the
 * server: nothing that differs when it is sent twice, and nothing that the sync itself writes.
 * Pure. */

struct query_rules {
    const char *keyspace, *data, *series; /* the pipeline's */
    const struct map_schema *schema;      /* of the data table */
    bool same_time;                       /* a write that is sent again has the same write time */
};

/* columns: of the statement's table, at least one. Errors: ERR_SCHEMA; *at is where in the text. */
MUST_USE bool query_rules_check(const struct query_rules *rules, const struct query_statement *s,
                                const struct map_table_column *columns, uint32_t count, size_t *at,
                                struct err *err);

/* Whether null can't be bound to a ? of this name (as the server calls it: a column, "key(m)"). */
bool query_rules_needs_value(struct slice bind, const struct map_table_column *columns,
                             uint32_t count);

#endif

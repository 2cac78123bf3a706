#ifndef SINK_ROWS_H
#define SINK_ROWS_H

#include "sink/query.h"
#include "sink/sink.h"
#include "source/table.h"

struct sink_rows_options {
    const struct source_table_options *table; /* borrowed */
    bool every_column;               /* guard timestamp: write nulls too, whatever the row holds */
    bool logged;                     /* all in one logged batch; else the entry follows */
    int32_t ttl;                     /* of entries, s */
    struct sink_query_options query; /* insertQuery */
    unsigned in_flight;              /* writes; 0: 256 */
};

/* Writes into Cassandra: the row and insertQuery, then (once they are acknowledged) the entry, at
 * the write times that the caller's guard chose. Prepares its statements: for tasks. table is
 * borrowed. */
MUST_USE struct sink *sink_rows_new(struct cql_client *client, const struct source_table *table,
                                    const struct sink_rows_options *options, struct err *err);

#endif

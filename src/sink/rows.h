#ifndef SINK_ROWS_H
#define SINK_ROWS_H

#include "sink/sink.h"
#include "source/table.h"

struct sink_rows_options {
    const struct source_table_options *table; /* borrowed */
    bool every_column;  /* guard timestamp: write nulls too, whatever the row holds */
    bool logged;        /* row and entry in one logged batch; else the entry follows the row */
    int32_t ttl;        /* of entries, s */
    unsigned in_flight; /* writes; 0: 256 */
};

/* Writes into Cassandra: the row, then (once it is acknowledged) its entry, at the write times that
 * the caller's guard chose. Prepares its statements: for tasks. table is borrowed. */
MUST_USE struct sink *sink_rows_new(struct cql_client *client, const struct source_table *table,
                                    const struct sink_rows_options *options, struct err *err);

#endif

#ifndef SINK_ROW_INSERT_H
#define SINK_ROW_INSERT_H

#include "sink/sink.h"
#include "source/table.h"

/* The INSERT of a record's row: all columns that travel to Cassandra, the version column where
 * there is one, the time to live where it is carried; at a write time. */
struct sink_row_insert {
    const struct source_table *table;           /* borrowed */
    const struct source_table_options *options; /* borrowed */
    bool every_column;                          /* nulls are written whatever the row holds */
    const struct cql_prepared *prepared;
    /* Sent twice it leaves what it leaves sent once. Lists are the exception: at one write time
     * their elements double. */
    bool repeatable;
};

/* For tasks. */
MUST_USE bool sink_row_insert_prepare(struct sink_row_insert *insert, struct cql_client *client,
                                      struct err *err);
/* Values live in arena. A row (write->row) that is NULL is missing. ERR_VALUE: the version doesn't
 * fit into its column. */
MUST_USE bool sink_row_insert_bind(const struct sink_row_insert *insert,
                                   const struct sink_write *write, struct arena *arena,
                                   struct cql_statement *out, struct err *err);

#endif

#ifndef SINK_ROWS_BULK_H
#define SINK_ROWS_BULK_H

#include "sink/row_insert.h"

/* Many rows at once, without entries and insertQuery: for a load. */
struct sink_rows_bulk;

/* table and options are borrowed. For tasks, as all of it. */
MUST_USE struct sink_rows_bulk *sink_rows_bulk_new(struct cql_client *client,
                                                   const struct source_table *table,
                                                   const struct source_table_options *options,
                                                   struct err *err);
void sink_rows_bulk_free(struct sink_rows_bulk *bulk);

/* Sends writes, at most one a key and none of them a delete, with at most in_flight requests under
 * way, and waits until each has its outcome. */
void sink_rows_bulk_apply(struct sink_rows_bulk *bulk, struct sink_write *const *writes,
                          size_t count, unsigned in_flight);

#endif

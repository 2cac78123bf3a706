#ifndef SOURCE_SERIES_H
#define SOURCE_SERIES_H

#include "source/source.h"
#include "source/table.h"

/* Changes of Cassandra, from the time series table. All arguments are borrowed for its life.
 * Prepares its statement: for tasks. */
MUST_USE struct source *source_series_new(struct cql_client *client,
                                          const struct source_table *table,
                                          const struct source_table_options *options,
                                          struct err *err);

#endif

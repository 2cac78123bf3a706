#ifndef SOURCE_ROWS_H
#define SOURCE_ROWS_H

#include "change/state.h"
#include "source/table.h"

/* Reads rows of the data table by key, with the write times of the mapped columns. For tasks. */
struct source_rows;

/* Arguments are borrowed for its life. */
MUST_USE struct source_rows *source_rows_new(struct cql_client *client,
                                             const struct source_table *table,
                                             const struct source_table_options *options,
                                             struct err *err);
void source_rows_free(struct source_rows *rows);

/* Reads keys[count] into out[count], many at a time; content lives in arena. When one can't be
 * read the whole call fails. */
MUST_USE bool source_rows_read(struct source_rows *rows, const struct change_key *keys,
                               size_t count, struct change_row *out, struct arena *arena,
                               struct err *err);
/* One, with the write time of each column. */
MUST_USE bool source_rows_read_times(struct source_rows *rows, const struct change_key *key,
                                     struct change_row *out, struct arena *arena, struct err *err);

#endif

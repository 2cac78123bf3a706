#ifndef SINK_ROWS_INTERNAL_H
#define SINK_ROWS_INTERNAL_H

#include "io/task.h"
#include "sink/row_insert.h"
#include "sink/rows.h"

/* For rows.c and rows_bind.c. */

struct rows {
    struct sink sink;
    struct cql_client *client;
    const struct source_table *table;
    struct sink_rows_options options;
    struct sink_row_insert insert;
    const struct cql_prepared *delete;
    const struct cql_prepared *entry;
    struct sink_query *query; /* or NULL */
};

/* One call of apply. */
struct applying {
    struct rows *rows;
    struct io_group group;
    struct arena arena;
};

/* One record: its row, the statements of insertQuery, then the entry. */
struct one {
    struct applying *applying;
    struct sink_write *write;
    struct cql_statement *statements;
    uint32_t count;   /* without the entry, which is the last */
    uint32_t pending; /* answers before the entry may go */
    struct err *failed;
    uint32_t bucket; /* of the entry */
};

/* Values live in the arena of applying. Fills statements, count and bucket. */
MUST_USE bool sink_rows_bind(struct one *one, struct err *err);
/* For tasks. */
MUST_USE bool sink_rows_prepare_delete(struct rows *rows, struct err *err);
MUST_USE bool sink_rows_prepare_entry(struct rows *rows, struct err *err);

#endif

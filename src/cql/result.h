#ifndef CQL_RESULT_H
#define CQL_RESULT_H

#include "base/attr.h"
#include "base/slice.h"
#include "cql/type.h"

#include <stdbool.h>
#include <stdint.h>

/* What a request brought back; v5 specification section 4.2.5. */

struct cql_column {
    struct slice keyspace, table, name;
    const struct cql_type *type;
};

struct cql_metadata {
    const struct cql_column *columns;
    uint32_t count;
    const uint16_t *key_indexes; /* prepared statements: which binds form the partition key */
    uint32_t key_count;
};

enum cql_result_kind {
    CQL_RESULT_VOID = 1,
    CQL_RESULT_ROWS = 2,
    CQL_RESULT_KEYSPACE = 3,
    CQL_RESULT_SCHEMA = 5,
};

struct cql_result {
    enum cql_result_kind kind;
    const struct cql_metadata *columns; /* rows */
    uint32_t row_count;
    struct slice paging_state; /* null: that was the last page */
    struct slice rows;         /* encoded rows, already checked to hold row_count rows */
};

struct cql_event {
    struct slice type;                     /* "SCHEMA_CHANGE", "STATUS_CHANGE", "TOPOLOGY_CHANGE" */
    struct slice change;                   /* "CREATED", "UPDATED", "DROPPED", "UP", "DOWN", … */
    struct slice target, keyspace, object; /* of a schema change */
    struct slice address;                  /* of a node: 4 or 16 bytes */
    int32_t port;
};

/* for (struct cql_cursor c = cql_rows(result); cql_next(&c, cells);) — cells has room for
 * columns->count slices; a null cell is SLICE_NULL. Slices borrow from the frame. */
struct cql_cursor {
    struct slice rest;
    uint32_t left;
    uint32_t columns;
};
struct cql_cursor cql_rows(const struct cql_result *result);
MUST_USE bool cql_next(struct cql_cursor *cursor, struct slice *cells);

#endif

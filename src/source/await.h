#ifndef SOURCE_AWAIT_H
#define SOURCE_AWAIT_H

#include "base/arena.h"
#include "cql/client.h"
#include "es/client.h"

/* The clients' calls as straight lines, for code that runs in a task (io/task.h). All may block
 * the task; errors are the callback's. */

MUST_USE bool await_cql_connect(struct cql_client *client, struct err *err);
MUST_USE bool await_cql_prepare(struct cql_client *client, const char *text,
                                const struct cql_prepared **prepared, struct err *err);
/* One page. *paging_state: where it begins (null: the first), afterwards where the next does (null:
 * there is none), in arena. For row see below. */
typedef bool await_row_fn(void *ctx, const struct slice *cells, uint32_t count);
MUST_USE bool await_cql_page(struct cql_client *client, const struct cql_statement *statement,
                             const struct cql_execution *execution, struct slice *paging_state,
                             struct arena *arena, await_row_fn *row, void *ctx, struct err *err);
/* Calls row for every row of every page, in order; cells are borrowed for the call. row (may be
 * NULL) returns false to stop; the rest is not read then. */
MUST_USE bool await_cql_rows(struct cql_client *client, const struct cql_statement *statement,
                             const struct cql_execution *execution, await_row_fn *row, void *ctx,
                             struct err *err);

MUST_USE bool await_es_connect(struct es_client *client, struct err *err);
MUST_USE bool await_es_refresh(struct es_client *client, struct err *err);
/* found false: an empty index. */
MUST_USE bool await_es_max_timestamp(struct es_client *client, bool *found, int64_t *value,
                                     struct err *err);

#endif

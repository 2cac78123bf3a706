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

/* One statement without values whose rows, if any, don't matter: a change of the schema. */
MUST_USE bool await_cql_run(struct cql_client *client, struct slice text, struct err *err);

MUST_USE bool await_es_connect(struct es_client *client, struct err *err);
/* As es_look_for_routing. */
MUST_USE bool await_es_routing(struct es_client *client, struct err *err);
MUST_USE bool await_es_refresh(struct es_client *client, struct err *err);
/* found false: an empty index. */
MUST_USE bool await_es_max_timestamp(struct es_client *client, bool *found, int64_t *value,
                                     struct err *err);
/* Appends the mapping's JSON to json. ERR_NOT_FOUND: no index, or an index without a mapping. */
MUST_USE bool await_es_mapping(struct es_client *client, struct buf *json, struct err *err);
/* As es_ask; parses a copy of the answer: text has to live as long as doc's nodes. */
MUST_USE bool await_es_ask(struct es_client *client, const char *path, struct buf *body,
                           struct json_doc *doc, struct buf *text, struct err *err);
MUST_USE bool await_es_index_create(struct es_client *client, struct slice mapping,
                                    struct err *err);
/* One document as it stands there: its version (0: there is none) and its _source, appended. */
MUST_USE bool await_es_document(struct es_client *client, struct slice id, int64_t *version,
                                struct buf *source, struct err *err);
/* Calls id for the _id of some documents, at most limit; borrowed for the call. */
typedef void await_id_fn(void *ctx, struct slice id);
MUST_USE bool await_es_some_ids(struct es_client *client, uint32_t limit, await_id_fn *id,
                                void *ctx, struct err *err);

#endif

#ifndef SINK_QUERY_H
#define SINK_QUERY_H

#include "cql/client.h"
#include "sink/query_token.h"
#include "sink/sink.h"
#include "source/table.h"

/* insertQuery: statements of the user's own that are part of every copy to Cassandra, with values
 * of the document bound to their placeholders (docs/insert-query.md). */
struct sink_query;

struct sink_query_text {
    const char *text;
    const char *where; /* names it in errors, "config.yaml:7: CassandraConfig.insertQuery" */
};

struct sink_query_options {
    const struct sink_query_text *texts;
    uint32_t count;
    bool same_time; /* guard timestamp: a copy that is made again has the same write time */
};

/* What can be checked without a server. Errors: ERR_CONFIG without the position, which is in
 * *place. */
MUST_USE bool sink_query_check(const char *text, struct query_place *place, struct err *err);

/* Checks the statements against the server's schema and prepares them: for tasks. table and its
 * options are borrowed, texts are copied. Errors: ERR_SCHEMA, ERR_AUTH and those of the request,
 * with where and the position. */
MUST_USE struct sink_query *sink_query_new(struct cql_client *client,
                                           const struct source_table *table,
                                           const struct source_table_options *table_options,
                                           const struct sink_query_options *options,
                                           struct err *err);
/* NULL is allowed. */
void sink_query_free(struct sink_query *query);

/* How many statements; 0 for NULL. */
uint32_t sink_query_count(const struct sink_query *query);
/* Whether a statement (from 0 on) leaves the same when it is sent twice at one write time. */
bool sink_query_repeatable(const struct sink_query *query, uint32_t statement);

/* Fills out[sink_query_count] for a copy to Cassandra; values live in arena. ERR_VALUE when a
 * value does not fit or a key has none: the record can't be copied. */
MUST_USE bool sink_query_bind(struct sink_query *query, const struct sink_write *write,
                              struct arena *arena, struct cql_statement *out, struct err *err);
/* Names the statement (from 0 on) in an error. Returns false. */
bool sink_query_context(uint32_t statement, struct err *err);

#endif

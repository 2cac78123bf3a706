#include "base/clock.h"
#include "pipeline/internal.h"
#include "sink/documents.h"
#include "sink/rows.h"
#include "source/await.h"
#include "source/documents.h"
#include "source/series.h"

void unbind_servers(struct pipeline *p)
{
    struct source *sources[] = {p->series, p->documents};
    for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
        if (sources[i])
            sources[i]->ops->free(sources[i]);
    }
    struct sink *sinks[] = {p->to_cassandra, p->to_elasticsearch};
    for (size_t i = 0; i < ARRAY_LEN(sinks); i++) {
        if (sinks[i])
            sinks[i]->ops->free(sinks[i]);
    }
    source_rows_free(p->rows);
    source_table_free(&p->table);
    p->series = p->documents = NULL;
    p->to_cassandra = p->to_elasticsearch = NULL;
    p->rows = NULL;
    p->bound = false;
}

static void warn_of_schema(const struct pipeline *p)
{
    const struct source_table_options *table = &p->options.table;
    if (p->table.entry_per_version)
        log_warning(p->options.log,
                    "table %s.%s has PRIMARY KEY(%s, %s): two records of one version replace each "
                    "other's entry; add the key columns to it",
                    table->keyspace, table->series, table->series_id, table->series_version);
}

/* Once, the client goes on by itself: later requests wait for it or tell why it can't. */
bool pipeline_connect(struct pipeline *p, struct err *err)
{
    const bool again = p->connected;
    p->connected = true;
    return again || await_cql_connect(p->cassandra, err);
}

static bool bind_cassandra(struct pipeline *p, struct err *err)
{
    const struct sink_rows_options sink = {
        .table = &p->options.table,
        .every_column = p->options.guard == RESOLVE_GUARD_TIMESTAMP,
        .logged = p->options.logged_batch,
        .ttl = p->options.ttl,
        .query = {.texts = p->options.queries,
                  .count = p->options.query_count,
                  .same_time = p->options.guard == RESOLVE_GUARD_TIMESTAMP},
    };
    if (!pipeline_connect(p, err) ||
        !source_table_read(p->cassandra, &p->options.table, &p->table, err))
        return false;
    p->series = source_series_new(p->cassandra, &p->table, &p->options.table, err);
    p->rows = p->series ? source_rows_new(p->cassandra, &p->table, &p->options.table, err) : NULL;
    p->to_cassandra = p->rows ? sink_rows_new(p->cassandra, &p->table, &sink, err) : NULL;
    return p->to_cassandra != NULL;
}

static bool bind_elasticsearch(struct pipeline *p, struct err *err)
{
    if (!await_es_connect(p->elasticsearch, err) || !await_es_routing(p->elasticsearch, err))
        return false;
    const struct sink_documents_options sink = {
        .schema = p->table.schema,
        .timestamp_field = es_client_version(p->elasticsearch)->meta_timestamp
                               ? SLICE_NULL
                               : p->options.timestamp_field,
    };
    p->documents =
        source_documents_new(p->elasticsearch, p->table.schema, p->options.deleted_field);
    p->to_elasticsearch = sink_documents_new(p->elasticsearch, &sink);
    return true;
}

void pipeline_on_event(struct pipeline *p, const struct cql_event *event)
{
    const struct source_table_options *table = &p->options.table;
    if (!slice_is(event->type, "SCHEMA_CHANGE"))
        return;
    const bool any = slice_is(event->change, "MISSED");
    const bool ours = slice_is(event->keyspace, table->keyspace) &&
                      (!slice_is(event->target, "TABLE") || slice_is(event->object, table->data) ||
                       slice_is(event->object, table->series));
    if (!any && !ours)
        return;
    p->schema_changed = true;
    log_debug(p->options.log, "the schema of keyspace %s has changed", table->keyspace);
}

static void bound_again(struct pipeline *p)
{
    const struct source_table_options *table = &p->options.table;
    p->bound_at = clock_wall_us();
    log_info(p->options.log, "read the schema of %s.%s again: %u columns are synced",
             table->keyspace, table->data, p->table.schema->column_count);
}

bool bind_servers(struct pipeline *p, struct err *err)
{
    if (p->bound && !p->schema_changed)
        return true;
    unbind_servers(p);
    p->schema_changed = false; /* what changes while it is read counts again */
    p->bound = bind_cassandra(p, err) && bind_elasticsearch(p, err);
    if (!p->bound) {
        unbind_servers(p);
        return false;
    }
    if (p->status.cycles > 0)
        bound_again(p);
    warn_of_schema(p);
    return true;
}

#include "job/check_context.h"
#include "source/await.h"

struct table_call {
    struct check_table *table;
    struct arena *arena;
    bool found;
    struct slice base; /* of a materialized view, else null */
};

static bool set_has(struct slice set, const char *word)
{
    return set.ptr && memmem(set.ptr, set.len, word, strlen(word)) != NULL;
}

static bool see_table(void *ctx, const struct slice *cells, uint32_t count)
{
    struct table_call *call = ctx;
    struct check_table *table = call->table;
    if (count < 4)
        return false;
    call->found = true;
    if (cells[0].len == sizeof table->id)
        memcpy(table->id, cells[0].ptr, sizeof table->id);
    table->counter = set_has(cells[1], "counter");
    table->default_ttl = cql_decode_int(cells[2]);
    table->gc_grace = cql_decode_int(cells[3]);
    return false;
}

static bool see_view(void *ctx, const struct slice *cells, uint32_t count)
{
    struct table_call *call = ctx;
    if (count)
        call->base = arena_copy(call->arena, cells[0]);
    return false;
}

static bool look(struct check *check, struct check_table *table, struct table_call *call,
                 struct err *err)
{
    const char *keyspace = check->tables->keyspace;
    const struct cql_value names[] = {cql_value_of(slice_str(keyspace)),
                                      cql_value_of(slice_str(table->name))};
    const struct cql_statement of_table = {
        .text = SLICE_LIT("SELECT id, flags, default_time_to_live, gc_grace_seconds FROM "
                          "system_schema.tables WHERE keyspace_name = ? AND table_name = ?"),
        .values = names,
        .value_count = 2,
    };
    const struct cql_statement of_view = {
        .text = SLICE_LIT("SELECT base_table_name FROM system_schema.views "
                          "WHERE keyspace_name = ? AND view_name = ?"),
        .values = names,
        .value_count = 2,
    };
    const struct cql_execution one = {.consistency = CQL_LOCAL_ONE};
    if (!await_cql_rows(check->cassandra, &of_table, &one, see_table, call, err))
        return false;
    if (!call->found && !await_cql_rows(check->cassandra, &of_view, &one, see_view, call, err))
        return false;
    return source_table_columns(check->cassandra, keyspace, table->name, check->arena,
                                &table->columns, &table->column_count, err);
}

static void look_at(struct check *check, struct check_table *table, unsigned bit,
                    const char *option)
{
    struct table_call call = {.table = table, .arena = check->arena};
    struct err err = {0};
    if (!look(check, table, &call, &err)) {
        check_failed(check, table->where, "looking at the table", &err);
    } else if (!slice_is_null(call.base)) {
        check_add(check->findings, CHECK_ERROR, table->where,
                  check_text(check->findings, "name its base table \"%.*s\" in %s",
                             SLICE_ARG(call.base), option),
                  "is a materialized view: nothing can be written to it");
    } else if (!call.found) {
        check_add(
            check->findings, CHECK_ERROR, table->where,
            check_text(check->findings, "create it (caes-sync init does), or mend %s", option),
            "there is no such table");
    } else {
        check->have |= bit;
    }
}

/* CQL to be pasted. */
static const char *alter(struct check *check, const struct check_table *table, const char *options)
{
    return check_text(check->findings, "ALTER TABLE %s.%s WITH %s", table->keyspace, table->name,
                      options);
}

static void judge_data(struct check *check)
{
    const struct check_table *data = &check->data;
    if (data->counter)
        check_add(check->findings, CHECK_WARNING, data->where,
                  "sync another table where documents change, too",
                  "is a counter table: it can't be written with a version, so its rows are only "
                  "copied to Elasticsearch, and what documents change becomes dead letters");
    if (data->default_ttl > 0)
        check_add(check->findings, CHECK_WARNING, data->where,
                  alter(check, data, "default_time_to_live = 0"),
                  "default_time_to_live is %lld s: rows end without an entry, so their documents "
                  "stay",
                  (long long)data->default_ttl);
    if (data->gc_grace == 0)
        check_add(check->findings, CHECK_WARNING, data->where,
                  alter(check, data, "gc_grace_seconds = 864000"),
                  "gc_grace_seconds is 0: deleted rows can come back from a replica that was down");
}

static void judge_series(struct check *check)
{
    const struct pipeline_options *p = check->pipeline;
    const struct check_table *series = &check->series;
    const int64_t ttl_us = series->default_ttl * 1000000;
    if (ttl_us > 0 && ttl_us <= p->overlap_us)
        check_add(check->findings, CHECK_ERROR, series->where,
                  alter(check, series, "default_time_to_live = 0"),
                  "default_time_to_live is %lld s, not more than sync.overlap: entries end before "
                  "they were looked at",
                  (long long)series->default_ttl);
    else if (ttl_us > 0 && series->default_ttl < p->ttl)
        check_add(check->findings, CHECK_WARNING, series->where,
                  alter(check, series, "default_time_to_live = 0"),
                  "default_time_to_live is %lld s, less than CassandraConfig.ttl (%d s): a daemon "
                  "that was down between the two misses entries without knowing it",
                  (long long)series->default_ttl, (int)p->ttl);
    if (series->gc_grace > 86400)
        check_add(check->findings, CHECK_INFO, series->where,
                  alter(check, series,
                        "gc_grace_seconds = 10800 AND compaction = {'class': "
                        "'TimeWindowCompactionStrategy'}"),
                  "expired entries stay on disk for gc_grace_seconds, %lld s",
                  (long long)series->gc_grace);
}

void check_tables(struct check *check)
{
    look_at(check, &check->data, CHECK_DATA, "CassandraConfig.dataColumnFamily");
    look_at(check, &check->series, CHECK_SERIES, "CassandraConfig.timeseriesColumnFamily");
    if (check->have & CHECK_DATA)
        judge_data(check);
    if (check->have & CHECK_SERIES)
        judge_series(check);
}

#include "job/stores.h"

#include "source/await.h"
#include "source/series.h"

bool job_stores_open(struct job_stores *s, bool connected, struct err *err)
{
    const struct source_table_options *table = &s->options->table;
    if (!connected && !await_cql_connect(s->cassandra, err))
        return false;
    if (!await_es_connect(s->elasticsearch, err) || !await_es_routing(s->elasticsearch, err) ||
        !source_table_read(s->cassandra, table, &s->table, err))
        return false;
    s->series = source_series_new(s->cassandra, &s->table, table, err);
    s->rows = s->series ? source_rows_new(s->cassandra, &s->table, table, err) : NULL;
    return s->rows != NULL;
}

void job_stores_close(struct job_stores *s)
{
    if (s->series)
        s->series->ops->free(s->series);
    source_rows_free(s->rows);
    source_table_free(&s->table);
    s->series = NULL;
    s->rows = NULL;
}

int64_t job_stores_version_of(const struct job_stores *s, int64_t write_time)
{
    const struct pipeline_options *o = s->options;
    if (o->table.unit_us == 0 || write_time == CHANGE_NO_WRITE_TIME)
        return 0;
    /* With guard: timestamp the daemon writes one µs beside the version. */
    const bool below = o->guard == RESOLVE_GUARD_TIMESTAMP && o->tie == RESOLVE_TIE_CASSANDRA;
    return (write_time + below) / o->table.unit_us;
}

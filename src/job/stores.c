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

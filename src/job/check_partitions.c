#include "base/clock.h"
#include "job/check_context.h"
#include "source/await.h"

/* What stays in the time series table, and what is never read there. */

enum { PARTITIONS_MAX = 100 };

static bool see_any(void *ctx, const struct slice *cells, uint32_t count)
{
    (void)cells;
    (void)count;
    *(bool *)ctx = true;
    return false;
}

/* Most time series tables have no column whose TTL could be asked. That entries live for longer
 * than ttl shows in a window of old versions, no longer than what a cycle reads. */
void check_old_entries(struct check *check)
{
    const struct pipeline_options *p = check->pipeline;
    const int64_t unit = p->table.unit_us;
    if (!unit)
        return;
    const int64_t until = (clock_wall_us() - 2000000LL * p->ttl) / unit;
    char id[4], from_cell[8], until_cell[8];
    struct slice from, to;
    if (!source_version_encode(&check->table, unit, until - p->overlap, from_cell, &from) ||
        !source_version_encode(&check->table, unit, until, until_cell, &to))
        return;
    struct buf text = {0};
    struct err err = {0};
    bool found = false;
    buf_append_str(&text, "SELECT ");
    source_append_name(&text, slice_str(p->table.series_version));
    buf_append_str(&text, " FROM ");
    source_append_table(&text, p->table.keyspace, p->table.series);
    buf_append_str(&text, " WHERE ");
    source_append_name(&text, slice_str(p->table.series_id));
    buf_append_str(&text, " = ? AND ");
    source_append_name(&text, slice_str(p->table.series_version));
    buf_append_str(&text, " >= ? AND ");
    source_append_name(&text, slice_str(p->table.series_version));
    buf_append_str(&text, " <= ? LIMIT 1");
    const struct cql_value values[] = {cql_value_of(cql_encode_i32(id, 0)), cql_value_of(from),
                                       cql_value_of(to)};
    const struct cql_statement statement = {
        .text = buf_slice(&text), .values = values, .value_count = ARRAY_LEN(values)};
    const struct cql_execution execution = {.consistency = p->table.consistency};
    if (!await_cql_rows(check->cassandra, &statement, &execution, see_any, &found, &err))
        check_failed(check, check->series.where, "reading old entries", &err);
    else if (found)
        check_add(
            check->findings, CHECK_INFO, check->series.where,
            "let applications write entries USING TTL",
            "entries older than twice CassandraConfig.ttl (%d s) are still there: the table may "
            "grow for ever",
            (int)p->ttl);
    buf_free(&text);
}

/* --- partitions that are not read */

struct partitions {
    int64_t buckets;
    int64_t outside;
    bool found;
};

static bool see_partition(void *ctx, const struct slice *cells, uint32_t count)
{
    struct partitions *p = ctx;
    const int64_t id = count ? cql_decode_int(cells[0]) : 0;
    if (id >= 0 && id < p->buckets)
        return true;
    p->outside = id;
    p->found = true;
    return false;
}

void check_partitions(struct check *check)
{
    const struct source_table_options *tables = check->tables;
    struct partitions partitions = {.buckets = tables->buckets};
    struct buf text = {0};
    struct err err = {0};
    buf_append_str(&text, "SELECT DISTINCT ");
    source_append_name(&text, slice_str(tables->series_id));
    buf_append_str(&text, " FROM ");
    source_append_table(&text, tables->keyspace, tables->series);
    buf_printf(&text, " LIMIT %d", PARTITIONS_MAX);
    const struct cql_statement statement = {.text = buf_slice(&text)};
    const struct cql_execution execution = {.consistency = tables->consistency};
    if (!await_cql_rows(check->cassandra, &statement, &execution, see_partition, &partitions, &err))
        check_failed(check, check->series.where, "reading partitions", &err);
    else if (partitions.found)
        check_add(check->findings, CHECK_ERROR, check->series.where,
                  "raise CassandraConfig.timeseriesBuckets, or let applications write entries with "
                  "a lower id",
                  "has entries with %s %lld, but timeseriesBuckets (%lld) reads only 0 to %lld",
                  tables->series_id, (long long)partitions.outside, (long long)partitions.buckets,
                  (long long)partitions.buckets - 1);
    buf_free(&text);
}

#include "base/clock.h"
#include "job/check_context.h"
#include "map/convert.h"
#include "source/await.h"
#include "source/rows.h"

/* A sample of the time series table. */

enum { BUCKETS_MAX = 10 }; /* looked into */

struct reading {
    struct check *check;
    struct check_sample *sample;
    struct buf text;
    bool timed; /* the older primary key has a column more, whose TTL can be asked */
};

static bool is_known(const struct check_sample *sample, struct slice key)
{
    for (size_t i = 0; i < sample->count; i++)
        if (slice_equal(sample->entries[i].key.text, key))
            return true;
    return false;
}

/* The server tells what is left of it. */
static int64_t written_ttl(struct slice left, struct slice write_time)
{
    if (slice_is_null(left))
        return 0;
    const int64_t age_us = clock_wall_us() - cql_decode_int(write_time);
    /* A write time that is no clock's tells no age. */
    return age_us < 0 || age_us > INT32_MAX * 1000000LL ? -1
                                                        : cql_decode_int(left) + age_us / 1000000;
}

static bool see_entry(void *ctx, const struct slice *cells, uint32_t count)
{
    struct reading *r = ctx;
    struct check_sample *sample = r->sample;
    struct check *check = r->check;
    const uint32_t keys = check->schema->key_count;
    struct err err = {0};
    if (count < 1 + keys + 2 * r->timed || sample->seen == CHECK_SAMPLE_MAX)
        return false;
    const int64_t version = source_version_decode(&check->table, check->tables->unit_us, cells[0]);
    sample->seen++;
    if (version > 0)
        sample->versions[sample->version_count++] = version;
    buf_clear(&r->text);
    if (!map_key_text(check->schema, cells + 1, &r->text, &err)) {
        if (sample->unusable++ == 0)
            sample->unusable_why = check_text(check->findings, "%s", err.text);
        return true;
    }
    if (version <= 0 || is_known(sample, buf_slice(&r->text)))
        return true;
    struct slice *kept = arena_alloc(check->arena, keys * sizeof *kept);
    for (uint32_t i = 0; i < keys; i++)
        kept[i] = arena_copy(check->arena, cells[1 + i]);
    sample->entries[sample->count++] = (struct check_entry){
        .version = version,
        .ttl = r->timed ? written_ttl(cells[1 + keys], cells[2 + keys]) : -1,
        .key = {.text = arena_copy(check->arena, buf_slice(&r->text)), .cells = kept},
    };
    return true;
}

static void append_select(const struct reading *r, struct buf *out, bool bounded)
{
    const struct source_table_options *tables = r->check->tables;
    const struct map_schema *schema = r->check->schema;
    buf_append_str(out, "SELECT ");
    source_append_name(out, slice_str(tables->series_version));
    for (uint32_t i = 0; i < schema->key_count; i++) {
        buf_append_str(out, ", ");
        source_append_name(out, schema->keys[i].name);
    }
    if (r->timed) {
        buf_append_str(out, ", TTL(");
        source_append_name(out, schema->keys[0].name);
        buf_append_str(out, "), WRITETIME(");
        source_append_name(out, schema->keys[0].name);
        buf_append_char(out, ')');
    }
    buf_append_str(out, " FROM ");
    source_append_table(out, tables->keyspace, tables->series);
    buf_append_str(out, " WHERE ");
    source_append_name(out, slice_str(tables->series_id));
    buf_append_str(out, " = ?");
    if (bounded) {
        buf_append_str(out, " AND ");
        source_append_name(out, slice_str(tables->series_version));
        buf_append_str(out, " >= ?");
    }
    buf_append_str(out, " ORDER BY ");
    source_append_name(out, slice_str(tables->series_version));
    buf_printf(out, " DESC LIMIT %d", CHECK_SAMPLE_MAX);
}

/* bounded: only what is younger than ttl, so that a quiet table's expired entries are not read. */
static bool read_bucket(struct reading *r, uint32_t bucket, bool bounded, struct err *err)
{
    const struct check *check = r->check;
    const struct pipeline_options *p = check->pipeline;
    const int64_t unit = p->table.unit_us;
    struct buf text = {0};
    char id[4], version[8];
    struct slice since = SLICE_NULL;
    if (bounded) {
        const int64_t age = p->ttl * 1000000LL > p->overlap_us ? p->ttl * 1000000LL : p->overlap_us;
        if (!unit || !source_version_encode(&check->table, unit, (clock_wall_us() - age) / unit,
                                            version, &since))
            return true;
    }
    append_select(r, &text, bounded);
    const struct cql_value values[] = {cql_value_of(cql_encode_i32(id, (int32_t)bucket)),
                                       cql_value_of(since)};
    const struct cql_statement statement = {
        .text = buf_slice(&text), .values = values, .value_count = bounded ? 2 : 1};
    const struct cql_execution execution = {.consistency = p->table.consistency};
    const bool fine = await_cql_rows(check->cassandra, &statement, &execution, see_entry, r, err);
    buf_free(&text);
    return fine;
}

static bool read_buckets(struct reading *r, bool bounded, struct err *err)
{
    const uint32_t buckets = r->check->tables->buckets;
    for (uint32_t i = 0; i < buckets && i < BUCKETS_MAX; i++)
        if (!read_bucket(r, i, bounded, err))
            return false;
    return true;
}

/* Where nothing is young, whatever there is. In a quiet table that may mean to read more expired
 * entries than the server bears, as the daemon's first start has to. */
static bool read_entries(struct reading *r, struct err *err)
{
    struct check *check = r->check;
    if (!read_buckets(r, true, err))
        return false;
    if (r->sample->seen > 0 || read_buckets(r, false, err))
        return true;
    if (err->code != ERR_UNAVAILABLE || !check->tables->unit_us)
        return false;
    check_add(check->findings, CHECK_WARNING, check->series.where,
              "lower its gc_grace_seconds and let it be compacted, or start with --since",
              "its newest entries can't be read, perhaps for all the expired ones: %s", err->text);
    return true;
}

static bool read_rows(struct check *check, struct check_sample *sample, struct err *err)
{
    struct change_key *keys = arena_alloc(check->arena, (sample->count + 1) * sizeof *keys);
    for (size_t i = 0; i < sample->count; i++)
        keys[i] = sample->entries[i].key;
    sample->rows = arena_alloc(check->arena, (sample->count + 1) * sizeof *sample->rows);
    struct source_rows *rows = source_rows_new(check->cassandra, &check->table, check->tables, err);
    const bool fine =
        rows && source_rows_read(rows, keys, sample->count, sample->rows, check->arena, err);
    source_rows_free(rows);
    return fine;
}

void check_entries(struct check *check)
{
    struct check_sample *sample = &check->sample;
    struct reading r = {.check = check, .sample = sample, .timed = check->table.entry_per_version};
    struct err err = {0};
    sample->entries = arena_alloc(check->arena, CHECK_SAMPLE_MAX * sizeof *sample->entries);
    sample->versions = arena_alloc(check->arena, CHECK_SAMPLE_MAX * sizeof *sample->versions);
    if (!read_entries(&r, &err))
        check_failed(check, check->series.where, "reading entries", &err);
    else if (!read_rows(check, sample, &err))
        check_failed(check, check->data.where, "reading rows", &err);
    else
        check->have |= CHECK_SAMPLE;
    buf_free(&r.text);
}

#include "sink/rows.h"

#include "base/mem.h"
#include "sink/batcher.h"
#include "sink/rows_internal.h"

#include <stdlib.h>

/* An answer that is waited for. */
struct part {
    struct one *one;
    uint32_t number; /* 0: the row */
};

static void finish(struct one *one, const struct err *err)
{
    sink_write_finish(one->write, err);
    io_group_done(&one->applying->group);
}

static void on_finished(void *ctx, const struct cql_result *result, const struct err *err)
{
    (void)result;
    finish(ctx, err);
}

/* The row, one of insertQuery, or (the last) the entry. */
static bool is_repeatable(const struct one *one, uint32_t statement)
{
    const struct rows *rows = one->applying->rows;
    if (statement == one->count || one->write->delete)
        return true;
    return statement == 0 ? rows->insert.repeatable
                          : sink_query_repeatable(rows->query, statement - 1);
}

static bool is_batch_repeatable(const struct one *one)
{
    bool repeatable = true;
    for (uint32_t i = 0; i <= one->count; i++)
        repeatable &= is_repeatable(one, i);
    return repeatable;
}

static struct cql_execution execution(const struct one *one, bool repeatable)
{
    return (struct cql_execution){
        .consistency = one->applying->rows->options.table->consistency,
        .has_timestamp = true, /* for statements that don't tell it: insertQuery's */
        .timestamp = one->write->write_time,
        .repeatable = repeatable,
    };
}

static void send_entry(struct one *one)
{
    const struct cql_execution how = execution(one, true);
    struct err failed = {0};
    if (!cql_execute(one->applying->rows->client, &one->statements[one->count], &how, on_finished,
                     one, &failed))
        finish(one, &failed);
}

/* A failure that may pass goes before a refusal: the record is decided anew, and refused then. */
static void note_failure(struct part *part, const struct err *err)
{
    struct one *one = part->one;
    if (one->failed && (err_class_of(one->failed->code) != ERR_CLASS_REJECT ||
                        err_class_of(err->code) == ERR_CLASS_REJECT))
        return;
    if (!one->failed)
        one->failed = arena_alloc(&one->applying->arena, sizeof *one->failed);
    *one->failed = *err;
    if (part->number > 0)
        sink_query_context(part->number - 1, one->failed);
}

/* Only once all is acknowledged: a reader that sees the entry finds what it stands for. */
static void on_written(void *ctx, const struct cql_result *result, const struct err *err)
{
    struct part *part = ctx;
    struct one *one = part->one;
    (void)result;
    if (err)
        note_failure(part, err);
    if (--one->pending > 0)
        return;
    if (one->failed || one->write->no_entry)
        finish(one, one->failed);
    else
        send_entry(one);
}

static void send_parts(struct one *one)
{
    struct part *parts = arena_alloc(&one->applying->arena, one->count * sizeof *parts);
    one->pending = one->count;
    for (uint32_t i = 0; i < one->count; i++) {
        const struct cql_execution how = execution(one, is_repeatable(one, i));
        struct err failed = {0};
        parts[i] = (struct part){one, i};
        if (!cql_execute(one->applying->rows->client, &one->statements[i], &how, on_written,
                         &parts[i], &failed))
            on_written(&parts[i], NULL, &failed);
    }
}

static bool start_one(struct one *one, struct err *err)
{
    struct rows *rows = one->applying->rows;
    if (!sink_rows_bind(one, err))
        return false;
    if (rows->options.logged) {
        const struct cql_execution how = execution(one, is_batch_repeatable(one));
        return cql_batch(rows->client, CQL_BATCH_LOGGED, one->statements,
                         one->count + !one->write->no_entry, &how, on_finished, one, err);
    }
    send_parts(one);
    return true;
}

static void apply_each(struct applying *applying, struct sink_write *const *writes, size_t count)
{
    const struct rows *rows = applying->rows;
    const unsigned each = 1 + sink_query_count(rows->query);
    const unsigned limit = rows->options.in_flight > each ? rows->options.in_flight / each : 1;
    for (size_t i = 0; i < count; i++) {
        struct one *one = arena_zalloc(&applying->arena, sizeof *one);
        one->applying = applying;
        one->write = writes[i];
        struct err err = {0};
        io_group_add(&applying->group);
        if (!start_one(one, &err))
            finish(one, &err);
        io_group_wait_below(&applying->group, limit);
    }
    io_group_wait(&applying->group);
}

/* --- rows alone, without insertQuery: first all rows in batches, then the entries of those that
 * were acknowledged, a batch being of one partition */

static void on_batched(void *ctx, const struct err *err)
{
    const struct one *one = ctx;
    sink_write_finish(one->write, err);
}

static int by_bucket(const void *a, const void *b)
{
    const struct one *const *left = a, *const *right = b;
    return ((*left)->bucket > (*right)->bucket) - ((*left)->bucket < (*right)->bucket);
}

static size_t write_rows(struct applying *applying, struct sink_batcher *batcher,
                         struct sink_write *const *writes, size_t count, struct one **ones)
{
    size_t bound = 0;
    for (size_t i = 0; i < count; i++) {
        struct one *one = arena_zalloc(&applying->arena, sizeof *one);
        struct err err = {0};
        one->applying = applying;
        one->write = writes[i];
        if (sink_rows_bind(one, &err)) {
            ones[bound++] = one;
            sink_batcher_add(batcher, &one->statements[0], on_batched, one);
        } else {
            sink_write_finish(writes[i], &err);
        }
    }
    sink_batcher_finish(batcher);
    return bound;
}

static void write_entries(struct sink_batcher *batcher, struct one **ones, size_t count)
{
    uint32_t bucket = 0;
    qsort(ones, count, sizeof *ones, by_bucket);
    for (size_t i = 0; i < count; i++) {
        if (ones[i]->write->outcome != SINK_APPLIED || ones[i]->write->no_entry)
            continue;
        if (ones[i]->bucket != bucket)
            sink_batcher_cut(batcher);
        bucket = ones[i]->bucket;
        sink_batcher_add(batcher, &ones[i]->statements[1], on_batched, ones[i]);
    }
    sink_batcher_finish(batcher);
}

static void apply_batched(struct applying *applying, struct sink_write *const *writes, size_t count)
{
    const struct sink_rows_options *options = &applying->rows->options;
    struct one **ones = arena_alloc(&applying->arena, (count + 1) * sizeof *ones);
    struct sink_batcher batcher = {.client = applying->rows->client,
                                   .arena = &applying->arena,
                                   .consistency = options->table->consistency,
                                   .repeatable = applying->rows->insert.repeatable,
                                   .in_flight = options->in_flight / SINK_BATCH_PARTITIONS + 1,
                                   .batch_max = SINK_BATCH_PARTITIONS};
    const size_t bound = write_rows(applying, &batcher, writes, count, ones);
    batcher.batch_max = SINK_BATCH_MAX;
    batcher.repeatable = true;
    write_entries(&batcher, ones, bound);
}

static void rows_apply(struct sink *sink, struct sink_write *const *writes, size_t count)
{
    struct rows *rows = (struct rows *)sink;
    struct applying applying = {.rows = rows};
    if (rows->options.logged || rows->query)
        apply_each(&applying, writes, count);
    else
        apply_batched(&applying, writes, count);
    arena_free(&applying.arena);
}

static void rows_free(struct sink *sink)
{
    struct rows *rows = (struct rows *)sink;
    sink_query_free(rows->query);
    free(rows);
}

static const struct sink_ops rows_ops = {
    .side = CHANGE_CASSANDRA, .apply = rows_apply, .free = rows_free};

static bool prepare_query(struct rows *rows, struct err *err)
{
    if (rows->options.query.count == 0)
        return true;
    rows->query =
        sink_query_new(rows->client, rows->table, rows->options.table, &rows->options.query, err);
    return rows->query != NULL;
}

struct sink *sink_rows_new(struct cql_client *client, const struct source_table *table,
                           const struct sink_rows_options *options, struct err *err)
{
    struct rows *rows = mem_zalloc(sizeof *rows);
    rows->sink.ops = &rows_ops;
    rows->client = client;
    rows->table = table;
    rows->options = *options;
    rows->insert = (struct sink_row_insert){
        .table = table, .options = options->table, .every_column = options->every_column};
    if (rows->options.in_flight == 0)
        rows->options.in_flight = 256;
    const bool read_only = table->schema->counters; /* has no such statements */
    if ((read_only || (sink_row_insert_prepare(&rows->insert, client, err) &&
                       sink_rows_prepare_delete(rows, err))) &&
        sink_rows_prepare_entry(rows, err) && prepare_query(rows, err))
        return &rows->sink;
    free(rows);
    return NULL;
}

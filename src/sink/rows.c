#include "sink/rows.h"

#include "base/mem.h"
#include "io/task.h"
#include "sink/batcher.h"
#include "sink/row_insert.h"
#include "source/await.h"

#include <stdlib.h>
#include <xxhash.h>

struct rows {
    struct sink sink;
    struct cql_client *client;
    const struct source_table *table;
    struct sink_rows_options options;
    struct sink_row_insert insert;
    const struct cql_prepared *delete;
    const struct cql_prepared *entry;
    struct sink_query *query; /* or NULL */
};

/* One call of apply. */
struct applying {
    struct rows *rows;
    struct io_group group;
    struct arena arena;
};

/* One record: its row, the statements of insertQuery, then the entry. */
struct one {
    struct applying *applying;
    struct sink_write *write;
    struct cql_statement *statements;
    uint32_t count;   /* without the entry, which is the last */
    uint32_t pending; /* answers before the entry may go */
    struct err *failed;
    uint32_t bucket; /* of the entry */
};

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

static struct slice keep_i64(struct arena *arena, int64_t value)
{
    return cql_encode_i64(arena_alloc(arena, 8), value);
}

static struct cql_statement bind_delete(struct one *one)
{
    struct rows *rows = one->applying->rows;
    const struct map_schema *schema = rows->table->schema;
    struct arena *arena = &one->applying->arena;
    struct cql_value *values = arena_alloc(arena, (schema->key_count + 1) * sizeof *values);
    size_t count = 0;
    values[count++] = cql_value_of(keep_i64(arena, one->write->write_time));
    for (uint32_t i = 0; i < schema->key_count; i++)
        values[count++] = cql_value_of(one->write->key->cells[i]);
    return (struct cql_statement){.prepared = rows->delete, .values = values, .value_count = count};
}

static bool bind_row(struct one *one, struct cql_statement *row, struct err *err)
{
    if (!one->write->delete)
        return sink_row_insert_bind(&one->applying->rows->insert, one->write, &one->applying->arena,
                                    row, err);
    *row = bind_delete(one);
    return true;
}

static bool bind_entry(struct one *one, struct cql_statement *entry, struct err *err)
{
    struct rows *rows = one->applying->rows;
    const struct source_table_options *options = rows->options.table;
    const struct map_schema *schema = rows->table->schema;
    struct arena *arena = &one->applying->arena;
    struct cql_value *values = arena_alloc(arena, (schema->key_count + 4) * sizeof *values);
    const uint64_t hash = XXH3_64bits(one->write->key->text.ptr, one->write->key->text.len);
    size_t count = 0;
    one->bucket = (uint32_t)(hash % options->buckets);
    values[count++] = cql_value_of(cql_encode_i32(arena_alloc(arena, 4), (int32_t)one->bucket));
    struct slice version;
    if (!source_version_encode(rows->table, options->unit_us, one->write->version,
                               arena_alloc(arena, 8), &version))
        return err_set(err, ERR_VALUE, "version %lld does not fit into column %s of %s.%s",
                       (long long)one->write->version, options->series_version, options->keyspace,
                       options->series);
    values[count++] = cql_value_of(version);
    for (uint32_t i = 0; i < schema->key_count; i++)
        values[count++] = cql_value_of(one->write->key->cells[i]);
    values[count++] = cql_value_of(cql_encode_i32(arena_alloc(arena, 4), rows->options.ttl));
    values[count++] = cql_value_of(keep_i64(arena, one->write->entry_time));
    *entry =
        (struct cql_statement){.prepared = rows->entry, .values = values, .value_count = count};
    return true;
}

static bool bind_one(struct one *one, struct err *err)
{
    struct rows *rows = one->applying->rows;
    struct arena *arena = &one->applying->arena;
    const uint32_t queries = one->write->delete ? 0 : sink_query_count(rows->query);
    one->count = queries + 1;
    one->statements = arena_alloc(arena, (one->count + 1) * sizeof *one->statements);
    return bind_row(one, &one->statements[0], err) &&
           bind_entry(one, &one->statements[one->count], err) &&
           (queries == 0 ||
            sink_query_bind(rows->query, one->write, arena, &one->statements[1], err));
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

static bool check_and_bind(struct one *one, struct err *err)
{
    const struct rows *rows = one->applying->rows;
    if (rows->table->schema->counters)
        return err_set(err, ERR_VALUE, "table %s.%s has counters, which can't be written by copies",
                       rows->options.table->keyspace, rows->options.table->data);
    return bind_one(one, err);
}

static bool start_one(struct one *one, struct err *err)
{
    struct rows *rows = one->applying->rows;
    if (!check_and_bind(one, err))
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
        if (check_and_bind(one, &err)) {
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

static void append_marks(struct buf *text, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        buf_append_str(text, i ? ", ?" : "?");
}

static bool prepare_delete(struct rows *rows, struct err *err)
{
    const struct map_schema *schema = rows->table->schema;
    struct buf text = {0};
    buf_append_str(&text, "DELETE FROM ");
    source_append_table(&text, rows->options.table->keyspace, rows->options.table->data);
    buf_append_str(&text, " USING TIMESTAMP ?");
    for (uint32_t i = 0; i < schema->key_count; i++) {
        buf_append_str(&text, i ? " AND " : " WHERE ");
        source_append_name(&text, schema->keys[i].name);
        buf_append_str(&text, " = ?");
    }
    const bool fine = await_cql_prepare(rows->client, buf_cstr(&text), &rows->delete, err);
    buf_free(&text);
    return fine;
}

static bool prepare_entry(struct rows *rows, struct err *err)
{
    const struct source_table_options *options = rows->options.table;
    const struct map_schema *schema = rows->table->schema;
    struct buf text = {0};
    buf_append_str(&text, "INSERT INTO ");
    source_append_table(&text, options->keyspace, options->series);
    buf_append_str(&text, " (");
    source_append_name(&text, slice_str(options->series_id));
    buf_append_str(&text, ", ");
    source_append_name(&text, slice_str(options->series_version));
    for (uint32_t i = 0; i < schema->key_count; i++) {
        buf_append_str(&text, ", ");
        source_append_name(&text, schema->keys[i].name);
    }
    buf_append_str(&text, ") VALUES (");
    append_marks(&text, schema->key_count + 2);
    buf_append_str(&text, ") USING TTL ? AND TIMESTAMP ?");
    const bool fine = await_cql_prepare(rows->client, buf_cstr(&text), &rows->entry, err);
    buf_free(&text);
    return fine;
}

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
    if ((read_only ||
         (sink_row_insert_prepare(&rows->insert, client, err) && prepare_delete(rows, err))) &&
        prepare_entry(rows, err) && prepare_query(rows, err))
        return &rows->sink;
    free(rows);
    return NULL;
}

#include "sink/rows_internal.h"

#include "source/await.h"

#include <xxhash.h>

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

bool sink_rows_bind(struct one *one, struct err *err)
{
    struct rows *rows = one->applying->rows;
    struct arena *arena = &one->applying->arena;
    if (rows->table->schema->counters)
        return err_set(err, ERR_VALUE, "table %s.%s has counters, which can't be written by copies",
                       rows->options.table->keyspace, rows->options.table->data);
    const uint32_t queries = one->write->delete ? 0 : sink_query_count(rows->query);
    one->count = queries + 1;
    one->statements = arena_alloc(arena, (one->count + 1) * sizeof *one->statements);
    return bind_row(one, &one->statements[0], err) &&
           bind_entry(one, &one->statements[one->count], err) &&
           (queries == 0 ||
            sink_query_bind(rows->query, one->write, arena, &one->statements[1], err));
}

static void append_marks(struct buf *text, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        buf_append_str(text, i ? ", ?" : "?");
}

bool sink_rows_prepare_delete(struct rows *rows, struct err *err)
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

bool sink_rows_prepare_entry(struct rows *rows, struct err *err)
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

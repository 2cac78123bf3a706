#include "sink/row_insert.h"

#include "source/await.h"

static bool has_ttl(const struct sink_row_insert *insert)
{
    return !slice_is_null(insert->table->schema->ttl_field);
}

static struct cql_value cell_value(const struct sink_row_insert *insert,
                                   const struct sink_write *write, uint32_t column)
{
    const struct slice cell = write->content->cells[column];
    if (!slice_is_null(cell))
        return cql_value_of(cell);
    /* A null writes a tombstone: only where there is something to cover. */
    const bool covers = insert->every_column || write->every_column ||
                        (write->row && !write->row->content.missing &&
                         !slice_is_null(write->row->content.cells[column]));
    return (struct cql_value){.kind = covers ? CQL_VALUE_NULL : CQL_VALUE_UNSET};
}

static bool bind_version(const struct sink_row_insert *insert, const struct sink_write *write,
                         struct arena *arena, struct cql_value *out, struct err *err)
{
    struct slice version;
    if (!source_version_cell(insert->table->version_column_type, insert->options->unit_us,
                             write->version, arena_alloc(arena, 8), &version))
        return err_set(err, ERR_VALUE, "version %lld does not fit into column %s of %s.%s",
                       (long long)write->version, insert->options->version_column,
                       insert->options->keyspace, insert->options->data);
    *out = cql_value_of(version);
    return true;
}

bool sink_row_insert_bind(const struct sink_row_insert *insert, const struct sink_write *write,
                          struct arena *arena, struct cql_statement *out, struct err *err)
{
    const struct map_schema *schema = insert->table->schema;
    struct cql_value *values =
        arena_alloc(arena, (schema->key_count + schema->column_count + 3) * sizeof *values);
    size_t count = 0;
    for (uint32_t i = 0; i < schema->key_count; i++)
        values[count++] = cql_value_of(write->key->cells[i]);
    for (uint32_t i = 0; i < schema->column_count; i++) {
        if (schema->columns[i].to_cassandra)
            values[count++] = cell_value(insert, write, i);
    }
    if (insert->options->version_column &&
        !bind_version(insert, write, arena, &values[count++], err))
        return false;
    values[count++] = cql_value_of(cql_encode_i64(arena_alloc(arena, 8), write->write_time));
    if (has_ttl(insert)) {
        const int32_t ttl = write->document ? write->document->ttl : 0;
        values[count++] =
            ttl > 0 ? cql_value_of(cql_encode_i32(arena_alloc(arena, 4), ttl))
                    : (struct cql_value){.kind = CQL_VALUE_UNSET}; /* the table's default */
    }
    *out = (struct cql_statement){
        .prepared = insert->prepared, .values = values, .value_count = count};
    return true;
}

static void append_column(struct buf *text, struct slice name, uint32_t *count)
{
    buf_append_str(text, (*count)++ ? ", " : " (");
    source_append_name(text, name);
}

bool sink_row_insert_prepare(struct sink_row_insert *insert, struct cql_client *client,
                             struct err *err)
{
    const struct source_table_options *options = insert->options;
    const struct map_schema *schema = insert->table->schema;
    struct buf text = {0};
    uint32_t columns = 0;
    insert->repeatable = true;
    buf_append_str(&text, "INSERT INTO ");
    source_append_table(&text, options->keyspace, options->data);
    for (uint32_t i = 0; i < schema->key_count; i++)
        append_column(&text, schema->keys[i].name, &columns);
    for (uint32_t i = 0; i < schema->column_count; i++) {
        if (!schema->columns[i].to_cassandra)
            continue;
        append_column(&text, schema->columns[i].name, &columns);
        insert->repeatable &= schema->columns[i].type->id != CQL_LIST;
    }
    if (options->version_column)
        append_column(&text, slice_str(options->version_column), &columns);
    buf_append_str(&text, ") VALUES (");
    for (uint32_t i = 0; i < columns; i++)
        buf_append_str(&text, i ? ", ?" : "?");
    buf_append_str(&text, ") USING TIMESTAMP ?");
    if (has_ttl(insert))
        buf_append_str(&text, " AND TTL ?");
    const bool fine = await_cql_prepare(client, buf_cstr(&text), &insert->prepared, err);
    buf_free(&text);
    return fine;
}

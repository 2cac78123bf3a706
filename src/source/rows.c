#include "source/rows.h"

#include "base/mem.h"
#include "io/task.h"
#include "source/await.h"
#include "source/columns.h"

#include <stdlib.h>

enum { IN_FLIGHT = 512 };

struct source_rows {
    struct cql_client *client;
    const struct map_schema *schema;
    enum cql_consistency consistency;
    const struct cql_prepared *select;
    struct source_columns columns;
};

/* One call of source_rows_read. */
struct reading {
    const struct source_rows *rows;
    struct io_group group;
    struct arena *arena;
    struct err *err;
    bool failed;
    bool times; /* of each column */
};

struct one {
    struct reading *reading;
    struct change_row *out;
};

/* The cells that stay are copied into the arena. */
static void keep_row(const struct reading *reading, struct slice *cells, struct change_row *out)
{
    const struct source_columns *columns = &reading->rows->columns;
    const uint32_t count = columns->schema->column_count;
    for (uint32_t i = 0; i < count; i++)
        cells[i] = arena_copy(reading->arena, cells[i]);
    int64_t *times =
        reading->times ? arena_alloc(reading->arena, (count + 1) * sizeof *times) : NULL;
    source_columns_take(columns, cells, times, reading->arena, out);
}

static void fail(struct reading *reading, const struct err *err)
{
    reading->failed = true;
    if (reading->err)
        *reading->err = *err;
}

/* Only an answer of no rows says that there is none. */
static bool check_answer(const struct source_rows *rows, const struct cql_result *result,
                         struct err *err)
{
    const uint32_t wanted = source_columns_count(&rows->columns) + 1;
    return (result->kind == CQL_RESULT_ROWS && result->columns->count == wanted) ||
           err_set(err, ERR_PROTOCOL, "cassandra answers a read of a row with other columns");
}

static void on_row(void *ctx, const struct cql_result *result, const struct err *err)
{
    const struct one *one = ctx;
    struct reading *reading = one->reading;
    struct err other;
    if (err) {
        fail(reading, err);
    } else if (!check_answer(reading->rows, result, &other)) {
        fail(reading, &other);
    } else if (result->row_count > 0) {
        struct slice *cells = arena_alloc(reading->arena, result->columns->count * sizeof *cells);
        struct cql_cursor cursor = cql_rows(result);
        if (cql_next(&cursor, cells))
            keep_row(reading, cells, one->out);
    }
    io_group_done(&reading->group);
}

static bool start_one(struct reading *reading, const struct change_key *key, struct change_row *out,
                      struct err *err)
{
    const struct source_rows *rows = reading->rows;
    struct cql_value *values =
        arena_alloc(reading->arena, rows->schema->key_count * sizeof *values);
    for (uint32_t i = 0; i < rows->schema->key_count; i++)
        values[i] = cql_value_of(key->cells[i]);
    const struct cql_statement statement = {
        .prepared = rows->select, .values = values, .value_count = rows->schema->key_count};
    const struct cql_execution execution = {.consistency = rows->consistency};
    struct one *one = arena_alloc(reading->arena, sizeof *one);
    *one = (struct one){reading, out};
    io_group_add(&reading->group);
    if (cql_execute(rows->client, &statement, &execution, on_row, one, err))
        return true;
    reading->group.pending--;
    return false;
}

static bool read_all(struct reading *reading, const struct change_key *keys, size_t count,
                     struct change_row *out)
{
    bool fine = true;
    for (size_t i = 0; fine && i < count && !reading->failed; i++) {
        out[i] = (struct change_row){.content.missing = true, .write_time = CHANGE_NO_WRITE_TIME};
        fine = start_one(reading, &keys[i], &out[i], reading->err);
        io_group_wait_below(&reading->group, IN_FLIGHT);
    }
    io_group_wait(&reading->group);
    return fine && !reading->failed;
}

bool source_rows_read(struct source_rows *rows, const struct change_key *keys, size_t count,
                      struct change_row *out, struct arena *arena, struct err *err)
{
    struct reading reading = {.rows = rows, .arena = arena, .err = err};
    return read_all(&reading, keys, count, out);
}

bool source_rows_read_times(struct source_rows *rows, const struct change_key *key,
                            struct change_row *out, struct arena *arena, struct err *err)
{
    struct reading reading = {.rows = rows, .arena = arena, .err = err, .times = true};
    return read_all(&reading, key, 1, out);
}

static void append_select(struct buf *text, const struct source_rows *rows,
                          const struct source_table_options *options)
{
    const struct map_schema *schema = rows->schema;
    buf_append_str(text, "SELECT ");
    source_columns_append(&rows->columns, text);
    source_append_name(text, schema->keys[0].name); /* a table of keys only needs something */
    buf_append_str(text, " FROM ");
    source_append_table(text, options->keyspace, options->data);
    for (uint32_t i = 0; i < schema->key_count; i++) {
        buf_append_str(text, i ? " AND " : " WHERE ");
        source_append_name(text, schema->keys[i].name);
        buf_append_str(text, " = ?");
    }
}

struct source_rows *source_rows_new(struct cql_client *client, const struct source_table *table,
                                    const struct source_table_options *options, struct err *err)
{
    struct source_rows *rows = mem_zalloc(sizeof *rows);
    rows->client = client;
    rows->schema = table->schema;
    rows->consistency = options->consistency;
    source_columns_init(&rows->columns, table, options, true);
    struct buf text = {0};
    append_select(&text, rows, options);
    const bool fine = await_cql_prepare(client, buf_cstr(&text), &rows->select, err);
    buf_free(&text);
    if (fine)
        return rows;
    source_rows_free(rows);
    return NULL;
}

void source_rows_free(struct source_rows *rows)
{
    if (!rows)
        return;
    source_columns_free(&rows->columns);
    free(rows);
}

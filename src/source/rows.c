#include "source/rows.h"

#include "base/mem.h"
#include "io/task.h"
#include "source/await.h"
#include "source/columns.h"

#include <stdlib.h>

/* Keys of a request: several cost a server half as much as one each. */
enum { IN_FLIGHT = 64, KEYS_MAX = 16 };

struct source_rows {
    struct cql_client *client;
    const struct map_schema *schema;
    enum cql_consistency consistency;
    const struct cql_prepared *select;
    const struct cql_prepared *select_several; /* of one key column: IN; else NULL */
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

/* One request. */
struct part {
    struct reading *reading;
    const struct change_key *keys;
    struct change_row *out; /* by key */
    size_t count;
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

/* The last cell is the key, where there is but one column of it. */
static void take_row(const struct part *part, struct slice *cells, uint32_t columns)
{
    const struct reading *reading = part->reading;
    for (size_t i = 0; i < part->count; i++) {
        const bool is_it =
            part->count == 1 || slice_equal(part->keys[i].cells[0], cells[columns - 1]);
        if (!is_it || !part->out[i].content.missing)
            continue;
        struct slice *own = arena_alloc(reading->arena, columns * sizeof *own);
        memcpy(own, cells, columns * sizeof *own);
        keep_row(reading, own, &part->out[i]);
    }
}

static void on_rows(void *ctx, const struct cql_result *result, const struct err *err)
{
    const struct part *part = ctx;
    struct reading *reading = part->reading;
    struct err other;
    if (err) {
        fail(reading, err);
    } else if (!check_answer(reading->rows, result, &other)) {
        fail(reading, &other);
    } else {
        const uint32_t columns = result->columns->count;
        struct slice *cells = arena_alloc(reading->arena, columns * sizeof *cells);
        struct cql_cursor cursor = cql_rows(result);
        while (cql_next(&cursor, cells))
            take_row(part, cells, columns);
    }
    io_group_done(&reading->group);
}

static bool start_part(struct part *part, struct err *err)
{
    struct reading *reading = part->reading;
    const struct source_rows *rows = reading->rows;
    const bool several = rows->select_several && part->count > 1;
    const size_t value_count = several ? KEYS_MAX : rows->schema->key_count;
    struct cql_value *values = arena_alloc(reading->arena, value_count * sizeof *values);
    /* Fewer keys than places: the last one fills them. */
    for (size_t i = 0; i < value_count; i++)
        values[i] =
            cql_value_of(several ? part->keys[i < part->count ? i : part->count - 1].cells[0]
                                 : part->keys[0].cells[i]);
    const struct cql_statement statement = {.prepared =
                                                several ? rows->select_several : rows->select,
                                            .values = values,
                                            .value_count = value_count};
    const struct cql_execution execution = {.consistency = rows->consistency};
    io_group_add(&reading->group);
    if (cql_execute(rows->client, &statement, &execution, on_rows, part, err))
        return true;
    reading->group.pending--;
    return false;
}

static bool read_all(struct reading *reading, const struct change_key *keys, size_t count,
                     struct change_row *out)
{
    const size_t most = reading->rows->select_several ? KEYS_MAX : 1;
    bool fine = true;
    for (size_t i = 0; i < count; i++)
        out[i] = (struct change_row){.content.missing = true, .write_time = CHANGE_NO_WRITE_TIME};
    for (size_t i = 0; fine && i < count && !reading->failed; i += most) {
        struct part *part = arena_alloc(reading->arena, sizeof *part);
        *part = (struct part){reading, keys + i, out + i, count - i < most ? count - i : most};
        fine = start_part(part, reading->err);
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
                          const struct source_table_options *options, bool several)
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
        buf_append_str(text, several ? " IN (?" : " = ?");
    }
    for (size_t i = 1; several && i < KEYS_MAX; i++)
        buf_append_str(text, ", ?");
    buf_append_str(text, several ? ")" : "");
}

static bool prepare(struct source_rows *rows, const struct source_table_options *options,
                    bool several, const struct cql_prepared **out, struct err *err)
{
    struct buf text = {0};
    append_select(&text, rows, options, several);
    const bool fine = await_cql_prepare(rows->client, buf_cstr(&text), out, err);
    buf_free(&text);
    return fine;
}

struct source_rows *source_rows_new(struct cql_client *client, const struct source_table *table,
                                    const struct source_table_options *options, struct err *err)
{
    struct source_rows *rows = mem_zalloc(sizeof *rows);
    rows->client = client;
    rows->schema = table->schema;
    rows->consistency = options->consistency;
    source_columns_init(&rows->columns, table, options, true);
    const bool single = table->schema->key_count == 1;
    const bool fine = prepare(rows, options, false, &rows->select, err) &&
                      (!single || prepare(rows, options, true, &rows->select_several, err));
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

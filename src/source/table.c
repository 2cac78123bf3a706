#include "source/table.h"

#include "source/await.h"
#include "source/user_types.h"

#include <stdlib.h>
#include <xxhash.h>

enum { RAW_KEY_MAX = 128 };

/* Columns of one table as system_schema.columns tells them. */
struct listing {
    struct arena *arena;
    struct map_table_column *columns;
    uint32_t count, capacity;
};

int source_cassandra_major(const struct cql_client *client)
{
    return (int)strtol(cql_release_version(client), NULL, 10);
}

void source_append_name(struct buf *out, struct slice name)
{
    buf_append_char(out, '"');
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '"')
            buf_append_char(out, '"');
        buf_append_char(out, name.ptr[i]);
    }
    buf_append_char(out, '"');
}

void source_append_table(struct buf *out, const char *keyspace, const char *name)
{
    source_append_name(out, slice_str(keyspace));
    buf_append_char(out, '.');
    source_append_name(out, slice_str(name));
}

static bool add_column(void *ctx, const struct slice *cells, uint32_t count)
{
    struct listing *listing = ctx;
    if (count < 4)
        return false;
    if (listing->count == listing->capacity) {
        const uint32_t capacity = listing->capacity ? 2 * listing->capacity : 32;
        struct map_table_column *grown =
            arena_alloc(listing->arena, capacity * sizeof *listing->columns);
        if (listing->count)
            memcpy(grown, listing->columns, listing->count * sizeof *grown);
        listing->columns = grown;
        listing->capacity = capacity;
    }
    struct map_table_column *column = &listing->columns[listing->count++];
    column->name = arena_copy(listing->arena, cells[0]);
    column->type = arena_copy(listing->arena, cells[1]);
    column->kind = slice_is(cells[2], "partition_key") ? MAP_PARTITION_KEY
                   : slice_is(cells[2], "clustering")  ? MAP_CLUSTERING
                   : slice_is(cells[2], "static")      ? MAP_STATIC
                                                       : MAP_REGULAR;
    column->position = (int32_t)cql_decode_int(cells[3]);
    column->user_types = NULL;
    return true;
}

/* Only where a column is of such a type: most tables have none. */
static bool add_user_types(struct cql_client *client, const char *keyspace, struct listing *listing,
                           struct err *err)
{
    const struct map_user_types *types = NULL;
    for (uint32_t i = 0; i < listing->count; i++) {
        if (!source_is_user_type(listing->columns[i].type))
            continue;
        if (!types && !source_user_types(client, keyspace, listing->arena, &types, err))
            return false;
        listing->columns[i].user_types = types;
    }
    return true;
}

bool source_table_columns(struct cql_client *client, const char *keyspace, const char *name,
                          struct arena *arena, struct map_table_column **columns, uint32_t *count,
                          struct err *err)
{
    struct listing listing = {.arena = arena};
    const struct cql_value values[] = {cql_value_of(slice_str(keyspace)),
                                       cql_value_of(slice_str(name))};
    const struct cql_statement statement = {
        .text = SLICE_LIT("SELECT column_name, type, kind, position FROM system_schema.columns "
                          "WHERE keyspace_name = ? AND table_name = ?"),
        .values = values,
        .value_count = ARRAY_LEN(values),
    };
    const struct cql_execution execution = {.consistency = CQL_LOCAL_ONE, .page_size = 1000};
    if (!await_cql_rows(client, &statement, &execution, add_column, &listing, err))
        return err_context(err, "reading the schema of %s.%s", keyspace, name);
    *columns = listing.columns;
    *count = listing.count;
    return add_user_types(client, keyspace, &listing, err);
}

static bool list_columns(struct cql_client *client, const char *keyspace, const char *name,
                         struct listing *listing, struct err *err)
{
    if (!source_table_columns(client, keyspace, name, listing->arena, &listing->columns,
                              &listing->count, err))
        return false;
    if (listing->count == 0)
        return err_set(err, ERR_SCHEMA,
                       "cassandra has no table %s.%s; create it (`caes-sync init` does) or mend "
                       "CassandraConfig",
                       keyspace, name);
    return true;
}

static const struct map_table_column *find_column(const struct listing *listing, struct slice name)
{
    for (uint32_t i = 0; i < listing->count; i++) {
        if (slice_equal(listing->columns[i].name, name))
            return &listing->columns[i];
    }
    return NULL;
}

static bool series_error(const struct source_table_options *options, struct err *err,
                         const char *what)
{
    return err_set(err, ERR_SCHEMA,
                   "cassandra table %s.%s: %s; the time series table is (%s int, %s "
                   "int|bigint|timestamp, key columns), PRIMARY KEY(%s, %s, key columns)",
                   options->keyspace, options->series, what, options->series_id,
                   options->series_version, options->series_id, options->series_version);
}

static bool version_type_of(struct slice type, enum source_version_type *out)
{
    static const char *const names[] = {[SOURCE_VERSION_INT] = "int",
                                        [SOURCE_VERSION_BIGINT] = "bigint",
                                        [SOURCE_VERSION_TIMESTAMP] = "timestamp"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        *out = (enum source_version_type)i;
        if (slice_is(type, names[i]))
            return true;
    }
    return false;
}

static bool read_version_type(const struct map_table_column *column,
                              const struct source_table_options *options,
                              struct source_table *table, struct err *err)
{
    if (!version_type_of(column->type, &table->version_type))
        return series_error(options, err, "its version column has another type");
    if (table->version_type == SOURCE_VERSION_TIMESTAMP && options->unit_us == 1)
        return series_error(options, err,
                            "a timestamp column holds milliseconds, but sync.versionUnit is us");
    return true;
}

static bool check_series(const struct listing *series, const struct source_table_options *options,
                         struct source_table *table, struct err *err)
{
    const struct map_table_column *id = find_column(series, slice_str(options->series_id));
    const struct map_table_column *version =
        find_column(series, slice_str(options->series_version));
    if (!id || id->kind != MAP_PARTITION_KEY || !slice_is(id->type, "int"))
        return series_error(options, err, "its partition key is another");
    if (!version || version->kind != MAP_CLUSTERING || version->position != 0)
        return series_error(options, err, "its first clustering column is another");
    uint32_t clustered = 0;
    for (uint32_t i = 0; i < table->schema->key_count; i++) {
        const struct map_table_column *key = find_column(series, table->schema->keys[i].name);
        if (!key)
            return series_error(options, err, "a key column of the data table is missing");
        if (key->kind == MAP_CLUSTERING)
            clustered++;
    }
    if (clustered != 0 && clustered != table->schema->key_count)
        return series_error(options, err, "only some of the key columns are in its key");
    table->entry_per_version = clustered == 0;
    return read_version_type(version, options, table, err);
}

static bool check_version_column(const struct listing *data,
                                 const struct source_table_options *options,
                                 struct source_table *table, struct err *err)
{
    if (!options->version_column)
        return true;
    const struct map_table_column *column = find_column(data, slice_str(options->version_column));
    if (!column || column->kind != MAP_REGULAR ||
        !version_type_of(column->type, &table->version_column_type))
        return err_set(err, ERR_SCHEMA,
                       "versionColumn: table %s.%s has no regular column %s of type int, bigint or "
                       "timestamp",
                       options->keyspace, options->data, options->version_column);
    if (table->version_column_type == SOURCE_VERSION_TIMESTAMP && options->unit_us == 1)
        return err_set(err, ERR_SCHEMA,
                       "versionColumn: %s holds milliseconds, but sync.versionUnit is us",
                       options->version_column);
    return true;
}

static bool build(const struct listing *data, const struct listing *series,
                  const struct source_table_options *options, struct source_table *table,
                  struct err *err)
{
    table->schema = map_schema_build(data->columns, data->count, &options->map, &table->arena, err);
    if (!table->schema)
        return err_context(err, "table %s.%s", options->keyspace, options->data);
    return check_series(series, options, table, err) &&
           check_version_column(data, options, table, err);
}

bool source_table_build(const struct source_table_options *options, struct map_table_column *data,
                        uint32_t data_count, struct map_table_column *series, uint32_t series_count,
                        struct source_table *table, struct err *err)
{
    *table = (struct source_table){0};
    const struct listing of_data = {.columns = data, .count = data_count};
    const struct listing of_series = {.columns = series, .count = series_count};
    if (build(&of_data, &of_series, options, table, err))
        return true;
    source_table_free(table);
    return false;
}

bool source_table_read(struct cql_client *client, const struct source_table_options *options,
                       struct source_table *table, struct err *err)
{
    *table = (struct source_table){.has_max_write_time = source_cassandra_major(client) >= 5};
    struct arena scratch = {0};
    struct listing data = {.arena = &scratch};
    struct listing series = {.arena = &scratch};
    const bool fine = list_columns(client, options->keyspace, options->data, &data, err) &&
                      list_columns(client, options->keyspace, options->series, &series, err) &&
                      build(&data, &series, options, table, err);
    arena_free(&scratch);
    if (!fine)
        source_table_free(table);
    return fine;
}

void source_table_free(struct source_table *table)
{
    arena_free(&table->arena);
    *table = (struct source_table){0};
}

void source_append_raw_key(const struct map_schema *schema, const struct slice *cells,
                           struct buf *out)
{
    buf_append_str(out, "0x");
    uint64_t hash = 0;
    for (uint32_t i = 0; i < schema->key_count; i++) {
        if (i > 0)
            buf_append_char(out, '|');
        for (size_t at = 0; at < cells[i].len && out->len < RAW_KEY_MAX; at++)
            buf_printf(out, "%02x", (unsigned char)cells[i].ptr[at]);
        hash = XXH3_64bits_withSeed(cells[i].ptr, cells[i].len, hash);
    }
    if (out->len >= RAW_KEY_MAX)
        buf_printf(out, "...%016llx", (unsigned long long)hash);
}

/* A timestamp column holds ms whatever the unit of versions is. */
static int64_t ms_per_version(enum source_version_type type, int64_t unit_us)
{
    return type == SOURCE_VERSION_TIMESTAMP && unit_us > 1000 ? unit_us / 1000 : 1;
}

bool source_version_cell(enum source_version_type type, int64_t unit_us, int64_t version,
                         char cell[8], struct slice *out)
{
    const int64_t factor = ms_per_version(type, unit_us);
    if (version > INT64_MAX / factor)
        return false;
    if (type != SOURCE_VERSION_INT) {
        *out = cql_encode_i64(cell, version * factor);
        return true;
    }
    if (version > INT32_MAX)
        return false;
    *out = cql_encode_i32(cell, (int32_t)version);
    return true;
}

int64_t source_version_of_cell(enum source_version_type type, int64_t unit_us, struct slice cell)
{
    return cql_decode_int(cell) / ms_per_version(type, unit_us);
}

bool source_version_encode(const struct source_table *table, int64_t unit_us, int64_t version,
                           char cell[8], struct slice *out)
{
    return source_version_cell(table->version_type, unit_us, version, cell, out);
}

int64_t source_version_decode(const struct source_table *table, int64_t unit_us, struct slice cell)
{
    return source_version_of_cell(table->version_type, unit_us, cell);
}

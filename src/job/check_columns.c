#include "job/check_context.h"

#include "cql/type.h"

static bool is_key(const struct map_table_column *column)
{
    return column->kind == MAP_PARTITION_KEY || column->kind == MAP_CLUSTERING;
}

static bool has_column(const struct check_table *table, struct slice name)
{
    for (uint32_t i = 0; i < table->column_count; i++)
        if (slice_equal(table->columns[i].name, name))
            return true;
    return false;
}

/* Without renames of columns that are not there: each is a finding of its own. */
static struct map_options usable_renames(struct check *check)
{
    struct map_options options = check->tables->map;
    struct slice *fields = arena_alloc(check->arena, (options.rename_count + 1) * sizeof *fields);
    struct slice *columns = arena_alloc(check->arena, (options.rename_count + 1) * sizeof *columns);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < options.rename_count; i++) {
        const struct slice column = options.rename_column[i];
        if (has_column(&check->data, column)) {
            fields[kept] = options.rename_field[i];
            columns[kept++] = column;
            continue;
        }
        check_add(check->findings, CHECK_ERROR, check_option(check, "rename"),
                  "mend the name, or remove the line", "%.*s: the table has no column \"%.*s\"",
                  SLICE_ARG(options.rename_field[i]), SLICE_ARG(column));
    }
    options.rename_field = fields;
    options.rename_column = columns;
    options.rename_count = kept;
    return options;
}

/* The error without the place that the finding names anyway. */
static struct err without_place(const struct err *err)
{
    struct err out = *err;
    const char *end = strncmp(err->text, "column \"", 8) == 0 ? strstr(err->text, "\": ") : NULL;
    if (end)
        memmove(out.text, end + 3, strlen(end + 3) + 1);
    return out;
}

/* The renames of one column: those of others would be missed where it stands alone. */
static struct map_options only_of(const struct map_options *options, struct slice column)
{
    struct map_options alone = *options;
    alone.rename_count = 0;
    for (uint32_t i = 0; i < options->rename_count; i++) {
        if (!slice_equal(options->rename_column[i], column))
            continue;
        alone.rename_field = &options->rename_field[i];
        alone.rename_column = &options->rename_column[i];
        alone.rename_count = 1;
    }
    return alone;
}

/* Each column is tried alone with the key, so that all that don't fit are told at once. kept[keys]
 * is the key, with room for one more. */
static bool fits(struct check *check, const struct map_options *options,
                 struct map_table_column *kept, uint32_t keys,
                 const struct map_table_column *column)
{
    const struct map_options alone = only_of(options, column->name);
    struct arena arena = {0};
    struct err err = {0};
    kept[keys] = *column;
    const bool fine = map_schema_build(kept, keys + 1, &alone, &arena, &err) != NULL;
    if (!fine) {
        const struct err plain = without_place(&err);
        check_add_err(check->findings, CHECK_ERROR,
                      check_column_place(check, &check->data, column->name), &plain,
                      "exclude it in ElasticSearchConfig and CassandraConfig");
    }
    arena_free(&arena);
    return fine;
}

static bool key_fits(struct check *check, const struct map_options *options,
                     const struct map_table_column *kept, uint32_t keys)
{
    const struct map_options alone = only_of(options, SLICE_NULL);
    struct arena arena = {0};
    struct err err = {0};
    const bool fine = map_schema_build(kept, keys, &alone, &arena, &err) != NULL;
    if (!fine)
        check_add_err(check->findings, CHECK_ERROR, check->data.where, &err,
                      "mend CassandraConfig.dataIdFieldName, or the table");
    arena_free(&arena);
    return fine;
}

/* The table's columns without those that are complained about; none when the key is. */
static uint32_t keep_fitting(struct check *check, const struct map_options *options,
                             struct map_table_column *kept)
{
    const struct check_table *data = &check->data;
    struct map_table_column *tried =
        arena_alloc(check->arena, (data->column_count + 1) * sizeof *tried);
    uint32_t keys = 0;
    for (uint32_t i = 0; i < data->column_count; i++)
        if (is_key(&data->columns[i]))
            tried[keys++] = data->columns[i];
    memcpy(kept, tried, keys * sizeof *kept);
    if (!key_fits(check, options, tried, keys))
        return 0;
    uint32_t count = keys;
    for (uint32_t i = 0; i < data->column_count; i++)
        if (!is_key(&data->columns[i]) && fits(check, options, tried, keys, &data->columns[i]))
            kept[count++] = data->columns[i];
    return count;
}

static void tell_own(struct check *check, struct slice column, const char *option, const char *what)
{
    check_add(check->findings, CHECK_INFO, check_column_place(check, &check->data, column),
              check_text(check->findings, "give that another name (%s) to sync it", option),
              "is never written or read: its name is that of %s", what);
}

/* Columns that have the name of a field of the program's own. */
static void tell_reserved(struct check *check)
{
    const struct map_options *o = &check->tables->map;
    const bool meta = (check->have & CHECK_ELASTICSEARCH) &&
                      es_client_version(check->elasticsearch)->meta_timestamp;
    for (uint32_t i = 0; i < check->data.column_count; i++) {
        const struct slice name = check->data.columns[i].name;
        if (is_key(&check->data.columns[i]))
            continue;
        if (slice_equal(name, o->timestamp_field))
            tell_own(check, name, "timestampFieldName",
                     meta ? "the version" : "the field of versions");
        if (o->deleted_field.ptr && slice_equal(name, o->deleted_field))
            tell_own(check, name, "deletedFieldName", "the mark of deleted documents");
        if (o->ttl_field.ptr && slice_equal(name, o->ttl_field))
            tell_own(check, name, "ttlFieldName", "the field of times to live");
    }
}

void check_columns(struct check *check)
{
    struct err err = {0};
    struct map_options options = usable_renames(check);
    struct map_table_column *kept =
        arena_alloc(check->arena, (check->data.column_count + 1) * sizeof *kept);
    const uint32_t count = keep_fitting(check, &options, kept);
    tell_reserved(check);
    if (count == 0)
        return;
    check->schema = map_schema_build(kept, count, &options, check->arena, &err);
    if (!check->schema) {
        check_add_err(check->findings, CHECK_ERROR, check->data.where, &err,
                      "mend rename, include or exclude");
        return;
    }
    if (check->schema->column_count == 0)
        check_add(check->findings, CHECK_WARNING, check->data.where,
                  "mend include and exclude, or add columns", "no column but the key is synced");
    check->data.columns = kept;
    check->data.column_count = count;
}

#include "job/check_context.h"

/* The form of the time series table. */

static const struct map_table_column *find(const struct check_table *table, struct slice name)
{
    for (uint32_t i = 0; i < table->column_count; i++)
        if (slice_equal(table->columns[i].name, name))
            return &table->columns[i];
    return NULL;
}

static void judge_keys(struct check *check)
{
    for (uint32_t i = 0; i < check->schema->key_count; i++) {
        const struct slice name = check->schema->keys[i].name;
        const struct map_table_column *here = find(&check->series, name);
        const struct map_table_column *there = find(&check->data, name);
        if (here && there && !slice_equal(here->type, there->type))
            check_add(check->findings, CHECK_ERROR, check_column_place(check, &check->series, name),
                      "create the time series table with the data table's type",
                      "is of type %.*s, but the key of %s is of type %.*s", SLICE_ARG(here->type),
                      check->tables->data, SLICE_ARG(there->type));
    }
    for (uint32_t i = 0; i < check->series.column_count; i++) {
        const struct map_table_column *column = &check->series.columns[i];
        if (column->kind == MAP_PARTITION_KEY && !slice_is(column->name, check->tables->series_id))
            check_add(check->findings, CHECK_ERROR,
                      check_column_place(check, &check->series, column->name),
                      check_text(check->findings, "make the partition key (%s) alone",
                                 check->tables->series_id),
                      "is part of the partition key: entries can't be read by version");
    }
}

static void judge_version_type(struct check *check)
{
    const int64_t unit = check->tables->unit_us;
    const char *where =
        check_column_place(check, &check->series, slice_str(check->tables->series_version));
    if (check->table.version_type != SOURCE_VERSION_INT)
        return;
    if (unit == 1 || unit == 1000)
        check_add(check->findings, CHECK_ERROR, where,
                  "make it bigint in a new table, or take sync.versionUnit s",
                  "an int can't hold versions in %s", unit == 1 ? "us" : "ms");
    else if (unit)
        check_add(check->findings, CHECK_INFO, where, "take bigint in a new table",
                  "an int holds versions in seconds until 2038 only");
}

/* The whole once more, now with the data table's own version column. */
static void judge_version_column(struct check *check, const struct source_table_options *options)
{
    struct source_table table;
    struct err err = {0};
    if (!check->tables->version_column)
        return;
    struct source_table_options with = *options;
    with.version_column = check->tables->version_column;
    if (source_table_build(&with, check->data.columns, check->data.column_count,
                           check->series.columns, check->series.column_count, &table, &err))
        source_table_free(&table);
    else
        check_add_err(check->findings, CHECK_ERROR,
                      check_option(check, "CassandraConfig.versionColumn"), &err,
                      "add the column, or remove the option");
}

void check_series(struct check *check)
{
    struct err err = {0};
    if (!check->schema)
        return;
    struct source_table_options options = *check->tables;
    options.map.rename_count = 0; /* judged before; here only the key counts */
    options.version_column = NULL;
    if (!source_table_build(&options, check->data.columns, check->data.column_count,
                            check->series.columns, check->series.column_count, &check->table,
                            &err)) {
        const char *text = strstr(err.text, ": ");
        if (text && strncmp(err.text, "cassandra table ", 16) == 0)
            memmove(err.text, text + 2, strlen(text + 2) + 1);
        check_add_err(check->findings, CHECK_ERROR, check->series.where, &err,
                      "create another one with caes-sync init");
        return;
    }
    check->table.schema = check->schema;
    const size_t errors = check_count(check->findings, CHECK_ERROR);
    judge_keys(check);
    judge_version_type(check);
    judge_version_column(check, &options);
    if (check->table.entry_per_version)
        check_add(check->findings, CHECK_WARNING, check->series.where,
                  check_text(check->findings,
                             "create a new one with the key columns in its primary key: "
                             "caes-sync init does"),
                  "PRIMARY KEY(%s, %s) is the older form: of two records with one version, one "
                  "replaces the other's entry",
                  check->tables->series_id, check->tables->series_version);
    if (check_count(check->findings, CHECK_ERROR) == errors)
        check->have |= CHECK_TABLE;
}

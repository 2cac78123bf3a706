#include "job/check_context.h"
#include "sink/query_text.h"
#include "source/await.h"

/* insertQuery: statements against the schema, and whether their tables may be written. */

/* The error without the place, which the finding names anyway. */
static void add_error(struct check *check, const char *option, const struct sink_query_text *text,
                      const struct err *err)
{
    struct err own = *err;
    const size_t len = strlen(text->where);
    if (strncmp(err->text, text->where, len) == 0 && strncmp(err->text + len, ": ", 2) == 0)
        memmove(own.text, own.text + len + 2, strlen(own.text + len + 2) + 1);
    check_add_err(check->findings, CHECK_ERROR, option, &own, "mend the statement, or the table");
}

static bool prepares(struct check *check, const char *option, const struct sink_query_text *text)
{
    struct err err = {0};
    const struct sink_query_options options = {
        .texts = text,
        .count = 1,
        .same_time = check->pipeline->guard == RESOLVE_GUARD_TIMESTAMP,
    };
    struct sink_query *query =
        sink_query_new(check->cassandra, &check->table, check->tables, &options, &err);
    if (query)
        sink_query_free(query);
    else if (err_class_of(err.code) == ERR_CLASS_RETRY)
        check_failed(check, option, "preparing", &err);
    else
        add_error(check, option, text, &err);
    return query != NULL;
}

static void try_table(struct check *check, struct slice keyspace, struct slice name)
{
    struct err err = {0};
    struct check_table table = {
        .keyspace = check_text(check->findings, "%.*s", SLICE_ARG(keyspace)),
        .name = check_text(check->findings, "%.*s", SLICE_ARG(name)),
        .where = check_text(check->findings, "cassandra %.*s.%.*s", SLICE_ARG(keyspace),
                            SLICE_ARG(name)),
    };
    if (!source_table_columns(check->cassandra, table.keyspace, table.name, check->arena,
                              &table.columns, &table.column_count, &err))
        check_failed(check, table.where, "looking at the table", &err);
    else
        (void)check_may_modify(check, &table);
}

static bool is_same(const struct query_statement *a, const struct query_statement *b)
{
    return slice_equal(a->keyspace, b->keyspace) && slice_equal(a->table, b->table);
}

static void try_tables(struct check *check, const char *text)
{
    struct query_script script;
    struct query_place place;
    if (!query_text_parse(slice_str(text), slice_str(check->tables->keyspace), check->arena,
                          &script, &place, NULL))
        return; /* said when it was prepared */
    for (uint32_t i = 0; i < script.count; i++) {
        bool first = true;
        for (uint32_t j = 0; j < i; j++)
            first = first && !is_same(&script.statements[j], &script.statements[i]);
        if (first)
            try_table(check, script.statements[i].keyspace, script.statements[i].table);
    }
}

void check_insert_query(struct check *check)
{
    const char *option = check_option(check, "CassandraConfig.insertQuery");
    for (uint32_t i = 0; i < check->pipeline->query_count; i++)
        if (prepares(check, option, &check->pipeline->queries[i]))
            try_tables(check, check->pipeline->queries[i].text);
}

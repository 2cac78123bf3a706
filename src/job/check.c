#include "job/check.h"

#include "job/check_context.h"

/* Every check, in the order in which they build on each other. */
static const struct {
    const char *name;
    unsigned needs; /* bits of enum check_need */
    check_fn *run;
} checks[] = {
    {"connection to Cassandra", 0, check_cassandra_connection},
    {"connection to Elasticsearch", 0, check_elasticsearch_connection},
    {"keyspace", CHECK_CASSANDRA, check_keyspace},
    {"tables", CHECK_KEYSPACE, check_tables},
    {"include and exclude", CHECK_DATA, check_lists},
    {"columns", CHECK_DATA, check_columns},
    {"time series table", CHECK_SERIES, check_series},
    {"privileges in Cassandra", CHECK_KEYSPACE, check_cassandra_privileges},
    {"insertQuery", CHECK_TABLE, check_insert_query},
    {"privileges in Elasticsearch", CHECK_ELASTICSEARCH, check_elasticsearch_privileges},
    {"index", CHECK_ELASTICSEARCH, check_index},
    {"settings of the index", CHECK_INDEX, check_settings},
    {"version field", CHECK_MAPPING, check_meta},
    {"fields and columns", CHECK_MAPPING | CHECK_DATA, check_fields},
    {"clocks", 0, check_clocks},
    {"partitions", CHECK_TABLE | CHECK_READABLE, check_partitions},
    {"entries", CHECK_TABLE | CHECK_READABLE, check_entries},
    {"old entries", CHECK_TABLE | CHECK_READABLE, check_old_entries},
    {"rows", CHECK_SAMPLE, check_rows},
    {"conditional writes", CHECK_SAMPLE, check_conditional_writes},
    {"documents", CHECK_SEARCHABLE, check_documents},
};

void check_failed(struct check *check, const char *where, const char *what, const struct err *err)
{
    const bool gone = err_class_of(err->code) == ERR_CLASS_RETRY;
    struct err own = *err;
    err_context(&own, "%s", what);
    check_add_err(check->findings, gone ? CHECK_ERROR : CHECK_WARNING, where, &own,
                  "repeat the check when the cause is mended");
    if (gone && !check->unreachable) {
        check->unreachable = true;
        if (check->err)
            *check->err = *err;
    }
}

const char *check_option(struct check *check, const char *option)
{
    return check->options->place(check->options->place_ctx, option, check->findings);
}

const char *check_column_place(struct check *check, const struct check_table *table,
                               struct slice column)
{
    return check_text(check->findings, "%s.%.*s", table->where, SLICE_ARG(column));
}

const char *check_field_place(struct check *check, struct slice field)
{
    return check_text(check->findings, "%s.%.*s", check->index_where, SLICE_ARG(field));
}

static struct check_table new_table(struct check_findings *findings, const char *keyspace,
                                    const char *name)
{
    return (struct check_table){
        .keyspace = keyspace,
        .name = name,
        .where = check_text(findings, "cassandra %s.%s", keyspace, name),
    };
}

bool job_check(struct cql_client *cassandra, struct es_client *elasticsearch,
               const struct job_check_options *options, struct check_findings *findings,
               struct err *err)
{
    const struct source_table_options *tables = &options->pipeline->table;
    struct check check = {
        .cassandra = cassandra,
        .elasticsearch = elasticsearch,
        .options = options,
        .pipeline = options->pipeline,
        .tables = tables,
        .findings = findings,
        .arena = &findings->arena,
        .err = err,
        .data = new_table(findings, tables->keyspace, tables->data),
        .series = new_table(findings, tables->keyspace, tables->series),
        .index_where = check_text(findings, "elasticsearch %s", options->index),
        .index_doc = json_doc_new(),
    };
    for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
        if ((check.have & checks[i].needs) != checks[i].needs)
            continue;
        log_debug(options->pipeline->log, "check: %s", checks[i].name);
        checks[i].run(&check);
    }
    source_table_free(&check.table);
    json_doc_free(check.index_doc);
    buf_free(&check.index_text);
    return !check.unreachable;
}

#include "job/check_context.h"

/* Names in include and exclude that are nobody's. */

static bool is_column(const struct check *check, struct slice name)
{
    for (uint32_t i = 0; i < check->data.column_count; i++)
        if (slice_equal(check->data.columns[i].name, name))
            return true;
    return false;
}

/* Of any column, or of the program's own. */
static bool is_field(const struct check *check, struct slice name)
{
    const struct map_options *o = &check->tables->map;
    for (uint32_t i = 0; i < o->rename_count; i++) {
        if (slice_equal(o->rename_field[i], name))
            return true; /* of nothing, perhaps: a finding of its own */
        if (slice_equal(o->rename_column[i], name))
            return false;
    }
    return is_column(check, name) || slice_equal(name, o->timestamp_field) ||
           slice_equal(name, o->deleted_field) || slice_equal(name, o->ttl_field);
}

typedef bool exists_fn(const struct check *check, struct slice name);

static void judge_list(struct check *check, const char *option, enum check_severity severity,
                       const struct slice *names, uint32_t count, exists_fn *exists,
                       const char *what)
{
    for (uint32_t i = 0; i < count; i++)
        if (!exists(check, names[i]))
            check_add(check->findings, severity, check_option(check, option),
                      "mend the name, or remove it", "%.*s: %s", SLICE_ARG(names[i]), what);
}

void check_lists(struct check *check)
{
    const struct map_options *o = &check->tables->map;
    judge_list(check, "CassandraConfig.include", CHECK_WARNING, o->cassandra_include,
               o->cassandra_include_count, is_column, "the table has no such column");
    judge_list(check, "CassandraConfig.exclude", CHECK_WARNING, o->cassandra_exclude,
               o->cassandra_exclude_count, is_column, "the table has no such column");
    judge_list(check, "ElasticSearchConfig.include", CHECK_WARNING, o->elasticsearch_include,
               o->elasticsearch_include_count, is_field, "no column has such a field");
    /* What only documents have stays there anyway. */
    judge_list(check, "ElasticSearchConfig.exclude", CHECK_INFO, o->elasticsearch_exclude,
               o->elasticsearch_exclude_count, is_field,
               "no column has such a field, which stays in Elasticsearch anyway");
}

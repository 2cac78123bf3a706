#include "sink/query_rules.h"

static const struct map_table_column *find(const struct map_table_column *columns, uint32_t count,
                                           struct slice name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (slice_equal(columns[i].name, name))
            return &columns[i];
    }
    return NULL;
}

static bool starts(struct slice text, const char *with)
{
    const size_t len = strlen(with);
    return text.len >= len && memcmp(text.ptr, with, len) == 0;
}

static bool is_key(const struct map_table_column *column)
{
    return column->kind == MAP_PARTITION_KEY || column->kind == MAP_CLUSTERING;
}

static bool check_counters(const struct map_table_column *columns, uint32_t count, struct err *err)
{
    for (uint32_t i = 0; i < count; i++) {
        if (starts(columns[i].type, "counter"))
            return err_set(err, ERR_SCHEMA,
                           "column \"%.*s\" is a counter, which is not idempotent: sent again it "
                           "would count twice",
                           SLICE_ARG(columns[i].name));
    }
    return true;
}

static const char doubles[] = "a list is not idempotent with guard: timestamp: sent again at the "
                              "same write time its elements "
                              "double; take a frozen list or a set";

/* Lists have no identity of their elements: positions move, and what is added is added again. A
 * whole list replaces what was written before, but not at the same µs. */
static bool check_list(const struct query_rules *rules, const struct query_statement *s,
                       const struct query_column *use, struct err *err)
{
    const char *why = NULL;
    if (use->use == QUERY_ADDED)
        why = "an append to a list is not idempotent: sent again it would add twice; assign the "
              "whole list, or take a set";
    else if (use->use == QUERY_ELEMENT && s->kind == QUERY_DELETE)
        why = "deleting an element of a list by its position is not idempotent: sent again it "
              "would delete the next one";
    else if (use->use == QUERY_ASSIGNED && s->kind != QUERY_DELETE && rules->same_time)
        why = doubles;
    return !why || err_set(err, ERR_SCHEMA, "column \"%.*s\": %s", SLICE_ARG(use->name), why);
}

/* It may write any column. */
static bool check_json(const struct query_rules *rules, const struct map_table_column *columns,
                       uint32_t count, struct err *err)
{
    for (uint32_t i = 0; rules->same_time && i < count; i++) {
        if (starts(columns[i].type, "list<"))
            return err_set(err, ERR_SCHEMA, "column \"%.*s\": %s", SLICE_ARG(columns[i].name),
                           doubles);
    }
    return true;
}

static bool check_column(const struct query_rules *rules, const struct query_statement *s,
                         const struct query_column *use, const struct map_table_column *column,
                         struct err *err)
{
    if (!column)
        return err_set(err, ERR_SCHEMA, "table %.*s.%.*s has no column \"%.*s\"",
                       SLICE_ARG(s->keyspace), SLICE_ARG(s->table), SLICE_ARG(use->name));
    if (use->generated && is_key(column))
        return err_set(err, ERR_SCHEMA,
                       "column \"%.*s\": a key that is made here is not idempotent: sent again it "
                       "would write another row",
                       SLICE_ARG(use->name));
    return !starts(column->type, "list<") || check_list(rules, s, use, err);
}

static bool is_mapped(const struct map_schema *schema, struct slice name)
{
    for (uint32_t i = 0; i < schema->column_count; i++) {
        if (slice_equal(schema->columns[i].name, name))
            return true;
    }
    return false;
}

/* Only columns of the data table that the sync leaves alone. */
static bool check_data(const struct query_rules *rules, const struct query_statement *s, size_t *at,
                       struct err *err)
{
    if (s->whole_rows || s->json)
        return err_set(err, ERR_SCHEMA,
                       "the sync itself writes the rows of the data table; name columns that it "
                       "does not write, or another table");
    for (uint32_t i = 0; i < s->column_count; i++) {
        *at = s->columns[i].at;
        if (is_mapped(rules->schema, s->columns[i].name))
            return err_set(err, ERR_SCHEMA,
                           "the sync itself writes column \"%.*s\" of the data table; leave it out",
                           SLICE_ARG(s->columns[i].name));
    }
    return true;
}

bool query_rules_check(const struct query_rules *rules, const struct query_statement *s,
                       const struct map_table_column *columns, uint32_t count, size_t *at,
                       struct err *err)
{
    *at = s->at;
    if (!check_counters(columns, count, err) ||
        (s->json && !check_json(rules, columns, count, err)))
        return false;
    if (slice_is(s->keyspace, rules->keyspace)) {
        if (slice_is(s->table, rules->series))
            return err_set(err, ERR_SCHEMA,
                           "the sync itself writes the time series table; leave it out");
        if (slice_is(s->table, rules->data) && !check_data(rules, s, at, err))
            return false;
    }
    for (uint32_t i = 0; i < s->column_count; i++) {
        *at = s->columns[i].at;
        if (!check_column(rules, s, &s->columns[i], find(columns, count, s->columns[i].name), err))
            return false;
    }
    *at = s->at;
    return true;
}

bool query_rules_needs_value(struct slice bind, const struct map_table_column *columns,
                             uint32_t count)
{
    static const char *const parts[] = {"in(", "key(", "idx(", "(", "[json]"};
    const struct map_table_column *column = find(columns, count, bind);
    bool needs = column && is_key(column);
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        needs = needs || (!column && starts(bind, parts[i]));
    return needs;
}

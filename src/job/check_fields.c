#include "job/check_context.h"
#include "job/check_fit.h"

/* Columns and fields that have or lack each other. */

struct names {
    struct buf text;
    uint32_t count;
};

enum { SHOWN_MAX = 20 };

static void add_name(struct names *names, struct slice name)
{
    if (names->count < SHOWN_MAX)
        buf_printf(&names->text, "%s%.*s", names->count ? ", " : "", SLICE_ARG(name));
    else if (names->count == SHOWN_MAX)
        buf_append_str(&names->text, ", …");
    names->count++;
}

static const struct json_node *properties_of(const struct check *check)
{
    const struct json_node *properties = json_member(check->mapping, "properties");
    return properties && properties->type == JSON_OBJECT ? properties : NULL;
}

static const struct json_node *find_field(const struct check *check, struct slice name)
{
    const struct json_node *properties = properties_of(check), *found = NULL;
    for (const struct json_node *n = properties ? json_first(properties) : NULL; n;
         n = json_next(properties, n))
        if (slice_equal(n->key, name))
            found = n;
    return found;
}

static bool is_reserved(const struct check *check, struct slice field)
{
    return slice_equal(field, check->pipeline->timestamp_field) ||
           slice_equal(field, check->pipeline->deleted_field);
}

static void judge_pair(struct check *check, const struct map_column *column,
                       const struct json_node *field)
{
    const char *why;
    const enum check_fit fit = check_field_fit(column->type, field, &why);
    if (fit == CHECK_FITS || (fit == CHECK_WIDER && !column->to_cassandra) ||
        (fit != CHECK_WIDER && !column->to_elasticsearch))
        return;
    struct buf type = {0};
    cql_type_append(&type, column->type);
    check_add(
        check->findings,
        fit == CHECK_REFUSES     ? CHECK_ERROR
        : fit == CHECK_FITS_SOME ? CHECK_WARNING
                                 : CHECK_INFO,
        check_field_place(check, column->field),
        fit == CHECK_WIDER ? ""
                           : "map the field to fit in a new index, or exclude it on both sides",
        "is of type %.*s, its column %.*s of type %.*s: %s", SLICE_ARG(check_field_type(field)),
        SLICE_ARG(column->name), SLICE_ARG(buf_slice(&type)), why);
    buf_free(&type);
}

static void say_without_field(struct check *check, const struct names *names)
{
    const struct json_node *dynamic = json_member(check->mapping, "dynamic");
    const struct slice word = dynamic ? dynamic->text : SLICE_LIT("true");
    if (names->count == 0)
        return;
    if (slice_is(word, "strict"))
        check_add(
            check->findings, CHECK_ERROR, check->index_where,
            "add the fields to the mapping, or exclude the columns in CassandraConfig",
            "has no field for these columns, and dynamic is strict, so their rows are refused: "
            "%.*s",
            SLICE_ARG(buf_slice(&names->text)));
    else if (slice_is(word, "false"))
        check_add(check->findings, CHECK_INFO, check->index_where,
                  "add the fields to the mapping to search them",
                  "has no field for these columns: they are kept, but can't be searched: %.*s",
                  SLICE_ARG(buf_slice(&names->text)));
    else
        check_add(
            check->findings, CHECK_INFO, check->index_where, "add the fields to the mapping",
            "has no field for these columns: the first document decides what they become: %.*s",
            SLICE_ARG(buf_slice(&names->text)));
}

static void judge_columns(struct check *check)
{
    struct names without = {0};
    for (uint32_t i = 0; i < check->schema->column_count; i++) {
        const struct map_column *column = &check->schema->columns[i];
        const struct json_node *field = find_field(check, column->field);
        if (field)
            judge_pair(check, column, field);
        else if (column->to_elasticsearch)
            add_name(&without, column->field);
    }
    say_without_field(check, &without);
    buf_free(&without.text);
}

static bool has_column(const struct check *check, struct slice field)
{
    for (uint32_t i = 0; i < check->schema->column_count; i++)
        if (slice_equal(check->schema->columns[i].field, field))
            return true;
    return false;
}

static void judge_fields(struct check *check)
{
    const struct json_node *properties = properties_of(check);
    struct names without = {0};
    for (const struct json_node *n = properties ? json_first(properties) : NULL; n;
         n = json_next(properties, n))
        if (!is_reserved(check, n->key) && !has_column(check, n->key))
            add_name(&without, n->key);
    if (without.count)
        check_add(check->findings, CHECK_INFO, check->data.where,
                  "add columns for them, or leave them to Elasticsearch",
                  "has no synced column for these fields; they stay in Elasticsearch: %.*s",
                  SLICE_ARG(buf_slice(&without.text)));
    buf_free(&without.text);
}

void check_fields(struct check *check)
{
    if (!check->schema)
        return;
    judge_columns(check);
    judge_fields(check);
}

#include "map/propose.h"

#include "map/codec_any.h"

#include <stdio.h>

/* Types of fields whose documents all fit one type of column, but for the liberties that the server
 * takes (numbers as strings, arrays where it says nothing of arrays): those are refused. */
static const struct {
    const char *field, *column;
} types[] = {
    {"text", "text"},
    {"keyword", "text"},
    {"string", "text"},
    {"wildcard", "text"},
    {"constant_keyword", "text"},
    {"match_only_text", "text"},
    {"search_as_you_type", "text"},
    {"version", "text"},
    {"long", "bigint"},
    {"integer", "int"},
    {"short", "smallint"},
    {"byte", "tinyint"},
    {"unsigned_long", "varint"},
    {"double", "double"},
    {"scaled_float", "double"},
    {"float", "float"},
    {"half_float", "float"},
    {"boolean", "boolean"},
    {"date_nanos", "text"}, /* a timestamp ends at milliseconds */
    {"ip", "inet"},
    {"binary", "blob"},
};

/* What a date looks like in documents is its format's affair. A timestamp goes back as
 * "2015-03-25T03:36:52.000Z", a date as "2015-03-25": formats that refuse those get other columns.
 */
static const struct {
    const char *format, *column;
} dates[] = {
    {"strict_date_optional_time||epoch_millis", "timestamp"},
    {"date_optional_time||epoch_millis", "timestamp"},
    {"dateOptionalTime", "timestamp"},
    {"strict_date_optional_time", "timestamp"},
    {"date_optional_time", "timestamp"},
    {"strict_date_time", "timestamp"},
    {"date_time", "timestamp"},
    {"strict_date_time_no_millis", "text"},
    {"date_time_no_millis", "text"},
    {"epoch_millis", "bigint"},
    {"epoch_second", "bigint"},
    {"strict_date", "date"},
    {"date", "date"},
    {"yyyy-MM-dd", "date"},
    {"uuuu-MM-dd", "date"},
};

/* Whether dates of the format can only be strings: each of its alternatives has a character that no
 * number has. */
static bool is_text_format(struct slice format)
{
    bool found = false;
    for (size_t i = 0; i < format.len; i++) {
        if (format.ptr[i] == '|' && !found)
            return false;
        found = (format.ptr[i] == '|' && i + 1 < format.len && format.ptr[i + 1] == '|') ||
                (format.ptr[i] != '|' && (found || strchr("-/: ", format.ptr[i])));
    }
    return found;
}

static const char *date_column(const struct json_node *format)
{
    if (!format)
        return "timestamp";
    for (size_t i = 0; i < ARRAY_LEN(dates); i++)
        if (slice_is(format->text, dates[i].format))
            return dates[i].column;
    return is_text_format(format->text) ? "text" : NULL;
}

/* Elasticsearch's "dims" of "element_type" float, OpenSearch's "dimension" of "data_type" float. */
static const char *vector_column(const struct json_node *definition, bool vectors,
                                 struct arena *arena)
{
    enum { DIMENSIONS_MAX = 8192 }; /* Cassandra's own limit */
    const struct json_node *dims = json_member(definition, "dims");
    const struct json_node *element = json_member(definition, "element_type");
    int64_t count;
    if (!dims) {
        dims = json_member(definition, "dimension");
        element = json_member(definition, "data_type");
    }
    if (!dims || !json_int64(dims, &count) || count < 1 || count > DIMENSIONS_MAX ||
        (element && !slice_is(element->text, "float")))
        return NULL;
    if (!vectors)
        return "frozen<list<float>>";
    char *text = arena_alloc(arena, 32);
    snprintf(text, 32, "vector<float, %d>", (int)count);
    return text;
}

/* NULL: none fits. */
static const char *column_type(const struct json_node *definition, bool vectors,
                               struct arena *arena)
{
    const struct json_node *type = json_member(definition, "type");
    if (!type || type->type != JSON_STRING)
        return NULL;
    if (slice_is(type->text, "date"))
        return date_column(json_member(definition, "format"));
    if (slice_is(type->text, "dense_vector") || slice_is(type->text, "knn_vector"))
        return vector_column(definition, vectors, arena);
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (slice_is(type->text, types[i].field))
            return types[i].column;
    return NULL;
}

static bool is_reserved(const struct map_options *o, struct slice field)
{
    return (o->timestamp_field.ptr && slice_equal(field, o->timestamp_field)) ||
           (o->deleted_field.ptr && slice_equal(field, o->deleted_field)) ||
           (o->ttl_field.ptr && slice_equal(field, o->ttl_field));
}

static struct slice column_of(const struct map_options *o, struct slice field)
{
    for (uint32_t i = 0; i < o->rename_count; i++)
        if (slice_equal(o->rename_field[i], field))
            return o->rename_column[i];
    return field;
}

static struct slice remark(const struct json_node *definition, struct arena *arena)
{
    struct buf text = {0};
    const struct json_node *type = json_member(definition, "type");
    const struct json_node *format = json_member(definition, "format");
    if (type && format && slice_is(type->text, "date"))
        buf_printf(&text, "no column type for dates of the format %.*s", SLICE_ARG(format->text));
    else if (type && type->type == JSON_STRING)
        buf_printf(&text, "no column type for every form of a %.*s", SLICE_ARG(type->text));
    else
        buf_append_str(&text, "an object, whose documents may have any form");
    const struct slice copy = arena_copy(arena, buf_slice(&text));
    buf_free(&text);
    return copy;
}

static bool is_alias(const struct json_node *definition)
{
    const struct json_node *type = json_member(definition, "type");
    return type && slice_is(type->text, "alias");
}

void map_propose_columns(const struct json_node *mapping, const struct map_options *options,
                         bool vectors, struct arena *arena, const struct map_proposal **out,
                         uint32_t *count)
{
    const struct json_node *properties = json_member(mapping, "properties");
    *count = 0;
    *out = NULL;
    if (!properties || properties->type != JSON_OBJECT)
        return;
    struct map_proposal *list =
        arena_zalloc(arena, (properties->children + (size_t)1) * sizeof *list);
    for (const struct json_node *n = json_first(properties); n; n = json_next(properties, n)) {
        if (is_reserved(options, n->key) || is_alias(n))
            continue;
        struct map_proposal *p = &list[(*count)++];
        p->field = arena_copy(arena, n->key);
        p->column = arena_copy(arena, column_of(options, n->key));
        p->type = column_type(n, vectors, arena);
        if (!p->type) {
            p->type = "frozen<" MAP_ANY_TYPE ">";
            p->remark = remark(n, arena);
        }
    }
    *out = list;
}

void map_propose_list(map_propose_pair_fn *pair, void *ctx)
{
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        pair(ctx, types[i].field, types[i].column);
}

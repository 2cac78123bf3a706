#include "map/propose.h"

#include "map/codec.h"

/* --- columns to mapping */

static void append_property(struct buf *out, bool *first, struct slice field, const char *type,
                            const char *more)
{
    if (!*first)
        buf_append_char(out, ',');
    *first = false;
    json_append_parsed(out, field);
    buf_printf(out, ":{\"type\":\"%s\"%s}", type, more);
}

/* What is a string only for want of a better type is one word to search for. A word of more than
 * 32766 bytes would have the server refuse the document. */
static const char *parameters(const struct map_column *column, bool legacy)
{
    const bool cut = column->type->id == CQL_ASCII;
    if (legacy && strcmp(column->codec->legacy, "string") == 0 &&
        strcmp(column->codec->field, "text") != 0)
        return cut ? ",\"index\":\"not_analyzed\",\"ignore_above\":32766"
                   : ",\"index\":\"not_analyzed\"";
    return cut ? ",\"ignore_above\":32766" : "";
}

void map_propose_mapping(const struct map_schema *schema, struct map_index_style style,
                         struct slice timestamp_field, struct slice deleted_field, struct buf *out)
{
    bool first = true;
    buf_append_char(out, '{');
    if (style.legacy)
        buf_append_str(out, "\"_timestamp\":{\"enabled\":true},");
    buf_append_str(out, "\"dynamic\":false,\"properties\":{");
    for (uint32_t i = 0; i < schema->column_count; i++) {
        const struct map_column *column = &schema->columns[i];
        append_property(out, &first, column->field,
                        style.legacy ? column->codec->legacy : column->codec->field,
                        parameters(column, style.legacy));
    }
    if (!slice_is_null(timestamp_field))
        append_property(out, &first, timestamp_field, "long", "");
    if (!slice_is_null(deleted_field))
        append_property(out, &first, deleted_field, "boolean", "");
    buf_append_str(out, "}}");
}

/* --- mapping to columns */

static const struct {
    const char *field, *column;
} types[] = {
    {"text", "text"},        {"keyword", "text"},          {"string", "text"},
    {"wildcard", "text"},    {"constant_keyword", "text"}, {"match_only_text", "text"},
    {"long", "bigint"},      {"integer", "int"},           {"short", "smallint"},
    {"byte", "tinyint"},     {"double", "double"},         {"float", "float"},
    {"half_float", "float"}, {"scaled_float", "double"},   {"boolean", "boolean"},
    {"date_nanos", "text"}, /* a timestamp ends at milliseconds */
    {"ip", "inet"},          {"binary", "blob"},           {"unsigned_long", "varint"},
};

/* What a date looks like in documents is its format's affair. */
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
    {"strict_date_time_no_millis", "timestamp"},
    {"date_time_no_millis", "timestamp"},
    {"epoch_millis", "timestamp"},
    {"epoch_second", "bigint"},
    {"strict_date", "date"},
    {"date", "date"},
    {"yyyy-MM-dd", "date"},
    {"uuuu-MM-dd", "date"},
};

static const char *date_column(const struct json_node *format)
{
    if (!format)
        return "timestamp";
    for (size_t i = 0; i < ARRAY_LEN(dates); i++)
        if (slice_is(format->text, dates[i].format))
            return dates[i].column;
    return NULL;
}

static const char *column_type(const struct json_node *definition)
{
    const struct json_node *type = json_member(definition, "type");
    if (!type || type->type != JSON_STRING)
        return NULL;
    if (slice_is(type->text, "date"))
        return date_column(json_member(definition, "format"));
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (slice_is(type->text, types[i].field))
            return types[i].column;
    return NULL;
}

static bool is_reserved(const struct map_options *o, struct slice field)
{
    return (o->timestamp_field.ptr && slice_equal(field, o->timestamp_field)) ||
           (o->deleted_field.ptr && slice_equal(field, o->deleted_field));
}

static struct slice column_of(const struct map_options *o, struct slice field)
{
    for (uint32_t i = 0; i < o->rename_count; i++)
        if (slice_equal(o->rename_field[i], field))
            return o->rename_column[i];
    return field;
}

static struct slice reason(struct arena *arena, const struct json_node *definition)
{
    struct buf text = {0};
    const struct json_node *type = json_member(definition, "type");
    const struct json_node *format = json_member(definition, "format");
    if (format && slice_is(type ? type->text : SLICE_NULL, "date"))
        buf_printf(&text, "no column type for dates of the format %.*s", SLICE_ARG(format->text));
    else if (type && type->type == JSON_STRING)
        buf_printf(&text, "no column type for the field type %.*s", SLICE_ARG(type->text));
    else
        buf_append_str(&text, "an object with fields of its own");
    struct slice copy = arena_copy(arena, buf_slice(&text));
    buf_free(&text);
    return copy;
}

void map_propose_columns(const struct json_node *mapping, const struct map_options *options,
                         struct arena *arena, const struct map_proposal **out, uint32_t *count)
{
    const struct json_node *properties = json_member(mapping, "properties");
    *count = 0;
    *out = NULL;
    if (!properties || properties->type != JSON_OBJECT)
        return;
    struct map_proposal *list = arena_zalloc(arena, (properties->children + 1) * sizeof *list);
    for (const struct json_node *n = json_first(properties); n; n = json_next(properties, n)) {
        if (is_reserved(options, n->key))
            continue;
        struct map_proposal *p = &list[(*count)++];
        p->field = arena_copy(arena, n->key);
        p->column = arena_copy(arena, column_of(options, n->key));
        p->type = column_type(n);
        p->reason = p->type ? SLICE_NULL : reason(arena, n);
    }
    *out = list;
}

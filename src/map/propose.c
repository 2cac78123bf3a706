#include "map/propose.h"

#include "map/codec.h"

/* --- table to mapping */

static bool append_field(struct buf *out, struct slice name, const char *type, const char *more,
                         bool *first, struct err *err)
{
    buf_append_str(out, *first ? "\n    " : ",\n    ");
    *first = false;
    if (!json_append_string(out, name))
        return err_set(err, ERR_SCHEMA, "a field's name is not UTF-8: \"%.*s\"", SLICE_ARG(name));
    buf_printf(out, ": {\"type\": \"%s\"%s}", type, more);
    return true;
}

/* Beyond 32766 bytes the server refuses a keyword, and with it the document. */
static const char *parameters(const struct map_column *column, bool legacy)
{
    const enum cql_type_id id = column->type->id;
    if (id == CQL_ASCII)
        return legacy ? ", \"index\": \"not_analyzed\", \"ignore_above\": 32766"
                      : ", \"ignore_above\": 32766";
    if (legacy && strcmp(column->codec->legacy, "string") == 0 && id != CQL_VARCHAR)
        return ", \"index\": \"not_analyzed\"";
    return "";
}

bool map_propose_mapping(const struct map_schema *schema, const struct map_propose_target *target,
                         struct buf *out, struct err *err)
{
    bool first = true;
    buf_append_str(out, "{\n  \"dynamic\": false,\n");
    if (target->meta_timestamp)
        buf_append_str(out, "  \"_timestamp\": {\"enabled\": true, \"store\": true},\n");
    buf_append_str(out, "  \"properties\": {");
    if (!target->meta_timestamp &&
        !append_field(out, slice_str(target->timestamp_field), "long", "", &first, err))
        return false;
    if (!slice_is_null(target->deleted_field) &&
        !append_field(out, target->deleted_field, "boolean", "", &first, err))
        return false;
    for (uint32_t i = 0; i < schema->column_count; i++) {
        const struct map_column *column = &schema->columns[i];
        const char *type = target->legacy ? column->codec->legacy : column->codec->field;
        if (!append_field(out, column->field, type, parameters(column, target->legacy), &first,
                          err))
            return false;
    }
    buf_append_str(out, first ? "}\n}" : "\n  }\n}");
    return true;
}

/* --- mapping to table */

/* The type of a column that holds every value of such a field as it stands in the document. */
static const struct {
    const char *field, *column;
} types[] = {
    {"text", "text"},
    {"keyword", "text"},
    {"string", "text"},
    {"constant_keyword", "text"},
    {"wildcard", "text"},
    {"match_only_text", "text"},
    {"search_as_you_type", "text"},
    {"version", "text"},
    {"date_nanos", "text"}, /* a timestamp ends at milliseconds */
    {"boolean", "boolean"},
    {"byte", "tinyint"},
    {"short", "smallint"},
    {"integer", "int"},
    {"long", "bigint"},
    {"unsigned_long", "varint"},
    {"float", "float"},
    {"half_float", "float"},
    {"double", "double"},
    {"scaled_float", "double"},
    {"ip", "inet"},
    {"binary", "blob"},
};

static bool format_is(const struct json_node *field, const char *const *formats, size_t count)
{
    const struct json_node *format = json_member(field, "format");
    for (size_t i = 0; format && i < count; i++)
        if (slice_is(format->text, formats[i]))
            return true;
    return false;
}

/* What a date looks like in documents is its format's affair. NULL: none of ours. */
static const char *date_column(const struct json_node *field)
{
    static const char *const milliseconds[] = {
        "strict_date_optional_time||epoch_millis",
        "date_optional_time||epoch_millis",
        "strict_date_optional_time",
        "date_optional_time",
        "dateOptionalTime",
        "strict_date_time",
        "date_time",
        "strict_date_time_no_millis",
        "date_time_no_millis",
        "epoch_millis",
    };
    static const char *const days[] = {"strict_date", "date", "yyyy-MM-dd", "uuuu-MM-dd"};
    static const char *const seconds[] = {"epoch_second"};
    if (!json_member(field, "format") || format_is(field, milliseconds, ARRAY_LEN(milliseconds)))
        return "timestamp";
    if (format_is(field, days, ARRAY_LEN(days)))
        return "date";
    return format_is(field, seconds, ARRAY_LEN(seconds)) ? "bigint" : NULL;
}

/* NULL: none holds it. */
static const char *column_type(const struct json_node *field, struct slice type)
{
    const char *column = slice_is(type, "date") ? date_column(field) : NULL;
    for (size_t i = 0; !column && i < ARRAY_LEN(types); i++)
        if (slice_is(type, types[i].field))
            column = types[i].column;
    if (!column)
        return NULL;
    struct arena arena = {0};
    const struct cql_type *parsed = cql_type_parse(slice_str(column), &arena, NULL);
    const bool mapped = parsed && map_codec_find(parsed->id);
    arena_free(&arena);
    return mapped ? column : NULL;
}

static bool listed(const struct slice *names, uint32_t count, struct slice name)
{
    for (uint32_t i = 0; i < count; i++)
        if (slice_equal(names[i], name))
            return true;
    return false;
}

static struct slice column_name(const struct map_options *o, struct slice field)
{
    for (uint32_t i = 0; i < o->rename_count; i++)
        if (slice_equal(o->rename_field[i], field))
            return o->rename_column[i];
    return field;
}

static bool travels(const struct map_options *o, struct slice field)
{
    if (slice_equal(field, o->timestamp_field) || slice_equal(field, o->deleted_field))
        return false;
    return o->elasticsearch_include_count
               ? listed(o->elasticsearch_include, o->elasticsearch_include_count, field)
               : !listed(o->elasticsearch_exclude, o->elasticsearch_exclude_count, field);
}

void map_propose_columns(const struct json_node *mapping, const struct map_options *options,
                         struct arena *arena, struct map_table_column **columns, uint32_t *count,
                         struct buf *remarks)
{
    const struct json_node *properties = json_member(mapping, "properties");
    *count = 0;
    *columns = arena_alloc(arena, ((properties ? properties->children : 0) + 1) * sizeof **columns);
    for (const struct json_node *field = properties ? json_first(properties) : NULL; field;
         field = json_next(properties, field)) {
        const struct slice name = column_name(options, field->key);
        const struct json_node *type = json_member(field, "type");
        if (!travels(options, field->key) || (type && slice_is(type->text, "alias")))
            continue;
        const char *column = type ? column_type(field, type->text) : NULL;
        if (listed(options->key_names, options->key_name_count, name)) {
            buf_printf(remarks, "field \"%.*s\": left out, the key column has its name\n",
                       SLICE_ARG(field->key));
        } else if (!column) {
            buf_printf(remarks, "field \"%.*s\": left out, no column holds its type %.*s\n",
                       SLICE_ARG(field->key), SLICE_ARG(type ? type->text : SLICE_LIT("object")));
        } else {
            (*columns)[(*count)++] = (struct map_table_column){
                .name = arena_copy(arena, name),
                .type = slice_str(column),
                .kind = MAP_REGULAR,
                .position = -1,
            };
        }
    }
}

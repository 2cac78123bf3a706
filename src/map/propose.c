#include "map/propose.h"

#include "map/codec.h"

/* --- columns to mapping */

static void append_property(struct buf *out, bool *first, struct slice field, const char *type,
                            bool whole)
{
    if (!*first)
        buf_append_char(out, ',');
    *first = false;
    json_append_parsed(out, field);
    buf_printf(out, ":{\"type\":\"%s\"%s}", type, whole ? ",\"index\":\"not_analyzed\"" : "");
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
        const struct map_codec *codec = schema->columns[i].codec;
        const char *type = style.legacy ? codec->legacy : codec->field;
        /* What is a string only for want of a better type is one word to search for. */
        bool whole =
            style.legacy && strcmp(type, "string") == 0 && strcmp(codec->field, "text") != 0;
        append_property(out, &first, schema->columns[i].field, type, whole);
    }
    if (!slice_is_null(timestamp_field))
        append_property(out, &first, timestamp_field, "long", false);
    if (!slice_is_null(deleted_field))
        append_property(out, &first, deleted_field, "boolean", false);
    buf_append_str(out, "}}");
}

/* --- mapping to columns */

static const struct {
    const char *field, *column;
} types[] = {
    {"text", "text"},
    {"keyword", "text"},
    {"string", "text"},
    {"wildcard", "text"},
    {"constant_keyword", "text"},
    {"match_only_text", "text"},
    {"long", "bigint"},
    {"integer", "int"},
    {"short", "smallint"},
    {"byte", "tinyint"},
    {"double", "double"},
    {"float", "float"},
    {"half_float", "float"},
    {"scaled_float", "double"},
    {"boolean", "boolean"},
    {"date", "timestamp"},
    {"ip", "inet"},
};

static const char *column_type(struct slice field_type)
{
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (slice_is(field_type, types[i].field))
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
    if (type && type->type == JSON_STRING)
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
        const struct json_node *type = json_member(n, "type");
        struct map_proposal *p = &list[(*count)++];
        p->field = arena_copy(arena, n->key);
        p->column = arena_copy(arena, column_of(options, n->key));
        p->type = type && type->type == JSON_STRING ? column_type(type->text) : NULL;
        p->reason = p->type ? SLICE_NULL : reason(arena, n);
    }
    *out = list;
}

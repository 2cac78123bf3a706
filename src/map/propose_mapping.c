#include "map/codec.h"
#include "map/codec_any.h"
#include "map/propose.h"

/* Columns to a mapping. */

enum {
    PROPERTIES_MAX = 500, /* of one column: an index takes 1,000 in all */
    DIMENSIONS_MAX = 4096,
};

struct place {
    struct map_index_style style;
    bool inside; /* of a list or set, where a vector can't be one */
};

/* What is a string only for want of a better type is one word to search for. A word of more than
 * 32766 bytes would have the server refuse the document. */
static const char *parameters(const struct cql_type *type, const struct map_codec *codec,
                              bool legacy)
{
    const bool cut = type->id == CQL_ASCII;
    /* Old servers know no milliseconds of more than 13 digits, which stand for the years before 0
     * and after 9999. */
    if (legacy && (type->id == CQL_DATE || type->id == CQL_TIMESTAMP))
        return ",\"ignore_malformed\":true";
    if (type->non_finite_text && (type->id == CQL_FLOAT || type->id == CQL_DOUBLE))
        return ",\"ignore_malformed\":true";
    if (legacy && strcmp(codec->legacy, "string") == 0 && strcmp(codec->field, "text") != 0)
        return cut ? ",\"index\":\"not_analyzed\",\"ignore_above\":32766"
                   : ",\"index\":\"not_analyzed\"";
    return cut ? ",\"ignore_above\":32766" : "";
}

/* The server refuses names of nothing but white space, and takes one with a dot for two. */
static bool is_plain(struct slice name)
{
    bool blank = true;
    for (size_t i = 0; i < name.len; i++)
        blank = blank && (unsigned char)name.ptr[i] <= ' ';
    return !blank && !memchr(name.ptr, '.', name.len);
}

/* Whether the fields of an object, at any depth, can be fields of an index; *left counts them down,
 * which also bounds the walk. */
static bool has_properties(const struct cql_type *type, int *left)
{
    if (type->id == CQL_LIST || type->id == CQL_SET)
        return has_properties(type->elements[0], left);
    bool fine = --*left >= 0;
    for (uint32_t i = 0; fine && type->id == CQL_UDT && i < type->element_count; i++)
        fine = is_plain(type->field_names[i]) && has_properties(type->elements[i], left);
    return fine;
}

static void append_definition(struct buf *out, const struct cql_type *type, struct place place);

static void append_object(struct buf *out, const struct cql_type *type, struct place place)
{
    buf_append_str(out, "{\"type\":\"object\",\"properties\":{");
    for (uint32_t i = 0; i < type->element_count; i++) {
        if (i)
            buf_append_char(out, ',');
        json_append_parsed(out, type->field_names[i]);
        buf_append_char(out, ':');
        append_definition(out, type->elements[i], place);
    }
    buf_append_str(out, "}}");
}

/* What the server normalises for a similarity of cosine does not come back as it was. */
static void append_vector(struct buf *out, const struct cql_type *type, struct place place)
{
    if (type->elements[0]->id == CQL_FLOAT && place.style.dense_vector && !place.inside &&
        type->dimensions <= DIMENSIONS_MAX) {
        buf_printf(out,
                   "{\"type\":\"dense_vector\",\"dims\":%u,\"index\":true,"
                   "\"similarity\":\"l2_norm\"}",
                   type->dimensions);
        return;
    }
    place.inside = true;
    append_definition(out, type->elements[0], place);
}

static void append_definition(struct buf *out, const struct cql_type *type, struct place place)
{
    const struct map_codec *codec = map_codec_find(type->id);
    switch (type->id) {
    case CQL_LIST:
    case CQL_SET:
        place.inside = true;
        append_definition(out, type->elements[0], place);
        break;
    case CQL_VECTOR:
        append_vector(out, type, place);
        break;
    case CQL_UDT:
        append_object(out, type, place);
        break;
    case CQL_MAP:
    case CQL_TUPLE:
        buf_append_str(out, "{\"type\":\"object\",\"enabled\":false}");
        break;
    default:
        buf_printf(out, "{\"type\":\"%s\"%s}", place.style.legacy ? codec->legacy : codec->field,
                   parameters(type, codec, place.style.legacy));
    }
}

static void append_column(struct buf *out, const struct cql_type *type,
                          struct map_index_style style)
{
    int left = PROPERTIES_MAX;
    if (map_any_is(type) || !has_properties(type, &left))
        buf_append_str(out, "{\"type\":\"object\",\"enabled\":false}");
    else
        append_definition(out, type, (struct place){.style = style});
}

static void append_name(struct buf *out, bool *first, struct slice field)
{
    if (!*first)
        buf_append_char(out, ',');
    *first = false;
    json_append_parsed(out, field);
    buf_append_char(out, ':');
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
        append_name(out, &first, schema->columns[i].field);
        append_column(out, schema->columns[i].type, style);
    }
    if (!slice_is_null(timestamp_field)) {
        append_name(out, &first, timestamp_field);
        buf_append_str(out, "{\"type\":\"long\"}");
    }
    if (!slice_is_null(deleted_field)) {
        append_name(out, &first, deleted_field);
        buf_append_str(out, "{\"type\":\"boolean\"}");
    }
    if (!slice_is_null(schema->ttl_field)) {
        append_name(out, &first, schema->ttl_field);
        buf_append_str(out, "{\"type\":\"integer\"}");
    }
    buf_append_str(out, "}}");
}

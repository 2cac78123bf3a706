#include "map/codec.h"

#include "map/codec_big.h"
#include "map/codec_blob.h"
#include "map/codec_net.h"
#include "map/codec_number.h"
#include "map/codec_span.h"
#include "map/codec_text.h"
#include "map/codec_time.h"

static const struct map_codec codecs[] = {
    {CQL_VARCHAR, "text", "text", "string", 0, true, false, map_text_to_json, map_text_from_json,
     map_text_to_text, map_text_from_text},
    {CQL_ASCII, "ascii", "keyword", "string", 0, true, false, map_text_to_json, map_text_from_json,
     map_text_to_text, map_text_from_text},
    {CQL_UUID, "uuid", "keyword", "string", 16, false, false, NULL, NULL, map_uuid_to_text,
     map_uuid_from_text},
    {CQL_TIMEUUID, "timeuuid", "keyword", "string", 16, false, false, NULL, NULL, map_uuid_to_text,
     map_uuid_from_text},
    {CQL_INET, "inet", "ip", "string", 0, false, false, NULL, NULL, map_inet_to_text,
     map_inet_from_text},
    {CQL_BOOLEAN, "boolean", "boolean", "boolean", 1, false, true, map_boolean_to_text,
     map_boolean_from_json, NULL, NULL},
    {CQL_TINYINT, "tinyint", "byte", "byte", 1, false, false, map_integer_to_text,
     map_integer_from_json, map_integer_to_text, map_integer_from_text},
    {CQL_SMALLINT, "smallint", "short", "short", 2, false, false, map_integer_to_text,
     map_integer_from_json, map_integer_to_text, map_integer_from_text},
    {CQL_INT, "int", "integer", "integer", 4, false, false, map_integer_to_text,
     map_integer_from_json, map_integer_to_text, map_integer_from_text},
    {CQL_BIGINT, "bigint", "long", "long", 8, false, false, map_integer_to_text,
     map_integer_from_json, map_integer_to_text, map_integer_from_text},
    {CQL_FLOAT, "float", "float", "float", 4, false, false, map_float_to_json, map_float_from_json,
     NULL, NULL},
    {CQL_DOUBLE, "double", "double", "double", 8, false, false, map_double_to_json,
     map_double_from_json, NULL, NULL},
    {CQL_TIMESTAMP, "timestamp", "date", "date", 8, false, false, map_timestamp_to_json,
     map_timestamp_from_json, map_timestamp_to_text, map_timestamp_from_text},
    {CQL_DATE, "date", "date", "date", 4, false, false, map_date_to_json, map_date_from_json,
     map_date_to_text, map_date_from_text},
    {CQL_TIME, "time", "keyword", "string", 8, false, false, NULL, NULL, map_time_to_text,
     map_time_from_text},
    {CQL_DURATION, "duration", "keyword", "string", 0, false, true, NULL, NULL,
     map_duration_to_text, map_duration_from_text},
    {CQL_VARINT, "varint", "keyword", "string", 0, false, true, map_varint_to_text,
     map_varint_from_json, map_varint_to_text, map_varint_from_text},
    {CQL_DECIMAL, "decimal", "keyword", "string", 0, false, true, NULL, map_decimal_from_json,
     map_decimal_to_text, map_decimal_from_text},
    {CQL_BLOB, "blob", "binary", "binary", 0, true, false, NULL, NULL, map_blob_to_text,
     map_blob_from_text},
};

const struct map_codec *map_codec_find(enum cql_type_id id)
{
    for (size_t i = 0; i < ARRAY_LEN(codecs); i++)
        if (codecs[i].id == id)
            return &codecs[i];
    return NULL;
}

static bool check_size(const struct map_codec *codec, struct slice cell, struct err *err)
{
    if (cell.len == 0 && !codec->empty)
        return err_set(err, ERR_VALUE, "empty value of type %s", codec->name);
    if (codec->size && cell.len != codec->size)
        return err_set(err, ERR_VALUE, "%zu bytes are no value of type %s", cell.len, codec->name);
    return true;
}

bool map_codec_to_json(const struct map_codec *codec, const struct cql_type *type,
                       struct slice cell, struct buf *out, struct err *err)
{
    if (!check_size(codec, cell, err))
        return false;
    if (codec->to_json)
        return codec->to_json(type, cell, out, err);
    buf_append_char(out, '"');
    bool ok = codec->to_text(type, cell, out, err);
    buf_append_char(out, '"');
    return ok;
}

bool map_codec_from_json(const struct map_codec *codec, const struct cql_type *type,
                         const struct json_node *node, struct arena *arena, struct slice *cell,
                         struct err *err)
{
    *cell = SLICE_NULL;
    if (node->type == JSON_NULL)
        return true;
    if (codec->from_json)
        return codec->from_json(type, node, arena, cell, err);
    if (node->type != JSON_STRING)
        return map_refuse_node(err, node, codec->name);
    return codec->from_text(type, node->text, arena, cell, err);
}

bool map_codec_to_text(const struct map_codec *codec, const struct cql_type *type,
                       struct slice cell, struct buf *out, struct err *err)
{
    if (slice_is_null(cell))
        return err_set(err, ERR_VALUE, "null in a key");
    return check_size(codec, cell, err) && codec->to_text(type, cell, out, err);
}

struct slice map_excerpt(struct slice value, const char **behind)
{
    enum { SHOWN = 64 };
    bool cut = value.len > SHOWN;
    if (cut)
        value.len = SHOWN;
    while (cut && value.len && ((unsigned char)value.ptr[value.len] & 0xC0) == 0x80)
        value.len--;
    *behind = cut ? "…" : "";
    return json_utf8_valid(value) ? value : SLICE_LIT("?");
}

bool map_refuse(struct err *err, struct slice value, const char *why, const char *type_name)
{
    const char *behind;
    struct slice shown = map_excerpt(value, &behind);
    return err_set(err, ERR_VALUE, "%.*s%s %s %s", SLICE_ARG(shown), behind, why, type_name);
}

bool map_refuse_node(struct err *err, const struct json_node *node, const char *type_name)
{
    static const char *const kinds[] = {
        [JSON_NULL] = "null",       [JSON_FALSE] = "a boolean", [JSON_TRUE] = "a boolean",
        [JSON_NUMBER] = "a number", [JSON_STRING] = "a string", [JSON_ARRAY] = "an array",
        [JSON_OBJECT] = "an object"};
    return err_set(err, ERR_VALUE, "%s is no value for a column of type %s", kinds[node->type],
                   type_name);
}

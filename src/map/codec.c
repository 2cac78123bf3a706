#include "map/codec.h"

#include "map/codec_any.h"
#include "map/codec_array.h"
#include "map/codec_big.h"
#include "map/codec_blob.h"
#include "map/codec_map.h"
#include "map/codec_net.h"
#include "map/codec_number.h"
#include "map/codec_object.h"
#include "map/codec_real.h"
#include "map/codec_span.h"
#include "map/codec_text.h"
#include "map/codec_time.h"
#include "map/normal.h"
#include "map/parts.h"

enum { VECTOR_SLOT = CQL_TUPLE + 1, ANY_SLOT, SLOTS };

#define FIELD(modern, old) .field = modern, .legacy = old
#define JSON_BY(to, from)  .to_json = to, .from_json = from
#define TEXT_BY(to, from)  .to_text = to, .from_text = from
#define TEXT               TEXT_BY(map_text_to_text, map_text_from_text)
#define INTEGER                                          \
    JSON_BY(map_integer_to_text, map_integer_from_json), \
        TEXT_BY(map_integer_to_text, map_integer_from_text)

static const struct map_codec codecs[SLOTS] = {
    [CQL_ASCII] = {"ascii", FIELD("keyword", "string"), .empty = true,
                   JSON_BY(map_text_to_json, map_text_from_json), TEXT, .json = "string"},
    [CQL_BIGINT] = {"bigint", FIELD("long", "long"), .size = 8, INTEGER, .json = "number"},
    [CQL_BLOB] = {"blob", FIELD("binary", "binary"), .empty = true,
                  TEXT_BY(map_blob_to_text, map_blob_from_text), .json = "string, base64",
                  .example = "\"AP+/\""},
    [CQL_BOOLEAN] = {"boolean", FIELD("boolean", "boolean"), .size = 1,
                     JSON_BY(map_boolean_to_text, map_boolean_from_json),
                     TEXT_BY(map_boolean_to_text, map_boolean_from_text), .json = "true or false"},
    [CQL_COUNTER] = {"counter", FIELD("long", "long"), .size = 8, INTEGER, .json = "number",
                     .note = "only from Cassandra: its tables take no copies, so what a document "
                             "changes goes to the dead letters"},
    [CQL_DATE] = {"date", FIELD("date", "date"), .size = 4,
                  JSON_BY(map_date_to_json, map_date_from_json),
                  TEXT_BY(map_date_to_text, map_date_from_text), .json = "string",
                  .example = "\"2015-03-25\"",
                  .note = "outside the years 0 to 9999 milliseconds since 1970 as a number"},
    [CQL_DECIMAL] = {"decimal", FIELD("keyword", "string"), .from_json = map_decimal_from_json,
                     TEXT_BY(map_decimal_to_text, map_decimal_from_text), .json = "string",
                     .example = "\"12.340\"",
                     .note = "digits and scale stay; numbers are read as well; up to 10,000 "
                             "digits"},
    [CQL_DOUBLE] = {"double", FIELD("double", "double"), .size = 8,
                    JSON_BY(map_double_to_json, map_double_from_json),
                    TEXT_BY(map_double_to_text, map_double_from_text), .json = "number",
                    .example = "0.1",
                    .note = "the shortest that reads back as the same value; of numbers in "
                            "documents the nearest value"},
    [CQL_DURATION] = {"duration", FIELD("keyword", "string"),
                      TEXT_BY(map_duration_to_text, map_duration_from_text), .json = "string",
                      .example = "\"1mo2d3h\"", .note = "ISO 8601 is read as well"},
    [CQL_FLOAT] = {"float", FIELD("float", "float"), .size = 4,
                   JSON_BY(map_float_to_json, map_float_from_json),
                   TEXT_BY(map_float_to_text, map_float_from_text), .json = "number",
                   .example = "0.1",
                   .note = "the shortest that reads back as the same value; of numbers in "
                           "documents the nearest value"},
    [CQL_INET] = {"inet", FIELD("ip", "string"), TEXT_BY(map_inet_to_text, map_inet_from_text),
                  .json = "string", .example = "\"2001:db8::1\""},
    [CQL_INT] = {"int", FIELD("integer", "integer"), .size = 4, INTEGER, .json = "number"},
    [CQL_LIST] = {"list", JSON_BY(map_array_to_json, map_array_from_json), .json = "array",
                  .example = "[1,2]",
                  .note = "another value in a document counts as an array of "
                          "one; nulls inside are refused"},
    [CQL_MAP] = {"map", FIELD("object", "object"), JSON_BY(map_map_to_json, map_map_from_json),
                 .json = "object; with keys that are collections, tuples, vectors or user-defined "
                         "an array",
                 .example = "{\"k\":1}` or `[{\"key\":[1],\"value\":2}]",
                 .note = "the field is not indexed: every key would become a field of its own"},
    [CQL_SET] = {"set", JSON_BY(map_array_to_json, map_array_from_json), .json = "array",
                 .example = "[1,2]", .note = "as list; of equal elements one counts"},
    [CQL_SMALLINT] = {"smallint", FIELD("short", "short"), .size = 2, INTEGER, .json = "number"},
    [CQL_TIME] = {"time", FIELD("keyword", "string"), .size = 8,
                  TEXT_BY(map_time_to_text, map_time_from_text), .json = "string",
                  .example = "\"13:30:54.234000000\""},
    [CQL_TIMESTAMP] = {"timestamp", FIELD("date", "date"), .size = 8,
                       JSON_BY(map_timestamp_to_json, map_timestamp_from_json),
                       TEXT_BY(map_timestamp_to_text, map_timestamp_from_text), .json = "string",
                       .example = "\"2015-03-25T03:30:12.000Z\"",
                       .note = "outside the years 0 to 9999 milliseconds since 1970 as a number; "
                               "read are the forms of strict_date_optional_time and epoch_millis"},
    [CQL_TIMEUUID] = {"timeuuid", FIELD("keyword", "string"), .size = 16,
                      TEXT_BY(map_uuid_to_text, map_uuid_from_text), .json = "string"},
    [CQL_TINYINT] = {"tinyint", FIELD("byte", "byte"), .size = 1, INTEGER, .json = "number"},
    [CQL_TUPLE] = {"tuple", FIELD("object", "object"),
                   JSON_BY(map_array_to_json, map_array_from_json), .json = "array",
                   .example = "[1,null,\"a\"]", .note = "the field is not indexed"},
    [CQL_UDT] = {"user-defined", FIELD("object", "object"),
                 JSON_BY(map_object_to_json, map_object_from_json), .json = "object",
                 .example = "{\"street\":\"…\",\"zip\":123}",
                 .note = "null fields are left out; a member that is no field of the type is "
                         "refused, as a copy back would lose it"},
    [CQL_UUID] = {"uuid", FIELD("keyword", "string"), .size = 16,
                  TEXT_BY(map_uuid_to_text, map_uuid_from_text), .json = "string"},
    [CQL_VARCHAR] = {"text", FIELD("text", "string"), .empty = true,
                     JSON_BY(map_text_to_json, map_text_from_json), TEXT, .json = "string",
                     .note = "every character, U+0000 too; varchar is the same type"},
    [CQL_VARINT] = {"varint", FIELD("keyword", "string"),
                    JSON_BY(map_varint_to_json, map_varint_from_json),
                    TEXT_BY(map_varint_to_text, map_varint_from_text), .json = "number",
                    .note = "of more than 1,000 characters a string; up to 10,000 digits"},
    [VECTOR_SLOT] = {"vector", JSON_BY(map_array_to_json, map_array_from_json), .json = "array",
                     .example = "[0.1,0.2]", .note = "of exactly as many values"},
    [ANY_SLOT] = {MAP_ANY_TYPE, FIELD("object", "object"),
                  JSON_BY(map_any_to_json, map_any_from_json), .json = "any", .empty = true,
                  .note = "see below"},
};

const struct map_codec *map_codec_find(enum cql_type_id id)
{
    const uint32_t slot = id == CQL_VECTOR ? VECTOR_SLOT : (uint32_t)id;
    return slot <= VECTOR_SLOT && codecs[slot].name ? &codecs[slot] : NULL;
}

const struct map_codec *map_codec_of_column(const struct cql_type *type)
{
    return map_any_is(type) ? &codecs[ANY_SLOT] : map_codec_find(type->id);
}

const struct map_codec *map_codec_list(size_t *count)
{
    *count = SLOTS;
    return codecs;
}

bool map_codec_is_named(const struct cql_type *type)
{
    return type->id == CQL_MAP && map_codec_find(type->elements[0]->id)->to_text;
}

bool map_codec_is_object(const struct cql_type *type)
{
    const bool inside = type->id == CQL_LIST || type->id == CQL_SET;
    return type->id == CQL_UDT || map_codec_is_named(type) ||
           (inside && map_codec_is_object(type->elements[0]));
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

bool map_codec_write(const struct cql_type *type, struct slice cell, struct buf *out,
                     struct err *err)
{
    if (!slice_is_null(cell))
        return map_codec_to_json(map_codec_find(type->id), type, cell, out, err);
    buf_append_str(out, "null");
    return true;
}

static bool read_node(const struct map_codec *codec, const struct cql_type *type,
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

bool map_codec_read(const struct cql_type *type, const struct json_node *node, struct arena *arena,
                    struct slice *cell, struct err *err)
{
    return read_node(map_codec_find(type->id), type, node, arena, cell, err);
}

bool map_codec_from_json(const struct map_codec *codec, const struct cql_type *type,
                         const struct json_node *node, struct arena *arena, struct slice *cell,
                         struct err *err)
{
    if (type->element_count == 0)
        return read_node(codec, type, node, arena, cell, err);
    struct slice one;
    const bool alone = (type->id == CQL_LIST || type->id == CQL_SET) && node->type != JSON_ARRAY &&
                       node->type != JSON_NULL;
    if (!(alone ? map_codec_read(type->elements[0], node, arena, &one, err) &&
                      map_parts_join(type, &one, 1, arena, cell, err)
                : read_node(codec, type, node, arena, cell, err)))
        return false;
    if (map_normal_is_null(type, *cell))
        *cell = SLICE_NULL;
    return true;
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

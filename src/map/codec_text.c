#include "map/codec_text.h"

static bool is_ascii(struct slice s)
{
    unsigned char all = 0;
    for (size_t i = 0; i < s.len; i++)
        all |= (unsigned char)s.ptr[i];
    return all < 0x80;
}

static bool check(const struct cql_type *type, struct slice text, struct err *err)
{
    if (type->id == CQL_ASCII)
        return is_ascii(text) || err_set(err, ERR_VALUE, "not ASCII in a column of type ascii");
    return json_utf8_valid(text) || err_set(err, ERR_VALUE, "not UTF-8 in a column of type text");
}

bool map_text_to_json(const struct cql_type *type, struct slice cell, struct buf *out,
                      struct err *err)
{
    if (type->id == CQL_ASCII && !check(type, cell, err))
        return false;
    return json_append_string(out, cell) || check(type, cell, err);
}

bool map_text_from_json(const struct cql_type *type, const struct json_node *node,
                        struct arena *arena, struct slice *cell, struct err *err)
{
    if (node->type != JSON_STRING)
        return map_refuse_node(err, node, type->id == CQL_ASCII ? "ascii" : "text");
    if (node->half_pair)
        return err_set(err, ERR_VALUE, "half of a surrogate pair is no character");
    if (type->id == CQL_ASCII && !check(type, node->text, err))
        return false;
    *cell = arena_copy(arena, node->text);
    return true;
}

bool map_text_to_text(const struct cql_type *type, struct slice cell, struct buf *out,
                      struct err *err)
{
    if (!check(type, cell, err))
        return false;
    buf_append_slice(out, cell);
    return true;
}

bool map_text_from_text(const struct cql_type *type, struct slice text, struct arena *arena,
                        struct slice *cell, struct err *err)
{
    if (!check(type, text, err))
        return false;
    *cell = arena_copy(arena, text);
    return true;
}

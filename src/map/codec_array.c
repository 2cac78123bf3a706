#include "map/codec_array.h"

#include "map/order.h"
#include "map/parts.h"

bool map_array_to_json(const struct cql_type *type, struct slice cell, struct buf *out,
                       struct err *err)
{
    struct map_parts parts;
    struct slice value;
    if (!map_parts_open(&parts, type, cell, err))
        return false;
    buf_append_char(out, '[');
    for (uint32_t i = 0; i < parts.count; i++) {
        if (i)
            buf_append_char(out, ',');
        if (!map_parts_next(&parts, &value, err))
            return false;
        if (!map_codec_write(map_parts_type(type, i), value, out, err))
            return err_context(err, "[%u]", i);
    }
    buf_append_char(out, ']');
    return map_parts_close(&parts, err);
}

static bool check_count(const struct cql_type *type, const struct json_node *node, struct err *err)
{
    const uint32_t wanted = type->id == CQL_VECTOR ? type->dimensions : type->element_count;
    if (type->id == CQL_LIST || type->id == CQL_SET || node->children == wanted)
        return true;
    return err_set(err, ERR_VALUE, "%u values in place of the %u of this %s", node->children,
                   wanted, map_codec_find(type->id)->name);
}

bool map_array_from_json(const struct cql_type *type, const struct json_node *node,
                         struct arena *arena, struct slice *cell, struct err *err)
{
    const char *name = map_codec_find(type->id)->name;
    if (node->type != JSON_ARRAY)
        return map_refuse_node(err, node, name);
    if (!check_count(type, node, err))
        return false;
    struct slice *values = arena_alloc(arena, (node->children + 1) * sizeof *values);
    uint32_t count = 0;
    for (const struct json_node *n = json_first(node); n; n = json_next(node, n), count++) {
        if (n->type == JSON_NULL && type->id != CQL_TUPLE)
            return err_set(err, ERR_VALUE, "[%u]: null is no element of a %s", count, name);
        if (!map_codec_read(map_parts_type(type, count), n, arena, &values[count], err))
            return err_context(err, "[%u]", count);
    }
    if (type->id == CQL_SET)
        count = map_order_set(type, values, count);
    return map_parts_join(type, values, count, arena, cell, err);
}

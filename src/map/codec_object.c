#include "map/codec_object.h"

#include "map/parts.h"

#include <stdio.h>

bool map_object_to_json(const struct cql_type *type, struct slice cell, struct buf *out,
                        struct err *err)
{
    struct map_parts parts;
    struct slice value;
    bool first = true;
    if (!map_parts_open(&parts, type, cell, err))
        return false;
    buf_append_char(out, '{');
    for (uint32_t i = 0; i < parts.count; i++) {
        if (!map_parts_next(&parts, &value, err))
            return false;
        if (slice_is_null(value))
            continue;
        if (!first)
            buf_append_char(out, ',');
        first = false;
        json_append_parsed(out, type->field_names[i]);
        buf_append_char(out, ':');
        if (!map_codec_write(type->elements[i], value, out, err))
            return err_context(err, "\"%.*s\"", SLICE_ARG(type->field_names[i]));
    }
    buf_append_char(out, '}');
    return map_parts_close(&parts, err);
}

/* -1: none. */
static int64_t find_field(const struct cql_type *type, struct slice name)
{
    for (uint32_t i = 0; i < type->element_count; i++)
        if (slice_equal(type->field_names[i], name))
            return i;
    return -1;
}

/* Of members with one name the last counts. */
static bool find_members(const struct cql_type *type, const struct json_node *node,
                         const struct json_node **last, struct err *err)
{
    if (node->type != JSON_OBJECT) {
        char name[64];
        snprintf(name, sizeof name, "%.*s", SLICE_ARG(type->name));
        return map_refuse_node(err, node, name);
    }
    for (const struct json_node *n = json_first(node); n; n = json_next(node, n)) {
        const int64_t field = find_field(type, n->key);
        if (field < 0) {
            const char *behind;
            const struct slice shown = map_excerpt(n->key, &behind);
            return err_set(err, ERR_VALUE, "\"%.*s%s\" is no field of type %.*s", SLICE_ARG(shown),
                           behind, SLICE_ARG(type->name));
        }
        last[field] = n;
    }
    return true;
}

bool map_object_from_json(const struct cql_type *type, const struct json_node *node,
                          struct arena *arena, struct slice *cell, struct err *err)
{
    const struct json_node **last = arena_zalloc(arena, (type->element_count + 1) * sizeof *last);
    if (!find_members(type, node, last, err))
        return false;
    struct slice *values = arena_zalloc(arena, (type->element_count + 1) * sizeof *values);
    for (uint32_t i = 0; i < type->element_count; i++)
        if (last[i] && !map_codec_read(type->elements[i], last[i], arena, &values[i], err))
            return err_context(err, "\"%.*s\"", SLICE_ARG(type->field_names[i]));
    return map_parts_join(type, values, type->element_count, arena, cell, err);
}

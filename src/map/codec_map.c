#include "map/codec_map.h"

#include "map/members.h"
#include "map/order.h"
#include "map/parts.h"

static bool refuse_twins(struct err *err)
{
    return err_set(err, ERR_VALUE, "two entries of a map have the same key");
}

static bool append_name(const struct cql_type *type, struct slice key, struct buf *out,
                        struct err *err)
{
    struct buf name = {0};
    const struct map_codec *codec = map_codec_find(type->id);
    const bool ok =
        map_codec_to_text(codec, type, key, &name, err) &&
        (json_append_string(out, buf_slice(&name)) || err_set(err, ERR_VALUE, "not UTF-8"));
    buf_free(&name);
    return ok;
}

static bool append_entry(const struct cql_type *type, bool named, struct slice key,
                         struct slice value, struct buf *out, struct err *err)
{
    if (!named)
        buf_append_str(out, "{\"key\":");
    if (!(named ? append_name(type->elements[0], key, out, err)
                : map_codec_write(type->elements[0], key, out, err)))
        return err_context(err, "key");
    buf_append_str(out, named ? ":" : ",\"value\":");
    if (!map_codec_write(type->elements[1], value, out, err))
        return err_context(err, "value");
    if (!named)
        buf_append_char(out, '}');
    return true;
}

/* The server has no such map, but one that lies inside of another value is as a driver sent it. */
static bool has_twins(const struct cql_type *type, struct slice cell)
{
    struct map_parts parts;
    struct arena arena = {0};
    bool whole = map_parts_open(&parts, type, cell, NULL);
    struct slice *cells = arena_alloc(&arena, (cell.len / 4 + 1) * sizeof *cells);
    for (uint32_t i = 0; whole && i < parts.count; i++)
        whole = map_parts_next(&parts, &cells[i], NULL); /* each takes four bytes and more */
    const bool twins = whole && !map_order_map(type, cells, parts.count);
    arena_free(&arena);
    return twins;
}

static bool append_entries(const struct cql_type *type, struct slice cell, struct buf *out,
                           bool *ascending, struct err *err)
{
    const bool named = map_codec_is_named(type);
    struct map_parts parts;
    struct slice key, value, before = SLICE_NULL;
    if (!map_parts_open(&parts, type, cell, err))
        return false;
    for (uint32_t i = 0; i < parts.count; i += 2) {
        if (i)
            buf_append_char(out, ',');
        if (!map_parts_next(&parts, &key, err) || !map_parts_next(&parts, &value, err) ||
            !append_entry(type, named, key, value, out, err))
            return false;
        *ascending = *ascending && (i == 0 || map_order(type->elements[0], before, key) < 0);
        before = key;
    }
    return map_parts_close(&parts, err);
}

bool map_map_to_json(const struct cql_type *type, struct slice cell, struct buf *out,
                     struct err *err)
{
    const bool named = map_codec_is_named(type);
    bool ascending = true;
    buf_append_char(out, named ? '{' : '[');
    if (!append_entries(type, cell, out, &ascending, err))
        return false;
    buf_append_char(out, named ? '}' : ']');
    return ascending || !has_twins(type, cell) || refuse_twins(err);
}

/* --- reading */

struct entries {
    const struct cql_type *type;
    struct arena *arena;
    struct slice *cells; /* keys and values in turn */
    uint32_t count;      /* of cells */
};

static bool add_value(struct entries *e, const struct json_node *node, struct err *err)
{
    if (!node || node->type == JSON_NULL)
        return err_set(err, ERR_VALUE, "null is no value of a map");
    return map_codec_read(e->type->elements[1], node, e->arena, &e->cells[e->count++], err);
}

static bool read_member(struct entries *e, const struct json_node *n, struct err *err)
{
    const struct cql_type *type = e->type->elements[0];
    if (map_codec_find(type->id)->from_text(type, n->key, e->arena, &e->cells[e->count++], err) &&
        add_value(e, n, err))
        return true;
    const char *behind;
    const struct slice shown = map_excerpt(n->key, &behind);
    return err_context(err, "\"%.*s%s\"", SLICE_ARG(shown), behind);
}

static bool read_named(struct entries *e, const struct json_node *node, struct err *err)
{
    struct map_members members;
    bool ok = true;
    map_members_open(&members, node);
    for (const struct json_node *n = json_first(node); ok && n; n = json_next(node, n))
        ok = !map_members_is_last(&members, n) || read_member(e, n, err);
    map_members_close(&members);
    return ok;
}

static bool read_entry(struct entries *e, const struct json_node *n, struct err *err)
{
    const struct json_node *key = json_member(n, "key"), *value = json_member(n, "value");
    if (!key || !value || n->children != 2 || key->type == JSON_NULL)
        return err_set(err, ERR_VALUE, "an entry of this map is {\"key\":…,\"value\":…}");
    return map_codec_read(e->type->elements[0], key, e->arena, &e->cells[e->count++], err) &&
           add_value(e, value, err);
}

static bool read_listed(struct entries *e, const struct json_node *node, struct err *err)
{
    uint32_t at = 0;
    for (const struct json_node *n = json_first(node); n; n = json_next(node, n), at++)
        if (!read_entry(e, n, err))
            return err_context(err, "[%u]", at);
    return true;
}

bool map_map_from_json(const struct cql_type *type, const struct json_node *node,
                       struct arena *arena, struct slice *cell, struct err *err)
{
    const bool named = map_codec_is_named(type);
    if (node->type != (named ? JSON_OBJECT : JSON_ARRAY))
        return map_refuse_node(err, node, "map");
    struct entries e = {.type = type, .arena = arena};
    e.cells = arena_alloc(arena, ((size_t)node->children + 1) * 2 * sizeof *e.cells);
    if (!(named ? read_named(&e, node, err) : read_listed(&e, node, err)))
        return false;
    if (!map_order_map(type, e.cells, e.count))
        return refuse_twins(err);
    return map_parts_join(type, e.cells, e.count, arena, cell, err);
}

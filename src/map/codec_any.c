#include "map/codec_any.h"

#include "base/mem.h"
#include "map/parts.h"

#include <stdlib.h>

bool map_any_is(const struct cql_type *type)
{
    return type->id == CQL_UDT && slice_is(type->name, MAP_ANY_TYPE) && type->element_count == 1 &&
           type->elements[0]->id == CQL_VARCHAR && slice_is(type->field_names[0], MAP_ANY_FIELD);
}

static void append_leaf(const struct json_node *n, struct buf *out)
{
    if (n->type == JSON_STRING)
        json_append_parsed(out, n->text);
    else
        buf_append_slice(out, n->raw);
}

/* Without white space and with as few escapes as can be. Values may be nested deeper than a stack
 * goes: those that are open are the nodes in open. */
static void append_compact(const struct json_node *root, struct buf *out)
{
    const struct json_node **open = NULL;
    size_t depth = 0, room = 0;
    const struct json_node *end = root + root->span;
    for (const struct json_node *n = root;; n++) {
        while (depth && n == open[depth - 1] + open[depth - 1]->span)
            buf_append_char(out, open[--depth]->type == JSON_ARRAY ? ']' : '}');
        if (n == end)
            break;
        if (depth && n != open[depth - 1] + 1)
            buf_append_char(out, ',');
        if (!slice_is_null(n->key) && n != root) {
            json_append_parsed(out, n->key);
            buf_append_char(out, ':');
        }
        if (n->type != JSON_ARRAY && n->type != JSON_OBJECT) {
            append_leaf(n, out);
            continue;
        }
        buf_append_char(out, n->type == JSON_ARRAY ? '[' : '{');
        if (depth == room) {
            room = room ? 2 * room : 32;
            open = mem_realloc(open, room * sizeof *open);
        }
        open[depth++] = n;
    }
    free((void *)open);
}

/* Appends what the text stands for. In brackets, because it has to fit into a document. */
static bool append_text(struct slice text, struct buf *out, struct err *err)
{
    struct json_doc *doc = json_doc_new();
    struct buf wrapped = {0};
    buf_append_char(&wrapped, '[');
    buf_append_slice(&wrapped, text);
    buf_append_char(&wrapped, ']');
    bool ok = json_parse(doc, buf_slice(&wrapped), false, err);
    if (ok && json_root(doc)->children != 1)
        ok = err_set(err, ERR_VALUE, "no JSON, or several values");
    if (ok)
        append_compact(json_first(json_root(doc)), out);
    json_doc_free(doc);
    buf_free(&wrapped);
    return ok;
}

static bool take_text(const struct cql_type *type, struct slice cell, struct slice *text,
                      struct err *err)
{
    struct map_parts parts;
    return map_parts_open(&parts, type, cell, err) && map_parts_next(&parts, text, err) &&
           map_parts_close(&parts, err);
}

bool map_any_to_json(const struct cql_type *type, struct slice cell, struct buf *out,
                     struct err *err)
{
    struct slice text;
    if (!take_text(type, cell, &text, err))
        return false;
    if (slice_is_null(text))
        return err_set(err, ERR_VALUE, "no text in a " MAP_ANY_TYPE);
    return append_text(text, out, err) || err_context(err, "the text is no JSON");
}

bool map_any_from_json(const struct cql_type *type, const struct json_node *node,
                       struct arena *arena, struct slice *cell, struct err *err)
{
    struct buf text = {0};
    append_compact(node, &text);
    const struct slice value = buf_slice(&text);
    const bool ok = map_parts_join(type, &value, 1, arena, cell, err);
    buf_free(&text);
    return ok;
}

struct slice map_any_normal(const struct cql_type *type, struct slice cell, struct arena *arena)
{
    struct slice text, again = cell;
    struct buf compact = {0};
    if (slice_is_null(cell) || !take_text(type, cell, &text, NULL))
        return cell;
    if (slice_is_null(text))
        return SLICE_NULL;
    if (append_text(text, &compact, NULL)) {
        const struct slice value = buf_slice(&compact);
        if (slice_is(value, "null"))
            again = SLICE_NULL;
        else if (!map_parts_join(type, &value, 1, arena, &again, NULL))
            again = cell;
    }
    buf_free(&compact);
    return again;
}

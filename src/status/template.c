#include "status/template.h"

/* An object, and the one around it. */
struct scope {
    const struct json_node *node;
    const struct scope *outer;
};

struct rendering {
    const struct template_part *parts;
    size_t part_count;
    struct buf *out;
};

struct tag {
    char kind; /* # ^ / > or 0: a value */
    struct slice name;
    size_t from, to; /* of the tag in the text, braces included */
};

void template_escape(struct slice text, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        switch (text.ptr[i]) {
        case '&':
            buf_append_str(out, "&amp;");
            break;
        case '<':
            buf_append_str(out, "&lt;");
            break;
        case '>':
            buf_append_str(out, "&gt;");
            break;
        case '"':
            buf_append_str(out, "&quot;");
            break;
        case '\'':
            buf_append_str(out, "&#39;");
            break;
        default:
            buf_append_char(out, text.ptr[i]);
        }
    }
}

static bool next_tag(struct slice text, size_t at, struct tag *tag)
{
    const char *open = memmem(text.ptr + at, text.len - at, "{{", 2);
    if (!open)
        return false;
    const size_t from = (size_t)(open - text.ptr) + 2;
    const char *close = memmem(text.ptr + from, text.len - from, "}}", 2);
    if (!close)
        return false;
    *tag = (struct tag){.from = from - 2,
                        .to = (size_t)(close - text.ptr) + 2,
                        .name = slice_of(text.ptr + from, (size_t)(close - open) - 2)};
    if (tag->name.len > 0 && memchr("#^/>", tag->name.ptr[0], 4)) {
        tag->kind = tag->name.ptr[0];
        tag->name = slice_of(tag->name.ptr + 1, tag->name.len - 1);
    }
    return true;
}

/* Where the section's end stands; false: it has none. */
static bool find_end(struct slice text, size_t at, struct slice name, struct tag *end)
{
    unsigned depth = 1;
    while (next_tag(text, at, end)) {
        at = end->to;
        if (!slice_equal(end->name, name))
            continue;
        if (end->kind == '/' && --depth == 0)
            return true;
        if (end->kind == '#' || end->kind == '^')
            depth++;
    }
    return false;
}

static const struct json_node *member(const struct json_node *object, struct slice name)
{
    if (object->type != JSON_OBJECT)
        return NULL;
    for (const struct json_node *n = json_first(object); n; n = json_next(object, n)) {
        if (slice_equal(n->key, name))
            return n;
    }
    return NULL;
}

static const struct json_node *look_up(const struct scope *scope, struct slice name)
{
    if (slice_is(name, "."))
        return scope->node;
    for (; scope; scope = scope->outer) {
        const struct json_node *found = member(scope->node, name);
        if (found)
            return found;
    }
    return NULL;
}

static bool counts(const struct json_node *n)
{
    return n && n->type != JSON_NULL && n->type != JSON_FALSE &&
           !(n->type == JSON_STRING && n->text.len == 0) &&
           !(n->type == JSON_ARRAY && n->children == 0);
}

static void render(const struct rendering *r, struct slice text, const struct scope *scope);

static void render_section(const struct rendering *r, const struct tag *tag, struct slice inner,
                           const struct scope *scope)
{
    const struct json_node *value = look_up(scope, tag->name);
    if (counts(value) == (tag->kind == '^'))
        return;
    if (tag->kind == '^') {
        render(r, inner, scope);
    } else if (value->type == JSON_ARRAY) {
        for (const struct json_node *n = json_first(value); n; n = json_next(value, n))
            render(r, inner, &(struct scope){n, scope});
    } else {
        render(r, inner, &(struct scope){value, scope});
    }
}

static void render_part(const struct rendering *r, struct slice name)
{
    for (size_t i = 0; i < r->part_count; i++) {
        if (slice_is(name, r->parts[i].name))
            buf_append_slice(r->out, r->parts[i].text);
    }
}

static void render(const struct rendering *r, struct slice text, const struct scope *scope)
{
    struct tag tag, end;
    size_t at = 0;
    for (; next_tag(text, at, &tag); at = tag.to) {
        buf_append(r->out, text.ptr + at, tag.from - at);
        if (tag.kind == '>') {
            render_part(r, tag.name);
        } else if (tag.kind == '#' || tag.kind == '^') {
            if (!find_end(text, tag.to, tag.name, &end))
                continue;
            render_section(r, &tag, slice_of(text.ptr + tag.to, end.from - tag.to), scope);
            tag.to = end.to;
        } else if (tag.kind == 0) {
            const struct json_node *value = look_up(scope, tag.name);
            if (value)
                template_escape(value->text, r->out);
        }
    }
    buf_append(r->out, text.ptr + at, text.len - at);
}

void template_render(struct slice text, const struct json_node *model,
                     const struct template_part *parts, size_t count, struct buf *out)
{
    const struct rendering r = {parts, count, out};
    render(&r, text, &(struct scope){model, NULL});
}

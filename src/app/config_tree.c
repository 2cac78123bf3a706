#include "app/config_tree.h"

#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <yaml.h>

struct anchor {
    const char *name;
    struct config_node *node;
};

struct builder {
    struct config_doc *doc;
    yaml_parser_t parser;
    struct buf anchors; /* of struct anchor */
    size_t weight;
    struct err *err;
};

static struct config_node *build_node(struct builder *b, const yaml_event_t *event,
                                      struct config_node *parent, const char *key, size_t index,
                                      unsigned line, unsigned depth);

const struct config_node *config_tree_get(const struct config_node *map, const char *key)
{
    if (!map || map->kind != CONFIG_MAP)
        return NULL;
    for (size_t i = 0; i < map->count; i++)
        if (strcmp(map->items[i]->key, key) == 0)
            return map->items[i]->kind == CONFIG_NULL ? NULL : map->items[i];
    return NULL;
}

const char *config_tree_path(const struct config_node *node, char *out, size_t size)
{
    const struct config_node *way[CONFIG_DEPTH_MAX + 2];
    size_t depth = 0;
    size_t len = 0;
    out[0] = '\0';
    for (; node && node->parent && depth < ARRAY_LEN(way); node = node->parent)
        way[depth++] = node;
    while (depth > 0 && len < size) {
        node = way[--depth];
        int more = node->key ? snprintf(out + len, size - len, "%s%.60s", len ? "." : "", node->key)
                             : snprintf(out + len, size - len, "[%zu]", node->index + 1);
        len += more > 0 ? (size_t)more : 0;
    }
    return out;
}

bool config_fail(const struct config_doc *doc, const struct config_node *node, const char *member,
                 struct err *err, const char *fmt, ...)
{
    char path[200];
    char what[320];
    va_list args;
    va_start(args, fmt);
    vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    config_tree_path(node, path, sizeof path);
    const char *dot = member && path[0] ? "." : "";
    const char *colon = member || path[0] ? ": " : "";
    return err_set(err, ERR_CONFIG, "%s:%u: %s%s%.60s%s%s", doc->file, node->line, path, dot,
                   member ? member : "", colon, what);
}

static bool fail_at(struct builder *b, size_t line, const char *what)
{
    return err_set(b->err, ERR_CONFIG, "%s:%zu: %s", b->doc->file, line, what);
}

/* YAML forbids tabs in indentation, and libyaml's words for it don't say so. */
static bool tab_indents(struct slice text, size_t line)
{
    const char *p = text.ptr;
    const char *end = text.ptr + text.len;
    while (line > 1 && p < end)
        if (*p++ == '\n')
            line--;
    while (p < end && *p == ' ')
        p++;
    return p < end && *p == '\t';
}

static bool syntax_error(struct builder *b)
{
    const yaml_parser_t *p = &b->parser;
    if (p->error == YAML_READER_ERROR) {
        size_t line = 1;
        for (size_t i = 0; i < p->problem_offset && i < b->doc->text.len; i++)
            line += b->doc->text.ptr[i] == '\n';
        return fail_at(b, line,
                       "not UTF-8 text; save the file as UTF-8 without control characters");
    }
    size_t line = p->problem_mark.line + 1;
    if (tab_indents(b->doc->text, line))
        return fail_at(b, line, "a tab in the indentation; use spaces");
    return err_set(b->err, ERR_CONFIG, "%s:%zu: not valid YAML (%s); check indentation and quotes",
                   b->doc->file, line, p->problem ? p->problem : "out of memory");
}

static bool next_event(struct builder *b, yaml_event_t *event)
{
    return yaml_parser_parse(&b->parser, event) ? true : syntax_error(b);
}

static unsigned line_of(const yaml_event_t *event)
{
    return (unsigned)event->start_mark.line + 1;
}

static bool is_name_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* Replaces one ${NAME} that starts at p; returns what follows it, or NULL with err set. */
static const char *expand_one(struct builder *b, struct config_node *node, const char *p,
                              struct buf *out)
{
    const char *name = p + 2;
    const char *end = name;
    while (is_name_char(*end))
        end++;
    if (*end != '}' || end == name) {
        config_fail(b->doc, node, NULL, b->err,
                    "a ${ without a variable's name and }; write $${ for the text itself");
        return NULL;
    }
    char copy[128];
    snprintf(copy, sizeof copy, "%.*s", (int)(end - name), name);
    const char *value = b->doc->env ? b->doc->env(b->doc->env_ctx, copy) : NULL;
    if (!value) {
        config_fail(b->doc, node, NULL, b->err,
                    "environment variable %s is not set; set it, or write $${ for the text itself",
                    copy);
        return NULL;
    }
    buf_append_str(out, value);
    node->hidden = true;
    return end + 1;
}

static bool expand(struct builder *b, struct config_node *node, const char *text)
{
    struct buf out = {0};
    const char *p = text;
    while (p && *p) {
        if (strncmp(p, "$${", 3) == 0) {
            buf_append_str(&out, "${");
            p += 3;
        } else if (strncmp(p, "${", 2) == 0) {
            p = expand_one(b, node, p, &out);
        } else {
            buf_append_char(&out, *p++);
        }
    }
    if (p)
        node->text = arena_copy(b->doc->arena, buf_slice(&out)).ptr;
    buf_free(&out);
    return p != NULL;
}

static bool is_null_word(const char *text)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcmp(text, words[i]) == 0)
            return true;
    return false;
}

static bool plain_tag(const unsigned char *tag)
{
    const char *prefix = "tag:yaml.org,2002:";
    const char *text = (const char *)tag;
    return !text || strcmp(text, "!") == 0 ||
           (strncmp(text, prefix, strlen(prefix)) == 0 && !strchr(text, '/'));
}

static bool fill_scalar(struct builder *b, struct config_node *node, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    if (!plain_tag(event->data.scalar.tag))
        return config_fail(b->doc, node, NULL, b->err,
                           "YAML tags are not known here; leave it out");
    if (strlen(text) != event->data.scalar.length)
        return config_fail(b->doc, node, NULL, b->err, "holds a NUL character; remove it");
    node->kind = CONFIG_SCALAR;
    if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && is_null_word(text)) {
        node->kind = CONFIG_NULL;
        return true;
    }
    return expand(b, node, text);
}

static void set_items(struct builder *b, struct config_node *node, const struct buf *items)
{
    node->items =
        (const struct config_node *const *)(const void *)arena_copy(b->doc->arena, buf_slice(items))
            .ptr;
    node->count = items->len / sizeof(struct config_node *);
}

static bool fill_list(struct builder *b, struct config_node *node, unsigned depth)
{
    struct buf items = {0};
    bool ok = false;
    yaml_event_t event;
    while (next_event(b, &event)) {
        if (event.type == YAML_SEQUENCE_END_EVENT) {
            ok = true;
            yaml_event_delete(&event);
            break;
        }
        struct config_node *item =
            build_node(b, &event, node, NULL, items.len / sizeof item, line_of(&event), depth + 1);
        yaml_event_delete(&event);
        if (!item)
            break;
        buf_append(&items, &item, sizeof item);
        node->weight += item->weight;
    }
    node->kind = CONFIG_LIST;
    set_items(b, node, &items);
    buf_free(&items);
    return ok;
}

static const struct config_node *member_of(const struct buf *items, const char *key)
{
    const struct config_node *const *all = (const void *)items->ptr;
    for (size_t i = 0; i < items->len / sizeof *all; i++)
        if (strcmp(all[i]->key, key) == 0)
            return all[i];
    return NULL;
}

/* The members of "<<" that the map doesn't have itself. */
static bool merge(struct builder *b, struct config_node *node, const struct config_node *from,
                  struct buf *items)
{
    if (from->kind == CONFIG_LIST) {
        for (size_t i = 0; i < from->count; i++)
            if (from->items[i]->kind != CONFIG_MAP || !merge(b, node, from->items[i], items))
                return config_fail(b->doc, from, NULL, b->err,
                                   "merges no maps; give *names of maps");
        return true;
    }
    if (from->kind != CONFIG_MAP)
        return config_fail(b->doc, from, NULL, b->err, "merges no map; give a *name of a map");
    for (size_t i = 0; i < from->count; i++)
        if (!member_of(items, from->items[i]->key))
            buf_append(items, &from->items[i], sizeof from->items[i]);
    return true;
}

/* Reads the value behind a key; NULL with err set when that is wrong. */
static struct config_node *build_member(struct builder *b, struct config_node *node,
                                        const yaml_event_t *key, const struct buf *items,
                                        unsigned depth)
{
    struct config_node at = {.line = line_of(key), .parent = node};
    if (key->type != YAML_SCALAR_EVENT ||
        strlen((const char *)key->data.scalar.value) != key->data.scalar.length) {
        config_fail(b->doc, &at, NULL, b->err, "a key that is no name; write name: value");
        return NULL;
    }
    if (key->data.scalar.length > CONFIG_KEY_LEN_MAX) {
        config_fail(b->doc, &at, NULL, b->err, "a key of more than %d bytes; shorten it",
                    CONFIG_KEY_LEN_MAX);
        return NULL;
    }
    at.key =
        arena_copy(b->doc->arena, slice_of(key->data.scalar.value, key->data.scalar.length)).ptr;
    const struct config_node *twin = member_of(items, at.key);
    if (twin) {
        config_fail(b->doc, &at, NULL, b->err, "given twice, first in line %u; remove one",
                    twin->line);
        return NULL;
    }
    if (items->len / sizeof(void *) >= CONFIG_KEYS_MAX) {
        config_fail(b->doc, &at, NULL, b->err, "more than %d keys in one map; use fewer",
                    CONFIG_KEYS_MAX);
        return NULL;
    }
    yaml_event_t event;
    if (!next_event(b, &event))
        return NULL;
    struct config_node *value =
        build_node(b, &event, node, at.key, items->len / sizeof value, at.line, depth + 1);
    yaml_event_delete(&event);
    return value;
}

static bool fill_map(struct builder *b, struct config_node *node, unsigned depth)
{
    struct buf items = {0};
    const struct config_node *merged = NULL;
    bool ok = false;
    yaml_event_t event;
    node->kind = CONFIG_MAP;
    while (next_event(b, &event)) {
        if (event.type == YAML_MAPPING_END_EVENT) {
            ok = !merged || merge(b, node, merged, &items);
            yaml_event_delete(&event);
            break;
        }
        struct config_node *value = build_member(b, node, &event, &items, depth);
        yaml_event_delete(&event);
        if (!value)
            break;
        node->weight += value->weight;
        if (strcmp(value->key, "<<") == 0 && merged) {
            config_fail(b->doc, value, NULL, b->err,
                        "given twice, first in line %u; write <<: [*one, *other]", merged->line);
            break;
        }
        if (strcmp(value->key, "<<") == 0)
            merged = value;
        else
            buf_append(&items, &value, sizeof value);
    }
    set_items(b, node, &items);
    buf_free(&items);
    return ok;
}

/* A copy that knows its new place; what is below it stays where the anchor is. */
static bool fill_alias(struct builder *b, struct config_node *node, const yaml_event_t *event)
{
    const char *name = (const char *)event->data.alias.anchor;
    const struct anchor *all = (const void *)b->anchors.ptr;
    for (size_t i = b->anchors.len / sizeof *all; i-- > 0;) {
        if (strcmp(all[i].name, name) != 0)
            continue;
        struct config_node copy = *all[i].node;
        copy.line = node->line;
        copy.parent = node->parent;
        copy.key = node->key;
        copy.index = node->index;
        *node = copy;
        return true;
    }
    return config_fail(b->doc, node, NULL, b->err,
                       "*%.60s is not defined above; define it with &%.60s before it is used", name,
                       name);
}

static const char *anchor_of(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return (const char *)event->data.scalar.anchor;
    case YAML_SEQUENCE_START_EVENT:
        return (const char *)event->data.sequence_start.anchor;
    case YAML_MAPPING_START_EVENT:
        return (const char *)event->data.mapping_start.anchor;
    default:
        return NULL;
    }
}

static bool add_anchor(struct builder *b, const yaml_event_t *event, struct config_node *node)
{
    const char *name = anchor_of(event);
    if (!name)
        return true;
    if (b->anchors.len / sizeof(struct anchor) >= CONFIG_ANCHORS_MAX)
        return config_fail(b->doc, node, NULL, b->err, "more than %d &names; use fewer",
                           CONFIG_ANCHORS_MAX);
    struct anchor anchor = {arena_copy(b->doc->arena, slice_str(name)).ptr, node};
    buf_append(&b->anchors, &anchor, sizeof anchor);
    return true;
}

static bool fill_node(struct builder *b, struct config_node *node, const yaml_event_t *event,
                      unsigned depth)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return fill_scalar(b, node, event);
    case YAML_ALIAS_EVENT:
        return fill_alias(b, node, event);
    case YAML_SEQUENCE_START_EVENT:
        return fill_list(b, node, depth);
    default:
        return fill_map(b, node, depth);
    }
}

static struct config_node *build_node(struct builder *b, const yaml_event_t *event,
                                      struct config_node *parent, const char *key, size_t index,
                                      unsigned line, unsigned depth)
{
    struct config_node *node = arena_zalloc(b->doc->arena, sizeof *node);
    *node = (struct config_node){
        .line = line, .parent = parent, .key = key, .index = index, .weight = 1};
    if (depth > CONFIG_DEPTH_MAX) {
        config_fail(b->doc, node, NULL, b->err, "nested more than %d deep; flatten it",
                    CONFIG_DEPTH_MAX);
        return NULL;
    }
    if (!fill_node(b, node, event, depth))
        return NULL;
    b->weight += event->type == YAML_ALIAS_EVENT ? node->weight : 1;
    if (b->weight > CONFIG_NODES_MAX) {
        config_fail(b->doc, node, NULL, b->err, "more than %d values; use fewer (or fewer *names)",
                    CONFIG_NODES_MAX);
        return NULL;
    }
    return add_anchor(b, event, node) ? node : NULL;
}

static bool take_root(struct builder *b, const yaml_event_t *event)
{
    const struct config_node *root = build_node(b, event, NULL, NULL, 0, line_of(event), 0);
    if (!root)
        return false;
    if (root->kind == CONFIG_NULL)
        return true;
    if (root->kind != CONFIG_MAP)
        return config_fail(b->doc, root, NULL, b->err,
                           "not a configuration; write lines of the form key: value");
    b->doc->root = root;
    return true;
}

static bool read_stream(struct builder *b)
{
    bool have_document = false;
    for (;;) {
        yaml_event_t event;
        if (!next_event(b, &event))
            return false;
        yaml_event_type_t type = event.type;
        bool ok = true;
        if (type == YAML_DOCUMENT_START_EVENT) {
            if (have_document)
                ok = fail_at(b, line_of(&event), "a second document; remove it and its ---");
            have_document = true;
        } else if (type == YAML_SCALAR_EVENT || type == YAML_ALIAS_EVENT ||
                   type == YAML_SEQUENCE_START_EVENT || type == YAML_MAPPING_START_EVENT) {
            ok = take_root(b, &event);
        }
        yaml_event_delete(&event);
        if (!ok || type == YAML_STREAM_END_EVENT)
            return ok;
    }
}

bool config_tree_read(struct config_doc *doc, struct err *err)
{
    struct builder b = {.doc = doc, .err = err};
    struct config_node *empty = arena_zalloc(doc->arena, sizeof *empty);
    empty->kind = CONFIG_MAP;
    empty->line = 1;
    doc->root = empty;
    if (doc->text.len > CONFIG_TEXT_MAX)
        return err_set(err, ERR_CONFIG, "%s:1: larger than 1 MiB; this is no configuration",
                       doc->file);
    if (!yaml_parser_initialize(&b.parser))
        return err_set(err, ERR_INTERNAL, "out of memory");
    yaml_parser_set_input_string(&b.parser, (const unsigned char *)doc->text.ptr, doc->text.len);
    bool ok = read_stream(&b);
    yaml_parser_delete(&b.parser);
    buf_free(&b.anchors);
    return ok;
}

// layer: es
#include "es/answer.h"
#include "es/feed_body.h"
#include "es/version.h"

#include <stdlib.h>

/* The first byte chooses what the rest is an answer to. */

static volatile size_t sum;

static void touch(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        sum += (unsigned char)s.ptr[i];
}

static void touch_document(const struct es_document *d)
{
    touch(d->id);
    if (d->source)
        touch(d->source->raw);
}

static size_t children(const struct json_node *json, const char *name)
{
    const struct json_node *list = json_member(json, name);
    return list ? list->children : 1;
}

static void read_bulk(const struct json_node *json)
{
    const size_t count = children(json, "items");
    struct es_bulk_item *items = calloc(count + 1, sizeof *items);
    struct buf texts = {0};
    struct err err = {0};
    if (es_bulk_read(json, items, count, &texts, &err)) {
        for (size_t i = 0; i < count; i++) {
            if (slice_is_null(items[i].reason) != (items[i].code == ERR_NONE) &&
                items[i].status >= 300)
                abort();
            if (!slice_is_null(items[i].reason) && !json_utf8_valid(items[i].reason))
                abort();
            touch(items[i].reason);
        }
    } else if (err.code == ERR_NONE) {
        abort();
    }
    buf_free(&texts);
    free(items);
}

static void read_mget(const struct json_node *json)
{
    const size_t count = children(json, "docs");
    struct es_document *documents = calloc(count + 1, sizeof *documents);
    struct slice *ids = calloc(count + 1, sizeof *ids);
    const struct json_node *list = json_member(json, "docs");
    size_t i = 0;
    for (const struct json_node *n = list ? json_first(list) : NULL; n; n = json_next(list, n)) {
        const struct json_node *id = json_member(n, "_id");
        ids[i++] = id ? id->text : SLICE_LIT("x");
    }
    struct err err = {0};
    if (es_mget_read(json, ids, documents, count, &err)) {
        for (i = 0; i < count; i++)
            touch_document(&documents[i]);
    } else if (err.code == ERR_NONE) {
        abort();
    }
    free(ids);
    free(documents);
}

static void read_search(const struct json_node *json, bool scroll)
{
    struct err err = {0};
    const struct json_node *hits = es_hits(json, &err);
    if (!hits)
        return;
    for (const struct json_node *n = json_first(hits); n; n = json_next(hits, n)) {
        struct es_document document;
        if (es_hit_read(n, &document, &err))
            touch_document(&document);
    }
    struct es_feed_state state = {0};
    if (es_feed_keep_position(&state, json, hits, scroll)) {
        touch(buf_slice(&state.context));
        touch(buf_slice(&state.after));
    }
    buf_free(&state.context);
    buf_free(&state.after);
}

static void read_error(const struct json_node *json)
{
    struct buf text = {0};
    const struct json_node *error = json_member(json, "error");
    buf_append_str(&text, "x");
    sum += es_status_code(403, error);
    es_error_text(error, &text);
    if (text.len > 1 + ERR_TEXT_MAX || !json_utf8_valid(buf_slice(&text)))
        abort();
    buf_free(&text);
}

static void read_version(const struct json_node *json)
{
    const struct json_node *number = json_path(json, "version.number");
    const struct json_node *distribution = json_path(json, "version.distribution");
    struct es_version v;
    struct err err = {0};
    if (number &&
        es_version_parse(distribution ? distribution->text : SLICE_NULL, number->text, &v, &err))
        sum += (size_t)v.major;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct json_doc *doc;
    if (!doc)
        doc = json_doc_new();
    struct err err = {0};
    if (size == 0 || !json_parse(doc, slice_of(data + 1, size - 1), false, &err))
        return 0;
    const struct json_node *json = json_root(doc);
    const struct json_node *mapping;
    switch (data[0] % 8) {
    case 0:
        read_bulk(json);
        break;
    case 1:
        read_mget(json);
        break;
    case 2:
    case 3:
        read_search(json, data[0] % 2);
        break;
    case 4:
    case 5:
        mapping = es_mapping_read(json, data[0] % 2 ? "doc" : NULL, &err);
        if (mapping)
            touch(mapping->raw);
        else if (err.code == ERR_NONE)
            abort();
        break;
    case 6:
        read_error(json);
        break;
    default:
        read_version(json);
    }
    return 0;
}

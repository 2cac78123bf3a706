#include "sink/documents.h"

#include "base/mem.h"
#include "io/task.h"
#include "map/convert.h"

#include <stdlib.h>

struct documents {
    struct sink sink;
    struct es_client *client;
    struct sink_documents_options options;
    struct json_doc *present; /* of the document that is replaced */
    struct buf rendered;
};

/* A bulk on its way. writes is a run of the caller's array without those that were refused
 * before sending. */
struct bulk {
    struct documents *sink;
    struct io_group *group;
    struct sink_write **writes;
    size_t count;
    struct buf body;
    size_t len; /* of the body that was sent */
};

static void refuse(struct sink_write *write, const struct err *err)
{
    write->err = *err;
    write->outcome = err_class_of(err->code) == ERR_CLASS_REJECT ? SINK_REJECTED : SINK_RETRY;
}

static void take_outcome(struct sink_write *write, const struct es_bulk_item *item)
{
    if (item->code == ERR_NONE) {
        write->outcome = SINK_APPLIED;
        return;
    }
    struct err err = {0};
    err_set(&err, item->code, "%.*s", SLICE_ARG(item->reason));
    refuse(write, &err);
    if (item->code == ERR_CONFLICT)
        write->outcome = SINK_SUPERSEDED;
    else if (item->code == ERR_NOT_FOUND) /* it is the index that is missing */
        write->outcome = SINK_RETRY;
}

/* Nothing of it took effect. Less at once may pass; if it is one write only, nothing does. */
static void take_too_large(struct bulk *bulk)
{
    struct documents *d = bulk->sink;
    if (bulk->count == 1)
        bulk->writes[0]->outcome = SINK_REJECTED;
    else if (d->options.body_bytes > bulk->len / 2)
        d->options.body_bytes = bulk->len / 2;
}

static void on_bulk(void *ctx, const struct es_bulk_item *items, size_t count,
                    const struct err *err)
{
    struct bulk *bulk = ctx;
    for (size_t i = 0; i < bulk->count; i++) {
        struct sink_write *write = bulk->writes[i];
        if (!err && i < count) {
            take_outcome(write, &items[i]);
        } else {
            /* What of it took effect is unknown, so no class of error makes it final. */
            if (err)
                write->err = *err;
            write->outcome = SINK_RETRY;
        }
    }
    if (err && err->code == ERR_TOO_LARGE)
        take_too_large(bulk);
    io_group_done(bulk->group);
    free(bulk->writes);
    free(bulk);
}

static void send_bulk(struct documents *d, struct bulk *bulk)
{
    if (bulk->count == 0) {
        buf_free(&bulk->body);
        free(bulk->writes);
        free(bulk);
        return;
    }
    struct err err = {0};
    struct buf body = bulk->body;
    bulk->body = (struct buf){0};
    bulk->len = body.len;
    io_group_add(bulk->group);
    if (!es_bulk(d->client, &body, bulk->count, on_bulk, bulk, &err)) {
        buf_free(&body);
        on_bulk(bulk, NULL, 0, &err);
    }
}

/* Fields that no column takes stay: they are taken from the document that is there. */
static bool present_document(struct documents *d, const struct sink_write *write,
                             const struct json_node **node, struct err *err)
{
    *node = NULL;
    if (!write->document || slice_is_null(write->document->source))
        return true;
    if (!json_parse(d->present, write->document->source, false, err))
        return false;
    *node = json_root(d->present);
    return true;
}

static bool append(struct documents *d, struct bulk *bulk, struct sink_write *write,
                   struct err *err)
{
    const struct es_action action = {.id = write->key->text,
                                     .routing =
                                         write->document ? write->document->routing : SLICE_NULL,
                                     .version = write->version,
                                     .gte = write->gte};
    if (write->delete)
        return es_bulk_delete(d->client, &bulk->body, &action, err);
    const struct json_node *present;
    buf_clear(&d->rendered);
    if (!present_document(d, write, &present, err) ||
        !map_document_render(d->options.schema, write->content->cells, d->options.timestamp_field,
                             write->version, present, &d->rendered, err))
        return false;
    if (write->row && write->row->ttl > 0)
        map_document_add_number(&d->rendered, d->options.schema->ttl_field, write->row->ttl);
    return es_bulk_index(d->client, &bulk->body, &action, buf_slice(&d->rendered), err);
}

static struct bulk *new_bulk(struct documents *d, struct io_group *group, size_t items)
{
    struct bulk *bulk = mem_zalloc(sizeof *bulk);
    bulk->sink = d;
    bulk->group = group;
    bulk->writes = mem_array(items, sizeof *bulk->writes);
    return bulk;
}

/* In bulks of at most so many items. */
static void apply_by(struct documents *d, struct sink_write *const *writes, size_t count,
                     size_t items)
{
    struct io_group group = {0};
    struct bulk *bulk = new_bulk(d, &group, items);
    for (size_t i = 0; i < count; i++) {
        struct err err = {0};
        const size_t before = bulk->body.len;
        if (append(d, bulk, writes[i], &err)) {
            bulk->writes[bulk->count++] = writes[i];
        } else {
            bulk->body.len = before;
            refuse(writes[i], &err);
        }
        if (bulk->count == items || bulk->body.len >= d->options.body_bytes) {
            send_bulk(d, bulk);
            io_group_wait_below(&group, d->options.in_flight - 1);
            bulk = new_bulk(d, &group, items);
        }
    }
    send_bulk(d, bulk);
    io_group_wait(&group);
}

static size_t keep_too_large(struct sink_write **writes, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (writes[i]->outcome == SINK_RETRY && writes[i]->err.code == ERR_TOO_LARGE)
            writes[kept++] = writes[i];
    }
    return kept;
}

static void documents_apply(struct sink *sink, struct sink_write *const *writes, size_t count)
{
    struct documents *d = (struct documents *)sink;
    struct sink_write **left = mem_array(count, sizeof *left);
    memcpy(left, writes, count * sizeof *left);
    size_t items = count < d->options.body_items ? count : d->options.body_items;
    while (count > 0) {
        apply_by(d, left, count, items);
        count = keep_too_large(left, count);
        items = (items + 1) / 2;
    }
    free(left);
}

static void documents_free(struct sink *sink)
{
    struct documents *d = (struct documents *)sink;
    json_doc_free(d->present);
    buf_free(&d->rendered);
    free(d);
}

static const struct sink_ops documents_ops = {
    .side = CHANGE_ELASTICSEARCH, .apply = documents_apply, .free = documents_free};

struct sink *sink_documents_new(struct es_client *client,
                                const struct sink_documents_options *options)
{
    struct documents *d = mem_zalloc(sizeof *d);
    d->sink.ops = &documents_ops;
    d->client = client;
    d->options = *options;
    if (d->options.body_bytes == 0)
        d->options.body_bytes = 4 << 20;
    if (d->options.body_items == 0)
        d->options.body_items = 1000;
    if (d->options.in_flight == 0)
        d->options.in_flight = 4;
    d->present = json_doc_new();
    return &d->sink;
}

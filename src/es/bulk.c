#include "base/mem.h"
#include "es/answer.h"
#include "es/client.h"
#include "es/request.h"

#include <stdlib.h>

enum { ID_MAX = 512, BODY_MAX = 100 << 20, TOO_LARGE = 413 };
/* `_timestamp` takes 13 digits at most; a longer one fails the whole bulk. */
static const int64_t META_TIMESTAMP_MAX = 9999999999999;

struct bulk {
    const struct es_client *client;
    size_t count;
    es_bulk_fn *done;
    void *ctx;
};

/* What the server would refuse together with the rest of the bulk. */
static bool check_action(const struct es_client *client, struct slice id, int64_t version,
                         struct slice routing, struct err *err)
{
    if (client->wants_routing && slice_is_null(routing))
        return err_set(err, ERR_REQUEST,
                       "routing is required by the index's mapping, and only its "
                       "documents tell which");
    if (id.len == 0 || id.len > ID_MAX)
        return err_set(err, ERR_VALUE, "an _id has 1 to %d bytes, this key %zu", ID_MAX, id.len);
    if (version < 0)
        return err_set(err, ERR_VALUE, "version %lld is negative", (long long)version);
    if (client->version.meta_timestamp && version > META_TIMESTAMP_MAX)
        return err_set(err, ERR_VALUE, "version %lld has more than the 13 digits of a _timestamp",
                       (long long)version);
    return true;
}

/* All versions know "routing". */
static bool append_id(struct buf *body, const char *verb, struct slice id, struct slice routing,
                      struct err *err)
{
    buf_append_str(body, "{\"");
    buf_append_str(body, verb);
    buf_append_str(body, "\":{\"_id\":");
    if (!json_append_string(body, id))
        return err_set(err, ERR_VALUE, "the key is not UTF-8");
    if (slice_is_null(routing))
        return true;
    buf_append_str(body, ",\"routing\":");
    return json_append_string(body, routing) || err_set(err, ERR_VALUE, "a routing is not UTF-8");
}

static bool append_action(const struct es_client *client, struct buf *body, const char *verb,
                          const struct es_action *a, struct err *err)
{
    const bool underscore = client->version.underscore_meta;
    if (!check_action(client, a->id, a->version, a->routing, err) ||
        !append_id(body, verb, a->id, a->routing, err))
        return false;
    buf_append_str(body, underscore ? ",\"_version\":" : ",\"version\":");
    buf_append_i64_text(body, a->version);
    buf_append_str(body, underscore ? ",\"_version_type\":\"" : ",\"version_type\":\"");
    buf_append_str(body, a->gte ? "external_gte\"" : "external\"");
    if (client->version.meta_timestamp) {
        buf_append_str(body, ",\"_timestamp\":");
        buf_append_i64_text(body, a->version);
    }
    buf_append_str(body, "}}\n");
    return true;
}

bool es_bulk_index(const struct es_client *client, struct buf *body, const struct es_action *action,
                   struct slice source, struct err *err)
{
    const size_t before = body->len;
    if (source.len == 0 || memchr(source.ptr, '\n', source.len))
        return err_set(err, ERR_VALUE, "the document is not one line of JSON");
    if (!append_action(client, body, "index", action, err)) {
        body->len = before;
        return false;
    }
    buf_append_slice(body, source);
    buf_append_char(body, '\n');
    return true;
}

bool es_bulk_delete(const struct es_client *client, struct buf *body,
                    const struct es_action *action, struct err *err)
{
    const size_t before = body->len;
    if (append_action(client, body, "delete", action, err))
        return true;
    body->len = before;
    return false;
}

bool es_bulk_delete_if(const struct es_client *client, struct buf *body,
                       const struct es_document *seen, struct err *err)
{
    const size_t before = body->len;
    const struct es_action action = {
        .id = seen->id, .routing = seen->routing, .version = seen->version, .gte = true};
    if (!client->version.sequence_numbers || seen->seq_no < 0)
        return es_bulk_delete(client, body, &action, err);
    if (!check_action(client, seen->id, 0, seen->routing, err) ||
        !append_id(body, "delete", seen->id, seen->routing, err)) {
        body->len = before;
        return false;
    }
    buf_printf(body, ",\"if_seq_no\":%lld,\"if_primary_term\":%lld}}\n", (long long)seen->seq_no,
               (long long)seen->primary_term);
    return true;
}

/* Only the server can say that the bulk is too large. An answer that is too large to take says
 * nothing about the records. */
static void fail_bulk(const struct bulk *b, int status, const struct err *err)
{
    struct err own = *err;
    if (own.code == ERR_TOO_LARGE && status != TOO_LARGE)
        own.code = ERR_PROTOCOL;
    b->done(b->ctx, NULL, 0, &own);
}

static void on_bulk(void *ctx, const struct json_node *json, int status, const struct err *err)
{
    const struct bulk b = *(struct bulk *)ctx;
    free(ctx);
    if (err) {
        fail_bulk(&b, status, err);
        return;
    }
    struct es_bulk_item *items = mem_array(b.count, sizeof *items);
    struct buf texts = {0};
    struct err bad = {0};
    if (es_bulk_read(json, items, b.count, &texts, &bad)) {
        b.done(b.ctx, items, b.count, NULL);
    } else {
        es_blame(b.client, &bad);
        b.done(b.ctx, NULL, 0, &bad);
    }
    buf_free(&texts);
    free(items);
}

bool es_bulk(struct es_client *client, struct buf *body, size_t count, es_bulk_fn *done, void *ctx,
             struct err *err)
{
    if (count == 0 || body->len > BODY_MAX) {
        const size_t len = body->len;
        buf_free(body);
        if (count == 0)
            return err_set(err, ERR_INTERNAL, "a bulk of nothing");
        /* The server would hang up in the middle of it, which looks like a broken connection. */
        return err_set(err, ERR_TOO_LARGE, "a bulk of %zu bytes; servers take %d", len, BODY_MAX);
    }
    struct bulk *b = mem_alloc(sizeof *b);
    *b = (struct bulk){client, count, done, ctx};
    struct buf path = {0};
    buf_append_str(&path, es_documents_path(client));
    buf_append_str(&path, "/_bulk?filter_path=items.*.status,items.*.error,error,status");
    const bool sent = es_send(client, "POST", buf_cstr(&path), body, ES_BULK, on_bulk, b, err);
    buf_free(&path);
    if (!sent)
        free(b);
    return sent;
}

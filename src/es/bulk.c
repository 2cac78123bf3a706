#include "base/mem.h"
#include "es/client.h"
#include "es/request.h"

#include <stdlib.h>

struct bulk {
    size_t count;
    es_bulk_fn *done;
    void *ctx;
};

static bool append_action(const struct es_client *client, struct buf *body, const char *action,
                          struct slice id, int64_t version, bool gte, struct err *err)
{
    const bool underscore = client->version.underscore_meta;
    buf_append_str(body, "{\"");
    buf_append_str(body, action);
    buf_append_str(body, "\":{\"_id\":");
    if (!json_append_string(body, id))
        return err_set(err, ERR_VALUE, "the key is not UTF-8");
    buf_append_str(body, underscore ? ",\"_version\":" : ",\"version\":");
    buf_append_i64_text(body, version);
    buf_append_str(body, underscore ? ",\"_version_type\":\"" : ",\"version_type\":\"");
    buf_append_str(body, gte ? "external_gte\"" : "external\"");
    if (client->version.meta_timestamp) {
        buf_append_str(body, ",\"_timestamp\":");
        buf_append_i64_text(body, version);
    }
    buf_append_str(body, "}}\n");
    return true;
}

bool es_bulk_index(const struct es_client *client, struct buf *body, struct slice id,
                   int64_t version, bool gte, struct slice source, struct err *err)
{
    const size_t before = body->len;
    if (!append_action(client, body, "index", id, version, gte, err)) {
        body->len = before;
        return false;
    }
    buf_append_slice(body, source);
    buf_append_char(body, '\n');
    return true;
}

bool es_bulk_delete(const struct es_client *client, struct buf *body, struct slice id,
                    int64_t version, bool gte, struct err *err)
{
    const size_t before = body->len;
    if (append_action(client, body, "delete", id, version, gte, err))
        return true;
    body->len = before;
    return false;
}

static enum err_code item_code(int status)
{
    if (status < 300)
        return ERR_NONE;
    if (status == 409)
        return ERR_CONFLICT;
    if (status == 429 || status >= 500)
        return ERR_OVERLOADED;
    return ERR_REQUEST;
}

static bool read_item(const struct json_node *wrapped, struct es_bulk_item *item, struct buf *texts,
                      size_t *text_at)
{
    const struct json_node *n = json_first(wrapped); /* {"index":{…}} */
    const struct json_node *status = n ? json_member(n, "status") : NULL;
    int64_t value;
    if (!status || !json_int64(status, &value) || value < 100 || value > 599)
        return false;
    *item = (struct es_bulk_item){.status = (int)value, .code = item_code((int)value)};
    *text_at = texts->len;
    es_error_text(json_member(n, "error"), texts);
    item->reason.len = texts->len - *text_at;
    return true;
}

static bool read_items(const struct json_node *json, size_t count, struct es_bulk_item *items,
                       struct buf *texts)
{
    const struct json_node *list = json_member(json, "items");
    if (!list || list->type != JSON_ARRAY || list->children != count)
        return false;
    size_t *text_at = mem_array(count + 1, sizeof *text_at);
    size_t i = 0;
    bool fine = true;
    for (const struct json_node *n = json_first(list); n && fine; n = json_next(list, n), i++)
        fine = read_item(n, &items[i], texts, &text_at[i]);
    for (size_t j = 0; fine && j < i; j++) {
        if (items[j].reason.len > 0)
            items[j].reason.ptr = texts->ptr + text_at[j];
        else if (items[j].code != ERR_NONE)
            items[j].reason = SLICE_LIT("refused without a reason");
    }
    free(text_at);
    return fine;
}

static void on_bulk(void *ctx, const struct json_node *json, int status, const struct err *err)
{
    struct bulk b = *(struct bulk *)ctx;
    free(ctx);
    (void)status;
    if (err) {
        b.done(b.ctx, NULL, 0, err);
        return;
    }
    struct es_bulk_item *items = mem_array(b.count + 1, sizeof *items);
    struct buf texts = {0};
    if (read_items(json, b.count, items, &texts)) {
        b.done(b.ctx, items, b.count, NULL);
    } else {
        struct err bad = {0};
        err_set(&bad, ERR_PROTOCOL,
                "elasticsearch's answer to a bulk of %zu does not list that many outcomes",
                b.count);
        b.done(b.ctx, NULL, 0, &bad);
    }
    buf_free(&texts);
    free(items);
}

bool es_bulk(struct es_client *client, struct buf *body, size_t count, es_bulk_fn *done, void *ctx,
             struct err *err)
{
    struct bulk *b = mem_alloc(sizeof *b);
    *b = (struct bulk){count, done, ctx};
    struct buf path = {0};
    buf_append_str(&path, es_documents_path(client));
    buf_append_str(&path, "/_bulk?filter_path=items.*.status,items.*.error");
    const bool sent = es_send(client, "POST", buf_cstr(&path), body, true, on_bulk, b, err);
    buf_free(&path);
    if (!sent)
        free(b);
    return sent;
}

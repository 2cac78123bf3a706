#include "base/mem.h"
#include "es/answer.h"
#include "es/client.h"
#include "es/request.h"

#include <stdlib.h>

/* A call whose answer is looked at by one of the functions below. */
struct call {
    struct es_client *client;
    es_done_fn *done;
    es_max_fn *max;
    es_json_fn *json;
    void *ctx;
};

static bool start(struct call from, const char *method, const char *begin, const char *end,
                  struct buf *body, es_answer_fn *on_answer, struct err *err)
{
    struct call *call = mem_alloc(sizeof *call);
    *call = from;
    struct buf path = {0};
    buf_append_str(&path, begin);
    buf_append_str(&path, end);
    const bool sent =
        es_send(from.client, method, buf_cstr(&path), body, ES_JSON, on_answer, call, err);
    buf_free(&path);
    if (!sent)
        free(call);
    return sent;
}

static void on_refreshed(void *ctx, const struct json_node *json, int status UNUSED,
                         const struct err *err)
{
    const struct call call = *(struct call *)ctx;
    free(ctx);
    struct err bad = {0};
    if (!err && !es_shards_fine(json, &bad)) {
        es_blame(call.client, &bad);
        err = &bad;
    }
    call.done(call.ctx, err);
}

bool es_refresh(struct es_client *client, es_done_fn *done, void *ctx, struct err *err)
{
    return start((struct call){.client = client, .done = done, .ctx = ctx}, "POST",
                 client->index_path, "/_refresh", NULL, on_refreshed, err);
}

static void on_max(void *ctx, const struct json_node *json, int status UNUSED,
                   const struct err *err)
{
    const struct call call = *(struct call *)ctx;
    free(ctx);
    if (err) {
        call.max(call.ctx, false, 0, err);
        return;
    }
    struct err bad = {0};
    const struct json_node *hits = es_hits(json, &bad);
    const struct json_node *hit = hits ? json_first(hits) : NULL;
    struct es_document document = {0};
    if (!hits || (hit && !es_hit_read(hit, &document, &bad))) {
        es_blame(call.client, &bad);
        call.max(call.ctx, false, 0, &bad);
        return;
    }
    call.max(call.ctx, hit != NULL, document.version, NULL);
}

/* The sort value of a date is in milliseconds whatever the field holds, so the value is taken from
 * where it also is: the hit's version. The range leaves out documents without the field. */
bool es_max_timestamp(struct es_client *client, es_max_fn *done, void *ctx, struct err *err)
{
    struct buf body = {0};
    buf_append_str(&body, "{\"size\":1,\"version\":true,\"_source\":false,\"sort\":[{");
    if (!json_append_string(&body, slice_str(es_timestamp_name(client)))) {
        buf_free(&body);
        return err_set(err, ERR_CONFIG, "the timestamp field's name is not UTF-8");
    }
    buf_append_str(&body, ":{\"order\":\"desc\",\"unmapped_type\":\"long\"}}],\"query\":");
    es_append_range(client, &body, 0, 0);
    buf_append_char(&body, '}');
    return start((struct call){.client = client, .max = done, .ctx = ctx}, "POST",
                 es_documents_path(client), "/_search", &body, on_max, err);
}

static void on_mapping(void *ctx, const struct json_node *json, int status UNUSED,
                       const struct err *err)
{
    const struct call call = *(struct call *)ctx;
    free(ctx);
    if (err) {
        call.json(call.ctx, NULL, err);
        return;
    }
    struct err bad = {0};
    const struct es_client *client = call.client;
    const struct json_node *mapping =
        es_mapping_read(json, client->version.typed ? client->type : NULL, &bad);
    if (!mapping)
        err_context(&bad, "elasticsearch %s", client->index_path + 1);
    call.json(call.ctx, mapping, mapping ? NULL : &bad);
}

bool es_mapping(struct es_client *client, es_json_fn *done, void *ctx, struct err *err)
{
    return start((struct call){.client = client, .json = done, .ctx = ctx}, "GET",
                 client->index_path, "/_mapping", NULL, on_mapping, err);
}

/* The index is there; where it still has no shards, whoever uses it is told so. */
static void on_ready(void *ctx, const struct json_node *json UNUSED, int status UNUSED,
                     const struct err *err UNUSED)
{
    const struct call call = *(struct call *)ctx;
    free(ctx);
    call.done(call.ctx, NULL);
}

static void on_created(void *ctx, const struct json_node *json UNUSED, int status UNUSED,
                       const struct err *err)
{
    const struct call call = *(struct call *)ctx;
    free(ctx);
    struct buf path = {0};
    buf_append_str(&path, "/_cluster/health");
    buf_append_str(&path, call.client->index_path);
    if (err || !call.client->version.waits_for_no_shards ||
        !start(call, "GET", buf_cstr(&path), "?wait_for_status=yellow&timeout=10s", NULL, on_ready,
               NULL))
        call.done(call.ctx, err);
    buf_free(&path);
}

bool es_index_create(struct es_client *client, struct slice mapping, es_done_fn *done, void *ctx,
                     struct err *err)
{
    struct buf body = {0};
    buf_append_str(&body, "{\"mappings\":");
    if (client->version.typed) {
        buf_append_char(&body, '{');
        if (!json_append_string(&body, slice_str(client->type))) {
            buf_free(&body);
            return err_set(err, ERR_CONFIG, "the type's name is not UTF-8");
        }
        buf_append_char(&body, ':');
    }
    buf_append_slice(&body, mapping);
    buf_append_str(&body, client->version.typed ? "}}" : "}");
    return start((struct call){.client = client, .done = done, .ctx = ctx}, "PUT",
                 client->index_path, "", &body, on_created, err);
}

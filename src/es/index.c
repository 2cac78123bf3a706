#include "base/mem.h"
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

static bool start(struct call from, const char *method, const char *suffix, struct buf *body,
                  es_answer_fn *on_answer, struct err *err)
{
    struct call *call = mem_alloc(sizeof *call);
    *call = from;
    struct buf path = {0};
    buf_append_str(&path, from.client->index_path);
    buf_append_str(&path, suffix);
    const bool sent =
        es_send(from.client, method, buf_cstr(&path), body, false, on_answer, call, err);
    buf_free(&path);
    if (!sent)
        free(call);
    return sent;
}

static void on_done(void *ctx, const struct json_node *json, int status, const struct err *err)
{
    const struct call call = *(struct call *)ctx;
    free(ctx);
    (void)json;
    (void)status;
    call.done(call.ctx, err);
}

bool es_refresh(struct es_client *client, es_done_fn *done, void *ctx, struct err *err)
{
    return start((struct call){.client = client, .done = done, .ctx = ctx}, "POST", "/_refresh",
                 NULL, on_done, err);
}

static void on_max(void *ctx, const struct json_node *json, int status, const struct err *err)
{
    const struct call call = *(struct call *)ctx;
    free(ctx);
    (void)status;
    if (err) {
        call.max(call.ctx, false, 0, err);
        return;
    }
    const struct json_node *hits = json_path(json, "hits.hits");
    const struct json_node *hit = hits ? json_first(hits) : NULL;
    struct es_document document = {0};
    struct err bad = {0};
    if (!hits)
        err_set(&bad, ERR_PROTOCOL, "elasticsearch answers a search without hits");
    else if (!hit || es_document_read(hit, &document, &bad)) {
        /* the sort value of a date is in milliseconds whatever the field holds */
        call.max(call.ctx, hit != NULL, document.version, NULL);
        return;
    }
    call.max(call.ctx, false, 0, &bad);
}

bool es_max_timestamp(struct es_client *client, es_max_fn *done, void *ctx, struct err *err)
{
    struct buf body = {0};
    buf_append_str(&body, "{\"size\":1,\"version\":true,\"_source\":false,\"sort\":[{");
    if (!json_append_string(&body, slice_str(es_timestamp_name(client)))) {
        buf_free(&body);
        return err_set(err, ERR_CONFIG, "the timestamp field's name is not UTF-8");
    }
    buf_append_str(&body, ":{\"order\":\"desc\",\"unmapped_type\":\"long\"}}],"
                          "\"query\":{\"match_all\":{}}}");
    return start((struct call){.client = client, .max = done, .ctx = ctx}, "POST", "/_search",
                 &body, on_max, err);
}

static void on_mapping(void *ctx, const struct json_node *json, int status, const struct err *err)
{
    const struct call call = *(struct call *)ctx;
    free(ctx);
    (void)status;
    if (err) {
        call.json(call.ctx, NULL, err);
        return;
    }
    const struct json_node *index = json_first(json);
    const struct json_node *mapping = index ? json_member(index, "mappings") : NULL;
    if (mapping && call.client->version.typed && mapping->children > 0) {
        const struct json_node *typed = json_member(mapping, call.client->type);
        mapping = typed ? typed : json_first(mapping);
    }
    struct err missing = {0};
    if (!mapping)
        err_set(&missing, ERR_NOT_FOUND, "the index has no mapping");
    call.json(call.ctx, mapping, mapping ? NULL : &missing);
}

bool es_mapping(struct es_client *client, es_json_fn *done, void *ctx, struct err *err)
{
    return start((struct call){.client = client, .json = done, .ctx = ctx}, "GET", "/_mapping",
                 NULL, on_mapping, err);
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
    return start((struct call){.client = client, .done = done, .ctx = ctx}, "PUT", "", &body,
                 on_done, err);
}

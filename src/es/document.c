#include "base/mem.h"
#include "es/client.h"
#include "es/request.h"

#include <stdlib.h>

struct mget {
    size_t count;
    es_documents_fn *done;
    void *ctx;
};

static bool optional_int(const struct json_node *n, int64_t *out)
{
    *out = -1;
    return !n || json_int64(n, out);
}

bool es_document_read(const struct json_node *hit, struct es_document *out, struct err *err)
{
    const struct json_node *id = json_member(hit, "_id");
    const struct json_node *found = json_member(hit, "found");
    const struct json_node *version = json_member(hit, "_version");
    const struct json_node *source = json_member(hit, "_source");
    *out = (struct es_document){
        .found = !found || found->type == JSON_TRUE, .seq_no = -1, .primary_term = -1};
    if (!id || id->type != JSON_STRING)
        return err_set(err, ERR_PROTOCOL, "elasticsearch answers a document without an _id");
    out->id = id->text;
    if (!out->found)
        return true;
    if (!version || !json_int64(version, &out->version))
        return err_set(err, ERR_PROTOCOL, "elasticsearch answers a document without a version");
    if (source && source->type == JSON_OBJECT)
        out->source = source;
    return (optional_int(json_member(hit, "_seq_no"), &out->seq_no) &&
            optional_int(json_member(hit, "_primary_term"), &out->primary_term)) ||
           err_set(err, ERR_PROTOCOL, "elasticsearch answers a document without a number");
}

static bool item_error(const struct json_node *doc, struct err *err)
{
    const struct json_node *error = json_member(doc, "error");
    if (!error)
        return true;
    struct buf text = {0};
    es_error_text(error, &text);
    const struct json_node *type = json_member(error, "type");
    const bool gone = type && slice_is(type->text, "index_not_found_exception");
    err_set(err, gone ? ERR_NOT_FOUND : ERR_UNAVAILABLE, "elasticsearch: %.*s",
            SLICE_ARG(buf_slice(&text)));
    buf_free(&text);
    return false;
}

static void on_mget(void *ctx, const struct json_node *json, int status, const struct err *err)
{
    struct mget m = *(struct mget *)ctx;
    free(ctx);
    (void)status;
    if (err) {
        m.done(m.ctx, NULL, 0, err);
        return;
    }
    const struct json_node *list = json_member(json, "docs");
    struct err bad = {0};
    bool fine = list && list->type == JSON_ARRAY && list->children == m.count;
    if (!fine)
        err_set(&bad, ERR_PROTOCOL,
                "elasticsearch's answer to a read of %zu documents lists "
                "another number",
                m.count);
    struct es_document *documents = mem_array(m.count + 1, sizeof *documents);
    size_t i = 0;
    for (const struct json_node *n = fine ? json_first(list) : NULL; n && fine;
         n = json_next(list, n), i++)
        fine = item_error(n, &bad) && es_document_read(n, &documents[i], &bad);
    m.done(m.ctx, fine ? documents : NULL, fine ? m.count : 0, fine ? NULL : &bad);
    free(documents);
}

bool es_mget(struct es_client *client, const struct slice *ids, size_t count, es_documents_fn *done,
             void *ctx, struct err *err)
{
    struct buf body = {0}, path = {0};
    buf_append_str(&body, "{\"ids\":[");
    for (size_t i = 0; i < count; i++) {
        if (i)
            buf_append_char(&body, ',');
        if (!json_append_string(&body, ids[i])) {
            buf_free(&body);
            return err_set(err, ERR_VALUE, "a key is not UTF-8");
        }
    }
    buf_append_str(&body, "]}");
    buf_append_str(&path, es_documents_path(client));
    buf_append_str(&path, "/_mget");
    if (client->version.exclude_vectors)
        buf_append_str(&path, "?_source_exclude_vectors=false");
    struct mget *m = mem_alloc(sizeof *m);
    *m = (struct mget){count, done, ctx};
    const bool sent = es_send(client, "POST", buf_cstr(&path), &body, false, on_mget, m, err);
    buf_free(&path);
    if (!sent)
        free(m);
    return sent;
}

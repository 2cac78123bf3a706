#include "es/answer.h"
#include "es/page.h"
#include "es/request.h"

#include "base/mem.h"

#include <stdlib.h>

struct reading {
    const struct es_client *client;
    struct slice *ids; /* into texts */
    struct buf texts;
    size_t count;
    es_documents_fn *done;
    void *ctx;
};

static void finish(struct reading *r, const struct es_document *documents, const struct err *err)
{
    r->done(r->ctx, documents, documents ? r->count : 0, err);
    buf_free(&r->texts);
    free(r->ids);
    free(r);
}

static void on_versions(void *ctx, const struct json_node *json, int status UNUSED,
                        const struct err *err)
{
    struct reading *r = ctx;
    struct err bad = {0};
    if (err) {
        finish(r, NULL, err);
        return;
    }
    struct es_document *documents = mem_array(r->count, sizeof *documents);
    if (es_mget_read(json, r->ids, documents, r->count, &bad)) {
        finish(r, documents, NULL);
    } else {
        es_blame(r->client, &bad);
        finish(r, NULL, &bad);
    }
    free(documents);
}

/* The caller's ids may be gone by the time of the answer. */
static struct reading *new_reading(const struct slice *ids, size_t count)
{
    struct reading *r = mem_zalloc(sizeof *r);
    r->count = count;
    r->ids = mem_array(count + 1, sizeof *r->ids);
    for (size_t i = 0; i < count; i++)
        buf_append_slice(&r->texts, ids[i]);
    const char *at = buf_cstr(&r->texts);
    for (size_t i = 0; i < count; i++) {
        r->ids[i] = slice_of(at, ids[i].len);
        at += ids[i].len;
    }
    return r;
}

bool es_mget_versions(struct es_client *client, const struct slice *ids, size_t count,
                      es_documents_fn *done, void *ctx, struct err *err)
{
    struct buf body = {0}, path = {0};
    buf_append_str(&body, "{\"ids\":[");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_append_char(&body, ',');
        if (!json_append_string(&body, ids[i])) {
            buf_free(&body);
            return err_set(err, ERR_VALUE, "a key is not UTF-8");
        }
    }
    buf_append_str(&body, "]}");
    struct reading *r = new_reading(ids, count);
    r->client = client;
    r->done = done;
    r->ctx = ctx;
    buf_append_str(&path, es_documents_path(client));
    buf_append_str(&path, "/_mget?_source=false");
    const bool sent = es_send(client, "POST", buf_cstr(&path), &body, ES_JSON, on_versions, r, err);
    buf_free(&path);
    if (!sent) {
        buf_free(&r->texts);
        free(r->ids);
        free(r);
    }
    return sent;
}

#include "base/mem.h"
#include "es/answer.h"
#include "es/client.h"
#include "es/request.h"

#include <stdlib.h>

struct mget {
    struct slice *ids; /* into texts */
    struct buf texts;
    size_t count;
    es_documents_fn *done;
    void *ctx;
};

/* The answer is compared with what was asked for, and the caller's ids may be gone by then. */
static struct mget *new_mget(const struct slice *ids, size_t count)
{
    struct mget *m = mem_zalloc(sizeof *m);
    m->ids = mem_array(count, sizeof *m->ids);
    m->count = count;
    for (size_t i = 0; i < count; i++)
        buf_append_slice(&m->texts, ids[i]);
    const char *at = buf_cstr(&m->texts);
    for (size_t i = 0; i < count; i++) {
        m->ids[i] = slice_of(at, ids[i].len);
        at += ids[i].len;
    }
    return m;
}

static void free_mget(struct mget *m)
{
    buf_free(&m->texts);
    free(m->ids);
    free(m);
}

static void on_mget(void *ctx, const struct json_node *json, int status UNUSED,
                    const struct err *err)
{
    struct mget *m = ctx;
    struct es_document *documents = NULL;
    struct err bad = {0};
    if (err) {
        bad = *err;
    } else {
        documents = mem_array(m->count, sizeof *documents);
        if (!es_mget_read(json, m->ids, documents, m->count, &bad))
            err_context(&bad, "elasticsearch");
    }
    if (bad.code == ERR_NONE)
        m->done(m->ctx, documents, m->count, NULL);
    else
        m->done(m->ctx, NULL, 0, &bad);
    free(documents);
    free_mget(m);
}

static bool append_ids(struct buf *body, const struct slice *ids, size_t count, struct err *err)
{
    if (count == 0)
        return err_set(err, ERR_INTERNAL, "a read of no documents");
    buf_append_str(body, "{\"ids\":[");
    for (size_t i = 0; i < count; i++) {
        if (i)
            buf_append_char(body, ',');
        if (!json_append_string(body, ids[i]))
            return err_set(err, ERR_VALUE, "a key is not UTF-8");
    }
    buf_append_str(body, "]}");
    return true;
}

bool es_mget(struct es_client *client, const struct slice *ids, size_t count, es_documents_fn *done,
             void *ctx, struct err *err)
{
    struct buf body = {0}, path = {0};
    if (!append_ids(&body, ids, count, err)) {
        buf_free(&body);
        return false;
    }
    buf_append_str(&path, es_documents_path(client));
    buf_append_str(&path, "/_mget");
    if (client->version.exclude_vectors)
        buf_append_str(&path, "?_source_exclude_vectors=false");
    struct mget *m = new_mget(ids, count);
    m->done = done;
    m->ctx = ctx;
    const bool sent = es_send(client, "POST", buf_cstr(&path), &body, ES_JSON, on_mget, m, err);
    buf_free(&path);
    if (!sent)
        free_mget(m);
    return sent;
}

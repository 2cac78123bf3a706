#include "base/mem.h"
#include "es/answer.h"
#include "es/client.h"
#include "es/request.h"
#include "es/routing.h"

#include <stdlib.h>

struct sample {
    struct es_client *client;
    es_documents_fn *done;
    void *ctx;
};

static bool read_hits(const struct json_node *hits, struct es_document *documents, size_t *count,
                      struct err *err)
{
    for (const struct json_node *n = json_first(hits); n; n = json_next(hits, n)) {
        if (!es_hit_read(n, &documents[(*count)++], err))
            return false;
    }
    return true;
}

static void on_hits(void *ctx, const struct json_node *json, int status UNUSED,
                    const struct err *err)
{
    const struct sample sample = *(struct sample *)ctx;
    free(ctx);
    if (err) {
        sample.done(sample.ctx, NULL, 0, err);
        return;
    }
    struct err bad = {0};
    size_t count = 0;
    const struct json_node *hits = es_hits(json, &bad);
    struct es_document *documents = mem_array(hits ? hits->children + 1 : 1, sizeof *documents);
    const bool fine = hits && read_hits(hits, documents, &count, &bad);
    if (!fine)
        es_blame(sample.client, &bad);
    if (fine)
        es_notice_routing(sample.client, documents, count);
    sample.done(sample.ctx, fine ? documents : NULL, fine ? count : 0, fine ? NULL : &bad);
    free(documents);
}

bool es_sample(struct es_client *client, uint32_t count, uint32_t seed, es_documents_fn *done,
               void *ctx, struct err *err)
{
    struct sample *sample = mem_alloc(sizeof *sample);
    struct buf path = {0}, body = {0};
    *sample = (struct sample){client, done, ctx};
    buf_append_str(&path, es_documents_path(client));
    buf_append_str(&path, "/_search");
    buf_printf(
        &body,
        "{\"size\":%u,\"version\":true,\"_source\":false,\"query\":{\"function_score\":"
        "{\"query\":{\"match_all\":{}},\"functions\":[{\"random_score\":{\"seed\":%u%s}}]}}}",
        count, seed, client->version.sequence_numbers ? ",\"field\":\"_seq_no\"" : "");
    const bool sent =
        es_send(client, "POST", buf_cstr(&path), &body, ES_JSON, on_hits, sample, err);
    buf_free(&path);
    if (!sent)
        free(sample);
    return sent;
}

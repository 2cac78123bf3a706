#include "base/mem.h"
#include "es/client.h"
#include "es/request.h"

#include <stdlib.h>

struct question {
    es_json_fn *done;
    void *ctx;
};

static void on_answer(void *ctx, const struct json_node *json, int status UNUSED,
                      const struct err *err)
{
    const struct question question = *(struct question *)ctx;
    free(ctx);
    question.done(question.ctx, json, err);
}

static void append_path(struct buf *out, const struct es_client *client, const char *path)
{
    static const char index[] = "{index}", documents[] = "{documents}";
    while (*path) {
        if (strncmp(path, index, sizeof index - 1) == 0) {
            buf_append_str(out, client->index_path + 1);
            path += sizeof index - 1;
        } else if (strncmp(path, documents, sizeof documents - 1) == 0) {
            buf_append_str(out, es_documents_path(client) + 1);
            path += sizeof documents - 1;
        } else {
            buf_append_char(out, *path++);
        }
    }
}

bool es_ask(struct es_client *client, const char *path, struct buf *body, es_json_fn *done,
            void *ctx, struct err *err)
{
    struct question *question = mem_alloc(sizeof *question);
    *question = (struct question){done, ctx};
    struct buf full = {0};
    append_path(&full, client, path);
    const bool sent = es_send(client, body ? "POST" : "GET", buf_cstr(&full), body, false,
                              on_answer, question, err);
    buf_free(&full);
    if (!sent)
        free(question);
    return sent;
}

#include "source/history.h"

#include "source/await.h"

#include <xxhash.h>

static bool is_primary(const struct json_node *copy)
{
    const struct json_node *primary = json_path(copy, "routing.primary");
    return primary && primary->type == JSON_TRUE;
}

/* Of a shard's copies only the primary counts. */
static bool add_shard(struct buf *id, int64_t *seq_no, const struct json_node *shard)
{
    const struct json_node *copy = json_first(shard);
    while (copy && !is_primary(copy))
        copy = json_next(shard, copy);
    const struct json_node *uuid = json_path(copy, "commit.user_data.history_uuid");
    int64_t checkpoint = -1;
    if (!uuid || uuid->text.len == 0 ||
        !json_int64(json_path(copy, "seq_no.global_checkpoint"), &checkpoint))
        return false;
    buf_append_slice(id, shard->key);
    buf_append_slice(id, uuid->text);
    if (checkpoint < *seq_no)
        *seq_no = checkpoint;
    return true;
}

static bool add_shards(struct buf *id, int64_t *seq_no, const struct json_node *shards)
{
    for (const struct json_node *s = json_first(shards); s; s = json_next(shards, s)) {
        if (!add_shard(id, seq_no, s))
            return false;
    }
    return true;
}

static bool add_indices(struct buf *id, int64_t *seq_no, const struct json_node *indices)
{
    for (const struct json_node *i = json_first(indices); i; i = json_next(indices, i)) {
        const struct json_node *uuid = json_member(i, "uuid"), *shards = json_member(i, "shards");
        if (!uuid || !shards || !add_shards(id, seq_no, shards))
            return false;
        buf_append_slice(id, uuid->text);
    }
    return true;
}

static struct source_history history_of(const struct json_node *answer)
{
    const struct json_node *indices = json_member(answer, "indices");
    struct source_history history = {.seq_no = INT64_MAX};
    struct buf id = {0};
    int64_t failed = -1; /* a shard may be missing then, and its operations left out */
    if (json_int64(json_path(answer, "_shards.failed"), &failed) && failed == 0 && indices &&
        add_indices(&id, &history.seq_no, indices) && history.seq_no < INT64_MAX)
        history.id = XXH3_64bits(id.ptr, id.len) | 1;
    buf_free(&id);
    return history;
}

/* What will not be otherwise when it is asked for again (refused, not there, answered otherwise) is
 * a reason to do without. */
static bool does_without(enum err_code code)
{
    return err_class_of(code) != ERR_CLASS_RETRY;
}

bool source_history_read(struct es_client *client, struct source_history *history, struct err *err)
{
    static const char path[] =
        "/{index}/_stats/get?level=shards&filter_path=_shards.failed,indices.*.uuid,"
        "indices.*.shards.*.routing.primary,"
        "indices.*.shards.*.commit.user_data.history_uuid,"
        "indices.*.shards.*.seq_no.global_checkpoint";
    struct buf text = {0};
    struct err own = {0};
    *history = (struct source_history){0};
    if (!es_client_version(client)->checkpoints)
        return true;
    struct json_doc *doc = json_doc_new();
    const bool fine = await_es_ask(client, path, NULL, doc, &text, &own);
    if (fine)
        *history = history_of(json_root(doc));
    json_doc_free(doc);
    buf_free(&text);
    if (fine || does_without(own.code))
        return true;
    if (err)
        *err = own;
    return false;
}

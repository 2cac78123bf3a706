#include "source/index.h"

#include "base/mem.h"
#include "io/task.h"
#include "source/await.h"

/* A call that is waited for. */
struct call {
    struct io_group group;
    struct err *err;
    bool failed;
};

static struct call new_call(struct err *err)
{
    struct call call = {.err = err};
    io_group_add(&call.group);
    return call;
}

static void end_call(struct call *call, const struct err *err)
{
    call->failed = err != NULL;
    if (err && call->err)
        *call->err = *err;
    io_group_done(&call->group);
}

static bool wait_call(struct call *call, bool started)
{
    if (!started)
        return false;
    io_group_wait(&call->group);
    return !call->failed;
}

/* --- documents */

struct page_call {
    struct call call;
    const struct map_schema *schema;
    struct slice deleted_field;
    struct arena *arena;
    struct source_index_page *page;
};

static void take_page(struct page_call *c, const struct es_document *documents, size_t count)
{
    struct source_index_page *page = c->page;
    page->ids = arena_alloc(c->arena, (count + 1) * sizeof *page->ids);
    page->documents = arena_alloc(c->arena, (count + 1) * sizeof *page->documents);
    page->count = count;
    page->seq_no = count > 0 ? documents[count - 1].seq_no : -1;
    for (size_t i = 0; i < count; i++) {
        page->ids[i] = arena_copy(c->arena, documents[i].id);
        page->bytes += documents[i].id.len + 100;
        page->bytes += documents[i].source ? documents[i].source->raw.len : 0;
        source_documents_take(c->schema, c->deleted_field, &documents[i], c->arena,
                              &page->documents[i]);
    }
}

static void on_page(void *ctx, const struct es_document *documents, size_t count,
                    const struct err *err)
{
    struct page_call *c = ctx;
    if (!err)
        take_page(c, documents, count);
    end_call(&c->call, err);
}

bool source_index_page(struct es_client *client, const struct map_schema *schema,
                       struct slice deleted_field, const struct es_page_options *options,
                       struct source_index_page *page, struct arena *arena, struct err *err)
{
    struct page_call c = {.call = new_call(err),
                          .schema = schema,
                          .deleted_field = deleted_field,
                          .arena = arena,
                          .page = page};
    *page = (struct source_index_page){0};
    return wait_call(&c.call, es_page(client, options, on_page, &c, err));
}

struct feed_call {
    struct call call;
    struct es_feed *feed;
};

static void on_feed(void *ctx, struct es_feed *feed, const struct err *err)
{
    struct feed_call *c = ctx;
    c->feed = feed;
    end_call(&c->call, err);
}

struct es_feed *source_index_feed(struct es_client *client, int64_t since, int64_t until,
                                  uint32_t page_size, struct err *err)
{
    const struct es_feed_options options = {.since = since, .until = until, .page_size = page_size};
    struct feed_call c = {.call = new_call(err)};
    return wait_call(&c.call, es_feed_open(client, &options, on_feed, &c, err)) ? c.feed : NULL;
}

bool source_index_feed_next(struct es_feed *feed, const struct map_schema *schema,
                            struct slice deleted_field, struct source_index_page *page,
                            struct arena *arena, struct err *err)
{
    struct page_call c = {.call = new_call(err),
                          .schema = schema,
                          .deleted_field = deleted_field,
                          .arena = arena,
                          .page = page};
    *page = (struct source_index_page){0};
    return wait_call(&c.call, es_feed_next(feed, on_page, &c, err));
}

struct highest_call {
    struct call call;
    int64_t seq_no;
};

static void on_highest(void *ctx, const struct es_document *documents, size_t count,
                       const struct err *err)
{
    struct highest_call *c = ctx;
    c->seq_no = !err && count > 0 ? documents[0].seq_no : -1;
    end_call(&c->call, err);
}

bool source_index_highest_seq_no(struct es_client *client, int64_t *seq_no, struct err *err)
{
    const struct es_page_options options = {
        .high = -1, .size = 1, .backwards = true, .no_source = true};
    struct highest_call c = {.call = new_call(err)};
    if (!wait_call(&c.call, es_page(client, &options, on_highest, &c, err)))
        return false;
    *seq_no = c.seq_no;
    return true;
}

struct versions_call {
    struct call call;
    int64_t *versions;
};

static void on_versions(void *ctx, const struct es_document *documents, size_t count,
                        const struct err *err)
{
    struct versions_call *c = ctx;
    for (size_t i = 0; !err && i < count; i++)
        c->versions[i] = documents[i].found ? documents[i].version : 0;
    end_call(&c->call, err);
}

bool source_index_versions(struct es_client *client, const struct slice *ids, size_t count,
                           int64_t *versions, struct err *err)
{
    struct versions_call c = {.call = new_call(err), .versions = versions};
    return count == 0 ||
           wait_call(&c.call, es_mget_versions(client, ids, count, on_versions, &c, err));
}

/* --- numbers */

/* Takes the query's body over. */
static bool count_of(struct es_client *client, struct buf *body, int64_t *count, struct err *err)
{
    struct json_doc *doc = json_doc_new();
    struct buf text = {0};
    bool fine = await_es_ask(client, "/{documents}/_count", body, doc, &text, err);
    if (fine) {
        const struct json_node *number = json_member(json_root(doc), "count");
        const struct json_node *failed = json_path(json_root(doc), "_shards.failed");
        if (failed && !slice_is(failed->text, "0"))
            fine = err_set(err, ERR_UNAVAILABLE, "elasticsearch: not all shards can be counted");
        else if (!number || !json_int64(number, count))
            fine = err_set(err, ERR_PROTOCOL, "elasticsearch counts without a number");
    }
    buf_free(&text);
    json_doc_free(doc);
    return fine;
}

bool source_index_count(struct es_client *client, const struct es_page_options *options,
                        int64_t *count, struct err *err)
{
    struct buf body = {0};
    buf_append_char(&body, '{');
    es_append_selection(client, options, &body);
    buf_append_char(&body, '}');
    return count_of(client, &body, count, err);
}

bool source_index_count_versions(struct es_client *client, int64_t since, int64_t until,
                                 int64_t *count, struct err *err)
{
    struct buf body = {0};
    buf_append_char(&body, '{');
    es_append_versions(client, since, until, &body);
    buf_append_char(&body, '}');
    return count_of(client, &body, count, err);
}

/* --- settings */

struct settings_call {
    struct call call;
    struct es_settings *settings;
};

static void on_settings(void *ctx, const struct es_settings *settings, const struct err *err)
{
    struct settings_call *c = ctx;
    if (!err)
        *c->settings = *settings;
    end_call(&c->call, err);
}

bool source_index_settings(struct es_client *client, struct es_settings *settings, struct err *err)
{
    struct settings_call c = {.call = new_call(err), .settings = settings};
    return wait_call(&c.call, es_settings_read(client, on_settings, &c, err));
}

static void on_changed(void *ctx, const struct err *err)
{
    end_call(ctx, err);
}

bool source_index_change_settings(struct es_client *client, const struct es_settings *settings,
                                  struct err *err)
{
    struct call call = new_call(err);
    return wait_call(&call, es_settings_write(client, settings, on_changed, &call, err));
}

#include "source/await.h"

#include "io/task.h"

#include <stdlib.h>

/* One call that is waited for. */
struct call {
    struct io_group group;
    struct err *err;
    bool failed;
};

static void end_call(struct call *call, const struct err *err)
{
    if (err) {
        call->failed = true;
        if (call->err)
            *call->err = *err;
    }
    io_group_done(&call->group);
}

static bool wait_call(struct call *call, bool started)
{
    if (!started)
        return false;
    io_group_wait(&call->group);
    return !call->failed;
}

static struct call new_call(struct err *err)
{
    struct call call = {.err = err};
    io_group_add(&call.group);
    return call;
}

static void on_done(void *ctx, const struct err *err)
{
    end_call(ctx, err);
}

bool await_cql_connect(struct cql_client *client, struct err *err)
{
    struct call call = new_call(err);
    return wait_call(&call, cql_connect(client, on_done, &call, err)) ||
           err_context(err, "cassandra");
}

struct prepare_call {
    struct call call;
    const struct cql_prepared *prepared;
};

static void on_prepared(void *ctx, const struct cql_prepared *prepared, const struct err *err)
{
    struct prepare_call *prepare = ctx;
    prepare->prepared = prepared;
    end_call(&prepare->call, err);
}

bool await_cql_prepare(struct cql_client *client, const char *text,
                       const struct cql_prepared **prepared, struct err *err)
{
    struct prepare_call prepare = {.call = new_call(err)};
    if (!wait_call(&prepare.call, cql_prepare(client, text, on_prepared, &prepare, err)))
        return false;
    *prepared = prepare.prepared;
    return true;
}

struct page_call {
    struct call call;
    await_row_fn *row;
    void *ctx;
    struct arena *arena;
    struct slice paging_state;
    bool stopped;
};

static void on_page(void *ctx, const struct cql_result *result, const struct err *err)
{
    struct page_call *page = ctx;
    page->paging_state = SLICE_NULL;
    if (!err && result->kind == CQL_RESULT_ROWS) {
        page->paging_state = arena_copy(page->arena, result->paging_state);
        const uint32_t count = result->columns->count;
        struct slice *cells = arena_alloc(page->arena, (count + 1) * sizeof *cells);
        struct cql_cursor cursor = cql_rows(result);
        while (page->row && !page->stopped && cql_next(&cursor, cells))
            page->stopped = !page->row(page->ctx, cells, count);
        if (page->stopped)
            page->paging_state = SLICE_NULL;
    }
    end_call(&page->call, err);
}

bool await_cql_page(struct cql_client *client, const struct cql_statement *statement,
                    const struct cql_execution *execution, struct slice *paging_state,
                    struct arena *arena, await_row_fn *row, void *ctx, struct err *err)
{
    struct page_call page = {.call = new_call(err), .row = row, .ctx = ctx, .arena = arena};
    struct cql_execution one = *execution;
    one.paging_state = *paging_state;
    if (!wait_call(&page.call, cql_execute(client, statement, &one, on_page, &page, err)))
        return false;
    *paging_state = page.paging_state;
    return true;
}

bool await_cql_rows(struct cql_client *client, const struct cql_statement *statement,
                    const struct cql_execution *execution, await_row_fn *row, void *ctx,
                    struct err *err)
{
    struct arena arena = {0};
    struct slice paging_state = SLICE_NULL;
    bool fine;
    do
        fine = await_cql_page(client, statement, execution, &paging_state, &arena, row, ctx, err);
    while (fine && !slice_is_null(paging_state));
    arena_free(&arena);
    return fine;
}

bool await_cql_run(struct cql_client *client, struct slice text, struct err *err)
{
    /* Changes of the schema take longer than reads and writes. */
    const struct cql_statement statement = {.text = text};
    const struct cql_execution execution = {.consistency = CQL_LOCAL_ONE, .timeout_ms = 60000};
    return await_cql_rows(client, &statement, &execution, NULL, NULL, err);
}

bool await_es_connect(struct es_client *client, struct err *err)
{
    struct call call = new_call(err);
    return wait_call(&call, es_connect(client, on_done, &call, err));
}

bool await_es_routing(struct es_client *client, struct err *err)
{
    struct call call = new_call(err);
    return wait_call(&call, es_look_for_routing(client, on_done, &call, err));
}

bool await_es_refresh(struct es_client *client, struct err *err)
{
    struct call call = new_call(err);
    return wait_call(&call, es_refresh(client, on_done, &call, err));
}

struct max_call {
    struct call call;
    bool found;
    int64_t value;
};

static void on_max(void *ctx, bool found, int64_t value, const struct err *err)
{
    struct max_call *max = ctx;
    max->found = found;
    max->value = value;
    end_call(&max->call, err);
}

bool await_es_max_timestamp(struct es_client *client, bool *found, int64_t *value, struct err *err)
{
    struct max_call max = {.call = new_call(err)};
    if (!wait_call(&max.call, es_max_timestamp(client, on_max, &max, err)))
        return false;
    *found = max.found;
    *value = max.found ? max.value : 0;
    return true;
}

struct json_call {
    struct call call;
    struct buf *json;
};

static void on_json(void *ctx, const struct json_node *json, const struct err *err)
{
    struct json_call *mapping = ctx;
    if (!err)
        buf_append_slice(mapping->json, json->raw);
    end_call(&mapping->call, err);
}

bool await_es_mapping(struct es_client *client, struct buf *json, struct err *err)
{
    struct json_call mapping = {.call = new_call(err), .json = json};
    return wait_call(&mapping.call, es_mapping(client, on_json, &mapping, err));
}

bool await_es_ask(struct es_client *client, const char *path, struct buf *body,
                  struct json_doc *doc, struct buf *text, struct err *err)
{
    struct json_call answer = {.call = new_call(err), .json = text};
    buf_clear(text);
    return wait_call(&answer.call, es_ask(client, path, body, on_json, &answer, err)) &&
           json_parse(doc, buf_slice(text), false, err);
}

bool await_es_index_create(struct es_client *client, struct slice mapping, struct err *err)
{
    struct call call = new_call(err);
    return wait_call(&call, es_index_create(client, mapping, on_done, &call, err));
}

struct document_call {
    struct call call;
    int64_t version;
    struct buf *source;
};

static void on_document(void *ctx, const struct es_document *documents, size_t count,
                        const struct err *err)
{
    struct document_call *document = ctx;
    if (!err && count == 1 && documents[0].found) {
        document->version = documents[0].version;
        if (documents[0].source)
            buf_append_slice(document->source, documents[0].source->raw);
    }
    end_call(&document->call, err);
}

bool await_es_document(struct es_client *client, struct slice id, int64_t *version,
                       struct buf *source, struct err *err)
{
    struct document_call document = {.call = new_call(err), .source = source};
    if (!wait_call(&document.call, es_mget(client, &id, 1, on_document, &document, err)))
        return false;
    *version = document.version;
    return true;
}

struct feed_call {
    struct call call;
    struct es_feed *feed;
    await_id_fn *id;
    void *ctx;
    uint32_t left;
};

static void on_feed(void *ctx, struct es_feed *feed, const struct err *err)
{
    struct feed_call *call = ctx;
    call->feed = feed;
    end_call(&call->call, err);
}

static void on_ids(void *ctx, const struct es_document *documents, size_t count,
                   const struct err *err)
{
    struct feed_call *call = ctx;
    for (size_t i = 0; !err && i < count && call->left > 0; i++, call->left--)
        call->id(call->ctx, documents[i].id);
    end_call(&call->call, err);
}

bool await_es_some_ids(struct es_client *client, uint32_t limit, await_id_fn *id, void *ctx,
                       struct err *err)
{
    const struct es_feed_options options = {.all = true, .page_size = limit};
    struct feed_call call = {.call = new_call(err), .id = id, .ctx = ctx, .left = limit};
    if (!wait_call(&call.call, es_feed_open(client, &options, on_feed, &call, err)))
        return false;
    io_group_add(&call.call.group);
    const bool fine = wait_call(&call.call, es_feed_next(call.feed, on_ids, &call, err));
    es_feed_close(call.feed);
    return fine;
}

#include "es/sync.h"

#include "base/mem.h"
#include "es/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

void sync_open(struct sync *s, const char *url, const char *index, const struct es_options *options)
{
    sync_open_on(s, io_loop_new(NULL), url, index, options);
}

void sync_open_on(struct sync *s, struct io_loop *loop, const char *url, const char *index,
                  const struct es_options *options)
{
    *s = (struct sync){.loop = loop};
    struct es_options all = options ? *options : (struct es_options){0};
    char *text = mem_strdup(url), *rest = text, *one;
    const char *hosts[8];
    while ((one = strtok_r(rest, " ", &rest)))
        hosts[all.host_count++] = one;
    all.hosts = hosts;
    all.index = index;
    s->client = es_client_new(s->loop, &all, &s->err);
    free(text);
    if (!s->client)
        fail_msg("%s", s->err.text);
}

static void called(struct sync *s, const struct err *err)
{
    assert_false(s->inside);
    assert_int_equal(s->expected, 1);
    s->expected = 0;
    s->err = err ? *err : (struct err){0};
    if (err) {
        assert_int_not_equal(err->code, ERR_NONE);
        assert_true(err->text[0] != '\0');
    }
    io_loop_stop(s->loop);
}

static void begin(struct sync *s)
{
    s->expected = 1;
    s->inside = true;
    s->err = (struct err){0};
    free(s->items);
    free(s->documents);
    s->items = NULL;
    s->documents = NULL;
    s->count = 0;
}

static bool finish(struct sync *s, bool started)
{
    s->inside = false;
    if (!started) {
        s->expected = 0;
        assert_int_not_equal(s->err.code, ERR_NONE);
        return false;
    }
    while (s->expected)
        io_loop_run(s->loop);
    return s->err.code == ERR_NONE;
}

static void on_closed(void *ctx)
{
    *(bool *)ctx = true;
}

void sync_close(struct sync *s)
{
    bool closed = false;
    begin(s);
    s->expected = 0;
    es_client_close(s->client, on_closed, &closed);
    assert_false(closed);
    io_loop_run(s->loop);
    assert_true(closed);
    io_loop_free(s->loop);
    buf_free(&s->json);
}

static void on_done(void *ctx, const struct err *err)
{
    called(ctx, err);
}

bool sync_connect(struct sync *s)
{
    begin(s);
    return finish(s, es_connect(s->client, on_done, s, &s->err));
}

bool sync_refresh(struct sync *s)
{
    begin(s);
    return finish(s, es_refresh(s->client, on_done, s, &s->err));
}

bool sync_create(struct sync *s, const char *mapping)
{
    begin(s);
    return finish(s, es_index_create(s->client, slice_str(mapping), on_done, s, &s->err));
}

static void on_json(void *ctx, const struct json_node *json, const struct err *err)
{
    struct sync *s = ctx;
    assert_true((json == NULL) == (err != NULL));
    buf_clear(&s->json);
    if (json)
        buf_append_slice(&s->json, json->raw);
    called(s, err);
}

bool sync_mapping(struct sync *s)
{
    begin(s);
    return finish(s, es_mapping(s->client, on_json, s, &s->err));
}

static void on_max(void *ctx, bool found, int64_t value, const struct err *err)
{
    struct sync *s = ctx;
    s->found = found;
    s->value = value;
    called(s, err);
}

bool sync_max(struct sync *s)
{
    begin(s);
    return finish(s, es_max_timestamp(s->client, on_max, s, &s->err));
}

static void on_bulk(void *ctx, const struct es_bulk_item *items, size_t count,
                    const struct err *err)
{
    struct sync *s = ctx;
    assert_true((items == NULL) == (err != NULL));
    s->items = calloc(count + 1, sizeof *s->items);
    s->count = count;
    for (size_t i = 0; i < count; i++) {
        s->items[i].status = items[i].status;
        s->items[i].code = items[i].code;
        assert_true(items[i].reason.len <= ERR_TEXT_MAX);
        assert_true(slice_is_null(items[i].reason) == (items[i].code == ERR_NONE));
        snprintf(s->items[i].reason, sizeof s->items[i].reason, "%.*s", SLICE_ARG(items[i].reason));
    }
    called(s, err);
}

bool sync_bulk(struct sync *s, struct buf *body, size_t count)
{
    begin(s);
    const bool started = es_bulk(s->client, body, count, on_bulk, s, &s->err);
    assert_null(body->ptr);
    return finish(s, started);
}

static void on_documents(void *ctx, const struct es_document *documents, size_t count,
                         const struct err *err)
{
    struct sync *s = ctx;
    s->documents = calloc(count + 1, sizeof *s->documents);
    s->count = count;
    for (size_t i = 0; i < count; i++) {
        const struct es_document *from = &documents[i];
        struct sync_document *to = &s->documents[i];
        snprintf(to->id, sizeof to->id, "%.*s", SLICE_ARG(from->id));
        to->found = from->found;
        to->version = from->version;
        to->seq_no = from->seq_no;
        to->primary_term = from->primary_term;
        if (from->source)
            snprintf(to->source, sizeof to->source, "%.*s", SLICE_ARG(from->source->raw));
    }
    called(s, err);
}

bool sync_mget(struct sync *s, const char *const *ids, size_t count)
{
    struct slice *slices = calloc(count + 1, sizeof *slices);
    for (size_t i = 0; i < count; i++)
        slices[i] = slice_str(ids[i]);
    begin(s);
    const bool started = es_mget(s->client, slices, count, on_documents, s, &s->err);
    free(slices);
    return finish(s, started);
}

static void on_feed(void *ctx, struct es_feed *feed, const struct err *err)
{
    struct sync *s = ctx;
    s->feed = feed;
    called(s, err);
}

bool sync_feed_open(struct sync *s, const struct es_feed_options *options)
{
    begin(s);
    return finish(s, es_feed_open(s->client, options, on_feed, s, &s->err));
}

bool sync_feed_next(struct sync *s)
{
    begin(s);
    return finish(s, es_feed_next(s->feed, on_documents, s, &s->err));
}

void sync_feed_close(struct sync *s)
{
    es_feed_close(s->feed);
    s->feed = NULL;
}

static void on_deleted(void *ctx, const struct json_node *json, int status, const struct err *err)
{
    (void)json;
    called(ctx, status == 404 ? NULL : err);
}

void sync_delete_index(struct sync *s)
{
    begin(s);
    if (!finish(s, es_send(s->client, "DELETE", s->client->index_path, NULL, ES_JSON, on_deleted, s,
                           &s->err)))
        fail_msg("%s", s->err.text);
}

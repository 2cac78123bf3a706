#include "source/documents.h"

#include "io/task.h"
#include "source/await.h"
#include "support/http_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROOT                                           \
    {                                                  \
        .body = "{\"version\":{\"number\":\"9.5.3\"}}" \
    }
#define NONE(id) "{\"_id\":\"" id "\",\"found\":false}"
#define TOO_LARGE                                 \
    {                                             \
        .status = 413, .body = "<html>413</html>" \
    }

struct world {
    struct io_loop *loop;
    struct http_server *server;
    struct es_client *client;
    struct arena arena;
    struct change_document documents[3];
    struct err err;
    bool fine, ended;
    uint32_t counts[5][2]; /* of a window: entries without and with a document */
    size_t windows;
};

static void read_three(void *ctx)
{
    struct world *w = ctx;
    static const struct slice keys[] = {SLICE_LIT("a"), SLICE_LIT("b"), SLICE_LIT("c")};
    w->fine = await_es_connect(w->client, &w->err) &&
              source_documents_read(w->client, NULL, SLICE_NULL, keys, ARRAY_LEN(keys),
                                    w->documents, &w->arena, &w->err);
}

static void end(void *ctx)
{
    struct world *w = ctx;
    w->ended = true;
    io_loop_stop(w->loop);
}

static void run(struct world *w, const struct http_reply *script, size_t replies, io_task_fn *task)
{
    *w = (struct world){.loop = io_loop_new(NULL)};
    w->server = http_server_new(io_loop_uv(w->loop), script, replies);
    const char *const hosts[] = {http_server_url(w->server)};
    const struct es_options options = {.hosts = hosts, .host_count = 1, .index = "index"};
    w->client = es_client_new(w->loop, &options, &w->err);
    io_task_start(w->loop, task, w, end);
    while (!w->ended)
        io_loop_run(w->loop);
}

static void on_closed(void *ctx)
{
    io_loop_stop(((struct world *)ctx)->loop);
}

static void tear_down(struct world *w)
{
    http_server_stop(w->server);
    es_client_close(w->client, on_closed, w);
    io_loop_run(w->loop);
    uv_run(io_loop_uv(w->loop), UV_RUN_DEFAULT);
    http_server_free(w->server);
    io_loop_free(w->loop);
    arena_free(&w->arena);
}

static void too_large_together(void **state)
{
    (void)state;
    static const struct http_reply script[] = {
        ROOT,
        TOO_LARGE,
        {.body = "{\"docs\":[" NONE("a") "]}"},
        TOO_LARGE,
        {.body = "{\"docs\":[" NONE("b") "]}"},
        {.body = "{\"docs\":[{\"_id\":\"c\",\"found\":true,\"_version\":9}]}"},
    };
    struct world w;
    run(&w, script, ARRAY_LEN(script), read_three);
    assert_true(w.fine);
    assert_true(w.documents[0].content.missing && w.documents[1].content.missing);
    /* there, though nothing of it can be read */
    assert_int_equal(w.documents[2].version, 9);
    assert_false(w.documents[2].content.missing);
    assert_non_null(w.documents[2].unreadable);
    tear_down(&w);
}

static void too_large_alone(void **state)
{
    (void)state;
    static const struct http_reply script[] = {ROOT, TOO_LARGE};
    struct world w;
    run(&w, script, ARRAY_LEN(script), read_three);
    assert_false(w.fine);
    assert_int_equal(w.err.code, ERR_TOO_LARGE);
    assert_int_equal(http_server_count(w.server), 3); /* three, then one */
    tear_down(&w);
}

/* One window: how many entries of it come without and with their documents. */
static void read_window(struct world *w, struct source *s, int64_t known)
{
    struct source_page page;
    uint32_t *counts = w->counts[w->windows++];
    w->fine = w->fine && s->ops->open(s, 5, known, &w->err);
    do {
        w->fine = w->fine && s->ops->next(s, &page, &w->arena, &w->err);
        if (w->fine)
            counts[page.documents != NULL] += page.count;
    } while (w->fine && page.count > 0);
    s->ops->close(s);
}

static void read_windows(void *ctx)
{
    static const int64_t known[] = {9, 9, 4, 9, 9};
    struct world *w = ctx;
    w->fine = await_es_connect(w->client, &w->err);
    struct source *s = source_documents_new(w->client, NULL, SLICE_NULL);
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        read_window(w, s, known[i]);
    s->ops->free(s);
}

#define SHARDS     "\"_shards\":{\"total\":1,\"successful\":1,\"failed\":0}"
#define HITS(list) "{" SHARDS ",\"hits\":{\"hits\":[" list "]}}"
#define ONE        HITS("{\"_id\":\"one\",\"_version\":10}")

static void window_of_known_documents(void **state)
{
    (void)state;
    struct buf many = {0};
    buf_append_str(&many, "{" SHARDS ",\"hits\":{\"hits\":[");
    for (int i = 0; i < 200; i++)
        buf_printf(&many, "%s{\"_id\":\"%d\",\"_version\":7}", i ? "," : "", i);
    buf_append_str(&many, "]}}");
    const struct http_reply script[] = {
        ROOT,
        {.body = buf_cstr(&many)},
        {.body = buf_cstr(&many)},
        {.body = ONE},
        {.body = buf_cstr(&many)},
        {.body = ONE},
        {.body = ONE},
        {.body = ONE},
    };
    struct world w;
    run(&w, script, ARRAY_LEN(script), read_windows);
    static const uint32_t counts[5][2] = {
        {0, 200},           /* nothing is known of how many there are */
        {200, 1}, {0, 200}, /* none of them was read before */
        {1, 1},   {0, 1},   /* few: not worth a request */
    };
    assert_string_equal(w.err.text, "");
    assert_memory_equal(w.counts, counts, sizeof counts);
    assert_int_equal(http_server_count(w.server), ARRAY_LEN(script));
    const char *bare = http_server_seen(w.server, 2)->body;
    const char *rest = http_server_seen(w.server, 3)->body;
    assert_non_null(strstr(bare, "\"_source\":false"));
    assert_non_null(strstr(bare, "\"gte\":\"5\",\"lte\":\"9\""));
    assert_null(strstr(rest, "\"_source\":false"));
    assert_non_null(strstr(rest, "{\"gte\":\"10\"}"));
    tear_down(&w);
    buf_free(&many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(too_large_together),
        cmocka_unit_test(too_large_alone),
        cmocka_unit_test(window_of_known_documents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

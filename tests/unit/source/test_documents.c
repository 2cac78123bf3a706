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

static void run(struct world *w, const struct http_reply *script, size_t replies)
{
    *w = (struct world){.loop = io_loop_new(NULL)};
    w->server = http_server_new(io_loop_uv(w->loop), script, replies);
    const char *const hosts[] = {http_server_url(w->server)};
    const struct es_options options = {.hosts = hosts, .host_count = 1, .index = "index"};
    w->client = es_client_new(w->loop, &options, &w->err);
    io_task_start(w->loop, read_three, w, end);
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
    run(&w, script, ARRAY_LEN(script));
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
    run(&w, script, ARRAY_LEN(script));
    assert_false(w.fine);
    assert_int_equal(w.err.code, ERR_TOO_LARGE);
    assert_int_equal(http_server_count(w.server), 3); /* three, then one */
    tear_down(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(too_large_together),
        cmocka_unit_test(too_large_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

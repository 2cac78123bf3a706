#include "sink/documents.h"

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
#define GONE "{\"delete\":{\"status\":404}}"
#define DONE "{\"delete\":{\"status\":200}}"
#define NO_INDEX                                                                     \
    "{\"delete\":{\"status\":404,\"error\":{\"type\":\"index_not_found_exception\"," \
    "\"reason\":\"no such index\"}}}"
#define TOO_LARGE                                 \
    {                                             \
        .status = 413, .body = "<html>413</html>" \
    }

enum { KEYS = 4 };

/* Bulks of deletes against a scripted server. */
struct world {
    struct io_loop *loop;
    struct http_server *server;
    struct es_client *client;
    struct change_key keys[KEYS];
    struct sink_write writes[KEYS];
    size_t count;
    struct err err;
    bool ended;
};

static void apply(void *ctx)
{
    struct world *w = ctx;
    const struct sink_documents_options options = {.in_flight = 1};
    struct sink_write *writes[KEYS];
    if (!await_es_connect(w->client, &w->err))
        return;
    struct sink *sink = sink_documents_new(w->client, &options);
    for (size_t i = 0; i < w->count; i++)
        writes[i] = &w->writes[i];
    sink->ops->apply(sink, writes, w->count);
    sink->ops->free(sink);
}

static void end(void *ctx)
{
    struct world *w = ctx;
    w->ended = true;
    io_loop_stop(w->loop);
}

static void run(struct world *w, size_t count, const struct http_reply *script, size_t replies)
{
    static const char *const names[KEYS] = {"a", "b", "c", "d"};
    *w = (struct world){.count = count, .loop = io_loop_new(NULL)};
    w->server = http_server_new(io_loop_uv(w->loop), script, replies);
    const char *const hosts[] = {http_server_url(w->server)};
    const struct es_options options = {.hosts = hosts, .host_count = 1, .index = "index"};
    w->client = es_client_new(w->loop, &options, &w->err);
    for (size_t i = 0; i < count; i++) {
        w->keys[i].text = slice_str(names[i]);
        w->writes[i] = (struct sink_write){.key = &w->keys[i], .version = 7, .delete = true};
    }
    io_task_start(w->loop, apply, w, end);
    while (!w->ended)
        io_loop_run(w->loop);
    assert_int_equal(w->err.code, ERR_NONE);
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
}

static unsigned actions(const struct world *w, size_t request)
{
    unsigned count = 0;
    for (const char *c = http_server_seen(w->server, request)->body; *c; c++)
        count += *c == '\n';
    return count;
}

static void too_large_together(void **state)
{
    (void)state;
    static const struct http_reply script[] = {
        ROOT,
        TOO_LARGE,
        {.body = "{\"items\":[" DONE "," GONE "]}"},
        TOO_LARGE,
        {.body = "{\"items\":[" DONE "]}"},
        TOO_LARGE,
    };
    static const unsigned sent[] = {0, 4, 2, 2, 1, 1};
    struct world w;
    run(&w, KEYS, script, ARRAY_LEN(script));
    assert_int_equal(http_server_count(w.server), ARRAY_LEN(sent));
    for (size_t i = 1; i < ARRAY_LEN(sent); i++)
        assert_int_equal(actions(&w, i), sent[i]);
    for (size_t i = 0; i < KEYS - 1; i++)
        assert_int_equal(w.writes[i].outcome, SINK_APPLIED);
    assert_int_equal(w.writes[KEYS - 1].outcome, SINK_REJECTED);
    assert_int_equal(w.writes[KEYS - 1].err.code, ERR_TOO_LARGE);
    tear_down(&w);
}

/* Deleting what is not there is done; an index that is missing says nothing about a record. */
static void not_found(void **state)
{
    (void)state;
    static const struct http_reply script[] = {ROOT,
                                               {.body = "{\"items\":[" GONE "," NO_INDEX "]}"}};
    struct world w;
    run(&w, 2, script, ARRAY_LEN(script));
    assert_int_equal(w.writes[0].outcome, SINK_APPLIED);
    assert_int_equal(w.writes[1].outcome, SINK_RETRY);
    assert_int_equal(w.writes[1].err.code, ERR_NOT_FOUND);
    tear_down(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(too_large_together),
        cmocka_unit_test(not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "app/engine.h"

#include "app/clients.h"
#include "app/config_tls.h"
#include "app/engine_internal.h"
#include "base/clock.h"
#include "base/mem.h"

#include <stdlib.h>

/* Connections are used by all engines whose pipelines say the same of them. */
static const struct engine *sharing(const struct engine *e, const struct engine_place *place,
                                    bool (*share)(const struct config_pipeline *a,
                                                  const struct config_pipeline *b))
{
    for (size_t i = 0; i < place->other_count; i++) {
        const struct engine *other = place->others[i];
        if (other->loop == e->loop && (!share || share(e->settings, other->settings)))
            return other;
    }
    return NULL;
}

static bool open_clients(struct engine *e, const struct engine_place *place, struct err *err)
{
    const struct engine *beside = sharing(e, place, clients_share_cassandra);
    const struct engine *neighbour = sharing(e, place, NULL);
    struct cql_options cassandra = clients_cassandra(e->settings);
    struct es_options elasticsearch = clients_elasticsearch(e->settings);
    cassandra.watch = engine_cql_watch(e);
    cassandra.log = place->log;
    cassandra.beside = beside ? beside->cassandra : NULL;
    elasticsearch.watch = engine_es_watch(e);
    elasticsearch.log = e->log;
    elasticsearch.beside = neighbour ? neighbour->elasticsearch : NULL;
    if (!config_tls_check(e->config, e->settings, err))
        return false;
    e->cassandra = cql_client_new(e->loop, &cassandra, err);
    if (!e->cassandra)
        return false;
    e->elasticsearch = es_client_new(e->loop, &elasticsearch, err);
    return e->elasticsearch != NULL;
}

static void on_event(void *ctx, const struct cql_event *event)
{
    const struct engine *e = ctx;
    if (e->pipeline)
        pipeline_on_event(e->pipeline, event);
}

struct engine *engine_new(const struct engine_place *place, const struct app_config *config,
                          const struct config_pipeline *pipeline, bool with_state,
                          const struct log *log, struct err *err)
{
    struct engine *e = mem_zalloc(sizeof *e);
    e->config = config;
    e->settings = pipeline;
    e->log = log;
    e->loop = place->loop;
    e->home = place->home;
    e->vitals.progress_us = clock_mono_us();
    engine_fill_options(e);
    if (with_state)
        e->store = store_open(pipeline->state, err);
    bool fine = (e->store || !with_state) && open_clients(e, place, err);
    if (fine && with_state) {
        e->pipeline =
            pipeline_new(e->loop, e->cassandra, e->elasticsearch, e->store, &e->options, err);
        fine = e->pipeline && engine_pause_restore(e, err) && engine_self_restore(e, err);
        cql_on_event(e->cassandra, on_event, e);
    }
    if (fine)
        return e;
    engine_free(e);
    return NULL;
}

static void on_closed(void *ctx)
{
    struct engine *e = ctx;
    e->open--;
}

void engine_free(struct engine *e)
{
    if (!e)
        return;
    pipeline_free(e->pipeline);
    e->pipeline = NULL;
    e->open = (e->cassandra != NULL) + (e->elasticsearch != NULL);
    if (e->cassandra)
        cql_client_close(e->cassandra, on_closed, e);
    if (e->elasticsearch)
        es_client_close(e->elasticsearch, on_closed, e);
    while (e->open > 0)
        uv_run(io_loop_uv(e->loop), UV_RUN_ONCE);
    store_close(e->store);
    arena_free(&e->arena);
    free(e);
}

const struct config_pipeline *engine_settings(const struct engine *e)
{
    return e->settings;
}

void engine_start_from(struct engine *e, int64_t since)
{
    e->since = since;
    pipeline_start_from(e->pipeline, since);
}

int64_t engine_since(const struct engine *e)
{
    return e->since;
}

static void stop_here(void *ctx)
{
    struct engine *e = ctx;
    io_wake_raise(&e->stop);
    io_wake_raise(&e->halt);
    for (struct engine_job *job = e->jobs; job; job = job->next)
        engine_job_cancel(job);
}

void engine_stop(struct engine *e)
{
    io_loop_call(e->loop, stop_here, e);
}

/* A function on the loop: runs as a task, the caller blocks until it ends. */
struct blocking {
    struct engine *e;
    engine_task_fn *fn;
    void *ctx;
    struct err *err;
    bool fine, ended;
};

static void blocking_main(void *ctx)
{
    struct blocking *b = ctx;
    b->fine = b->fn(b->ctx, b->err);
}

static void blocking_ended(void *ctx)
{
    struct blocking *b = ctx;
    b->ended = true;
    io_loop_stop(b->e->loop);
}

bool engine_block_on(struct engine *e, engine_task_fn *fn, void *ctx, struct err *err)
{
    struct blocking b = {.e = e, .fn = fn, .ctx = ctx, .err = err};
    io_task_start(e->loop, blocking_main, &b, blocking_ended);
    while (!b.ended)
        io_loop_run(e->loop);
    return b.fine;
}

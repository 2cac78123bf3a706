#include "app/engine.h"

#include "app/config_tls.h"
#include "app/engine_internal.h"
#include "base/clock.h"
#include "base/mem.h"

#include <stdlib.h>

static bool open_clients(struct engine *e, struct err *err)
{
    const struct config_pipeline *s = e->settings;
    const struct cql_options cassandra = {
        .contact_points = s->cassandra.contact_points.items,
        .contact_point_count = s->cassandra.contact_points.count,
        .port = (uint16_t)s->cassandra.port,
        .username = s->cassandra.username,
        .password = s->cassandra.password,
        .local_datacenter = s->cassandra.local_datacenter,
        .protocol_version = (int)s->cassandra.protocol_version,
        .compression = s->cassandra.compression,
        .tls = {.enabled = s->cassandra.tls_enabled,
                .ca = s->cassandra.tls.ca,
                .cert = s->cassandra.tls.cert,
                .key = s->cassandra.tls.key,
                .server_name = s->cassandra.tls_server_name,
                .no_verify = !s->cassandra.tls.verify},
        .connect_timeout_ms = (uint64_t)s->cassandra.connect_timeout,
        .request_timeout_ms = (uint64_t)s->cassandra.request_timeout,
        .watch = engine_cql_watch(e),
        .log = e->log,
    };
    const struct es_options elasticsearch = {
        .hosts = s->es.hosts.items,
        .host_count = s->es.hosts.count,
        .username = s->es.username,
        .password = s->es.password,
        .api_key = s->es.api_key,
        .aws = {.region = s->es.aws.region,
                .service = s->es.aws.service == CONFIG_AWS_AOSS ? "aoss" : "es",
                .access_key = s->es.aws.access_key,
                .secret_key = s->es.aws.secret_key,
                .session_token = s->es.aws.session_token},
        .tls = {.ca = s->es.tls.ca,
                .cert = s->es.tls.cert,
                .key = s->es.tls.key,
                .no_verify = !s->es.tls.verify},
        .index = s->es.index,
        .type = s->es.type,
        .timestamp_field = s->es.timestamp_field,
        .request_timeout_ms = (uint64_t)s->es.request_timeout,
        .watch = engine_es_watch(e),
        .log = e->log,
    };
    if (!config_tls_check(e->config, s, err))
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

struct engine *engine_new(struct io_loop *loop, const struct app_config *config,
                          const struct config_pipeline *pipeline, bool with_state,
                          const struct log *log, struct err *err)
{
    struct engine *e = mem_zalloc(sizeof *e);
    e->config = config;
    e->settings = pipeline;
    e->log = log;
    e->loop = loop;
    e->vitals.progress_us = clock_mono_us();
    engine_fill_options(e);
    if (with_state)
        e->store = store_open(pipeline->state, err);
    bool fine = (e->store || !with_state) && open_clients(e, err);
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

void engine_stop(struct engine *e)
{
    io_wake_raise(&e->stop);
    io_wake_raise(&e->halt);
    for (struct engine_job *job = e->jobs; job; job = job->next)
        engine_job_cancel(job);
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

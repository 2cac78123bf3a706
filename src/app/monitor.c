#include "app/monitor.h"
#include "app/monitor_internal.h"
#include "base/clock.h"
#include "base/mem.h"
#include "status/judge.h"

#include <stdlib.h>
#include <string.h>

enum { LOOK_MS = 1000, RETRY_US = 5000000 };

static void look_at(struct monitor_pipeline *m)
{
    if (m->engine)
        engine_status(m->engine, &m->status);
    if (m->status.verified.at_us)
        m->verified = m->status.verified;
    const struct pipeline_counts *now[] = {
        [METRIC_TO_ELASTICSEARCH] = &m->status.pipeline.to_elasticsearch,
        [METRIC_TO_CASSANDRA] = &m->status.pipeline.to_cassandra};
    for (size_t way = 0; way < ARRAY_LEN(now); way++) {
        m->counts[way] = m->past_counts[way];
        if (m->engine)
            pipeline_counts_add(&m->counts[way], now[way]);
    }
}

static void look(struct monitor *m)
{
    for (size_t i = 0; i < m->count; i++)
        look_at(m->pipelines[i]);
}

/* A pipeline that is stuck says so, once. */
static void tell_stuck(const struct monitor *m, const struct status_snapshot *s, size_t i)
{
    struct status_verdict v;
    bool *told = &m->pipelines[i]->stuck;
    status_judge(s, &s->pipelines[i], 0, &v);
    const bool stuck = v.state == STATUS_STUCK;
    if (stuck && !*told)
        log_error(m->log, "%s: %s", s->pipelines[i].name, v.text);
    else if (!stuck && *told)
        log_info(m->log, "%s: goes on: %s", s->pipelines[i].name, v.text);
    *told = stuck;
}

static void listen_as_wanted(struct monitor *m, struct status_snapshot *s)
{
    const struct status_http_options options = {.listen = m->address, .token = m->token};
    struct err err = {0};
    if (m->http || m->address.off || clock_mono_us() < m->next_try_us)
        return;
    m->http = status_http_start(&options, s, &err);
    m->next_try_us = clock_mono_us() + RETRY_US;
    if (m->http)
        log_info(m->log, "status page at http://%s/", m->config->http.listen);
    else if (!m->told)
        log_error(m->log, "no status page at %s: %s; trying again every %d s, the sync goes on",
                  m->config->http.listen, err.text, RETRY_US / 1000000);
    m->told = !m->http;
}

static void publish(struct monitor *m)
{
    struct status_snapshot *s = monitor_snapshot(m);
    for (size_t i = 0; i < m->count; i++)
        tell_stuck(m, s, i);
    service_look(m->service, s);
    if (m->http)
        status_http_publish(m->http, s);
    else
        listen_as_wanted(m, s);
    status_snapshot_unref(s);
}

static void on_timer(uv_timer_t *timer)
{
    struct monitor *m = timer->data;
    if (!m->config)
        return;
    look(m);
    for (size_t i = 0; i < m->count; i++)
        monitor_remember(m->pipelines[i]);
    publish(m);
}

struct monitor *monitor_new(struct io_loop *loop, const struct log *log, struct service *service)
{
    struct monitor *m = mem_zalloc(sizeof *m);
    m->loop = loop;
    m->log = log;
    m->service = service;
    m->started_us = clock_wall_us();
    uv_timer_init(io_loop_uv(loop), &m->timer);
    m->timer.data = m;
    uv_timer_start(&m->timer, on_timer, LOOK_MS, LOOK_MS);
    return m;
}

static void forget_options(struct monitor *m)
{
    status_http_stop(m->http);
    free(m->listen);
    free(m->token);
    m->http = NULL;
    m->listen = m->token = NULL;
}

/* A listener that is still as it should be stays. */
static void adopt_options(struct monitor *m, const struct app_config *config)
{
    if (slice_same_text(config->http.listen, m->listen) &&
        slice_same_text(config->http.token, m->token))
        return;
    forget_options(m);
    m->listen = mem_strdup(config->http.listen);
    m->token = config->http.token ? mem_strdup(config->http.token) : NULL;
    if (!status_listen_parse(m->listen, &m->address, NULL)) /* was checked */
        m->address.off = true;
    m->next_try_us = 0;
    m->told = false;
}

static void forget_pipeline(struct monitor_pipeline *p)
{
    if (!p)
        return;
    status_snapshot_unref(p->letters);
    free(p->name);
    free(p);
}

/* The one that the engine's pipeline had before, taken out of the others, or a new one. */
static struct monitor_pipeline *take_pipeline(struct monitor *m, const struct engine *engine)
{
    const struct config_pipeline *config = engine_settings(engine);
    struct monitor_pipeline *p = NULL;
    for (size_t i = 0; !p && i < m->count; i++)
        if (m->pipelines[i] && strcmp(m->pipelines[i]->name, config->name) == 0) {
            p = m->pipelines[i];
            m->pipelines[i] = NULL;
        }
    if (!p) {
        p = mem_zalloc(sizeof *p);
        p->name = mem_strdup(config->name);
    }
    p->config = config;
    p->engine = engine;
    return p;
}

static void forget_pipelines(struct monitor *m)
{
    for (size_t i = 0; i < m->count; i++)
        forget_pipeline(m->pipelines[i]);
    free(m->pipelines);
    m->pipelines = NULL;
    m->count = 0;
}

static void adopt_engines(struct monitor *m, struct engine *const *engines, size_t count)
{
    struct monitor_pipeline **pipelines = mem_alloc(count * sizeof(struct monitor_pipeline *));
    for (size_t i = 0; i < count; i++)
        pipelines[i] = take_pipeline(m, engines[i]);
    forget_pipelines(m);
    m->pipelines = pipelines;
    m->count = count;
}

void monitor_watch(struct monitor *m, const struct app_config *config,
                   struct engine *const *engines, size_t count)
{
    m->config = config;
    adopt_engines(m, engines, count);
    adopt_options(m, config);
    look(m);
    publish(m);
}

static void leave(struct monitor_pipeline *m)
{
    if (!m->engine)
        return;
    look_at(m);
    for (size_t way = 0; way < ARRAY_LEN(m->counts); way++)
        m->past_counts[way] = m->counts[way];
    m->past_cycles += m->status.pipeline.cycles;
    m->status.pipeline.cycles = 0;
    engine_metrics_add(m->engine, &m->past);
    m->engine = NULL;
}

void monitor_leave(struct monitor *m)
{
    for (size_t i = 0; i < m->count; i++)
        leave(m->pipelines[i]);
    if (m->count > 0)
        publish(m);
}

struct status_snapshot *monitor_look(struct monitor *m)
{
    look(m);
    return monitor_snapshot(m);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void monitor_close(struct monitor *m)
{
    if (!m)
        return;
    forget_options(m);
    forget_pipelines(m);
    uv_close((uv_handle_t *)&m->timer, on_closed);
}

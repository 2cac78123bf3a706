#include "app/engine_internal.h"
#include "base/clock.h"

#include <stdio.h>

/* What the clients tell of their requests, and cycles of themselves, becomes metrics and signs of
 * life. */

static const enum metric_operation cql_operations[] = {
    [CQL_OPERATION_READ] = METRIC_READ,
    [CQL_OPERATION_WRITE] = METRIC_WRITE,
    [CQL_OPERATION_BATCH] = METRIC_BATCH,
    [CQL_OPERATION_PREPARE] = METRIC_PREPARE,
};

static const enum metric_operation es_operations[] = {
    [ES_OPERATION_BULK] = METRIC_BULK,   [ES_OPERATION_SEARCH] = METRIC_SEARCH,
    [ES_OPERATION_GET] = METRIC_GET,     [ES_OPERATION_REFRESH] = METRIC_REFRESH,
    [ES_OPERATION_OTHER] = METRIC_OTHER,
};

static void begun(struct engine *e, enum metric_server server)
{
    if (e->vitals.servers[server].waiting++ == 0)
        e->vitals.servers[server].heard_us = clock_mono_us();
}

static void count_retry(struct engine_vitals *v, enum metric_server server, enum err_code code)
{
    static const struct {
        enum err_code code;
        enum metric_reason reason;
    } reasons[] = {
        {ERR_TIMEOUT, METRIC_TIMEOUT},
        {ERR_OVERLOADED, METRIC_OVERLOADED},
        {ERR_UNAVAILABLE, METRIC_UNAVAILABLE},
        {ERR_CONNECTION, METRIC_CONNECTION},
    };
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
        if (reasons[i].code == code)
            metric_add(&v->metrics, METRIC_RETRIES, server, reasons[i].reason, 1);
    }
}

/* A request that was refused for good was answered as well as one that was granted; a server that
 * is overloaded answers, too. */
static void ended(struct engine *e, enum metric_server server, enum metric_operation operation,
                  uint64_t took_us, const struct err *err)
{
    struct engine_vitals *v = &e->vitals;
    const enum err_code code = err ? err->code : ERR_NONE;
    v->servers[server].waiting--;
    if (code == ERR_CANCELLED) /* by us */
        return;
    v->servers[server].known = true;
    v->servers[server].answers =
        code != ERR_CONNECTION && code != ERR_TIMEOUT && code != ERR_UNAVAILABLE;
    metric_observe(&v->metrics, METRIC_REQUEST, server, operation, (double)took_us / 1e6);
    if (err && err_class_of(code) == ERR_CLASS_RETRY) {
        count_retry(v, server, code);
        v->servers[server].failure = *err;
        if (!v->servers[server].failing_since_us)
            v->servers[server].failing_since_us = clock_wall_us();
        return;
    }
    v->servers[server].heard_us = clock_mono_us();
    v->servers[server].failing_since_us = 0;
    if (code == ERR_NONE && operation != METRIC_OTHER)
        v->progress_us = clock_mono_us();
}

static void cql_begun(void *ctx, enum cql_operation operation UNUSED)
{
    begun(ctx, METRIC_CASSANDRA);
}

static void cql_ended(void *ctx, enum cql_operation operation, uint64_t took_us,
                      const struct err *err)
{
    ended(ctx, METRIC_CASSANDRA, cql_operations[operation], took_us, err);
}

static void es_begun(void *ctx, enum es_operation operation UNUSED)
{
    begun(ctx, METRIC_ELASTICSEARCH);
}

static void es_ended(void *ctx, enum es_operation operation, uint64_t took_us,
                     const struct err *err)
{
    ended(ctx, METRIC_ELASTICSEARCH, es_operations[operation], took_us, err);
}

struct cql_watch engine_cql_watch(struct engine *e)
{
    return (struct cql_watch){cql_begun, cql_ended, e};
}

struct es_watch engine_es_watch(struct engine *e)
{
    return (struct es_watch){es_begun, es_ended, e};
}

void engine_cycle_begins(struct engine *e)
{
    e->vitals.cycle_us = clock_mono_us();
}

void engine_cycle_ends(struct engine *e, bool complete, const struct err *err)
{
    struct engine_vitals *v = &e->vitals;
    const int64_t now = clock_mono_us();
    if (complete) {
        metric_observe(&v->metrics, METRIC_CYCLE, 0, 0, (double)(now - v->cycle_us) / 1e6);
        v->progress_us = now;
        v->completed = true;
    } else if (err && err->code != ERR_CANCELLED) {
        metric_add(&v->metrics, METRIC_CYCLE_FAILURES, 0, 0, 1);
    }
    v->cycle_us = 0;
}

static void server_status(const struct engine *e, enum metric_server server,
                          struct engine_server *out)
{
    const struct engine_vitals *v = &e->vitals;
    *out = (struct engine_server){
        .known = v->servers[server].known,
        .up = v->servers[server].known && v->servers[server].answers,
        .failing_since_us = v->servers[server].failing_since_us,
    };
    if (out->failing_since_us)
        out->failure = v->servers[server].failure;
    if (v->servers[server].waiting)
        out->silent_us = clock_mono_us() - v->servers[server].heard_us;
}

static void fill_status(const struct engine *e, struct engine_status *out)
{
    const struct engine_vitals *v = &e->vitals;
    const int64_t now = clock_mono_us();
    *out = (struct engine_status){
        .verified = e->verified,
        .failure = e->failure,
        .failing_since_us = e->failing_since_us,
        .paused_us = e->paused_us,
        .completed = v->completed,
        .cycle_us = v->cycle_us ? now - v->cycle_us : -1,
        .quiet_us = now - v->progress_us,
    };
    pipeline_status(e->pipeline, &out->pipeline);
    server_status(e, METRIC_ELASTICSEARCH, &out->servers[METRIC_ELASTICSEARCH]);
    server_status(e, METRIC_CASSANDRA, &out->servers[METRIC_CASSANDRA]);
    struct engine_server *cassandra = &out->servers[METRIC_CASSANDRA];
    cassandra->up = cassandra->up && cql_is_up(e->cassandra);
    cassandra->known = cassandra->known || e->failing_since_us;
    snprintf(cassandra->release, sizeof cassandra->release, "%s",
             cql_release_version(e->cassandra));
    snprintf(out->servers[METRIC_ELASTICSEARCH].release, sizeof cassandra->release, "%s",
             es_client_version(e->elasticsearch)->text);
}

/* What is asked of an engine whose loop may have a thread of its own. */
struct asking {
    const struct engine *e;
    struct engine_status *status;
    struct metric_set *sum;
    uint32_t limit;
    store_dead_fn *fn;
    void *ctx;
    struct err *err;
    bool fine;
};

static void status_here(void *ctx)
{
    const struct asking *a = ctx;
    fill_status(a->e, a->status);
}

void engine_status(const struct engine *e, struct engine_status *out)
{
    struct asking a = {.e = e, .status = out};
    io_loop_call(e->loop, status_here, &a);
}

static void metrics_here(void *ctx)
{
    const struct asking *a = ctx;
    metric_merge(a->sum, &a->e->vitals.metrics);
}

void engine_metrics_add(const struct engine *e, struct metric_set *sum)
{
    struct asking a = {.e = e, .sum = sum};
    io_loop_call(e->loop, metrics_here, &a);
}

static void letters_here(void *ctx)
{
    struct asking *a = ctx;
    a->fine = store_dead_page(a->e->store, pipeline_id(a->e->pipeline), NULL, a->limit, a->fn,
                              a->ctx, a->err);
}

bool engine_letters(const struct engine *e, uint32_t limit, store_dead_fn *fn, void *ctx,
                    struct err *err)
{
    struct asking a = {.e = e, .limit = limit, .fn = fn, .ctx = ctx, .err = err};
    io_loop_call(e->loop, letters_here, &a);
    return a.fine;
}

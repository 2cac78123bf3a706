#include "cql/client.h"

#include "base/mem.h"
#include "cql/dispatch.h"
#include "cql/pool.h"

#include <stdlib.h>

enum { REQUEST_TIMEOUT_MS = 10000 };

struct cql_client {
    struct io_loop *loop;
    struct cql_pool *pool;
    struct cql_user user; /* of it */
    uint64_t request_timeout_ms;
    struct cql_dispatch dispatch;

    cql_done_fn *connected;
    void *connected_ctx;
    bool started;

    cql_event_fn *on_event;
    void *event_ctx;

    struct io_timer *soon; /* what happens on the loop's own stack: connected, or closing */
    bool closing;
    int open_parts; /* the dispatch's timer and the place in the pool */
    void (*closed)(void *ctx);
    void *closed_ctx;
};

/* --- connections --- */

static void settle_connect(struct cql_client *c, const struct err *err)
{
    cql_done_fn *connected = c->connected;
    c->connected = NULL;
    if (connected)
        connected(c->connected_ctx, err);
}

static void on_up(void *ctx)
{
    settle_connect(ctx, NULL);
}

static void on_down(void *ctx, bool hopeless)
{
    struct cql_client *c = ctx;
    if (hopeless)
        settle_connect(c, cql_pool_error(c->pool));
}

static void on_event(void *ctx, const struct cql_event *event)
{
    struct cql_client *c = ctx;
    if (c->on_event && !c->closing)
        c->on_event(c->event_ctx, event);
}

static void on_gone(void *ctx, struct cql_host *host)
{
    struct cql_client *c = ctx;
    cql_dispatch_forget(&c->dispatch, host);
}

static bool on_send(void *ctx)
{
    struct cql_client *c = ctx;
    return cql_dispatch_send(&c->dispatch);
}

static bool waits(void *ctx)
{
    const struct cql_client *c = ctx;
    return c->dispatch.queue != NULL;
}

/* --- the end --- */

static void end_part(struct cql_client *c)
{
    if (--c->open_parts > 0)
        return;
    void (*closed)(void *ctx) = c->closed;
    void *ctx = c->closed_ctx;
    cql_dispatch_free(&c->dispatch);
    free(c);
    if (closed)
        closed(ctx);
}

static void on_left(void *ctx)
{
    end_part(ctx);
}

static void on_timer_closed(uv_handle_t *handle)
{
    end_part((struct cql_client *)((char *)handle->data - offsetof(struct cql_client, dispatch)));
}

static void close_now(void *ctx)
{
    struct cql_client *c = ctx;
    struct err err;
    err_set(&err, ERR_CANCELLED, "the client was closed");
    settle_connect(c, &err);
    cql_pool_leave(c->pool, &c->user);
    cql_dispatch_cancel(&c->dispatch);
    uv_close((uv_handle_t *)&c->dispatch.timer, on_timer_closed);
}

void cql_client_close(struct cql_client *c, void (*closed)(void *ctx), void *ctx)
{
    if (c->closing)
        return;
    c->closing = true;
    c->closed = closed;
    c->closed_ctx = ctx;
    c->dispatch.closing = true;
    io_timer_cancel(c->soon);
    c->soon = io_timer_start(c->loop, 0, close_now, c);
}

/* --- the beginning --- */

static uint64_t or_default(uint64_t value, uint64_t fallback)
{
    return value ? value : fallback;
}

struct cql_client *cql_client_new(struct io_loop *loop, const struct cql_options *options,
                                  struct err *err)
{
    static const struct cql_user_events events = {
        .up = on_up,
        .down = on_down,
        .event = on_event,
        .gone = on_gone,
        .send = on_send,
        .waits = waits,
        .left = on_left,
    };
    const struct cql_client *beside = options->beside;
    struct cql_pool *pool =
        beside && !beside->closing ? beside->pool : cql_pool_new(loop, options, err);
    if (!pool)
        return NULL;
    struct cql_client *c = mem_zalloc(sizeof *c);
    c->loop = loop;
    c->pool = pool;
    c->user = (struct cql_user){.events = &events, .ctx = c};
    c->request_timeout_ms = or_default(options->request_timeout_ms, REQUEST_TIMEOUT_MS);
    c->dispatch.pool = pool;
    c->dispatch.cluster = cql_pool_cluster(pool);
    c->dispatch.request_timeout_ms = c->request_timeout_ms;
    c->dispatch.watch = options->watch;
    cql_dispatch_init(&c->dispatch, loop);
    cql_pool_join(pool, &c->user);
    c->open_parts = 2;
    return c;
}

/* How it went was known before. */
static void tell_connected(void *ctx)
{
    struct cql_client *c = ctx;
    const bool up = cql_is_up(c);
    c->soon = NULL;
    settle_connect(c, up ? NULL : cql_pool_error(c->pool));
}

bool cql_connect(struct cql_client *c, cql_done_fn *done, void *ctx, struct err *err)
{
    if (c->started || c->closing)
        return err_set(err, ERR_INTERNAL, "cql_connect was called before, or after close");
    c->started = true;
    c->connected = done;
    c->connected_ctx = ctx;
    if (cql_pool_connect(c->pool))
        c->soon = io_timer_start(c->loop, 0, tell_connected, c);
    return true;
}

bool cql_is_up(const struct cql_client *c)
{
    return cql_cluster_is_up(c->dispatch.cluster);
}

const char *cql_release_version(const struct cql_client *c)
{
    return cql_pool_release(c->pool);
}

int cql_protocol_version(const struct cql_client *c)
{
    return cql_pool_version(c->pool);
}

void cql_on_event(struct cql_client *c, cql_event_fn *fn, void *ctx)
{
    c->on_event = fn;
    c->event_ctx = ctx;
}

/* --- requests --- */

static bool is_open(const struct cql_client *c, struct err *err)
{
    return !c->closing || err_set(err, ERR_CANCELLED, "the client is being closed");
}

bool cql_prepare(struct cql_client *c, const char *text, cql_prepared_fn *done, void *ctx,
                 struct err *err)
{
    if (!is_open(c, err))
        return false;
    struct cql_prepared *prepared = cql_registry_add(&c->dispatch.registry, slice_str(text));
    struct cql_request *r = cql_request_new_prepare(prepared);
    r->settled = !slice_is_null(prepared->id);
    r->on_prepared = done;
    r->ctx = ctx;
    cql_dispatch_add(&c->dispatch, r, c->request_timeout_ms);
    return true;
}

const struct cql_metadata *cql_prepared_binds(const struct cql_prepared *prepared)
{
    return &prepared->binds;
}

const struct cql_metadata *cql_prepared_columns(const struct cql_prepared *prepared)
{
    return &prepared->columns->metadata;
}

static bool add(struct cql_client *c, struct cql_request *r, cql_result_fn *done, void *ctx)
{
    if (!r)
        return false;
    r->on_result = done;
    r->ctx = ctx;
    cql_dispatch_add(&c->dispatch, r, or_default(r->execution.timeout_ms, c->request_timeout_ms));
    return true;
}

bool cql_execute(struct cql_client *c, const struct cql_statement *statement,
                 const struct cql_execution *execution, cql_result_fn *done, void *ctx,
                 struct err *err)
{
    return is_open(c, err) &&
           add(c, cql_request_new(CQL_REQUEST_QUERY, statement, 1, execution, err), done, ctx);
}

bool cql_batch(struct cql_client *c, enum cql_batch_kind kind,
               const struct cql_statement *statements, size_t count,
               const struct cql_execution *execution, cql_result_fn *done, void *ctx,
               struct err *err)
{
    if (!is_open(c, err))
        return false;
    struct cql_request *r = cql_request_new(CQL_REQUEST_BATCH, statements, count, execution, err);
    if (r)
        r->batch_kind = kind;
    return add(c, r, done, ctx);
}

#include "cql/client.h"

#include "base/mem.h"
#include "cql/cluster.h"
#include "cql/dispatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PORT = 9042,
    CONNECTIONS = 2,
    IN_FLIGHT = 1024,
    CONNECT_TIMEOUT_MS = 5000,
    REQUEST_TIMEOUT_MS = 10000,
    HEARTBEAT_MS = 10000,
};

struct cql_client {
    struct io_loop *loop;
    const struct log *log;
    struct cql_connection_options connection;
    uint64_t request_timeout_ms;
    struct cql_tls_context *tls;
    char *username, *password;
    char release[64];
    int version;

    struct cql_cluster *cluster;
    struct cql_dispatch dispatch;
    struct err last_error;

    cql_done_fn *connected;
    void *connected_ctx;
    bool started;

    cql_event_fn *on_event;
    void *event_ctx;

    bool closing;
    int open_handles;
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

static void on_up(void *ctx, struct cql_connection *connection)
{
    struct cql_client *c = ctx;
    c->version = cql_connection_version(connection);
    snprintf(c->release, sizeof c->release, "%s", cql_connection_release(connection));
    cql_dispatch_wake(&c->dispatch);
    settle_connect(c, NULL);
}

static void on_down(void *ctx, const struct err *err, bool hopeless)
{
    struct cql_client *c = ctx;
    /* A reason that needs somebody's hand is worth more than the last refused connect. */
    if (!c->connected || err_class_of(c->last_error.code) != ERR_CLASS_FATAL)
        c->last_error = *err;
    if (hopeless)
        settle_connect(c, &c->last_error);
}

static void on_drained(void *ctx)
{
    struct cql_client *c = ctx;
    if (c->dispatch.queue)
        cql_dispatch_wake(&c->dispatch);
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

/* --- the end --- */

static void free_client(struct cql_client *c)
{
    cql_cluster_free(c->cluster);
    cql_tls_context_free(c->tls);
    free(c->username);
    free(c->password);
    free(c);
}

static void try_free(struct cql_client *c)
{
    if (!cql_cluster_is_closed(c->cluster) || c->open_handles > 0)
        return;
    void (*closed)(void *ctx) = c->closed;
    void *ctx = c->closed_ctx;
    cql_dispatch_free(&c->dispatch);
    free_client(c);
    if (closed)
        closed(ctx);
}

static void on_cluster_closed(void *ctx)
{
    try_free(ctx);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct cql_client *c =
        (struct cql_client *)((char *)handle->data - offsetof(struct cql_client, dispatch));
    c->open_handles--;
    try_free(c);
}

static void on_close(uv_idle_t *idle)
{
    struct cql_dispatch *dispatch = idle->data;
    struct cql_client *c =
        (struct cql_client *)((char *)dispatch - offsetof(struct cql_client, dispatch));
    struct err err;
    err_set(&err, ERR_CANCELLED, "the client was closed");
    uv_idle_stop(idle);
    if (c->connected)
        c->connected(c->connected_ctx, &err);
    c->connected = NULL;
    cql_cluster_close(c->cluster);
    cql_dispatch_cancel(&c->dispatch);
    uv_close((uv_handle_t *)&c->dispatch.idle, on_handle_closed);
    uv_close((uv_handle_t *)&c->dispatch.timer, on_handle_closed);
}

void cql_client_close(struct cql_client *c, void (*closed)(void *ctx), void *ctx)
{
    if (c->closing)
        return;
    c->closing = true;
    c->closed = closed;
    c->closed_ctx = ctx;
    c->dispatch.closing = true;
    uv_idle_stop(&c->dispatch.idle);
    uv_idle_start(&c->dispatch.idle, on_close);
}

/* --- the beginning --- */

static uint64_t or_default(uint64_t value, uint64_t fallback)
{
    return value ? value : fallback;
}

static bool check_options(const struct cql_options *o, struct err *err)
{
    if (o->contact_point_count == 0)
        return err_set(err, ERR_CONFIG, "no contact point");
    if (o->protocol_version != 0 && o->protocol_version != 4 && o->protocol_version != 5)
        return err_set(err, ERR_CONFIG, "protocol version %d: only 4 and 5 are spoken",
                       o->protocol_version);
    if (o->connections > CQL_HOST_CONNECTIONS_MAX)
        return err_set(err, ERR_CONFIG, "%u connections per host, at most %d", o->connections,
                       (int)CQL_HOST_CONNECTIONS_MAX);
    if (o->in_flight > 32768)
        return err_set(err, ERR_CONFIG, "%u requests in flight per connection, at most 32768",
                       o->in_flight);
    return true;
}

static void copy_options(struct cql_client *c, const struct cql_options *o)
{
    c->log = o->log;
    c->username = o->username ? mem_strdup(o->username) : NULL;
    c->password = o->password ? mem_strdup(o->password) : NULL;
    c->request_timeout_ms = or_default(o->request_timeout_ms, REQUEST_TIMEOUT_MS);
    c->connection = (struct cql_connection_options){
        .port = (uint16_t)or_default(o->port, PORT),
        .version = o->protocol_version,
        .compression = o->compression,
        .username = c->username,
        .password = c->password,
        .tls = c->tls,
        .in_flight = (unsigned)or_default(o->in_flight, IN_FLIGHT),
        .connect_timeout_ms = or_default(o->connect_timeout_ms, CONNECT_TIMEOUT_MS),
        .heartbeat_ms = or_default(o->heartbeat_ms, HEARTBEAT_MS),
        .log = o->log,
    };
}

struct cql_client *cql_client_new(struct io_loop *loop, const struct cql_options *options,
                                  struct err *err)
{
    static const struct cql_cluster_events events = {
        .up = on_up,
        .down = on_down,
        .drained = on_drained,
        .event = on_event,
        .gone = on_gone,
        .closed = on_cluster_closed,
    };
    if (!check_options(options, err))
        return NULL;
    struct cql_client *c = mem_zalloc(sizeof *c);
    c->loop = loop;
    if (options->tls.enabled) {
        c->tls = cql_tls_context_new(&options->tls, err);
        if (!c->tls) {
            free(c);
            return NULL;
        }
    }
    copy_options(c, options);
    const struct cql_cluster_options cluster = {
        .loop = loop,
        .contact_points = options->contact_points,
        .contact_point_count = options->contact_point_count,
        .connection = &c->connection,
        .connections = (unsigned)or_default(options->connections, CONNECTIONS),
        .datacenter = options->local_datacenter,
        .log = options->log,
    };
    c->cluster = cql_cluster_new(&cluster, &events, c, err);
    if (!c->cluster) {
        free_client(c);
        return NULL;
    }
    c->dispatch.cluster = c->cluster;
    c->dispatch.last_error = &c->last_error;
    c->dispatch.request_timeout_ms = c->request_timeout_ms;
    c->dispatch.watch = options->watch;
    err_set(&c->last_error, ERR_CONNECTION, "not connected yet");
    cql_dispatch_init(&c->dispatch, loop);
    c->open_handles = 2;
    return c;
}

bool cql_connect(struct cql_client *c, cql_done_fn *done, void *ctx, struct err *err)
{
    if (c->started || c->closing)
        return err_set(err, ERR_INTERNAL, "cql_connect was called before, or after close");
    c->started = true;
    c->connected = done;
    c->connected_ctx = ctx;
    cql_cluster_start(c->cluster);
    return true;
}

bool cql_is_up(const struct cql_client *c)
{
    return cql_cluster_is_up(c->cluster);
}

const char *cql_release_version(const struct cql_client *c)
{
    return c->release;
}

int cql_protocol_version(const struct cql_client *c)
{
    return c->version;
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

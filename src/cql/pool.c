#include "cql/pool.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <utlist.h>

enum {
    PORT = 9042,
    CONNECTIONS = 2,
    IN_FLIGHT = 1024,
    CONNECT_TIMEOUT_MS = 5000,
    HEARTBEAT_MS = 10000,
};

struct cql_pool {
    struct cql_connection_options connection;
    struct cql_tls_context *tls;
    char *username, *password;
    char release[64];
    int version;
    struct cql_cluster *cluster;
    struct err error; /* why no connection is ready */
    bool started;     /* somebody wants to be connected */
    bool known;       /* how that went, the first time */
    bool hopeless;    /* there is no connection, and all nodes were tried */
    struct cql_user *users;
    struct cql_user *last; /* who left as the last one, until all is closed */
    uv_idle_t idle;        /* runs while there is something to send */
    bool idle_open;
};

/* --- what the connections tell --- */

static void on_up(void *ctx, struct cql_connection *connection)
{
    struct cql_pool *p = ctx;
    struct cql_user *user;
    p->known = true;
    p->hopeless = false;
    p->version = cql_connection_version(connection);
    snprintf(p->release, sizeof p->release, "%s", cql_connection_release(connection));
    cql_pool_wake(p);
    DL_FOREACH (p->users, user)
        user->events->up(user->ctx);
}

static void on_down(void *ctx, const struct err *err, bool hopeless)
{
    struct cql_pool *p = ctx;
    struct cql_user *user;
    /* A reason that needs somebody's hand is worth more than the last refused connect. */
    if (p->known || err_class_of(p->error.code) != ERR_CLASS_FATAL)
        p->error = *err;
    p->hopeless = hopeless;
    p->known |= hopeless;
    DL_FOREACH (p->users, user)
        user->events->down(user->ctx, hopeless);
}

static void on_drained(void *ctx)
{
    cql_pool_room(ctx);
}

static void on_event(void *ctx, const struct cql_event *event)
{
    const struct cql_pool *p = ctx;
    struct cql_user *user;
    DL_FOREACH (p->users, user)
        user->events->event(user->ctx, event);
}

static void on_gone(void *ctx, struct cql_host *host)
{
    const struct cql_pool *p = ctx;
    struct cql_user *user;
    DL_FOREACH (p->users, user)
        user->events->gone(user->ctx, host);
}

/* --- sending --- */

/* Who has sent comes last: many that wait of one user don't make those of another late. */
static bool send_one(struct cql_pool *p)
{
    struct cql_user *user;
    DL_FOREACH (p->users, user) {
        if (!user->events->send(user->ctx))
            continue;
        DL_DELETE(p->users, user);
        DL_APPEND(p->users, user);
        return true;
    }
    return false;
}

static void on_idle(uv_idle_t *idle)
{
    struct cql_pool *p = idle->data;
    uv_idle_stop(idle);
    while (send_one(p))
        ;
    cql_cluster_flush(p->cluster);
}

void cql_pool_wake(struct cql_pool *p)
{
    if (!p->last)
        uv_idle_start(&p->idle, on_idle);
}

void cql_pool_room(struct cql_pool *p)
{
    struct cql_user *user;
    DL_FOREACH (p->users, user)
        if (user->events->waits(user->ctx)) {
            cql_pool_wake(p);
            return;
        }
}

/* --- who uses it --- */

static void free_pool(struct cql_pool *p)
{
    cql_cluster_free(p->cluster);
    cql_tls_context_free(p->tls);
    free(p->username);
    free(p->password);
    free(p);
}

static void try_free(struct cql_pool *p)
{
    struct cql_user *last = p->last;
    if (!last || p->idle_open || !cql_cluster_is_closed(p->cluster))
        return;
    free_pool(p);
    last->events->left(last->ctx);
}

static void on_cluster_closed(void *ctx)
{
    try_free(ctx);
}

static void on_idle_closed(uv_handle_t *handle)
{
    struct cql_pool *p = handle->data;
    p->idle_open = false;
    try_free(p);
}

void cql_pool_join(struct cql_pool *p, struct cql_user *user)
{
    DL_APPEND(p->users, user);
}

void cql_pool_leave(struct cql_pool *p, struct cql_user *user)
{
    DL_DELETE(p->users, user);
    if (p->users) {
        user->events->left(user->ctx);
        return;
    }
    p->last = user;
    cql_cluster_close(p->cluster);
    uv_close((uv_handle_t *)&p->idle, on_idle_closed);
}

bool cql_pool_connect(struct cql_pool *p)
{
    if (!p->started)
        cql_cluster_start(p->cluster);
    p->started = true;
    return p->hopeless || cql_cluster_is_up(p->cluster);
}

struct cql_cluster *cql_pool_cluster(const struct cql_pool *p)
{
    return p->cluster;
}

const struct err *cql_pool_error(const struct cql_pool *p)
{
    return &p->error;
}

const char *cql_pool_release(const struct cql_pool *p)
{
    return p->release;
}

int cql_pool_version(const struct cql_pool *p)
{
    return p->version;
}

/* --- the beginning --- */

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

static uint64_t or_default(uint64_t value, uint64_t fallback)
{
    return value ? value : fallback;
}

static void copy_options(struct cql_pool *p, const struct cql_options *o)
{
    p->username = o->username ? mem_strdup(o->username) : NULL;
    p->password = o->password ? mem_strdup(o->password) : NULL;
    p->connection = (struct cql_connection_options){
        .port = (uint16_t)or_default(o->port, PORT),
        .version = o->protocol_version,
        .compression = o->compression,
        .username = p->username,
        .password = p->password,
        .tls = p->tls,
        .in_flight = (unsigned)or_default(o->in_flight, IN_FLIGHT),
        .connect_timeout_ms = or_default(o->connect_timeout_ms, CONNECT_TIMEOUT_MS),
        .heartbeat_ms = or_default(o->heartbeat_ms, HEARTBEAT_MS),
        .log = o->log,
    };
}

static bool open_cluster(struct cql_pool *p, struct io_loop *loop, const struct cql_options *o,
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
    const struct cql_cluster_options cluster = {
        .loop = loop,
        .contact_points = o->contact_points,
        .contact_point_count = o->contact_point_count,
        .connection = &p->connection,
        .connections = (unsigned)or_default(o->connections, CONNECTIONS),
        .datacenter = o->local_datacenter,
        .log = o->log,
    };
    p->cluster = cql_cluster_new(&cluster, &events, p, err);
    return p->cluster != NULL;
}

struct cql_pool *cql_pool_new(struct io_loop *loop, const struct cql_options *options,
                              struct err *err)
{
    if (!check_options(options, err))
        return NULL;
    struct cql_pool *p = mem_zalloc(sizeof *p);
    if (options->tls.enabled)
        p->tls = cql_tls_context_new(&options->tls, err);
    bool fine = p->tls || !options->tls.enabled;
    copy_options(p, options);
    fine = fine && open_cluster(p, loop, options, err);
    if (!fine) {
        free_pool(p);
        return NULL;
    }
    err_set(&p->error, ERR_CONNECTION, "not connected yet");
    uv_idle_init(io_loop_uv(loop), &p->idle);
    p->idle.data = p;
    p->idle_open = true;
    return p;
}

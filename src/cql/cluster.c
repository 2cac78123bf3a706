#include "cql/cluster.h"

#include "base/mem.h"
#include "cql/cluster_internal.h"

#include <stdlib.h>

static const struct cql_host_events host_events;

/* --- members --- */

static struct cql_member *member_of(const struct cql_cluster *c, const struct cql_host *host)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->members[i]->host == host)
            return c->members[i];
    return NULL;
}

struct cql_member *cql_member_by_id(const struct cql_cluster *c, struct slice id)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->members[i]->known && memcmp(c->members[i]->id, id.ptr, CQL_ID_SIZE) == 0)
            return c->members[i];
    return NULL;
}

void cql_member_set_id(struct cql_member *m, struct slice id)
{
    static const char none[CQL_ID_SIZE];
    m->known = memcmp(id.ptr, none, CQL_ID_SIZE) != 0;
    memcpy(m->id, id.ptr, CQL_ID_SIZE);
}

struct cql_member *cql_member_add(struct cql_cluster *c, const char *address, struct err *err)
{
    struct cql_host *host =
        cql_host_new(c->loop, address, &c->connection, c->connections, &host_events, c, err);
    if (!host)
        return NULL;
    struct cql_member **members = mem_array(c->count + 1, sizeof(struct cql_member *));
    if (c->count > 0)
        memcpy(members, c->members, c->count * sizeof(struct cql_member *));
    free(c->members);
    c->members = members;
    struct cql_member *m = mem_zalloc(sizeof *m);
    m->host = host;
    members[c->count++] = m;
    return m;
}

void cql_member_remove(struct cql_cluster *c, struct cql_member *m)
{
    size_t at = 0;
    while (c->members[at] != m)
        at++;
    c->members[at] = c->members[--c->count];
    cql_cluster_map_nodes(c);
    if (c->source_member == m) {
        c->source = NULL;
        c->source_member = NULL;
        c->events_missed = true;
    }
    c->events->gone(c->ctx, m->host);
    cql_host_set_aside(m->host);
    cql_host_close(m->host);
    if (cql_host_is_closed(m->host))
        cql_host_free(m->host);
    else
        c->dying++;
    free(m);
}

static void set_aside(struct cql_member *m)
{
    m->aside = true;
    m->known = false;
    m->remote = false;
}

bool cql_member_is_ready(const struct cql_member *m)
{
    return !m->remote && !m->aside && cql_host_ready(m->host) > 0;
}

bool cql_cluster_is_up(const struct cql_cluster *c)
{
    for (size_t i = 0; i < c->count; i++)
        if (cql_member_is_ready(c->members[i]))
            return true;
    return false;
}

bool cql_cluster_is_down(const struct cql_cluster *c, struct slice host_id)
{
    const struct cql_member *m = cql_member_by_id(c, host_id);
    return m && m->refused;
}

/* --- connections --- */

/* Two members lead to the same node: one is enough, best one that is there. */
static bool is_taken(struct cql_cluster *c, struct cql_member *m, struct slice id)
{
    struct cql_member *other = cql_member_by_id(c, id);
    if (!other || other == m)
        return false;
    if (cql_host_ready(other->host) > 0)
        return true;
    if (other->contact) {
        set_aside(other);
        cql_host_set_aside(other->host);
    } else {
        cql_member_remove(c, other);
    }
    return false;
}

static enum cql_host_verdict on_accept(void *ctx, struct cql_host *host,
                                       struct cql_connection *connection, struct err *err)
{
    (void)err;
    struct cql_cluster *c = ctx;
    struct cql_member *m = member_of(c, host);
    const struct slice id = cql_connection_host_id(connection);
    const char *datacenter = cql_connection_datacenter(connection);
    if (cql_host_ready(host) > 0 && m->known && memcmp(m->id, id.ptr, CQL_ID_SIZE) != 0)
        return CQL_HOST_ALONE; /* a name of several nodes */
    m->tried = true;
    if (!c->datacenter)
        c->datacenter = mem_strdup(datacenter);
    m->remote = strcmp(c->datacenter, datacenter) != 0;
    if (is_taken(c, m, id) || (m->remote && cql_cluster_is_up(c))) {
        set_aside(m);
        return CQL_HOST_ASIDE;
    }
    cql_member_set_id(m, id);
    return CQL_HOST_TAKE;
}

static void leave_remotes(struct cql_cluster *c)
{
    for (size_t i = 0; i < c->count; i++) {
        struct cql_member *m = c->members[i];
        if (!m->remote)
            continue;
        set_aside(m);
        cql_host_set_aside(m->host);
    }
}

static void on_up(void *ctx, struct cql_host *host, struct cql_connection *connection)
{
    struct cql_cluster *c = ctx;
    struct cql_member *m = member_of(c, host);
    m->refused = false;
    if (!m->remote && cql_host_ready(host) == 1)
        log_info(c->log, "connected to Cassandra %s at %s (protocol v%d, data center %s)",
                 cql_connection_release(connection), cql_host_name(host),
                 cql_connection_version(connection), c->datacenter);
    cql_cluster_choose_source(c);
    if (!m->remote) {
        leave_remotes(c);
        c->events->up(c->ctx, connection);
    }
    cql_cluster_apply(c);
}

/* A way to a node that another member was may be the only one left. */
static void wake_all(struct cql_cluster *c)
{
    for (size_t i = 0; i < c->count; i++) {
        struct cql_member *m = c->members[i];
        if (!m->aside)
            continue;
        m->aside = false;
        cql_host_start(m->host);
    }
}

static bool is_hopeless(const struct cql_cluster *c)
{
    for (size_t i = 0; i < c->count; i++) {
        const struct cql_member *m = c->members[i];
        if (!m->refused && !m->aside && !(m->remote && c->ring))
            return false;
    }
    return true;
}

static void on_down(void *ctx, struct cql_host *host, struct cql_connection *connection,
                    const struct err *err)
{
    struct cql_cluster *c = ctx;
    struct cql_member *m = member_of(c, host);
    m->tried = true;
    m->refused = cql_host_ready(host) == 0;
    if (c->source == connection) {
        c->source = NULL;
        c->source_member = NULL;
        c->events_missed = true;
        cql_cluster_choose_source(c);
    }
    if (!cql_cluster_is_up(c))
        wake_all(c);
    cql_cluster_apply(c);
    c->events->down(c->ctx, err, is_hopeless(c));
}

static void on_drained(void *ctx)
{
    struct cql_cluster *c = ctx;
    c->events->drained(c->ctx);
}

static void on_closed(void *ctx, struct cql_host *host)
{
    struct cql_cluster *c = ctx;
    if (!member_of(c, host)) {
        cql_host_free(host);
        c->dying--;
    }
    if (c->closing && cql_cluster_is_closed(c))
        c->events->closed(c->ctx);
}

static const struct cql_host_events host_events = {
    .accept = on_accept,
    .up = on_up,
    .down = on_down,
    .drained = on_drained,
    .event = cql_cluster_on_event,
    .closed = on_closed,
};

/* --- life --- */

struct cql_cluster *cql_cluster_new(const struct cql_cluster_options *options,
                                    const struct cql_cluster_events *events, void *ctx,
                                    struct err *err)
{
    struct cql_cluster *c = mem_zalloc(sizeof *c);
    c->loop = options->loop;
    c->log = options->log;
    c->events = events;
    c->ctx = ctx;
    c->connection = *options->connection;
    c->connections = options->connections;
    c->datacenter = options->datacenter ? mem_strdup(options->datacenter) : NULL;
    c->datacenter_given = options->datacenter != NULL;
    for (size_t i = 0; i < options->contact_point_count; i++) {
        struct cql_member *m = cql_member_add(c, options->contact_points[i], err);
        if (!m) {
            cql_cluster_free(c);
            return NULL;
        }
        m->contact = true;
    }
    return c;
}

void cql_cluster_free(struct cql_cluster *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->count; i++) {
        cql_host_free(c->members[i]->host);
        free(c->members[i]);
    }
    cql_ring_free(c->ring);
    free(c->members);
    free(c->by_node);
    free(c->datacenter);
    free(c);
}

void cql_cluster_start(struct cql_cluster *c)
{
    for (size_t i = 0; i < c->count; i++)
        cql_host_start(c->members[i]->host);
}

void cql_cluster_close(struct cql_cluster *c)
{
    c->closing = true;
    io_timer_cancel(c->timer);
    c->timer = NULL;
    for (size_t i = 0; i < c->count; i++)
        cql_host_close(c->members[i]->host);
}

bool cql_cluster_is_closed(const struct cql_cluster *c)
{
    for (size_t i = 0; i < c->count; i++)
        if (!cql_host_is_closed(c->members[i]->host))
            return false;
    return c->dying == 0;
}

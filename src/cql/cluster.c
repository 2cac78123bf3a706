#include "cql/cluster.h"

#include "base/mem.h"
#include "cql/topology.h"

#include <stdlib.h>

enum {
    ID_SIZE = 16,
    SETTLE_MS = 1000, /* events come before the tables of the server have changed */
    AGAIN_MS = 10 * 1000,
};

struct member {
    struct cql_host *host;
    char id[ID_SIZE];
    bool known;   /* id is */
    bool contact; /* a contact point, else from the topology */
    bool remote;  /* in another data center: it only tells of the others */
    bool aside;   /* leads to a node that another member is */
    bool tried;   /* was ready or refused once */
    bool refused; /* last time */
};

struct cql_cluster {
    struct io_loop *loop;
    const struct log *log;
    const struct cql_cluster_events *events;
    void *ctx;
    struct cql_connection_options connection;
    unsigned connections;
    char *datacenter;
    bool datacenter_given;

    struct member **members;
    size_t count, next;
    size_t dying; /* hosts that are no longer members, not closed yet */

    struct cql_ring *ring; /* NULL: not read yet */
    struct member **by_node;
    size_t nodes_told;

    struct cql_connection *source; /* of events and the topology */
    struct member *source_member;
    bool events_missed, reading, read_again;
    struct io_timer *timer;
    bool closing;
};

static const struct cql_host_events host_events;

/* --- members --- */

static struct member *member_of(const struct cql_cluster *c, const struct cql_host *host)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->members[i]->host == host)
            return c->members[i];
    return NULL;
}

static struct member *member_by_id(const struct cql_cluster *c, struct slice id)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->members[i]->known && memcmp(c->members[i]->id, id.ptr, ID_SIZE) == 0)
            return c->members[i];
    return NULL;
}

static void set_id(struct member *m, struct slice id)
{
    static const char none[ID_SIZE];
    m->known = memcmp(id.ptr, none, ID_SIZE) != 0;
    memcpy(m->id, id.ptr, ID_SIZE);
}

static struct member *add_member(struct cql_cluster *c, const char *address, struct err *err)
{
    struct cql_host *host =
        cql_host_new(c->loop, address, &c->connection, c->connections, &host_events, c, err);
    if (!host)
        return NULL;
    struct member **members = mem_array(c->count + 1, sizeof(struct member *));
    if (c->count > 0)
        memcpy(members, c->members, c->count * sizeof(struct member *));
    free(c->members);
    c->members = members;
    struct member *m = mem_zalloc(sizeof *m);
    m->host = host;
    members[c->count++] = m;
    return m;
}

static void map_nodes(struct cql_cluster *c)
{
    const size_t count = c->ring ? cql_ring_node_count(c->ring) : 0;
    free(c->by_node);
    c->by_node = mem_array(count + 1, sizeof(struct member *));
    for (size_t i = 0; i < count; i++)
        c->by_node[i] = member_by_id(c, cql_ring_node(c->ring, i)->id);
}

static void remove_member(struct cql_cluster *c, struct member *m)
{
    size_t at = 0;
    while (c->members[at] != m)
        at++;
    c->members[at] = c->members[--c->count];
    map_nodes(c);
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

static void set_aside(struct member *m)
{
    m->aside = true;
    m->known = false;
    m->remote = false;
}

static bool is_ready(const struct member *m)
{
    return !m->remote && !m->aside && cql_host_ready(m->host) > 0;
}

bool cql_cluster_is_up(const struct cql_cluster *c)
{
    for (size_t i = 0; i < c->count; i++)
        if (is_ready(c->members[i]))
            return true;
    return false;
}

bool cql_cluster_is_down(const struct cql_cluster *c, struct slice host_id)
{
    const struct member *m = member_by_id(c, host_id);
    return m && m->refused;
}

static bool is_local(const struct cql_cluster *c, const struct cql_ring_node *node)
{
    return c->datacenter && slice_is(node->datacenter, c->datacenter);
}

/* --- the topology --- */

static bool leads_to(const struct member *m, const struct cql_ring_node *node)
{
    return slice_is(node->address, cql_host_name(m->host)) &&
           (node->port == 0 || node->port == cql_host_port(m->host));
}

/* A contact point that was not reached yet, but whose address says which node it is. */
static void identify(struct cql_cluster *c, const struct cql_ring_node *node)
{
    for (size_t i = 0; i < c->count; i++) {
        struct member *m = c->members[i];
        if (!m->known && !m->aside && leads_to(m, node)) {
            set_id(m, node->id);
            return;
        }
    }
}

static void add_node(struct cql_cluster *c, const struct cql_ring_node *node)
{
    struct buf address = {0};
    struct err err;
    buf_printf(&address, "[%.*s]:%u", SLICE_ARG(node->address),
               node->port ? node->port : c->connection.port);
    struct member *m = add_member(c, buf_cstr(&address), &err);
    buf_free(&address);
    if (!m)
        return;
    set_id(m, node->id);
    cql_host_start(m->host);
}

static void add_nodes(struct cql_cluster *c)
{
    bool all_tried = true;
    for (size_t i = 0; i < c->count; i++)
        all_tried &= c->members[i]->tried || c->members[i]->aside || !c->members[i]->contact;
    for (size_t i = 0; i < cql_ring_node_count(c->ring); i++) {
        const struct cql_ring_node *node = cql_ring_node(c->ring, i);
        if (!member_by_id(c, node->id))
            identify(c, node);
        /* A contact point that is being tried may be this one, by another address. */
        if (all_tried && is_local(c, node) && !slice_is_null(node->address) &&
            !member_by_id(c, node->id))
            add_node(c, node);
    }
}

static const struct cql_ring_node *node_of(const struct cql_cluster *c, const struct member *m)
{
    for (size_t i = 0; m->known && i < cql_ring_node_count(c->ring); i++)
        if (memcmp(cql_ring_node(c->ring, i)->id.ptr, m->id, ID_SIZE) == 0)
            return cql_ring_node(c->ring, i);
    return NULL;
}

/* Nodes that were removed, or have got another address. The one that tells of itself knows none. */
static void drop_nodes(struct cql_cluster *c)
{
    for (size_t i = c->count; i > 0; i--) {
        struct member *m = c->members[i - 1];
        const struct cql_ring_node *node = node_of(c, m);
        if (!m->contact && m != c->source_member && (!node || !leads_to(m, node)))
            remove_member(c, m);
    }
}

static void tell_nodes(struct cql_cluster *c)
{
    size_t local = 0;
    for (size_t i = 0; i < cql_ring_node_count(c->ring); i++)
        local += is_local(c, cql_ring_node(c->ring, i));
    const size_t others = cql_ring_node_count(c->ring) - local;
    if (local + others == c->nodes_told)
        return;
    c->nodes_told = local + others;
    if (others > 0 && !c->datacenter_given)
        log_warning(c->log,
                    "Cassandra: %zu nodes in data center %s, which was reached first, and %zu in "
                    "others: set CassandraConfig.localDatacenter",
                    local, c->datacenter, others);
    else if (local > 1)
        log_info(c->log, "Cassandra: %zu nodes in data center %s", local, c->datacenter);
}

/* All that is left are contact points elsewhere, and none of them knows of a local node. */
static void check_datacenter(struct cql_cluster *c)
{
    for (size_t i = 0; i < cql_ring_node_count(c->ring); i++)
        if (is_local(c, cql_ring_node(c->ring, i)))
            return;
    for (size_t i = 0; i < c->count; i++) {
        struct member *m = c->members[i];
        const struct cql_ring_node *node = node_of(c, m);
        struct err err;
        if (!m->remote || cql_host_ready(m->host) == 0)
            continue;
        err_set(&err, ERR_CONFIG,
                "no node is in data center \"%s\" (%s is in \"%.*s\"): look at localDatacenter",
                c->datacenter, cql_host_name(m->host),
                SLICE_ARG(node ? node->datacenter : SLICE_LIT("another")));
        cql_host_fail(m->host, &err);
        return; /* which looks at the others */
    }
}

/* Makes the members fit to the topology; can be repeated. */
static void apply(struct cql_cluster *c)
{
    if (!c->ring || c->closing)
        return;
    drop_nodes(c);
    add_nodes(c);
    map_nodes(c);
    tell_nodes(c);
    check_datacenter(c);
}

static void read_topology(struct cql_cluster *c);

static void on_timer(void *ctx)
{
    struct cql_cluster *c = ctx;
    c->timer = NULL;
    read_topology(c);
}

static void read_later(struct cql_cluster *c, uint64_t delay_ms)
{
    if (!c->timer && !c->closing)
        c->timer = io_timer_start(c->loop, delay_ms, on_timer, c);
}

static void on_topology(void *ctx, struct cql_ring *ring, const struct err *err)
{
    struct cql_cluster *c = ctx;
    c->reading = false;
    if (ring) {
        cql_ring_free(c->ring);
        c->ring = ring;
        apply(c);
    } else if (err->code != ERR_CANCELLED) {
        log_debug(c->log, "Cassandra's topology: %s", err->text);
        read_later(c, AGAIN_MS);
    }
    if (c->read_again)
        read_topology(c);
}

static void read_topology(struct cql_cluster *c)
{
    if (!c->source || c->closing)
        return;
    c->read_again = c->reading;
    if (c->reading)
        return;
    c->reading = true;
    if (!cql_topology_read(c->source, on_topology, c)) {
        c->reading = false;
        read_later(c, SETTLE_MS);
    }
}

/* --- events --- */

static void take_source(struct cql_cluster *c, struct member *m)
{
    static const struct cql_event missed = {.type = {"SCHEMA_CHANGE", 13}, .change = {"MISSED", 6}};
    c->source = cql_host_any(m->host);
    c->source_member = m;
    cql_connection_register(c->source);
    if (c->events_missed)
        c->events->event(c->ctx, &missed);
    c->events_missed = false;
    read_topology(c);
}

/* A local node rather than another. */
static void choose_source(struct cql_cluster *c)
{
    struct member *best = NULL;
    for (size_t i = 0; i < c->count; i++) {
        struct member *m = c->members[i];
        if (cql_host_ready(m->host) > 0 && (!best || (best->remote && !m->remote)))
            best = m;
    }
    if (best && (!c->source || (c->source_member->remote && !best->remote)))
        take_source(c, best);
}

/* A node that was down is tried at once. */
static void on_node_event(struct cql_cluster *c, const struct cql_event *event)
{
    char text[64];
    bool member = false;
    const int family = event->address.len == 4 ? AF_INET : AF_INET6;
    if (uv_inet_ntop(family, event->address.ptr, text, sizeof text) != 0)
        return;
    for (size_t i = 0; c->ring && i < cql_ring_node_count(c->ring); i++) {
        if (!slice_is(cql_ring_node(c->ring, i)->address, text) || !c->by_node[i])
            continue;
        member = true;
        if (slice_is(event->change, "UP"))
            cql_host_hurry(c->by_node[i]->host);
    }
    if (!member || slice_is(event->type, "TOPOLOGY_CHANGE"))
        read_later(c, SETTLE_MS);
}

static void on_event(void *ctx, const struct cql_event *event)
{
    struct cql_cluster *c = ctx;
    if (c->closing)
        return;
    if (!slice_is(event->type, "SCHEMA_CHANGE"))
        on_node_event(c, event);
    else if (slice_is(event->target, "KEYSPACE"))
        read_later(c, SETTLE_MS);
    c->events->event(c->ctx, event);
}

/* --- connections --- */

/* Two members lead to the same node: one is enough, best one that is there. */
static bool is_taken(struct cql_cluster *c, struct member *m, struct slice id)
{
    struct member *other = member_by_id(c, id);
    if (!other || other == m)
        return false;
    if (cql_host_ready(other->host) > 0)
        return true;
    if (other->contact) {
        set_aside(other);
        cql_host_set_aside(other->host);
    } else {
        remove_member(c, other);
    }
    return false;
}

static enum cql_host_verdict on_accept(void *ctx, struct cql_host *host,
                                       struct cql_connection *connection, struct err *err)
{
    (void)err;
    struct cql_cluster *c = ctx;
    struct member *m = member_of(c, host);
    const struct slice id = cql_connection_host_id(connection);
    const char *datacenter = cql_connection_datacenter(connection);
    if (cql_host_ready(host) > 0 && m->known && memcmp(m->id, id.ptr, ID_SIZE) != 0)
        return CQL_HOST_ALONE; /* a name of several nodes */
    m->tried = true;
    if (!c->datacenter)
        c->datacenter = mem_strdup(datacenter);
    m->remote = strcmp(c->datacenter, datacenter) != 0;
    if (is_taken(c, m, id) || (m->remote && cql_cluster_is_up(c))) {
        set_aside(m);
        return CQL_HOST_ASIDE;
    }
    set_id(m, id);
    return CQL_HOST_TAKE;
}

static void leave_remotes(struct cql_cluster *c)
{
    for (size_t i = 0; i < c->count; i++) {
        struct member *m = c->members[i];
        if (!m->remote)
            continue;
        set_aside(m);
        cql_host_set_aside(m->host);
    }
}

static void on_up(void *ctx, struct cql_host *host, struct cql_connection *connection)
{
    struct cql_cluster *c = ctx;
    struct member *m = member_of(c, host);
    m->refused = false;
    if (!m->remote && cql_host_ready(host) == 1)
        log_info(c->log, "connected to Cassandra %s at %s (protocol v%d, data center %s)",
                 cql_connection_release(connection), cql_host_name(host),
                 cql_connection_version(connection), c->datacenter);
    choose_source(c);
    if (!m->remote) {
        leave_remotes(c);
        c->events->up(c->ctx, connection);
    }
    apply(c);
}

/* A way to a node that another member was may be the only one left. */
static void wake_all(struct cql_cluster *c)
{
    for (size_t i = 0; i < c->count; i++) {
        struct member *m = c->members[i];
        if (!m->aside)
            continue;
        m->aside = false;
        cql_host_start(m->host);
    }
}

static bool is_hopeless(const struct cql_cluster *c)
{
    for (size_t i = 0; i < c->count; i++) {
        const struct member *m = c->members[i];
        if (!m->refused && !m->aside && !(m->remote && c->ring))
            return false;
    }
    return true;
}

static void on_down(void *ctx, struct cql_host *host, struct cql_connection *connection,
                    const struct err *err)
{
    struct cql_cluster *c = ctx;
    struct member *m = member_of(c, host);
    m->tried = true;
    m->refused = cql_host_ready(host) == 0;
    if (c->source == connection) {
        c->source = NULL;
        c->source_member = NULL;
        c->events_missed = true;
        choose_source(c);
    }
    if (!cql_cluster_is_up(c))
        wake_all(c);
    apply(c);
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
    .event = on_event,
    .closed = on_closed,
};

/* --- choosing --- */

/* Of two the one with less to do: a node that is slow or stands still gets little. */
static void offer(struct member **best, struct member *m, const struct cql_host *avoid)
{
    if (!m || !is_ready(m) || m->host == avoid || !cql_host_has_room(m->host))
        return;
    if (!*best || cql_host_busy(m->host) < cql_host_busy((*best)->host))
        *best = m;
}

static struct member *best_replica(struct cql_cluster *c, const struct cql_route *route,
                                   const struct cql_host *avoid)
{
    uint32_t replicas[CQL_RING_REPLICAS_MAX];
    struct member *best = NULL;
    if (!c->ring || !route->known)
        return NULL;
    const size_t count = cql_ring_replicas(c->ring, route->keyspace, route->token, replicas);
    for (size_t i = 0; i < count; i++)
        offer(&best, c->by_node[replicas[(c->next + i) % count]], avoid);
    return best;
}

static struct member *best_of_two(struct cql_cluster *c, const struct cql_host *avoid)
{
    struct member *first = NULL, *best = NULL;
    for (size_t i = 0; i < c->count; i++) {
        offer(&best, c->members[(c->next + i) % c->count], avoid);
        if (first)
            break;
        first = best;
    }
    return best;
}

struct cql_connection *cql_cluster_pick(struct cql_cluster *c, const struct cql_route *route,
                                        const struct cql_host *avoid, struct cql_host **host)
{
    c->next++;
    struct member *m = best_replica(c, route, avoid);
    if (!m)
        m = best_of_two(c, avoid);
    if (!m && avoid)
        m = best_of_two(c, NULL);
    *host = m ? m->host : NULL;
    return m ? cql_host_pick(m->host) : NULL;
}

void cql_cluster_flush(struct cql_cluster *c)
{
    for (size_t i = 0; i < c->count; i++)
        cql_host_flush(c->members[i]->host);
}

const char *cql_cluster_datacenter(const struct cql_cluster *c)
{
    return c->datacenter ? c->datacenter : "";
}

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
        struct member *m = add_member(c, options->contact_points[i], err);
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

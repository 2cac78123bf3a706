#include "cql/cluster_internal.h"

#include "base/mem.h"
#include "cql/topology.h"

#include <stdlib.h>

enum {
    SETTLE_MS = 1000, /* events come before the tables of the server have changed */
    AGAIN_MS = 10 * 1000,
};

static bool is_local(const struct cql_cluster *c, const struct cql_ring_node *node)
{
    return c->datacenter && slice_is(node->datacenter, c->datacenter);
}

void cql_cluster_map_nodes(struct cql_cluster *c)
{
    const size_t count = c->ring ? cql_ring_node_count(c->ring) : 0;
    free(c->by_node);
    c->by_node = mem_array(count + 1, sizeof(struct cql_member *));
    for (size_t i = 0; i < count; i++)
        c->by_node[i] = cql_member_by_id(c, cql_ring_node(c->ring, i)->id);
}

static bool leads_to(const struct cql_member *m, const struct cql_ring_node *node)
{
    return slice_is(node->address, cql_host_name(m->host)) &&
           (node->port == 0 || node->port == cql_host_port(m->host));
}

/* A contact point that was not reached yet, but whose address says which node it is. */
static void identify(struct cql_cluster *c, const struct cql_ring_node *node)
{
    for (size_t i = 0; i < c->count; i++) {
        struct cql_member *m = c->members[i];
        if (!m->known && !m->aside && leads_to(m, node)) {
            cql_member_set_id(m, node->id);
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
    struct cql_member *m = cql_member_add(c, buf_cstr(&address), &err);
    buf_free(&address);
    if (!m)
        return;
    cql_member_set_id(m, node->id);
    cql_host_start(m->host);
}

static void add_nodes(struct cql_cluster *c)
{
    bool all_tried = true;
    for (size_t i = 0; i < c->count; i++)
        all_tried &= c->members[i]->tried || c->members[i]->aside || !c->members[i]->contact;
    for (size_t i = 0; i < cql_ring_node_count(c->ring); i++) {
        const struct cql_ring_node *node = cql_ring_node(c->ring, i);
        if (!cql_member_by_id(c, node->id))
            identify(c, node);
        /* A contact point that is being tried may be this one, by another address. */
        if (all_tried && is_local(c, node) && !slice_is_null(node->address) &&
            !cql_member_by_id(c, node->id))
            add_node(c, node);
    }
}

static const struct cql_ring_node *node_of(const struct cql_cluster *c, const struct cql_member *m)
{
    for (size_t i = 0; m->known && i < cql_ring_node_count(c->ring); i++)
        if (memcmp(cql_ring_node(c->ring, i)->id.ptr, m->id, CQL_ID_SIZE) == 0)
            return cql_ring_node(c->ring, i);
    return NULL;
}

/* Nodes that were removed, or have got another address. The one that tells of itself knows none. */
static void drop_nodes(struct cql_cluster *c)
{
    for (size_t i = c->count; i > 0; i--) {
        struct cql_member *m = c->members[i - 1];
        const struct cql_ring_node *node = node_of(c, m);
        if (!m->contact && m != c->source_member && (!node || !leads_to(m, node)))
            cql_member_remove(c, m);
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

static bool is_first_of_its_datacenter(const struct cql_ring *ring, size_t number)
{
    for (size_t i = 0; i < number; i++)
        if (slice_equal(cql_ring_node(ring, i)->datacenter,
                        cql_ring_node(ring, number)->datacenter))
            return false;
    return true;
}

static void refuse_datacenter(const struct cql_cluster *c, struct cql_host *host)
{
    struct buf names = {0};
    struct err err;
    for (size_t i = 0; i < cql_ring_node_count(c->ring); i++)
        if (is_first_of_its_datacenter(c->ring, i))
            buf_printf(&names, "%s\"%.*s\"", i > 0 ? ", " : "",
                       SLICE_ARG(cql_ring_node(c->ring, i)->datacenter));
    err_set(&err, ERR_CONFIG,
            "no node is in data center \"%s\" (%s knows of %s): look at localDatacenter",
            c->datacenter, cql_host_name(host), buf_cstr(&names));
    buf_free(&names);
    cql_host_fail(host, &err);
}

/* All that is left are contact points elsewhere, and none of them knows of a local node. */
static void check_datacenter(struct cql_cluster *c)
{
    for (size_t i = 0; i < cql_ring_node_count(c->ring); i++)
        if (is_local(c, cql_ring_node(c->ring, i)))
            return;
    for (size_t i = 0; i < c->count; i++) {
        struct cql_member *m = c->members[i];
        if (!m->remote || cql_host_ready(m->host) == 0)
            continue;
        refuse_datacenter(c, m->host);
        return; /* which looks at the others */
    }
}

void cql_cluster_apply(struct cql_cluster *c)
{
    if (!c->ring || c->closing)
        return;
    drop_nodes(c);
    add_nodes(c);
    cql_cluster_map_nodes(c);
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
        cql_cluster_apply(c);
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

static void take_source(struct cql_cluster *c, struct cql_member *m)
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
void cql_cluster_choose_source(struct cql_cluster *c)
{
    struct cql_member *best = NULL;
    for (size_t i = 0; i < c->count; i++) {
        struct cql_member *m = c->members[i];
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

void cql_cluster_on_event(void *ctx, const struct cql_event *event)
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

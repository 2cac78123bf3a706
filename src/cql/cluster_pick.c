#include "cql/cluster_internal.h"

/* Of two the one with less to do: a node that is slow or stands still gets little. */
static void offer(struct cql_member **best, struct cql_member *m, const struct cql_host *avoid)
{
    if (!m || !cql_member_is_ready(m) || m->host == avoid || !cql_host_has_room(m->host))
        return;
    if (!*best || cql_host_busy(m->host) < cql_host_busy((*best)->host))
        *best = m;
}

static struct cql_member *best_replica(struct cql_cluster *c, const struct cql_route *route,
                                       const struct cql_host *avoid)
{
    uint32_t replicas[CQL_RING_REPLICAS_MAX];
    struct cql_member *best = NULL;
    if (!c->ring || !route->known)
        return NULL;
    const size_t count = cql_ring_replicas(c->ring, route->keyspace, route->token, replicas);
    for (size_t i = 0; i < count; i++)
        offer(&best, c->by_node[replicas[(c->next + i) % count]], avoid);
    return best;
}

static struct cql_member *best_of_two(struct cql_cluster *c, const struct cql_host *avoid)
{
    struct cql_member *first = NULL, *best = NULL;
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
    struct cql_member *m = best_replica(c, route, avoid);
    if (!m)
        m = best_of_two(c, avoid);
    if (!m && avoid)
        m = best_of_two(c, NULL);
    *host = m ? m->host : NULL;
    return m ? cql_host_pick(m->host) : NULL;
}

bool cql_cluster_has_other(const struct cql_cluster *c, const struct cql_host *host)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->members[i]->host != host && cql_member_is_ready(c->members[i]))
            return true;
    return false;
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

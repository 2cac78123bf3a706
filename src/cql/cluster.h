#ifndef CQL_CLUSTER_H
#define CQL_CLUSTER_H

#include "base/attr.h"
#include "base/err.h"
#include "cql/host.h"
#include "cql/ring.h"

/* Which nodes there are, and which of them a request goes to.
 *
 * It begins with the contact points. The first connection also brings events and the cluster's
 * topology: every node of the local data center gets connections, by the address that it tells,
 * unless a contact point leads to it. Nodes of other data centers get no requests; a contact point
 * there is left as soon as a local node is ready. */
struct cql_cluster;

struct cql_cluster_options {
    struct io_loop *loop;
    const char *const *contact_points; /* as for cql_host_new */
    size_t contact_point_count;
    const struct cql_connection_options *connection; /* copied, its strings borrowed */
    unsigned connections;                            /* per node */
    const char *datacenter;                          /* NULL: that of the first node reached */
    const struct log *log;
};

struct cql_cluster_events {
    /* A connection is ready for requests. */
    void (*up)(void *ctx, struct cql_connection *connection);
    /* A connection was lost or not to be had; hopeless: there is none, and all were tried. */
    void (*down)(void *ctx, const struct err *err, bool hopeless);
    /* There may be room for requests again. */
    void (*drained)(void *ctx);
    void (*event)(void *ctx, const struct cql_event *event);
    /* This node exists no longer; its memory goes soon. */
    void (*gone)(void *ctx, struct cql_host *host);
    /* After cql_cluster_close. */
    void (*closed)(void *ctx);
};

/* Errors: ERR_CONFIG. */
MUST_USE struct cql_cluster *cql_cluster_new(const struct cql_cluster_options *options,
                                             const struct cql_cluster_events *events, void *ctx,
                                             struct err *err);
/* Only when it was never started or is closed. */
void cql_cluster_free(struct cql_cluster *cluster);
void cql_cluster_start(struct cql_cluster *cluster);
void cql_cluster_close(struct cql_cluster *cluster);
bool cql_cluster_is_closed(const struct cql_cluster *cluster);

/* Where a request belongs. */
struct cql_route {
    bool known;
    struct slice keyspace;
    int64_t token;
};

/* A connection with room: to a replica where that is known, else to any node; not to avoid (may be
 * NULL) unless there is no other. *host is its node. NULL: there is none now. */
struct cql_connection *cql_cluster_pick(struct cql_cluster *cluster, const struct cql_route *route,
                                        const struct cql_host *avoid, struct cql_host **host);
/* Whether any connection is ready for requests. */
bool cql_cluster_is_up(const struct cql_cluster *cluster);
/* Whether any is, to another node than this one. */
bool cql_cluster_has_other(const struct cql_cluster *cluster, const struct cql_host *host);
/* Whether the node of this host_id refused to be connected to, last time. */
bool cql_cluster_is_down(const struct cql_cluster *cluster, struct slice host_id);
void cql_cluster_flush(struct cql_cluster *cluster);
/* "" before the first connection was ready; borrowed */
const char *cql_cluster_datacenter(const struct cql_cluster *cluster);

#endif

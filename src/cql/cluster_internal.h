#ifndef CQL_CLUSTER_INTERNAL_H
#define CQL_CLUSTER_INTERNAL_H

#include "cql/cluster.h"

/* For the files of cql/cluster only. */

enum { CQL_ID_SIZE = 16 };

struct cql_member {
    struct cql_host *host;
    char id[CQL_ID_SIZE];
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

    struct cql_member **members;
    size_t count, next;
    size_t dying; /* hosts that are no longer members, not closed yet */

    struct cql_ring *ring; /* NULL: not read yet */
    struct cql_member **by_node;
    size_t nodes_told;

    struct cql_connection *source; /* of events and the topology */
    struct cql_member *source_member;
    bool events_missed, reading, read_again;
    struct io_timer *timer;
    bool closing;
};

/* -- cluster.c: members ------------------------------------------------------------------- */

bool cql_member_is_ready(const struct cql_member *member);
/* NULL when there is none. */
struct cql_member *cql_member_by_id(const struct cql_cluster *cluster, struct slice id);
void cql_member_set_id(struct cql_member *member, struct slice id);
/* address is that of cql_host_new. */
MUST_USE struct cql_member *cql_member_add(struct cql_cluster *cluster, const char *address,
                                           struct err *err);
/* Its node is gone. */
void cql_member_remove(struct cql_cluster *cluster, struct cql_member *member);

/* -- cluster_nodes.c: the topology -------------------------------------------------------- */

/* Makes the members fit to the topology; can be repeated. */
void cql_cluster_apply(struct cql_cluster *cluster);
/* After a change of members. */
void cql_cluster_map_nodes(struct cql_cluster *cluster);
/* Takes a connection for events and the topology where there is none, or a better one. */
void cql_cluster_choose_source(struct cql_cluster *cluster);
void cql_cluster_on_event(void *ctx, const struct cql_event *event);

#endif

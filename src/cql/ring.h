#ifndef CQL_RING_H
#define CQL_RING_H

#include "base/arena.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The nodes of a cluster, their tokens, and how keyspaces are replicated: which nodes hold a
 * partition. Pure; filled by cql/topology. */

struct cql_ring_node {
    struct slice id;      /* host_id, 16 bytes */
    struct slice address; /* for clients, as text, "192.0.2.1" or "2001:db8::1"; null: not known */
    uint16_t port;        /* for clients; 0: not known */
    struct slice datacenter, rack;
    uint32_t datacenter_number, rack_number; /* set by cql_ring_close */
};

enum { CQL_RING_REPLICAS_MAX = 64 };

struct cql_ring;

struct cql_ring *cql_ring_new(void);
void cql_ring_free(struct cql_ring *ring);

/* Filling: everything is copied. Tokens are of the node that was added last. */
void cql_ring_add_node(struct cql_ring *ring, const struct cql_ring_node *node);
void cql_ring_add_token(struct cql_ring *ring, int64_t token);
/* The replication map of a keyspace, option by option: "class", "replication_factor", and for
 * NetworkTopologyStrategy a factor by data center. Other strategies have no replicas here. */
void cql_ring_add_keyspace(struct cql_ring *ring, struct slice name);
void cql_ring_add_option(struct cql_ring *ring, struct slice name, struct slice value);
/* To be called once, when all is added and before anything is asked. */
void cql_ring_close(struct cql_ring *ring);

size_t cql_ring_node_count(const struct cql_ring *ring);
const struct cql_ring_node *cql_ring_node(const struct cql_ring *ring, size_t number);
/* The numbers of the nodes that hold what lies at token, in the ring's order from it on; returns
 * how many, at most CQL_RING_REPLICAS_MAX; 0 where that is not known. */
size_t cql_ring_replicas(const struct cql_ring *ring, struct slice keyspace, int64_t token,
                         uint32_t *out);

#endif

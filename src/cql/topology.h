#ifndef CQL_TOPOLOGY_H
#define CQL_TOPOLOGY_H

#include "base/err.h"
#include "cql/connection.h"
#include "cql/ring.h"

/* Reads what one node knows of its cluster: system.local, system.peers_v2 (system.peers before
 * 4.0) and the keyspaces. */
struct cql_topology;

/* ring is the callee's then, to be freed by it; NULL with err set when it could not be read. */
typedef void cql_topology_fn(void *ctx, struct cql_ring *ring, const struct err *err);

/* Calls back exactly once, later: when all is read, or when the connection ends. Frees itself.
 * false: the connection has no room for requests; nothing is called back. */
MUST_USE bool cql_topology_read(struct cql_connection *connection, cql_topology_fn *done,
                                void *ctx);

#endif

#ifndef CQL_CLIENT_H
#define CQL_CLIENT_H

#include "base/err.h"
#include "base/log.h"
#include "base/slice.h"
#include "cql/result.h"
#include "cql/statement.h"
#include "cql/tls.h"
#include "io/loop.h"

#include <stdbool.h>
#include <stdint.h>

/* A client of one Cassandra cluster: connections to its contact points, requests pipelined by
 * stream id, prepared statements that survive reconnects. One loop, one thread. Several clients
 * can share the connections.
 *
 * How it is built, from the wire up: transport (TCP, TLS) - inbound and outbound (frames, v5
 * segments, LZ4) - message and answer (bodies) - connection (handshake, stream ids, heartbeat) -
 * host (one node, back-off) - cluster (which nodes, by topology and ring) - pool (who uses them) -
 * dispatch (queue, deadlines, UNPREPARED, repeating) - client.
 *
 * Promise of every function that takes a callback: it returns false with err set and never calls
 * back, or returns true and calls back exactly once, later, from the loop. Requests in flight when
 * a connection breaks may have taken effect or not: those that may be repeated (struct
 * cql_execution) go to another node, the others end with ERR_CONNECTION, and their caller decides.
 */
struct cql_client;

/* For measurements: told of every request that is taken, and of its end just before its callback.
 * took_us is counted from when it was (last) sent, or, when it never was, from when it was taken;
 * err NULL: it was answered. */
enum cql_operation {
    CQL_OPERATION_READ,
    CQL_OPERATION_WRITE,
    CQL_OPERATION_BATCH,
    CQL_OPERATION_PREPARE
};
struct cql_watch {
    void (*begun)(void *ctx, enum cql_operation operation);
    void (*ended)(void *ctx, enum cql_operation operation, uint64_t took_us, const struct err *err);
    void *ctx;
};

struct cql_options {
    const char *const *contact_points; /* "host" or "host:port"; copied */
    size_t contact_point_count;
    uint16_t port;        /* 9042 */
    const char *username; /* NULL: no login; copied, never logged */
    const char *password;
    const char *local_datacenter; /* NULL: that of the first node reached; others get no requests */
    int protocol_version;         /* 0: the highest both know of 5 and 4 */
    bool compression;             /* LZ4 where the server offers it */
    unsigned connections;         /* per host, 1 to 16; 0: 2 */
    unsigned in_flight;           /* per connection, 1 to 32768; 0: 1024; more requests queue */
    uint64_t connect_timeout_ms;  /* 0: 5000 */
    uint64_t request_timeout_ms;  /* 0: 10000; queueing counts */
    uint64_t heartbeat_ms;        /* 0: 10000; a peer that is silent twice as long counts as dead */
    struct cql_tls_options tls;
    struct cql_watch watch; /* functions may be NULL */
    const struct log *log;  /* of the connections */
    /* An open client whose connections it uses; NULL: it makes its own. Nothing above but
     * request_timeout_ms and watch counts then: the rest should be the same. Either may be closed
     * first; requests, statements and events are each client's own. */
    const struct cql_client *beside;
};

/* Copies options. Connecting starts with cql_connect. Errors: ERR_CONFIG. */
struct cql_client *cql_client_new(struct io_loop *loop, const struct cql_options *options,
                                  struct err *err);
/* Ends all requests with ERR_CANCELLED, closes, frees; closed (may be NULL) is called last. */
void cql_client_close(struct cql_client *client, void (*closed)(void *ctx), void *ctx);

typedef void cql_done_fn(void *ctx, const struct err *err); /* err NULL: done */
/* To be called once. Calls back when the first connection is ready, or when every contact point
 * refused once, and all nodes that they told of. After that (either way) the client keeps
 * reconnecting with back-off and jitter by itself. */
MUST_USE bool cql_connect(struct cql_client *client, cql_done_fn *done, void *ctx, struct err *err);
/* Whether a connection is ready now. */
bool cql_is_up(const struct cql_client *client);
/* Known after the first connect; borrowed. Release as the server says it, "5.0.9". */
const char *cql_release_version(const struct cql_client *client);
int cql_protocol_version(const struct cql_client *client);

/* result is borrowed for the time of the call (rows are slices into the frame): copy what stays.
 * result is NULL and err set when it failed. */
typedef void cql_result_fn(void *ctx, const struct cql_result *result, const struct err *err);

/* Prepares text once per client (the same text gives the same handle) and again, by itself, on
 * every connection that needs it and after UNPREPARED. The handle lives as long as the client. */
struct cql_prepared;
typedef void cql_prepared_fn(void *ctx, const struct cql_prepared *prepared, const struct err *err);
MUST_USE bool cql_prepare(struct cql_client *client, const char *text, cql_prepared_fn *done,
                          void *ctx, struct err *err);
/* Columns to bind, in order; borrowed from the handle (may change after a schema change). */
const struct cql_metadata *cql_prepared_binds(const struct cql_prepared *prepared);
/* Columns of its rows, count 0 when it returns none. Honours "metadata changed". */
const struct cql_metadata *cql_prepared_columns(const struct cql_prepared *prepared);

/* Runs one statement. Values are copied before it returns. A change of the schema is called back
 * when all nodes have it, as far as they are there. */
MUST_USE bool cql_execute(struct cql_client *client, const struct cql_statement *statement,
                          const struct cql_execution *execution, cql_result_fn *done, void *ctx,
                          struct err *err);
/* Runs 1 to 65535 statements as one BATCH. */
MUST_USE bool cql_batch(struct cql_client *client, enum cql_batch_kind kind,
                        const struct cql_statement *statements, size_t count,
                        const struct cql_execution *execution, cql_result_fn *done, void *ctx,
                        struct err *err);

/* Schema, topology and status events of the cluster (v5 specification 4.2.6); optional. When the
 * connection that they came by was lost, a SCHEMA_CHANGE "MISSED" without keyspace stands for what
 * may have happened meanwhile. */
typedef void cql_event_fn(void *ctx, const struct cql_event *event);
void cql_on_event(struct cql_client *client, cql_event_fn *fn, void *ctx);

#endif

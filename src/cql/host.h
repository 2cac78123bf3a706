#ifndef CQL_HOST_H
#define CQL_HOST_H

#include "base/attr.h"
#include "base/err.h"
#include "cql/connection.h"
#include "io/loop.h"

#include <stdbool.h>

/* One contact point: keeps connections to it open, tries again with back-off and jitter. While none
 * is ready, it is set aside. */
struct cql_host;

enum { CQL_HOST_CONNECTIONS_MAX = 16 };

struct cql_host_events {
    /* A connection is about to become ready; false (with err) refuses the node. */
    bool (*accept)(void *ctx, struct cql_host *host, struct cql_connection *connection,
                   struct err *err);
    void (*up)(void *ctx, struct cql_host *host, struct cql_connection *connection);
    void (*drained)(void *ctx);
    void (*event)(void *ctx, const struct cql_event *event);
    /* An attempt to connect failed, or a connection was lost. */
    void (*down)(void *ctx, struct cql_host *host, struct cql_connection *connection,
                 const struct err *err);
    /* After cql_host_close: no connection is left. */
    void (*closed)(void *ctx, struct cql_host *host);
};

/* address is "name", "name:port", "[v6]:port" or an IPv6 address alone. options (without host) are
 * copied, their strings borrowed; version 0 means: 5, or 4 where the node refuses that. Errors:
 * ERR_CONFIG. */
MUST_USE struct cql_host *cql_host_new(struct io_loop *loop, const char *address,
                                       const struct cql_connection_options *options,
                                       unsigned connections, const struct cql_host_events *events,
                                       void *ctx, struct err *err);
/* Only when it was never started or is closed. */
void cql_host_free(struct cql_host *host);

void cql_host_start(struct cql_host *host);
void cql_host_close(struct cql_host *host);
/* Whether any connection object is left. */
bool cql_host_is_closed(const struct cql_host *host);

const char *cql_host_name(const struct cql_host *host);
unsigned cql_host_ready(const struct cql_host *host);
/* Round robin over ready connections that have room; NULL when none has. */
struct cql_connection *cql_host_pick(struct cql_host *host);
/* A ready one, NULL when none is. */
struct cql_connection *cql_host_any(struct cql_host *host);
void cql_host_flush(struct cql_host *host);
/* Whose connection it is. */
bool cql_host_has(const struct cql_host *host, const struct cql_connection *connection);

#endif

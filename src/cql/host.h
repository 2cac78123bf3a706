#ifndef CQL_HOST_H
#define CQL_HOST_H

#include "base/attr.h"
#include "base/err.h"
#include "cql/connection.h"
#include "io/loop.h"

#include <stdbool.h>

/* One node: keeps connections to it open, tries again with back-off and jitter. */
struct cql_host;

enum { CQL_HOST_CONNECTIONS_MAX = 16 };

/* What becomes of a connection that is about to be ready. */
enum cql_host_verdict {
    CQL_HOST_TAKE,
    CQL_HOST_REFUSE, /* err says why; tried again with back-off */
    CQL_HOST_ALONE,  /* given up, as is opening more than those that are there */
    CQL_HOST_ASIDE,  /* as by cql_host_set_aside */
};

struct cql_host_events {
    enum cql_host_verdict (*accept)(void *ctx, struct cql_host *host,
                                    struct cql_connection *connection, struct err *err);
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
/* Tries again now what a back-off would try later. */
void cql_host_hurry(struct cql_host *host);
/* Fails all connections as if they had broken: it goes on with back-off. */
void cql_host_fail(struct cql_host *host, const struct err *err);
/* Closes all connections, whose calls end with ERR_CONNECTION; idle until cql_host_start. */
void cql_host_set_aside(struct cql_host *host);
/* Calls end with ERR_CANCELLED. */
void cql_host_close(struct cql_host *host);
/* Whether any connection object is left. */
bool cql_host_is_closed(const struct cql_host *host);

/* Address and port as they were given. */
const char *cql_host_name(const struct cql_host *host);
uint16_t cql_host_port(const struct cql_host *host);
unsigned cql_host_ready(const struct cql_host *host);
/* Whether pick would find one. */
bool cql_host_has_room(const struct cql_host *host);
/* Round robin over ready connections that have room; NULL when none has. */
struct cql_connection *cql_host_pick(struct cql_host *host);
/* Requests in flight. */
unsigned cql_host_busy(const struct cql_host *host);
/* A ready one, NULL when none is. */
struct cql_connection *cql_host_any(struct cql_host *host);
void cql_host_flush(struct cql_host *host);

#endif

#ifndef CQL_POOL_H
#define CQL_POOL_H

#include "base/attr.h"
#include "base/err.h"
#include "cql/client.h"
#include "cql/cluster.h"

/* The connections to one cluster, and the clients that use them: one, or several that were opened
 * beside each other. Each has requests, statements and deadlines of its own; where they wait for
 * room, they take turns. */
struct cql_pool;

struct cql_user_events {
    /* As of cql_cluster_events. */
    void (*up)(void *ctx);
    void (*down)(void *ctx, bool hopeless);
    void (*event)(void *ctx, const struct cql_event *event);
    void (*gone)(void *ctx, struct cql_host *host);
    /* Sends one request that waits. False: none waits, or there is no room for it. */
    bool (*send)(void *ctx);
    /* Whether one waits. */
    bool (*waits)(void *ctx);
    /* After cql_pool_leave; the pool is gone, or others use it. */
    void (*left)(void *ctx);
};

/* One client's place in it; its owner's memory. */
struct cql_user {
    const struct cql_user_events *events;
    void *ctx;
    struct cql_user *prev, *next;
};

/* Copies options. Errors: ERR_CONFIG. Lives until its last user has left. */
MUST_USE struct cql_pool *cql_pool_new(struct io_loop *loop, const struct cql_options *options,
                                       struct err *err);
void cql_pool_join(struct cql_pool *pool, struct cql_user *user);
/* The last one to leave closes the connections, which ends what was sent by them during this call.
 * left is called once, later or during this call. */
void cql_pool_leave(struct cql_pool *pool, struct cql_user *user);

/* Starts to connect, unless somebody did. True: how that went is known; otherwise up, or down with
 * hopeless, will tell. */
MUST_USE bool cql_pool_connect(struct cql_pool *pool);
/* There is something to send: the users are asked for it in the next turn of the loop. */
void cql_pool_wake(struct cql_pool *pool);
/* There may be room: the same where somebody waits for it. */
void cql_pool_room(struct cql_pool *pool);

struct cql_cluster *cql_pool_cluster(const struct cql_pool *pool);
/* Why no connection is ready; borrowed. */
const struct err *cql_pool_error(const struct cql_pool *pool);
const char *cql_pool_release(const struct cql_pool *pool);
int cql_pool_version(const struct cql_pool *pool);

#endif

#ifndef CQL_DISPATCH_H
#define CQL_DISPATCH_H

#include "cql/pool.h"
#include "cql/prepared.h"
#include "cql/request.h"

#include <uv.h>

/* Brings requests to connections and answers back to callers: the queue, deadlines, statements that
 * nodes have forgotten, and what is repeated after a node failed. Each request that was added is
 * called back exactly once. */
struct cql_agreement;
struct cql_dispatch {
    struct cql_pool *pool;       /* borrowed */
    struct cql_cluster *cluster; /* of it */
    struct cql_registry registry;
    struct arena scratch; /* metadata of one answer */
    struct cql_request *queue, *due, *again, *paused;
    struct cql_agreement *agreements;
    struct io_loop *loop;
    uint64_t request_timeout_ms; /* of preparations of its own */
    struct cql_watch watch;
    uv_timer_t timer; /* the next deadline */
    bool held_up;     /* the loop was: answers are read before deadlines count */
    bool closing;
};

void cql_dispatch_init(struct cql_dispatch *dispatch, struct io_loop *loop);
/* Queues a request; it is sent in the next turn of the loop. */
void cql_dispatch_add(struct cql_dispatch *dispatch, struct cql_request *request,
                      uint64_t timeout_ms);
/* Sends the first of its queue; false when there is none, or no room for it. */
bool cql_dispatch_send(struct cql_dispatch *dispatch);
/* Calls back everything with ERR_CANCELLED. To be called from the loop. */
void cql_dispatch_cancel(struct cql_dispatch *dispatch);
/* No request may point to this node any longer. */
void cql_dispatch_forget(struct cql_dispatch *dispatch, const struct cql_host *host);
/* When its timer is closed. */
void cql_dispatch_free(struct cql_dispatch *dispatch);

#endif

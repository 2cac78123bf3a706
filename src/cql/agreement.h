#ifndef CQL_AGREEMENT_H
#define CQL_AGREEMENT_H

#include "cql/client.h"
#include "cql/cluster.h"
#include "cql/connection.h"
#include "io/loop.h"

/* After a change of the schema: waits until all nodes that are not down have it. Otherwise the
 * next request, at another node, may not find the table that was just made. */
struct cql_agreement {
    struct cql_call call;                      /* first */
    struct cql_agreement *prev, *next, **list; /* of its owner */
    struct io_loop *loop;
    struct cql_cluster *cluster;
    struct cql_host *host;             /* who made the change; others may not know of it yet */
    struct cql_connection *connection; /* while it is asking */
    struct io_timer *timer;            /* a pause; NULL: asking */
    uint64_t until;                    /* ms */
    bool peers;                        /* the others are asked */
    char version[16];
    void (*done)(struct cql_agreement *agreement);
    cql_result_fn *on_result; /* whose request it was; for done */
    void *ctx;
};

/* Calls back once, later, with done, which frees it: when they agree, or don't after some seconds.
 */
void cql_agreement_start(struct cql_agreement *agreement);
/* Gives it up, which must not have ended: done is called. */
void cql_agreement_end(struct cql_agreement *agreement);

#endif

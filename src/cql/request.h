#ifndef CQL_REQUEST_H
#define CQL_REQUEST_H

#include "base/attr.h"
#include "base/err.h"
#include "cql/client.h"
#include "cql/cluster.h"
#include "cql/connection.h"
#include "cql/prepared.h"

#include <stdbool.h>
#include <stdint.h>

/* One request of a caller, from the call until its callback, with copies of all it was given. It is
 * encoded when it is sent: only then the version, and the ids of its statements, are known. */
enum cql_request_kind { CQL_REQUEST_QUERY, CQL_REQUEST_BATCH, CQL_REQUEST_PREPARE };
enum cql_request_state {
    CQL_REQUEST_QUEUED,
    CQL_REQUEST_SENT,
    CQL_REQUEST_WAITING, /* for a statement to be prepared again */
    CQL_REQUEST_PAUSED,  /* before it is repeated */
};

struct cql_dispatch;
struct cql_request {
    struct cql_call call; /* first: done gets a pointer to it */
    enum cql_request_kind kind;
    enum cql_request_state state;
    struct cql_request *prev, *next;         /* the queue, all that wait for one preparation,
                                              * or all that are paused */
    struct cql_request *due_prev, *due_next; /* all requests by deadline */
    uint64_t deadline, timeout;              /* ms */
    uint64_t since_us;                       /* when it was sent, or (before) taken; monotonic */
    struct cql_dispatch *dispatch;
    struct cql_connection *connection; /* when sent */
    struct cql_host *host;             /* of it */
    struct cql_host *home;             /* preferred: where it was prepared again, or NULL */
    struct cql_host *avoid;            /* where it failed, or NULL */
    unsigned attempts_left;
    bool repeatable;
    bool moved;         /* to another node, since this one did not answer */
    unsigned repeats;   /* so far */
    uint64_t resume_at; /* PAUSED: ms */

    cql_result_fn *on_result;
    cql_prepared_fn *on_prepared;
    void *ctx;

    struct cql_prepared *prepared;   /* PREPARE */
    bool settled;                    /* PREPARE: nothing left to do but to call back */
    bool again;                      /* PREPARE: after UNPREPARED; nobody is called back */
    struct cql_request *waiting;     /* PREPARE: who waits for it */
    struct cql_request *preparation; /* of one that waits */
    struct cql_request *next_again;

    const struct cql_shape *shape; /* QUERY: columns that its rows may come without */
    enum cql_batch_kind batch_kind;
    const struct cql_statement *statements;
    size_t count;
    struct cql_execution execution;
};

/* Errors: ERR_VALUE for counts, ERR_TOO_LARGE beyond what the protocol can carry. Freed with
 * free(). */
MUST_USE struct cql_request *cql_request_new(enum cql_request_kind kind,
                                             const struct cql_statement *statements, size_t count,
                                             const struct cql_execution *execution,
                                             struct err *err);
struct cql_request *cql_request_new_prepare(struct cql_prepared *prepared);

/* Where its first statement with a whole partition key belongs. */
struct cql_route cql_request_route(const struct cql_request *request);

enum cql_opcode cql_request_opcode(const struct cql_request *request);
enum cql_operation cql_request_operation(const struct cql_request *request);
void cql_request_encode(struct cql_request *request, int version, struct buf *body);

#endif

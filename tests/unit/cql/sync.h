#ifndef UNIT_CQL_SYNC_H
#define UNIT_CQL_SYNC_H

#include "base/arena.h"
#include "cql/client.h"

/* The client's calls, each waited for; a result is copied into memory that lives until
 * sync_reset. A callback that comes twice, or after its wait, fails the test. */
struct sync_outcome {
    bool done;
    struct err err; /* code ERR_NONE: good */
    enum cql_result_kind kind;
    uint32_t row_count, column_count;
    struct slice *cells; /* row_count * column_count */
    struct slice *names; /* of columns */
    struct slice paging_state;
    const struct cql_prepared *prepared;
    struct io_loop *loop;
    unsigned *left; /* of several at once, NULL for one */
};

struct io_loop *sync_loop(void);
struct cql_client *sync_client(const struct cql_options *options);
void sync_run(struct sync_outcome *outcome);
/* Lets the loop turn for so long. */
void sync_turn(unsigned ms);
/* Lets it turn until the condition holds, 5 s at most. */
#define UNTIL(condition)                                      \
    for (int tries = 0; tries < 500 && !(condition); tries++) \
    sync_turn(10)
struct sync_outcome sync_connect(struct cql_client *client);
struct sync_outcome sync_prepare(struct cql_client *client, const char *text);
struct sync_outcome sync_execute(struct cql_client *client, const struct cql_statement *statement,
                                 const struct cql_execution *execution);
struct sync_outcome sync_query(struct cql_client *client, const char *text);
struct sync_outcome sync_batch(struct cql_client *client, enum cql_batch_kind kind,
                               const struct cql_statement *statements, size_t count,
                               const struct cql_execution *execution);
/* Closes the client and waits; then frees what outcomes hold. */
void sync_close(struct cql_client *client);
/* A client that the test closes itself. */
void sync_forget(void);
void sync_reset(void);

/* The callbacks themselves, for tests that have many calls in flight. */
void sync_on_result(void *ctx, const struct cql_result *result, const struct err *err);
void sync_on_prepared(void *ctx, const struct cql_prepared *prepared, const struct err *err);
void sync_on_done(void *ctx, const struct err *err);

#endif

#ifndef SINK_BATCHER_H
#define SINK_BATCHER_H

#include "base/arena.h"
#include "cql/client.h"
#include "io/task.h"

/* Many independent statements as few requests: unlogged batches below what servers warn of by
 * default (10 partitions, 5 KiB), which cost a server less than single writes do. Each statement
 * has an outcome of its own: one that spoils its batch is told from the others by sending them
 * singly. */

typedef void sink_batched_fn(void *ctx, const struct err *err);

struct sink_batch;
struct sink_batcher {
    struct cql_client *client;
    struct arena *arena; /* of what is on its way; borrowed */
    enum cql_consistency consistency;
    bool repeatable;       /* all that is added may be sent twice */
    unsigned in_flight;    /* batches */
    uint32_t batch_max;    /* statements, at most SINK_BATCH_MAX */
    struct io_group group; /* the rest is the batcher's own */
    struct sink_batch *open;
};
enum { SINK_BATCH_MAX = 64, SINK_BATCH_PARTITIONS = 10 };

/* For tasks, as what follows: waits while enough is on its way. The statement's values stay
 * borrowed until done is called, once. */
void sink_batcher_add(struct sink_batcher *batcher, const struct cql_statement *statement,
                      sink_batched_fn *done, void *ctx);
/* What comes next goes into a batch of its own. */
void sink_batcher_cut(struct sink_batcher *batcher);
/* Until all that was added is done. */
void sink_batcher_finish(struct sink_batcher *batcher);

#endif

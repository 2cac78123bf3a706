#ifndef SOURCE_HISTORY_H
#define SOURCE_HISTORY_H

#include "es/client.h"

/* How far the history of an index is settled: each operation on a shard has a sequence number
 * (`_seq_no`), and those up to its global checkpoint are on all copies of it that answer searches,
 * never to be rolled back. So a refresh that is asked for after the checkpoint shows them wherever
 * a search goes, and who has searched then need not ask for them again. */
struct source_history {
    uint64_t id;    /* of the index and the histories of its shards; 0: not known */
    int64_t seq_no; /* the lowest of their global checkpoints; -1: nothing is settled */
};

/* For tasks. id is 0, and that is no error, where the server can't tell it or may not.
 * Elasticsearch: index stats with level=shards. */
MUST_USE bool source_history_read(struct es_client *client, struct source_history *history,
                                  struct err *err);

#endif

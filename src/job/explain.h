#ifndef JOB_EXPLAIN_H
#define JOB_EXPLAIN_H

#include "pipeline/pipeline.h"

/* One record as both stores have it, and what the next cycle would do with it. */
struct job_explain {
    struct store *store;
    struct pipeline *pipeline;
    struct es_client *elasticsearch;
    struct io_lock *lock; /* of the pipeline */
};

/* Appends {"key","elasticsearch":{"version","source"},"cassandra":{"version","row","writetimes"},
 * "differences":[{"field","elasticsearch","cassandra"}],"dead_letters":[{"version","direction",
 * "reason"}],"decision","rule","why"}; null for a side that has nothing, "version": null where no
 * entry of the row is left. Writes nothing. For tasks. */
MUST_USE bool job_explain(const struct job_explain *options, struct slice key, struct buf *result,
                          struct err *err);

#endif

#ifndef JOB_SYNCED_H
#define JOB_SYNCED_H

#include "base/buf.h"
#include "job/stores.h"

/* Which rows once had a document, so that one without is known to have lost it. */
struct job_synced {
    int64_t from, to; /* versions; from 0: nothing is known */
    char stores[STORE_STORES_MAX];
    struct job_filter *uncopied; /* keys that may never have been copied */
};

/* An empty one: nothing is known until from and to are set. Free with job_synced_close. */
void job_synced_open(struct job_synced *synced);
void job_synced_close(struct job_synced *synced);
void job_synced_add(struct job_synced *synced, struct slice key);
/* Whether a row of this version once had a document. */
bool job_synced_had_document(const struct job_synced *synced, struct slice key, int64_t version);
/* Whether the stores are those whose history it is: others know nothing. For tasks. */
MUST_USE bool job_synced_check(const struct job_synced *synced, const struct job_stores *stores,
                               bool *same, struct err *err);

/* From the state, into an empty one. */
MUST_USE bool job_synced_read(struct job_synced *synced, struct store *store,
                              const struct pipeline *pipeline, struct err *err);
/* The same for who has no state: lines {"item":{"key"}} and the object {"from","to","stores"}. line
 * may make the task wait. */
MUST_USE bool job_synced_tell(struct store *store, const struct pipeline *pipeline,
                              void (*line)(void *ctx, struct slice line), void *ctx,
                              struct buf *result, struct err *err);

#endif

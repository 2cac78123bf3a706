#ifndef JOB_DEAD_LETTERS_H
#define JOB_DEAD_LETTERS_H

#include "pipeline/pipeline.h"

/* The dead letters of a pipeline: looked at, tried again, thrown away. All answers are JSON
 * objects, appended to result. For tasks; everything is borrowed for the call. */
struct job_dead_letters {
    struct store *store;
    struct pipeline *pipeline;
    struct io_lock *lock; /* of the pipeline */
    struct io_loop *loop;
    uint64_t settle_ms;
    struct io_wake *stop;                       /* raised: ends early, with ERR_CANCELLED */
    void (*line)(void *ctx, struct slice line); /* may make the task wait */
    void *ctx;
};

/* {"item":{"key","version","direction","rule","reason","since"}} for each, in the order of keys;
 * at last {"count":N}. */
MUST_USE bool job_dead_letters_list(const struct job_dead_letters *options, struct buf *result,
                                    struct err *err);
/* {"key","dead_letters":[{…,"payload":…}]}; an empty list where there are none. */
MUST_USE bool job_dead_letters_show(const struct job_dead_letters *options, struct slice key,
                                    struct buf *result, struct err *err);
/* Those of key (null: all) as pipeline_retry does it, again for what was put off:
 * {"tried","settled","dead","put_off","left"}. */
MUST_USE bool job_dead_letters_retry(const struct job_dead_letters *options, struct slice key,
                                     struct buf *result, struct err *err);
/* {"purged","left"} */
MUST_USE bool job_dead_letters_purge(const struct job_dead_letters *options, struct slice key,
                                     struct buf *result, struct err *err);

#endif

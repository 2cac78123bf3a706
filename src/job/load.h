#ifndef JOB_LOAD_H
#define JOB_LOAD_H

#include "job/crew.h"

/* Copies everything that one side has to the other, beside the cycles, which go on.
 *
 * It begins with a complete cycle. What has a version from that cycle's window up (since) stays the
 * cycles' business, so only what is older is copied and nothing written meanwhile can be missed or
 * overwritten. The side that is read is divided into parts (token ranges; ranges of sequence
 * numbers or versions), of which several are copied at a time; how far each is lies in the state
 * (store/load.h). What was written shortly before that cycle is looked at again at the end, when
 * its entry must have shown. */

struct job_load {
    const struct job_stores *stores; /* open */
    struct store *store;
    struct pipeline *pipeline;
    struct io_lock *lock; /* of the pipeline */
    const char *folder;   /* of temporary files */
    enum change_side from;
    bool resume;           /* goes on with one that was not finished */
    bool relax;            /* no refresh and no replicas of the index meanwhile */
    int64_t rate;          /* records a second; 0: no limit */
    struct job_crew *crew; /* that helps; NULL: none */
    struct io_wake *stop;
    void (*line)(void *ctx, struct slice progress); /* a JSON object, about once a second */
    void *ctx;
};

struct job_load_report {
    bool resumed;
    int64_t records; /* that were looked at */
    int64_t copied, unchanged, superseded, skipped /* the cycles' */, dead;
    int64_t deleted;     /* rows of documents that are marked as deleted */
    int64_t dead_before; /* dead letters that were there when it was taken up again */
    int64_t left_out;    /* documents that can't be found: without the version field, old servers */
    int64_t bytes;       /* of what was written, about */
    double seconds;
};

/* For tasks. Errors: of the servers; ERR_STATE; ERR_CANCELLED (--resume goes on from there);
 * ERR_CONFLICT: deadLetters.max is reached. */
MUST_USE bool job_load(const struct job_load *options, struct job_load_report *report,
                       struct err *err);
/* As a JSON object. */
void job_load_append(struct buf *out, const struct job_load *options,
                     const struct job_load_report *report);

/* Gives the index back the settings that a load changed and, killed, did not restore. For tasks,
 * while no load runs. */
MUST_USE bool job_load_restore(struct store *store, int64_t pipeline, struct es_client *client,
                               const struct log *log, struct err *err);

#endif

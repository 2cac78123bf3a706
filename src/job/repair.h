#ifndef JOB_REPAIR_H
#define JOB_REPAIR_H

#include "job/verify.h"

/* Mends what verify finds, or the records of a list, and reads them again to prove it. */
struct job_repair {
    struct job_verify
        verify; /* stores, folder, memory, rate, low, high, since, lag_ms, synced, stop */
    struct pipeline *pipeline;
    struct io_lock *lock; /* of the pipeline */
    enum resolve_policy policy;
    enum resolve_missing missing;
    bool dry_run;
    const struct json_node
        *keys; /* an array of verify's differences; NULL: those of a run of its own */
    void (*line)(void *ctx, struct slice line); /* may make the task wait */
    void *ctx;
};

struct job_repair_report {
    struct job_verify_report verify; /* of its own run */
    int64_t mended, unmended, equal; /* equal: by the time that it was looked at */
};

/* Says {"item":{"key","kind","action","rule","mended","why"}} for each record and {"progress":…}
 * about once a second. After a whole run without a policy but "newest" the gap is closed, unless a
 * record could not be decided or a server did not take it. For tasks. Errors: of the servers;
 * ERR_STATE; ERR_CANCELLED. */
MUST_USE bool job_repair(const struct job_repair *options, struct job_repair_report *report,
                         struct err *err);
/* {"mended","unmended","equal","dry_run"} and, of a run of its own, "compared": an object. */
void job_repair_append(struct buf *out, const struct job_repair *options,
                       const struct job_repair_report *report);

#endif

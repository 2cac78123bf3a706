#ifndef JOB_VERIFY_H
#define JOB_VERIFY_H

#include "job/crew.h"
#include "job/difference.h"
#include "job/synced.h"

/* Compares every record of both stores, once, while writers go on.
 *
 * The documents are read and sorted by token and key, in bounded memory; then the rows are walked
 * through in the same order and merged with them. What differs is read again by key after a delay
 * until it is either equal or has stood still for that long: only then it counts. What never does
 * is reported apart. */

struct job_verify {
    const struct job_stores *stores;
    const char *folder; /* of temporary files */
    size_t memory;      /* bytes */
    int64_t rate;       /* records of either side a second; 0: no limit */
    int64_t low, high;  /* tokens above low, up to high; INT64_MIN, INT64_MAX: all */
    int64_t since;      /* only records with an entry or document from this version on; 0: all */
    int64_t sample;     /* so many records of either side, by chance; 0: all */
    uint64_t lag_ms;    /* how long a change may take to the other side */
    const struct job_synced *synced; /* or NULL: nothing is known of the past */
    struct job_crew *crew;           /* that helps, of job_verify_hands; or NULL */
    struct io_wake *stop;
    void (*found)(void *ctx, const struct job_difference *difference); /* may wait */
    void (*line)(void *ctx, struct slice progress); /* a JSON object, about once a second */
    void *ctx;
};

struct job_verify_report {
    int64_t documents, rows;
    int64_t compared, equal; /* records: keys of either side */
    int64_t kinds[JOB_KIND_COUNT];
    int64_t still_changing; /* never stood still: can't be told; in no other number but compared */
    int64_t looked_again;   /* keys that were read a second time */
    double seconds;
};

/* How many hands can help at most: where everything is compared, without a rate. */
unsigned job_verify_hands(const struct job_verify *options);
/* Writes nothing. Errors: of the servers; ERR_STATE for temporary files; ERR_CANCELLED. For tasks.
 */
MUST_USE bool job_verify(const struct job_verify *options, struct job_verify_report *report,
                         struct err *err);
/* {"compared",…,"keys":…} without the keys: members, no braces. */
void job_verify_append(struct buf *out, const struct job_verify_report *report);

#endif

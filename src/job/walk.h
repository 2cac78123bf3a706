#ifndef JOB_WALK_H
#define JOB_WALK_H

#include "job/sorter.h"
#include "source/scan.h"

#include "io/task.h"

/* All rows of the table in the order of token and key, with several ranges being read at once and
 * what was read ahead bounded. Of each row: its hash (both-way columns), version column, and flags.
 * For tasks. */
struct job_walk;

enum job_walk_flags { JOB_WALK_UNUSABLE = 1 }; /* the key can't be an _id; it is spelled then */

struct job_walk_options {
    struct io_loop *loop;
    struct source_scan *scan;
    const struct map_schema *schema;
    const char *folder; /* of temporary files, for a partition that is larger than memory */
    size_t memory;      /* bytes */
    unsigned parallel;  /* ranges read at once; 0: 4 */
    int64_t low, high;  /* tokens above low, up to high */
    uint32_t ranges;    /* that this is divided into, at least 1 */
    /* Called for each page, in the reading task: may wait. */
    void (*paged)(void *ctx, uint32_t rows, uint64_t bytes);
    void *ctx;
};

/* Starts reading. Options are copied, what they point to is borrowed. */
struct job_walk *job_walk_new(const struct job_walk_options *options);
/* The next row; *more false: that was all. Its key is borrowed until the next call. */
MUST_USE bool job_walk_next(struct job_walk *walk, struct job_sorted *row, bool *more,
                            struct err *err);
/* False: a reader failed, as the next row would tell. */
MUST_USE bool job_walk_fine(const struct job_walk *walk, struct err *err);
/* Waits for what is on its way, then frees. */
void job_walk_free(struct job_walk *walk);
/* Ranges that were read to their end. */
uint32_t job_walk_done(const struct job_walk *walk);

/* The i-th of count equal parts of (low, high]. */
void job_walk_part(int64_t low, int64_t high, uint32_t count, uint32_t i, int64_t *part_low,
                   int64_t *part_high);

#endif

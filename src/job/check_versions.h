#ifndef JOB_CHECK_VERSIONS_H
#define JOB_CHECK_VERSIONS_H

#include "job/check_finding.h"

#include <stdint.h>

/* What versions and write times of real data tell. Pure. */

struct check_versions {
    const int64_t *versions; /* each > 0 */
    size_t count;
    int64_t unit_us; /* of versions as configured; 0: not wall-clock */
    int64_t now_us, skew_us;
    const char *things; /* "documents", "entries" */
};

/* "s", "ms", "us": in which of them most versions are times of our days; "none": in none; NULL:
 * too few to tell. */
const char *check_guess_unit(const struct check_versions *sample);
/* Wrong units, versions in the future, counters. unit_option, skew_option: places. */
void check_judge_versions(struct check_findings *findings, const char *where,
                          const char *unit_option, const struct check_versions *sample);

/* One row and the entry that it belongs to. */
struct check_write {
    int64_t version;
    int64_t write_time; /* µs */
};

struct check_writes {
    const struct check_write *writes;
    size_t count;
    bool guard_timestamp; /* as configured */
    int64_t unit_us, now_us, skew_us;
};

/* Whether the configured guard fits write times. guard_option: its place. */
void check_judge_writes(struct check_findings *findings, const char *where,
                        const char *guard_option, const struct check_writes *sample);

/* One document: _version, and what its version field is worth in the unit of _version. */
struct check_stamp {
    int64_t version;
    int64_t field;
    struct slice id;
};

/* Whether documents were written with external versions that equal their field. */
void check_judge_stamps(struct check_findings *findings, const char *where, const char *field,
                        const struct check_stamp *stamps, size_t count);

#endif

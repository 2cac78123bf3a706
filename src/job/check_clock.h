#ifndef JOB_CHECK_CLOCK_H
#define JOB_CHECK_CLOCK_H

#include "job/check_finding.h"

#include <stdint.h>

/* A server's clock, asked once: it said said_us at some moment between asked_us and answered_us of
 * this machine's clock. resolution_us: what it rounds to. */
struct check_clock_reading {
    int64_t asked_us, answered_us, said_us, resolution_us;
};

/* Pure. Clock error is only a part of what settle covers: half of it is for the rest. option: place
 * of sync.settle. */
void check_judge_clock(struct check_findings *findings, const char *where, const char *option,
                       const struct check_clock_reading *reading, int64_t settle_us);

#endif

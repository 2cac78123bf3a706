#ifndef JOB_PACE_H
#define JOB_PACE_H

#include "io/task.h"

#include <stdint.h>

/* Holds a job back to a number of records a second, and tells how far it is once a second. */
struct job_pace {
    struct io_loop *loop;
    struct io_wake *stop; /* raised: nothing waits any more */
    int64_t rate;         /* records a second; 0: as fast as it goes */
    int64_t started_us;
    int64_t paid; /* records that the time so far has paid for */
    int64_t told_us;
};

void job_pace_start(struct job_pace *pace, struct io_loop *loop, int64_t rate,
                    struct io_wake *stop);
/* After count records: waits as long as they are ahead of the rate. For tasks. */
void job_pace_wait(struct job_pace *pace, int64_t count);
/* Whether a second has passed since it said so last. */
bool job_pace_tells(struct job_pace *pace);
double job_pace_seconds(const struct job_pace *pace);

#endif

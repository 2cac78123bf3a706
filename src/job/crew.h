#ifndef JOB_CREW_H
#define JOB_CREW_H

#include "job/stores.h"

/* Threads that help with a job: hands, each with a loop, clients and stores of its own. What
 * belongs to the job's own thread, home (the state, the pipeline, what is told), they visit there
 * (io_task_visit). For tasks at home. */
struct job_crew;

struct job_hand {
    unsigned number; /* from 0 */
    struct job_stores stores;
    struct io_wake stop;
};

struct job_crew_options {
    unsigned hands;
    const struct job_stores *stores; /* of the job, open; what is read with both must be the same */
    /* New clients of a loop that no thread runs yet. Where it fails it leaves none. */
    bool (*clients)(void *ctx, struct io_loop *loop, struct cql_client **cassandra,
                    struct es_client **elasticsearch, struct err *err);
    void *ctx;
};

/* A hand that can't begin or connect is told of in the log and left out. */
struct job_crew *job_crew_new(const struct job_crew_options *options);
/* Its tasks must have ended. NULL is allowed. */
void job_crew_free(struct job_crew *crew);

/* NULL: 0. */
unsigned job_crew_count(const struct job_crew *crew);
struct job_hand *job_crew_hand(struct job_crew *crew, unsigned number);
/* Runs fn on all hands' threads at once, as a task of each, and waits for their end. */
void job_crew_each(struct job_crew *crew, void (*fn)(void *ctx, struct job_hand *hand), void *ctx);
/* Says in the log that a hand does not help, and why. */
void job_crew_left_out(const struct job_crew *crew, const struct err *why);
/* Raises the stop of all hands, soon. */
void job_crew_stop(struct job_crew *crew);

#endif

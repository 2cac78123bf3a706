#ifndef JOB_FLOW_H
#define JOB_FLOW_H

#include "base/err.h"
#include "io/task.h"

/* How much a server is given at once: requests in flight, and how large each is. What goes well
 * raises both step by step; overload or a time-out halves them (additive increase, multiplicative
 * decrease). For tasks. */
struct job_flow {
    struct io_loop *loop;
    struct io_wake *stop; /* raised: nothing waits any more */
    unsigned window, window_max;
    uint32_t batch, batch_min, batch_max;
    /* its own */
    struct io_lock gate;
    struct io_group in_flight;
    unsigned good;       /* since the last change */
    unsigned generation; /* of requests: failures of those before the last halving don't count */
    unsigned failures;   /* in a row */
    uint64_t waited_us;  /* of all tasks, at the gate and for answers */
};

void job_flow_open(struct job_flow *flow, struct io_loop *loop, struct io_wake *stop,
                   unsigned window_max, uint32_t batch_min, uint32_t batch_max);

/* A request under way. */
struct job_flow_turn {
    unsigned generation;
    int64_t since_us;
};
/* Waits for a place among those in flight. */
struct job_flow_turn job_flow_enter(struct job_flow *flow);
/* code: what became of it; ERR_NONE: fine. */
void job_flow_leave(struct job_flow *flow, struct job_flow_turn turn, enum err_code code);
/* Nothing was sent. */
void job_flow_give_up(struct job_flow *flow, struct job_flow_turn turn);
/* A request without a turn of its own failed, or (failures in a row end) went well. */
void job_flow_failed(struct job_flow *flow, enum err_code code);
void job_flow_went_well(struct job_flow *flow);
/* After a failure: waits, longer each time in a row. False: stopped. */
MUST_USE bool job_flow_pause(struct job_flow *flow);

#endif

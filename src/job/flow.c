#include "job/flow.h"

#include "base/clock.h"

#include <stdlib.h>

enum { PAUSE_MIN_MS = 100, PAUSE_MAX_MS = 10000, NAP_MS = 200, STEPS = 16 };

void job_flow_open(struct job_flow *f, struct io_loop *loop, struct io_wake *stop,
                   unsigned window_max, uint32_t batch_min, uint32_t batch_max)
{
    *f = (struct job_flow){.loop = loop,
                           .stop = stop,
                           .window = window_max,
                           .window_max = window_max,
                           .batch = batch_max,
                           .batch_min = batch_min,
                           .batch_max = batch_max};
}

struct job_flow_turn job_flow_enter(struct job_flow *f)
{
    const int64_t since = clock_mono_us();
    io_lock_take(&f->gate); /* a group has one waiter */
    while (f->in_flight.pending >= f->window)
        io_group_wait_below(&f->in_flight, f->window - 1);
    io_group_add(&f->in_flight);
    io_lock_give(&f->gate);
    return (struct job_flow_turn){.generation = f->generation, .since_us = since};
}

static void grow(struct job_flow *f)
{
    f->failures = 0;
    if (++f->good < f->window)
        return;
    f->good = 0;
    if (f->window < f->window_max)
        f->window++;
    const uint32_t step = f->batch_max / STEPS + 1;
    f->batch = f->batch + step < f->batch_max ? f->batch + step : f->batch_max;
}

static void shrink(struct job_flow *f)
{
    f->good = 0;
    f->generation++;
    f->failures++;
    f->window = f->window > 1 ? f->window / 2 : 1;
    f->batch = f->batch / 2 > f->batch_min ? f->batch / 2 : f->batch_min;
}

void job_flow_give_up(struct job_flow *f, struct job_flow_turn turn)
{
    f->waited_us += (uint64_t)(clock_mono_us() - turn.since_us);
    io_group_done(&f->in_flight);
}

void job_flow_failed(struct job_flow *f, enum err_code code)
{
    if (err_class_of(code) != ERR_CLASS_REJECT)
        shrink(f);
}

void job_flow_went_well(struct job_flow *f)
{
    f->failures = 0;
}

void job_flow_leave(struct job_flow *f, struct job_flow_turn turn, enum err_code code)
{
    job_flow_give_up(f, turn);
    if (code == ERR_NONE || err_class_of(code) == ERR_CLASS_REJECT)
        grow(f);
    else if (turn.generation == f->generation)
        shrink(f);
}

bool job_flow_pause(struct job_flow *f)
{
    const unsigned shift = f->failures > 0 ? f->failures - 1 : 0;
    uint64_t ms = shift < 8 ? (uint64_t)PAUSE_MIN_MS << shift : PAUSE_MAX_MS;
    if (ms > PAUSE_MAX_MS)
        ms = PAUSE_MAX_MS;
    ms = ms / 2 + (uint64_t)random() % (ms / 2 + 1);
    /* Several tasks may pause, and only one may sleep on stop. */
    for (int64_t until = clock_mono_us() + (int64_t)ms * 1000, left;
         !f->stop->raised && (left = until - clock_mono_us()) > 0;)
        io_sleep(f->loop, left / 1000 < NAP_MS ? (uint64_t)left / 1000 + 1 : NAP_MS, NULL);
    return !f->stop->raised;
}

#include "job/pace.h"

#include "base/clock.h"

enum { TELL_US = 1000000, NAP_US = 200000 };

void job_pace_start(struct job_pace *p, struct io_loop *loop, int64_t rate, struct io_wake *stop)
{
    const int64_t now = clock_mono_us();
    *p = (struct job_pace){
        .loop = loop, .stop = stop, .rate = rate, .started_us = now, .told_us = now};
}

void job_pace_wait(struct job_pace *p, int64_t count)
{
    if (p->rate <= 0)
        return;
    p->paid += count;
    const int64_t due = p->started_us + (int64_t)((double)p->paid * 1e6 / (double)p->rate);
    /* Several tasks may wait, and only one may sleep on stop. */
    for (int64_t left; (left = due - clock_mono_us()) > 0 && !(p->stop && p->stop->raised);)
        io_sleep(p->loop, left > NAP_US ? NAP_US / 1000 : (uint64_t)left / 1000 + 1, NULL);
}

bool job_pace_tells(struct job_pace *p)
{
    const int64_t now = clock_mono_us();
    if (now - p->told_us < TELL_US)
        return false;
    p->told_us = now;
    return true;
}

double job_pace_seconds(const struct job_pace *p)
{
    return (double)(clock_mono_us() - p->started_us) / 1e6;
}

#include "job/pace.h"

#include "base/clock.h"

enum { TELL_US = 1000000 };

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
    const int64_t now = clock_mono_us();
    if (due > now)
        io_sleep(p->loop, (uint64_t)(due - now) / 1000 + 1, p->stop);
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

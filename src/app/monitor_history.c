#include "app/monitor_internal.h"

#include <string.h>

/* The last minute, second by second, for rates; the last hour, step by step, for the plots. */

static int64_t copied(const struct monitor_pipeline *m, enum metric_direction way)
{
    return m->counts[way].copied + m->counts[way].deleted;
}

double monitor_rate(const struct monitor_pipeline *m, enum metric_direction way)
{
    const unsigned span = m->seconds < MONITOR_RATE_S ? m->seconds : MONITOR_RATE_S;
    if (span == 0)
        return 0;
    const size_t now = m->seconds % (MONITOR_RATE_S + 1);
    const size_t then = (m->seconds - span) % (MONITOR_RATE_S + 1);
    return (double)(m->copied[now][way] - m->copied[then][way]) / span;
}

static void begin_step(struct monitor_pipeline *m)
{
    struct status_history *h = &m->history;
    if (h->count == STATUS_HISTORY_POINTS)
        memmove(h->points, h->points + 1, sizeof h->points - sizeof h->points[0]);
    else
        h->count++;
    memset(h->points[h->count - 1], 0, sizeof h->points[0]);
    m->step_seconds = 0;
    for (size_t way = 0; way < ARRAY_LEN(m->step_copied); way++)
        m->step_copied[way] = copied(m, way);
}

void monitor_remember(struct monitor_pipeline *m)
{
    const int64_t lags[] = {m->status.pipeline.lag_to_elasticsearch_us,
                            m->status.pipeline.lag_to_cassandra_us};
    if (m->history.count == 0 || m->step_seconds >= STATUS_HISTORY_STEP_S)
        begin_step(m);
    m->seconds++;
    m->step_seconds++;
    for (size_t way = 0; way < ARRAY_LEN(lags); way++) {
        const float lag_s = (float)((double)lags[way] / 1e6);
        const int64_t since = copied(m, way) - m->step_copied[way];
        m->copied[m->seconds % (MONITOR_RATE_S + 1)][way] = copied(m, way);
        float *highest = &m->history.points[m->history.count - 1][way].lag_s;
        *highest = lag_s > *highest ? lag_s : *highest;
        m->history.points[m->history.count - 1][way].rate =
            (float)((double)since / m->step_seconds);
    }
}

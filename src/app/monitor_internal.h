#ifndef APP_MONITOR_INTERNAL_H
#define APP_MONITOR_INTERNAL_H

#include "app/monitor.h"
#include "status/http.h"

/* For the files of the monitor only. */

enum { MONITOR_RATE_S = 60 };

/* One pipeline, over all its engines. */
struct monitor_pipeline {
    char *name;
    const struct config_pipeline *config;
    const struct engine *engine; /* NULL: between two */

    /* Of the engines before this one. */
    struct metric_set past;
    struct pipeline_counts past_counts[2]; /* by direction */
    int64_t past_cycles;

    struct engine_status status;     /* of the last engine, at the last look */
    struct engine_verified verified; /* the last one that ended, of any engine */
    struct pipeline_counts counts[2];
    struct status_history history; /* see monitor_history.c */
    unsigned step_seconds;         /* of the newest point */
    int64_t copied[MONITOR_RATE_S + 1][2];
    unsigned seconds; /* looks so far */
    int64_t step_copied[2];
    bool stuck;                         /* and told so */
    struct status_snapshot *letters;    /* one with dead letters that were read at letters_us */
    const struct status_pipeline *from; /* where in it */
    int64_t letters_us;
};

struct monitor {
    struct io_loop *loop;
    const struct log *log;
    struct service *service;
    uv_timer_t timer;
    const struct app_config *config;
    int64_t started_us;

    struct status_http *http;
    char *listen, *token; /* as it should be; NULL: not known yet; none */
    struct status_listen address;
    int64_t next_try_us; /* to listen, monotonic */
    bool told;           /* that it can't */

    struct monitor_pipeline **pipelines;
    size_t count;
};

/* monitor_history.c: one second has passed. */
void monitor_remember(struct monitor_pipeline *m);
double monitor_rate(const struct monitor_pipeline *m, enum metric_direction way);

/* monitor_snapshot.c: what the pipelines' status and its like say, in a snapshot. */
struct status_snapshot *monitor_snapshot(struct monitor *m);

#endif

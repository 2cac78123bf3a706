#include "status/fixture.h"

#include <stdlib.h>
#include <time.h>

static void fill_server(struct status_snapshot *s, struct status_server *server, const char *name,
                        const char *address, const char *holds)
{
    *server = (struct status_server){
        .name = name,
        .address = status_snapshot_text(s, address),
        .holds = status_snapshot_text(s, holds),
        .version = status_snapshot_text(s, "9.5.3"),
        .failure = "",
        .known = true,
        .up = true,
        .checkpoint = FIXTURE_NOW / SECOND - 4,
    };
}

struct status_snapshot *fixture_snapshot(void)
{
    setenv("TZ", "UTC", 1);
    tzset();
    struct status_snapshot *s = status_snapshot_new(1);
    struct status_pipeline *p = &s->pipelines[0];
    s->taken_us = FIXTURE_NOW;
    s->taken_mono_us = 500 * SECOND;
    s->started_us = FIXTURE_NOW - 7300 * SECOND;
    s->pid = 42;
    s->configuration = status_snapshot_text(s, "/etc/caes-sync/config.yaml");
    s->state = status_snapshot_text(s, "/var/lib/caes-sync/state.db");
    *p = (struct status_pipeline){
        .name = "default",
        .active = true,
        .interval_us = 10 * SECOND,
        .patience_us = 60 * SECOND,
        .ready_lag_us = 60 * SECOND,
        .version_us = SECOND,
        .cycles = 730,
        .completed_us = FIXTURE_NOW - 4 * SECOND,
        .completed_here = true,
        .cycle_us = -1,
        .quiet_us = 4 * SECOND,
        .failure = "",
        .dead_letters_max = 100000,
    };
    fill_server(s, &p->servers[METRIC_ELASTICSEARCH], "Elasticsearch", "http://127.0.0.1:9200",
                "stream");
    fill_server(s, &p->servers[METRIC_CASSANDRA], "Cassandra", "127.0.0.1", "logs.data");
    p->directions[METRIC_TO_ELASTICSEARCH].lag_us = 4 * SECOND;
    p->directions[METRIC_TO_CASSANDRA].lag_us = 4 * SECOND;
    p->directions[METRIC_TO_CASSANDRA].counts.copied = 1234567;
    return s;
}

struct status_pipeline *fixture_pipeline(struct status_snapshot *snapshot)
{
    return &snapshot->pipelines[0];
}

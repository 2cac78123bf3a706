#ifndef STATUS_SNAPSHOT_H
#define STATUS_SNAPSHOT_H

#include "base/arena.h"
#include "base/metric.h"
#include "pipeline/pipeline.h"

#include <stdatomic.h>

/* What the daemon does at one moment, for those who render it: made by the loop's thread, never
 * changed afterwards, so that any thread may read it. Strings are its own. Servers and directions
 * are counted as metrics count them (enum metric_server, enum metric_direction). Times of day are
 * µs since 1970; durations are µs as of taken_us. */

struct status_server {
    const char *name;         /* "Elasticsearch" */
    const char *address;      /* "http://127.0.0.1:9200", more than one separated by ", " */
    const char *holds;        /* index, or keyspace and table */
    const char *version;      /* "9.5.3"; "": not known yet */
    bool known, up;           /* something has been heard of it; it answers, as far as is known */
    int64_t failing_since_us; /* requests fail for a passing reason since then; 0: they don't */
    const char *failure;      /* why */
    int64_t silent_us;        /* requests wait and none is answered, for so long; 0: none waits */
    int64_t checkpoint;       /* highest version that counts as seen */
};

struct status_direction {
    struct pipeline_counts counts; /* since the daemon's start */
    int64_t lag_us;
    double rate; /* copied and deleted a second, over the last minute */
};

/* The last hour, oldest first; the newest point is the present. */
enum { STATUS_HISTORY_POINTS = 240, STATUS_HISTORY_STEP_S = 15 };
struct status_history {
    size_t count;
    struct {
        float lag_s;                    /* the highest of the step */
        float rate;                     /* a second, over the step */
    } points[STATUS_HISTORY_POINTS][2]; /* by direction */
};

struct status_letter {
    const char *key, *rule, *reason; /* never its content */
    enum metric_direction direction;
    int64_t version;
    int64_t at_us;
};
enum { STATUS_LETTERS_MAX = 20 };

/* The last comparison of both stores by the daemon itself. */
struct status_verify {
    int64_t at_us; /* 0: never */
    int64_t compared, mended;
    int64_t differences; /* that are left */
    bool failed;         /* it could not be completed; why */
    const char *why;
};

struct status_pipeline {
    const char *name;
    bool active; /* false: between two configurations */
    int64_t interval_us;
    int64_t patience_us;  /* a request that is not answered ends after so long at the latest */
    int64_t ready_lag_us; /* more is not ready */
    int64_t version_us;   /* unit of versions; 0: they are no time */
    int64_t cycles;
    int64_t completed_us;     /* T of the last complete cycle; 0: there was none */
    bool completed_here;      /* since the daemon's start */
    int64_t cycle_us;         /* the present cycle runs for so long; -1: none runs */
    int64_t quiet_us;         /* since a request was acknowledged, or a cycle completed */
    int64_t failing_since_us; /* cycles can't be completed since then; 0: they can */
    const char *failure;      /* why */
    int64_t dead_letters, dead_letters_max;
    bool gap, full;    /* full: the dead letters are; nothing is copied until there is room */
    int64_t paused_us; /* since when somebody has paused it; 0: nobody has */
    struct status_server servers[2];
    struct status_direction directions[2];
    struct status_history history;
    struct status_letter letters[STATUS_LETTERS_MAX]; /* the first of the dead letters, by key */
    size_t letter_count;
    struct status_verify verify;
    struct metric_set metrics; /* what was measured: requests, retries, cycles */
};

struct status_snapshot {
    int64_t taken_us, taken_mono_us;
    int64_t started_us;
    int pid;
    const char *configuration, *state; /* files */
    struct status_pipeline *pipelines;
    size_t count;
    struct metric_set process; /* the metrics of the process */
    struct arena arena;
    atomic_uint references;
};

/* With one reference, and room for count pipelines, zeroed. */
struct status_snapshot *status_snapshot_new(size_t count);
/* Own copy of text in it; NULL becomes "", bytes that are not UTF-8 become question marks. */
const char *status_snapshot_text(struct status_snapshot *snapshot, const char *text);
/* From any thread. NULL is allowed. */
struct status_snapshot *status_snapshot_ref(struct status_snapshot *snapshot);
void status_snapshot_unref(struct status_snapshot *snapshot);

#endif

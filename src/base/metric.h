#ifndef BASE_METRIC_H
#define BASE_METRIC_H

#include "base/attr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The one table of metrics: it drives /metrics, `help metrics`, and docs/METRICS.md. A set holds
 * the values of one pipeline (or of the process): plain memory of one thread, which others get
 * copies of; adding to one costs an addition. */

/* id, name, type, scope, first label, second label, help */
#define METRIC_LIST(X)                                                                            \
    X(RECORDS, "caes_records_total", COUNTER, PIPELINE, DIRECTION, RESULT,                        \
      "Changes by what became of them: copied; deleted; superseded (the other side was newer by " \
      "then); unchanged (it held the same); dead (new dead letters).")                            \
    X(LAG, "caes_lag_seconds", GAUGE, PIPELINE, DIRECTION, NONE,                                  \
      "How long the oldest change that is known and not applied has waited, or the time since "   \
      "the beginning of the last complete cycle, whichever is larger.")                           \
    X(CHECKPOINT, "caes_checkpoint_version", GAUGE, PIPELINE, SERVER, NONE,                       \
      "Highest version that the checkpoint counts as seen on this side.")                         \
    X(CYCLE, "caes_cycle_seconds", HISTOGRAM, PIPELINE, NONE, NONE,                               \
      "How long complete cycles took.")                                                           \
    X(CYCLE_FAILURES, "caes_cycle_failures_total", COUNTER, PIPELINE, NONE, NONE,                 \
      "Cycles that could not be completed and were tried again.")                                 \
    X(REQUEST, "caes_request_seconds", HISTOGRAM, PIPELINE, SERVER, OPERATION,                    \
      "How long requests took, from when they were sent to the end of their answer.")             \
    X(RETRIES, "caes_retries_total", COUNTER, PIPELINE, SERVER, REASON,                           \
      "Requests that failed for a passing reason; what they were for is tried again.")            \
    X(DEAD_LETTERS, "caes_dead_letters", GAUGE, PIPELINE, NONE, NONE,                             \
      "Changes that could not be copied and wait in the dead letters.")                           \
    X(PAUSED, "caes_paused", GAUGE, PIPELINE, NONE, NONE,                                         \
      "1: nothing is copied: the pipeline is paused, or the dead letters are full.")              \
    X(GAP, "caes_gap", GAUGE, PIPELINE, NONE, NONE,                                               \
      "1: the daemon was away for longer than CassandraConfig.ttl and may have missed changes.")  \
    X(STUCK, "caes_stuck", GAUGE, PIPELINE, NONE, NONE,                                           \
      "1: no cycle ends and no request is acknowledged, although both servers answer.")           \
    X(READY, "caes_ready", GAUGE, PIPELINE, NONE, NONE,                                           \
      "1: both servers up, no gap, not stuck or paused, lag below http.readyLag.")                \
    X(UP, "caes_up", GAUGE, PIPELINE, SERVER, NONE, "1: the server answers, as far as is known.") \
    X(BUILD_INFO, "caes_build_info", GAUGE, PROCESS, VERSION, NONE,                               \
      "Always 1; the label is the program's version.")                                            \
    X(CPU, "process_cpu_seconds_total", COUNTER, PROCESS, NONE, NONE,                             \
      "User and system CPU time spent.")                                                          \
    X(RESIDENT, "process_resident_memory_bytes", GAUGE, PROCESS, NONE, NONE, "Resident memory.")  \
    X(VIRTUAL, "process_virtual_memory_bytes", GAUGE, PROCESS, NONE, NONE, "Virtual memory.")     \
    X(STARTED, "process_start_time_seconds", GAUGE, PROCESS, NONE, NONE,                          \
      "Start of the process, in seconds since 1970.")                                             \
    X(OPEN_FDS, "process_open_fds", GAUGE, PROCESS, NONE, NONE, "Open file descriptors.")         \
    X(MAX_FDS, "process_max_fds", GAUGE, PROCESS, NONE, NONE, "Most file descriptors allowed.")

enum metric_id {
#define METRIC_ENUM(id, name, type, scope, first, second, help) METRIC_##id,
    METRIC_LIST(METRIC_ENUM)
#undef METRIC_ENUM
        METRIC_COUNT
};

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };
enum metric_scope { METRIC_PROCESS, METRIC_PIPELINE }; /* PIPELINE: also labelled pipeline="…" */
enum metric_label {
    METRIC_LABEL_NONE,
    METRIC_LABEL_DIRECTION,
    METRIC_LABEL_RESULT,
    METRIC_LABEL_SERVER,
    METRIC_LABEL_OPERATION,
    METRIC_LABEL_REASON,
    METRIC_LABEL_VERSION,
};

/* Places of the labels' values. */
enum metric_direction { METRIC_TO_ELASTICSEARCH, METRIC_TO_CASSANDRA };
enum metric_result {
    METRIC_COPIED,
    METRIC_DELETED,
    METRIC_SUPERSEDED,
    METRIC_UNCHANGED,
    METRIC_DEAD,
};
enum metric_server { METRIC_ELASTICSEARCH, METRIC_CASSANDRA };
enum metric_operation {
    METRIC_READ,
    METRIC_WRITE,
    METRIC_BATCH,
    METRIC_PREPARE,
    METRIC_BULK,
    METRIC_SEARCH,
    METRIC_GET,
    METRIC_REFRESH,
    METRIC_OTHER,
};
enum metric_reason {
    METRIC_TIMEOUT,
    METRIC_OVERLOADED,
    METRIC_UNAVAILABLE,
    METRIC_CONNECTION,
};

struct metric_info {
    const char *name;
    enum metric_type type;
    enum metric_scope scope;
    enum metric_label labels[2];
    const char *help;
};
const struct metric_info *metric_info(enum metric_id id);
/* Upper bounds of a histogram's buckets, ascending, without +Inf. */
const double *metric_bounds(enum metric_id id, size_t *count);
/* "direction", and its values "to_elasticsearch", …; one unnamed value for METRIC_LABEL_NONE. */
const char *metric_label_name(enum metric_label label);
size_t metric_label_count(enum metric_label label);
const char *metric_label_value(enum metric_label label, size_t index);
/* Whether a series can ever have a value: Cassandra, for example, knows no bulk. */
bool metric_exists(enum metric_id id, size_t first, size_t second);

enum { METRIC_SERIES_MAX = 18, METRIC_BOUNDS_MAX = 14, METRIC_HISTOGRAMS = 2 };

/* Zero-initialised is empty. For histograms values holds the sums. */
struct metric_set {
    double values[METRIC_COUNT][METRIC_SERIES_MAX];
    uint64_t buckets[METRIC_HISTOGRAMS][METRIC_SERIES_MAX][METRIC_BOUNDS_MAX + 1];
};

/* first and second: places in the metric's labels, 0 where it has none. */
void metric_add(struct metric_set *set, enum metric_id id, size_t first, size_t second, double by);
void metric_put(struct metric_set *set, enum metric_id id, size_t first, size_t second, double v);
void metric_observe(struct metric_set *set, enum metric_id id, size_t first, size_t second,
                    double v);
double metric_value(const struct metric_set *set, enum metric_id id, size_t first, size_t second);
/* Observations of a histogram up to each bound, the last one: all of them. Not cumulative. */
const uint64_t *metric_buckets(const struct metric_set *set, enum metric_id id, size_t first,
                               size_t second);
/* Adds counters and histograms; gauges of from take the place of those in to. */
void metric_merge(struct metric_set *to, const struct metric_set *from);

#endif

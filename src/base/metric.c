#include "base/metric.h"

#include <assert.h>
#include <string.h>

static const struct metric_info infos[METRIC_COUNT] = {
#define METRIC_INFO(id, name, type, scope, first, second, help) \
    [METRIC_##id] = {                                           \
        name, METRIC_##type, METRIC_##scope, {METRIC_LABEL_##first, METRIC_LABEL_##second}, help},
    METRIC_LIST(METRIC_INFO)
#undef METRIC_INFO
};

static const char *const directions[] = {"to_elasticsearch", "to_cassandra"};
static const char *const results[] = {"copied", "deleted", "superseded", "unchanged", "dead"};
static const char *const servers[] = {"elasticsearch", "cassandra"};
static const char *const operations[] = {"read",   "write", "batch",   "prepare", "bulk",
                                         "search", "get",   "refresh", "other"};
static const char *const reasons[] = {"timeout", "overloaded", "unavailable", "connection"};
static const char *const versions[] = {CAES_VERSION};
static const char *const none[] = {""};

static const struct {
    const char *name;
    const char *const *values;
    size_t count;
} labels[] = {
    [METRIC_LABEL_NONE] = {"", none, ARRAY_LEN(none)},
    [METRIC_LABEL_DIRECTION] = {"direction", directions, ARRAY_LEN(directions)},
    [METRIC_LABEL_RESULT] = {"result", results, ARRAY_LEN(results)},
    [METRIC_LABEL_SERVER] = {"server", servers, ARRAY_LEN(servers)},
    [METRIC_LABEL_OPERATION] = {"operation", operations, ARRAY_LEN(operations)},
    [METRIC_LABEL_REASON] = {"reason", reasons, ARRAY_LEN(reasons)},
    [METRIC_LABEL_VERSION] = {"version", versions, ARRAY_LEN(versions)},
};

static_assert(ARRAY_LEN(servers) * ARRAY_LEN(operations) <= METRIC_SERIES_MAX, "room for requests");
static_assert(ARRAY_LEN(directions) * ARRAY_LEN(results) <= METRIC_SERIES_MAX, "room for records");

/* Single requests are over within milliseconds; a cycle may take as long as a load. */
static const double request_bounds[] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                        0.25,  0.5,    1,     2.5,  5,     10,   30};
static const double cycle_bounds[] = {0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
                                      2.5,  5,     10,   30,  60,   300, 1800};

static_assert(ARRAY_LEN(request_bounds) <= METRIC_BOUNDS_MAX, "room for buckets");
static_assert(ARRAY_LEN(cycle_bounds) <= METRIC_BOUNDS_MAX, "room for buckets");

const struct metric_info *metric_info(enum metric_id id)
{
    return &infos[id];
}

const double *metric_bounds(enum metric_id id, size_t *count)
{
    *count = id == METRIC_CYCLE ? ARRAY_LEN(cycle_bounds) : ARRAY_LEN(request_bounds);
    return id == METRIC_CYCLE ? cycle_bounds : request_bounds;
}

const char *metric_label_name(enum metric_label label)
{
    return labels[label].name;
}

size_t metric_label_count(enum metric_label label)
{
    return labels[label].count;
}

const char *metric_label_value(enum metric_label label, size_t index)
{
    return labels[label].values[index];
}

bool metric_exists(enum metric_id id, size_t first, size_t second)
{
    if (id != METRIC_REQUEST || second == METRIC_OTHER)
        return true;
    return (first == METRIC_CASSANDRA) == (second <= METRIC_PREPARE);
}

static size_t series(enum metric_id id, size_t first, size_t second)
{
    return first * labels[infos[id].labels[1]].count + second;
}

static size_t histogram(enum metric_id id)
{
    return id == METRIC_CYCLE ? 0 : 1;
}

void metric_add(struct metric_set *set, enum metric_id id, size_t first, size_t second, double by)
{
    set->values[id][series(id, first, second)] += by;
}

void metric_put(struct metric_set *set, enum metric_id id, size_t first, size_t second, double v)
{
    set->values[id][series(id, first, second)] = v;
}

void metric_observe(struct metric_set *set, enum metric_id id, size_t first, size_t second,
                    double v)
{
    size_t count;
    const double *bounds = metric_bounds(id, &count);
    size_t bucket = 0;
    while (bucket < count && v > bounds[bucket])
        bucket++;
    set->buckets[histogram(id)][series(id, first, second)][bucket]++;
    metric_add(set, id, first, second, v);
}

double metric_value(const struct metric_set *set, enum metric_id id, size_t first, size_t second)
{
    return set->values[id][series(id, first, second)];
}

const uint64_t *metric_buckets(const struct metric_set *set, enum metric_id id, size_t first,
                               size_t second)
{
    return set->buckets[histogram(id)][series(id, first, second)];
}

void metric_merge(struct metric_set *to, const struct metric_set *from)
{
    for (size_t id = 0; id < METRIC_COUNT; id++) {
        if (infos[id].type == METRIC_GAUGE) {
            memcpy(to->values[id], from->values[id], sizeof to->values[id]);
            continue;
        }
        for (size_t i = 0; i < METRIC_SERIES_MAX; i++)
            to->values[id][i] += from->values[id][i];
    }
    const uint64_t *source = &from->buckets[0][0][0];
    uint64_t *target = &to->buckets[0][0][0];
    for (size_t i = 0; i < sizeof to->buckets / sizeof *target; i++)
        target[i] += source[i];
}

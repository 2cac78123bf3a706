#include "base/metric.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_counters_and_gauges(void **state)
{
    (void)state;
    struct metric_set set = {0};
    metric_add(&set, METRIC_RECORDS, METRIC_TO_CASSANDRA, METRIC_DEAD, 2);
    metric_add(&set, METRIC_RECORDS, METRIC_TO_CASSANDRA, METRIC_DEAD, 1);
    metric_put(&set, METRIC_LAG, METRIC_TO_CASSANDRA, 0, 1.5);
    metric_put(&set, METRIC_LAG, METRIC_TO_CASSANDRA, 0, 0.5);
    assert_true(metric_value(&set, METRIC_RECORDS, METRIC_TO_CASSANDRA, METRIC_DEAD) == 3);
    assert_true(metric_value(&set, METRIC_RECORDS, METRIC_TO_ELASTICSEARCH, METRIC_DEAD) == 0);
    assert_true(metric_value(&set, METRIC_LAG, METRIC_TO_CASSANDRA, 0) == 0.5);
    assert_true(metric_value(&set, METRIC_LAG, METRIC_TO_ELASTICSEARCH, 0) == 0);
}

static void test_histograms(void **state)
{
    (void)state;
    struct metric_set set = {0};
    size_t count;
    const double *bounds = metric_bounds(METRIC_REQUEST, &count);
    metric_observe(&set, METRIC_REQUEST, METRIC_CASSANDRA, METRIC_READ, 0);
    metric_observe(&set, METRIC_REQUEST, METRIC_CASSANDRA, METRIC_READ, bounds[0]);
    metric_observe(&set, METRIC_REQUEST, METRIC_CASSANDRA, METRIC_READ, bounds[1]);
    metric_observe(&set, METRIC_REQUEST, METRIC_CASSANDRA, METRIC_READ, 1e9);
    const uint64_t *buckets = metric_buckets(&set, METRIC_REQUEST, METRIC_CASSANDRA, METRIC_READ);
    assert_int_equal(buckets[0], 2); /* a bound belongs to its bucket */
    assert_int_equal(buckets[1], 1);
    assert_int_equal(buckets[count], 1);
    buckets = metric_buckets(&set, METRIC_CYCLE, 0, 0);
    for (size_t i = 0; i <= METRIC_BOUNDS_MAX; i++)
        assert_int_equal(buckets[i], 0);
}

/* A new engine goes on with the counters of the one before. */
static void test_merge(void **state)
{
    (void)state;
    struct metric_set past = {0}, now = {0};
    metric_add(&past, METRIC_RETRIES, METRIC_CASSANDRA, METRIC_CONNECTION, 5);
    metric_add(&now, METRIC_RETRIES, METRIC_CASSANDRA, METRIC_CONNECTION, 2);
    metric_put(&past, METRIC_UP, METRIC_CASSANDRA, 0, 1);
    metric_observe(&past, METRIC_CYCLE, 0, 0, 0.02);
    metric_observe(&now, METRIC_CYCLE, 0, 0, 0.02);
    metric_merge(&past, &now);
    assert_true(metric_value(&past, METRIC_RETRIES, METRIC_CASSANDRA, METRIC_CONNECTION) == 7);
    assert_true(metric_value(&past, METRIC_UP, METRIC_CASSANDRA, 0) == 0);
    assert_int_equal(metric_buckets(&past, METRIC_CYCLE, 0, 0)[1], 2);
}

static void test_table(void **state)
{
    (void)state;
    for (size_t id = 0; id < METRIC_COUNT; id++) {
        const struct metric_info *info = metric_info(id);
        const char *suffix = strrchr(info->name, '_');
        assert_true(strncmp(info->name, "caes_", 5) == 0 ||
                    strncmp(info->name, "process_", 8) == 0);
        assert_int_equal(info->type == METRIC_COUNTER, strcmp(suffix, "_total") == 0);
        assert_true(metric_label_count(info->labels[0]) * metric_label_count(info->labels[1]) <=
                    METRIC_SERIES_MAX);
        for (size_t other = 0; other < id; other++)
            assert_string_not_equal(info->name, metric_info(other)->name);
        if (info->type != METRIC_HISTOGRAM)
            continue;
        size_t count;
        const double *bounds = metric_bounds(id, &count);
        assert_in_range(count, 1, METRIC_BOUNDS_MAX);
        for (size_t i = 1; i < count; i++)
            assert_true(bounds[i - 1] < bounds[i]);
    }
    assert_true(metric_exists(METRIC_REQUEST, METRIC_CASSANDRA, METRIC_BATCH));
    assert_false(metric_exists(METRIC_REQUEST, METRIC_CASSANDRA, METRIC_BULK));
    assert_true(metric_exists(METRIC_REQUEST, METRIC_ELASTICSEARCH, METRIC_OTHER));
    assert_false(metric_exists(METRIC_REQUEST, METRIC_ELASTICSEARCH, METRIC_PREPARE));
    assert_string_equal(metric_label_value(METRIC_LABEL_OPERATION, METRIC_REFRESH), "refresh");
    assert_string_equal(metric_label_value(METRIC_LABEL_REASON, METRIC_CONNECTION), "connection");
    assert_string_equal(metric_label_value(METRIC_LABEL_RESULT, METRIC_DEAD), "dead");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counters_and_gauges),
        cmocka_unit_test(test_histograms),
        cmocka_unit_test(test_merge),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

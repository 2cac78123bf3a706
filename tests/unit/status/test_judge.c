#include "status/fixture.h"
#include "status/judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct status_snapshot *s;
static struct status_pipeline *p;
static struct status_verdict v;

static int setup(void **state)
{
    (void)state;
    s = fixture_snapshot();
    p = fixture_pipeline(s);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    status_snapshot_unref(s);
    return 0;
}

static void check(enum status_state state, enum status_level level, const char *text)
{
    status_judge(s, p, 0, &v);
    if (v.state != state || v.level != level || !strstr(v.text, text))
        fail_msg("%s %s: %s", status_state_name(v.state), status_level_name(v.level), v.text);
}

static void is_ready(bool ready, const char *obstacle)
{
    if (v.ready != ready || !strstr(v.obstacle, obstacle))
        fail_msg("ready %d: %s", v.ready, v.obstacle);
}

static void test_well(void **state)
{
    (void)state;
    check(STATUS_IN_SYNC, STATUS_FINE, "In sync");
    assert_true(v.healthy);
    is_ready(true, "");
    assert_string_equal(v.obstacle, "");
    p->dead_letters = 1;
    check(STATUS_IN_SYNC, STATUS_ATTENTION, "In sync, but for 1 change in the dead letters");
    p->dead_letters = 1200;
    check(STATUS_IN_SYNC, STATUS_ATTENTION, "but for 1,200 changes in the dead letters");
    is_ready(true, "");
    p->dead_letters = 0;
    p->verify.at_us = FIXTURE_NOW;
    check(STATUS_IN_SYNC, STATUS_FINE, "In sync");
    p->verify.differences = 3;
    check(STATUS_IN_SYNC, STATUS_ATTENTION, "the last verify found differences");
    p->active = false;
    check(STATUS_RELOADING, STATUS_FINE, "Reading its configuration");
}

static void test_starting(void **state)
{
    (void)state;
    p->completed_here = false;
    p->cycle_us = 12 * SECOND;
    for (size_t i = 0; i < 2; i++)
        p->servers[i].known = p->servers[i].up = false;
    check(STATUS_STARTING, STATUS_FINE,
          "The first cycle is under way, this cycle has been running for 12 s");
    is_ready(false, "Elasticsearch has not answered yet; Cassandra has not answered yet");
    assert_true(v.healthy);
}

static void test_outage(void **state)
{
    (void)state;
    struct status_server *es = &p->servers[METRIC_ELASTICSEARCH];
    es->up = false;
    es->failing_since_us = FIXTURE_NOW - 5 * SECOND;
    es->failure = "elasticsearch http://127.0.0.1:9200: connection refused";
    check(STATUS_WAITING, STATUS_ATTENTION,
          "Waiting for Elasticsearch since 11:59:55: http://127.0.0.1:9200: connection refused");
    is_ready(false, "Elasticsearch is down (elasticsearch http");
    assert_true(v.healthy);
    assert_true(v.since_us == FIXTURE_NOW - 5 * SECOND);
    p->failing_since_us = FIXTURE_NOW - 40 * SECOND;
    es->failing_since_us = FIXTURE_NOW - 40 * SECOND;
    p->failure = es->failure;
    check(STATUS_WAITING, STATUS_TROUBLE, "since 11:59:20");
    assert_false(v.healthy);
    p->directions[METRIC_TO_CASSANDRA].lag_us = 61 * SECOND;
    check(STATUS_WAITING, STATUS_TROUBLE, "since 11:59:20");
    is_ready(false, "; the lag to Cassandra is 1 min 1 s, http.readyLag 1 min");
}

/* A contact point that was never reached: no request tells of it, but the cycle does. */
static void test_cassandra_is_not_there(void **state)
{
    (void)state;
    p->servers[METRIC_CASSANDRA].up = false;
    p->completed_here = false;
    p->failing_since_us = FIXTURE_NOW - 3 * SECOND;
    p->failure = "Cassandra at 10.0.0.1:9042: connection refused";
    check(STATUS_WAITING, STATUS_ATTENTION, "Waiting for Cassandra since 11:59:57: Cassandra at");
}

static void test_other_failures(void **state)
{
    (void)state;
    p->failing_since_us = FIXTURE_NOW - 3 * SECOND;
    p->failure = "table logs.data has no column did";
    check(STATUS_FAILING, STATUS_ATTENTION,
          "Failing since 11:59:57, trying again: table logs.data has no column did");
    p->failing_since_us = FIXTURE_NOW - 31 * SECOND;
    check(STATUS_FAILING, STATUS_TROUBLE, "Failing");
    p->full = true;
    p->dead_letters = 100000;
    check(STATUS_PAUSED, STATUS_TROUBLE, "the dead letters are full (100,000");
    is_ready(false, "the dead letters are full");
}

/* Whatever else is known is old by then. */
static void test_paused(void **state)
{
    (void)state;
    p->paused_us = FIXTURE_NOW - 3600 * SECOND;
    p->quiet_us = 3600 * SECOND;
    p->servers[METRIC_CASSANDRA].up = false;
    p->servers[METRIC_CASSANDRA].failing_since_us = FIXTURE_NOW - 3601 * SECOND;
    check(STATUS_PAUSED, STATUS_ATTENTION,
          "Paused since 11:00:00: nothing is copied until caes-sync resume");
    is_ready(false, "paused");
    assert_string_equal(v.obstacle, "paused");
    assert_true(v.healthy);
    p->gap = true;
    check(STATUS_PAUSED, STATUS_ATTENTION, "Paused");
    is_ready(false, "paused; gap");
    assert_false(v.healthy);
    status_judge(s, p, 3600 * SECOND, &v);
    assert_int_equal(v.state, STATUS_STUCK); /* the loop itself */
}

static void test_gap(void **state)
{
    (void)state;
    p->gap = true;
    check(STATUS_GAP, STATUS_TROUBLE, "Changes may be missing");
    is_ready(false, "gap: changes may be missing");
    assert_false(v.healthy);
}

static void test_silence(void **state)
{
    (void)state;
    p->servers[METRIC_CASSANDRA].silent_us = 4 * SECOND;
    check(STATUS_IN_SYNC, STATUS_FINE, "");
    p->servers[METRIC_CASSANDRA].silent_us = 12 * SECOND;
    check(STATUS_WAITING, STATUS_ATTENTION, "Cassandra, which has answered nothing for 12 s");
    p->servers[METRIC_CASSANDRA].silent_us = 30 * SECOND;
    check(STATUS_WAITING, STATUS_TROUBLE, "for 30 s");
}

static void test_stuck(void **state)
{
    (void)state;
    p->quiet_us = 29 * SECOND;
    check(STATUS_IN_SYNC, STATUS_FINE, "");
    p->quiet_us = 30 * SECOND; /* three intervals */
    check(STATUS_STUCK, STATUS_TROUBLE,
          "no cycle was completed and no request acknowledged for 30 s, although the servers");
    is_ready(false, "stuck");
    assert_false(v.healthy);
    p->interval_us = 3600 * SECOND; /* it sleeps */
    check(STATUS_IN_SYNC, STATUS_FINE, "");
    p->interval_us = SECOND / 2; /* short ones have their half minute too */
    p->quiet_us = 20 * SECOND;
    check(STATUS_IN_SYNC, STATUS_FINE, "");

    /* Who asks may wait for as long as a request may take; an answer that never comes is worse. */
    p->quiet_us = 80 * SECOND;
    p->servers[METRIC_CASSANDRA].silent_us = 80 * SECOND;
    check(STATUS_WAITING, STATUS_TROUBLE, "Cassandra");
    p->quiet_us = 95 * SECOND;
    p->servers[METRIC_CASSANDRA].silent_us = 95 * SECOND;
    check(STATUS_STUCK, STATUS_TROUBLE, "for 1 min 35 s");
}

/* A load that takes hours is none of that. */
static void test_long_cycle(void **state)
{
    (void)state;
    p->cycle_us = 7200 * SECOND;
    p->quiet_us = 0;
    p->completed_us = FIXTURE_NOW - 7300 * SECOND;
    p->directions[0].lag_us = p->directions[1].lag_us = 7300 * SECOND;
    check(STATUS_CATCHING_UP, STATUS_ATTENTION, "Catching up, this cycle has been running for 2 h");
    assert_true(v.healthy);
    is_ready(false, "the lag to Elasticsearch is 2 h 1 min");
}

static void test_loop_that_stands_still(void **state)
{
    (void)state;
    status_judge(s, p, 9 * SECOND, &v);
    assert_int_equal(v.state, STATUS_IN_SYNC);
    status_judge(s, p, 15 * SECOND, &v);
    assert_int_equal(v.state, STATUS_STUCK);
    assert_string_equal(v.text, "Stuck: the daemon's loop has stood still for 15 s");
    assert_true(status_stands_still(15 * SECOND));
    p->active = false;
    status_judge(s, p, 15 * SECOND, &v);
    assert_int_equal(v.state, STATUS_STUCK);
}

static void test_all(void **state)
{
    (void)state;
    struct status_snapshot *two = status_snapshot_new(2);
    two->taken_us = s->taken_us;
    two->pipelines[0] = *p;
    two->pipelines[1] = *p;
    two->pipelines[1].name = "users";
    status_judge_all(two, 0, &v);
    assert_true(v.ready && v.healthy);
    two->pipelines[1].gap = true;
    status_judge_all(two, 0, &v);
    assert_int_equal(v.level, STATUS_TROUBLE);
    assert_true(strncmp(v.text, "users: Changes may be missing", 29) == 0);
    assert_string_equal(v.obstacle, "users: gap: changes may be missing");
    assert_false(v.healthy);
    two->pipelines[0].gap = true;
    status_judge_all(two, 0, &v);
    assert_string_equal(v.obstacle, "default: gap: changes may be missing\n"
                                    "users: gap: changes may be missing");
    status_snapshot_unref(two);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_well),
        TEST(test_starting),
        TEST(test_outage),
        TEST(test_cassandra_is_not_there),
        TEST(test_other_failures),
        TEST(test_paused),
        TEST(test_gap),
        TEST(test_silence),
        TEST(test_stuck),
        TEST(test_long_cycle),
        TEST(test_loop_that_stands_still),
        TEST(test_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

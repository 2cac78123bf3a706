#include "pipeline/internal.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { SECOND = 1000000 };

static struct pipeline p;
static struct cycle c;

/* Cycles as cycle.c runs them: T is at, in seconds. */
static void begin(int64_t at)
{
    c = (struct cycle){.p = &p, .now = at * SECOND};
}

static void end(bool complete)
{
    if (complete)
        p.status.completed_us = c.now;
    lag_cycle_ended(&c, complete);
}

static int64_t lag(enum change_side side, int64_t at)
{
    return lag_of(&p, side, at * SECOND) / SECOND;
}

static void test_quiet(void **state)
{
    (void)state;
    p = (struct pipeline){.created = 100LL * SECOND};
    assert_int_equal(lag(CHANGE_CASSANDRA, 103), 3);
    p.checkpoint.completed = 40LL * SECOND; /* of the run before */
    assert_int_equal(lag(CHANGE_CASSANDRA, 103), 63);
    begin(105);
    end(true);
    assert_int_equal(lag(CHANGE_CASSANDRA, 115), 10);
    assert_int_equal(lag(CHANGE_ELASTICSEARCH, 115), 10);
    assert_int_equal(lag(CHANGE_CASSANDRA, 90), 0); /* the clock was set back */
}

static void test_what_is_put_off(void **state)
{
    (void)state;
    p = (struct pipeline){.created = 0};
    begin(100);
    lag_waits(&c, CHANGE_CASSANDRA, 100LL * SECOND);
    lag_waits(&c, CHANGE_CASSANDRA, 90LL * SECOND);
    lag_waits(&c, CHANGE_CASSANDRA, 95LL * SECOND);
    end(true);
    assert_int_equal(lag(CHANGE_CASSANDRA, 101), 11);
    assert_int_equal(lag(CHANGE_ELASTICSEARCH, 101), 1);
    begin(110); /* the oldest was applied meanwhile */
    lag_waits(&c, CHANGE_CASSANDRA, 100LL * SECOND);
    end(true);
    assert_int_equal(lag(CHANGE_CASSANDRA, 111), 11);
    begin(120);
    end(true);
    assert_int_equal(lag(CHANGE_CASSANDRA, 121), 1);
}

static void test_outage(void **state)
{
    (void)state;
    p = (struct pipeline){.created = 0};
    begin(100);
    lag_waits(&c, CHANGE_ELASTICSEARCH, 97LL * SECOND);
    end(true);
    for (int64_t at = 110; at <= 160; at += 10) { /* it doesn't come to what waits */
        begin(at);
        if (at == 150)
            lag_waits(&c, CHANGE_CASSANDRA, at * SECOND);
        end(false);
        assert_int_equal(lag(CHANGE_ELASTICSEARCH, at + 1), at + 1 - 97);
        assert_int_equal(lag(CHANGE_CASSANDRA, at + 1), at + 1 - 100);
    }
    begin(170);
    end(true);
    assert_int_equal(lag(CHANGE_ELASTICSEARCH, 172), 2);
    assert_int_equal(lag(CHANGE_CASSANDRA, 172), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quiet),
        cmocka_unit_test(test_what_is_put_off),
        cmocka_unit_test(test_outage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

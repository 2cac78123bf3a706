#include "status/fixture.h"
#include "status/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef void append_fn(struct buf *out, int64_t value);

static void check(append_fn *append, int64_t value, const char *want)
{
    struct buf out = {0};
    append(&out, value);
    assert_string_equal(buf_cstr(&out), want);
    buf_free(&out);
}

static void test_durations(void **state)
{
    (void)state;
    check(status_append_duration, -5, "0.0 s");
    check(status_append_duration, 0, "0.0 s");
    check(status_append_duration, 449999, "0.4 s");
    check(status_append_duration, 9999999, "9.9 s");
    check(status_append_duration, 10 * SECOND, "10 s");
    check(status_append_duration, 60 * SECOND, "1 min");
    check(status_append_duration, 63 * SECOND, "1 min 3 s");
    check(status_append_duration, 663 * SECOND, "11 min");
    check(status_append_duration, 3600 * SECOND, "1 h");
    check(status_append_duration, 11530 * SECOND, "3 h 12 min");
    check(status_append_duration, 190000 * SECOND, "2 d 4 h");
}

static void test_counts(void **state)
{
    (void)state;
    check(status_append_count, 0, "0");
    check(status_append_count, 999, "999");
    check(status_append_count, 1000, "1,000");
    check(status_append_count, -1234567, "-1,234,567");
    check(status_append_count, INT64_MIN, "-9,223,372,036,854,775,808");
}

static void test_rates(void **state)
{
    (void)state;
    static const struct {
        double rate;
        const char *want;
    } cases[] = {{0, "0"},        {-1, "0"},      {0.0001, "0.01"},
                 {0.5, "0.50"},   {0.999, "1.0"}, {3.14, "3.1"},
                 {99.94, "99.9"}, {99.96, "100"}, {12345.6, "12,346"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out = {0};
        status_append_rate(&out, cases[i].rate);
        assert_string_equal(buf_cstr(&out), cases[i].want);
        buf_free(&out);
    }
}

static void test_clock(void **state)
{
    (void)state;
    struct buf out = {0};
    status_snapshot_unref(fixture_snapshot()); /* sets the time zone */
    status_append_clock(&out, FIXTURE_NOW - 61 * SECOND, FIXTURE_NOW);
    assert_string_equal(buf_cstr(&out), "11:58:59");
    buf_clear(&out);
    status_append_clock(&out, FIXTURE_NOW - 86400 * SECOND, FIXTURE_NOW);
    assert_string_equal(buf_cstr(&out), "2026-02-28 12:00:00");
    buf_clear(&out);
    status_append_iso(&out, FIXTURE_NOW);
    assert_string_equal(buf_cstr(&out), "2026-03-01T12:00:00Z");
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "source/given.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Which rows of a window the one before it had. */

static struct source_given given;

static int set_up(void **state)
{
    (void)state;
    given = (struct source_given){0};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    source_given_free(&given);
    return 0;
}

static bool row(uint32_t bucket, int64_t version, const char *a, const char *b)
{
    const struct slice cells[] = {
        {(const char *)&version, sizeof version}, slice_str(a), slice_str(b)};
    return source_given_before(&given, bucket, version, cells, 3);
}

/* Rows of a letter each, a digit before them is their version: the letters that were not known. */
static const char *window(const char *rows)
{
    static char unknown[64];
    size_t count = 0;
    int64_t version = 0;
    source_given_begin(&given, true);
    for (const char *at = rows; *at; at++) {
        const char key[] = {*at, '\0'};
        if (*at >= '0' && *at <= '9')
            version = *at - '0';
        else if (!row(0, version, key, ""))
            unknown[count++] = *at;
    }
    unknown[count] = '\0';
    return unknown;
}

static void what_is_new(void **state)
{
    (void)state;
    static const struct {
        const char *rows, *unknown;
    } windows[] = {
        {"", ""},
        {"1bd", "bd"},
        {"1bd", ""},
        {"1abcde2a", "acea"}, /* in between, and at both ends */
        {"1abcde2a", ""},
        {"2ab3a", "ba"},  /* begins later */
        {"1e2ab3a", "e"}, /* and earlier */
        {"3ab4a", "ba"},
        {"5a", "a"},
        {"", ""},
        {"5a", "a"},
        /* behind one that is gone the rest of its version is given once more */
        {"1abc2abc", "abcabc"},
        {"1ac2abc", "c"},
        {"1ac2abc", ""},
        {"2abd", "d"},
    };
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        const char *unknown = window(windows[i].rows);
        if (strcmp(unknown, windows[i].unknown) != 0)
            fail_msg("%s: %s", windows[i].rows, unknown);
        source_given_done(&given);
    }
}

static void only_what_is_done(void **state)
{
    (void)state;
    assert_string_equal(window("1ab"), "ab");
    assert_string_equal(window("1ab"), "ab");
    source_given_done(&given);
    assert_string_equal(window("1abc"), "c");
    assert_string_equal(window("1abc"), "c");
    /* one that is not kept knows nothing; when it is done nothing is known */
    source_given_begin(&given, false);
    assert_false(row(0, 1, "a", ""));
    assert_string_equal(window("1abc"), "c");
    source_given_begin(&given, false);
    assert_false(row(0, 1, "a", ""));
    source_given_done(&given);
    assert_string_equal(window("1abc"), "abc");
}

static void buckets(void **state)
{
    (void)state;
    for (int pass = 0; pass < 2; pass++) {
        source_given_begin(&given, true);
        for (uint32_t bucket = 0; bucket < 3; bucket++) {
            for (int64_t version = 1; version < 4; version++)
                assert_int_equal(row(bucket, version, "k", ""), pass);
        }
        source_given_done(&given);
    }
    source_given_begin(&given, true);
    assert_false(row(0, 4, "k", ""));
    assert_true(row(1, 1, "k", ""));
    assert_false(row(3, 1, "k", ""));
}

/* The cells count, not what they make together, and so do version and bucket. */
static void another_row(void **state)
{
    (void)state;
    static const struct {
        uint32_t bucket;
        int64_t version;
        const char *a, *b;
        bool same;
    } rows[] = {{0, 1, "ab", "c", true},  {0, 1, "a", "bc", false}, {0, 1, "abc", "", false},
                {0, 1, "", "abc", false}, {0, 1, "c", "ab", false}, {0, 2, "ab", "c", false},
                {1, 1, "ab", "c", false}, {0, 1, "ab", "", false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        source_given_begin(&given, true);
        row(0, 1, "ab", "c");
        source_given_done(&given);
        source_given_begin(&given, true);
        if (row(rows[i].bucket, rows[i].version, rows[i].a, rows[i].b) != rows[i].same)
            fail_msg("row %zu", i);
    }
}

static void too_many(void **state)
{
    (void)state;
    for (int pass = 0; pass < 2; pass++) {
        source_given_begin(&given, true);
        for (int64_t version = 1; version <= SOURCE_GIVEN_MAX + 10; version++)
            assert_int_equal(row(0, version, "k", ""), pass && version <= SOURCE_GIVEN_MAX);
        assert_int_equal(given.present.capacity, SOURCE_GIVEN_MAX);
        source_given_done(&given);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_new, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_what_is_done, set_up, tear_down),
        cmocka_unit_test_setup_teardown(buckets, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_row, set_up, tear_down),
        cmocka_unit_test_setup_teardown(too_many, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "job/spool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void test_lines_come_back(void **state)
{
    (void)state;
    struct err err = {0};
    struct job_spool *s = job_spool_new("/tmp", &err);
    assert_non_null(s);
    char text[5000];
    for (int i = 0; i < 3000; i++) {
        const int len = snprintf(text, sizeof text, "%d %*s", i, i, "");
        assert_true(job_spool_add(s, slice_of(text, (size_t)len), &err));
    }
    struct slice line;
    for (int i = 0; i < 3000; i++) {
        snprintf(text, sizeof text, "%d %*s", i, i, "");
        assert_true(job_spool_next(s, &line, &err));
        assert_true(slice_is(line, text));
    }
    for (int i = 0; i < 2; i++) {
        assert_true(job_spool_next(s, &line, &err));
        assert_true(slice_is_null(line));
    }
    job_spool_free(s);
}

static void test_no_folder(void **state)
{
    (void)state;
    struct err err = {0};
    assert_null(job_spool_new("/nowhere/at/all", &err));
    assert_int_equal(err.code, ERR_STATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lines_come_back),
                                       cmocka_unit_test(test_no_folder)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

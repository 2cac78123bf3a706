#include "job/versions.h"

#include "job/filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct err err;

static void must(bool fine)
{
    if (!fine)
        fail_msg("%s", err.text);
}

static struct slice key_of(char text[32], unsigned n)
{
    return slice_of(text, (size_t)snprintf(text, 32, "key %u", n));
}

static int64_t find(struct job_versions *v, unsigned n)
{
    char text[32];
    int64_t version = -1;
    must(job_versions_find(v, key_of(text, n), &version, &err));
    return version;
}

/* Keys 0, 3, 6 … with some versions each, of which the highest counts. */
static void look_up(unsigned count, size_t memory)
{
    struct job_versions *v = job_versions_new("/tmp", memory);
    char text[32];
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned n = 0; n < count; n++)
            must(job_versions_add(v, key_of(text, 3 * n), 1 + (n + round) % 3 + n, &err));
    }
    must(job_versions_finish(v, &err));
    assert_int_equal(job_versions_count(v), count);
    for (unsigned n = 0; n < 3 * count + 3; n++)
        assert_int_equal(find(v, n), n % 3 == 0 && n < 3 * count ? n / 3 + 3 : 0);
    job_versions_free(v);
}

static void versions(void **state)
{
    (void)state;
    look_up(0, 0);
    look_up(1, 0);
    look_up(256, 0);
    look_up(257, 0);
    look_up(70000, 0); /* spills */
}

static void no_folder(void **state)
{
    (void)state;
    struct job_versions *v = job_versions_new("/nowhere/at/all", 0);
    assert_false(job_versions_finish(v, &err));
    assert_int_equal(err.code, ERR_STATE);
    job_versions_free(v);
}

static void filter(void **state)
{
    (void)state;
    enum { COUNT = 50000 };
    struct job_filter *f = job_filter_new(64 << 10); /* 10 bits a key */
    char text[32];
    unsigned wrong = 0;
    for (unsigned n = 0; n < COUNT; n++)
        assert_false(n == 0 && job_filter_has(f, job_filter_hash(key_of(text, n))));
    for (unsigned n = 0; n < COUNT; n++)
        job_filter_add(f, job_filter_hash(key_of(text, n)));
    for (unsigned n = 0; n < COUNT; n++)
        assert_true(job_filter_has(f, job_filter_hash(key_of(text, n))));
    for (unsigned n = COUNT; n < 2 * COUNT; n++)
        wrong += job_filter_has(f, job_filter_hash(key_of(text, n)));
    if (wrong > COUNT / 50)
        fail_msg("%u of %d keys that are not there seem to be", wrong, COUNT);
    job_filter_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(versions), cmocka_unit_test(no_folder),
                                       cmocka_unit_test(filter)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "job/sorter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
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

static uint64_t step(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return *seed >> 17;
}

static struct job_sorted record_of(uint64_t n, char text[600], size_t *len)
{
    uint64_t seed = n;
    *len = (size_t)(step(&seed) % (n % 100 == 0 ? 512 : 40));
    for (size_t i = 0; i < *len; i++)
        text[i] = (char)('a' + step(&seed) % 3);
    return (struct job_sorted){.token = (int64_t)(step(&seed) % 1000) - 500,
                               .key = slice_of(text, *len),
                               .version = (int64_t)(step(&seed) % 3),
                               .hash = {n, ~n},
                               .flags = (uint8_t)n};
}

/* Everything comes back once, in order, with what belongs to it. */
static void sort_some(uint64_t count, size_t memory, bool spills, bool again, bool last)
{
    static struct job_sorter *s;
    char text[600], before_key[600];
    size_t len;
    if (again)
        job_sorter_reset(s);
    else
        s = job_sorter_new("/tmp", memory);
    for (uint64_t i = 0; i < count; i++) {
        const struct job_sorted r = record_of(i, text, &len);
        must(job_sorter_add(s, &r, &err));
    }
    must(job_sorter_finish(s, &err));
    assert_int_equal(job_sorter_count(s), count);
    assert_int_equal(job_sorter_spilled(s) > 0, spills);
    unsigned char *seen = calloc(count + 1, 1);
    struct job_sorted r, before = {.token = INT64_MIN, .key = SLICE_LIT("")};
    bool more;
    uint64_t got = 0;
    for (must(job_sorter_next(s, &r, &more, &err)); more;
         must(job_sorter_next(s, &r, &more, &err))) {
        const uint64_t n = r.hash.high;
        assert_true(n < count && !seen[n]++);
        const struct job_sorted expected = record_of(n, text, &len);
        assert_true(job_sorted_compare(&expected, &r) == 0 && expected.version == r.version);
        assert_int_equal(r.flags, (uint8_t)n);
        assert_true(r.hash.low == ~n);
        const int order = job_sorted_compare(&before, &r);
        assert_true(order < 0 || (order == 0 && before.version <= r.version));
        before = r;
        memcpy(before_key, r.key.ptr, r.key.len);
        before.key = slice_of(before_key, r.key.len);
        got++;
    }
    assert_int_equal(got, count);
    must(job_sorter_next(s, &r, &more, &err));
    assert_false(more);
    free(seen);
    if (last)
        job_sorter_free(s);
}

static void test_in_memory(void **state)
{
    (void)state;
    sort_some(0, 0, false, false, false);
    sort_some(1, 0, false, true, false);
    sort_some(5000, 1 << 20, false, true, true);
}

static void test_spilled(void **state)
{
    (void)state;
    sort_some(8000, 1 << 20, true, false, false);
    sort_some(1000, 1 << 20, false, true, false);
    sort_some(200000, 1 << 20, true, true, true);
}

static void test_limits(void **state)
{
    (void)state;
    struct job_sorter *s = job_sorter_new("/nowhere/at/all", 0);
    static char big[70000];
    struct job_sorted r = {.key = slice_of(big, sizeof big)}, out;
    bool more;
    assert_false(job_sorter_add(s, &r, &err));
    r.key.len = 65535;
    bool fine = true;
    int added = 0;
    while (fine && added < 100) {
        r.token = added++;
        fine = job_sorter_add(s, &r, &err);
    }
    assert_int_equal(err.code, ERR_STATE);
    assert_non_null(strstr(err.text, "/nowhere/at/all"));
    job_sorter_free(s);

    s = job_sorter_new("/tmp", 0);
    for (int i = 0; i < 100; i++) {
        r.token = -i;
        must(job_sorter_add(s, &r, &err));
    }
    must(job_sorter_finish(s, &err));
    assert_true(job_sorter_spilled(s) > 0);
    for (int i = 0; i < 100; i++) {
        must(job_sorter_next(s, &out, &more, &err));
        assert_true(more && out.token == i - 99 && out.key.len == 65535);
    }
    job_sorter_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_memory),
        cmocka_unit_test(test_spilled),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

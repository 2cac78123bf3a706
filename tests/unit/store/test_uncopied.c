#include "store/uncopied.h"

#include "store/dead_letter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64], path[96];
static struct err err;
static struct store *store;
static int64_t id;

static void must(bool fine)
{
    if (!fine)
        fail_msg("%s", err.text);
}

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/caes_uncopied_XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/state.db", folder);
    store = store_open(path, &err);
    must(store != NULL);
    must(store_pipeline(store, "default", &id, &err));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    store_close(store);
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        char file[128];
        snprintf(file, sizeof file, "%s%s", path, suffixes[i]);
        unlink(file);
    }
    return rmdir(folder);
}

static void put(const char *key, int64_t version, enum change_side target)
{
    bool added;
    const struct store_dead_letter letter = {.key = slice_str(key),
                                             .version = version,
                                             .target = target,
                                             .rule = "invalid",
                                             .reason = "no"};
    must(store_dead_write(store, id, &letter, &added, &err));
}

static void purge(struct slice key)
{
    int64_t removed;
    must(store_uncopied_keep(store, id, key, &err));
    must(store_dead_purge(store, id, key, &removed, &err));
}

static void append(void *ctx, struct slice key)
{
    char *text = ctx;
    strncat(text, key.ptr, key.len);
}

static void expect(struct slice behind, uint32_t limit, const char *keys)
{
    char found[32] = "";
    must(store_uncopied_page(store, id, behind, limit, append, found, &err));
    assert_string_equal(found, keys);
}

static void letters_count_and_purged_ones_too(void **state)
{
    (void)state;
    put("a", 1, CHANGE_ELASTICSEARCH);
    put("b", 1, CHANGE_ELASTICSEARCH);
    put("b", 2, CHANGE_ELASTICSEARCH);
    put("c", 1, CHANGE_CASSANDRA);
    put("d", 1, CHANGE_ELASTICSEARCH);
    expect(SLICE_NULL, 10, "abd");
    expect(SLICE_NULL, 2, "ab");
    expect(SLICE_LIT("b"), 10, "d");
    purge(SLICE_LIT("b"));
    expect(SLICE_NULL, 10, "abd");
    put("b", 3, CHANGE_ELASTICSEARCH);
    purge(SLICE_NULL);
    expect(SLICE_NULL, 10, "abd");
    int64_t left;
    must(store_dead_count(store, id, &left, &err));
    assert_int_equal(left, 0);
}

static void a_letter_that_was_settled_is_none(void **state)
{
    (void)state;
    put("a", 1, CHANGE_ELASTICSEARCH);
    must(store_dead_settle(store, id, SLICE_LIT("a"), 5, &err));
    expect(SLICE_NULL, 10, "");
}

static void pipelines_are_apart(void **state)
{
    (void)state;
    const int64_t ours = id;
    put("a", 1, CHANGE_ELASTICSEARCH);
    must(store_pipeline(store, "other", &id, &err));
    put("z", 1, CHANGE_ELASTICSEARCH);
    expect(SLICE_NULL, 10, "z");
    purge(SLICE_NULL);
    id = ours;
    expect(SLICE_NULL, 10, "a");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {TEST(letters_count_and_purged_ones_too),
                                       TEST(a_letter_that_was_settled_is_none),
                                       TEST(pipelines_are_apart)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

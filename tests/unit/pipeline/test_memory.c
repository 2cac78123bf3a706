#include "pipeline/memory.h"

#include "store/statement.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { NOW = 1000 };

static char folder[64], path[96];
static struct store *store;
static struct memory *memory;
static int64_t pipeline;
static struct arena arena;
static struct err err;

static void must(bool fine)
{
    if (!fine)
        fail_msg("%s", err.text);
}

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/caes_memory_XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/state.db", folder);
    err = (struct err){0};
    store = store_open(path, &err);
    must(store != NULL);
    must(store_pipeline(store, "default", &pipeline, &err));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    memory_free(memory);
    memory = NULL;
    store_close(store);
    arena_free(&arena);
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        char file[128];
        snprintf(file, sizeof file, "%s%s", path, suffixes[i]);
        unlink(file);
    }
    return rmdir(folder);
}

/* A memory as after a restart. */
static void restart(size_t bound)
{
    memory_free(memory);
    memory = memory_new(store, pipeline, bound, &err);
    must(memory != NULL);
}

static struct slice key_of(int i)
{
    char text[32];
    const int len = snprintf(text, sizeof text, "key %03d", i);
    return arena_copy(&arena, slice_of(text, (size_t)len));
}

static struct memory_entry *entry(int key, int64_t version)
{
    struct memory_entry *e = memory_entry(memory, key_of(key), version, NOW, &err);
    must(e != NULL);
    return e;
}

static void add(int key, int64_t version, int looks, int64_t due)
{
    struct memory_entry *e = entry(key, version);
    e->entry.looks = looks;
    e->entry.due = due;
    memory_changed(memory, e);
}

static void add_keys(int count)
{
    for (int i = 0; i < count; i++)
        add(i, 100 + i, 1, NOW + i);
}

static struct memory_entry *first_of(int key)
{
    struct memory_entry *first = NULL;
    must(memory_entries(memory, key_of(key), &first, &err));
    return first;
}

/* Changes an entry behind the memory's back: whoever reads it afterwards has read the file. */
static void mark_in_file(int key, int64_t version)
{
    const struct store_entry marked = {
        .key = key_of(key), .version = version, .looks = 1, .first_look = 777};
    must(store_entry_write(store, pipeline, &marked, &err));
}

static bool comes_from_file(int key, int64_t version)
{
    mark_in_file(key, version);
    const struct memory_entry *e = first_of(key);
    assert_non_null(e);
    return e->entry.first_look == 777;
}

static void flush(void)
{
    must(memory_flush(memory, &err));
}

static void new_entries(void **state)
{
    (void)state;
    restart(10);
    assert_null(first_of(1));
    struct memory_entry *e = entry(1, 5);
    assert_true(slice_equal(e->entry.key, key_of(1)));
    assert_int_equal(e->entry.looks, 0);
    assert_int_equal(e->entry.due, NOW);
    assert_true(e->dirty);
    assert_ptr_equal(entry(1, 5), e);
    assert_ptr_equal(first_of(1), e);
    assert_ptr_not_equal(entry(1, 6), e);
    assert_null(first_of(2));
    int count = 0;
    for (e = first_of(1); e; e = e->next)
        count++;
    assert_int_equal(count, 2);
}

static void survives(void **state)
{
    (void)state;
    restart(10);
    add(1, 5, 1, 50);
    add(1, 6, 2, 60);
    restart(10); /* not flushed: as if killed */
    assert_null(first_of(1));
    add(1, 5, 1, 50);
    add(1, 6, 2, 60);
    flush();
    add(1, 5, 4, 40); /* changed again */
    flush();
    restart(10);
    assert_int_equal(entry(1, 5)->entry.looks, 4);
    assert_int_equal(entry(1, 5)->entry.due, 40);
    assert_int_equal(entry(1, 6)->entry.looks, 2);
    assert_false(entry(1, 6)->dirty);
}

static void in_a_transaction(void **state)
{
    (void)state;
    restart(10);
    add(1, 5, 1, 50);
    must(store_begin(store, &err));
    must(memory_write(memory, &err));
    store_rollback(store);
    assert_true(entry(1, 5)->dirty); /* still to be written */
    must(store_begin(store, &err));
    must(memory_write(memory, &err));
    must(store_commit(store, &err));
    memory_written(memory);
    assert_false(entry(1, 5)->dirty);
    restart(10);
    assert_non_null(first_of(1));
}

static void no_room(void **state)
{
    (void)state;
    restart(10000);
    add_keys(10);
    flush();
    assert_int_equal(sqlite3_exec(store->db, "PRAGMA max_page_count = 1", NULL, NULL, NULL),
                     SQLITE_OK);
    add_keys(5000);
    assert_false(memory_flush(memory, &err));
    assert_int_equal(err.code, ERR_STATE);
    assert_true(entry(4999, 5099)->dirty);
    assert_int_equal(sqlite3_exec(store->db, "PRAGMA max_page_count = 1000000", NULL, NULL, NULL),
                     SQLITE_OK);
    flush();
    restart(10000);
    for (int i = 0; i < 5000; i++)
        assert_non_null(first_of(i));
}

static void spills(void **state)
{
    (void)state;
    restart(3);
    add_keys(10);
    memory_trim(memory); /* nothing is in the file yet: all stay */
    for (int i = 0; i < 10; i++)
        assert_true(entry(i, 100 + i)->dirty);
    flush();
    add(0, 100, 2, 5); /* the oldest, but not in the file as it is */
    memory_trim(memory);
    assert_int_equal(entry(0, 100)->entry.looks, 2);
    assert_true(entry(0, 100)->dirty);
    flush();
    for (int i = 1; i < 8; i++)
        assert_true(comes_from_file(i, 100 + i));
    assert_false(comes_from_file(8, 108));
    assert_false(comes_from_file(9, 109));
    assert_null(first_of(10)); /* in neither */
    memory_trim(memory);       /* what was read again is dropped again, the oldest first */
    assert_true(comes_from_file(1, 101));
}

/* Few keys that are written all the time are as many entries as many keys. */
static void many_versions_of_a_key(void **state)
{
    (void)state;
    restart(5);
    for (int64_t version = 1; version <= 10; version++)
        add(1, version, 2, 50);
    add(2, 1, 2, 50);
    flush();
    memory_trim(memory);
    assert_false(comes_from_file(2, 1));
    mark_in_file(1, 3);
    int found = 0;
    for (const struct memory_entry *e = first_of(1); e; e = e->next)
        found += e->entry.version != 3 || e->entry.first_look == 777;
    assert_int_equal(found, 10); /* read again, and whole */
    restart(5);
    assert_true(comes_from_file(2, 1));
}

static void spilled_versions_come_together(void **state)
{
    (void)state;
    restart(1);
    add(1, 5, 3, 50);
    add(1, 6, 2, 60);
    add(2, 7, 1, 70);
    flush();
    memory_trim(memory);
    entry(1, 8); /* a new version of a key that is in the file only */
    assert_int_equal(entry(1, 5)->entry.looks, 3);
    assert_int_equal(entry(1, 6)->entry.looks, 2);
    assert_true(entry(1, 8)->dirty);
    assert_false(entry(1, 5)->dirty);
}

static void more_than_the_bound_at_start(void **state)
{
    (void)state;
    restart(100);
    add_keys(10);
    add(0, 500, 3, 1);
    for (int i = 2; i < 9; i++) {
        struct memory_entry *e = entry(i, 100 + i);
        e->entry.seen = STORE_WAITS_FOR_ROW;
        memory_changed(memory, e);
    }
    flush();
    restart(2);
    assert_int_equal(memory_waiting(memory), 7); /* those beyond the bound too */
    assert_int_equal(entry(0, 500)->entry.looks, 3);
    int held = 0; /* which two doesn't matter, as long as each is whole */
    for (int i = 0; i < 10; i++)
        held += !comes_from_file(i, 100 + i);
    assert_in_range(held, 1, 2);
}

static void due(void **state)
{
    (void)state;
    restart(2);
    add(3, 1, 1, 10);
    add(3, 2, 1, 11);
    add(1, 1, 1, 20);
    add(2, 1, 1, 5);
    add(4, 1, 1, 30);
    add(5, 1, 3, STORE_NEVER);
    flush();
    memory_trim(memory);
    struct slice *keys;
    size_t count;
    must(memory_due(memory, 4, 10, &arena, &keys, &count, &err));
    assert_int_equal(count, 0);
    must(memory_due(memory, 20, 10, &arena, &keys, &count, &err));
    assert_int_equal(count, 3); /* each key once */
    for (int i = 0; i < 3; i++)
        assert_true(slice_equal(keys[i], key_of(i + 1)));
    must(memory_due(memory, 100, 1, &arena, &keys, &count, &err));
    assert_int_equal(count, 1); /* those due first */
    assert_true(slice_equal(keys[0], key_of(2)));
    must(memory_due(memory, STORE_NEVER - 1, 10, &arena, &keys, &count, &err));
    assert_int_equal(count, 4);
}

static void lowest_pending(void **state)
{
    (void)state;
    restart(1);
    int64_t version = -1;
    must(memory_lowest_pending(memory, &version, &err));
    assert_int_equal(version, 0);
    add(1, 7, 2, 1);
    add(2, 9, 1, 1);
    add(3, 8, 0, 1);
    flush();
    memory_trim(memory);
    must(memory_lowest_pending(memory, &version, &err));
    assert_int_equal(version, 8);
}

static void leave(void **state)
{
    (void)state;
    restart(1);
    add(1, 5, STORE_LOOKS_LEAVING, STORE_NEVER);
    add(2, 5, STORE_LOOKS_LEAVING, STORE_NEVER);
    add(2, 6, STORE_LOOKS_LEAVING, STORE_NEVER);
    add(2, 4, STORE_LOOKS_ALL, STORE_NEVER);
    add(2, 3, 2, 2000);
    flush();
    memory_trim(memory); /* the first is in the file only, the second at hand */
    must(memory_leave(memory, 6, NOW, &err));
    must(memory_leave(memory, 6, NOW + 1, &err)); /* those that are due already stay so */
    for (int after = 0; after < 2; after++) {     /* at hand, and in the file */
        assert_int_equal(entry(1, 5)->entry.due, NOW);
        assert_int_equal(entry(2, 5)->entry.due, NOW);
        assert_true(entry(2, 6)->entry.due == STORE_NEVER);
        assert_true(entry(2, 4)->entry.due == STORE_NEVER);
        assert_int_equal(entry(2, 3)->entry.due, 2000);
        restart(10);
    }
}

static bool known(int key, int64_t version)
{
    for (const struct memory_entry *e = first_of(key); e; e = e->next)
        if (e->entry.version == version)
            return true;
    return false;
}

static void forget(void **state)
{
    (void)state;
    restart(2);
    add(1, 5, STORE_LOOKS_ALL, STORE_NEVER); /* in the file only */
    add(2, 5, STORE_LOOKS_ALL, STORE_NEVER); /* alone with its key */
    add(3, 4, STORE_LOOKS_ALL, STORE_NEVER);
    add(3, 5, STORE_LOOKS_ALL, STORE_NEVER);
    add(3, 6, STORE_LOOKS_ALL, STORE_NEVER); /* not below the limit */
    add(3, 3, STORE_LOOKS_LEAVING, NOW);     /* a look is due */
    flush();
    memory_trim(memory);
    must(memory_forget(memory, 6, &err));
    for (int after = 0; after < 2; after++) {
        assert_false(known(1, 5));
        assert_false(known(2, 5));
        assert_false(known(3, 4));
        assert_false(known(3, 5));
        assert_true(known(3, 6));
        assert_true(known(3, 3));
        restart(10);
    }
}

/* A change that the file does not have is never lost to forgetting. */
static void forget_keeps_changes(void **state)
{
    (void)state;
    restart(10);
    add(1, 5, STORE_LOOKS_ALL, STORE_NEVER);
    must(memory_forget(memory, 6, &err));
    assert_true(known(1, 5));
    flush();
    must(memory_forget(memory, 6, &err));
    assert_false(known(1, 5));
    flush();
}

static void pipelines_apart(void **state)
{
    (void)state;
    restart(10);
    add(1, 5, 1, 50);
    flush();
    const int64_t mine = pipeline;
    must(store_pipeline(store, "other", &pipeline, &err));
    restart(10);
    assert_null(first_of(1));
    assert_int_equal(memory_waiting(memory), 0);
    pipeline = mine;
    restart(10);
    assert_non_null(first_of(1));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(new_entries),
        TEST(survives),
        TEST(in_a_transaction),
        TEST(no_room),
        TEST(spills),
        TEST(many_versions_of_a_key),
        TEST(spilled_versions_come_together),
        TEST(more_than_the_bound_at_start),
        TEST(due),
        TEST(lowest_pending),
        TEST(leave),
        TEST(forget),
        TEST(forget_keeps_changes),
        TEST(pipelines_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

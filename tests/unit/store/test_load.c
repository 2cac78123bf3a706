#include "store/block.h"
#include "store/load.h"
#include "store/times.h"

#include "store/statement.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
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
    snprintf(folder, sizeof folder, "/tmp/caes_load_XXXXXX");
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

static void reopen(void)
{
    store_close(store);
    store = store_open(path, &err);
    must(store != NULL);
}

static void see_part(void *ctx, uint32_t number, const struct store_load_part *part)
{
    struct store_load_part *parts = ctx;
    parts[number] = *part;
}

static void progress_survives(void **state)
{
    (void)state;
    struct store_load load = {.since = 7, .started = 8, .settled = 9, .fresh = true}, read;
    struct store_load_part parts[] = {{INT64_MIN, 0, INT64_MIN, false}, {0, INT64_MAX, 0, false}};
    struct store_load_part seen[2] = {{0}};
    snprintf(load.stores, sizeof load.stores, "table, index");
    must(store_load_read(store, id, CHANGE_CASSANDRA, &read, &err));
    assert_false(read.exists);
    must(store_load_begin(store, id, CHANGE_CASSANDRA, &load, parts, 2, &err));
    parts[1] = (struct store_load_part){0, INT64_MAX, 5, true};
    must(store_load_part_write(store, id, CHANGE_CASSANDRA, 1, &parts[1], &err));
    reopen();
    must(store_load_read(store, id, CHANGE_CASSANDRA, &read, &err));
    assert_true(read.exists && read.fresh && !read.stale);
    assert_int_equal(read.since, 7);
    assert_int_equal(read.started, 8);
    assert_int_equal(read.settled, 9);
    assert_string_equal(read.stores, "table, index");
    must(store_load_parts(store, id, CHANGE_CASSANDRA, see_part, seen, &err));
    for (size_t i = 0; i < 2; i++) {
        assert_true(seen[i].low == parts[i].low && seen[i].high == parts[i].high);
        assert_true(seen[i].position == parts[i].position && seen[i].done == parts[i].done);
    }
    must(store_load_read(store, id, CHANGE_ELASTICSEARCH, &read, &err));
    assert_false(read.exists);
    must(store_load_stale(store, id, &err));
    must(store_load_read(store, id, CHANGE_CASSANDRA, &read, &err));
    assert_true(read.stale);
    must(store_load_end(store, id, CHANGE_CASSANDRA, &err));
    must(store_load_read(store, id, CHANGE_CASSANDRA, &read, &err));
    assert_false(read.exists);
}

static void add_key(void *ctx, struct slice key)
{
    char *text = ctx;
    strncat(text, key.ptr, key.len);
}

static void keys_for_later(void **state)
{
    (void)state;
    const struct store_load load = {.since = 1};
    const char *keys[] = {"b", "a", "c", "a"};
    char text[16] = "", behind[16] = "";
    must(store_load_begin(store, id, CHANGE_CASSANDRA, &load, NULL, 0, &err));
    for (size_t i = 0; i < 4; i++)
        must(store_load_later_add(store, id, CHANGE_CASSANDRA, slice_str(keys[i]), &err));
    must(store_load_later_page(store, id, CHANGE_CASSANDRA, SLICE_NULL, 2, add_key, text, &err));
    assert_string_equal(text, "ab");
    must(store_load_later_page(store, id, CHANGE_CASSANDRA, SLICE_LIT("b"), 2, add_key, behind,
                               &err));
    assert_string_equal(behind, "c");
    must(store_load_end(store, id, CHANGE_CASSANDRA, &err));
    text[0] = '\0';
    must(store_load_later_page(store, id, CHANGE_CASSANDRA, SLICE_NULL, 2, add_key, text, &err));
    assert_string_equal(text, "");
}

static void relaxed_settings(void **state)
{
    (void)state;
    struct store_relaxed relaxed = {.exists = true, .replicas = "1"}, read;
    must(store_relaxed_read(store, id, &read, &err));
    assert_false(read.exists);
    must(store_relaxed_write(store, id, &relaxed, &err));
    reopen();
    must(store_relaxed_read(store, id, &read, &err));
    assert_true(read.exists);
    assert_string_equal(read.replicas, "1");
    assert_string_equal(read.refresh_interval, "");
    relaxed.exists = false;
    must(store_relaxed_write(store, id, &relaxed, &err));
    must(store_relaxed_read(store, id, &read, &err));
    assert_false(read.exists);
}

/* As the first schema wrote it. */
static int upgraded;

static bool see_upgraded(void *ctx, int64_t block, struct slice bytes)
{
    (void)ctx;
    (void)block;
    upgraded += (int)store_block_count(bytes);
    const struct store_entry entry = store_block_entry(bytes, 0), *e = &entry;
    assert_true(slice_is(e->key, "k"));
    assert_int_equal(e->version, 7);
    assert_int_equal(e->seen, 1);
    assert_int_equal(e->looks, 2);
    assert_int_equal(e->first_look, 21);
    assert_int_equal(e->due, 22);
    assert_int_equal(e->own_document.flags, 1);
    assert_int_equal(e->own_document.hash.low, 32);
    assert_int_equal(e->own_row.flags, 1);
    assert_int_equal(e->own_row.written, 35);
    return true;
}

static void an_older_file_is_upgraded(void **state)
{
    (void)state;
    sqlite3 *db;
    struct store_checkpoint checkpoint;
    int64_t paused_us = 1;
    store_close(store);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(
            db,
            "CREATE TABLE pipeline(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
            "CREATE TABLE checkpoint(pipeline INTEGER PRIMARY KEY,"
            " highest_elasticsearch INTEGER NOT NULL, highest_cassandra INTEGER NOT NULL,"
            " whole_lowest INTEGER NOT NULL, settled_us INTEGER NOT NULL,"
            " completed_us INTEGER NOT NULL, gap INTEGER NOT NULL);"
            "CREATE TABLE entry(pipeline INTEGER NOT NULL, key BLOB NOT NULL,"
            " version INTEGER NOT NULL, seen INTEGER NOT NULL, looks INTEGER NOT NULL,"
            " first_look_us INTEGER NOT NULL, due_us INTEGER NOT NULL, own INTEGER NOT NULL,"
            " own_document_high INTEGER, own_document_low INTEGER, own_row_high INTEGER,"
            " own_row_low INTEGER, own_row_written_us INTEGER,"
            " PRIMARY KEY(pipeline, key, version)) WITHOUT ROWID;"
            "CREATE TABLE dead_letter(pipeline INTEGER NOT NULL, key BLOB NOT NULL,"
            " version INTEGER NOT NULL, direction INTEGER NOT NULL, rule TEXT NOT NULL,"
            " reason TEXT NOT NULL, payload BLOB, write_time_us INTEGER, at_us INTEGER NOT NULL,"
            " PRIMARY KEY(pipeline, key, version, direction)) WITHOUT ROWID;"
            "INSERT INTO pipeline VALUES(3, 'default');"
            "INSERT INTO checkpoint VALUES(3, 10, 11, 12, 13, 14, 1);"
            "INSERT INTO entry VALUES(3, x'6b', 7, 1, 2, 21, 22, 257, 31, 32, 33, 34, 35);"
            "PRAGMA user_version = 1; PRAGMA application_id = 0x63616573;",
            NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(db);
    store = store_open(path, &err);
    must(store != NULL);
    must(store_pipeline(store, "default", &id, &err));
    assert_int_equal(id, 3);
    must(store_checkpoint_read(store, id, &checkpoint, &err));
    assert_int_equal(checkpoint.highest_cassandra, 11);
    assert_int_equal(checkpoint.completed, 14);
    assert_true(checkpoint.gap);
    assert_int_equal(checkpoint.synced_from, 0);
    must(store_time_read(store, id, STORE_PAUSED, &paused_us, &err));
    assert_int_equal(paused_us, 0);
    must(store_blocks_all(store, id, see_upgraded, NULL, &err));
    assert_int_equal(upgraded, 1);
    checkpoint.synced_from = 5;
    must(store_checkpoint_write(store, id, &checkpoint, &err));
    reopen();
    must(store_checkpoint_read(store, id, &checkpoint, &err));
    assert_int_equal(checkpoint.synced_from, 5);
    const struct store_load load = {.since = 1};
    must(store_load_begin(store, id, CHANGE_CASSANDRA, &load, NULL, 0, &err));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {TEST(progress_survives), TEST(keys_for_later),
                                       TEST(relaxed_settings), TEST(an_older_file_is_upgraded)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

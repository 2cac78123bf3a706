#include "pipeline/internal.h"
#include "store/dead_letter.h"
#include "store/statement.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

/* When an entry is looked at again, without any server. */

enum { SECOND = 1000000 };
static const int64_t START = 1000LL * SECOND; /* T of the first cycle */

static char folder[64], path[96];
static struct pipeline p;
static int64_t since;
static struct err err;

static void must(bool fine)
{
    if (!fine)
        fail_msg("%s", err.text);
}

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/caes_outcome_XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/state.db", folder);
    err = (struct err){0};
    since = 900;
    p = (struct pipeline){.options = {.table.unit_us = SECOND,
                                      .overlap = 60,
                                      .overlap_us = 60 * SECOND,
                                      .settle_us = 2 * SECOND,
                                      .delete_settle_us = 30 * SECOND}};
    p.store = store_open(path, &err);
    must(p.store != NULL);
    must(store_pipeline(p.store, "default", &p.id, &err));
    p.memory = memory_new(p.store, p.id, 100, &err);
    must(p.memory != NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    memory_free(p.memory);
    store_close(p.store);
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        char file[128];
        snprintf(file, sizeof file, "%s%s", path, suffixes[i]);
        unlink(file);
    }
    return rmdir(folder);
}

static struct store_entry *entry_of(int64_t version)
{
    struct memory_entry *e = memory_entry(p.memory, SLICE_LIT("k"), version, START, &err);
    must(e != NULL);
    return &e->entry;
}

/* One look, in a cycle that began at now, by a batch that came to it at looked. */
static void look(int64_t now, int64_t looked, enum resolve_action action, int64_t document)
{
    struct pipeline_report report = {0};
    struct cycle c = {.p = &p,
                      .report = &report,
                      .now = now,
                      .looked = looked,
                      .settled = now - p.options.settle_us,
                      .since = since,
                      .rules.latest_version = (now + 300LL * SECOND) / SECOND};
    struct item item = {.key.text = SLICE_LIT("k"),
                        .document.version = document,
                        .decision = {.action = action, .version = 1000}};
    must(memory_entries(p.memory, item.key.text, &item.entries, &err));
    must(outcome_record(&c, &item, 1, &err));
}

static void three_looks(void **state)
{
    (void)state;
    const struct store_entry *e = entry_of(1000);
    look(START, START, RESOLVE_NOTHING, 0);
    assert_int_equal(e->looks, 1);
    assert_true(e->due == START + 2 * SECOND);
    look(START + 3 * SECOND, START + 3 * SECOND, RESOLVE_NOTHING, 0);
    assert_int_equal(e->looks, 2);
    /* the version is that of a whole second; clocks differ by settle; S comes settle later */
    assert_true(e->due == START + 65 * SECOND);
    look(START + 65 * SECOND, START + 65 * SECOND, RESOLVE_NOTHING, 0);
    assert_int_equal(e->looks, STORE_LOOKS_ALL);
    assert_true(e->due == STORE_NEVER);
}

static void of_an_entry_that_came_late(void **state)
{
    (void)state;
    const struct store_entry *e = entry_of(950);
    look(START, START, RESOLVE_NOTHING, 0);
    look(START + 3 * SECOND, START + 3 * SECOND, RESOLVE_NOTHING, 0);
    assert_true(e->due == START + 60 * SECOND);
    look(START + 61 * SECOND, START + 61 * SECOND, RESOLVE_NOTHING, 0);
    assert_int_equal(e->looks, STORE_LOOKS_ALL);
}

/* One of before what the first cycle read, and its second is not over. */
static void of_an_entry_that_begins_at_its_end(void **state)
{
    (void)state;
    struct store_entry *e = entry_of(1000);
    e->looks = STORE_LOOKS_LEAVING - 1;
    look(START, START, RESOLVE_NOTHING, 0);
    assert_int_equal(e->looks, STORE_LOOKS_LEAVING);
    assert_true(e->due == START + 65 * SECOND);
    look(START + 65 * SECOND, START + 65 * SECOND, RESOLVE_NOTHING, 0);
    assert_int_equal(e->looks, STORE_LOOKS_ALL);
}

/* Its time would not fit. */
static void of_a_far_future(void **state)
{
    (void)state;
    struct store_entry *e = entry_of(INT64_MAX);
    e->looks = 1;
    e->first_look = START;
    look(START + 3 * SECOND, START + 3 * SECOND, RESOLVE_DEAD, 0);
    assert_true(e->due == START + 60 * SECOND);
}

/* When it leaves the overlap is known then only; what was sent again does not stand for that. */
static void of_an_entry_without_a_unit(void **state)
{
    (void)state;
    p.options.table.unit_us = 0;
    struct store_entry *e = entry_of(1000);
    e->own_row.flags = STORE_OWN_RECORDED | STORE_OWN_BEFORE | STORE_OWN_BEFORE_OPEN;
    look(START, START, RESOLVE_NOTHING, 0);
    look(START + 3 * SECOND, START + 3 * SECOND, RESOLVE_NOTHING, 0);
    assert_true(e->due == START + 60 * SECOND);
    for (int i = 1; i <= 2; i++) {
        look(START + i * 60 * SECOND, START + i * 60 * SECOND, RESOLVE_NOTHING, 0);
        assert_int_equal(e->looks, STORE_LOOKS_LEAVING);
    }
    assert_true(e->due == STORE_NEVER);
    since = 1001;
    e->due = START; /* as memory_due has it then */
    look(START + 130 * SECOND, START + 130 * SECOND, RESOLVE_NOTHING, 0);
    assert_int_equal(e->looks, STORE_LOOKS_ALL);
    assert_true(e->due == STORE_NEVER);
}

/* What was sent first may show after all looks at what was sent then. */
static void of_an_open_send(void **state)
{
    (void)state;
    struct store_entry *e = entry_of(1000);
    e->own_document.flags = STORE_OWN_RECORDED | STORE_OWN_BEFORE | STORE_OWN_BEFORE_OPEN;
    look(START, START, RESOLVE_NOTHING, 0);
    look(START + 3 * SECOND, START + 3 * SECOND, RESOLVE_NOTHING, 0);
    look(START + 65 * SECOND, START + 65 * SECOND, RESOLVE_NOTHING, 0);
    assert_int_equal(e->looks, STORE_LOOKS_LEAVING);
    assert_true(e->due == START + (65 + 60) * SECOND);
    look(START + 125 * SECOND, START + 125 * SECOND, RESOLVE_NOTHING, 0);
    assert_int_equal(e->looks, STORE_LOOKS_ALL);
    assert_true(e->due == STORE_NEVER);
}

/* The row of an entry that was read late in a long cycle may show as late after that. */
static void a_long_cycle(void **state)
{
    (void)state;
    const struct store_entry *e = entry_of(1000);
    const int64_t looked = START + 40 * SECOND;
    look(START, looked, RESOLVE_WAIT, 0);
    assert_true(e->first_look == looked);
    assert_true(e->due == looked + 2 * SECOND);
    look(looked + 3 * SECOND, looked + 3 * SECOND, RESOLVE_WAIT, 0);
    assert_int_equal(e->looks, 1);
    assert_true(e->due == looked + 30 * SECOND);
}

static void put_off(void **state)
{
    (void)state;
    const struct store_entry *e = entry_of(1000);
    look(START, START, RESOLVE_PUT_OFF, 0);
    assert_int_equal(e->looks, 0);
    assert_true(e->due == START + 1);
    struct memory_entry *held = NULL;
    must(memory_entries(p.memory, SLICE_LIT("k"), &held, &err));
    look(START + SECOND, START + SECOND, RESOLVE_PUT_OFF, 0);
    assert_true(held->put_off_since == START);
    look(START + 2 * SECOND, START + 2 * SECOND, RESOLVE_NOTHING, 0);
    assert_true(held->put_off_since == 0);
}

/* Whichever look it is that misses the row. */
static void a_row_that_is_missing_at_the_last_look(void **state)
{
    (void)state;
    p.options.overlap = 3;
    p.options.overlap_us = 3 * SECOND;
    const struct store_entry *e = entry_of(1000);
    look(START, START, RESOLVE_NOTHING, 0);
    look(START + 2 * SECOND, START + 2 * SECOND, RESOLVE_NOTHING, 0);
    assert_int_equal(p.deletes_waiting, 0);
    assert_true(e->due == START + 8 * SECOND);
    look(START + 9 * SECOND, START + 9 * SECOND, RESOLVE_WAIT, 0);
    assert_int_equal(p.deletes_waiting, 1);
    assert_true(e->due == START + 30 * SECOND);
    look(START + 31 * SECOND, START + 31 * SECOND, RESOLVE_NOTHING, 0);
    assert_int_equal(p.deletes_waiting, 0);
    assert_true(e->due == STORE_NEVER);
}

static void documents_that_are_met(void **state)
{
    (void)state;
    entry_of(1000);
    look(START, START, RESOLVE_NOTHING, 1001);
    assert_int_equal(entry_of(1001)->looks, 1);
    assert_int_equal(entry_of(1001)->seen, STORE_SEEN_DOCUMENT);
    /* one of before the overlap is no change; the time of one of a far future would not even fit */
    look(START + 3 * SECOND, START + 3 * SECOND, RESOLVE_NOTHING, 899);
    look(START + 3 * SECOND, START + 3 * SECOND, RESOLVE_DEAD, INT64_MAX);
    struct memory_entry *e = NULL;
    must(memory_entries(p.memory, SLICE_LIT("k"), &e, &err));
    for (; e; e = e->next)
        assert_in_range(e->entry.version, 1000, 1001);
}

/* A refused delete that is tried again and must wait, because the try before it failed. */
static void a_letter_whose_delete_waits(void **state)
{
    (void)state;
    const struct store_dead_letter letter = {.key = SLICE_LIT("k"),
                                             .version = 1000,
                                             .target = CHANGE_ELASTICSEARCH,
                                             .rule = STORE_DEAD_DELETE,
                                             .reason = "",
                                             .payload = SLICE_LIT("null")};
    bool added;
    entry_of(1000);
    must(store_dead_write(p.store, p.id, &letter, &added, &err));
    static const enum resolve_action actions[] = {RESOLVE_WAIT, RESOLVE_PUT_OFF, RESOLVE_NOTHING};
    for (int i = 0; i < 3; i++) {
        p.dead_letters = 1;
        look(START + i * SECOND, START + i * SECOND, actions[i], 0);
        must(store_dead_count(p.store, p.id, &p.dead_letters, &err));
        assert_int_equal(p.dead_letters, i < 2);
    }
}

static void execute(const char *sql)
{
    assert_int_equal(sqlite3_exec(p.store->db, sql, NULL, NULL, NULL), SQLITE_OK);
}

/* What became of a look can't be stored: nothing goes on from a memory that is ahead of the file.
 */
static void a_file_that_takes_nothing(void **state)
{
    (void)state;
    entry_of(1000);
    must(memory_flush(p.memory, &err));
    execute("DROP TABLE block");
    struct pipeline_report report = {0};
    struct cycle c = {.p = &p, .report = &report, .now = START, .looked = START};
    struct item item = {.key.text = SLICE_LIT("k"), .decision.action = RESOLVE_NOTHING};
    must(memory_entries(p.memory, item.key.text, &item.entries, &err));
    assert_false(outcome_record(&c, &item, 1, &err));
    assert_int_equal(err.code, ERR_STATE);
    execute("CREATE TABLE block(id INTEGER PRIMARY KEY, pipeline, entries)");
    err = (struct err){0};
    assert_false(pipeline_cycle(&p, true, NULL, &report, &err));
    assert_int_equal(err.code, ERR_STATE);
    err = (struct err){0};
    assert_false(pipeline_repair(&p, NULL, &err));
    assert_int_equal(err.code, ERR_STATE);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(three_looks),
        TEST(of_an_entry_that_came_late),
        TEST(of_an_open_send),
        TEST(of_an_entry_that_begins_at_its_end),
        TEST(of_a_far_future),
        TEST(of_an_entry_without_a_unit),
        TEST(a_long_cycle),
        TEST(put_off),
        TEST(a_row_that_is_missing_at_the_last_look),
        TEST(documents_that_are_met),
        TEST(a_letter_whose_delete_waits),
        TEST(a_file_that_takes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "pipeline/memory.h"

#include "store/block.h"
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
    const int len = snprintf(text, sizeof text, "key %04d", i);
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

/* Marks an entry that is at hand, without saying so: whoever reads the file does not see it. */
static void mark(int key, int64_t version)
{
    entry(key, version)->entry.first_look = 777;
}

static bool comes_from_file(int key, int64_t version)
{
    return entry(key, version)->entry.first_look != 777;
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
    for (int i = 1; i < 10; i++)
        mark(i, 100 + i);
    memory_trim(memory);
    assert_int_equal(entry(0, 100)->entry.looks, 2);
    assert_true(entry(0, 100)->dirty);
    flush();
    assert_false(comes_from_file(8, 108));
    assert_false(comes_from_file(9, 109));
    for (int i = 1; i < 8; i++)
        assert_true(comes_from_file(i, 100 + i));
    assert_null(first_of(10)); /* in neither */
    mark(1, 101);
    memory_trim(memory); /* what was read again is dropped again, the oldest first */
    assert_true(comes_from_file(1, 101));
}

/* Since when it is put off is known at hand only. */
static void what_is_put_off_stays(void **state)
{
    (void)state;
    restart(3);
    add_keys(10);
    flush();
    for (int i = 0; i < 10; i++)
        entry(i, 100 + i)->put_off_since = i < 5 ? 7 : 0;
    memory_trim(memory);
    for (int i = 0; i < 10; i++)
        assert_int_equal(entry(i, 100 + i)->put_off_since, i < 5 ? 7 : 0);
    for (int i = 5; i < 10; i++)
        entry(i, 100 + i)->put_off_since = 7;
    memory_trim(memory); /* within another bound: the newest go */
    for (int i = 0; i < 10; i++)
        assert_int_equal(entry(i, 100 + i)->put_off_since, i < 6 ? 7 : 0);
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
    for (int64_t version = 1; version <= 10; version++)
        mark(1, version);
    mark(2, 1);
    memory_trim(memory);
    assert_false(comes_from_file(2, 1));
    int found = 0;
    for (const struct memory_entry *e = first_of(1); e; e = e->next)
        found += e->entry.first_look != 777;
    assert_int_equal(found, 10); /* read again, and whole */
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
    for (int i = 0; i < 10; i++)
        assert_false(entry(i, 100 + i)->dirty);
}

static unsigned seen(int key, int64_t version)
{
    static const enum store_seen sides[] = {STORE_SEEN_DOCUMENT, STORE_SEEN_ENTRY};
    unsigned found = 0;
    for (size_t i = 0; i < 2; i++) {
        if (memory_seen(memory, key_of(key), version, sides[i]))
            found |= (unsigned)sides[i];
    }
    return found;
}

static void where_it_was_seen(void **state)
{
    (void)state;
    restart(1);
    assert_int_equal(seen(1, 5), 0);
    entry(1, 5)->entry.seen = STORE_SEEN_ENTRY;
    entry(2, 5)->entry.seen = STORE_SEEN_DOCUMENT | STORE_SEEN_ENTRY;
    assert_int_equal(seen(1, 5), STORE_SEEN_ENTRY);
    for (int after = 0; after < 2; after++) { /* at hand, and not */
        flush();
        memory_trim(memory);
        assert_int_equal(seen(1, 5), STORE_SEEN_ENTRY);
        assert_int_equal(seen(2, 5), STORE_SEEN_DOCUMENT | STORE_SEEN_ENTRY);
        assert_int_equal(seen(2, 6), 0);
        assert_int_equal(seen(3, 5), 0);
        restart(1);
    }
    struct memory_entry *more = entry(1, 5); /* the file has half of it yet */
    more->entry.seen |= STORE_SEEN_DOCUMENT;
    memory_changed(memory, more);
    assert_int_equal(seen(1, 5), STORE_SEEN_DOCUMENT | STORE_SEEN_ENTRY);
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
    assert_int_equal(count, 1);
    must(memory_due(memory, STORE_NEVER - 1, 10, &arena, &keys, &count, &err));
    assert_int_equal(count, 4);
}

static void lowest_pending(void **state)
{
    (void)state;
    restart(1);
    assert_int_equal(memory_lowest_pending(memory), 0);
    add(1, 7, 2, 1);
    add(2, 9, 1, 1);
    add(3, 8, 0, 1);
    flush();
    memory_trim(memory);
    assert_int_equal(memory_lowest_pending(memory), 8);
    add(3, 8, 2, 1);
    add(2, 9, 2, 1);
    flush();
    assert_int_equal(memory_lowest_pending(memory), 0);
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
    struct slice *keys;
    size_t count;
    must(memory_due(memory, NOW, 10, &arena, &keys, &count, &err));
    assert_int_equal(count, 0);
    memory_leave(memory, 6);
    must(memory_due(memory, NOW, 10, &arena, &keys, &count, &err));
    assert_int_equal(count, 2);
    for (int after = 0; after < 2; after++) { /* at hand, and in the file */
        assert_int_equal(entry(1, 5)->entry.due, NOW);
        assert_int_equal(entry(2, 5)->entry.due, NOW);
        assert_true(entry(2, 6)->entry.due == STORE_NEVER);
        assert_true(entry(2, 4)->entry.due == STORE_NEVER);
        assert_int_equal(entry(2, 3)->entry.due, 2000);
        flush();
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

static void forget_below(int64_t limit)
{
    must(store_begin(store, &err));
    must(memory_write(memory, &err));
    must(memory_forget(memory, limit, &err));
    must(store_commit(store, &err));
    memory_written(memory);
}

static void forget(void **state)
{
    (void)state;
    restart(2);
    add(1, 5, STORE_LOOKS_ALL, STORE_NEVER); /* in the file only */
    add(2, 5, STORE_LOOKS_ALL, STORE_NEVER); /* alone with its key */
    add(3, 4, STORE_LOOKS_ALL, STORE_NEVER);
    add(3, 5, STORE_LOOKS_ALL, STORE_NEVER);
    flush();
    add(3, 6, STORE_LOOKS_ALL, STORE_NEVER); /* not below the limit */
    add(3, 3, STORE_LOOKS_LEAVING, NOW);     /* a look is due */
    flush();
    memory_trim(memory);
    forget_below(6);
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

/* What has to stay is written again, so that what lies behind it, or beside it, can go. */
static void forget_what_lies_behind(void **state)
{
    (void)state;
    restart(1);
    add(1, 900, STORE_LOOKS_ALL, STORE_NEVER); /* far in the future */
    add(2, 5, STORE_LOOKS_ALL, STORE_NEVER);
    flush();
    add(3, 4, 2, 5000);
    flush();
    add(4, 4, STORE_LOOKS_ALL, STORE_NEVER);
    flush();
    memory_trim(memory);
    for (int i = 0; i < 3; i++) /* what stays is found, written, and out of the way */
        forget_below(6);
    restart(10);
    assert_true(known(1, 900));
    assert_int_equal(entry(3, 4)->entry.due, 5000);
    assert_false(known(2, 5));
    assert_false(known(4, 4));
}

/* A change that the file does not have is never lost to forgetting. */
static void forget_keeps_changes(void **state)
{
    (void)state;
    restart(10);
    add(1, 5, STORE_LOOKS_ALL, STORE_NEVER);
    flush();
    add(1, 5, 0, NOW);
    forget_below(6);
    assert_int_equal(entry(1, 5)->entry.looks, 0);
    restart(10);
    assert_int_equal(entry(1, 5)->entry.looks, 0);
    add(1, 5, STORE_LOOKS_ALL, STORE_NEVER);
    forget_below(6); /* this is what writes it */
    forget_below(6);
    assert_false(known(1, 5));
}

/* Against a list of what must be known: any order of changes, flushes, rollbacks, trims, restarts.
 */
enum { MODEL_KEYS = 40, MODEL_VERSIONS = 6, MODEL_STEPS = 30000 };
static struct store_entry model[2][MODEL_KEYS][MODEL_VERSIONS]; /* at hand, committed */
static unsigned seed;

static unsigned pick(unsigned below)
{
    seed = seed * 1103515245 + 12345;
    return (seed >> 8) % below;
}

static void change_any(void)
{
    const int key = (int)pick(MODEL_KEYS), version = (int)pick(MODEL_VERSIONS);
    struct memory_entry *e = entry(key, version + 1);
    e->entry.looks = (int)pick(5);
    e->entry.seen = (e->entry.seen & ~(unsigned)STORE_WAITS_FOR_ROW) | pick(8); /* seen is seen */
    e->entry.first_look = (int64_t)pick(1000000);
    e->entry.due = pick(3) ? (int64_t)pick(100) : STORE_NEVER;
    e->entry.own_row.flags = pick(2) ? 0 : 1 + pick(7);
    e->entry.own_row.hash.low = e->entry.own_row.flags ? pick(1000) : 0;
    e->entry.own_document.flags = pick(2) ? 0 : 1 + pick(7);
    e->entry.own_document.hash.high = e->entry.own_document.flags ? pick(1000) : 0;
    memory_changed(memory, e);
    model[0][key][version] = e->entry;
}

static void compare_one(int key, int version)
{
    const struct store_entry *m = &model[0][key][version];
    if (m->version == 0) { /* never, or forgotten */
        assert_int_equal(seen(key, version + 1), 0);
        return;
    }
    const struct memory_entry *e = entry(key, version + 1);
    assert_int_equal(e->entry.first_look, m->first_look);
    assert_int_equal(e->entry.looks, m->looks);
    assert_int_equal(e->entry.seen, m->seen);
    assert_true(e->entry.due == m->due);
    assert_int_equal(e->entry.own_row.flags, m->own_row.flags);
    assert_true(e->entry.own_row.hash.low == m->own_row.hash.low);
    assert_true(e->entry.own_document.hash.high == m->own_document.hash.high);
    assert_int_equal(seen(key, version + 1), m->seen & 3);
}

static void compare_due(int64_t until)
{
    struct slice *keys;
    size_t count, expected = 0;
    must(memory_due(memory, until, 1000, &arena, &keys, &count, &err));
    for (int key = 0; key < MODEL_KEYS; key++) {
        bool is_due = false;
        for (int version = 0; version < MODEL_VERSIONS; version++)
            is_due = is_due ||
                     (model[0][key][version].version > 0 && model[0][key][version].due <= until);
        if (is_due)
            assert_true(expected < count && slice_equal(keys[expected++], key_of(key)));
    }
    assert_int_equal(count, expected);
}

static void compare_pending(void)
{
    int64_t lowest = 0;
    for (int version = MODEL_VERSIONS - 1; version >= 0; version--) {
        for (int key = 0; key < MODEL_KEYS; key++) {
            const struct store_entry *m = &model[0][key][version];
            if (m->version > 0 && m->looks < STORE_LOOKS_SECOND)
                lowest = m->version;
        }
    }
    const int64_t told = memory_lowest_pending(memory);
    assert_true(lowest == 0 ? told == 0 : told > 0 && told <= lowest);
}

static void model_forget(int64_t limit)
{
    forget_below(limit);
    memcpy(model[1], model[0], sizeof *model);
    for (int key = 0; key < MODEL_KEYS; key++) {
        for (int version = 0; version < MODEL_VERSIONS; version++) {
            struct store_entry *m = &model[0][key][version];
            if (m->version == 0 || known(key, m->version))
                continue;
            assert_true(m->looks == STORE_LOOKS_ALL && m->version < limit);
            *m = model[1][key][version] = (struct store_entry){0};
        }
    }
}

static void model_step(void)
{
    static const size_t bounds[] = {1, 10, 1000};
    switch (pick(16)) {
    case 0:
        flush();
        memcpy(model[1], model[0], sizeof *model);
        compare_due((int64_t)pick(100));
        compare_pending();
        break;
    case 1: /* a failure of something else in the transaction */
        must(store_begin(store, &err));
        must(memory_write(memory, &err));
        store_rollback(store);
        break;
    case 2:
        memory_trim(memory);
        break;
    case 3:
        if (pick(8) > 0)
            break;
        restart(bounds[pick(3)]); /* as if killed */
        memcpy(model[0], model[1], sizeof *model);
        break;
    case 4:
        model_forget((int64_t)pick(MODEL_VERSIONS + 2));
        break;
    case 5:
        compare_one((int)pick(MODEL_KEYS), (int)pick(MODEL_VERSIONS));
        break;
    default:
        change_any();
    }
}

static void as_a_list_would(void **state)
{
    (void)state;
    for (seed = 1; seed < 4; seed++) {
        const unsigned began = seed;
        memset(model, 0, sizeof model);
        assert_int_equal(sqlite3_exec(store->db, "DELETE FROM block", NULL, NULL, NULL), SQLITE_OK);
        restart(10);
        for (int step = 0; step < MODEL_STEPS / 3; step++) {
            model_step();
            arena_reset(&arena);
        }
        flush();
        restart(1000);
        for (int key = 0; key < MODEL_KEYS; key++) {
            for (int version = 0; version < MODEL_VERSIONS; version++)
                compare_one(key, version);
        }
        seed = began;
    }
}

static int blocks_in_file(void)
{
    sqlite3_stmt *s = NULL;
    assert_int_equal(sqlite3_prepare_v2(store->db, "SELECT count(*) FROM block", -1, &s, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    const int count = sqlite3_column_int(s, 0);
    sqlite3_finalize(s);
    return count;
}

/* What was written at the end of a transaction of thousands. */
static void many_blocks(void **state)
{
    (void)state;
    enum { COUNT = 3 * STORE_BLOCK_ENTRIES + 7 };
    restart(10);
    for (int i = 0; i < COUNT; i++)
        add(i, 1 + i, i % 2, i);
    flush();
    for (int i = 0; i < COUNT; i += 2)
        add(i, 1 + i, STORE_LOOKS_ALL, STORE_NEVER);
    flush();
    restart(10);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(entry(i, 1 + i)->entry.looks, i % 2 ? 1 : STORE_LOOKS_ALL);
    memory_trim(memory);
    for (int i = 1; i < COUNT; i += 2)
        add(i, 1 + i, STORE_LOOKS_ALL, STORE_NEVER);
    forget_below(COUNT); /* written now, forgotten the next time */
    forget_below(COUNT + 1);
    forget_below(COUNT + 1);
    assert_int_equal(blocks_in_file(), 0);
}

/* A long overlap of short cycles with one change each. */
static void small_blocks_come_together(void **state)
{
    (void)state;
    enum { COUNT = 2500 };
    restart(10);
    for (int i = 0; i < COUNT; i++) {
        add(i, 1 + i, i % 2 ? 1 : STORE_LOOKS_ALL, STORE_NEVER);
        flush();
        arena_reset(&arena);
        memory_trim(memory);
    }
    assert_int_equal(blocks_in_file(), COUNT);
    for (int i = 0; i < 3; i++) {
        must(store_begin(store, &err));
        must(memory_write(memory, &err));
        must(memory_merge(memory, &err));
        must(store_commit(store, &err));
        memory_written(memory);
    }
    assert_in_range(blocks_in_file(), 1, 1000);
    restart(10);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(entry(i, 1 + i)->entry.looks, i % 2 ? 1 : STORE_LOOKS_ALL);
    for (int i = 1; i < COUNT; i += 2)
        add(i, 1 + i, STORE_LOOKS_ALL, STORE_NEVER);
    for (int i = 0; i < 3; i++)
        forget_below(COUNT + 1);
    assert_int_equal(blocks_in_file(), 0);
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
        TEST(what_is_put_off_stays),
        TEST(many_versions_of_a_key),
        TEST(spilled_versions_come_together),
        TEST(more_than_the_bound_at_start),
        TEST(due),
        TEST(lowest_pending),
        TEST(leave),
        TEST(forget),
        TEST(forget_what_lies_behind),
        TEST(forget_keeps_changes),
        TEST(where_it_was_seen),
        TEST(as_a_list_would),
        TEST(many_blocks),
        TEST(small_blocks_come_together),
        TEST(pipelines_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

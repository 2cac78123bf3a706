#include "store/store.h"

#include "store/block.h"
#include "store/dead_letter.h"
#include "store/statement.h"
#include "store/times.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64], path[96];
static struct err err;

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/caes_store_XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/state.db", folder);
    err = (struct err){0};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        char file[128];
        snprintf(file, sizeof file, "%s%s", path, suffixes[i]);
        unlink(file);
    }
    return rmdir(folder);
}

static void must(bool fine)
{
    if (!fine)
        fail_msg("%s", err.text);
}

static struct store *open_it(void)
{
    struct store *store = store_open(path, &err);
    must(store != NULL);
    return store;
}

static void assert_refused(enum err_code code, const char *words)
{
    err = (struct err){0};
    assert_null(store_open(path, &err));
    assert_int_equal(err.code, code);
    if (!strstr(err.text, words) || !strstr(err.text, path))
        fail_msg("\"%s\" does not say \"%s\"", err.text, words);
}

static int64_t pipeline_of(struct store *store, const char *name)
{
    int64_t id = 0;
    must(store_pipeline(store, name, &id, &err));
    return id;
}

/* --- the file */

static void file_is_private(void **state)
{
    (void)state;
    const mode_t mask = umask(0);
    struct store *store = open_it();
    pipeline_of(store, "default");
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    char wal[128];
    snprintf(wal, sizeof wal, "%s-wal", path);
    assert_int_equal(stat(wal, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    store_close(store);
    umask(mask);
}

static void no_folder(void **state)
{
    (void)state;
    const size_t len = strlen(path);
    snprintf(path + len, sizeof path - len, "/x/state.db");
    assert_refused(ERR_STATE, "create its folder");
    path[len] = '\0';
}

static void folder_in_its_place(void **state)
{
    (void)state;
    assert_int_equal(mkdir(path, 0700), 0);
    assert_refused(ERR_STATE, "");
    assert_int_equal(rmdir(path), 0);
}

static void set_version(int version)
{
    sqlite3 *db;
    char text[64];
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    snprintf(text, sizeof text, "PRAGMA user_version = %d", version);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void newer_schema(void **state)
{
    (void)state;
    struct store *store = open_it();
    const int64_t id = pipeline_of(store, "default");
    store_close(store);
    set_version(STORE_SCHEMA_VERSION + 1);
    assert_refused(ERR_STATE, "newer caes-sync");
    /* and it was left as it is */
    set_version(STORE_SCHEMA_VERSION);
    store = open_it();
    assert_int_equal(pipeline_of(store, "default"), id);
    store_close(store);
}

static void a_pause_is_one_pipelines_and_stays(void **state)
{
    (void)state;
    int64_t since_us = 1;
    struct store *store = open_it();
    const int64_t one = pipeline_of(store, "one"), other = pipeline_of(store, "other");
    must(store_time_read(store, one, STORE_PAUSED, &since_us, &err));
    assert_int_equal(since_us, 0);
    must(store_time_write(store, one, STORE_PAUSED, 1427254212000000, &err));
    store_close(store);
    store = open_it();
    must(store_time_read(store, one, STORE_PAUSED, &since_us, &err));
    assert_int_equal(since_us, 1427254212000000);
    must(store_time_read(store, other, STORE_PAUSED, &since_us, &err));
    assert_int_equal(since_us, 0);
    must(store_time_write(store, one, STORE_PAUSED, 0, &err));
    must(store_time_read(store, one, STORE_PAUSED, &since_us, &err));
    assert_int_equal(since_us, 0);
    store_close(store);
}

static void foreign_database(void **state)
{
    (void)state;
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db, "CREATE TABLE t(a); PRAGMA user_version = 1", NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(db);
    char before[8192], after[sizeof before];
    int fd = open(path, O_RDONLY);
    const ssize_t len = read(fd, before, sizeof before);
    close(fd);
    assert_refused(ERR_STATE, "another program");
    fd = open(path, O_RDONLY);
    assert_int_equal(read(fd, after, sizeof after), len);
    close(fd);
    assert_memory_equal(before, after, (size_t)len);
}

static void write_at(off_t offset, const char *bytes, size_t len)
{
    const int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, len, offset), len);
    close(fd);
}

static void no_database(void **state)
{
    (void)state;
    char garbage[8192];
    memset(garbage, 'x', sizeof garbage);
    write_at(0, garbage, sizeof garbage);
    assert_refused(ERR_STATE, "damaged");
}

static struct store_entry entry_of(const char *key, int64_t version, int looks, int64_t due)
{
    return (struct store_entry){
        .key = slice_str(key), .version = version, .looks = looks, .due = due};
}

/* In a block of its own. */
static bool write_entry(struct store *store, int64_t pipeline, struct store_entry entry,
                        struct err *error)
{
    struct store_block block = {0};
    int64_t id = 0;
    store_block_add(&block, &entry);
    const bool fine = store_block_write(store, pipeline, &block, &id, error);
    buf_free(&block.bytes);
    return fine;
}

static void add(struct store *store, int64_t pipeline, const char *key, int64_t version, int looks,
                int64_t due)
{
    must(write_entry(store, pipeline, entry_of(key, version, looks, due), &err));
}

static void fill(struct store *store, int64_t pipeline, int count)
{
    must(store_begin(store, &err));
    for (int i = 0; i < count; i++) {
        char key[128];
        snprintf(key, sizeof key, "%0100d", i);
        add(store, pipeline, key, 1, 1, i);
    }
    must(store_commit(store, &err));
}

static bool count_entry(void *ctx, int64_t id, struct slice bytes)
{
    (void)id;
    *(int *)ctx += (int)store_block_count(bytes);
    return true;
}

static int count_all(struct store *store, int64_t pipeline)
{
    int count = 0;
    must(store_blocks_all(store, pipeline, count_entry, &count, &err));
    return count;
}

/* Whatever page is damaged: an error that says so, or the truth. */
static void damaged_pages(void **state)
{
    (void)state;
    struct store *store = open_it();
    const int64_t id = pipeline_of(store, "default");
    fill(store, id, 2000);
    store_close(store);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    char *whole = malloc((size_t)st.st_size), bad[4096];
    const int fd = open(path, O_RDONLY);
    assert_int_equal(read(fd, whole, (size_t)st.st_size), st.st_size);
    close(fd);
    int told = 0;
    memset(bad, 0xA5, sizeof bad);
    for (off_t page = 1; page < st.st_size / 4096; page += 7) {
        write_at(page * 4096, bad, sizeof bad);
        err = (struct err){0};
        int count = 0;
        store = store_open(path, &err);
        if (!store || !store_blocks_all(store, id, count_entry, &count, &err)) {
            assert_int_equal(err.code, ERR_STATE);
            told++;
        } else {
            assert_int_equal(count, 2000);
        }
        store_close(store);
        write_at(0, whole, (size_t)st.st_size);
    }
    assert_true(told > 5);
    free(whole);
}

/* --- one process at a time, and what is left after its end */

static pid_t start_holder(int *ready)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    const pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        struct store *store = store_open(path, NULL);
        int64_t id = 0;
        bool fine = store && store_pipeline(store, "held", &id, NULL) && store_begin(store, NULL);
        const struct store_entry committed = entry_of("committed", 1, 0, 0);
        const struct store_entry lost = entry_of("lost", 1, 0, 0);
        fine = fine && write_entry(store, id, committed, NULL) && store_commit(store, NULL) &&
               store_begin(store, NULL) && write_entry(store, id, lost, NULL);
        if (write(fds[1], fine ? "+" : "-", 1) == 1)
            pause();
        _exit(1);
    }
    char byte = 0;
    assert_int_equal(read(fds[0], &byte, 1), 1);
    assert_int_equal(byte, '+');
    close(fds[1]);
    *ready = fds[0];
    return child;
}

static bool keep_key(void *ctx, int64_t id, struct slice bytes)
{
    (void)id;
    snprintf(ctx, 64, "%.*s", SLICE_ARG(store_block_entry(bytes, 0).key));
    return true;
}

static void second_process(void **state)
{
    (void)state;
    int ready;
    const pid_t child = start_holder(&ready);
    assert_refused(ERR_RUNNING, "another caes-sync");
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(ready);
    err = (struct err){0};
    struct store *store = open_it();
    const int64_t id = pipeline_of(store, "held");
    char key[64] = "";
    assert_int_equal(count_all(store, id), 1); /* what was committed, and no more */
    must(store_blocks_all(store, id, keep_key, key, &err));
    assert_string_equal(key, "committed");
    store_close(store);
}

static void second_open_here(void **state)
{
    (void)state;
    struct store *store = open_it();
    assert_refused(ERR_RUNNING, "another caes-sync");
    store_close(store);
    err = (struct err){0};
    store_close(open_it());
}

/* --- no room */

static void assert_intact(int count, int64_t highest)
{
    err = (struct err){0};
    struct store *store = open_it();
    const int64_t id = pipeline_of(store, "default");
    struct store_checkpoint checkpoint;
    assert_int_equal(count_all(store, id), count);
    must(store_checkpoint_read(store, id, &checkpoint, &err));
    assert_int_equal(checkpoint.highest_cassandra, highest);
    add(store, id, "later", 1, 1, 1); /* and there it goes on */
    store_close(store);
}

/* Until a write fails. */
static bool fill_up(struct store *store, int64_t id)
{
    static const char *const keys[] = {"a", "b", "c"};
    for (int64_t i = 2; i < 100000; i++) {
        if (!write_entry(store, id, entry_of(keys[i % 3], i, 1, i), &err))
            return false;
    }
    return true;
}

static struct store *prepare(int64_t *id)
{
    struct store *store = open_it();
    *id = pipeline_of(store, "default");
    fill(store, *id, 100);
    const struct store_checkpoint checkpoint = {.highest_cassandra = 7};
    must(store_checkpoint_write(store, *id, &checkpoint, &err));
    return store;
}

static void database_full(void **state)
{
    (void)state;
    int64_t id;
    struct store *store = prepare(&id);
    assert_int_equal(sqlite3_exec(store->db, "PRAGMA max_page_count = 40", NULL, NULL, NULL),
                     SQLITE_OK);
    const struct store_checkpoint ahead = {.highest_cassandra = 8};
    must(store_begin(store, &err));
    must(store_checkpoint_write(store, id, &ahead, &err));
    assert_false(fill_up(store, id));
    assert_int_equal(err.code, ERR_STATE);
    assert_non_null(strstr(err.text, "make room"));
    store_rollback(store);
    assert_int_equal(count_all(store, id), 100);
    store_close(store);
    assert_intact(100, 7);
}

/* The system itself refuses, as a full disk does, in the middle of the log. */
static void file_full(void **state)
{
    (void)state;
    int64_t id;
    store_close(prepare(&id));
    const pid_t child = fork();
    if (child == 0) {
        signal(SIGXFSZ, SIG_IGN);
        struct store *store = store_open(path, &err);
        const struct rlimit limit = {200000, 200000};
        const struct store_checkpoint ahead = {.highest_cassandra = 8};
        if (!store || setrlimit(RLIMIT_FSIZE, &limit) != 0 || !store_begin(store, &err) ||
            !store_checkpoint_write(store, id, &ahead, &err))
            _exit(2);
        /* large enough to leave the page cache before the commit */
        const bool fine = fill_up(store, id) && store_commit(store, &err);
        _exit(fine ? 3 : err.code == ERR_STATE ? 0 : 4);
    }
    int status = 0;
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_intact(100, 7);
}

/* --- pipelines and checkpoints */

static void pipelines(void **state)
{
    (void)state;
    struct store *store = open_it();
    const int64_t a = pipeline_of(store, "a"), b = pipeline_of(store, "b");
    assert_true(a != b);
    assert_int_equal(pipeline_of(store, "a"), a);
    store_close(store);
    store = open_it();
    assert_int_equal(pipeline_of(store, "b"), b);
    store_close(store);
}

static void checkpoints(void **state)
{
    (void)state;
    struct store *store = open_it();
    const int64_t a = pipeline_of(store, "a"), b = pipeline_of(store, "b");
    struct store_checkpoint read = {.exists = true, .gap = true};
    must(store_checkpoint_read(store, a, &read, &err));
    assert_false(read.exists);
    assert_false(read.gap);
    struct store_checkpoint c = {.highest_elasticsearch = INT64_MAX,
                                 .highest_cassandra = 3,
                                 .whole_lowest = 2,
                                 .settled = INT64_MIN,
                                 .completed = 5,
                                 .gap = true};
    must(store_checkpoint_write(store, a, &c, &err));
    c.highest_cassandra = 4;
    must(store_checkpoint_write(store, a, &c, &err));
    store_close(store);
    store = open_it();
    must(store_checkpoint_read(store, a, &read, &err));
    assert_true(read.exists);
    assert_true(read.highest_elasticsearch == INT64_MAX);
    assert_int_equal(read.highest_cassandra, 4);
    assert_int_equal(read.whole_lowest, 2);
    assert_true(read.settled == INT64_MIN);
    assert_int_equal(read.completed, 5);
    assert_true(read.gap);
    must(store_checkpoint_read(store, b, &read, &err));
    assert_false(read.exists);
    store_close(store);
}

static void rollback(void **state)
{
    (void)state;
    struct store *store = open_it();
    const int64_t id = pipeline_of(store, "a");
    must(store_begin(store, &err));
    add(store, id, "k", 1, 0, 0);
    store_rollback(store);
    store_rollback(store); /* harmless outside */
    assert_int_equal(count_all(store, id), 0);
    must(store_begin(store, &err));
    add(store, id, "k", 1, 0, 0);
    must(store_commit(store, &err));
    assert_int_equal(count_all(store, id), 1);
    store_close(store);
}

/* --- entries */

static void assert_same(const struct store_entry *a, const struct store_entry *b)
{
    assert_true(slice_equal(a->key, b->key));
    assert_true(a->version == b->version && a->seen == b->seen && a->looks == b->looks);
    assert_true(a->first_look == b->first_look && a->due == b->due);
    assert_int_equal(a->own_document.flags, b->own_document.flags);
    assert_int_equal(a->own_row.flags, b->own_row.flags);
    assert_memory_equal(&a->own_document.hash, &b->own_document.hash, sizeof a->own_row.hash);
    assert_memory_equal(&a->own_row.hash, &b->own_row.hash, sizeof a->own_row.hash);
    assert_true(a->own_row.written == b->own_row.written);
}

static void block_round_trip(void **state)
{
    (void)state;
    struct store *store = open_it();
    const int64_t pipeline = pipeline_of(store, "a");
    char long_key[70000];
    memset(long_key, 'k', sizeof long_key);
    const struct store_entry entries[] = {
        {
            .key = SLICE_LIT("a\0b\xC3\xA9|\\"),
            .version = INT64_MAX,
            .seen = STORE_SEEN_DOCUMENT | STORE_SEEN_ENTRY | STORE_WAITS_FOR_ROW,
            .looks = 3,
            .first_look = 11,
            .due = STORE_NEVER,
            .own_document = {.flags = STORE_OWN_RECORDED | STORE_OWN_DELETED,
                             .hash = {UINT64_MAX, 0x8000000000000000U}},
            .own_row = {.flags = STORE_OWN_RECORDED | STORE_OWN_ACKNOWLEDGED,
                        .hash = {1, UINT64_MAX - 1},
                        .written = INT64_MIN},
        },
        {.key = SLICE_LIT(""), .version = -1},
        {.key = slice_of(long_key, sizeof long_key), .version = 1, .due = 7, .looks = 4},
        {.key = SLICE_LIT("row"), .own_row = {.flags = 1, .hash = {2, 3}, .written = 4}},
        {.key = SLICE_LIT("document"), .own_document = {.flags = 1, .hash = {5, 6}}},
    };
    struct store_block block = {0};
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
        store_block_add(&block, &entries[i]);
    int64_t id = 0;
    must(store_block_write(store, pipeline, &block, &id, &err));
    assert_int_equal(block.count, 0);
    buf_free(&block.bytes);
    store_close(store);
    store = open_it();
    struct buf bytes = {0};
    must(store_block_read(store, id, &bytes, &err));
    assert_int_equal(store_block_count(buf_slice(&bytes)), sizeof entries / sizeof *entries);
    for (uint32_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        const struct store_entry read = store_block_entry(buf_slice(&bytes), i);
        assert_same(&read, &entries[i]);
    }
    must(store_block_delete(store, id, &err));
    assert_false(store_block_read(store, id, &bytes, &err));
    assert_int_equal(err.code, ERR_STATE);
    buf_free(&bytes);
    store_close(store);
}

/* Of what is handed over: "2 1 ". */
static bool note_versions(void *ctx, int64_t id, struct slice bytes)
{
    (void)id;
    for (uint32_t i = 0; i < store_block_count(bytes); i++)
        sprintf((char *)ctx + strlen(ctx), "%lld ", (long long)store_block_entry(bytes, i).version);
    return strlen(ctx) < 8;
}

static void newest_block_first(void **state)
{
    (void)state;
    struct store *store = open_it();
    const int64_t a = pipeline_of(store, "a"), other = pipeline_of(store, "b");
    for (int64_t version = 1; version < 4; version++)
        add(store, a, "k", version, 0, 0);
    add(store, other, "k", 9, 0, 0);
    char seen[64] = "";
    must(store_blocks_all(store, a, note_versions, seen, &err));
    assert_string_equal(seen, "3 2 1 ");
    /* stops when it is told to, and can be asked again */
    for (int64_t version = 4; version < 8; version++)
        add(store, a, "k", version, 0, 0);
    for (int i = 0; i < 2; i++) {
        *seen = '\0';
        must(store_blocks_all(store, a, note_versions, seen, &err));
        assert_string_equal(seen, "7 6 5 4 ");
    }
    store_close(store);
}

static void put_bytes(struct store *store, int64_t id, struct slice bytes)
{
    sqlite3_stmt *s = store_prepare(store, "UPDATE block SET entries = ? WHERE id = ?", &err);
    must(s != NULL);
    store_bind_slice(s, 1, bytes);
    sqlite3_bind_int64(s, 2, id);
    must(store_run(store, s, &err));
}

/* Whatever byte is another, or missing: told, and nothing outside is read. */
static void damaged_blocks(void **state)
{
    (void)state;
    struct store *store = open_it();
    const int64_t pipeline = pipeline_of(store, "a");
    struct store_block block = {0};
    struct buf bytes = {0}, read = {0};
    int64_t id = 0;
    for (int i = 0; i < 3; i++) {
        const struct store_entry entry = entry_of("key", i, 1, 1);
        store_block_add(&block, &entry);
    }
    must(store_block_write(store, pipeline, &block, &id, &err));
    buf_free(&block.bytes);
    must(store_block_read(store, id, &bytes, &err));
    for (size_t i = 0; i < bytes.len; i++) {
        bytes.ptr[i] ^= 1;
        put_bytes(store, id, buf_slice(&bytes));
        bytes.ptr[i] ^= 1;
        err = (struct err){0};
        assert_false(store_block_read(store, id, &read, &err));
        assert_int_equal(err.code, ERR_STATE);
        put_bytes(store, id, slice_of(bytes.ptr, i));
        assert_false(store_block_read(store, id, &read, &err));
        assert_non_null(strstr(err.text, "damaged"));
    }
    put_bytes(store, id, SLICE_LIT(""));
    assert_false(store_blocks_all(store, pipeline, count_entry, &(int){0}, &err));
    put_bytes(store, id, buf_slice(&bytes));
    must(store_block_read(store, id, &read, &err));
    buf_free(&bytes);
    buf_free(&read);
    store_close(store);
}

/* --- dead letters */

static struct store_dead_letter letter_of(const char *key, int64_t version, int64_t at)
{
    return (struct store_dead_letter){.key = slice_str(key),
                                      .version = version,
                                      .target = CHANGE_CASSANDRA,
                                      .rule = "rule",
                                      .reason = "why",
                                      .payload = SLICE_LIT("{}"),
                                      .at = at};
}

static bool write_letter(struct store *store, int64_t id, const struct store_dead_letter *letter)
{
    bool added = false;
    must(store_dead_write(store, id, letter, &added, &err));
    return added;
}

static int64_t count_letters(struct store *store, int64_t id)
{
    int64_t count = -1;
    must(store_dead_count(store, id, &count, &err));
    return count;
}

static bool note_letter(void *ctx, const struct store_dead_letter *l)
{
    sprintf((char *)ctx + strlen(ctx), "%.*s %lld %d %s %s %s%.*s %lld %lld\n", SLICE_ARG(l->key),
            (long long)l->version, (int)l->target, l->rule, l->reason,
            slice_is_null(l->payload) ? "null" : "=", SLICE_ARG(l->payload),
            (long long)l->write_time, (long long)l->at);
    return strlen(ctx) < 200;
}

static void dead_letters(void **state)
{
    (void)state;
    struct store *store = open_it();
    const int64_t id = pipeline_of(store, "a"), other = pipeline_of(store, "b");
    assert_int_equal(count_letters(store, id), 0);
    struct store_dead_letter l = letter_of("k", 5, 20);
    assert_true(write_letter(store, id, &l));
    assert_false(write_letter(store, id, &l)); /* again at the same time */
    l.at = 30;
    l.reason = "another";
    l.payload = SLICE_NULL;
    assert_false(write_letter(store, id, &l)); /* the newest reason, the oldest time */
    l = letter_of("k", 5, 10);
    l.target = CHANGE_ELASTICSEARCH;
    l.payload = SLICE_LIT("");
    assert_true(write_letter(store, id, &l));
    l.write_time = 77;
    l.reason = "third";
    assert_false(write_letter(store, id, &l)); /* that of the other side stays */
    l = letter_of("k", 5, 10);
    assert_true(write_letter(store, other, &l));
    store_close(store);
    store = open_it();
    assert_int_equal(count_letters(store, id), 2);
    char seen[512] = "";
    must(store_dead_of_key(store, id, SLICE_LIT("k"), note_letter, seen, &err));
    assert_string_equal(seen, "k 5 0 rule third = 77 10\n"
                              "k 5 1 rule another null 0 20\n");
    seen[0] = '\0';
    must(store_dead_of_key(store, id, SLICE_LIT("K"), note_letter, seen, &err));
    assert_string_equal(seen, "");
    store_close(store);
}

struct walk {
    struct store_dead_letter last;
    char key[8], seen[512];
    unsigned count;
};

static bool walk_letter(void *ctx, const struct store_dead_letter *l)
{
    struct walk *w = ctx;
    w->last = *l;
    w->count++;
    memcpy(w->key, l->key.ptr, l->key.len);
    w->last.key = slice_of(w->key, l->key.len);
    sprintf(w->seen + strlen(w->seen), "%.*s%lld%c ", SLICE_ARG(l->key), (long long)l->version,
            l->target == CHANGE_CASSANDRA ? 'c' : 'e');
    return true;
}

static void dead_letters_paged(void **state)
{
    (void)state;
    struct store *store = open_it();
    const int64_t id = pipeline_of(store, "a"), other = pipeline_of(store, "b");
    const char *const keys[] = {"b", "a", "", "b\xff"};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        for (int64_t v = 1; v <= 2; v++) {
            struct store_dead_letter l = letter_of(keys[i], v, 1);
            assert_true(write_letter(store, id, &l));
            l.target = CHANGE_ELASTICSEARCH;
            assert_true(write_letter(store, id, &l));
        }
    }
    struct walk w = {.seen = ""};
    for (unsigned before = UINT32_MAX; before != w.count;) {
        before = w.count;
        must(store_dead_page(store, id, w.count ? &w.last : NULL, 3, walk_letter, &w, &err));
        assert_in_range(w.count - before, 0, 3);
        /* what lies behind is removed under way */
        int64_t removed;
        must(store_dead_purge(store, id, SLICE_LIT("a"), &removed, &err));
    }
    assert_string_equal(w.seen, "1e 1c 2e 2c b1e b1c b2e b2c b\xff"
                                "1e b\xff"
                                "1c b\xff"
                                "2e b\xff"
                                "2c ");
    int64_t removed = -1;
    const struct store_dead_letter l = letter_of("a", 1, 1);
    assert_true(write_letter(store, other, &l));
    must(store_dead_purge(store, id, SLICE_NULL, &removed, &err));
    assert_int_equal(removed, 12);
    assert_int_equal(count_letters(store, id), 0);
    assert_int_equal(count_letters(store, other), 1);
    store_close(store);
}

static void dead_letters_settled(void **state)
{
    (void)state;
    struct store *store = open_it();
    const int64_t id = pipeline_of(store, "a"), other = pipeline_of(store, "b");
    for (int64_t v = 1; v <= 3; v++) {
        const struct store_dead_letter a = letter_of("a", v, v), b = letter_of("b", v, 10 + v);
        assert_true(write_letter(store, id, &a));
        assert_true(write_letter(store, id, &b));
        assert_true(write_letter(store, other, &a));
    }
    must(store_dead_settle(store, id, SLICE_LIT("a"), 2, &err));
    assert_int_equal(count_letters(store, id), 4);
    assert_int_equal(count_letters(store, other), 3);
    char seen[512] = "";
    must(store_dead_page(store, id, NULL, 10, note_letter, seen, &err));
    assert_ptr_equal(strstr(seen, "a 3 "), seen);
    store_close(store);
}

static void unexplained(void **state)
{
    (void)state;
    struct store *store = open_it();
    const int64_t id = pipeline_of(store, "a");
    int64_t time = 1;
    must(store_dead_unexplained(store, id, SLICE_LIT("k"), &time, &err));
    assert_int_equal(time, 0);
    struct store_dead_letter l = letter_of("k", 1, 1);
    l.write_time = 900;
    write_letter(store, id, &l); /* of another rule */
    must(store_dead_unexplained(store, id, SLICE_LIT("k"), &time, &err));
    assert_int_equal(time, 0);
    for (int64_t v = 2; v < 4; v++) {
        l = letter_of("k", v, v);
        l.rule = STORE_DEAD_UNEXPLAINED;
        l.write_time = 1000 - v;
        write_letter(store, id, &l);
    }
    must(store_dead_unexplained(store, id, SLICE_LIT("k"), &time, &err));
    assert_int_equal(time, 998);
    must(store_dead_unexplained(store, id, SLICE_LIT("other"), &time, &err));
    assert_int_equal(time, 0);
    store_close(store);
}

static void refused_deletes(void **state)
{
    (void)state;
    struct store *store = open_it();
    const int64_t id = pipeline_of(store, "a");
    struct store_dead_letter l = letter_of("k", 1, 1);
    write_letter(store, id, &l); /* of another rule */
    l.version = 2;
    l.rule = STORE_DEAD_DELETE;
    write_letter(store, id, &l);
    for (int64_t version = 1; version < 4; version++) {
        bool there = version > 2;
        must(store_dead_delete(store, id, SLICE_LIT("k"), version, &there, &err));
        assert_int_equal(there, version <= 2);
        must(store_dead_delete(store, id, SLICE_LIT("other"), version, &there, &err));
        assert_false(there);
    }
    store_close(store);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(file_is_private),
        TEST(a_pause_is_one_pipelines_and_stays),
        TEST(no_folder),
        TEST(folder_in_its_place),
        TEST(newer_schema),
        TEST(foreign_database),
        TEST(no_database),
        TEST(damaged_pages),
        TEST(second_process),
        TEST(second_open_here),
        TEST(database_full),
        TEST(file_full),
        TEST(pipelines),
        TEST(checkpoints),
        TEST(rollback),
        TEST(block_round_trip),
        TEST(newest_block_first),
        TEST(damaged_blocks),
        TEST(dead_letters),
        TEST(dead_letters_paged),
        TEST(dead_letters_settled),
        TEST(unexplained),
        TEST(refused_deletes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

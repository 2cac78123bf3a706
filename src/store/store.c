#include "store/store.h"

#include "base/mem.h"
#include "store/statement.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    STATEMENTS_MAX = 64,
    APPLICATION_ID =
        0x63616573, /* "caes" in the file's header: file(1) and others tell it by that */
};

bool store_fail(struct store *store, struct err *err)
{
    const int code = sqlite3_errcode(store->db);
    const char *remedy = "look at the disk, then start again";
    if (code == SQLITE_FULL)
        remedy = "make room on the disk, then start again: nothing is lost";
    else if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
        remedy = "the file is damaged: move it away, then start with --since a version before the "
                 "damage";
    else if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
        return err_set(err, ERR_RUNNING, "state %s: another caes-sync has it open", store->path);
    return err_set(err, ERR_STATE, "state %s: %s; %s", store->path, sqlite3_errmsg(store->db),
                   remedy);
}

bool store_run_text(struct store *store, const char *text, struct err *err)
{
    return sqlite3_exec(store->db, text, NULL, NULL, NULL) == SQLITE_OK || store_fail(store, err);
}

sqlite3_stmt *store_prepare(struct store *store, const char *text, struct err *err)
{
    size_t i = 0;
    for (; i < STATEMENTS_MAX && store->cache[i]; i++) {
        if (sqlite3_sql(store->cache[i]) == text || strcmp(sqlite3_sql(store->cache[i]), text) == 0)
            return store->cache[i];
    }
    sqlite3_stmt *statement = NULL;
    if (i == STATEMENTS_MAX || sqlite3_prepare_v3(store->db, text, -1, SQLITE_PREPARE_PERSISTENT,
                                                  &statement, NULL) != SQLITE_OK) {
        store_fail(store, err);
        return NULL;
    }
    store->cache[i] = statement;
    return statement;
}

int store_row(struct store *store, sqlite3_stmt *statement, struct err *err)
{
    const int rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW)
        return 1;
    const bool fine = rc == SQLITE_DONE || store_fail(store, err);
    sqlite3_reset(statement);
    return fine ? 0 : -1;
}

bool store_run(struct store *store, sqlite3_stmt *statement, struct err *err)
{
    int rc;
    do
        rc = store_row(store, statement, err);
    while (rc == 1);
    return rc == 0;
}

void store_bind_slice(sqlite3_stmt *statement, int index, struct slice value)
{
    if (slice_is_null(value))
        sqlite3_bind_null(statement, index);
    else
        sqlite3_bind_blob64(statement, index, value.ptr, value.len, SQLITE_STATIC);
}

void store_bind_record(sqlite3_stmt *statement, int64_t pipeline, struct slice key, int64_t version)
{
    sqlite3_bind_int64(statement, 1, pipeline);
    store_bind_slice(statement, 2, key);
    sqlite3_bind_int64(statement, 3, version);
}

struct slice store_column_slice(sqlite3_stmt *statement, int column)
{
    if (sqlite3_column_type(statement, column) == SQLITE_NULL)
        return SLICE_NULL;
    const void *data = sqlite3_column_blob(statement, column);
    return slice_of(data ? data : "", (size_t)sqlite3_column_bytes(statement, column));
}

static bool read_number(struct store *store, const char *text, int *number, struct err *err)
{
    sqlite3_stmt *statement = store_prepare(store, text, err);
    if (!statement || store_row(store, statement, err) != 1)
        return false;
    *number = sqlite3_column_int(statement, 0);
    sqlite3_reset(statement);
    return true;
}

/* Whether there is nothing in the file yet. Somebody else's database is not ours to write into. */
static bool look_at_file(struct store *store, bool *empty, struct err *err)
{
    int application = 0, tables = 0;
    if (!read_number(store, "PRAGMA application_id", &application, err) ||
        !read_number(store, "SELECT count(*) FROM sqlite_master", &tables, err))
        return false;
    *empty = tables == 0;
    return *empty || application == APPLICATION_ID ||
           err_set(err, ERR_STATE,
                   "state %s: a database of another program; set `state` to a file of its own",
                   store->path);
}

static bool prepare_file(struct store *store, struct err *err)
{
    /* EXCLUSIVE: the lock is taken by the first access and held until the file is closed. */
    bool empty = false;
    int version = 0;
    if (!store_run_text(store, "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT;", err) ||
        !look_at_file(store, &empty, err) ||
        !store_run_text(
            store,
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -2048;"
            "BEGIN EXCLUSIVE; COMMIT;",
            err) ||
        !read_number(store, "PRAGMA user_version", &version, err))
        return false;
    if (version > STORE_SCHEMA_VERSION)
        return err_set(err, ERR_STATE,
                       "state %s: written by a newer caes-sync (schema %d, this program knows %d); "
                       "use that version",
                       store->path, version, STORE_SCHEMA_VERSION);
    return store_upgrade(store, empty ? 0 : version, err);
}

/* SQLite would create the file with the process's umask. */
static bool create_private(const char *path, struct err *err)
{
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(err, ERR_STATE, "state %s: %s; create its folder or set `state`", path,
                       strerror(errno));
    close(fd);
    return true;
}

struct store *store_open(const char *path, struct err *err)
{
    if (!create_private(path, err))
        return NULL;
    struct store *store = mem_zalloc(sizeof *store);
    store->path = mem_strdup(path);
    store->cache = mem_array(STATEMENTS_MAX, sizeof(sqlite3_stmt *));
    if (sqlite3_open_v2(path, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
            SQLITE_OK ||
        !prepare_file(store, err)) {
        if (err && err->code == ERR_NONE)
            store_fail(store, err);
        store_close(store);
        return NULL;
    }
    return store;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    for (size_t i = 0; i < STATEMENTS_MAX && store->cache[i]; i++)
        sqlite3_finalize(store->cache[i]);
    sqlite3_close(store->db);
    free(store->cache);
    free(store->path);
    free(store);
}

bool store_begin(struct store *store, struct err *err)
{
    sqlite3_stmt *statement = store_prepare(store, "BEGIN IMMEDIATE", err);
    return statement && store_run(store, statement, err);
}

bool store_commit(struct store *store, struct err *err)
{
    sqlite3_stmt *statement = store_prepare(store, "COMMIT", err);
    return statement && store_run(store, statement, err);
}

void store_rollback(struct store *store)
{
    if (!sqlite3_get_autocommit(store->db))
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
}

bool store_pipeline(struct store *store, const char *name, int64_t *id, struct err *err)
{
    sqlite3_stmt *insert =
        store_prepare(store, "INSERT OR IGNORE INTO pipeline(name) VALUES(?)", err);
    if (!insert)
        return false;
    sqlite3_bind_text(insert, 1, name, -1, SQLITE_STATIC);
    if (!store_run(store, insert, err))
        return false;
    sqlite3_stmt *select = store_prepare(store, "SELECT id FROM pipeline WHERE name = ?", err);
    if (!select)
        return false;
    sqlite3_bind_text(select, 1, name, -1, SQLITE_STATIC);
    if (store_row(store, select, err) != 1)
        return false;
    *id = sqlite3_column_int64(select, 0);
    sqlite3_reset(select);
    return true;
}

bool store_checkpoint_read(struct store *store, int64_t pipeline, struct store_checkpoint *out,
                           struct err *err)
{
    *out = (struct store_checkpoint){0};
    sqlite3_stmt *s = store_prepare(store,
                                    "SELECT highest_elasticsearch, highest_cassandra,"
                                    " whole_lowest, settled_us, completed_us, gap, synced_from,"
                                    " synced_stores FROM checkpoint WHERE pipeline = ?",
                                    err);
    if (!s)
        return false;
    sqlite3_bind_int64(s, 1, pipeline);
    const int rc = store_row(store, s, err);
    if (rc != 1)
        return rc == 0;
    *out = (struct store_checkpoint){
        .exists = true,
        .highest_elasticsearch = sqlite3_column_int64(s, 0),
        .highest_cassandra = sqlite3_column_int64(s, 1),
        .whole_lowest = sqlite3_column_int64(s, 2),
        .settled = sqlite3_column_int64(s, 3),
        .completed = sqlite3_column_int64(s, 4),
        .gap = sqlite3_column_int(s, 5) != 0,
        .synced_from = sqlite3_column_int64(s, 6),
    };
    const unsigned char *stores = sqlite3_column_text(s, 7);
    snprintf(out->synced_stores, sizeof out->synced_stores, "%s",
             stores ? (const char *)stores : "");
    sqlite3_reset(s);
    return true;
}

bool store_checkpoint_write(struct store *store, int64_t pipeline, const struct store_checkpoint *c,
                            struct err *err)
{
    sqlite3_stmt *s =
        store_prepare(store,
                      "INSERT OR REPLACE INTO checkpoint(pipeline, highest_elasticsearch,"
                      " highest_cassandra, whole_lowest, settled_us, completed_us, gap,"
                      " synced_from, synced_stores) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
                      err);
    if (!s)
        return false;
    sqlite3_bind_int64(s, 1, pipeline);
    sqlite3_bind_int64(s, 2, c->highest_elasticsearch);
    sqlite3_bind_int64(s, 3, c->highest_cassandra);
    sqlite3_bind_int64(s, 4, c->whole_lowest);
    sqlite3_bind_int64(s, 5, c->settled);
    sqlite3_bind_int64(s, 6, c->completed);
    sqlite3_bind_int64(s, 7, c->gap);
    sqlite3_bind_int64(s, 8, c->synced_from);
    sqlite3_bind_text(s, 9, c->synced_stores, -1, SQLITE_STATIC);
    return store_run(store, s, err);
}

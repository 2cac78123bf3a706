#include "store/entry.h"

#include "store/statement.h"

#define COLUMNS                                                                                    \
    "key, version, seen, looks, first_look_us, due_us, own, own_document_high, own_document_low, " \
    "own_row_high, own_row_low, own_row_written_us"

enum { ROW_FLAGS_SHIFT = 8 };

bool store_entry_write(struct store *store, int64_t pipeline, const struct store_entry *e,
                       struct err *err)
{
    /* OR REPLACE would take the old line out of every index first. */
    sqlite3_stmt *s = store_prepare(
        store,
        "INSERT INTO entry(pipeline, " COLUMNS
        ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"
        " ON CONFLICT(pipeline, key, version) DO UPDATE SET seen = ?4, looks = ?5, first_look_us = "
        "?6, due_us = ?7,"
        " own = ?8, own_document_high = ?9, own_document_low = ?10, own_row_high = ?11,"
        " own_row_low = ?12, own_row_written_us = ?13",
        err);
    if (!s)
        return false;
    store_bind_record(s, pipeline, e->key, e->version);
    sqlite3_bind_int64(s, 4, e->seen);
    sqlite3_bind_int64(s, 5, e->looks);
    sqlite3_bind_int64(s, 6, e->first_look);
    sqlite3_bind_int64(s, 7, e->due);
    sqlite3_bind_int64(s, 8, e->own_document.flags | e->own_row.flags << ROW_FLAGS_SHIFT);
    sqlite3_bind_int64(s, 9, (int64_t)e->own_document.hash.high);
    sqlite3_bind_int64(s, 10, (int64_t)e->own_document.hash.low);
    sqlite3_bind_int64(s, 11, (int64_t)e->own_row.hash.high);
    sqlite3_bind_int64(s, 12, (int64_t)e->own_row.hash.low);
    sqlite3_bind_int64(s, 13, e->own_row.written);
    return store_run(store, s, err);
}

bool store_entry_delete(struct store *store, int64_t pipeline, struct slice key, int64_t version,
                        struct err *err)
{
    sqlite3_stmt *s = store_prepare(
        store, "DELETE FROM entry WHERE pipeline = ? AND key = ? AND version = ?", err);
    if (!s)
        return false;
    store_bind_record(s, pipeline, key, version);
    return store_run(store, s, err);
}

static struct store_entry read_entry(sqlite3_stmt *s)
{
    const unsigned own = (unsigned)sqlite3_column_int64(s, 6);
    return (struct store_entry){
        .key = store_column_slice(s, 0),
        .version = sqlite3_column_int64(s, 1),
        .seen = (unsigned)sqlite3_column_int64(s, 2),
        .looks = sqlite3_column_int(s, 3),
        .first_look = sqlite3_column_int64(s, 4),
        .due = sqlite3_column_int64(s, 5),
        .own_document =
            {
                .flags = own & ((1U << ROW_FLAGS_SHIFT) - 1),
                .hash = {(uint64_t)sqlite3_column_int64(s, 7),
                         (uint64_t)sqlite3_column_int64(s, 8)},
            },
        .own_row =
            {
                .flags = own >> ROW_FLAGS_SHIFT,
                .hash = {(uint64_t)sqlite3_column_int64(s, 9),
                         (uint64_t)sqlite3_column_int64(s, 10)},
                .written = sqlite3_column_int64(s, 11),
            },
    };
}

static bool each_entry(struct store *store, sqlite3_stmt *s, store_entry_fn *fn, void *ctx,
                       struct err *err)
{
    int rc;
    while ((rc = store_row(store, s, err)) == 1) {
        const struct store_entry entry = read_entry(s);
        if (!fn(ctx, &entry)) {
            sqlite3_reset(s);
            return true;
        }
    }
    return rc == 0;
}

bool store_entries_of_key(struct store *store, int64_t pipeline, struct slice key,
                          store_entry_fn *fn, void *ctx, struct err *err)
{
    sqlite3_stmt *s = store_prepare(
        store, "SELECT " COLUMNS " FROM entry WHERE pipeline = ? AND key = ? ORDER BY version",
        err);
    if (!s)
        return false;
    sqlite3_bind_int64(s, 1, pipeline);
    store_bind_slice(s, 2, key);
    return each_entry(store, s, fn, ctx, err);
}

bool store_entries_all(struct store *store, int64_t pipeline, store_entry_fn *fn, void *ctx,
                       struct err *err)
{
    sqlite3_stmt *s =
        store_prepare(store, "SELECT " COLUMNS " FROM entry NOT INDEXED WHERE pipeline = ?", err);
    if (!s)
        return false;
    sqlite3_bind_int64(s, 1, pipeline);
    return each_entry(store, s, fn, ctx, err);
}

bool store_entries_due(struct store *store, int64_t pipeline, int64_t until, uint32_t limit,
                       store_entry_fn *fn, void *ctx, struct err *err)
{
    sqlite3_stmt *s = store_prepare(
        store,
        "SELECT " COLUMNS " FROM entry WHERE pipeline = ? AND due_us <= ? ORDER BY due_us LIMIT ?",
        err);
    if (!s)
        return false;
    sqlite3_bind_int64(s, 1, pipeline);
    sqlite3_bind_int64(s, 2, until);
    sqlite3_bind_int64(s, 3, limit);
    return each_entry(store, s, fn, ctx, err);
}

bool store_entries_lowest_pending(struct store *store, int64_t pipeline, int64_t *version,
                                  struct err *err)
{
    sqlite3_stmt *s = store_prepare(
        store, "SELECT min(version) FROM entry WHERE pipeline = ? AND looks < 2", err);
    if (!s)
        return false;
    sqlite3_bind_int64(s, 1, pipeline);
    if (store_row(store, s, err) != 1)
        return false;
    *version = sqlite3_column_int64(s, 0);
    sqlite3_reset(s);
    return true;
}

bool store_entries_leave(struct store *store, int64_t pipeline, int64_t limit, int64_t now,
                         struct err *err)
{
    sqlite3_stmt *s = store_prepare(store,
                                    "UPDATE entry SET due_us = ?3 WHERE pipeline = ?1"
                                    " AND version < ?2 AND looks = 3 AND due_us = ?4",
                                    err);
    if (!s)
        return false;
    sqlite3_bind_int64(s, 1, pipeline);
    sqlite3_bind_int64(s, 2, limit);
    sqlite3_bind_int64(s, 3, now);
    sqlite3_bind_int64(s, 4, STORE_NEVER);
    return store_run(store, s, err);
}

bool store_entries_forget(struct store *store, int64_t pipeline, int64_t limit, struct err *err)
{
    sqlite3_stmt *s = store_prepare(
        store, "DELETE FROM entry WHERE pipeline = ? AND version < ? AND looks >= 4", err);
    if (!s)
        return false;
    sqlite3_bind_int64(s, 1, pipeline);
    sqlite3_bind_int64(s, 2, limit);
    return store_run(store, s, err);
}

#include "store/dead_letter.h"

#include "store/statement.h"

static bool write_with(struct store *store, const char *text, int64_t pipeline,
                       const struct store_dead_letter *l, struct err *err)
{
    sqlite3_stmt *s = store_prepare(store, text, err);
    if (!s)
        return false;
    store_bind_record(s, pipeline, l->key, l->version);
    sqlite3_bind_int(s, 4, (int)l->target);
    sqlite3_bind_text(s, 5, l->rule, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 6, l->reason, -1, SQLITE_STATIC);
    store_bind_slice(s, 7, l->payload);
    sqlite3_bind_int64(s, 8, l->write_time);
    sqlite3_bind_int64(s, 9, l->at);
    return store_run(store, s, err);
}

bool store_dead_write(struct store *store, int64_t pipeline, const struct store_dead_letter *l,
                      bool *added, struct err *err)
{
    if (!write_with(store,
                    "INSERT INTO dead_letter VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
                    " ON CONFLICT DO NOTHING",
                    pipeline, l, err))
        return false;
    *added = sqlite3_changes(store->db) > 0;
    /* it has been waiting since the first of them */
    return *added ||
           write_with(store,
                      "UPDATE dead_letter SET rule = ?5, reason = ?6, payload = ?7,"
                      " write_time_us = ?8, at_us = min(at_us, ?9)"
                      " WHERE pipeline = ?1 AND key = ?2 AND version = ?3 AND direction = ?4",
                      pipeline, l, err);
}

bool store_dead_settle(struct store *store, int64_t pipeline, struct slice key, int64_t version,
                       struct err *err)
{
    sqlite3_stmt *s = store_prepare(
        store, "DELETE FROM dead_letter WHERE pipeline = ? AND key = ? AND version <= ?", err);
    if (!s)
        return false;
    store_bind_record(s, pipeline, key, version);
    return store_run(store, s, err);
}

static bool read_one(struct store *store, sqlite3_stmt *s, int64_t *value, struct err *err)
{
    if (store_row(store, s, err) != 1)
        return false;
    *value = sqlite3_column_int64(s, 0);
    sqlite3_reset(s);
    return true;
}

bool store_dead_count(struct store *store, int64_t pipeline, int64_t *count, struct err *err)
{
    sqlite3_stmt *s =
        store_prepare(store, "SELECT count(*) FROM dead_letter WHERE pipeline = ?", err);
    if (!s)
        return false;
    sqlite3_bind_int64(s, 1, pipeline);
    return read_one(store, s, count, err);
}

bool store_dead_unexplained(struct store *store, int64_t pipeline, struct slice key,
                            int64_t *write_time, struct err *err)
{
    sqlite3_stmt *s = store_prepare(store,
                                    "SELECT max(write_time_us) FROM dead_letter WHERE pipeline = ?"
                                    " AND key = ? AND rule = '" STORE_DEAD_UNEXPLAINED "'",
                                    err);
    if (!s)
        return false;
    sqlite3_bind_int64(s, 1, pipeline);
    store_bind_slice(s, 2, key);
    return read_one(store, s, write_time, err);
}

bool store_dead_delete(struct store *store, int64_t pipeline, struct slice key, int64_t version,
                       bool *there, struct err *err)
{
    sqlite3_stmt *s = store_prepare(store,
                                    "SELECT count(*) FROM dead_letter WHERE pipeline = ? AND"
                                    " key = ? AND version >= ? AND rule = '" STORE_DEAD_DELETE "'",
                                    err);
    int64_t count = 0;
    if (!s)
        return false;
    store_bind_record(s, pipeline, key, version);
    if (!read_one(store, s, &count, err))
        return false;
    *there = count > 0;
    return true;
}

bool store_dead_purge(struct store *store, int64_t pipeline, struct slice key, int64_t *removed,
                      struct err *err)
{
    sqlite3_stmt *s = store_prepare(
        store, "DELETE FROM dead_letter WHERE pipeline = ?1 AND (?2 IS NULL OR key = ?2)", err);
    if (!s)
        return false;
    sqlite3_bind_int64(s, 1, pipeline);
    store_bind_slice(s, 2, key);
    if (!store_run(store, s, err))
        return false;
    *removed = sqlite3_changes64(store->db);
    return true;
}

#define LETTER_COLUMNS "key, version, direction, rule, reason, payload, write_time_us, at_us"

static bool each_row(struct store *store, sqlite3_stmt *s, store_dead_fn *fn, void *ctx,
                     struct err *err)
{
    int rc;
    while ((rc = store_row(store, s, err)) == 1) {
        const struct store_dead_letter letter = {
            .key = store_column_slice(s, 0),
            .version = sqlite3_column_int64(s, 1),
            .target = (enum change_side)sqlite3_column_int(s, 2),
            .rule = (const char *)sqlite3_column_text(s, 3),
            .reason = (const char *)sqlite3_column_text(s, 4),
            .payload = store_column_slice(s, 5),
            .write_time = sqlite3_column_int64(s, 6),
            .at = sqlite3_column_int64(s, 7),
        };
        if (!fn(ctx, &letter)) {
            sqlite3_reset(s);
            return true;
        }
    }
    return rc == 0;
}

bool store_dead_of_key(struct store *store, int64_t pipeline, struct slice key, store_dead_fn *fn,
                       void *ctx, struct err *err)
{
    sqlite3_stmt *s = store_prepare(store,
                                    "SELECT " LETTER_COLUMNS " FROM dead_letter"
                                    " WHERE pipeline = ? AND key = ? ORDER BY version, direction",
                                    err);
    if (!s)
        return false;
    sqlite3_bind_int64(s, 1, pipeline);
    store_bind_slice(s, 2, key);
    return each_row(store, s, fn, ctx, err);
}

bool store_dead_page(struct store *store, int64_t pipeline, const struct store_dead_letter *behind,
                     uint32_t limit, store_dead_fn *fn, void *ctx, struct err *err)
{
    const struct store_dead_letter first = {.key = SLICE_LIT(""), .version = INT64_MIN};
    sqlite3_stmt *s = store_prepare(store,
                                    "SELECT " LETTER_COLUMNS " FROM dead_letter"
                                    " WHERE pipeline = ? AND (key, version, direction) > (?, ?, ?)"
                                    " ORDER BY key, version, direction LIMIT ?",
                                    err);
    if (!s)
        return false;
    behind = behind ? behind : &first;
    sqlite3_bind_int64(s, 1, pipeline);
    store_bind_slice(s, 2, behind->key);
    sqlite3_bind_int64(s, 3, behind->version);
    sqlite3_bind_int(s, 4, (int)behind->target);
    sqlite3_bind_int64(s, 5, limit);
    return each_row(store, s, fn, ctx, err);
}

#include "store/load.h"

#include "store/statement.h"

#include <stdio.h>

static sqlite3_stmt *prepare(struct store *store, const char *text, int64_t pipeline,
                             enum change_side from, struct err *err)
{
    sqlite3_stmt *s = store_prepare(store, text, err);
    if (!s)
        return NULL;
    sqlite3_bind_int64(s, 1, pipeline);
    sqlite3_bind_int(s, 2, (int)from);
    return s;
}

static bool run(struct store *store, const char *text, int64_t pipeline, enum change_side from,
                struct err *err)
{
    sqlite3_stmt *s = prepare(store, text, pipeline, from, err);
    return s && store_run(store, s, err);
}

static void copy_text(sqlite3_stmt *s, int column, char *out, size_t size)
{
    const unsigned char *text = sqlite3_column_text(s, column);
    snprintf(out, size, "%s", text ? (const char *)text : "");
}

bool store_load_read(struct store *store, int64_t pipeline, enum change_side from,
                     struct store_load *load, struct err *err)
{
    *load = (struct store_load){0};
    sqlite3_stmt *s = prepare(store,
                              "SELECT stores, since, started_us, settled_us, fresh, stale FROM load"
                              " WHERE pipeline = ? AND source = ?",
                              pipeline, from, err);
    if (!s)
        return false;
    const int rc = store_row(store, s, err);
    if (rc != 1)
        return rc == 0;
    copy_text(s, 0, load->stores, sizeof load->stores);
    load->exists = true;
    load->since = sqlite3_column_int64(s, 1);
    load->started = sqlite3_column_int64(s, 2);
    load->settled = sqlite3_column_int64(s, 3);
    load->fresh = sqlite3_column_int(s, 4) != 0;
    load->stale = sqlite3_column_int(s, 5) != 0;
    sqlite3_reset(s);
    return true;
}

static bool forget(struct store *store, int64_t pipeline, enum change_side from, struct err *err)
{
    return run(store, "DELETE FROM load WHERE pipeline = ? AND source = ?", pipeline, from, err) &&
           run(store, "DELETE FROM load_part WHERE pipeline = ? AND source = ?", pipeline, from,
               err) &&
           run(store, "DELETE FROM load_later WHERE pipeline = ? AND source = ?", pipeline, from,
               err);
}

static bool add_load(struct store *store, int64_t pipeline, enum change_side from,
                     const struct store_load *load, struct err *err)
{
    sqlite3_stmt *s =
        prepare(store, "INSERT INTO load VALUES(?, ?, ?, ?, ?, ?, ?, 0)", pipeline, from, err);
    if (!s)
        return false;
    sqlite3_bind_text(s, 3, load->stores, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 4, load->since);
    sqlite3_bind_int64(s, 5, load->started);
    sqlite3_bind_int64(s, 6, load->settled);
    sqlite3_bind_int(s, 7, load->fresh);
    return store_run(store, s, err);
}

bool store_load_part_write(struct store *store, int64_t pipeline, enum change_side from,
                           uint32_t number, const struct store_load_part *part, struct err *err)
{
    sqlite3_stmt *s = prepare(store, "INSERT OR REPLACE INTO load_part VALUES(?, ?, ?, ?, ?, ?, ?)",
                              pipeline, from, err);
    if (!s)
        return false;
    sqlite3_bind_int64(s, 3, number);
    sqlite3_bind_int64(s, 4, part->low);
    sqlite3_bind_int64(s, 5, part->high);
    sqlite3_bind_int64(s, 6, part->position);
    sqlite3_bind_int(s, 7, part->done);
    return store_run(store, s, err);
}

bool store_load_begin(struct store *store, int64_t pipeline, enum change_side from,
                      const struct store_load *load, const struct store_load_part *parts,
                      uint32_t count, struct err *err)
{
    bool fine = store_begin(store, err) && forget(store, pipeline, from, err) &&
                add_load(store, pipeline, from, load, err);
    for (uint32_t i = 0; fine && i < count; i++)
        fine = store_load_part_write(store, pipeline, from, i, &parts[i], err);
    if (fine && store_commit(store, err))
        return true;
    store_rollback(store);
    return false;
}

bool store_load_end(struct store *store, int64_t pipeline, enum change_side from, struct err *err)
{
    if (store_begin(store, err) && forget(store, pipeline, from, err) && store_commit(store, err))
        return true;
    store_rollback(store);
    return false;
}

bool store_load_stale(struct store *store, int64_t pipeline, struct err *err)
{
    sqlite3_stmt *s = store_prepare(store, "UPDATE load SET stale = 1 WHERE pipeline = ?", err);
    if (!s)
        return false;
    sqlite3_bind_int64(s, 1, pipeline);
    return store_run(store, s, err);
}

bool store_load_parts(struct store *store, int64_t pipeline, enum change_side from,
                      store_load_part_fn *fn, void *ctx, struct err *err)
{
    sqlite3_stmt *s = prepare(store,
                              "SELECT part, low, high, position, done FROM load_part"
                              " WHERE pipeline = ? AND source = ? ORDER BY part",
                              pipeline, from, err);
    int rc = s ? 1 : -1;
    while (s && (rc = store_row(store, s, err)) == 1) {
        const struct store_load_part part = {.low = sqlite3_column_int64(s, 1),
                                             .high = sqlite3_column_int64(s, 2),
                                             .position = sqlite3_column_int64(s, 3),
                                             .done = sqlite3_column_int(s, 4) != 0};
        fn(ctx, (uint32_t)sqlite3_column_int64(s, 0), &part);
    }
    return rc == 0;
}

bool store_load_later_add(struct store *store, int64_t pipeline, enum change_side from,
                          struct slice key, struct err *err)
{
    sqlite3_stmt *s =
        prepare(store, "INSERT OR IGNORE INTO load_later VALUES(?, ?, ?)", pipeline, from, err);
    if (!s)
        return false;
    store_bind_slice(s, 3, key);
    return store_run(store, s, err);
}

bool store_load_later_page(struct store *store, int64_t pipeline, enum change_side from,
                           struct slice behind, uint32_t limit, store_load_key_fn *fn, void *ctx,
                           struct err *err)
{
    sqlite3_stmt *s = prepare(store,
                              "SELECT key FROM load_later WHERE pipeline = ? AND source = ?"
                              " AND (?3 IS NULL OR key > ?3) ORDER BY key LIMIT ?4",
                              pipeline, from, err);
    if (!s)
        return false;
    store_bind_slice(s, 3, behind);
    sqlite3_bind_int64(s, 4, limit);
    int rc;
    while ((rc = store_row(store, s, err)) == 1)
        fn(ctx, store_column_slice(s, 0));
    return rc == 0;
}

bool store_relaxed_read(struct store *store, int64_t pipeline, struct store_relaxed *out,
                        struct err *err)
{
    *out = (struct store_relaxed){0};
    sqlite3_stmt *s = store_prepare(
        store, "SELECT refresh_interval, replicas FROM relaxed WHERE pipeline = ?", err);
    if (!s)
        return false;
    sqlite3_bind_int64(s, 1, pipeline);
    const int rc = store_row(store, s, err);
    if (rc != 1)
        return rc == 0;
    out->exists = true;
    copy_text(s, 0, out->refresh_interval, sizeof out->refresh_interval);
    copy_text(s, 1, out->replicas, sizeof out->replicas);
    sqlite3_reset(s);
    return true;
}

bool store_relaxed_write(struct store *store, int64_t pipeline, const struct store_relaxed *relaxed,
                         struct err *err)
{
    sqlite3_stmt *s =
        store_prepare(store,
                      relaxed->exists ? "INSERT OR REPLACE INTO relaxed VALUES(?1, ?2, ?3)"
                                      : "DELETE FROM relaxed WHERE pipeline = ?1",
                      err);
    if (!s)
        return false;
    sqlite3_bind_int64(s, 1, pipeline);
    if (relaxed->exists) {
        sqlite3_bind_text(s, 2, relaxed->refresh_interval, -1, SQLITE_STATIC);
        sqlite3_bind_text(s, 3, relaxed->replicas, -1, SQLITE_STATIC);
    }
    return store_run(store, s, err);
}

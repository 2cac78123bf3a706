#include "store/uncopied.h"

#include "change/state.h"
#include "store/statement.h"

bool store_uncopied_keep(struct store *store, int64_t pipeline, struct slice key, struct err *err)
{
    sqlite3_stmt *s = store_prepare(store,
                                    "INSERT OR IGNORE INTO purged SELECT pipeline, key"
                                    " FROM dead_letter WHERE pipeline = ?1 AND direction = ?3"
                                    " AND (?2 IS NULL OR key = ?2)",
                                    err);
    if (!s)
        return false;
    sqlite3_bind_int64(s, 1, pipeline);
    store_bind_slice(s, 2, key);
    sqlite3_bind_int(s, 3, CHANGE_ELASTICSEARCH);
    return store_run(store, s, err);
}

bool store_uncopied_page(struct store *store, int64_t pipeline, struct slice behind, uint32_t limit,
                         store_uncopied_fn *fn, void *ctx, struct err *err)
{
    sqlite3_stmt *s = store_prepare(
        store,
        "SELECT key FROM dead_letter WHERE pipeline = ?1 AND direction = ?2"
        " AND (?3 IS NULL OR key > ?3)"
        " UNION SELECT key FROM purged WHERE pipeline = ?1 AND (?3 IS NULL OR key > ?3)"
        " ORDER BY key LIMIT ?4",
        err);
    if (!s)
        return false;
    sqlite3_bind_int64(s, 1, pipeline);
    sqlite3_bind_int(s, 2, CHANGE_ELASTICSEARCH);
    store_bind_slice(s, 3, behind);
    sqlite3_bind_int64(s, 4, limit);
    int rc;
    while ((rc = store_row(store, s, err)) == 1)
        fn(ctx, store_column_slice(s, 0));
    return rc == 0;
}

#include "store/pause.h"

#include "store/statement.h"

bool store_pause_read(struct store *store, int64_t pipeline, int64_t *since_us, struct err *err)
{
    sqlite3_stmt *s = store_prepare(store, "SELECT paused_us FROM pipeline WHERE id = ?", err);
    if (!s)
        return false;
    sqlite3_bind_int64(s, 1, pipeline);
    const int rc = store_row(store, s, err);
    if (rc == 1) {
        *since_us = sqlite3_column_int64(s, 0);
        sqlite3_reset(s);
    }
    return rc == 1;
}

bool store_pause_write(struct store *store, int64_t pipeline, int64_t since_us, struct err *err)
{
    sqlite3_stmt *s = store_prepare(store, "UPDATE pipeline SET paused_us = ?2 WHERE id = ?1", err);
    if (!s)
        return false;
    sqlite3_bind_int64(s, 1, pipeline);
    sqlite3_bind_int64(s, 2, since_us);
    return store_run(store, s, err);
}

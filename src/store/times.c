#include "store/times.h"

#include "store/statement.h"

bool store_time_read(struct store *store, int64_t pipeline, enum store_time which, int64_t *us,
                     struct err *err)
{
    static const char *const texts[] = {
        [STORE_PAUSED] = "SELECT paused_us FROM pipeline WHERE id = ?",
        [STORE_COMPARED] = "SELECT compared_us FROM pipeline WHERE id = ?",
    };
    sqlite3_stmt *s = store_prepare(store, texts[which], err);
    if (!s)
        return false;
    sqlite3_bind_int64(s, 1, pipeline);
    const int rc = store_row(store, s, err);
    if (rc == 1) {
        *us = sqlite3_column_int64(s, 0);
        sqlite3_reset(s);
    }
    return rc == 1;
}

bool store_time_write(struct store *store, int64_t pipeline, enum store_time which, int64_t us,
                      struct err *err)
{
    static const char *const texts[] = {
        [STORE_PAUSED] = "UPDATE pipeline SET paused_us = ?2 WHERE id = ?1",
        [STORE_COMPARED] = "UPDATE pipeline SET compared_us = ?2 WHERE id = ?1",
    };
    sqlite3_stmt *s = store_prepare(store, texts[which], err);
    if (!s)
        return false;
    sqlite3_bind_int64(s, 1, pipeline);
    sqlite3_bind_int64(s, 2, us);
    return store_run(store, s, err);
}

#include "store/block.h"
#include "store/statement.h"

#include <stdio.h>

/* Each step brings a file from the schema of its number to the next. What was released stays as it
 * is; a change is another step. */

enum { TO_BLOCKS = 4 };

static const char *const steps[STORE_SCHEMA_VERSION] = {
    /* 0: nothing is there */
    "CREATE TABLE pipeline(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
    "CREATE TABLE checkpoint("
    " pipeline INTEGER PRIMARY KEY, highest_elasticsearch INTEGER NOT NULL,"
    " highest_cassandra INTEGER NOT NULL, whole_lowest INTEGER NOT NULL,"
    " settled_us INTEGER NOT NULL, completed_us INTEGER NOT NULL, gap INTEGER NOT NULL);"
    /* One line for what is known of (key, version): which sides showed it, which looks it had,
     * what the daemon itself sent where. */
    "CREATE TABLE entry("
    " pipeline INTEGER NOT NULL, key BLOB NOT NULL, version INTEGER NOT NULL,"
    " seen INTEGER NOT NULL, looks INTEGER NOT NULL, first_look_us INTEGER NOT NULL,"
    " due_us INTEGER NOT NULL, own INTEGER NOT NULL,"
    " own_document_high INTEGER, own_document_low INTEGER,"
    " own_row_high INTEGER, own_row_low INTEGER, own_row_written_us INTEGER,"
    " PRIMARY KEY(pipeline, key, version)) WITHOUT ROWID;"
    "CREATE INDEX entry_due ON entry(pipeline, due_us);"
    "CREATE INDEX entry_pending ON entry(pipeline, version) WHERE looks < 2;"
    "CREATE INDEX entry_done ON entry(pipeline, version) WHERE looks >= 3;"
    "CREATE TABLE dead_letter("
    " pipeline INTEGER NOT NULL, key BLOB NOT NULL, version INTEGER NOT NULL,"
    " direction INTEGER NOT NULL, rule TEXT NOT NULL, reason TEXT NOT NULL, payload BLOB,"
    " write_time_us INTEGER, at_us INTEGER NOT NULL,"
    " PRIMARY KEY(pipeline, key, version, direction)) WITHOUT ROWID;"
    "PRAGMA application_id = 0x63616573;", /* "caes", as store.c looks for */
    /* 1: loads. A part is a range of tokens (sequence numbers, versions); what is up to its
     * position has been copied. */
    "ALTER TABLE checkpoint ADD COLUMN synced_from INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE checkpoint ADD COLUMN synced_stores TEXT NOT NULL DEFAULT '';"
    /* Keys whose dead letters towards Elasticsearch were purged. */
    "CREATE TABLE purged(pipeline INTEGER NOT NULL, key BLOB NOT NULL, PRIMARY KEY(pipeline, key))"
    " WITHOUT ROWID;"
    "CREATE TABLE load("
    " pipeline INTEGER NOT NULL, source INTEGER NOT NULL, stores TEXT NOT NULL,"
    " since INTEGER NOT NULL, started_us INTEGER NOT NULL, settled_us INTEGER NOT NULL,"
    " fresh INTEGER NOT NULL, stale INTEGER NOT NULL,"
    " PRIMARY KEY(pipeline, source)) WITHOUT ROWID;"
    "CREATE TABLE load_part("
    " pipeline INTEGER NOT NULL, source INTEGER NOT NULL, part INTEGER NOT NULL,"
    " low INTEGER NOT NULL, high INTEGER NOT NULL, position INTEGER NOT NULL, done INTEGER NOT "
    "NULL,"
    " PRIMARY KEY(pipeline, source, part)) WITHOUT ROWID;"
    /* Keys that were written too late to be judged when they were read. */
    "CREATE TABLE load_later("
    " pipeline INTEGER NOT NULL, source INTEGER NOT NULL, key BLOB NOT NULL,"
    " PRIMARY KEY(pipeline, source, key)) WITHOUT ROWID;"
    /* Settings of an index that were changed for a load, as they were. */
    "CREATE TABLE relaxed("
    " pipeline INTEGER PRIMARY KEY, refresh_interval TEXT, replicas TEXT);",
    /* 2: since when somebody has paused it; 0: nobody has. */
    "ALTER TABLE pipeline ADD COLUMN paused_us INTEGER NOT NULL DEFAULT 0;",
    /* 3: entries lie in the order in which they came, so that those of a cycle, which change
     * together, share pages; in the order of their keys each had a page of its own. */
    "CREATE TABLE entry_by_id("
    " id INTEGER PRIMARY KEY, pipeline INTEGER NOT NULL, key BLOB NOT NULL,"
    " version INTEGER NOT NULL, seen INTEGER NOT NULL, looks INTEGER NOT NULL,"
    " first_look_us INTEGER NOT NULL, due_us INTEGER NOT NULL, own INTEGER NOT NULL,"
    " own_document_high INTEGER, own_document_low INTEGER,"
    " own_row_high INTEGER, own_row_low INTEGER, own_row_written_us INTEGER,"
    " UNIQUE(pipeline, key, version));"
    "INSERT INTO entry_by_id SELECT NULL, * FROM entry ORDER BY pipeline, version;"
    "DROP TABLE entry;"
    "ALTER TABLE entry_by_id RENAME TO entry;"
    "CREATE INDEX entry_due ON entry(pipeline, due_us);"
    "CREATE INDEX entry_pending ON entry(pipeline, version) WHERE looks < 2;"
    "CREATE INDEX entry_done ON entry(pipeline, version) WHERE looks >= 3;",
    /* 4: entries lie in blocks (block.h). */
    "CREATE TABLE block(id INTEGER PRIMARY KEY, pipeline INTEGER NOT NULL, entries BLOB NOT NULL);"
    "CREATE INDEX block_of ON block(pipeline);",
    /* 5: when the daemon last compared both stores by itself. */
    "ALTER TABLE pipeline ADD COLUMN compared_us INTEGER NOT NULL DEFAULT 0;",
};

static bool run_step(struct store *store, int from, struct err *err)
{
    char version[48];
    snprintf(version, sizeof version, "PRAGMA user_version = %d;", from + 1);
    if (!store_run_text(store, steps[from], err))
        return false;
    if (from == TO_BLOCKS && (!store_blocks_from_entries(store, err) ||
                              !store_run_text(store, "DROP TABLE entry;", err)))
        return false;
    return store_run_text(store, version, err);
}

bool store_upgrade(struct store *store, int from, struct err *err)
{
    if (from >= STORE_SCHEMA_VERSION)
        return true;
    bool fine = store_begin(store, err);
    for (; fine && from < STORE_SCHEMA_VERSION; from++)
        fine = run_step(store, from, err);
    if (fine && store_commit(store, err))
        return true;
    store_rollback(store);
    return false;
}

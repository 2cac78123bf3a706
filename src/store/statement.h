#ifndef STORE_STATEMENT_H
#define STORE_STATEMENT_H

#include "store/store.h"

#include <sqlite3.h>

/* For the files of store/ only: SQL behind one kind of error. */

struct store {
    sqlite3 *db;
    sqlite3_stmt **cache;
    char *path;
};

/* Prepared once per store and kept; borrowed.
 * NULL with err set when it can't be prepared. */
MUST_USE sqlite3_stmt *store_prepare(struct store *store, const char *text, struct err *err);
/* Runs to the end and resets; for statements without rows. */
MUST_USE bool store_run(struct store *store, sqlite3_stmt *statement, struct err *err);
/* 1: a row, 0: the end (and reset), -1: err. */
MUST_USE int store_row(struct store *store, sqlite3_stmt *statement, struct err *err);
bool store_fail(struct store *store, struct err *err);

/* Statements without parameters or rows. */
MUST_USE bool store_run_text(struct store *store, const char *text, struct err *err);
/* Brings a file of an older schema (0: an empty one) to STORE_SCHEMA_VERSION, all or nothing
 * (upgrade.c). */
MUST_USE bool store_upgrade(struct store *store, int from, struct err *err);

void store_bind_slice(sqlite3_stmt *statement, int index, struct slice value);
/* The first three parameters of many. */
void store_bind_record(sqlite3_stmt *statement, int64_t pipeline, struct slice key,
                       int64_t version);
/* Borrowed until the next step. */
struct slice store_column_slice(sqlite3_stmt *statement, int column);

#endif

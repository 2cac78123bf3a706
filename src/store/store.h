#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/attr.h"
#include "base/err.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

/* The daemon's own memory on disk: one SQLite file (write-ahead log, synchronous=FULL), so that
 * what a committed transaction holds survives SIGKILL and a power cut. One process at a time: the
 * file is locked as long as it is open.
 *
 * All errors are ERR_STATE (disk full, damaged, unreadable, newer than this program) but for
 * ERR_RUNNING: another process has it open. */
struct store;

enum { STORE_SCHEMA_VERSION = 6 };

/* Names a table and an index, so that others of the same names are told apart. */
enum { STORE_STORES_MAX = 96 };

/* Opens or creates path (0600). free with store_close. */
MUST_USE struct store *store_open(const char *path, struct err *err);
void store_close(struct store *store);

/* Between begin and commit all writes are one. rollback after a failure of any of them. */
MUST_USE bool store_begin(struct store *store, struct err *err);
MUST_USE bool store_commit(struct store *store, struct err *err);
void store_rollback(struct store *store);

/* The number of a pipeline's rows in all tables; made when the name is new. */
MUST_USE bool store_pipeline(struct store *store, const char *name, int64_t *id, struct err *err);

/* Where a pipeline stands: only pipeline/ moves it. */
struct store_checkpoint {
    bool exists;
    /* Highest version seen there, but none that lies after the cycle: somebody's clock is ahead,
     * and what others write until then is not seen yet. 0: none. */
    int64_t highest_elasticsearch, highest_cassandra;
    int64_t whole_lowest; /* where the last read of a whole overlap was counted from */
    int64_t settled;      /* P: S of the last completed cycle, µs */
    int64_t completed;    /* when that was, µs */
    bool gap;             /* entries may have expired unseen */
    /* From this version up everything of Cassandra came over to the index of this name; 0:
     * unknown. */
    int64_t synced_from;
    char synced_stores[STORE_STORES_MAX];
};
MUST_USE bool store_checkpoint_read(struct store *store, int64_t pipeline,
                                    struct store_checkpoint *out, struct err *err);
MUST_USE bool store_checkpoint_write(struct store *store, int64_t pipeline,
                                     const struct store_checkpoint *checkpoint, struct err *err);

#endif

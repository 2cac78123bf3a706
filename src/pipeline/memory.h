#ifndef PIPELINE_MEMORY_H
#define PIPELINE_MEMORY_H

#include "base/arena.h"
#include "store/entry.h"

/* The entries of one pipeline (store/entry.h) at hand: a cache in front of the state file
 * (blocks.h). Changes reach the file with memory_flush; what is in the file is dropped from the
 * cache beyond a bound and read again on demand. */
struct memory;

struct memory_entry {
    struct store_entry entry;
    struct memory_entry *next;       /* of the same key, no order */
    struct memory_entry *next_dirty; /* list of what the file doesn't have yet */
    bool dirty;
    int64_t put_off_since;          /* its look is put off since then, µs; 0: it is not */
    int64_t replaced_since;         /* a row that replaced our copy is as it is, µs; 0: it
                                       was copied again, or does not wait for that */
    struct change_hash replaced_by; /* content of that row */
};

struct memory_key;

/* At most about bound entries are held at hand. store is borrowed. */
MUST_USE struct memory *memory_new(struct store *store, int64_t pipeline, size_t bound,
                                   struct err *err);
void memory_free(struct memory *memory);

/* First entry of key, or NULL; borrowed until memory_trim or memory_forget. Errors: ERR_STATE. */
MUST_USE bool memory_entries(struct memory *memory, struct slice key, struct memory_entry **first,
                             struct err *err);
/* memory_seen of it will be asked soon. */
void memory_prefetch(const struct memory *memory, struct slice key);
/* Whether (key, version) was seen on a side: STORE_SEEN_DOCUMENT or STORE_SEEN_ENTRY. Reads
 * nothing.
 */
bool memory_seen(const struct memory *memory, struct slice key, int64_t version,
                 enum store_seen side);
/* The entry of (key, version), made (looks 0, due now) when it is new. */
MUST_USE struct memory_entry *memory_entry(struct memory *memory, struct slice key, int64_t version,
                                           int64_t now, struct err *err);
/* Say so after every change of an entry. A side where it was seen stays one. */
void memory_changed(struct memory *memory, struct memory_entry *entry);

/* How many entries wait for their row (STORE_WAITS_FOR_ROW) when the state is opened. */
int64_t memory_waiting(const struct memory *memory);

/* Writes changes to the state in a transaction of their own. */
MUST_USE bool memory_flush(struct memory *memory, struct err *err);
/* Writes changes to the state; the caller has a transaction open. */
MUST_USE bool memory_write(struct memory *memory, struct err *err);
/* Call it once that transaction is committed. */
void memory_written(struct memory *memory);

/* Keys with an entry due up to until: of limit entries, by and large those that became due
 * last, each key once, in the keys' own order. Only what is in the file counts: flush first. Copies
 * into arena. */
MUST_USE bool memory_due(struct memory *memory, int64_t until, uint32_t limit, struct arena *arena,
                         struct slice **keys, size_t *count, struct err *err);
/* Lowest version whose second look is not done, or lower; 0: none. Flush first. */
int64_t memory_lowest_pending(const struct memory *memory);

/* From now on, those with the third look done and a version below limit are due for their last. */
void memory_leave(struct memory *memory, int64_t limit);
/* Drops those that have had all looks and lie below limit, sooner or later. Inside a transaction
 * that begins with memory_write. */
MUST_USE bool memory_forget(struct memory *memory, int64_t limit, struct err *err);
/* Keeps the number of blocks in proportion to their entries; what it moves is written next time. */
MUST_USE bool memory_merge(struct memory *memory, struct err *err);
/* Keeps the cache within its bound, twice that with what is put off; all must be flushed. */
void memory_trim(struct memory *memory);

#endif

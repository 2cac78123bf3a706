#ifndef STORE_ENTRY_H
#define STORE_ENTRY_H

#include "change/state.h"
#include "store/store.h"

/* What is known of one (key, version): the memory that windows, looks and own copies need.
 * docs/semantics.md, "Windows and looks" and "Own copies". */

enum store_seen {
    STORE_SEEN_DOCUMENT = 1,
    STORE_SEEN_ENTRY = 2,
    STORE_WAITS_FOR_ROW = 4, /* an entry without a row: a delete once deleteSettle has passed */
};

enum store_own_flags {
    STORE_OWN_RECORDED = 1,     /* sent, or about to be */
    STORE_OWN_ACKNOWLEDGED = 2, /* took effect */
    STORE_OWN_DELETED = 4,      /* it was a delete; the hash means nothing */
};

struct store_own {
    unsigned flags;
    struct change_hash hash;
    int64_t written; /* the write timestamp, µs; only for rows */
};

/* due of an entry that waits for no further look. */
#define STORE_NEVER INT64_MAX

/* Looks at an entry: when it is first seen; when S has passed that; when overlap has passed; and,
 * where its version leaves the overlap later than that, when it does. */
enum { STORE_LOOKS_LEAVING = 3, STORE_LOOKS_ALL = 4 };

struct store_entry {
    struct slice key;
    int64_t version;
    unsigned seen;                          /* store_seen */
    int looks;                              /* done */
    int64_t first_look;                     /* when the first was made, µs; 0: not yet */
    int64_t due;                            /* when the next is, µs; or STORE_NEVER */
    struct store_own own_document, own_row; /* the daemon's own copy to that side */
};

MUST_USE bool store_entry_write(struct store *store, int64_t pipeline,
                                const struct store_entry *entry, struct err *err);
MUST_USE bool store_entry_delete(struct store *store, int64_t pipeline, struct slice key,
                                 int64_t version, struct err *err);

/* Rows are handed to fn one by one, borrowed for the call; fn returns false to stop early. */
typedef bool store_entry_fn(void *ctx, const struct store_entry *entry);
/* All of a key, ascending versions. */
MUST_USE bool store_entries_of_key(struct store *store, int64_t pipeline, struct slice key,
                                   store_entry_fn *fn, void *ctx, struct err *err);
/* Everything, in the order in which it came. */
MUST_USE bool store_entries_all(struct store *store, int64_t pipeline, store_entry_fn *fn,
                                void *ctx, struct err *err);
/* Those due up to until, earliest first, at most limit. */
MUST_USE bool store_entries_due(struct store *store, int64_t pipeline, int64_t until,
                                uint32_t limit, store_entry_fn *fn, void *ctx, struct err *err);

/* Lowest version whose second look is not done (put-off ones among them); 0: none. */
MUST_USE bool store_entries_lowest_pending(struct store *store, int64_t pipeline, int64_t *version,
                                           struct err *err);

/* Entries that wait to leave the overlap, with a version below limit, become due at now. */
MUST_USE bool store_entries_leave(struct store *store, int64_t pipeline, int64_t limit, int64_t now,
                                  struct err *err);
/* Deletes those with all looks done and a version below limit. */
MUST_USE bool store_entries_forget(struct store *store, int64_t pipeline, int64_t limit,
                                   struct err *err);

#endif

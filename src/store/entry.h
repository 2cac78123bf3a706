#ifndef STORE_ENTRY_H
#define STORE_ENTRY_H

#include "change/state.h"
#include "store/store.h"

/* What is known of one (key, version): the memory that windows, looks and own copies need.
 * docs/semantics.md, "Windows and looks" and "Own copies". How it lies in the file: block.h. */

enum store_seen {
    STORE_SEEN_DOCUMENT = 1,
    STORE_SEEN_ENTRY = 2,
    STORE_WAITS_FOR_ROW = 4, /* an entry without a row: a delete once deleteSettle has passed */
};

enum store_own_flags {
    STORE_OWN_RECORDED = 1,     /* sent, or about to be */
    STORE_OWN_ACKNOWLEDGED = 2, /* took effect */
    STORE_OWN_DELETED = 4,      /* it was a delete; the hash means nothing */
    STORE_OWN_BEFORE = 8,       /* what was sent before may still be there: this one isn't yet */
    STORE_OWN_BEFORE_DELETED = 16,
    STORE_OWN_OPEN = 32,        /* whether it took effect is not known: it may do so later */
    STORE_OWN_BEFORE_OPEN = 64, /* the same of what was sent before */
};

struct store_own {
    unsigned flags;
    struct change_hash hash, before;
    int64_t written; /* the write timestamp, µs; only for rows */
};

/* due of an entry that waits for no further look. */
#define STORE_NEVER INT64_MAX

/* Looks at an entry: when it is first seen; when S has passed that; when nobody writes its version
 * any more; and one more where that was not known, or a send may take effect later. */
enum { STORE_LOOKS_SECOND = 2, STORE_LOOKS_LEAVING = 3, STORE_LOOKS_ALL = 4 };

struct store_entry {
    struct slice key;
    int64_t version;
    unsigned seen;                          /* store_seen */
    int looks;                              /* done */
    int64_t first_look;                     /* when the first was made, µs; 0: not yet */
    int64_t due;                            /* when the next is, µs; or STORE_NEVER */
    struct store_own own_document, own_row; /* the daemon's own copy to that side */
};

#endif

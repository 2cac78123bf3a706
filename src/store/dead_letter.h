#ifndef STORE_DEAD_LETTER_H
#define STORE_DEAD_LETTER_H

#include "change/state.h"
#include "store/store.h"

/* Changes that could not be copied: kept with all that is needed to look at them and to try again.
 * One per (key, version, target). */
struct store_dead_letter {
    struct slice key; /* as text, canonical where it is a key at all */
    int64_t version;
    enum change_side target;
    const char *rule;     /* name of the rule or error class, stable */
    const char *reason;   /* one line for a person */
    struct slice payload; /* the record as JSON, or null */
    int64_t write_time;   /* of the row where that matters (an unexplained row), else 0 */
    int64_t at;           /* µs */
};

/* The rule of rows that must not be overwritten. */
#define STORE_DEAD_UNEXPLAINED "unexplained"
/* The rule of deletes that were too many: as long as the letter is there, none of them is applied.
 */
#define STORE_DEAD_DELETE "delete"

/* Adds or replaces. *added: it was not there before. */
MUST_USE bool store_dead_write(struct store *store, int64_t pipeline,
                               const struct store_dead_letter *letter, bool *added,
                               struct err *err);
/* Removes those of key up to version: what they stood for was settled. */
MUST_USE bool store_dead_settle(struct store *store, int64_t pipeline, struct slice key,
                                int64_t version, struct err *err);
MUST_USE bool store_dead_count(struct store *store, int64_t pipeline, int64_t *count,
                               struct err *err);
/* Highest write time of key's unexplained rows; 0: none. */
MUST_USE bool store_dead_unexplained(struct store *store, int64_t pipeline, struct slice key,
                                     int64_t *write_time, struct err *err);
/* Whether the delete of this version, or a higher one, is among them. */
MUST_USE bool store_dead_delete(struct store *store, int64_t pipeline, struct slice key,
                                int64_t version, bool *there, struct err *err);

/* Removes one, or (key null) all of the pipeline; *removed: how many. What is to be known of them
 * still: store/uncopied.h. */
MUST_USE bool store_dead_purge(struct store *store, int64_t pipeline, struct slice key,
                               int64_t *removed, struct err *err);

/* Letters are handed to fn one by one, borrowed for the call; fn returns false to stop early. */
typedef bool store_dead_fn(void *ctx, const struct store_dead_letter *letter);
MUST_USE bool store_dead_of_key(struct store *store, int64_t pipeline, struct slice key,
                                store_dead_fn *fn, void *ctx, struct err *err);
/* At most limit letters in the order of key, version and target, from behind one (NULL: from the
 * first): so that many can be walked through while they change. */
MUST_USE bool store_dead_page(struct store *store, int64_t pipeline,
                              const struct store_dead_letter *behind, uint32_t limit,
                              store_dead_fn *fn, void *ctx, struct err *err);

#endif

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
/* Whether the delete of this version is among them. */
MUST_USE bool store_dead_delete(struct store *store, int64_t pipeline, struct slice key,
                                int64_t version, bool *there, struct err *err);

typedef bool store_dead_fn(void *ctx, const struct store_dead_letter *letter);
MUST_USE bool store_dead_each(struct store *store, int64_t pipeline, store_dead_fn *fn, void *ctx,
                              struct err *err);

#endif

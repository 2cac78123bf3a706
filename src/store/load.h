#ifndef STORE_LOAD_H
#define STORE_LOAD_H

#include "change/state.h"
#include "store/store.h"

/* How far a load has come: one a pipeline and side that is read, in parts. */

struct store_load {
    bool exists;
    char stores[STORE_STORES_MAX]; /* names table and index: others need another load */
    int64_t since;                 /* versions from here up are the cycles' */
    int64_t started, settled;      /* of the cycle that came first: T and S, µs */
    bool fresh;                    /* the target held nothing below since */
    bool stale;                    /* entries expired meanwhile: it has to begin anew */
};

struct store_load_part {
    int64_t low, high; /* above low, up to high */
    int64_t position;  /* up to here it is copied */
    bool done;
};

MUST_USE bool store_load_read(struct store *store, int64_t pipeline, enum change_side from,
                              struct store_load *load, struct err *err);
/* Replaces what there was. */
MUST_USE bool store_load_begin(struct store *store, int64_t pipeline, enum change_side from,
                               const struct store_load *load, const struct store_load_part *parts,
                               uint32_t count, struct err *err);
MUST_USE bool store_load_end(struct store *store, int64_t pipeline, enum change_side from,
                             struct err *err);
/* Loads that are not finished can't be any more. */
MUST_USE bool store_load_stale(struct store *store, int64_t pipeline, struct err *err);

/* In the order of their numbers. */
typedef void store_load_part_fn(void *ctx, uint32_t number, const struct store_load_part *part);
MUST_USE bool store_load_parts(struct store *store, int64_t pipeline, enum change_side from,
                               store_load_part_fn *fn, void *ctx, struct err *err);
MUST_USE bool store_load_part_write(struct store *store, int64_t pipeline, enum change_side from,
                                    uint32_t number, const struct store_load_part *part,
                                    struct err *err);

/* Keys that are looked at again at the end. */
MUST_USE bool store_load_later_add(struct store *store, int64_t pipeline, enum change_side from,
                                   struct slice key, struct err *err);
/* At most limit keys behind one (null: from the first), in their order; borrowed for the call. */
typedef void store_load_key_fn(void *ctx, struct slice key);
MUST_USE bool store_load_later_page(struct store *store, int64_t pipeline, enum change_side from,
                                    struct slice behind, uint32_t limit, store_load_key_fn *fn,
                                    void *ctx, struct err *err);

/* Settings of the index as they were before a load relaxed them; "" stands for the default. */
struct store_relaxed {
    bool exists;
    char refresh_interval[32], replicas[32];
};
MUST_USE bool store_relaxed_read(struct store *store, int64_t pipeline, struct store_relaxed *out,
                                 struct err *err);
/* exists false: forgets them. */
MUST_USE bool store_relaxed_write(struct store *store, int64_t pipeline,
                                  const struct store_relaxed *relaxed, struct err *err);

#endif

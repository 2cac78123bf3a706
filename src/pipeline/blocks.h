#ifndef PIPELINE_BLOCKS_H
#define PIPELINE_BLOCKS_H

#include "store/block.h"

/* The entries of one pipeline as the state file has them: of each its newest copy counts. Where
 * that lies is known in memory (places.h); of each block, what its living entries wait for. Beside
 * that nothing is held, so a question about the content of an entry reads its block. */
struct blocks;

/* entry is borrowed for the call; false: stop. */
typedef bool blocks_fn(void *ctx, const struct store_entry *entry);

/* Hands all entries to fn, once each, the newest first. store is borrowed. Errors here and below:
 * ERR_STATE. */
MUST_USE struct blocks *blocks_new(struct store *store, int64_t pipeline, blocks_fn *fn, void *ctx,
                                   struct err *err);
void blocks_free(struct blocks *blocks);

/* blocks_seen of it will be asked soon. */
void blocks_prefetch(const struct blocks *blocks, struct slice key);
/* Where (key, version) was seen (store_seen, without waits); 0: nowhere, or unknown. */
unsigned blocks_seen(const struct blocks *blocks, struct slice key, int64_t version);
/* All versions of key. */
MUST_USE bool blocks_of_key(struct blocks *blocks, struct slice key, blocks_fn *fn, void *ctx,
                            struct err *err);

/* Writes entries, inside a transaction. Only blocks_written, once that is committed, makes them the
 * ones that count; without it they count as not written. The same entries both times. */
MUST_USE bool blocks_write(struct blocks *blocks, const struct store_entry *const *entries,
                           size_t count, struct err *err);
void blocks_written(struct blocks *blocks, const struct store_entry *const *entries, size_t count);

/* What is looked for. An entry that waits to leave the overlap is due, too, when its version lies
 * below leave. */
struct blocks_due {
    int64_t until, leave;
};
bool blocks_is_due(const struct store_entry *entry, struct blocks_due due);
/* Those due, by and large the earliest first. */
MUST_USE bool blocks_due(struct blocks *blocks, struct blocks_due due, blocks_fn *fn, void *ctx,
                         struct err *err);
/* Lowest version whose second look is not done, or lower; 0: none. */
int64_t blocks_lowest_pending(const struct blocks *blocks);

/* Forgets entries that have had all looks and lie below limit; from the oldest block on and in
 * whole blocks, since an older copy of what is forgotten must not come to light. Hands what stands
 * in the way to move, which has to write it again, and what is forgotten to gone. Inside a
 * transaction that begins with blocks_write. */
MUST_USE bool blocks_forget(struct blocks *blocks, int64_t limit, blocks_fn *move, blocks_fn *gone,
                            void *ctx, struct err *err);
/* Many cycles of few changes leave many small blocks: hands some of their entries to move, which
 * has to write them again, so that they come to lie together. */
MUST_USE bool blocks_merge(struct blocks *blocks, blocks_fn *move, void *ctx, struct err *err);

#endif

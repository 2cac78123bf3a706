#ifndef STORE_BLOCK_H
#define STORE_BLOCK_H

#include "base/buf.h"
#include "store/entry.h"

/* Entries lie in the state file in blocks: what changed together is one line of it. A change is a
 * new copy of the entry in a new block; where there are several copies, that of the highest block
 * counts. So the file is only ever written at its end, and what a look changes costs a copy of
 * about a hundred bytes. Who keeps account of which copies count is pipeline/blocks.c. */

enum { STORE_BLOCK_ENTRIES = 1024 }; /* at most, in one */

/* One that is being built. Zero-initialised is empty; free bytes. */
struct store_block {
    struct buf bytes;
    uint32_t offsets[STORE_BLOCK_ENTRIES];
    uint32_t count;
};
void store_block_add(struct store_block *block, const struct store_entry *entry);
/* Into the file, as the newest; the block is empty afterwards, whatever happens. Errors:
 * ERR_STATE. */
MUST_USE bool store_block_write(struct store *store, int64_t pipeline, struct store_block *block,
                                int64_t *id, struct err *err);

/* The bytes of one; bytes is replaced. ERR_STATE too when it is damaged or not there. */
MUST_USE bool store_block_read(struct store *store, int64_t id, struct buf *bytes, struct err *err);
/* All of a pipeline, the newest first; bytes are borrowed for the call, and whole. fn returns false
 * to stop early. */
typedef bool store_block_fn(void *ctx, int64_t id, struct slice bytes);
MUST_USE bool store_blocks_all(struct store *store, int64_t pipeline, store_block_fn *fn, void *ctx,
                               struct err *err);
MUST_USE bool store_block_delete(struct store *store, int64_t id, struct err *err);

/* Of bytes that were read: how many entries, and the one of a number below that; its key is
 * borrowed of bytes. */
uint32_t store_block_count(struct slice bytes);
struct store_entry store_block_entry(struct slice bytes, uint32_t number);

/* Of the schema's step 4: the lines of the table entry become blocks. Inside a transaction. */
MUST_USE bool store_blocks_from_entries(struct store *store, struct err *err);

#endif

#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/slice.h"

/* Memory that is freed all at once: one arena a batch, freed after its checkpoint.
 * Zero-initialised is empty and valid. */
struct arena_block;
struct arena {
    struct arena_block *head;
    size_t used;  /* in head */
    size_t total; /* bytes held, all blocks */
};

/* Aligned for any type, not zeroed; borrowed until arena_free or arena_reset. */
void *arena_alloc(struct arena *a, size_t size);
void *arena_zalloc(struct arena *a, size_t size);
/* A copy; null stays null. */
struct slice arena_copy(struct arena *a, struct slice s);
/* Empties it but keeps one block for reuse. */
void arena_reset(struct arena *a);
void arena_free(struct arena *a);

#endif

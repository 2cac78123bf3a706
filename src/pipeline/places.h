#ifndef PIPELINE_PLACES_H
#define PIPELINE_PLACES_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

/* Which entries the state file has, and where: hash tables of 20 bytes an entry, so many that only
 * a small part of all is there twice while one grows. It knows 128 bits of an entry instead of its
 * key, so two are never taken for one. Zero-initialised is empty. */

struct places_id {
    uint64_t key;   /* of the key alone */
    uint64_t entry; /* of key and version; versions of one key never share it */
};
struct places_id places_id(struct slice key, int64_t version);

/* Blocks are numbered from 0 up to below the first, entries in a block up to below the second. */
enum { PLACES_BLOCKS_MAX = (1 << 20) - 1, PLACES_NUMBERS_MAX = 1 << 10 };
struct place {
    uint32_t key[2], entry[2];
    uint32_t where; /* block, number, seen: see below */
};
static inline uint32_t place_block(const struct place *p)
{
    return p->where >> 12;
}
static inline uint32_t place_number(const struct place *p)
{
    return p->where >> 2 & (PLACES_NUMBERS_MAX - 1);
}
/* STORE_SEEN_DOCUMENT, STORE_SEEN_ENTRY, both or none. */
static inline unsigned place_seen(const struct place *p)
{
    return p->where & 3;
}

struct places_table {
    struct place *at;
    size_t capacity, count;
};
enum { PLACES_TABLES = 32 };
struct places {
    struct places_table tables[PLACES_TABLES]; /* by key */
};
size_t places_count(const struct places *places);
void places_free(struct places *places);
/* NULL: it has none. Borrowed until the next put or remove. */
struct place *places_find(const struct places *places, struct places_id id);
/* It will be looked for soon: a large table is not in the processor's caches. */
void places_prefetch(const struct places *places, struct places_id id);
/* The first of a key (after NULL), or the next one; NULL: there are no more. */
struct place *places_of_key(const struct places *places, uint64_t key, const struct place *after);
/* An entry lies there now, wherever it lay before. */
void places_put(struct places *places, struct places_id id, uint32_t block, uint32_t number,
                unsigned seen);
void places_remove(struct places *places, struct place *place);

#endif

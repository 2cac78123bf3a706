#include "job/filter.h"

#include "base/mem.h"

#include <stdlib.h>
#include <xxhash.h>

enum { BLOCK_WORDS = 8, PROBES = 8 };

struct job_filter {
    _Atomic uint64_t (*blocks)[BLOCK_WORDS];
    uint64_t mask;
};

struct job_filter *job_filter_new(size_t bytes)
{
    struct job_filter *f = mem_zalloc(sizeof *f);
    f->blocks = mem_zalloc(bytes);
    f->mask = bytes / sizeof *f->blocks - 1;
    return f;
}

void job_filter_free(struct job_filter *f)
{
    if (!f)
        return;
    free(f->blocks);
    free(f);
}

uint64_t job_filter_hash(struct slice key)
{
    return XXH3_64bits(key.ptr, key.len);
}

/* The upper half chooses the block, the lower the bits: one word each, by six bits. */
static uint64_t bit_of(uint64_t hash, int probe)
{
    return 1ULL << ((hash * (2 * (uint64_t)probe + 0x9E3779B97F4A7C15ULL)) >> 58);
}

void job_filter_add(struct job_filter *f, uint64_t hash)
{
    _Atomic uint64_t *block = f->blocks[hash >> 32 & f->mask];
    for (int i = 0; i < PROBES; i++) {
        if (!(block[i] & bit_of(hash, i)))
            block[i] |= bit_of(hash, i);
    }
}

bool job_filter_has(const struct job_filter *f, uint64_t hash)
{
    const _Atomic uint64_t *block = f->blocks[hash >> 32 & f->mask];
    for (int i = 0; i < PROBES; i++) {
        if (!(block[i] & bit_of(hash, i)))
            return false;
    }
    return true;
}

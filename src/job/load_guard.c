#include "job/load_guard.h"

#include "base/mem.h"
#include "job/filter.h"

#include <stdlib.h>

enum { FILTER_BYTES = 16 << 20, PLACES = 1 << 20, NAP_MS = 2 };

struct load_guard {
    struct io_loop *loop;
    struct job_filter *filter;
    _Atomic uint16_t *under_way; /* how many keys, by a part of their hash */
    unsigned touching;
};

struct load_guard *load_guard_new(struct io_loop *loop)
{
    struct load_guard *g = mem_zalloc(sizeof *g);
    g->loop = loop;
    g->filter = job_filter_new(FILTER_BYTES);
    g->under_way = mem_zalloc(PLACES * sizeof *g->under_way);
    return g;
}

void load_guard_free(struct load_guard *g)
{
    if (!g)
        return;
    while (g->touching > 0)
        io_sleep(g->loop, NAP_MS, NULL);
    job_filter_free(g->filter);
    free(g->under_way);
    free(g);
}

uint64_t load_guard_hash(struct slice key)
{
    return job_filter_hash(key);
}

void load_guard_add(struct load_guard *g, struct slice key)
{
    job_filter_add(g->filter, job_filter_hash(key));
}

bool load_guard_has(const struct load_guard *g, uint64_t hash)
{
    return job_filter_has(g->filter, hash);
}

void load_guard_begin(struct load_guard *g, uint64_t hash)
{
    g->under_way[hash % PLACES]++;
}

void load_guard_end(struct load_guard *g, uint64_t hash)
{
    g->under_way[hash % PLACES]--;
}

/* The key is in the filter before it is looked at what is under way, as a load says what it has
 * under way before it looks into the filter: of the two, one sees the other, whichever thread it
 * runs on.
 */
void load_guard_touch(struct load_guard *g, struct slice key)
{
    const uint64_t hash = job_filter_hash(key);
    job_filter_add(g->filter, hash);
    g->touching++;
    while (g->under_way[hash % PLACES] > 0)
        io_sleep(g->loop, NAP_MS, NULL);
    g->touching--;
}

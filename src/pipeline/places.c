#include "pipeline/places.h"

#include "base/mem.h"

#include <stdlib.h>
#include <xxhash.h>

/* Linear probing from where the key's hash points to, in its order: an entry that is removed leaves
 * no mark, those behind it move up. */

enum { CAPACITY_MIN = 16 };
static const uint32_t empty = UINT32_MAX;

struct places_id places_id(struct slice key, int64_t version)
{
    static const uint64_t odd = 0x9E3779B97F4A7C15;
    const XXH128_hash_t hash = XXH3_128bits(key.ptr, key.len);
    return (struct places_id){hash.low64, hash.high64 + (uint64_t)version * odd};
}

void places_free(struct places *places)
{
    for (size_t i = 0; i < PLACES_TABLES; i++)
        free(places->tables[i].at);
    *places = (struct places){0};
}

size_t places_count(const struct places *places)
{
    size_t count = 0;
    for (size_t i = 0; i < PLACES_TABLES; i++)
        count += places->tables[i].count;
    return count;
}

/* --- one table */

static size_t home(const struct places_table *p, const struct place *place)
{
    return (size_t)((uint64_t)place->key[1] * p->capacity >> 32);
}

static size_t next(const struct places_table *p, size_t i)
{
    return i + 1 < p->capacity ? i + 1 : 0;
}

static struct place place_of(struct places_id id)
{
    return (struct place){
        .key = {(uint32_t)id.key, (uint32_t)(id.key >> 32)},
        .entry = {(uint32_t)id.entry, (uint32_t)(id.entry >> 32)},
    };
}

static bool same_key(const struct place *a, const struct place *b)
{
    return a->key[0] == b->key[0] && a->key[1] == b->key[1];
}

static bool same(const struct place *a, const struct place *b)
{
    return same_key(a, b) && a->entry[0] == b->entry[0] && a->entry[1] == b->entry[1];
}

static struct place *find(const struct places_table *p, const struct place *wanted)
{
    if (p->count == 0)
        return NULL;
    for (size_t i = home(p, wanted); p->at[i].where != empty; i = next(p, i)) {
        if (same(&p->at[i], wanted))
            return &p->at[i];
    }
    return NULL;
}

static void insert(struct places_table *p, const struct place *place)
{
    size_t i = home(p, place);
    while (p->at[i].where != empty)
        i = next(p, i);
    p->at[i] = *place;
}

static void resize(struct places_table *p, size_t capacity)
{
    struct places_table old = *p;
    p->capacity = capacity < CAPACITY_MIN ? CAPACITY_MIN : capacity;
    p->at = mem_array(p->capacity, sizeof *p->at);
    memset(p->at, 0xFF, p->capacity * sizeof *p->at);
    for (size_t i = 0; i < old.capacity; i++) {
        if (old.at[i].where != empty)
            insert(p, &old.at[i]);
    }
    free(old.at);
}

/* How far i lies behind the home of what lies there. */
static size_t distance(const struct places_table *p, size_t i)
{
    const size_t from = home(p, &p->at[i]);
    return i >= from ? i - from : i + p->capacity - from;
}

static void remove_place(struct places_table *p, const struct place *place)
{
    size_t hole = (size_t)(place - p->at), gap = 0;
    for (size_t i = next(p, hole); p->at[i].where != empty; i = next(p, i)) {
        gap++; /* from the hole to here */
        if (distance(p, i) < gap)
            continue;
        p->at[hole] = p->at[i];
        hole = i;
        gap = 0;
    }
    p->at[hole].where = empty;
    p->count--;
    if (p->capacity > CAPACITY_MIN && 2 * p->count < p->capacity)
        resize(p, p->capacity - p->capacity / 4);
}

/* --- all of them */

static size_t table_of(const struct place *place)
{
    return place->key[0] % PLACES_TABLES;
}

struct place *places_find(const struct places *p, struct places_id id)
{
    const struct place wanted = place_of(id);
    return find(&p->tables[table_of(&wanted)], &wanted);
}

void places_prefetch(const struct places *p, struct places_id id)
{
    const struct place wanted = place_of(id);
    const struct places_table *t = &p->tables[table_of(&wanted)];
    if (t->count > 0)
        __builtin_prefetch(&t->at[home(t, &wanted)]);
}

struct place *places_of_key(const struct places *p, uint64_t key, const struct place *after)
{
    const struct place wanted = place_of((struct places_id){key, 0});
    const struct places_table *t = &p->tables[table_of(&wanted)];
    if (t->count == 0)
        return NULL;
    size_t i = after ? next(t, (size_t)(after - t->at)) : home(t, &wanted);
    for (; t->at[i].where != empty; i = next(t, i)) {
        if (same_key(&t->at[i], &wanted))
            return &t->at[i];
    }
    return NULL;
}

void places_put(struct places *p, struct places_id id, uint32_t block, uint32_t number,
                unsigned seen)
{
    struct place place = place_of(id);
    struct places_table *t = &p->tables[table_of(&place)];
    struct place *present = find(t, &place);
    place.where = block << 12 | number << 2 | (seen & 3);
    if (present) {
        present->where = place.where;
        return;
    }
    if (5 * (t->count + 1) > 4 * t->capacity) /* more than four fifths: in small steps */
        resize(t, t->capacity + t->capacity / 8);
    insert(t, &place);
    t->count++;
}

void places_remove(struct places *p, struct place *place)
{
    remove_place(&p->tables[table_of(place)], place);
}

#include "pipeline/blocks.h"

#include "base/mem.h"
#include "pipeline/places.h"

#include <stdlib.h>

/* What counts of a copy of an entry. */
enum state { GONE, PENDING /* the second look is to come */, UNFINISHED, FINISHED };

enum { NONE = UINT32_MAX, AT_HAND = 4, MOVED_MAX = 4 * STORE_BLOCK_ENTRIES };
enum { BLOCKS_FEW = 1000, BLOCK_SMALL = STORE_BLOCK_ENTRIES / 4 };

struct block {
    int64_t id; /* 0: this slot is free */
    uint32_t count, living, pending, unfinished;
    /* The lowest of the living ones, or lower: when one is due, ... */
    int64_t due, pending_version, leaving;
    int64_t highest;         /* version, or higher */
    uint32_t before, behind; /* by age, and of the free ones; or NONE */
    uint8_t *states;         /* of each number */
};

/* A block as it was read last. */
struct at_hand {
    uint32_t block;
    uint64_t used;
    struct buf bytes;
};

struct blocks {
    struct store *store;
    int64_t pipeline;
    struct places places;
    struct block *at;
    uint32_t capacity, count, oldest, newest, free;
    /* written, but not committed */
    uint32_t *pending;
    uint32_t pending_count, pending_capacity;
    int64_t *dead; /* ids of blocks in which nothing counts any more: deleted with the next write */
    size_t dead_count, dead_capacity, dead_deleted;
    struct at_hand at_hand[AT_HAND];
    uint64_t clock;
};

/* --- one block */

static enum state state_of(const struct store_entry *e)
{
    if (e->looks < STORE_LOOKS_SECOND)
        return PENDING;
    return e->looks < STORE_LOOKS_ALL ? UNFINISHED : FINISHED;
}

static bool waits_to_leave(const struct store_entry *e)
{
    return e->looks == STORE_LOOKS_LEAVING && e->due == STORE_NEVER;
}

static void lower(int64_t *lowest, int64_t value)
{
    if (value < *lowest)
        *lowest = value;
}

/* What its living entries wait for is counted anew from here. */
static void reset_waits(struct block *k)
{
    k->due = k->leaving = k->pending_version = STORE_NEVER;
    k->highest = 0;
}

static void note_waits(struct block *k, const struct store_entry *e)
{
    lower(&k->due, e->due);
    if (state_of(e) == PENDING)
        lower(&k->pending_version, e->version);
    if (waits_to_leave(e))
        lower(&k->leaving, e->version);
    if (e->version > k->highest)
        k->highest = e->version;
}

static void count_state(struct block *k, enum state state, uint32_t by)
{
    k->living += by;
    k->pending += state == PENDING ? by : 0;
    k->unfinished += state != FINISHED ? by : 0;
}

/* --- the list of blocks */

static void grow(struct blocks *b)
{
    const uint32_t before = b->capacity;
    b->capacity = before ? 2 * before : 16;
    b->at = mem_realloc(b->at, b->capacity * sizeof *b->at);
    for (uint32_t i = before; i < b->capacity; i++)
        b->at[i] = (struct block){.behind = i + 1 < b->capacity ? i + 1 : NONE};
    b->free = before;
}

/* As the newest, without entries yet. */
static uint32_t add_block(struct blocks *b, int64_t id, uint32_t count)
{
    if (b->free == NONE)
        grow(b);
    const uint32_t slot = b->free;
    struct block *k = &b->at[slot];
    b->free = k->behind;
    *k = (struct block){.id = id, .count = count, .before = b->newest, .behind = NONE};
    k->states = mem_zalloc(count);
    reset_waits(k);
    if (b->newest == NONE)
        b->oldest = slot;
    else
        b->at[b->newest].behind = slot;
    b->newest = slot;
    b->count++;
    return slot;
}

static void remove_block(struct blocks *b, uint32_t slot)
{
    struct block *k = &b->at[slot];
    if (k->before == NONE)
        b->oldest = k->behind;
    else
        b->at[k->before].behind = k->behind;
    if (k->behind == NONE)
        b->newest = k->before;
    else
        b->at[k->behind].before = k->before;
    free(k->states);
    *k = (struct block){.behind = b->free};
    b->free = slot;
    b->count--;
    for (size_t i = 0; i < AT_HAND; i++) {
        if (b->at_hand[i].block == slot)
            b->at_hand[i].block = NONE;
    }
}

static void bury(struct blocks *b, uint32_t slot)
{
    if (b->dead_count == b->dead_capacity) {
        b->dead_capacity = b->dead_capacity ? 2 * b->dead_capacity : 16;
        b->dead = mem_realloc(b->dead, b->dead_capacity * sizeof *b->dead);
    }
    b->dead[b->dead_count++] = b->at[slot].id;
    remove_block(b, slot);
}

/* The copy at place counts no more; its place is about to be changed. */
static void leave(struct blocks *b, const struct place *place)
{
    const uint32_t slot = place_block(place);
    struct block *k = &b->at[slot];
    uint8_t *state = &k->states[place_number(place)];
    count_state(k, *state, (uint32_t)-1);
    *state = GONE;
    if (k->living == 0)
        bury(b, slot);
}

static void settle(struct blocks *b, uint32_t slot, uint32_t number, const struct store_entry *e)
{
    struct block *k = &b->at[slot];
    const struct places_id id = places_id(e->key, e->version);
    const struct place *before = places_find(&b->places, id);
    const enum state state = state_of(e);
    k->states[number] = state;
    count_state(k, state, 1);
    note_waits(k, e);
    if (before)
        leave(b, before);
    places_put(&b->places, id, slot, number, e->seen);
}

/* Borrowed until the next AT_HAND - 1 others are read. */
static bool read_block(struct blocks *b, uint32_t slot, struct slice *bytes, struct err *err)
{
    struct at_hand *oldest = b->at_hand;
    for (size_t i = 0; i < AT_HAND; i++) {
        struct at_hand *h = &b->at_hand[i];
        if (h->block == slot) {
            h->used = ++b->clock;
            *bytes = buf_slice(&h->bytes);
            return true;
        }
        if (h->used < oldest->used)
            oldest = h;
    }
    oldest->block = NONE;
    if (!store_block_read(b->store, b->at[slot].id, &oldest->bytes, err))
        return false;
    oldest->block = slot;
    oldest->used = ++b->clock;
    *bytes = buf_slice(&oldest->bytes);
    return true;
}

/* --- opening */

struct opening {
    struct blocks *blocks;
    blocks_fn *fn;
    void *ctx;
};

/* The newest copy comes first: what is known already is older here. */
static bool open_block(void *ctx, int64_t id, struct slice bytes)
{
    const struct opening *o = ctx;
    struct blocks *b = o->blocks;
    const uint32_t count = store_block_count(bytes), slot = add_block(b, id, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct store_entry e = store_block_entry(bytes, i);
        if (places_find(&b->places, places_id(e.key, e.version)))
            continue;
        settle(b, slot, i, &e);
        o->fn(o->ctx, &e);
    }
    if (b->at[slot].living == 0)
        bury(b, slot);
    return true;
}

/* They came the newest first. */
static void turn_around(struct blocks *b)
{
    for (uint32_t slot = b->oldest; slot != NONE;) {
        struct block *k = &b->at[slot];
        const uint32_t behind = k->behind;
        k->behind = k->before;
        k->before = behind;
        slot = behind;
    }
    const uint32_t oldest = b->oldest;
    b->oldest = b->newest;
    b->newest = oldest;
}

struct blocks *blocks_new(struct store *store, int64_t pipeline, blocks_fn *fn, void *ctx,
                          struct err *err)
{
    struct blocks *b = mem_zalloc(sizeof *b);
    b->store = store;
    b->pipeline = pipeline;
    b->oldest = b->newest = b->free = NONE;
    for (size_t i = 0; i < AT_HAND; i++)
        b->at_hand[i].block = NONE;
    struct opening opening = {b, fn, ctx};
    if (!store_blocks_all(store, pipeline, open_block, &opening, err)) {
        blocks_free(b);
        return NULL;
    }
    turn_around(b);
    return b;
}

void blocks_free(struct blocks *b)
{
    if (!b)
        return;
    for (uint32_t i = 0; i < b->capacity; i++)
        free(b->at[i].states);
    for (size_t i = 0; i < AT_HAND; i++)
        buf_free(&b->at_hand[i].bytes);
    places_free(&b->places);
    free(b->at);
    free(b->pending);
    free(b->dead);
    free(b);
}

/* --- asking */

void blocks_prefetch(const struct blocks *b, struct slice key)
{
    places_prefetch(&b->places, places_id(key, 0));
}

unsigned blocks_seen(const struct blocks *b, struct slice key, int64_t version)
{
    const struct place *place = places_find(&b->places, places_id(key, version));
    return place ? place_seen(place) : 0;
}

bool blocks_of_key(struct blocks *b, struct slice key, blocks_fn *fn, void *ctx, struct err *err)
{
    const uint64_t hash = places_id(key, 0).key;
    const struct place *p = NULL;
    while ((p = places_of_key(&b->places, hash, p))) {
        struct slice bytes;
        if (!read_block(b, place_block(p), &bytes, err))
            return false;
        const struct store_entry e = store_block_entry(bytes, place_number(p));
        if (slice_equal(e.key, key) && !fn(ctx, &e))
            break;
    }
    return true;
}

/* --- writing */

static bool delete_dead(struct blocks *b, struct err *err)
{
    for (size_t i = 0; i < b->dead_count; i++) {
        if (!store_block_delete(b->store, b->dead[i], err))
            return false;
    }
    b->dead_deleted = b->dead_count;
    return true;
}

/* Blocks of a transaction that was rolled back. */
static void drop_pending(struct blocks *b)
{
    while (b->pending_count > 0)
        remove_block(b, b->pending[--b->pending_count]);
    b->dead_deleted = 0;
}

static bool write_one(struct blocks *b, struct store_block *block, struct err *err)
{
    const uint32_t count = block->count;
    int64_t id = 0;
    if (!store_block_write(b->store, b->pipeline, block, &id, err))
        return false;
    if (b->pending_count == b->pending_capacity) {
        b->pending_capacity = b->pending_capacity ? 2 * b->pending_capacity : 16;
        b->pending = mem_realloc(b->pending, b->pending_capacity * sizeof *b->pending);
    }
    const uint32_t slot = add_block(b, id, count);
    b->pending[b->pending_count++] = slot;
    return slot < PLACES_BLOCKS_MAX ||
           err_set(err, ERR_STATE, "too many changes within the overlap; make it shorter");
}

bool blocks_write(struct blocks *b, const struct store_entry *const *entries, size_t count,
                  struct err *err)
{
    drop_pending(b);
    if (!delete_dead(b, err))
        return false;
    struct store_block block = {0};
    bool fine = true;
    for (size_t i = 0; fine && i < count; i++) {
        store_block_add(&block, entries[i]);
        if (block.count == STORE_BLOCK_ENTRIES || i + 1 == count)
            fine = write_one(b, &block, err);
    }
    buf_free(&block.bytes);
    return fine;
}

void blocks_written(struct blocks *b, const struct store_entry *const *entries, size_t count)
{
    if (b->dead_deleted > 0) {
        b->dead_count -= b->dead_deleted;
        memmove(b->dead, b->dead + b->dead_deleted, b->dead_count * sizeof *b->dead);
        b->dead_deleted = 0;
    }
    for (size_t i = 0; i < count; i++)
        settle(b, b->pending[i / STORE_BLOCK_ENTRIES], i % STORE_BLOCK_ENTRIES, entries[i]);
    b->pending_count = 0;
}

/* --- what is due */

bool blocks_is_due(const struct store_entry *e, struct blocks_due due)
{
    return e->due <= due.until || (waits_to_leave(e) && e->version < due.leave);
}

/* What became due last is new and waits to be copied; older looks only check what was. */
static int latest_first(const void *a, const void *b)
{
    const struct block *const *x = a, *const *y = b;
    return ((*x)->due < (*y)->due) - ((*x)->due > (*y)->due);
}

/* Of one block; all is true when fn wants more. */
static bool due_of_block(struct blocks *b, struct block *k, struct blocks_due due, blocks_fn *fn,
                         void *ctx, bool *all, struct err *err)
{
    struct slice bytes;
    if (!read_block(b, (uint32_t)(k - b->at), &bytes, err))
        return false;
    struct block waits = *k;
    reset_waits(&waits);
    for (uint32_t i = 0; i < k->count; i++) {
        if (k->states[i] == GONE)
            continue;
        const struct store_entry e = store_block_entry(bytes, i);
        note_waits(&waits, &e);
        if (blocks_is_due(&e, due) && !fn(ctx, &e)) {
            *all = false;
            return true;
        }
    }
    *k = waits;
    return true;
}

bool blocks_due(struct blocks *b, struct blocks_due due, blocks_fn *fn, void *ctx, struct err *err)
{
    struct block **found = mem_array(b->capacity + 1, sizeof *found);
    size_t count = 0;
    for (uint32_t slot = b->oldest; slot != NONE; slot = b->at[slot].behind) {
        struct block *k = &b->at[slot];
        if (k->living > 0 && (k->due <= due.until || k->leaving < due.leave))
            found[count++] = k;
    }
    qsort(found, count, sizeof *found, latest_first);
    bool fine = true, all = true;
    for (size_t i = 0; fine && all && i < count; i++)
        fine = due_of_block(b, found[i], due, fn, ctx, &all, err);
    free(found);
    return fine;
}

int64_t blocks_lowest_pending(const struct blocks *b)
{
    int64_t lowest = STORE_NEVER;
    for (uint32_t slot = b->oldest; slot != NONE; slot = b->at[slot].behind) {
        if (b->at[slot].pending > 0)
            lower(&lowest, b->at[slot].pending_version);
    }
    return lowest == STORE_NEVER ? 0 : lowest;
}

/* --- forgetting */

static bool is_forgettable(const struct block *k, int64_t limit)
{
    return k->unfinished == 0 && k->highest < limit;
}

static bool any_forgettable(const struct blocks *b, int64_t limit)
{
    for (uint32_t slot = b->oldest; slot != NONE; slot = b->at[slot].behind) {
        if (b->at[slot].living > 0 && is_forgettable(&b->at[slot], limit))
            return true;
    }
    return false;
}

/* All living ones of a block go. It is deleted once more with the next write: a transaction that
 * was rolled back must not leave it behind. */
static bool forget_block(struct blocks *b, uint32_t slot, blocks_fn *gone, void *ctx,
                         struct err *err)
{
    struct slice bytes;
    if (!read_block(b, slot, &bytes, err) || !store_block_delete(b->store, b->at[slot].id, err))
        return false;
    for (uint32_t i = 0; i < b->at[slot].count; i++) {
        if (b->at[slot].states[i] == GONE)
            continue;
        const struct store_entry e = store_block_entry(bytes, i);
        places_remove(&b->places, places_find(&b->places, places_id(e.key, e.version)));
        gone(ctx, &e);
    }
    bury(b, slot);
    return true;
}

/* What has to stay of a block; what may go is all that counts in it once the rest is written again.
 */
static void move_living(struct block *k, struct slice bytes, int64_t limit, blocks_fn *move,
                        void *ctx, size_t *moved)
{
    int64_t highest = 0;
    for (uint32_t i = 0; i < k->count; i++) {
        if (k->states[i] == GONE)
            continue;
        const struct store_entry e = store_block_entry(bytes, i);
        if (state_of(&e) == FINISHED && e.version < limit)
            highest = e.version > highest ? e.version : highest;
        else if (move(ctx, &e))
            ++*moved;
        else
            return;
    }
    k->highest = highest;
}

static bool move_block(struct blocks *b, uint32_t slot, int64_t limit, blocks_fn *move, void *ctx,
                       size_t *moved, struct err *err)
{
    struct buf bytes = {0}; /* its own: move reads other blocks */
    const bool fine = store_block_read(b->store, b->at[slot].id, &bytes, err);
    if (fine)
        move_living(&b->at[slot], buf_slice(&bytes), limit, move, ctx, moved);
    buf_free(&bytes);
    return fine;
}

bool blocks_forget(struct blocks *b, int64_t limit, blocks_fn *move, blocks_fn *gone, void *ctx,
                   struct err *err)
{
    while (b->oldest != NONE && b->at[b->oldest].living > 0 &&
           is_forgettable(&b->at[b->oldest], limit)) {
        if (!forget_block(b, b->oldest, gone, ctx, err))
            return false;
    }
    if (!any_forgettable(b, limit))
        return true;
    size_t moved = 0;
    for (uint32_t slot = b->oldest; moved < MOVED_MAX && !is_forgettable(&b->at[slot], limit);
         slot = b->at[slot].behind) {
        if (!move_block(b, slot, limit, move, ctx, &moved, err))
            return false;
    }
    return true;
}

/* --- merging */

static bool move_all(struct blocks *b, uint32_t slot, blocks_fn *move, void *ctx, size_t *moved,
                     struct err *err)
{
    struct buf bytes = {0}; /* its own: move reads other blocks */
    const bool fine = store_block_read(b->store, b->at[slot].id, &bytes, err);
    for (uint32_t i = 0; fine && i < b->at[slot].count; i++) {
        if (b->at[slot].states[i] == GONE)
            continue;
        const struct store_entry e = store_block_entry(buf_slice(&bytes), i);
        if (!move(ctx, &e))
            break;
        ++*moved;
    }
    buf_free(&bytes);
    return fine;
}

bool blocks_merge(struct blocks *b, blocks_fn *move, void *ctx, struct err *err)
{
    if (b->count <= BLOCKS_FEW + 4 * (places_count(&b->places) / STORE_BLOCK_ENTRIES))
        return true;
    size_t moved = 0;
    for (uint32_t slot = b->oldest; slot != NONE && moved < MOVED_MAX; slot = b->at[slot].behind) {
        if (b->at[slot].living <= BLOCK_SMALL && !move_all(b, slot, move, ctx, &moved, err))
            return false;
    }
    return true;
}

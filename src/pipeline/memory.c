#include "pipeline/memory.h"

#include "base/mem.h"
#include "pipeline/blocks.h"

#include <stdlib.h>
#include <xxhash.h>
#define HASH_FUNCTION(text, len, hash) ((hash) = (unsigned)XXH3_64bits((text), (len)))
#include <uthash.h>

struct memory_key {
    struct memory_entry *first;
    UT_hash_handle hh; /* by the bytes behind */
    size_t len;
    char text[];
};

struct memory {
    struct store *store;
    struct blocks *blocks; /* what the file has */
    size_t bound;
    struct memory_key *keys;
    size_t entries;                       /* of all keys */
    struct memory_entry *dirty, *writing; /* changed; written, but not committed yet */
    const struct store_entry **written;   /* those of writing, in their order */
    size_t written_count, written_capacity;
    int64_t leave; /* versions below leave the overlap */
    int64_t waiting;
};

static struct memory_key *find(const struct memory *m, struct slice key)
{
    struct memory_key *found;
    HASH_FIND(hh, m->keys, key.ptr, key.len, found);
    return found;
}

static struct memory_key *add_key(struct memory *m, struct slice key)
{
    struct memory_key *k = mem_alloc(sizeof *k + key.len + 1);
    k->first = NULL;
    k->len = key.len;
    memcpy(k->text, key.ptr, key.len);
    k->text[key.len] = '\0';
    HASH_ADD_KEYPTR(hh, m->keys, k->text, k->len, k);
    return k;
}

static struct memory_entry *add_entry(struct memory *m, struct memory_key *k,
                                      const struct store_entry *from)
{
    struct memory_entry *e = mem_zalloc(sizeof *e);
    e->entry = *from;
    e->entry.key = slice_of(k->text, k->len);
    e->next = k->first;
    k->first = e;
    m->entries++;
    return e;
}

static void drop_key(struct memory *m, struct memory_key *k)
{
    HASH_DEL(m->keys, k);
    while (k->first) {
        struct memory_entry *next = k->first->next;
        free(k->first);
        k->first = next;
        m->entries--;
    }
    free(k);
}

static bool count_waiting(void *ctx, const struct store_entry *entry)
{
    struct memory *m = ctx;
    m->waiting += (entry->seen & STORE_WAITS_FOR_ROW) != 0;
    return true;
}

struct memory *memory_new(struct store *store, int64_t pipeline, size_t bound, struct err *err)
{
    struct memory *m = mem_zalloc(sizeof *m);
    m->store = store;
    m->bound = bound;
    m->blocks = blocks_new(store, pipeline, count_waiting, m, err);
    if (m->blocks)
        return m;
    memory_free(m);
    return NULL;
}

void memory_free(struct memory *m)
{
    if (!m)
        return;
    struct memory_key *k, *next;
    HASH_ITER (hh, m->keys, k, next)
        drop_key(m, k);
    blocks_free(m->blocks);
    free(m->written);
    free(m);
}

static struct memory_entry *entry_in(struct memory_key *k, int64_t version)
{
    for (struct memory_entry *e = k ? k->first : NULL; e; e = e->next) {
        if (e->entry.version == version)
            return e;
    }
    return NULL;
}

struct loading {
    struct memory *memory;
    struct memory_key *key;
};

static bool load_into(void *ctx, const struct store_entry *entry)
{
    struct loading *loading = ctx;
    if (!loading->key)
        loading->key = add_key(loading->memory, entry->key);
    add_entry(loading->memory, loading->key, entry);
    return true;
}

/* A key is held with all its entries, or not at all. */
static bool get_key(struct memory *m, struct slice key, struct memory_key **out, struct err *err)
{
    *out = find(m, key);
    if (*out)
        return true;
    struct loading loading = {.memory = m};
    if (!blocks_of_key(m->blocks, key, load_into, &loading, err)) {
        if (loading.key)
            drop_key(m, loading.key);
        return false;
    }
    *out = loading.key;
    return true;
}

void memory_prefetch(const struct memory *m, struct slice key)
{
    blocks_prefetch(m->blocks, key);
}

/* What the file says stays true: nothing that was seen becomes unseen, and what is forgotten there
 * is forgotten here. */
bool memory_seen(const struct memory *m, struct slice key, int64_t version, enum store_seen side)
{
    if (blocks_seen(m->blocks, key, version) & (unsigned)side)
        return true;
    const struct memory_entry *e = entry_in(find(m, key), version);
    return e && (e->entry.seen & (unsigned)side);
}

bool memory_entries(struct memory *m, struct slice key, struct memory_entry **first,
                    struct err *err)
{
    struct memory_key *k;
    if (!get_key(m, key, &k, err))
        return false;
    *first = k ? k->first : NULL;
    return true;
}

struct memory_entry *memory_entry(struct memory *m, struct slice key, int64_t version, int64_t now,
                                  struct err *err)
{
    struct memory_key *k;
    if (!get_key(m, key, &k, err))
        return NULL;
    if (!k)
        k = add_key(m, key);
    struct memory_entry *present = entry_in(k, version);
    if (present)
        return present;
    const struct store_entry fresh = {.version = version, .due = now};
    struct memory_entry *e = add_entry(m, k, &fresh);
    memory_changed(m, e);
    return e;
}

void memory_changed(struct memory *m, struct memory_entry *e)
{
    if (e->dirty)
        return;
    e->dirty = true;
    e->next_dirty = m->dirty;
    m->dirty = e;
}

static void collect_dirty(struct memory *m)
{
    m->written_count = 0;
    for (struct memory_entry *e = m->writing; e; e = e->next_dirty) {
        if (m->written_count == m->written_capacity) {
            m->written_capacity = m->written_capacity ? 2 * m->written_capacity : 64;
            m->written = mem_realloc(m->written, m->written_capacity * sizeof *m->written);
        }
        m->written[m->written_count++] = &e->entry;
    }
}

bool memory_write(struct memory *m, struct err *err)
{
    while (m->writing) { /* rolled back */
        struct memory_entry *e = m->writing;
        m->writing = e->next_dirty;
        e->next_dirty = m->dirty;
        m->dirty = e;
    }
    m->writing = m->dirty;
    m->dirty = NULL;
    collect_dirty(m);
    return blocks_write(m->blocks, m->written, m->written_count, err);
}

void memory_written(struct memory *m)
{
    blocks_written(m->blocks, m->written, m->written_count);
    m->written_count = 0;
    while (m->writing) {
        struct memory_entry *e = m->writing;
        m->writing = e->next_dirty;
        e->next_dirty = NULL;
        e->dirty = false;
    }
}

bool memory_flush(struct memory *m, struct err *err)
{
    if (!m->dirty && !m->writing)
        return true;
    if (store_begin(m->store, err) && memory_write(m, err) && store_commit(m->store, err)) {
        memory_written(m);
        return true;
    }
    store_rollback(m->store);
    return false;
}

int64_t memory_waiting(const struct memory *m)
{
    return m->waiting;
}

struct collecting {
    struct arena *arena;
    struct slice *keys;
    size_t count, limit;
};

static bool collect(void *ctx, const struct store_entry *entry)
{
    struct collecting *c = ctx;
    if (c->count == c->limit)
        return false;
    c->keys[c->count++] = arena_copy(c->arena, entry->key);
    return true;
}

static int compare_keys(const void *a, const void *b)
{
    const struct slice *x = a, *y = b;
    const size_t len = x->len < y->len ? x->len : y->len;
    const int order = len ? memcmp(x->ptr, y->ptr, len) : 0;
    return order ? order : (x->len > y->len) - (x->len < y->len);
}

/* Those that leave the overlap are due from now on. */
static bool call_leaving(struct memory *m, struct slice key, struct blocks_due due, struct err *err)
{
    struct memory_key *k;
    if (!get_key(m, key, &k, err))
        return false;
    for (struct memory_entry *e = k ? k->first : NULL; e; e = e->next) {
        if (e->entry.due > due.until && blocks_is_due(&e->entry, due)) {
            e->entry.due = due.until;
            memory_changed(m, e);
        }
    }
    return true;
}

bool memory_due(struct memory *m, int64_t until, uint32_t limit, struct arena *arena,
                struct slice **keys, size_t *count, struct err *err)
{
    const struct blocks_due due = {until, m->leave};
    struct collecting c = {.arena = arena, .limit = limit};
    c.keys = arena_alloc(arena, (limit + 1) * sizeof *c.keys);
    if (!blocks_due(m->blocks, due, collect, &c, err))
        return false;
    qsort(c.keys, c.count, sizeof *c.keys, compare_keys);
    size_t kept = 0;
    for (size_t i = 0; i < c.count; i++) {
        if (kept > 0 && slice_equal(c.keys[i], c.keys[kept - 1]))
            continue;
        if (!call_leaving(m, c.keys[i], due, err))
            return false;
        c.keys[kept++] = c.keys[i];
    }
    *keys = c.keys;
    *count = kept;
    return true;
}

int64_t memory_lowest_pending(const struct memory *m)
{
    return blocks_lowest_pending(m->blocks);
}

void memory_leave(struct memory *m, int64_t limit)
{
    m->leave = limit;
}

struct forgetting {
    struct memory *memory;
    bool fine;
    struct err *err;
};

static bool write_again(void *ctx, const struct store_entry *entry)
{
    struct forgetting *f = ctx;
    struct memory_key *k;
    if (!get_key(f->memory, entry->key, &k, f->err)) {
        f->fine = false;
        return false;
    }
    memory_changed(f->memory, entry_in(k, entry->version));
    return true;
}

/* A change that the file doesn't have stays. */
static bool drop_forgotten(void *ctx, const struct store_entry *entry)
{
    const struct forgetting *f = ctx;
    struct memory *m = f->memory;
    struct memory_key *k = find(m, entry->key);
    struct memory_entry *gone = entry_in(k, entry->version);
    if (!gone || gone->dirty)
        return true;
    struct memory_entry **at = &k->first;
    while (*at != gone)
        at = &(*at)->next;
    *at = gone->next;
    free(gone);
    m->entries--;
    if (!k->first)
        drop_key(m, k);
    return true;
}

bool memory_forget(struct memory *m, int64_t limit, struct err *err)
{
    struct forgetting f = {m, true, err};
    return blocks_forget(m->blocks, limit, write_again, drop_forgotten, &f, err) && f.fine;
}

bool memory_merge(struct memory *m, struct err *err)
{
    struct forgetting f = {m, true, err};
    return blocks_merge(m->blocks, write_again, &f, err) && f.fine;
}

static bool is_dirty(const struct memory_key *k)
{
    for (const struct memory_entry *e = k->first; e; e = e->next) {
        if (e->dirty)
            return true;
    }
    return false;
}

static bool waits(const struct memory_key *k)
{
    for (const struct memory_entry *e = k->first; e; e = e->next) {
        if (e->put_off_since)
            return true;
    }
    return false;
}

/* Since when a key waits is not in the file, so such keys stay at hand within twice the bound.
 * uthash keeps the order of insertion. The oldest are dropped first; of those that wait the newest,
 * or none would get to its end where there are too many. */
void memory_trim(struct memory *m)
{
    struct memory_key *k, *next;
    HASH_ITER (hh, m->keys, k, next) {
        if (m->entries <= m->bound)
            return;
        if (!is_dirty(k) && !waits(k))
            drop_key(m, k);
    }
    k = m->keys ? ELMT_FROM_HH(m->keys->hh.tbl, m->keys->hh.tbl->tail) : NULL;
    for (; k && m->entries > 2 * m->bound; k = next) {
        next = k->hh.prev;
        if (!is_dirty(k))
            drop_key(m, k);
    }
}

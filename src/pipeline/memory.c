#include "pipeline/memory.h"

#include "base/mem.h"

#include <stdlib.h>
#include <uthash.h>

struct memory_key {
    struct memory_entry *first;
    UT_hash_handle hh; /* by the bytes behind */
    size_t len;
    char text[];
};

struct memory {
    struct store *store;
    int64_t pipeline;
    size_t bound;
    struct memory_key *keys;
    size_t entries; /* of all keys */
    struct memory_entry *dirty;
    int64_t waiting;
    bool spilled; /* the file may hold keys that the cache does not */
};

static struct memory_key *find(struct memory *m, struct slice key)
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

static bool load_one(void *ctx, const struct store_entry *entry)
{
    struct memory *m = ctx;
    m->waiting += (entry->seen & STORE_WAITS_FOR_ROW) != 0;
    struct memory_key *k = find(m, entry->key);
    if (!k && m->entries >= m->bound) { /* a key is held with all its entries, or not at all */
        m->spilled = true;
        return true;
    }
    add_entry(m, k ? k : add_key(m, entry->key), entry);
    return true;
}

struct memory *memory_new(struct store *store, int64_t pipeline, size_t bound, struct err *err)
{
    struct memory *m = mem_zalloc(sizeof *m);
    m->store = store;
    m->pipeline = pipeline;
    m->bound = bound;
    if (store_entries_all(store, pipeline, load_one, m, err))
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
    free(m);
}

struct loading {
    struct memory *memory;
    struct memory_key *key;
};

static bool load_into(void *ctx, const struct store_entry *entry)
{
    const struct loading *loading = ctx;
    add_entry(loading->memory, loading->key, entry);
    return true;
}

static bool get_key(struct memory *m, struct slice key, struct memory_key **out, struct err *err)
{
    *out = find(m, key);
    if (*out || !m->spilled)
        return true;
    struct memory_key *k = add_key(m, key);
    struct loading loading = {m, k};
    if (!store_entries_of_key(m->store, m->pipeline, key, load_into, &loading, err)) {
        drop_key(m, k);
        return false;
    }
    if (!k->first)
        drop_key(m, k);
    else
        *out = k;
    return true;
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
    for (struct memory_entry *e = k->first; e; e = e->next) {
        if (e->entry.version == version)
            return e;
    }
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

bool memory_write(struct memory *m, struct err *err)
{
    for (struct memory_entry *e = m->dirty; e; e = e->next_dirty) {
        if (!store_entry_write(m->store, m->pipeline, &e->entry, err))
            return false;
    }
    return true;
}

void memory_written(struct memory *m)
{
    while (m->dirty) {
        struct memory_entry *e = m->dirty;
        m->dirty = e->next_dirty;
        e->next_dirty = NULL;
        e->dirty = false;
    }
}

bool memory_flush(struct memory *m, struct err *err)
{
    if (!m->dirty)
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
    size_t count;
};

static bool collect(void *ctx, const struct store_entry *entry)
{
    struct collecting *c = ctx;
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

bool memory_due(struct memory *m, int64_t until, uint32_t limit, struct arena *arena,
                struct slice **keys, size_t *count, struct err *err)
{
    struct collecting c = {.arena = arena};
    c.keys = arena_alloc(arena, (limit + 1) * sizeof *c.keys);
    if (!store_entries_due(m->store, m->pipeline, until, limit, collect, &c, err))
        return false;
    qsort(c.keys, c.count, sizeof *c.keys, compare_keys);
    size_t kept = 0;
    for (size_t i = 0; i < c.count; i++) {
        if (kept == 0 || !slice_equal(c.keys[i], c.keys[kept - 1]))
            c.keys[kept++] = c.keys[i];
    }
    *keys = c.keys;
    *count = kept;
    return true;
}

bool memory_lowest_pending(struct memory *m, int64_t *version, struct err *err)
{
    return store_entries_lowest_pending(m->store, m->pipeline, version, err);
}

bool memory_leave(struct memory *m, int64_t limit, int64_t now, struct err *err)
{
    if (!store_entries_leave(m->store, m->pipeline, limit, now, err))
        return false;
    struct memory_key *k, *next;
    HASH_ITER (hh, m->keys, k, next) {
        for (struct memory_entry *e = k->first; e; e = e->next) {
            if (e->entry.looks == STORE_LOOKS_LEAVING && e->entry.due == STORE_NEVER &&
                e->entry.version < limit)
                e->entry.due = now;
        }
    }
    return true;
}

static bool forgettable(const struct memory_entry *e, int64_t limit)
{
    return !e->dirty && e->entry.looks >= STORE_LOOKS_ALL && e->entry.version < limit;
}

bool memory_forget(struct memory *m, int64_t limit, struct err *err)
{
    if (!store_entries_forget(m->store, m->pipeline, limit, err))
        return false;
    struct memory_key *k, *next_key;
    HASH_ITER (hh, m->keys, k, next_key) {
        for (struct memory_entry **at = &k->first; *at;) {
            struct memory_entry *e = *at;
            if (forgettable(e, limit)) {
                *at = e->next;
                free(e);
                m->entries--;
            } else {
                at = &e->next;
            }
        }
        if (!k->first)
            drop_key(m, k);
    }
    return true;
}

static bool needs_attention(const struct memory_key *k)
{
    for (const struct memory_entry *e = k->first; e; e = e->next) {
        if (e->dirty)
            return true;
    }
    return false;
}

/* Oldest first: uthash keeps the order of insertion. */
void memory_trim(struct memory *m)
{
    struct memory_key *k, *next;
    HASH_ITER (hh, m->keys, k, next) {
        if (m->entries <= m->bound)
            return;
        if (needs_attention(k))
            continue;
        drop_key(m, k);
        m->spilled = true;
    }
}

#include "job/synced.h"

#include "base/json.h"
#include "job/filter.h"
#include "source/identity.h"
#include "store/uncopied.h"

#include <stdio.h>
#include <string.h>

/* 10 bits for each of 200,000 keys. A key that only seems to be among them is called missing
 * instead of deleted, which never does harm. */
enum { FILTER_BYTES = 256 << 10, PAGE = 500 };

void job_synced_open(struct job_synced *s)
{
    *s = (struct job_synced){.uncopied = job_filter_new(FILTER_BYTES)};
}

void job_synced_close(struct job_synced *s)
{
    job_filter_free(s->uncopied);
    s->uncopied = NULL;
}

void job_synced_add(struct job_synced *s, struct slice key)
{
    job_filter_add(s->uncopied, job_filter_hash(key));
}

bool job_synced_had_document(const struct job_synced *s, struct slice key, int64_t version)
{
    return s->from > 0 && version >= s->from && version <= s->to &&
           !job_filter_has(s->uncopied, job_filter_hash(key));
}

bool job_synced_check(const struct job_synced *s, const struct job_stores *stores, bool *same,
                      struct err *err)
{
    char now[SOURCE_IDENTITY_MAX];
    *same = false;
    if (s->from == 0)
        return true;
    if (!source_identity(stores->cassandra, stores->elasticsearch, &stores->options->table, now,
                         err))
        return false;
    *same = strcmp(now, s->stores) == 0;
    return true;
}

/* --- the keys, a page at a time: no statement is open while somebody waits */

struct page {
    struct arena arena;
    struct slice keys[PAGE];
    size_t count;
};

static void take_key(void *ctx, struct slice key)
{
    struct page *page = ctx;
    page->keys[page->count++] = arena_copy(&page->arena, key);
}

typedef void key_fn(void *ctx, struct slice key);

static bool each_key(struct store *store, int64_t pipeline, key_fn *fn, void *ctx, struct err *err)
{
    struct page page = {.count = 0};
    struct slice behind = SLICE_NULL;
    bool fine;
    do {
        struct arena before = page.arena; /* holds behind */
        page.arena = (struct arena){0};
        page.count = 0;
        fine = store_uncopied_page(store, pipeline, behind, PAGE, take_key, &page, err);
        arena_free(&before);
        for (size_t i = 0; fine && i < page.count; i++)
            fn(ctx, page.keys[i]);
        if (page.count > 0)
            behind = page.keys[page.count - 1];
    } while (fine && page.count > 0);
    arena_free(&page.arena);
    return fine;
}

static void add_key(void *ctx, struct slice key)
{
    job_synced_add(ctx, key);
}

bool job_synced_read(struct job_synced *s, struct store *store, const struct pipeline *pipeline,
                     struct err *err)
{
    const struct pipeline_synced synced = pipeline_synced(pipeline);
    s->from = synced.from;
    s->to = synced.to;
    snprintf(s->stores, sizeof s->stores, "%s", synced.stores);
    return each_key(store, pipeline_id(pipeline), add_key, s, err);
}

struct telling {
    void (*line)(void *ctx, struct slice line);
    void *ctx;
    struct buf text;
};

static void tell_key(void *ctx, struct slice key)
{
    struct telling *t = ctx;
    buf_clear(&t->text);
    buf_append_str(&t->text, "{\"item\":{");
    json_append_member(&t->text, "key", key);
    buf_append_str(&t->text, "}}");
    t->line(t->ctx, buf_slice(&t->text));
}

/* The range first: a row that becomes a dead letter meanwhile is above it, or among the keys. */
bool job_synced_tell(struct store *store, const struct pipeline *pipeline,
                     void (*line)(void *ctx, struct slice line), void *ctx, struct buf *result,
                     struct err *err)
{
    struct telling t = {.line = line, .ctx = ctx};
    const struct pipeline_synced synced = pipeline_synced(pipeline);
    buf_printf(result, "{\"from\":%lld,\"to\":%lld,", (long long)synced.from, (long long)synced.to);
    json_append_member(result, "stores", slice_str(synced.stores));
    buf_append_char(result, '}');
    const bool fine = each_key(store, pipeline_id(pipeline), tell_key, &t, err);
    buf_free(&t.text);
    return fine;
}

#include "pipeline/internal.h"
#include "source/documents.h"

/* A document that is marked as deleted stays until everybody can have seen it, then it goes: only
 * if it is still the one that was looked at, and only where the row is gone, too. */

enum { PAGE = 500 };

struct sweeping {
    struct cycle *c;
    struct io_group group;
    struct es_feed *feed;
    /* a page */
    struct arena arena;
    struct es_document *seen; /* ids and routings in arena, no sources */
    size_t count;
    bool failed;
    struct err err;
};

static void fail(struct sweeping *s, const struct err *err)
{
    s->failed = true;
    s->err = *err;
}

static void on_feed(void *ctx, struct es_feed *feed, const struct err *err)
{
    struct sweeping *s = ctx;
    if (err)
        fail(s, err);
    s->feed = feed;
    io_group_done(&s->group);
}

static void on_page(void *ctx, const struct es_document *documents, size_t count,
                    const struct err *err)
{
    struct sweeping *s = ctx;
    if (err)
        fail(s, err);
    s->count = count;
    s->seen = arena_alloc(&s->arena, (count + 1) * sizeof *s->seen);
    for (size_t i = 0; i < count; i++) {
        s->seen[i] = documents[i];
        s->seen[i].id = arena_copy(&s->arena, documents[i].id);
        s->seen[i].routing = arena_copy(&s->arena, documents[i].routing);
        /* what was searched for by an analysed or foreign field may be something else */
        s->seen[i].found =
            documents[i].source &&
            source_documents_marked(documents[i].source, s->c->p->options.deleted_field);
        s->seen[i].source = NULL;
    }
    io_group_done(&s->group);
}

static void on_removed(void *ctx, const struct es_bulk_item *items, size_t count,
                       const struct err *err)
{
    struct sweeping *s = ctx;
    size_t removed = 0;
    if (err)
        fail(s, err);
    for (size_t i = 0; !err && i < count; i++)
        removed += items[i].code == ERR_NONE;
    if (removed > 0)
        log_debug(s->c->p->options.log, "removed %zu documents that were marked as deleted",
                  removed);
    io_group_done(&s->group);
}

/* Appends a removal for those of the page whose row is missing. */
static bool append_removals(struct sweeping *s, struct buf *body, size_t *count, struct err *err)
{
    struct pipeline *p = s->c->p;
    struct item *items = arena_alloc(&s->arena, (s->count + 1) * sizeof *items);
    struct change_key *keys = arena_alloc(&s->arena, (s->count + 1) * sizeof *keys);
    struct change_row *rows = arena_alloc(&s->arena, (s->count + 1) * sizeof *rows);
    const struct es_document **seen = arena_alloc(&s->arena, (s->count + 1) * sizeof(void *));
    size_t wanted = 0;
    *count = 0;
    for (size_t i = 0; i < s->count; i++) {
        struct err bad;
        if (!s->seen[i].found || !intake_item(s->c, s->seen[i].id, &items[wanted], &s->arena, &bad))
            continue;
        keys[wanted] = items[wanted].key;
        seen[wanted++] = &s->seen[i];
    }
    if (!source_rows_read(p->rows, keys, wanted, rows, &s->arena, err))
        return false;
    for (size_t i = 0; i < wanted; i++) {
        if (!rows[i].content.missing)
            continue;
        if (!es_bulk_delete_if(p->elasticsearch, body, seen[i], err))
            return false;
        ++*count;
    }
    return true;
}

static bool remove_page(struct sweeping *s, struct err *err)
{
    struct buf body = {0};
    size_t count;
    bool fine = append_removals(s, &body, &count, err);
    if (fine && count > 0) {
        io_group_add(&s->group);
        fine = es_bulk(s->c->p->elasticsearch, &body, count, on_removed, s, err);
        if (fine)
            io_group_wait(&s->group);
        else
            s->group.pending--;
    }
    buf_free(&body);
    return fine;
}

static bool next_page(struct sweeping *s, struct err *err)
{
    arena_reset(&s->arena);
    io_group_add(&s->group);
    if (!es_feed_next(s->feed, on_page, s, err))
        return false;
    io_group_wait(&s->group);
    return !s->failed;
}

static bool sweep(struct sweeping *s, int64_t until, const struct io_wake *stop, struct err *err)
{
    const struct pipeline *p = s->c->p;
    const struct es_feed_options options = {
        .since = 1, .until = until, .where_true = p->options.deleted_field.ptr, .page_size = PAGE};
    io_group_add(&s->group);
    if (!es_feed_open(p->elasticsearch, &options, on_feed, s, err))
        return false;
    io_group_wait(&s->group);
    do {
        if (s->failed || !next_page(s, err) || !remove_page(s, err))
            return false;
    } while (s->count > 0 && !s->failed && !(stop && stop->raised));
    return !s->failed;
}

bool sweep_deleted(struct cycle *c, const struct io_wake *stop, struct err *err)
{
    const struct pipeline_options *o = &c->p->options;
    if (slice_is_null(o->deleted_field) || !c->whole || c->floor)
        return true;
    /* Not before all looks: what is older was applied, or is a dead letter. */
    const int64_t ends_after = pipeline_ends_after(o);
    const int64_t kept = o->keep_deleted_us > ends_after ? o->keep_deleted_us : ends_after;
    const int64_t until = o->table.unit_us ? window_version_at(c->p, c->now - kept) : c->since - 1;
    if (until < 1)
        return true;
    struct sweeping s = {.c = c};
    const bool fine = sweep(&s, until, stop, err);
    if (!fine && s.failed && err)
        *err = s.err;
    if (s.feed)
        es_feed_close(s.feed);
    arena_free(&s.arena);
    return fine;
}

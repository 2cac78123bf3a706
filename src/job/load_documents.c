#include "job/load_documents.h"

#include "base/clock.h"
#include "base/mem.h"
#include "source/documents.h"
#include "source/index.h"

#include <stdlib.h>

enum { PAGE_FIRST = 200, PAGE_MIN = 10, PAGE_MAX = 2000, PAGE_BYTES = 1 << 20 };

/* A part under way. */
struct feeding {
    struct load *l;
    struct arena arena;
    struct load_rest rest;
    uint32_t size;  /* of the next page */
    int64_t seq_no; /* of the last document; of those with the same, these were seen: */
    uint64_t *seen; /* by their hash */
    size_t seen_count, seen_room;
    size_t copied;        /* of this run */
    struct es_feed *feed; /* where there are no sequence numbers */
};

static void feeding_close(struct feeding *f)
{
    if (f->feed)
        es_feed_close(f->feed);
    arena_free(&f->arena);
    load_rest_free(&f->rest);
    free(f->seen);
}

/* --- pages */

static void adapt_size(struct feeding *f, const struct source_index_page *page)
{
    if (page->count == 0)
        return;
    uint64_t size = PAGE_BYTES / (page->bytes / page->count + 1);
    if (size > 4 * (uint64_t)f->size)
        size = 4 * (uint64_t)f->size;
    f->size = size < PAGE_MIN ? PAGE_MIN : size > PAGE_MAX ? PAGE_MAX : (uint32_t)size;
    f->size = load_limit(f->l, f->size);
}

static bool was_seen(const struct feeding *f, uint64_t hash)
{
    for (size_t i = 0; i < f->seen_count; i++) {
        if (f->seen[i] == hash)
            return true;
    }
    return false;
}

static void see(struct feeding *f, uint64_t hash)
{
    if (f->seen_count == f->seen_room) {
        f->seen_room = f->seen_room ? 2 * f->seen_room : 16;
        f->seen = mem_realloc(f->seen, f->seen_room * sizeof *f->seen);
    }
    f->seen[f->seen_count++] = hash;
}

/* Shards count for themselves: the documents of a number may lie on two pages. */
static struct load_document *new_items(struct feeding *f, const struct source_index_page *page,
                                       size_t *count)
{
    struct load_document *items = arena_zalloc(&f->arena, (page->count + 1) * sizeof *items);
    *count = 0;
    for (size_t i = 0; i < page->count; i++) {
        const struct change_document *document = &page->documents[i];
        const uint64_t hash = load_guard_hash(page->ids[i]);
        if (document->seq_no >= 0 && document->seq_no == f->seq_no && was_seen(f, hash))
            continue;
        if (document->seq_no != f->seq_no)
            f->seen_count = 0;
        f->seq_no = document->seq_no;
        if (document->seq_no >= 0)
            see(f, hash);
        items[*count].key.text = page->ids[i];
        items[(*count)++].document = document;
    }
    return items;
}

static bool read_page(struct feeding *f, int64_t low, int64_t high, struct source_index_page *page,
                      struct err *err)
{
    struct load *l = f->l;
    const struct job_stores *stores = l->o->stores;
    const struct es_page_options options = {
        .low = low, .high = high, .below = l->border.since, .size = f->size};
    const int64_t since = clock_mono_us();
    arena_reset(&f->arena);
    load_rest_reset(&f->rest);
    const bool fine =
        f->feed ? source_index_feed_next(f->feed, stores->table.schema,
                                         stores->options->deleted_field, page, &f->arena, err)
                : source_index_page(stores->elasticsearch, stores->table.schema,
                                    stores->options->deleted_field, &options, page, &f->arena, err);
    l->elasticsearch.waited_us += (uint64_t)(clock_mono_us() - since);
    if (fine) {
        job_flow_went_well(&l->elasticsearch);
        return true;
    }
    if (err->code == ERR_TOO_LARGE && f->size > 1 && !f->feed) {
        f->size /= 2;
        err->code = ERR_OVERLOADED; /* again */
    }
    job_flow_failed(&l->elasticsearch, err->code);
    return false;
}

/* Before a kill some of them may have become rows, without what insertQuery makes of them. */
static void may_be_written(struct load *l, struct load_document *items, size_t count)
{
    if (!load_home(l)->report->resumed || l->o->stores->options->query_count == 0)
        return;
    for (size_t i = 0; i < count; i++)
        items[i].unknown = 1;
}

static bool copy_page(struct feeding *f, const struct source_index_page *page, struct err *err)
{
    size_t count;
    struct load_document *items = new_items(f, page, &count);
    if (f->feed || f->copied < PAGE_MAX) /* the page that was under way then, or a whole part */
        may_be_written(f->l, items, count);
    f->copied += count;
    if (!load_insert(f->l, items, count, &f->arena, &f->rest, err))
        return false;
    f->l->report->records += (int64_t)count;
    return true;
}

static bool save(struct feeding *f, uint32_t number, const struct store_load_part *part,
                 size_t count, struct err *err)
{
    return load_part_done(f->l, number, part, f->rest.later, f->rest.later_count, err) &&
           load_goes_on(f->l, (int64_t)count, err);
}

/* In the order of sequence numbers, so that it can be taken up again anywhere. */
static bool copy_numbers(struct feeding *f, uint32_t number, struct store_load_part *part,
                         struct err *err)
{
    struct source_index_page page;
    int64_t low = part->position + 1;
    while (!part->done) {
        const uint32_t size = f->size;
        if (!read_page(f, low, part->high, &page, err)) {
            if (!load_retries(f->l, &f->l->elasticsearch, err))
                return false;
            continue;
        }
        if (!copy_page(f, &page, err))
            return false;
        part->done = page.count < size;
        adapt_size(f, &page);
        if (page.count > 0 && page.seq_no > low) {
            low = page.seq_no;
            part->position = low - 1;
        } else if (f->size <= size) {
            f->size = 2 * size; /* more shards than that have the number */
        }
        if (!save(f, number, part, page.count, err))
            return false;
    }
    return true;
}

/* A feed can't be taken up again: the whole part is repeated. */
static bool copy_versions(struct feeding *f, uint32_t number, struct store_load_part *part,
                          struct err *err)
{
    struct load *l = f->l;
    struct source_index_page page = {0};
    do {
        const bool opened =
            f->feed || (f->feed = source_index_feed(l->o->stores->elasticsearch, part->low + 1,
                                                    part->high, load_limit(l, PAGE_MAX / 2), err));
        if (!opened || !read_page(f, 0, 0, &page, err)) {
            if (f->feed)
                es_feed_close(f->feed);
            f->feed = NULL;
            page.count = 1; /* not the end */
            if (!load_retries(l, &l->elasticsearch, err))
                return false;
            continue;
        }
        part->done = page.count == 0;
        if (!copy_page(f, &page, err) || !save(f, number, part, page.count, err))
            return false;
    } while (!part->done);
    return true;
}

bool load_documents_part(struct load *l, uint32_t number, struct err *err)
{
    struct feeding f = {.l = l, .size = load_limit(l, PAGE_FIRST), .seq_no = -1};
    struct store_load_part part = load_part(l, number);
    if (part.done)
        return true;
    const bool fine = es_client_version(l->o->stores->elasticsearch)->sequence_numbers
                          ? copy_numbers(&f, number, &part, err)
                          : copy_versions(&f, number, &part, err);
    feeding_close(&f);
    return fine;
}

bool load_documents_again(struct load *l, const struct slice *keys, size_t count, struct err *err)
{
    const struct job_stores *stores = l->o->stores;
    struct arena arena = {0};
    struct load_rest rest = {.letter_count = 0};
    struct change_document *documents = arena_alloc(&arena, (count + 1) * sizeof *documents);
    struct load_document *items = arena_zalloc(&arena, (count + 1) * sizeof *items);
    size_t wanted = 0;
    bool fine;
    while (!(fine = source_documents_read(stores->elasticsearch, stores->table.schema,
                                          stores->options->deleted_field, keys, count, documents,
                                          &arena, err)) &&
           load_retries_failed(l, &l->elasticsearch, err))
        ;
    if (fine)
        job_flow_went_well(&l->elasticsearch);
    for (size_t i = 0; fine && i < count; i++) {
        if (documents[i].version >= l->border.since) {
            l->report->skipped++;
            continue;
        }
        items[wanted].key.text = keys[i];
        items[wanted++].document = &documents[i];
    }
    may_be_written(l, items, wanted);
    fine = fine && load_insert(l, items, wanted, &arena, &rest, err);
    load_rest_free(&rest);
    arena_free(&arena);
    return fine;
}

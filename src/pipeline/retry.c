#include "base/mem.h"
#include "pipeline/internal.h"
#include "source/documents.h"

#include <stdlib.h>

/* Dead letters that somebody wants to be tried again. */

enum { PAGE = 500 };

/* A page of letters, in the order of their keys. */
struct letters {
    struct store_dead_letter items[PAGE];
    const struct item *examined[PAGE]; /* NULL: what is no key */
    uint32_t count;
    struct arena arena;
};

static bool take_letter(void *ctx, const struct store_dead_letter *letter)
{
    struct letters *l = ctx;
    if (l->count == PAGE)
        return false;
    struct store_dead_letter *copy = &l->items[l->count++];
    *copy = *letter;
    copy->key = arena_copy(&l->arena, letter->key);
    copy->rule = copy->reason = NULL;
    copy->payload = SLICE_NULL;
    return true;
}

static bool in_future(const struct cycle *c, const struct store_dead_letter *letter)
{
    return c->rules.latest_version && letter->version > c->rules.latest_version;
}

/* A letter towards Elasticsearch comes from an entry that may have expired by now. */
static bool revive_entry(struct cycle *c, const struct store_dead_letter *letter, struct err *err)
{
    if (letter->target != CHANGE_ELASTICSEARCH || in_future(c, letter))
        return true;
    struct memory_entry *e = memory_entry(c->p->memory, letter->key, letter->version, c->now, err);
    if (!e)
        return false;
    e->entry.seen |= STORE_SEEN_ENTRY;
    if (!e->entry.first_look) /* deleteSettle has passed, also where this try fails */
        e->entry.first_look = letter->at;
    intake_look(c, e);
    return true;
}

/* All letters of the record up to what a clock can have given. */
static bool settle(struct cycle *c, struct slice key, int64_t version, struct err *err)
{
    struct pipeline *p = c->p;
    return store_dead_settle(p->store, p->id, key, version, err) &&
           store_dead_count(p->store, p->id, &p->dead_letters, err);
}

/* Letters of the future stay until their time has come, unless their document is another by now. */
static bool settle_future(struct cycle *c, const struct item *item,
                          const struct store_dead_letter *letter, struct err *err)
{
    struct pipeline *p = c->p;
    if (!in_future(c, letter) || letter->target != CHANGE_CASSANDRA ||
        item->document.version == letter->version)
        return true;
    return store_dead_settle(p->store, p->id, letter->key, letter->version, err) &&
           store_dead_count(p->store, p->id, &p->dead_letters, err);
}

static bool take_item(struct cycle *c, const struct item *item, struct err *err)
{
    const bool dead = item->decision.action == RESOLVE_DEAD ||
                      (item->writes && item->write.outcome == SINK_REJECTED);
    c->retry->put_off += item->put_off;
    if (dead || item->put_off)
        return true;
    const int64_t latest = c->rules.latest_version;
    return settle(c, item->key.text, latest ? latest : INT64_MAX, err);
}

/* What is no key of the table can only go away: with the document, or with a newer version of it,
 * which has a letter of its own. */
static bool retry_unusable(struct cycle *c, const struct store_dead_letter *letter,
                           struct arena *arena, struct err *err)
{
    struct pipeline *p = c->p;
    struct change_document document = {.version = letter->version};
    if (letter->target == CHANGE_CASSANDRA &&
        !source_documents_read(p->elasticsearch, p->table.schema, p->options.deleted_field,
                               &letter->key, 1, &document, arena, err))
        return false;
    return document.version == letter->version || settle(c, letter->key, letter->version, err);
}

static bool retry_page(struct cycle *c, struct letters *l, struct err *err)
{
    struct arena arena = {0};
    struct item *items = arena_alloc(&arena, (l->count + 1) * sizeof *items);
    size_t count = 0;
    bool fine = true;
    for (uint32_t i = 0; fine && i < l->count; i++) {
        const struct store_dead_letter *letter = &l->items[i];
        const bool again = count > 0 && slice_equal(items[count - 1].key.text, letter->key);
        struct err bad = {0};
        l->examined[i] = NULL;
        if (!again && !intake_item(c, letter->key, &items[count], &arena, &bad)) {
            fine = retry_unusable(c, letter, &arena, err);
            continue;
        }
        if (!again)
            items[count++].retried = true;
        l->examined[i] = &items[count - 1];
        fine = revive_entry(c, letter, err);
    }
    fine = fine && memory_flush(c->p->memory, err) && examine_batch(c, items, count, &arena, err);
    for (size_t i = 0; fine && i < count; i++)
        fine = take_item(c, &items[i], err);
    for (uint32_t i = 0; fine && i < l->count; i++)
        fine = !l->examined[i] || settle_future(c, l->examined[i], &l->items[i], err);
    arena_free(&arena);
    return fine;
}

static bool read_page(struct cycle *c, struct letters *l, const struct store_dead_letter *behind,
                      struct err *err)
{
    struct pipeline *p = c->p;
    l->count = 0;
    arena_reset(&l->arena);
    if (slice_is_null(c->retry->key))
        return store_dead_page(p->store, p->id, behind, PAGE, take_letter, l, err);
    return behind || store_dead_of_key(p->store, p->id, c->retry->key, take_letter, l, err);
}

bool retry_letters(struct cycle *c, const struct io_wake *stop, struct err *err)
{
    struct letters *l = mem_zalloc(sizeof *l);
    struct store_dead_letter behind;
    struct buf last = {0}; /* its key */
    bool fine = read_page(c, l, NULL, err);
    while (fine && l->count > 0 && c->report->transient == 0 && !(stop && stop->raised)) {
        behind = l->items[l->count - 1];
        buf_clear(&last);
        buf_append_slice(&last, behind.key);
        behind.key = slice_of(buf_cstr(&last), last.len);
        fine = retry_page(c, l, err) && read_page(c, l, &behind, err);
        memory_trim(c->p->memory);
    }
    buf_free(&last);
    arena_free(&l->arena);
    free(l);
    return fine;
}

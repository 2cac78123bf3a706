#include "base/clock.h"
#include "pipeline/internal.h"
#include "source/documents.h"
#include "source/rows.h"

/* A cycle for one key that only looks. */

/* Entries in the arena: what is looked at here must not count as looked at. */
static struct memory_entry *copy_entries(const struct memory_entry *from, struct arena *arena)
{
    struct memory_entry *first = NULL;
    for (; from; from = from->next) {
        struct memory_entry *copy = arena_alloc(arena, sizeof *copy);
        *copy = *from;
        copy->next = first;
        first = copy;
    }
    return first;
}

static void add_entry(struct item *item, int64_t version, struct arena *arena)
{
    struct memory_entry *e = item->entries;
    while (e && e->entry.version != version)
        e = e->next;
    if (!e) {
        e = arena_zalloc(arena, sizeof *e);
        e->entry.key = item->key.text;
        e->entry.version = version;
        e->next = item->entries;
        item->entries = e;
    }
    e->entry.seen |= STORE_SEEN_ENTRY;
}

/* What the next cycle would find in the window. */
static bool read_entries(const struct cycle *c, struct item *item, struct arena *arena,
                         struct err *err)
{
    struct source *s = c->p->series;
    struct arena pages = {0};
    struct source_page page;
    if (!s->ops->open(s, &(struct source_window){.since = c->since}, err))
        return false;
    bool fine;
    do {
        arena_reset(&pages);
        fine = s->ops->next(s, &page, &pages, err);
        for (uint32_t i = 0; fine && i < page.count; i++) {
            if (!page.entries[i].unusable && slice_equal(page.entries[i].key, item->key.text))
                add_entry(item, page.entries[i].version, arena);
        }
    } while (fine && page.count > 0);
    s->ops->close(s);
    arena_free(&pages);
    return fine;
}

bool pipeline_explain(struct pipeline *p, struct slice key, struct pipeline_explanation *out,
                      struct arena *arena, struct err *err)
{
    struct pipeline_report report = {0};
    struct cycle c = {.p = p, .report = &report, .whole = true};
    struct item item;
    struct memory_entry *entries;
    if (!bind_servers(p, err) || !memory_flush(p->memory, err))
        return false;
    c.now = clock_wall_us();
    c.settled = c.now - p->options.settle_us;
    if (!window_open(&c, err) || !intake_item(&c, arena_copy(arena, key), &item, arena, err) ||
        !source_rows_read_times(p->rows, &item.key, &item.row, arena, err) ||
        !source_documents_read(p->elasticsearch, p->table.schema, p->options.deleted_field,
                               &item.key.text, 1, &item.document, arena, err) ||
        !memory_entries(p->memory, item.key.text, &entries, err) ||
        !store_dead_unexplained(p->store, p->id, item.key.text, &item.unexplained, err))
        return false;
    c.read = clock_wall_us();
    item.entries = copy_entries(entries, arena);
    if (!read_entries(&c, &item, arena, err))
        return false;
    examine_facts(&c, &item);
    *out = (struct pipeline_explanation){.schema = p->table.schema,
                                         .document = item.document,
                                         .row = item.row,
                                         .facts = item.facts,
                                         .decision = resolve_decide(&item.facts, &c.rules)};
    return true;
}

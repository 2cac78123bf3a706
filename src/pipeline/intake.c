#include "map/convert.h"
#include "pipeline/internal.h"
#include "source/documents.h"
#include "store/dead_letter.h"

/* What the sources and the memory hand over becomes items to be examined, or dead letters. */

enum { AHEAD = 8 }; /* entries that are fetched from memory while this one is looked at */

static void look_ahead(const struct cycle *c, const struct source_page *page, uint32_t at)
{
    if (at + AHEAD < page->count)
        memory_prefetch(c->p->memory, page->entries[at + AHEAD].key);
}

bool intake_item(const struct cycle *c, struct slice text, struct item *item, struct arena *arena,
                 struct err *bad)
{
    struct slice *cells = arena_alloc(arena, (c->p->table.schema->key_count + 1) * sizeof *cells);
    *item = (struct item){.key = {.text = text, .cells = cells}};
    return map_key_parse(c->p->table.schema, text, cells, arena, bad);
}

void intake_look(const struct cycle *c, struct memory_entry *e)
{
    e->entry.looks = e->entry.version < c->from ? STORE_LOOKS_LEAVING - 1 : 0;
    e->entry.due = c->now;
    memory_changed(c->p->memory, e);
}

/* An entry that can't be followed up: kept in the dead letters first, then remembered as seen. */
static bool refuse_entry(struct cycle *c, const struct change_entry *entry, enum change_side from,
                         const char *rule, const char *reason, struct slice payload,
                         struct err *err)
{
    struct pipeline *p = c->p;
    if (!outcome_dead(c, entry->key, entry->version, change_other(from), rule, reason, payload, 0,
                      err))
        return false;
    struct memory_entry *e = memory_entry(p->memory, entry->key, entry->version, c->now, err);
    if (!e)
        return false;
    e->entry.seen |= from == CHANGE_CASSANDRA ? STORE_SEEN_ENTRY : STORE_SEEN_DOCUMENT;
    e->entry.looks = STORE_LOOKS_ALL;
    e->entry.first_look = c->now;
    e->entry.due = STORE_NEVER;
    memory_changed(p->memory, e);
    return true;
}

/* document: NULL if it has not been read. */
static bool refuse_document(struct cycle *c, const struct change_entry *entry,
                            const struct change_document *document, const char *why,
                            struct arena *arena, struct err *err)
{
    const struct pipeline *p = c->p;
    struct buf payload = {0};
    struct change_document read;
    if (!document) {
        if (!source_documents_read(p->elasticsearch, p->table.schema, p->options.deleted_field,
                                   &entry->key, 1, &read, arena, err))
            return false;
        document = &read;
    }
    outcome_payload(c, document->source, &document->content, &payload);
    const bool fine =
        refuse_entry(c, entry, CHANGE_ELASTICSEARCH, "entry", why, buf_slice(&payload), err);
    buf_free(&payload);
    return fine;
}

/* Its row is what could not be copied. */
static bool refuse_row(struct cycle *c, const struct change_entry *entry, const char *why,
                       struct arena *arena, struct err *err)
{
    struct item item = {0};
    struct err bad = {0};
    struct buf payload = {0};
    if (!entry->unusable && intake_item(c, entry->key, &item, arena, &bad) &&
        !source_rows_read(c->p->rows, &item.key, 1, &item.row, arena, err))
        return false;
    if (item.row.content.cells)
        outcome_payload(c, SLICE_NULL, &item.row.content, &payload);
    const bool fine = refuse_entry(c, entry, CHANGE_CASSANDRA, "entry", why,
                                   payload.len ? buf_slice(&payload) : SLICE_NULL, err);
    buf_free(&payload);
    return fine;
}

static const char *why_unusable(const struct cycle *c, const struct change_entry *entry)
{
    if (entry->unusable)
        return entry->unusable;
    if (entry->version <= 0)
        return "versions are greater than 0";
    if (c->rules.latest_version && entry->version > c->rules.latest_version)
        return resolve_rule_text(RESOLVE_RULE_VERSION_IN_FUTURE);
    return NULL;
}

static void raise_highest(int64_t *highest, const struct cycle *c, int64_t version)
{
    if (version > *highest && (!c->rules.latest_version || version <= c->rules.latest_version))
        *highest = version;
}

/* All of Cassandra's window goes into the memory first: a document is decided against it. */
bool intake_entries(struct cycle *c, const struct source_page *page, struct arena *arena,
                    struct err *err)
{
    struct pipeline *p = c->p;
    for (uint32_t i = 0; i < page->count; i++) {
        const struct change_entry *entry = &page->entries[i];
        look_ahead(c, page, i);
        raise_highest(&c->highest_cassandra, c, entry->version);
        if (entry->version < c->floor ||
            memory_seen(p->memory, entry->key, entry->version, STORE_SEEN_ENTRY))
            continue;
        const char *why = why_unusable(c, entry);
        if (why) {
            if (!refuse_row(c, entry, why, arena, err))
                return false;
            continue;
        }
        struct memory_entry *e = memory_entry(p->memory, entry->key, entry->version, c->now, err);
        if (!e)
            return false;
        e->entry.seen |= STORE_SEEN_ENTRY;
        if (e->entry.due > c->now || e->entry.looks > 0) {
            e->entry.looks = 0; /* new on this side: all looks begin again */
            e->entry.due = c->now;
        }
        memory_changed(p->memory, e);
    }
    return memory_flush(p->memory, err);
}

bool intake_documents(struct cycle *c, const struct source_page *page, struct arena *arena,
                      struct err *err)
{
    /* Where an _id may stand for several documents, this one may not be the record's. */
    const bool by_key = !page->documents || es_client_routed(c->p->elasticsearch);
    struct item *items = arena_alloc(arena, (by_key ? 1 : page->count + 1) * sizeof *items);
    size_t count = 0; /* 0 by key: each in the place of the one before */
    for (uint32_t i = 0; i < page->count; i++) {
        const struct change_entry *entry = &page->entries[i];
        look_ahead(c, page, i);
        raise_highest(&c->highest_elasticsearch, c, entry->version);
        if (entry->version < c->floor ||
            memory_seen(c->p->memory, entry->key, entry->version, STORE_SEEN_DOCUMENT))
            continue;
        struct err bad = {0};
        const char *why = why_unusable(c, entry);
        if (!why && !intake_item(c, entry->key, &items[count], arena, &bad))
            why = bad.text;
        if (why) {
            if (!refuse_document(c, entry, page->documents ? &page->documents[i] : NULL, why, arena,
                                 err))
                return false;
            continue;
        }
        struct memory_entry *e =
            memory_entry(c->p->memory, entry->key, entry->version, c->now, err);
        if (!e)
            return false;
        if (by_key) /* read when its turn comes, in this cycle */
            e->entry.seen |= STORE_SEEN_DOCUMENT;
        /* Of before the window: found by its timestamp, but a writer without external versions
         * left it with another. */
        intake_look(c, e);
        if (by_key)
            continue;
        items[count].document = page->documents[i];
        items[count].have_document = true;
        count++;
    }
    return examine_batch(c, items, count, arena, err) && memory_flush(c->p->memory, err);
}

/* With --since nothing below it is read, so nothing can be decided there: a look that is due waits
 * for a run without. True: this key has no more than that. */
static bool lies_below_floor(struct cycle *c, struct memory_entry *entries)
{
    for (const struct memory_entry *e = entries; e; e = e->next) {
        if (e->entry.version >= c->floor)
            return false;
    }
    for (struct memory_entry *e = entries; e; e = e->next) {
        if (e->entry.due > c->now)
            continue;
        e->entry.due = c->now + 1;
        memory_changed(c->p->memory, e);
    }
    return true;
}

bool intake_keys(struct cycle *c, const struct slice *keys, size_t count, struct arena *arena,
                 struct err *err)
{
    struct item *items = arena_alloc(arena, (count + 1) * sizeof *items);
    size_t parsed = 0;
    for (size_t i = 0; i < count; i++) {
        struct err bad = {0};
        struct memory_entry *e;
        if (!memory_entries(c->p->memory, keys[i], &e, err))
            return false;
        if (lies_below_floor(c, e))
            continue;
        if (intake_item(c, keys[i], &items[parsed], arena, &bad)) {
            items[parsed].entries = e;
            parsed++;
            continue;
        }
        for (; e; e = e->next) { /* the schema has changed since it was noted */
            const struct change_entry entry = {.key = e->entry.key, .version = e->entry.version};
            if (e->entry.due <= c->now &&
                !refuse_entry(c, &entry, CHANGE_CASSANDRA, "key", bad.text, SLICE_NULL, err))
                return false;
        }
    }
    return examine_batch(c, items, parsed, arena, err);
}

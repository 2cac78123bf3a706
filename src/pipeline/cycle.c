#include "base/clock.h"
#include "map/convert.h"
#include "pipeline/internal.h"
#include "source/await.h"
#include "store/dead_letter.h"

enum { BATCH = 1000 };

static bool stopped(const struct io_wake *stop)
{
    return stop && stop->raised;
}

bool cycle_item(const struct cycle *c, struct slice text, struct item *item, struct arena *arena,
                struct err *bad)
{
    struct slice *cells = arena_alloc(arena, (c->p->table.schema->key_count + 1) * sizeof *cells);
    *item = (struct item){.key = {.text = text, .cells = cells}};
    return map_key_parse(c->p->table.schema, text, cells, arena, bad);
}

/* An entry that can't be followed up: remembered as seen, kept in the dead letters. */
static bool refuse_entry(struct cycle *c, const struct change_entry *entry, enum change_side from,
                         const char *rule, const char *reason, struct slice payload,
                         struct err *err)
{
    struct pipeline *p = c->p;
    struct memory_entry *e = memory_entry(p->memory, entry->key, entry->version, c->now, err);
    if (!e)
        return false;
    e->entry.seen |= from == CHANGE_CASSANDRA ? STORE_SEEN_ENTRY : STORE_SEEN_DOCUMENT;
    e->entry.looks = STORE_LOOKS_ALL;
    e->entry.first_look = c->now;
    e->entry.due = STORE_NEVER;
    memory_changed(p->memory, e);
    if (store_begin(p->store, err) &&
        outcome_dead(c, entry->key, entry->version, change_other(from), rule, reason, payload, 0,
                     err) &&
        memory_write(p->memory, err) && store_commit(p->store, err)) {
        memory_written(p->memory);
        return true;
    }
    store_rollback(p->store);
    return false;
}

static bool refuse_document(struct cycle *c, const struct change_entry *entry,
                            const struct change_document *document, const char *why,
                            struct err *err)
{
    struct buf payload = {0};
    const struct change_content *content = &document->content;
    struct err bad = {0};
    if (!slice_is_null(document->source))
        buf_append_slice(&payload, document->source);
    else if (!content->cells || content->missing ||
             !map_document_render(c->p->table.schema, content->cells, SLICE_NULL, 0, NULL, &payload,
                                  &bad))
        buf_append_str(&payload, "null");
    const bool fine =
        refuse_entry(c, entry, CHANGE_ELASTICSEARCH, "entry", why, buf_slice(&payload), err);
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

static bool is_seen(struct cycle *c, const struct change_entry *entry, unsigned side, bool *seen,
                    struct err *err)
{
    struct memory_entry *e;
    *seen = false;
    if (!memory_entries(c->p->memory, entry->key, &e, err))
        return false;
    for (; e && !*seen; e = e->next)
        *seen = e->entry.version == entry->version && (e->entry.seen & side);
    return true;
}

static void raise_highest(int64_t *highest, const struct cycle *c, int64_t version)
{
    if (version > *highest && (!c->rules.latest_version || version <= c->rules.latest_version))
        *highest = version;
}

/* All of Cassandra's window goes into the memory first: a document is decided against it. */
static bool take_entries(struct cycle *c, const struct source_page *page, struct err *err)
{
    struct pipeline *p = c->p;
    for (uint32_t i = 0; i < page->count; i++) {
        const struct change_entry *entry = &page->entries[i];
        bool seen;
        raise_highest(&c->highest_cassandra, c, entry->version);
        if (!is_seen(c, entry, STORE_SEEN_ENTRY, &seen, err))
            return false;
        if (seen || entry->version < c->floor)
            continue;
        const char *why = why_unusable(c, entry);
        if (why) {
            if (!refuse_entry(c, entry, CHANGE_CASSANDRA, "entry", why, SLICE_NULL, err))
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
    return true;
}

static bool read_series(struct cycle *c, const struct io_wake *stop, struct err *err)
{
    struct source *s = c->p->series;
    if (!s->ops->open(s, c->from, err))
        return false;
    struct arena arena = {0};
    struct source_page page;
    bool fine;
    do {
        arena_reset(&arena);
        fine = s->ops->next(s, &page, &arena, err) && take_entries(c, &page, err);
        fine = fine && memory_flush(c->p->memory, err);
        if (fine)
            memory_trim(c->p->memory);
    } while (fine && page.count > 0 && !stopped(stop));
    arena_free(&arena);
    s->ops->close(s);
    return fine;
}

static bool examine_documents(struct cycle *c, const struct source_page *page, struct arena *arena,
                              struct err *err)
{
    struct item *items = arena_alloc(arena, (page->count + 1) * sizeof *items);
    size_t count = 0;
    for (uint32_t i = 0; i < page->count; i++) {
        const struct change_entry *entry = &page->entries[i];
        bool seen;
        raise_highest(&c->highest_elasticsearch, c, entry->version);
        if (!is_seen(c, entry, STORE_SEEN_DOCUMENT, &seen, err))
            return false;
        if (seen || entry->version < c->floor)
            continue;
        struct err bad = {0};
        const char *why = why_unusable(c, entry);
        if (!why && !cycle_item(c, entry->key, &items[count], arena, &bad))
            why = bad.text;
        if (why) {
            if (!refuse_document(c, entry, &page->documents[i], why, err))
                return false;
            continue;
        }
        struct memory_entry *e =
            memory_entry(c->p->memory, entry->key, entry->version, c->now, err);
        if (!e)
            return false;
        e->entry.looks = 0;
        e->entry.due = c->now;
        memory_changed(c->p->memory, e);
        items[count].document = page->documents[i];
        items[count].have_document = true;
        count++;
    }
    return examine_batch(c, items, count, arena, err);
}

static bool read_documents(struct cycle *c, const struct io_wake *stop, struct err *err)
{
    struct source *s = c->p->documents;
    if (!s->ops->open(s, c->from, err))
        return false;
    struct arena arena = {0};
    struct source_page page;
    bool fine;
    do {
        arena_reset(&arena);
        fine = s->ops->next(s, &page, &arena, err) && examine_documents(c, &page, &arena, err);
        if (fine)
            memory_trim(c->p->memory);
    } while (fine && page.count > 0 && !stopped(stop) && c->report->transient == 0);
    arena_free(&arena);
    s->ops->close(s);
    return fine;
}

static bool examine_keys(struct cycle *c, const struct slice *keys, size_t count,
                         struct arena *arena, struct err *err)
{
    struct item *items = arena_alloc(arena, (count + 1) * sizeof *items);
    size_t parsed = 0;
    for (size_t i = 0; i < count; i++) {
        struct err bad = {0};
        if (cycle_item(c, keys[i], &items[parsed], arena, &bad)) {
            parsed++;
            continue;
        }
        struct memory_entry *e;
        if (!memory_entries(c->p->memory, keys[i], &e, err))
            return false;
        for (; e; e = e->next) { /* the schema has changed since it was noted */
            const struct change_entry entry = {.key = e->entry.key, .version = e->entry.version};
            if (e->entry.due <= c->now &&
                !refuse_entry(c, &entry, CHANGE_CASSANDRA, "key", bad.text, SLICE_NULL, err))
                return false;
        }
    }
    return examine_batch(c, items, parsed, arena, err);
}

/* New entries of Cassandra, looks, and what was put off. */
static bool examine_due(struct cycle *c, const struct io_wake *stop, struct err *err)
{
    struct arena arena = {0};
    bool fine;
    size_t count = 0;
    do {
        arena_reset(&arena);
        struct slice *keys;
        fine = memory_flush(c->p->memory, err) &&
               memory_due(c->p->memory, c->now, BATCH, &arena, &keys, &count, err) &&
               examine_keys(c, keys, count, &arena, err);
        if (fine)
            memory_trim(c->p->memory);
    } while (fine && count > 0 && !stopped(stop) && c->report->transient == 0);
    arena_free(&arena);
    return fine;
}

static bool complete(struct cycle *c, struct err *err)
{
    struct pipeline *p = c->p;
    struct store_checkpoint *checkpoint = &p->checkpoint;
    const struct store_checkpoint before = *checkpoint;
    checkpoint->exists = true;
    if (c->highest_cassandra > checkpoint->highest_cassandra)
        checkpoint->highest_cassandra = c->highest_cassandra;
    if (c->highest_elasticsearch > checkpoint->highest_elasticsearch)
        checkpoint->highest_elasticsearch = c->highest_elasticsearch;
    /* A row that waits for the whole overlap to be read is judged by the P it was found with. */
    if (c->settled > checkpoint->settled && !p->whole_wanted)
        checkpoint->settled = c->settled;
    checkpoint->completed = c->now;
    bool fine = store_begin(p->store, err) && memory_write(p->memory, err) &&
                store_checkpoint_write(p->store, p->id, checkpoint, err);
    /* One overlap longer than needed: the window widens when something old is put off. */
    if (fine && c->whole)
        fine = memory_leave(p->memory, c->since, c->now, err) &&
               memory_forget(p->memory, c->since - p->options.overlap, err);
    if (fine && store_commit(p->store, err)) {
        memory_written(p->memory);
        p->status.completed_us = c->now;
        if (c->whole)
            p->whole_read = c->now;
        return true;
    }
    store_rollback(p->store);
    *checkpoint = before;
    return false;
}

static bool run_cycle(struct cycle *c, const struct io_wake *stop, struct err *err)
{
    struct pipeline *p = c->p;
    if (!bind_servers(p, err) || !memory_flush(p->memory, err))
        return false;
    c->now = clock_wall_us();
    c->settled = c->now - p->options.settle_us;
    if (!window_open(c, err))
        return false;
    p->whole_wanted = false;
    if (p->dead_letters >= p->options.dead_letters_max)
        return err_set(err, ERR_UNAVAILABLE,
                       "%lld dead letters are all that deadLetters.max allows: nothing more is "
                       "copied until they are settled",
                       (long long)p->dead_letters);
    if (p->options.refresh && !await_es_refresh(p->elasticsearch, err))
        return false;
    if (!read_series(c, stop, err) || stopped(stop) || !read_documents(c, stop, err) ||
        !examine_due(c, stop, err) || (c->retry && !retry_letters(c, stop, err)))
        return false;
    if (c->report->transient > 0) {
        if (err)
            *err = c->report->failure;
        return false;
    }
    if (stopped(stop))
        return err_set(err, ERR_CANCELLED, "stopped");
    return complete(c, err);
}

static bool cycle(struct cycle *c, const struct io_wake *stop, struct err *err)
{
    struct pipeline *p = c->p;
    struct pipeline_report *report = c->report;
    *report = (struct pipeline_report){0};
    const bool fine = run_cycle(c, stop, err);
    report->gap = p->checkpoint.gap;
    pipeline_counts_add(&p->status.to_elasticsearch, &report->to_elasticsearch);
    pipeline_counts_add(&p->status.to_cassandra, &report->to_cassandra);
    p->status.cycles++;
    /* What is no passing failure may be a changed schema: look at it again. */
    if (!fine && err && err_class_of(err->code) != ERR_CLASS_RETRY)
        unbind_servers(p);
    return fine;
}

bool pipeline_cycle(struct pipeline *p, bool whole, const struct io_wake *stop,
                    struct pipeline_report *report, struct err *err)
{
    struct cycle c = {.p = p, .report = report, .whole = whole};
    return cycle(&c, stop, err);
}

bool pipeline_retry(struct pipeline *p, struct pipeline_retry *retry, const struct io_wake *stop,
                    struct pipeline_report *report, struct err *err)
{
    /* A whole cycle: each letter is decided from all that is known now. */
    struct cycle c = {.p = p, .report = report, .whole = true, .retry = retry};
    retry->tried = retry->settled = retry->dead = retry->put_off = 0;
    return cycle(&c, stop, err);
}

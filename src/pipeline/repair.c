#include "base/clock.h"
#include "map/convert.h"
#include "pipeline/internal.h"

#include <stdio.h>

/* Writes what somebody asked for after both stores were compared. */

static void tell(struct pipeline_mend *mend, enum pipeline_mended outcome, const char *why)
{
    mend->outcome = outcome;
    snprintf(mend->why, sizeof mend->why, "%.199s", why);
}

/* An entry of our own whose row is not there (any more) is no delete. */
static bool tells_version(const struct item *item, const struct store_entry *e)
{
    const unsigned own = e->own_row.flags;
    const bool copy = (own & STORE_OWN_RECORDED) && !(own & STORE_OWN_DELETED);
    return (e->seen & STORE_SEEN_ENTRY) && !(item->row.content.missing && copy);
}

static int64_t highest_entry(const struct item *item)
{
    int64_t version = 0;
    for (const struct memory_entry *e = item->entries; e; e = e->next) {
        if (tells_version(item, &e->entry) && e->entry.version > version)
            version = e->entry.version;
    }
    return version;
}

static bool is_own_copy(const struct item *item, int64_t version)
{
    for (const struct memory_entry *e = item->entries; e; e = e->next) {
        if (e->entry.version == version && !tells_version(item, &e->entry))
            return true;
    }
    return false;
}

/* Of a row that is missing: that of the delete. */
static int64_t delete_version(const struct pipeline *p, const struct item *item,
                              const struct pipeline_mend *mend)
{
    if (p->options.skip_missing_rows)
        return 0;
    const int64_t entry = highest_entry(item), known = mend->row_version;
    return known > entry && !is_own_copy(item, known) ? known : entry;
}

/* Whether an entry was seen that can be of the write that the row shows. */
static bool entry_came_with_row(const struct pipeline *p, const struct item *item)
{
    for (const struct memory_entry *e = item->entries; e; e = e->next) {
        const bool then = e->entry.looks == 0 ||
                          item->row.write_time <= e->entry.first_look + p->options.settle_us;
        if (tells_version(item, &e->entry) && then)
            return true;
    }
    return false;
}

/* Of the row: a version column, an entry, what verify knew, its write time. */
static int64_t row_version(const struct pipeline *p, const struct item *item,
                           const struct pipeline_mend *mend, bool *guessed)
{
    const bool by_timestamp = p->options.guard == RESOLVE_GUARD_TIMESTAMP;
    *guessed = false;
    if (item->row.content.missing)
        return delete_version(p, item, mend);
    if (item->row.version > 0)
        return item->row.version;
    const int64_t entry = highest_entry(item);
    const int64_t written = pipeline_version_of(&p->options, item->row.write_time);
    const int64_t version = entry > mend->row_version ? entry : mend->row_version;
    /* verify may have read a higher entry of it than the cycles did, or gone by its write time */
    const bool read =
        version > entry && version != written && item->row.write_time == mend->row_write_time;
    if (!by_timestamp && !read && entry_came_with_row(p, item))
        return entry;
    *guessed = !by_timestamp && !read;
    /* What verify knew is that of another row by now, and no entry tells the new one's. */
    const bool rewritten =
        entry <= mend->row_version && item->row.write_time != mend->row_write_time;
    return (version == 0 || rewritten || by_timestamp) && written > version ? written : version;
}

/* Whether an entry that says that the row was deleted is so young that the row may show yet. */
static bool delete_unsettled(const struct cycle *c, const struct item *item)
{
    for (const struct memory_entry *e = item->entries; e; e = e->next) {
        const bool young =
            e->entry.looks == 0 || c->now - e->entry.first_look < c->p->options.settle_us;
        if (young && tells_version(item, &e->entry))
            return true;
    }
    return false;
}

/* Whether the row can't be a write whose entry nobody has seen, however fresh it is. */
static bool row_is_known(const struct pipeline *p, const struct item *item)
{
    return item->facts.row_written_by_us ||
           (p->options.guard == RESOLVE_GUARD_TIMESTAMP && p->options.table.unit_us > 0 &&
            pipeline_version_of(&p->options, item->row.write_time) <= highest_entry(item));
}

static bool is_equal(const struct pipeline *p, const struct item *item)
{
    const bool document = !item->document.content.missing, row = !item->row.content.missing;
    if (!document || !row)
        return document == row;
    return !item->document.unreadable &&
           map_content_equal(p->table.schema, &item->document.content, &item->row.content);
}

static bool document_is_other(const struct item *item, const struct pipeline_mend *mend)
{
    return item->document.version > 0 &&
           (mend->no_document ||
            (mend->document_version > 0 && item->document.version != mend->document_version));
}

static bool row_is_other(const struct item *item, const struct pipeline_mend *mend)
{
    return !item->row.content.missing &&
           (mend->no_row || (mend->row_write_time && item->row.write_time != mend->row_write_time));
}

static bool decide(const struct cycle *c, const struct pipeline_repair *r,
                   struct pipeline_mend *mend, struct item *item, struct err *err)
{
    const struct pipeline *p = c->p;
    bool refused = false, guessed;
    if (p->dead_letters > 0 && item->row.content.missing &&
        !store_dead_delete(p->store, p->id, item->key.text, item->document.version + 1, &refused,
                           err))
        return false;
    examine_facts(c, item);
    const int64_t version = row_version(p, item, mend, &guessed);
    const struct resolve_facts *f = &item->facts;
    const struct resolve_mend_facts facts = {
        .document_version = item->document.version,
        .document_missing = item->document.content.missing,
        .document_unreadable = item->document.unreadable != NULL,
        .row_version = version,
        .row_missing = item->row.content.missing,
        .row_write_time = item->row.write_time,
        .row_is_known = row_is_known(p, item),
        .equal = is_equal(p, item),
        .document_is_other = document_is_other(item, mend),
        .row_is_other = row_is_other(item, mend),
        .version_guessed = guessed,
        .delete_refused = refused,
        .delete_unsettled = delete_unsettled(c, item),
        .copy_replaced =
            f->own_row.recorded && !f->own_row.holds && p->options.guard == RESOLVE_GUARD_SNAPSHOT,
        .row_may_be_lower = f->row_may_be_lower,
        .row_settled = f->row_settled,
    };
    item->mended = true;
    item->decision = resolve_mend(&facts, &c->rules, r->policy, r->missing);
    mend->decision = item->decision;
    const char *why = item->document.unreadable && item->decision.rule == RESOLVE_RULE_UNREADABLE
                          ? item->document.unreadable
                          : resolve_rule_text(item->decision.rule);
    switch (item->decision.action) {
    case RESOLVE_NOTHING:
        tell(mend, PIPELINE_EQUAL, "");
        break;
    case RESOLVE_TO_CASSANDRA:
    case RESOLVE_TO_ELASTICSEARCH:
        tell(mend, PIPELINE_MENDED, ""); /* until it is read again */
        if (!r->dry_run)
            examine_prepare(c, item);
        break;
    case RESOLVE_PUT_OFF:
    case RESOLVE_WAIT:
        tell(mend, PIPELINE_PUT_OFF, why);
        break;
    case RESOLVE_DEAD:
        tell(mend, PIPELINE_UNMENDED, why);
        break;
    }
    return true;
}

/* An entry that is made for the write's sake is no sign of a change. */
static bool note_entries(struct cycle *c, struct item *items, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        if (!items[i].writes)
            continue;
        struct memory_entry *e =
            memory_entry(c->p->memory, items[i].key.text, items[i].write.version, c->now, err);
        if (!e)
            return false;
        if (e->entry.seen == 0 && e->entry.looks == 0)
            intake_look(c, e);
    }
    return true;
}

/* The write may have lost against what nobody sees: a newer delete in Cassandra, above all. */
static const char *why_not(const struct item *item)
{
    if (item->decision.action == RESOLVE_TO_ELASTICSEARCH)
        return item->document.version ? "Elasticsearch holds another version by now"
                                      : "Elasticsearch remembers a newer delete, for "
                                        "index.gc_deletes (60 s): ask again later";
    if (item->decision.delete)
        return "the row has cells with a newer write time";
    if (item->row.content.missing)
        return "hidden by a newer delete in Cassandra (--missing delete removes the document)";
    return "hidden by cells with a newer write time";
}

/* Somebody has written it since it was read: decided anew it may be equal. */
static bool moved_on(const struct item *before, const struct item *now)
{
    if (now->document.version > before->write.version)
        return true;
    return before->decision.action == RESOLVE_TO_CASSANDRA && !now->row.content.missing &&
           now->row.write_time > before->write.write_time;
}

static bool settle(struct cycle *c, struct slice key, struct err *err)
{
    struct pipeline *p = c->p;
    const int64_t latest = c->rules.latest_version;
    return p->dead_letters == 0 ||
           (store_dead_settle(p->store, p->id, key, latest ? latest : INT64_MAX, err) &&
            store_dead_count(p->store, p->id, &p->dead_letters, err));
}

/* After the writes: what both sides hold now. */
static bool prove(struct cycle *c, const struct pipeline_repair *r, struct pipeline_mend **mends,
                  struct item *items, size_t count, struct arena *arena, struct err *err)
{
    struct item *again = arena_alloc(arena, (count + 1) * sizeof *again);
    for (size_t i = 0; i < count; i++)
        again[i] = (struct item){.key = items[i].key, .decision = items[i].decision};
    if (!examine_read(c, again, count, arena, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        const bool equal = is_equal(c->p, &again[i]);
        if (equal && !settle(c, items[i].key.text, err))
            return false;
        if (!items[i].writes || r->dry_run)
            continue;
        const struct sink_write *write = &items[i].write;
        if (equal)
            tell(mends[i], PIPELINE_MENDED, "");
        else if (write->outcome == SINK_RETRY)
            tell(mends[i], PIPELINE_PUT_OFF, write->err.text);
        else if (write->outcome != SINK_REJECTED && moved_on(&items[i], &again[i]))
            tell(mends[i], PIPELINE_PUT_OFF, why_not(&again[i]));
        else
            tell(mends[i], PIPELINE_UNMENDED,
                 write->outcome == SINK_REJECTED ? write->err.text : why_not(&again[i]));
    }
    return true;
}

static bool mend_all(struct cycle *c, const struct pipeline_repair *r, struct arena *arena,
                     struct err *err)
{
    struct item *items = arena_alloc(arena, (r->count + 1) * sizeof *items);
    struct pipeline_mend **mends = arena_alloc(arena, (r->count + 1) * sizeof(void *));
    size_t count = 0;
    for (size_t i = 0; i < r->count; i++) {
        struct err bad = {0};
        tell(&r->mends[i], PIPELINE_PUT_OFF, "");
        if (intake_item(c, r->mends[i].key, &items[count], arena, &bad))
            mends[count++] = &r->mends[i];
        else
            tell(&r->mends[i], PIPELINE_UNMENDED, bad.text);
    }
    if (count == 0)
        return true;
    c->looked = clock_wall_us();
    if (!examine_read(c, items, count, arena, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!memory_entries(c->p->memory, items[i].key.text, &items[i].entries, err) ||
            !decide(c, r, mends[i], &items[i], err))
            return false;
    }
    if (r->dry_run)
        return true;
    if (!note_entries(c, items, count, err) || !examine_write(c, items, count, arena, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!items[i].writes || items[i].write.outcome != SINK_APPLIED)
            continue;
        outcome_applied(c, &items[i]);
        /* A row without an entry has this version all the same: the copy is no newer one. */
        items[i].decided->entry.seen |= STORE_SEEN_ENTRY | STORE_SEEN_DOCUMENT;
    }
    return memory_flush(c->p->memory, err) && prove(c, r, mends, items, count, arena, err);
}

/* All that was written up to then has been seen: the brief cycles don't read every late entry. */
static int64_t settled_at(const struct pipeline *p, const struct pipeline_repair *r, int64_t now)
{
    const int64_t read = r->dry_run || now < p->whole_read ? now : p->whole_read;
    return read - p->options.settle_us;
}

bool pipeline_repair(struct pipeline *p, const struct pipeline_repair *repair, struct err *err)
{
    struct pipeline_report report = {0};
    struct cycle c = {.p = p, .report = &report, .whole = true};
    struct arena arena = {0};
    if (!outcome_sound(p, err) || !bind_servers(p, err) || !memory_flush(p->memory, err))
        return false;
    c.now = clock_wall_us();
    c.settled = settled_at(p, repair, c.now);
    const bool fine = window_open(&c, err) && mend_all(&c, repair, &arena, err);
    pipeline_counts_add(&p->status.to_elasticsearch, &report.to_elasticsearch);
    pipeline_counts_add(&p->status.to_cassandra, &report.to_cassandra);
    memory_trim(p->memory);
    arena_free(&arena);
    return fine;
}

bool pipeline_close_gap(struct pipeline *p, struct err *err)
{
    if (!p->checkpoint.gap)
        return true;
    p->checkpoint.gap = false;
    log_info(p->options.log, "%s: the gap is closed", p->options.name);
    return store_checkpoint_write(p->store, p->id, &p->checkpoint, err);
}

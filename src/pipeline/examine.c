#include "base/clock.h"
#include "io/task.h"
#include "map/convert.h"
#include "pipeline/internal.h"

#include <stdlib.h>

/* Decides, from what both stores hold of some keys, what becomes of each, and writes. */

/* Which of our own copies a side holds: the last that was sent, or the one before. */
struct held {
    bool last, before;
};

static struct held held_of(const struct pipeline *p, const struct store_own *own,
                           const struct change_content *content, bool to_cassandra)
{
    struct held held = {false, false};
    const bool before = own->flags & STORE_OWN_BEFORE;
    if (!(own->flags & STORE_OWN_RECORDED))
        return held;
    if (content->missing) {
        held.last = own->flags & STORE_OWN_DELETED;
        held.before = before && (own->flags & STORE_OWN_BEFORE_DELETED);
    } else if (content->cells) { /* none: unreadable */
        const struct change_hash hash = map_content_hash(p->table.schema, content, to_cassandra);
        held.last = !(own->flags & STORE_OWN_DELETED) && change_hash_equal(own->hash, hash);
        held.before = before && !(own->flags & STORE_OWN_BEFORE_DELETED) &&
                      change_hash_equal(own->before, hash);
    }
    return held;
}

static struct resolve_own own_facts(const struct pipeline *p, const struct store_own *own,
                                    const struct change_content *content, bool to_cassandra)
{
    const struct held held = held_of(p, own, content, to_cassandra);
    const unsigned deleted =
        held.before && !held.last ? STORE_OWN_BEFORE_DELETED : STORE_OWN_DELETED;
    return (struct resolve_own){.recorded = own->flags & STORE_OWN_RECORDED,
                                .acknowledged = own->flags & STORE_OWN_ACKNOWLEDGED,
                                .deleted = own->flags & deleted,
                                .holds = held.last || held.before};
}

static void find_own_row(const struct pipeline *p, const struct item *item, struct resolve_facts *f)
{
    for (const struct memory_entry *e = item->entries; e; e = e->next) {
        const struct store_own *own = &e->entry.own_row;
        if ((own->flags & STORE_OWN_RECORDED) && own->written == item->row.write_time)
            f->row_written_by_us = true;
        if (own_facts(p, own, &item->row.content, true).holds)
            f->row_is_own = true;
    }
}

/* An entry that was seen (its clock and ours differ by settle at most) before the row was written
 * says nothing about that write. Ties are decided as such: their entry may have been repeated. */
static bool entry_explains(const struct cycle *c, const struct item *item,
                           const struct store_entry *e)
{
    return e->version >= item->document.version || e->looks == 0 ||
           item->row.write_time <= e->first_look + c->p->options.settle_us;
}

static bool holds_copy_of(const struct pipeline *p, const struct change_content *row,
                          const struct store_entry *e)
{
    const struct held of_document = held_of(p, &e->own_row, row, true);
    const struct held of_row = held_of(p, &e->own_document, row, false);
    return of_document.last || of_document.before || of_row.last || of_row.before;
}

/* Whether the write that replaced the daemon's copy may be an application's with this entry. */
static bool may_be_of(const struct cycle *c, const struct item *item, const struct store_own *copy,
                      const struct store_entry *e)
{
    const struct change_row *row = &item->row;
    const int64_t until = e->first_look + c->p->options.settle_us;
    if (!(e->seen & STORE_SEEN_ENTRY))
        return false;
    if (e->looks == 0) /* a new one */
        return true;
    /* a write that was repeated leaves no new entry, but what was copied of it tells */
    if (holds_copy_of(c->p, &row->content, e))
        return true;
    if (e->own_row.flags & STORE_OWN_ACKNOWLEDGED) /* the daemon's entry */
        return false;
    if (row->content.missing) /* a delete that was repeated, of what was never copied */
        return true;
    if (row->write_time != CHANGE_NO_WRITE_TIME && row->write_time <= c->settled)
        return row->write_time <= until;
    /* Nothing tells when the row became so: after the copy came, if it did. */
    return (copy->flags & STORE_OWN_OPEN) || copy->written <= until;
}

static bool row_may_be_lower(const struct cycle *c, const struct item *item,
                             const struct store_entry *copy)
{
    for (const struct memory_entry *e = item->entries; e; e = e->next) {
        if (e->entry.version < copy->version && may_be_of(c, item, &copy->own_row, &e->entry))
            return true;
    }
    return false;
}

/* Whether the entry of the write that replaced the daemon's copy shows by now. What was deleted
 * leaves no write time, so the row must have been seen as it is settle ago. */
static bool row_settled(const struct cycle *c, const struct item *item, struct memory_entry *copy)
{
    struct change_hash is = {0};
    if (!item->row.content.missing)
        is = map_content_hash(c->p->table.schema, &item->row.content, true);
    if (copy->replaced_since && change_hash_equal(copy->replaced_by, is))
        return copy->replaced_since <= c->settled;
    copy->replaced_by = is;
    copy->replaced_since = c->read;
    return false;
}

/* What replaced the daemon's copy of the key's highest version, where that decides ties. */
static void find_replaced(const struct cycle *c, const struct item *item, struct memory_entry *e,
                          struct resolve_facts *f)
{
    if (c->rules.tie != RESOLVE_TIE_CASSANDRA || c->rules.guard != RESOLVE_GUARD_SNAPSHOT)
        return;
    if (!f->own_row.recorded || f->own_row.holds) {
        e->replaced_since = 0;
        return;
    }
    f->row_may_be_lower = row_may_be_lower(c, item, &e->entry);
    f->row_settled = row_settled(c, item, e);
}

void examine_facts(const struct cycle *c, struct item *item)
{
    const struct pipeline *p = c->p;
    struct resolve_facts *f = &item->facts;
    *f = (struct resolve_facts){
        .document_version = item->document.version,
        .document_missing = item->document.content.missing,
        .document_unreadable = item->document.unreadable != NULL,
        .row_missing = item->row.content.missing,
        .row_write_time = item->row.write_time,
        .row_unexplained = item->unexplained > 0 && item->row.write_time <= item->unexplained,
    };
    find_own_row(p, item, f);
    const struct memory_entry *highest = NULL;
    for (const struct memory_entry *e = item->entries; e; e = e->next) {
        const bool usable = !c->rules.latest_version || e->entry.version <= c->rules.latest_version;
        if (!(e->entry.seen & STORE_SEEN_ENTRY) || !usable)
            continue;
        f->entry_explains = f->entry_explains || entry_explains(c, item, &e->entry);
        if (e->entry.version > f->entry_version) {
            f->entry_version = e->entry.version;
            highest = e;
        }
    }
    const int64_t first = highest && highest->entry.first_look ? highest->entry.first_look : c->now;
    f->delete_settled = item->retried || c->now - first >= p->options.delete_settle_us;
    if (item->retried && f->row_unexplained) {
        f->row_unexplained = false;
        f->entry_explains = true;
    }
    const int64_t version =
        f->entry_version > f->document_version ? f->entry_version : f->document_version;
    for (struct memory_entry *e = item->entries; e; e = e->next) {
        if (e->entry.version != version)
            continue;
        f->own_document = own_facts(p, &e->entry.own_document, &item->document.content, false);
        f->own_row = own_facts(p, &e->entry.own_row, &item->row.content, true);
        find_replaced(c, item, e, f);
    }
    if (f->document_version == f->entry_version && !f->document_unreadable)
        f->equal = map_content_equal(p->table.schema, &item->document.content, &item->row.content);
}

/* What was written at this version before, or may yet be: cells of one time don't replace each
 * other, the larger value stays, and lists double. */
static int64_t last_of_version(const struct item *item, int64_t from, int64_t to)
{
    int64_t last = from - 1;
    if (item->row.write_time >= from && item->row.write_time < to)
        last = item->row.write_time;
    for (const struct memory_entry *e = item->entries; e; e = e->next) {
        const struct store_own *own = &e->entry.own_row;
        if ((own->flags & STORE_OWN_RECORDED) && own->written > last && own->written < to)
            last = own->written;
    }
    return last;
}

static int64_t time_of_version(const struct pipeline_options *o, const struct item *item)
{
    const int64_t version_us = item->write.version * o->table.unit_us;
    if (o->tie == RESOLVE_TIE_CASSANDRA)
        return version_us - 1;
    const int64_t next = version_us + o->table.unit_us;
    const int64_t time = last_of_version(item, version_us + 1, next) + 1;
    return time < next ? time : next - 1;
}

static void choose_write_times(const struct cycle *c, struct item *item)
{
    const struct pipeline_options *o = &c->p->options;
    const int64_t version_us = item->write.version * o->table.unit_us;
    const bool by_version = o->guard == RESOLVE_GUARD_TIMESTAMP;
    const bool timed = item->row.write_time != CHANGE_NO_WRITE_TIME;
    if (by_version)
        item->write.write_time = time_of_version(o, item);
    else if (timed && item->row.write_time >= c->settled)
        item->write.write_time = item->row.write_time + 1;
    else
        item->write.write_time = c->settled;
    if (item->mended && timed && item->row.write_time >= item->write.write_time)
        item->write.write_time = item->row.write_time + 1;
    item->write.entry_time = item->write.write_time;
    if (!c->p->table.entry_per_version)
        return;
    /* Another record's entry of that version has the same place: unread, it must win. */
    item->write.entry_time = c->settled;
    if (by_version && version_us <= c->settled)
        item->write.entry_time = version_us - 1;
}

/* A send whose answer never came may show later than any look, and only what is written now covers
 * it. */
static bool may_show_yet(const struct item *item)
{
    for (const struct memory_entry *e = item->entries; e; e = e->next) {
        if (e->entry.own_row.flags & (STORE_OWN_OPEN | STORE_OWN_BEFORE_OPEN))
            return true;
    }
    return false;
}

void examine_prepare(const struct cycle *c, struct item *item)
{
    const bool to_cassandra = item->decision.action == RESOLVE_TO_CASSANDRA;
    item->writes = true;
    item->write = (struct sink_write){
        .key = &item->key,
        .version = to_cassandra && !item->mended ? item->document.version : item->decision.version,
        .delete = item->decision.delete,
        .gte = item->decision.gte,
        .content = to_cassandra ? &item->document.content : &item->row.content,
        .document = &item->document,
        .row = &item->row,
        .every_column = to_cassandra && may_show_yet(item),
        .outcome = SINK_RETRY,
    };
    if (to_cassandra)
        choose_write_times(c, item);
}

static bool braked(const struct item *item)
{
    return item->decision.action == RESOLVE_TO_ELASTICSEARCH &&
           item->decision.delete &&!item->retried;
}

static bool has_waited(const struct item *item)
{
    for (const struct memory_entry *e = item->entries; e; e = e->next) {
        if (e->entry.seen & STORE_WAITS_FOR_ROW)
            return true;
    }
    return false;
}

/* Too many deletes at once are more likely an accident in Cassandra than wishes. Those that wait
 * for deleteSettle are counted before they are due, and refused ones go on counting and stay
 * refused: an emptied table must not get its last thousand through. */
static void brake_deletes(struct cycle *c, struct item *items, size_t count)
{
    struct pipeline *p = c->p;
    if (c->now - p->deletes_from > p->options.overlap_us || c->now < p->deletes_from) {
        p->deletes = 0;
        p->deletes_from = c->now;
    }
    int64_t due = 0, sudden = 0;
    for (size_t i = 0; i < count; i++) {
        due += braked(&items[i]);
        sudden += braked(&items[i]) && !has_waited(&items[i]);
    }
    const int64_t total = p->deletes + p->deletes_waiting + sudden;
    p->deletes += due;
    for (size_t i = 0; i < count; i++) {
        if (!braked(&items[i]) || (!items[i].refused && total <= p->options.max_deletes))
            continue;
        items[i].decision.action = RESOLVE_DEAD;
        items[i].decision.rule = RESOLVE_RULE_TOO_MANY_DELETES;
        items[i].writes = false;
    }
}

static bool decide(struct cycle *c, struct item *items, size_t count, struct err *err)
{
    struct pipeline *p = c->p;
    for (size_t i = 0; i < count; i++) {
        struct item *item = &items[i];
        if (!memory_entries(p->memory, item->key.text, &item->entries, err))
            return false;
        if (item->copy_stands) {
            item->decision.rule = RESOLVE_RULE_COPY_STANDS;
            item->decision.version = examine_highest(item)->version;
            continue;
        }
        if (p->dead_letters > 0 &&
            !store_dead_unexplained(p->store, p->id, item->key.text, &item->unexplained, err))
            return false;
        examine_facts(c, item);
        item->decision = resolve_decide(&item->facts, &c->rules);
        const enum resolve_action action = item->decision.action;
        if (action == RESOLVE_TO_CASSANDRA || action == RESOLVE_TO_ELASTICSEARCH)
            examine_prepare(c, item);
        if (braked(item) && p->dead_letters > 0 &&
            !store_dead_delete(p->store, p->id, item->key.text, item->decision.version,
                               &item->refused, err))
            return false;
        if (item->decision.rule == RESOLVE_RULE_WINDOW_TOO_SHORT)
            p->whole_wanted = true;
    }
    brake_deletes(c, items, count);
    return true;
}

static struct store_own own_of(const struct cycle *c, const struct item *item, bool to_cassandra)
{
    struct store_own own = {.flags = STORE_OWN_RECORDED | STORE_OWN_OPEN,
                            .written = item->write.write_time};
    if (item->write.delete)
        own.flags |= STORE_OWN_DELETED;
    else
        own.hash = map_content_hash(c->p->table.schema, item->write.content, to_cassandra);
    return own;
}

/* The same version again. Until that took effect the side holds what was sent before (one whose
 * answer never came may even replace it later): that is our own copy as well, and what it held when
 * somebody deleted it was acknowledged. Of three contents of one version two are known. */
static void keep_before(struct store_own *own, const struct store_own *last, struct held held)
{
    const bool deleted = own->flags & STORE_OWN_DELETED;
    const bool last_deleted = last->flags & STORE_OWN_DELETED;
    if (!deleted && !last_deleted)
        own->flags |= last->flags & STORE_OWN_ACKNOWLEDGED;
    const bool same =
        deleted == last_deleted && (deleted || change_hash_equal(own->hash, last->hash));
    if (same || (held.before && !held.last)) {
        own->flags |=
            last->flags & (STORE_OWN_BEFORE | STORE_OWN_BEFORE_DELETED | STORE_OWN_BEFORE_OPEN);
        own->before = last->before;
    } else {
        own->flags |= STORE_OWN_BEFORE | (last_deleted ? STORE_OWN_BEFORE_DELETED : 0U) |
                      (last->flags & STORE_OWN_OPEN ? STORE_OWN_BEFORE_OPEN : 0U);
        own->before = last->hash;
    }
}

/* Before anything is sent: what is sent, and every entry that has been read (the copy of one may
 * replace the other in the older form of the time series table). */
static bool record_own(struct cycle *c, struct item *items, size_t count, struct err *err)
{
    struct pipeline *p = c->p;
    for (size_t i = 0; i < count; i++) {
        struct item *item = &items[i];
        if (!item->writes)
            continue;
        struct memory_entry *e =
            memory_entry(p->memory, item->key.text, item->write.version, c->now, err);
        if (!e)
            return false;
        const bool to_cassandra = item->decision.action == RESOLVE_TO_CASSANDRA;
        struct store_own *last = to_cassandra ? &e->entry.own_row : &e->entry.own_document;
        struct store_own own = own_of(c, item, to_cassandra);
        const struct change_content *present =
            to_cassandra ? &item->row.content : &item->document.content;
        if (last->flags & STORE_OWN_RECORDED)
            keep_before(&own, last, held_of(p, last, present, to_cassandra));
        *last = own;
        if (to_cassandra)
            e->replaced_since = 0;
        item->decided = e;
        memory_changed(p->memory, e);
    }
    return true;
}

/* The writes towards one side. */
struct sending {
    struct io_group *group;
    struct sink *sink;
    struct sink_write **writes;
    size_t count;
};

static void choose_writes(struct sending *s, struct item *items, size_t count,
                          enum resolve_action action, struct arena *arena)
{
    s->writes = arena_alloc(arena, (count + 1) * sizeof *s->writes);
    for (size_t i = 0; i < count; i++) {
        if (items[i].writes && items[i].decision.action == action)
            s->writes[s->count++] = &items[i].write;
    }
}

static void apply(struct sending *s)
{
    if (s->count > 0)
        s->sink->ops->apply(s->sink, s->writes, s->count);
}

static void apply_beside(void *ctx)
{
    struct sending *s = ctx;
    apply(s);
    io_group_done(s->group);
}

/* To both sides at the same time. */
static void send_writes(struct cycle *c, struct item *items, size_t count, struct arena *arena)
{
    struct io_group group = {0};
    struct sending documents = {.group = &group, .sink = c->p->to_elasticsearch};
    struct sending rows = {.sink = c->p->to_cassandra};
    choose_writes(&documents, items, count, RESOLVE_TO_ELASTICSEARCH, arena);
    choose_writes(&rows, items, count, RESOLVE_TO_CASSANDRA, arena);
    if (documents.count > 0 && rows.count > 0) {
        io_group_add(&group);
        io_task_start(c->p->loop, apply_beside, &documents, NULL);
    } else {
        apply(&documents);
    }
    apply(&rows);
    io_group_wait(&group);
}

bool examine_write(struct cycle *c, struct item *items, size_t count, struct arena *arena,
                   struct err *err)
{
    bool writes = false;
    for (size_t i = 0; i < count; i++)
        writes = writes || items[i].writes;
    if (!writes)
        return true;
    if (!record_own(c, items, count, err) || !memory_flush(c->p->memory, err))
        return false;
    send_writes(c, items, count, arena);
    return true;
}

bool examine_batch(struct cycle *c, struct item *items, size_t count, struct arena *arena,
                   struct err *err)
{
    if (count == 0)
        return true;
    c->looked = clock_wall_us();
    return examine_read(c, items, count, arena, err) && decide(c, items, count, err) &&
           examine_write(c, items, count, arena, err) && outcome_record(c, items, count, err);
}

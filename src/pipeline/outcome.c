#include "map/convert.h"
#include "pipeline/internal.h"
#include "store/dead_letter.h"

/* What became of a batch: counts, looks, own copies, dead letters. */

static struct pipeline_counts *counts_towards(struct cycle *c, enum change_side side)
{
    return side == CHANGE_CASSANDRA ? &c->report->to_cassandra : &c->report->to_elasticsearch;
}

/* The side that a decision without a write would have written to. */
static enum change_side target_of(const struct item *item)
{
    if (item->decision.action == RESOLVE_TO_CASSANDRA)
        return CHANGE_CASSANDRA;
    if (item->decision.action == RESOLVE_TO_ELASTICSEARCH ||
        item->decision.rule == RESOLVE_RULE_TOO_MANY_DELETES)
        return CHANGE_ELASTICSEARCH;
    return item->facts.document_version >= item->facts.entry_version ? CHANGE_CASSANDRA
                                                                     : CHANGE_ELASTICSEARCH;
}

bool outcome_dead(struct cycle *c, struct slice key, int64_t version, enum change_side target,
                  const char *rule, const char *reason, struct slice payload, int64_t write_time,
                  struct err *err)
{
    struct pipeline *p = c->p;
    const struct store_dead_letter letter = {
        .key = key,
        .version = version,
        .target = target,
        .rule = rule,
        .reason = reason,
        .payload = payload,
        .write_time = write_time,
        .at = c->now,
    };
    bool added = false;
    if (!store_dead_write(p->store, p->id, &letter, &added, err))
        return false;
    /* An older one of the record has nothing to wait for any more. */
    const bool counts = !c->rules.latest_version || version <= c->rules.latest_version;
    if (counts && !store_dead_settle(p->store, p->id, key, version - 1, err))
        return false;
    if (!added)
        return true;
    p->dead_letters++;
    counts_towards(c, target)->dead++;
    log_warning(p->options.log, "%.*s version %lld to the dead letters (%s): %s", SLICE_ARG(key),
                (long long)version,
                target == CHANGE_CASSANDRA ? "to Cassandra" : "to Elasticsearch", reason);
    return true;
}

void outcome_payload(const struct cycle *c, struct slice source,
                     const struct change_content *content, struct buf *out)
{
    if (!slice_is_null(source))
        buf_append_slice(out, source);
    else if (content->missing || !content->cells)
        buf_append_str(out, "null");
    else
        map_row_show(c->p->table.schema, content->cells, out);
}

static bool dead_item(struct cycle *c, struct item *item, const char *rule, const char *reason,
                      struct err *err)
{
    struct buf payload = {0};
    if (target_of(item) == CHANGE_CASSANDRA)
        outcome_payload(c, item->document.source, &item->document.content, &payload);
    else
        outcome_payload(c, SLICE_NULL, &item->row.content, &payload);
    const bool unexplained = item->decision.rule == RESOLVE_RULE_ROW_UNEXPLAINED && !item->writes;
    if (unexplained)
        rule = STORE_DEAD_UNEXPLAINED;
    else if (item->decision.rule == RESOLVE_RULE_TOO_MANY_DELETES)
        rule = STORE_DEAD_DELETE;
    const bool fine =
        outcome_dead(c, item->key.text, item->decision.version, target_of(item), rule, reason,
                     buf_slice(&payload), unexplained ? item->row.write_time : 0, err);
    buf_free(&payload);
    return fine;
}

static void put_off(struct cycle *c, struct item *item)
{
    item->put_off = true;
    c->report->put_off++;
}

/* What was stored of the copy that was sent. */
static struct store_own *own_of(const struct item *item)
{
    struct store_entry *e = &item->decided->entry;
    return target_of(item) == CHANGE_CASSANDRA ? &e->own_row : &e->own_document;
}

/* It lies above what was sent for lower versions. */
static void covers_what_is_open(struct cycle *c, struct item *item)
{
    for (struct memory_entry *e = item->entries; e; e = e->next) {
        unsigned *flags = &e->entry.own_row.flags;
        if (e->entry.version < item->write.version &&
            (*flags & (STORE_OWN_OPEN | STORE_OWN_BEFORE_OPEN))) {
            *flags &= ~(unsigned)(STORE_OWN_OPEN | STORE_OWN_BEFORE_OPEN);
            memory_changed(c->p->memory, e);
        }
    }
}

void outcome_applied(struct cycle *c, struct item *item)
{
    const enum change_side side = target_of(item);
    struct pipeline_counts *counts = counts_towards(c, side);
    struct store_own *own = own_of(item);
    own->flags |= STORE_OWN_ACKNOWLEDGED;
    own->flags &= ~(unsigned)STORE_OWN_OPEN;
    if (!(own->flags & STORE_OWN_BEFORE_OPEN))
        own->flags &= ~(unsigned)(STORE_OWN_BEFORE | STORE_OWN_BEFORE_DELETED);
    if (item->write.every_column)
        covers_what_is_open(c, item);
    item->decided->entry.seen |= side == CHANGE_CASSANDRA ? STORE_SEEN_ENTRY : STORE_SEEN_DOCUMENT;
    memory_changed(c->p->memory, item->decided);
    if (item->write.delete)
        counts->deleted++;
    else
        counts->copied++;
}

static bool after_write(struct cycle *c, struct item *item, struct err *err)
{
    switch (item->write.outcome) {
    case SINK_APPLIED:
        outcome_applied(c, item);
        break;
    case SINK_SUPERSEDED:
        counts_towards(c, target_of(item))->superseded++;
        /* It may be by the first send of the version, which is older. */
        if (own_of(item)->flags & STORE_OWN_BEFORE_OPEN)
            put_off(c, item);
        break;
    case SINK_RETRY:
        if (c->report->transient++ == 0)
            c->report->failure = item->write.err;
        put_off(c, item);
        break;
    case SINK_REJECTED:
        return dead_item(c, item, err_code_name(item->write.err.code), item->write.err.text, err);
    }
    return true;
}

static bool first_look(const struct item *item)
{
    for (const struct memory_entry *e = item->entries; e; e = e->next) {
        if (e->entry.looks == 0)
            return true;
    }
    return false;
}

static bool after_decision(struct cycle *c, struct item *item, struct err *err)
{
    const char *text = resolve_rule_text(item->decision.rule);
    char name[RESOLVE_RULE_NAME_MAX];
    if (item->copy_stands)
        log_debug(c->p->options.log, "%.*s version %lld: %s", SLICE_ARG(item->key.text),
                  (long long)item->decision.version, text);
    else if (log_enabled(c->p->options.log, LOG_DEBUG))
        log_debug(c->p->options.log, "%.*s document %lld entry %lld: %s", SLICE_ARG(item->key.text),
                  (long long)item->facts.document_version, (long long)item->facts.entry_version,
                  text);
    if (item->writes)
        return after_write(c, item, err);
    switch (item->decision.action) {
    case RESOLVE_PUT_OFF:
        put_off(c, item);
        return true;
    case RESOLVE_DEAD:
        resolve_rule_name(item->decision.rule, name);
        return dead_item(c, item, name,
                         item->document.unreadable ? item->document.unreadable : text, err);
    default:
        if (item->decision.rule == RESOLVE_RULE_EQUAL && first_look(item))
            counts_towards(c, target_of(item))->unchanged++;
        return true;
    }
}

/* When nobody writes a version any more (pipeline_ends_after). STORE_NEVER: not known. */
static int64_t ends_at(const struct cycle *c, int64_t version)
{
    const struct pipeline_options *o = &c->p->options;
    if (o->table.unit_us == 0)
        return version < c->since ? 0 : STORE_NEVER;
    return version <= c->rules.latest_version ? version * o->table.unit_us + pipeline_ends_after(o)
                                              : STORE_NEVER;
}

/* A send whose answer never came may take effect after the next one did. */
static bool may_change_yet(const struct store_entry *e)
{
    return (e->own_document.flags | e->own_row.flags) & STORE_OWN_BEFORE_OPEN;
}

/* The next look at an entry that was just looked at. */
static void advance(struct cycle *c, struct store_entry *e, bool waits)
{
    const struct pipeline_options *o = &c->p->options;
    const int64_t ends = ends_at(c, e->version);
    if (e->looks == 0)
        e->first_look = c->looked;
    /* A later look at a missing row: it is not over before deleteSettle has passed. */
    if (waits && e->looks > 0 && e->first_look + o->delete_settle_us > c->now) {
        e->due = e->first_look + o->delete_settle_us;
        return;
    }
    e->looks = e->looks < STORE_LOOKS_ALL ? e->looks + 1 : STORE_LOOKS_ALL;
    if (e->looks == 1) {
        e->due = e->first_look + o->settle_us;
    } else if (e->looks == 2) {
        e->due = e->first_look + o->overlap_us;
        if (ends != STORE_NEVER && ends > e->due)
            e->due = ends;
    } else if (e->looks == STORE_LOOKS_LEAVING && may_change_yet(e)) {
        e->due = c->now + o->overlap_us;
    } else {
        e->looks = ends <= c->now ? STORE_LOOKS_ALL : STORE_LOOKS_LEAVING;
        e->due = ends <= c->now ? STORE_NEVER : ends;
    }
}

static void note_waiting(struct pipeline *p, struct memory_entry *e, bool waits)
{
    if (waits == ((e->entry.seen & STORE_WAITS_FOR_ROW) != 0))
        return;
    e->entry.seen ^= STORE_WAITS_FOR_ROW;
    p->deletes_waiting += waits ? 1 : -1;
    memory_changed(p->memory, e);
}

static void advance_key(struct cycle *c, struct item *item)
{
    const bool waits = item->decision.action == RESOLVE_WAIT;
    for (struct memory_entry *e = item->entries; e; e = e->next) {
        note_waiting(c->p, e, waits && e->entry.version == item->decision.version);
        if (!item->put_off)
            e->replaced_since = 0;
        if (e->entry.due > c->now)
            continue;
        if (item->put_off) {
            /* The next cycle, whatever it waits for: a whole one in between must not miss it. */
            e->entry.due = c->now + 1;
            e->put_off_since = e->put_off_since ? e->put_off_since : c->now;
            lag_waits(c, target_of(item), e->put_off_since);
        } else {
            advance(c, &e->entry, waits);
            e->put_off_since = 0;
        }
        memory_changed(c->p->memory, e);
    }
}

/* Whether the document that an entry led to is a sign of a change by itself. One of before the
 * overlap is none, and its looks would draw the window down to it; one of the future is refused
 * when its turn comes. */
static bool is_worth_looks(const struct cycle *c, const struct item *item)
{
    const int64_t version = item->document.version, latest = c->rules.latest_version;
    if (item->have_document)
        return true;
    return version > 0 && version >= c->since && (!latest || version <= latest);
}

/* The document that was just read is looked at, whichever entry brought us here. */
static bool note_document(struct cycle *c, struct item *item, struct err *err)
{
    if (!is_worth_looks(c, item))
        return memory_entries(c->p->memory, item->key.text, &item->entries, err);
    struct memory_entry *e =
        memory_entry(c->p->memory, item->key.text, item->document.version, c->now, err);
    if (!e)
        return false;
    if (!(e->entry.seen & STORE_SEEN_DOCUMENT)) {
        e->entry.seen |= STORE_SEEN_DOCUMENT;
        memory_changed(c->p->memory, e);
    }
    return memory_entries(c->p->memory, item->key.text, &item->entries, err);
}

bool outcome_record(struct cycle *c, struct item *items, size_t count, struct err *err)
{
    struct pipeline *p = c->p;
    if (!store_begin(p->store, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct item *item = &items[i];
        if (!after_decision(c, item, err) || !note_document(c, item, err))
            goto failed;
        advance_key(c, item);
        const bool decided = item->decision.action != RESOLVE_DEAD &&
                             item->decision.action != RESOLVE_WAIT && !item->put_off;
        const bool settled = decided && !item->copy_stands &&
                             (!item->writes || item->write.outcome != SINK_REJECTED);
        if (settled && p->dead_letters > 0 &&
            !store_dead_settle(p->store, p->id, item->key.text, item->decision.version, err))
            goto failed;
    }
    if (!memory_write(p->memory, err) ||
        !store_dead_count(p->store, p->id, &p->dead_letters, err) || !store_commit(p->store, err))
        goto failed;
    memory_written(p->memory);
    return true;
failed:
    store_rollback(p->store);
    p->ahead = true;
    return false;
}

bool outcome_sound(const struct pipeline *p, struct err *err)
{
    return !p->ahead ||
           err_set(err, ERR_STATE,
                   "a write to the state file failed; a restart goes on with what it has");
}

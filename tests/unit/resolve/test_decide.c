#include "resolve/decide.h"

#include "change/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Write times of a row, in the order of the line: S of the last whole read, P, S, the limit of the
 * future. */
enum {
    LONG_AGO = 100,
    BRIEF = 170,
    P = 200,
    LATELY = 300,
    S = 400,
    JUST_NOW = 500,
    LATEST = 600,
    FUTURE = 700
};
enum { LOW = 10, HIGH = 20, LIMIT = 30 };

static const struct resolve_rules usual = {
    .settled = S,
    .settled_before = P,
    .latest_version = LIMIT,
    .latest_write_us = LATEST,
    .whole_overlap = true,
};

/* --- what docs/semantics.md says, line by line */

struct line {
    const char *what;
    struct resolve_facts facts;
    enum resolve_action action;
    enum resolve_rule rule;
    bool delete, gte;
    /* how the rules differ from the usual ones */
    bool cassandra_wins, by_timestamp, skip, part, below;
};

#define OWN        .recorded = true
#define OWN_HELD   .recorded = true, .holds = true
#define ROW        .row_write_time = LONG_AGO
#define NO_ROW     .row_missing = true, .row_write_time = CHANGE_NO_WRITE_TIME
#define NO_DOC     .document_missing = true
#define DOC(v)     .document_version = v
#define GONE(v)    .document_version = v, .document_missing = true /* marked as deleted */
#define ENTRY(v)   .entry_version = v, .entry_explains = true
#define OLD(v)     .entry_version = v
#define THEN(a, r) .action = RESOLVE_##a, .rule = RESOLVE_RULE_##r

static const struct line lines[] = {
    {"nothing is known", {NO_DOC, NO_ROW}, THEN(NOTHING, UNKNOWN_KEY)},
    {"a row without an entry alone", {NO_DOC, ROW}, THEN(NOTHING, UNKNOWN_KEY)},

    /* Elasticsearch V, Cassandra lower or none */
    {"a new document", {DOC(HIGH), NO_ROW}, THEN(TO_CASSANDRA, DOCUMENT_NEWER)},
    {"a newer document", {DOC(HIGH), ENTRY(LOW), ROW}, THEN(TO_CASSANDRA, DOCUMENT_NEWER)},
    {"a newer document, a row of the time before",
     {DOC(HIGH), ROW},
     THEN(TO_CASSANDRA, DOCUMENT_NEWER)},
    {"a newer document, a row of keys alone",
     {DOC(HIGH), .row_write_time = CHANGE_NO_WRITE_TIME},
     THEN(TO_CASSANDRA, DOCUMENT_NEWER)},
    {"a document newly marked as deleted",
     {GONE(HIGH), ENTRY(LOW), ROW},
     THEN(TO_CASSANDRA, DOCUMENT_NEWER),
     .delete = true},
    {"a document marked as deleted and unreadable: its content does not travel",
     {GONE(HIGH), ENTRY(LOW), ROW, .document_unreadable = true},
     THEN(TO_CASSANDRA, DOCUMENT_NEWER),
     .delete = true},
    {"a newer document that can't be converted",
     {DOC(HIGH), ENTRY(LOW), ROW, .document_unreadable = true},
     THEN(DEAD, UNREADABLE)},
    {"an unexplained row", {DOC(HIGH), .row_write_time = LATELY}, THEN(DEAD, ROW_UNEXPLAINED)},
    {"an unexplained row of a cycle before",
     {DOC(HIGH), ROW, .row_unexplained = true},
     THEN(DEAD, ROW_UNEXPLAINED)},
    {"an unexplained row that an entry explains now",
     {DOC(HIGH), ENTRY(LOW), ROW, .row_unexplained = true},
     THEN(TO_CASSANDRA, DOCUMENT_NEWER)},
    {"an entry that was there before the row does not explain it",
     {DOC(HIGH), OLD(LOW), .row_write_time = LATELY},
     THEN(DEAD, ROW_UNEXPLAINED)},
    {"a late row whose entry was seen before it was written",
     {DOC(HIGH), .entry_version = LOW, .row_write_time = LATELY},
     THEN(DEAD, ROW_UNEXPLAINED)},
    {"a row of the time before whose entry was seen before it was written",
     {DOC(HIGH), .entry_version = LOW, ROW},
     THEN(TO_CASSANDRA, DOCUMENT_NEWER)},
    {"a late row that is the daemon's copy of any version",
     {DOC(HIGH), .row_write_time = LATELY, .row_is_own = true},
     THEN(TO_CASSANDRA, DOCUMENT_NEWER)},
    {"a late row whose entry may lie in the part that was not read",
     {DOC(HIGH), .row_write_time = LATELY},
     THEN(PUT_OFF, WINDOW_TOO_SHORT),
     .part = true},
    {"a row fresher than S",
     {DOC(HIGH), ENTRY(LOW), .row_write_time = JUST_NOW},
     THEN(PUT_OFF, ROW_TOO_FRESH)},
    {"a row fresher than S that the daemon wrote",
     {DOC(HIGH), ENTRY(LOW), .row_write_time = JUST_NOW, .row_written_by_us = true},
     THEN(TO_CASSANDRA, DOCUMENT_NEWER)},
    {"a row fresher than S in which an application repeats an old copy",
     {DOC(HIGH), ENTRY(LOW), .row_write_time = JUST_NOW, .row_is_own = true},
     THEN(PUT_OFF, ROW_TOO_FRESH)},
    {"a late row of the daemon",
     {DOC(HIGH), .row_write_time = LATELY, .row_written_by_us = true},
     THEN(TO_CASSANDRA, DOCUMENT_NEWER)},
    {"a row fresher than S, guard timestamp",
     {DOC(HIGH), .row_write_time = JUST_NOW},
     THEN(TO_CASSANDRA, DOCUMENT_NEWER),
     .by_timestamp = true},
    {"a write time in the future",
     {DOC(HIGH), ENTRY(LOW), .row_write_time = FUTURE},
     THEN(DEAD, WRITE_TIME_IN_FUTURE)},
    {"a write time in the future, guard timestamp",
     {DOC(HIGH), ENTRY(LOW), .row_write_time = FUTURE},
     THEN(DEAD, WRITE_TIME_IN_FUTURE),
     .by_timestamp = true},
    {"a version in the future", {DOC(LIMIT + 1), ENTRY(LOW), ROW}, THEN(DEAD, VERSION_IN_FUTURE)},
    {"the last version that is not in the future",
     {DOC(LIMIT), ENTRY(LOW), ROW},
     THEN(TO_CASSANDRA, DOCUMENT_NEWER)},
    {"an entry in the future", {DOC(LOW), ENTRY(LIMIT + 1), ROW}, THEN(DEAD, VERSION_IN_FUTURE)},

    /* Elasticsearch lower or none, Cassandra V, the row is there */
    {"a new row", {NO_DOC, ENTRY(HIGH), ROW}, THEN(TO_ELASTICSEARCH, ROW_NEWER)},
    {"a newer row", {DOC(LOW), ENTRY(HIGH), ROW}, THEN(TO_ELASTICSEARCH, ROW_NEWER)},
    {"a newer row over an unreadable document",
     {DOC(LOW), ENTRY(HIGH), ROW, .document_unreadable = true},
     THEN(TO_ELASTICSEARCH, ROW_NEWER)},
    {"a newer row, however fresh",
     {DOC(LOW), ENTRY(HIGH), .row_write_time = JUST_NOW},
     THEN(TO_ELASTICSEARCH, ROW_NEWER)},
    {"a row again after the delete of its version",
     {GONE(LOW), ENTRY(HIGH), ROW, .own_row = {OWN}},
     THEN(TO_ELASTICSEARCH, ROW_NEWER)},
    {"a row that came after its entry was taken for a delete",
     {NO_DOC, ENTRY(HIGH), ROW, .own_document = {OWN_HELD, .deleted = true, .acknowledged = true}},
     THEN(TO_ELASTICSEARCH, ROW_AFTER_DELETE),
     .gte = true},
    {"the same where the delete has not reached the document",
     {DOC(LOW), ENTRY(HIGH), ROW, .own_document = {OWN, .deleted = true}},
     THEN(TO_ELASTICSEARCH, ROW_AFTER_DELETE),
     .gte = true},
    {"a copy that was never acknowledged",
     {NO_DOC, ENTRY(HIGH), ROW, .own_document = {OWN}},
     THEN(TO_ELASTICSEARCH, ROW_NEWER)},
    {"a hard delete of the daemon's copy",
     {NO_DOC, ENTRY(HIGH), ROW, .own_document = {OWN, .acknowledged = true}},
     THEN(NOTHING, HARD_DELETE)},
    {"a hard delete of the application's document, which had been copied",
     {NO_DOC, ENTRY(HIGH), ROW, .own_row = {OWN_HELD}},
     THEN(NOTHING, HARD_DELETE)},

    /* Elasticsearch lower or none, Cassandra V, the row is missing */
    {"an entry without a row yet", {DOC(LOW), ENTRY(HIGH), NO_ROW}, THEN(WAIT, ROW_MISSING_YET)},
    {"a delete",
     {DOC(LOW), ENTRY(HIGH), NO_ROW, .delete_settled = true},
     THEN(TO_ELASTICSEARCH, ROW_DELETED),
     .delete = true},
    {"a delete, missingRow: skip",
     {DOC(LOW), ENTRY(HIGH), NO_ROW, .delete_settled = true},
     THEN(NOTHING, MISSING_ROW_SKIPPED),
     .skip = true},
    {"a delete of what was never there",
     {NO_DOC, ENTRY(HIGH), NO_ROW, .delete_settled = true},
     THEN(NOTHING, DELETED_EVERYWHERE)},
    {"the daemon's own entry without its row",
     {DOC(LOW), ENTRY(HIGH), NO_ROW, .own_row = {OWN}, .delete_settled = true},
     THEN(TO_CASSANDRA, OWN_ROW_LOST)},
    {"the entry of a delete that the daemon copied",
     {NO_DOC, ENTRY(HIGH), NO_ROW, .own_row = {OWN_HELD, .deleted = true}},
     THEN(NOTHING, OWN_DELETE)},

    /* the same version on both */
    {"equal", {DOC(HIGH), ENTRY(HIGH), ROW, .equal = true}, THEN(NOTHING, EQUAL)},
    {"deleted on both", {GONE(HIGH), ENTRY(HIGH), NO_ROW}, THEN(NOTHING, EQUAL)},
    {"a tie", {DOC(HIGH), ENTRY(HIGH), ROW}, THEN(TO_CASSANDRA, TIE)},
    {"a tie, Cassandra wins",
     {DOC(HIGH), ENTRY(HIGH), ROW},
     THEN(TO_ELASTICSEARCH, TIE),
     .gte = true,
     .cassandra_wins = true},
    {"a tie of a document and a missing row",
     {DOC(HIGH), ENTRY(HIGH), NO_ROW, .delete_settled = true},
     THEN(TO_CASSANDRA, TIE)},
    {"a tie of a document and a missing row, Cassandra wins",
     {DOC(HIGH), ENTRY(HIGH), NO_ROW},
     THEN(WAIT, ROW_MISSING_YET),
     .cassandra_wins = true},
    {"a tie of a document and a missing row for long, Cassandra wins",
     {DOC(HIGH), ENTRY(HIGH), NO_ROW, .delete_settled = true},
     THEN(TO_ELASTICSEARCH, TIE),
     .delete = true,
     .gte = true,
     .cassandra_wins = true},
    {"a tie of a deleted document and a row",
     {GONE(HIGH), ENTRY(HIGH), ROW},
     THEN(TO_CASSANDRA, TIE),
     .delete = true},
    {"a tie with a row that is too fresh",
     {DOC(HIGH), ENTRY(HIGH), .row_write_time = JUST_NOW},
     THEN(PUT_OFF, ROW_TOO_FRESH)},
    {"a tie with an unreadable document",
     {DOC(HIGH), ENTRY(HIGH), ROW, .document_unreadable = true},
     THEN(DEAD, UNREADABLE)},
    {"the document changed after it was copied",
     {DOC(HIGH), ENTRY(HIGH), ROW, .row_is_own = true, .own_row = {OWN_HELD}},
     THEN(TO_CASSANDRA, OWN_COPY_IN_CASSANDRA),
     .cassandra_wins = true},
    {"the row changed after it was copied",
     {DOC(HIGH), ENTRY(HIGH), ROW, .own_document = {OWN_HELD}},
     THEN(TO_ELASTICSEARCH, OWN_COPY_IN_ELASTICSEARCH),
     .gte = true},
    {"the row came after its delete had been copied as a mark",
     {GONE(HIGH), ENTRY(HIGH), ROW, .own_document = {OWN_HELD, .deleted = true}},
     THEN(TO_ELASTICSEARCH, OWN_COPY_IN_ELASTICSEARCH),
     .gte = true},
    {"an own copy that somebody replaced is none",
     {DOC(HIGH), ENTRY(HIGH), ROW, .own_document = {OWN}},
     THEN(TO_CASSANDRA, TIE)},
    {"own copies on both sides",
     {DOC(HIGH), ENTRY(HIGH), ROW, .row_is_own = true, .own_document = {OWN_HELD},
      .own_row = {OWN_HELD}},
     THEN(TO_CASSANDRA, TIE)},

    /* the daemon's copy of a row was replaced: by that version, or later by a lower one */
    {"a tie for Cassandra, over a copy",
     {DOC(HIGH), ENTRY(HIGH), ROW, .own_row = {OWN}, .row_settled = true},
     THEN(TO_ELASTICSEARCH, TIE),
     .gte = true,
     .cassandra_wins = true},
    {"a lower version over a copy",
     {DOC(HIGH), ENTRY(HIGH), ROW, .own_row = {OWN}, .row_may_be_lower = true},
     THEN(TO_CASSANDRA, OWN_ROW_REPLACED),
     .cassandra_wins = true},
    {"a delete of a lower version over a copy",
     {DOC(HIGH), ENTRY(HIGH), NO_ROW, .own_row = {OWN}, .row_may_be_lower = true},
     THEN(TO_CASSANDRA, OWN_ROW_REPLACED),
     .cassandra_wins = true},
    {"a row that replaced a copy, and its entry may not show yet",
     {DOC(HIGH), ENTRY(HIGH), ROW, .own_row = {OWN}},
     THEN(PUT_OFF, COPY_REPLACED),
     .cassandra_wins = true},
    {"a row that replaced a copy, and its entry may not have been read",
     {DOC(HIGH), ENTRY(HIGH), ROW, .own_row = {OWN}, .row_settled = true},
     THEN(PUT_OFF, WINDOW_TOO_SHORT),
     .cassandra_wins = true,
     .part = true},
    {"the same by timestamps: a lower version replaces nothing",
     {DOC(HIGH), ENTRY(HIGH), ROW, .own_row = {OWN}},
     THEN(TO_ELASTICSEARCH, TIE),
     .gte = true,
     .cassandra_wins = true,
     .by_timestamp = true,
     .part = true},
    {"two applications' tie for Cassandra, beside a lower entry",
     {DOC(HIGH), ENTRY(HIGH), ROW, .row_may_be_lower = true},
     THEN(TO_ELASTICSEARCH, TIE),
     .gte = true,
     .cassandra_wins = true,
     .part = true},

    /* a look at a version below what this cycle has read: a higher one may lie in between */
    {"a late look at what is equal",
     {DOC(HIGH), ENTRY(HIGH), ROW, .equal = true},
     THEN(NOTHING, EQUAL),
     .below = true},
    {"a late look at a tie, the row written since the whole read",
     {DOC(HIGH), ENTRY(HIGH), .row_write_time = BRIEF, .own_row = {OWN}},
     THEN(PUT_OFF, WINDOW_TOO_SHORT),
     .below = true},
    {"a late look at a tie, a cell of the daemon's copy deleted since",
     {DOC(HIGH), ENTRY(HIGH), ROW, .row_written_by_us = true, .own_row = {OWN}},
     THEN(PUT_OFF, WINDOW_TOO_SHORT),
     .below = true},
    {"a late look at a tie, the daemon's copy deleted since",
     {DOC(HIGH), ENTRY(HIGH), NO_ROW, .own_row = {OWN}},
     THEN(PUT_OFF, WINDOW_TOO_SHORT),
     .below = true},
    {"a late look at a document that was written again at its version",
     {DOC(HIGH), ENTRY(HIGH), ROW, .row_is_own = true, .row_written_by_us = true,
      .own_row = {OWN_HELD}},
     THEN(PUT_OFF, WINDOW_TOO_SHORT),
     .below = true},
    {"a late look at a newer document",
     {DOC(HIGH), ENTRY(LOW), .row_write_time = BRIEF},
     THEN(PUT_OFF, WINDOW_TOO_SHORT),
     .below = true},
    {"a late look at a row that is fresher than S",
     {DOC(HIGH), ENTRY(HIGH), .row_write_time = JUST_NOW},
     THEN(PUT_OFF, ROW_TOO_FRESH),
     .below = true},
    {"guard timestamp needs no whole read",
     {DOC(HIGH), ENTRY(HIGH), .row_write_time = BRIEF},
     THEN(TO_CASSANDRA, TIE),
     .by_timestamp = true,
     .below = true},
};

static void each_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        const struct line *l = &lines[i];
        struct resolve_rules r = usual;
        r.tie = l->cassandra_wins ? RESOLVE_TIE_CASSANDRA : RESOLVE_TIE_ELASTICSEARCH;
        r.guard = l->by_timestamp ? RESOLVE_GUARD_TIMESTAMP : RESOLVE_GUARD_SNAPSHOT;
        r.skip_missing_rows = l->skip;
        r.whole_overlap = !l->part && !l->below;
        r.read_from = l->below ? HIGH + 1 : 0;
        const struct resolve_decision d = resolve_decide(&l->facts, &r);
        if (d.action != l->action || d.rule != l->rule || d.delete != l->delete || d.gte != l->gte)
            fail_msg("%s: action %d, rule \"%s\", delete %d, gte %d; expected %d, \"%s\", %d, %d",
                     l->what, d.action, resolve_rule_text(d.rule), d.delete, d.gte, l->action,
                     resolve_rule_text(l->rule), l->delete, l->gte);
    }
}

/* Versions that are not wall-clock time know no future. */
static void no_limit(void **state)
{
    (void)state;
    const struct resolve_facts f = {DOC(INT64_MAX), NO_ROW};
    struct resolve_rules r = usual;
    r.latest_version = 0;
    const struct resolve_decision d = resolve_decide(&f, &r);
    assert_int_equal(d.action, RESOLVE_TO_CASSANDRA);
    assert_true(d.version == INT64_MAX);
}

/* --- all that can be, and what must hold whatever it is */

static const struct resolve_facts *now;
static const struct resolve_rules *under;

static void broken(const char *what, const struct resolve_decision *d)
{
    fail_msg(
        "%s: document %lld%s%s, entry %lld%s, row %s written %lld%s%s%s, own document %d%d%d%d, "
        "own row %d%d%d%d, settled %d, guard %d, tie %d, skip %d, whole %d: action %d (%s)",
        what, (long long)now->document_version, now->document_missing ? " missing" : "",
        now->document_unreadable ? " unreadable" : "", (long long)now->entry_version,
        now->entry_explains ? " explains" : "", now->row_missing ? "missing" : "there",
        (long long)now->row_write_time,
        now->row_is_own          ? " own"
        : now->row_written_by_us ? " by us"
                                 : "",
        now->row_unexplained ? " unexplained" : "", now->equal ? ", equal" : "",
        now->own_document.recorded, now->own_document.acknowledged, now->own_document.deleted,
        now->own_document.holds, now->own_row.recorded, now->own_row.acknowledged,
        now->own_row.deleted, now->own_row.holds, now->delete_settled, under->guard, under->tie,
        under->skip_missing_rows, under->whole_overlap, d->action, resolve_rule_text(d->rule));
}

#define MUST(condition)             \
    do {                            \
        if (!(condition))           \
            broken(#condition, &d); \
    } while (0)
#define IMPLIES(a, b) MUST(!(a) || (b))

/* What a write into Cassandra may cover. */
static bool coverable(const struct resolve_facts *f, const struct resolve_rules *r)
{
    const int64_t highest =
        f->document_version > f->entry_version ? f->document_version : f->entry_version;
    const bool sure =
        r->whole_overlap || r->guard == RESOLVE_GUARD_TIMESTAMP || highest >= r->read_from;
    if (!sure)
        return false;
    if (f->row_missing || f->row_write_time == CHANGE_NO_WRITE_TIME)
        return true;
    if (f->row_write_time > r->latest_write_us)
        return false;
    if (r->guard == RESOLVE_GUARD_TIMESTAMP || f->row_written_by_us)
        return true;
    const bool explained = f->entry_explains || f->row_is_own ||
                           (f->row_write_time <= r->settled_before && !f->row_unexplained);
    return f->row_write_time <= r->settled && explained;
}

static void check_one(const struct resolve_facts *f, const struct resolve_rules *r)
{
    now = f;
    under = r;
    const struct resolve_decision d = resolve_decide(f, r);
    const int64_t document = f->document_version, entry = f->entry_version;
    const int64_t highest = document > entry ? document : entry;
    const bool future = r->latest_version && highest > r->latest_version;
    const bool to_cassandra = d.action == RESOLVE_TO_CASSANDRA;
    const bool to_elasticsearch = d.action == RESOLVE_TO_ELASTICSEARCH;
    const bool own_row = f->own_row.recorded && f->own_row.holds;
    const bool own_document = f->own_document.recorded && f->own_document.holds;
    const bool row_lost = entry > document && document > 0 && f->row_missing &&
                          f->own_row.recorded && !f->own_row.deleted;
    const bool travels =
        !future && (document > entry || (document == entry && document > 0) || row_lost);

    MUST(d.version == highest);
    IMPLIES(highest == 0, d.action == RESOLVE_NOTHING);
    IMPLIES(future, d.action == RESOLVE_DEAD && d.rule == RESOLVE_RULE_VERSION_IN_FUTURE);
    IMPLIES(!to_elasticsearch, !d.gte);

    /* what is written is what is there */
    IMPLIES(to_cassandra, d.delete == f->document_missing);
    IMPLIES(to_cassandra, !f->document_unreadable || f->document_missing);
    IMPLIES(to_elasticsearch, d.delete == f->row_missing);
    IMPLIES(!to_cassandra && !to_elasticsearch, !d.delete);

    /* nothing unexplained, too fresh or of the future is covered */
    IMPLIES(to_cassandra, coverable(f, r));
    IMPLIES(r->guard == RESOLVE_GUARD_TIMESTAMP, d.action != RESOLVE_PUT_OFF);
    IMPLIES(d.rule == RESOLVE_RULE_WINDOW_TOO_SHORT, !r->whole_overlap);

    /* no older version over a newer one: only where there is nothing left of the newer */
    IMPLIES(to_cassandra && document < entry, row_lost);
    IMPLIES(to_elasticsearch, entry >= document);
    IMPLIES(to_elasticsearch && entry == document, d.gte);
    IMPLIES(d.gte && entry > document, f->own_document.recorded && f->own_document.deleted);

    /* the higher one wins, or waits, or is told */
    if (document > entry && !future) {
        MUST(to_cassandra || d.action == RESOLVE_PUT_OFF || d.action == RESOLVE_DEAD);
        IMPLIES(coverable(f, r) && !(f->document_unreadable && !f->document_missing), to_cassandra);
    }
    if (entry > document && !future && !f->row_missing) {
        MUST(to_elasticsearch || d.rule == RESOLVE_RULE_HARD_DELETE);
        IMPLIES(document > 0, to_elasticsearch);
    }
    IMPLIES(d.rule == RESOLVE_RULE_HARD_DELETE,
            document == 0 && (f->own_document.acknowledged || own_row));

    /* what can't be converted is told when it should travel, and only then */
    IMPLIES(d.rule == RESOLVE_RULE_UNREADABLE,
            travels && f->document_unreadable && !f->document_missing);
    IMPLIES(d.action == RESOLVE_DEAD, future || travels);

    /* a missing row is a delete after a while, and never because the daemon itself deleted */
    IMPLIES(to_elasticsearch && d.delete,
            f->delete_settled && !r->skip_missing_rows && document > 0);
    IMPLIES(to_elasticsearch && d.delete &&entry > document, !f->own_row.recorded);
    IMPLIES(d.action == RESOLVE_WAIT, f->row_missing && !f->delete_settled && document > 0);
    IMPLIES(entry > document && f->row_missing && !future && !f->own_row.recorded && document > 0 &&
                !r->skip_missing_rows,
            d.action == (f->delete_settled ? RESOLVE_TO_ELASTICSEARCH : RESOLVE_WAIT));

    /* the same version: equal, own copies, ties */
    if (document != entry || document == 0 || future)
        return;
    const bool same = f->equal || (f->row_missing && f->document_missing);
    MUST(same == (d.rule == RESOLVE_RULE_EQUAL));
    IMPLIES(same, d.action == RESOLVE_NOTHING);
    const bool replaced = f->own_row.recorded && !f->own_row.holds && !own_document &&
                          r->guard == RESOLVE_GUARD_SNAPSHOT && r->tie == RESOLVE_TIE_CASSANDRA;
    const bool unsure = replaced && !f->row_may_be_lower && !(f->row_settled && r->whole_overlap);
    IMPLIES(!same && unsure, d.action == RESOLVE_PUT_OFF);
    if (unsure)
        return;
    const bool elasticsearch_wins = own_row != own_document ? own_row
                                                            : r->tie == RESOLVE_TIE_ELASTICSEARCH ||
                                                                  (replaced && f->row_may_be_lower);
    IMPLIES(!same && elasticsearch_wins, !to_elasticsearch && d.action != RESOLVE_NOTHING);
    IMPLIES(!same && elasticsearch_wins && coverable(f, r) &&
                !(f->document_unreadable && !f->document_missing),
            to_cassandra);
    IMPLIES(!same && !elasticsearch_wins,
            to_elasticsearch ||
                (f->row_missing && (d.action == RESOLVE_WAIT ||
                                    (d.action == RESOLVE_NOTHING && r->skip_missing_rows))));
}

static bool own_possible(const struct resolve_own *own, bool missing)
{
    return !own->holds || (own->recorded && own->deleted == missing);
}

/* Leaves out what can't be: a deleted copy that is held by a present one, and the like. */
static bool possible(const struct resolve_facts *f)
{
    if (!own_possible(&f->own_document, f->document_missing) ||
        !own_possible(&f->own_row, f->row_missing))
        return false;
    if (f->own_row.holds && !f->row_missing && !f->row_is_own)
        return false;
    if (f->entry_explains && f->entry_version == 0)
        return false;
    if (f->equal && (f->document_version != f->entry_version || f->document_unreadable ||
                     f->document_missing != f->row_missing))
        return false;
    if ((f->row_may_be_lower || f->row_settled) && !f->own_row.recorded)
        return false;
    return !(f->row_missing && (f->row_is_own || f->row_written_by_us || f->row_unexplained));
}

static const struct resolve_own owns[] = {
    {0},
    {OWN},
    {OWN_HELD},
    {OWN, .acknowledged = true},
    {OWN_HELD, .acknowledged = true},
    {OWN, .deleted = true},
    {OWN_HELD, .deleted = true},
    {OWN, .deleted = true, .acknowledged = true},
    {OWN_HELD, .deleted = true, .acknowledged = true},
};
enum { OWNS = sizeof owns / sizeof *owns, RULES = 1 << 6, FLAGS = 1 << 8 };

static const struct resolve_facts documents[] = {
    {NO_DOC},
    {DOC(LOW)},
    {GONE(LOW)},
    {DOC(LOW), .document_unreadable = true},
    {GONE(LOW), .document_unreadable = true},
    {DOC(HIGH)},
    {GONE(HIGH)},
    {DOC(HIGH), .document_unreadable = true},
    {GONE(HIGH), .document_unreadable = true},
};
static const int64_t entries[] = {0, LOW, HIGH};
static const int64_t write_times[] = {CHANGE_NO_WRITE_TIME,
                                      LONG_AGO,
                                      BRIEF,
                                      P,
                                      P + 1,
                                      LATELY,
                                      S,
                                      S + 1,
                                      JUST_NOW,
                                      LATEST,
                                      LATEST + 1};

static size_t check_flags(struct resolve_facts f)
{
    size_t checked = 0;
    for (unsigned flags = 0; flags < FLAGS; flags++) {
        f.row_is_own = flags & 1;
        f.row_unexplained = flags & 2;
        f.equal = flags & 4;
        f.delete_settled = flags & 8;
        f.entry_explains = flags & 16;
        f.row_written_by_us = flags & 32;
        f.row_may_be_lower = flags & 64;
        f.row_settled = flags & 128;
        if (!possible(&f))
            continue;
        for (unsigned bits = 0; bits < RULES; bits++) {
            const struct resolve_rules r = {
                .guard = bits & 1 ? RESOLVE_GUARD_TIMESTAMP : RESOLVE_GUARD_SNAPSHOT,
                .tie = bits & 2 ? RESOLVE_TIE_CASSANDRA : RESOLVE_TIE_ELASTICSEARCH,
                .skip_missing_rows = bits & 4,
                .whole_overlap = bits & 8,
                .settled = S,
                .settled_before = P,
                .read_from = bits & 32 ? HIGH : 0,
                .latest_version = bits & 16 ? HIGH - 1 : 0,
                .latest_write_us = LATEST,
            };
            check_one(&f, &r);
            checked++;
        }
    }
    return checked;
}

static void every_combination(void **state)
{
    (void)state;
    size_t checked = 0;
    for (size_t d = 0; d < sizeof documents / sizeof *documents; d++)
        for (size_t e = 0; e < sizeof entries / sizeof *entries; e++)
            for (size_t w = 0; w <= sizeof write_times / sizeof *write_times; w++)
                for (size_t own = 0; own < (size_t)OWNS * OWNS; own++) {
                    struct resolve_facts f = documents[d];
                    f.entry_version = entries[e];
                    f.row_missing = w == sizeof write_times / sizeof *write_times;
                    f.row_write_time = f.row_missing ? CHANGE_NO_WRITE_TIME : write_times[w];
                    f.own_document = owns[own / OWNS];
                    f.own_row = owns[own % OWNS];
                    checked += check_flags(f);
                }
    print_message("%zu combinations\n", checked);
    assert_true(checked > 1000000);
}

static void every_rule_has_words(void **state)
{
    (void)state;
    for (int i = 0; i <= RESOLVE_RULE_UNREADABLE; i++) {
        assert_non_null(resolve_rule_text((enum resolve_rule)i));
        for (int j = 0; j < i; j++)
            assert_string_not_equal(resolve_rule_text((enum resolve_rule)i),
                                    resolve_rule_text((enum resolve_rule)j));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_line),
        cmocka_unit_test(no_limit),
        cmocka_unit_test(every_combination),
        cmocka_unit_test(every_rule_has_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

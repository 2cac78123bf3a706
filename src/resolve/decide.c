#include "resolve/decide.h"

#include "change/state.h"

static const struct {
    const char *name, *text;
} rules[] = {
#define RESOLVE_ROW(name, text) [RESOLVE_RULE_##name] = {#name, text},
    RESOLVE_RULES(RESOLVE_ROW)
#undef RESOLVE_ROW
};

const char *resolve_rule_text(enum resolve_rule rule)
{
    return rules[rule].text;
}

void resolve_rule_name(enum resolve_rule rule, char name[RESOLVE_RULE_NAME_MAX])
{
    size_t i = 0;
    for (; rules[rule].name[i] && i < RESOLVE_RULE_NAME_MAX - 1; i++) {
        const char c = rules[rule].name[i];
        name[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    name[i] = '\0';
}

static struct resolve_decision decision(enum resolve_action action, enum resolve_rule rule)
{
    return (struct resolve_decision){.action = action, .rule = rule};
}

static int64_t higher_version(const struct resolve_facts *f)
{
    return f->document_version > f->entry_version ? f->document_version : f->entry_version;
}

static bool has_write_time(const struct resolve_facts *f)
{
    return !f->row_missing && f->row_write_time != CHANGE_NO_WRITE_TIME;
}

/* A late look: an entry between its version and those that this cycle has read may have come since
 * the whole overlap was read, and the row be of that write: what it deleted leaves no write time,
 * nor does it show where nothing was. What lies below a whole overlap was in the one before. */
static bool may_be_newer(const struct resolve_facts *f, const struct resolve_rules *r)
{
    return !r->whole_overlap && higher_version(f) < r->read_from;
}

/* A row that nobody can put into the order of versions must not be overwritten. */
static struct resolve_decision guarded(const struct resolve_facts *f, const struct resolve_rules *r,
                                       struct resolve_decision write)
{
    /* a deletion has no content that would have to be converted */
    if (f->document_unreadable && !f->document_missing)
        return decision(RESOLVE_DEAD, RESOLVE_RULE_UNREADABLE);
    write.delete = f->document_missing;
    const bool timed = has_write_time(f);
    if (timed && f->row_write_time > r->latest_write_us)
        return decision(RESOLVE_DEAD, RESOLVE_RULE_WRITE_TIME_IN_FUTURE);
    /* guard timestamp: the row's own cells decide by the same clock */
    if (r->guard == RESOLVE_GUARD_TIMESTAMP)
        return write;
    if (timed && !f->row_written_by_us && f->row_write_time > r->settled)
        return decision(RESOLVE_PUT_OFF, RESOLVE_RULE_ROW_TOO_FRESH);
    if (may_be_newer(f, r))
        return decision(RESOLVE_PUT_OFF, RESOLVE_RULE_WINDOW_TOO_SHORT);
    if (!timed || f->row_written_by_us || f->entry_explains || f->row_is_own)
        return write;
    if (f->row_unexplained)
        return decision(RESOLVE_DEAD, RESOLVE_RULE_ROW_UNEXPLAINED);
    if (f->row_write_time <= r->settled_before)
        return write;
    if (!r->whole_overlap)
        return decision(RESOLVE_PUT_OFF, RESOLVE_RULE_WINDOW_TOO_SHORT);
    return decision(RESOLVE_DEAD, RESOLVE_RULE_ROW_UNEXPLAINED);
}

static struct resolve_decision to_cassandra(const struct resolve_facts *f,
                                            const struct resolve_rules *r, enum resolve_rule rule)
{
    return guarded(f, r, decision(RESOLVE_TO_CASSANDRA, rule));
}

static struct resolve_decision to_elasticsearch(enum resolve_rule rule, bool gte)
{
    struct resolve_decision d = decision(RESOLVE_TO_ELASTICSEARCH, rule);
    d.gte = gte;
    return d;
}

/* An application's entry whose row is missing. */
static struct resolve_decision row_deleted(const struct resolve_facts *f,
                                           const struct resolve_rules *r, enum resolve_rule rule,
                                           bool gte)
{
    if (r->skip_missing_rows)
        return decision(RESOLVE_NOTHING, RESOLVE_RULE_MISSING_ROW_SKIPPED);
    if (f->document_version == 0)
        return decision(RESOLVE_NOTHING, RESOLVE_RULE_DELETED_EVERYWHERE);
    if (!f->delete_settled)
        return decision(RESOLVE_WAIT, RESOLVE_RULE_ROW_MISSING_YET);
    struct resolve_decision d = to_elasticsearch(rule, gte);
    d.delete = true;
    return d;
}

static struct resolve_decision row_wins(const struct resolve_facts *f,
                                        const struct resolve_rules *r, enum resolve_rule rule)
{
    if (f->row_missing)
        return row_deleted(f, r, rule, true);
    return to_elasticsearch(rule, true);
}

static struct resolve_decision row_newer(const struct resolve_facts *f,
                                         const struct resolve_rules *r)
{
    const bool document_gone = f->document_version == 0;
    if (f->row_missing) {
        if (!f->own_row.recorded)
            return row_deleted(f, r, RESOLVE_RULE_ROW_DELETED, false);
        if (f->own_row.deleted || document_gone)
            return decision(RESOLVE_NOTHING, RESOLVE_RULE_OWN_DELETE);
        return to_cassandra(f, r, RESOLVE_RULE_OWN_ROW_LOST);
    }
    if (f->own_document.recorded && f->own_document.deleted)
        return to_elasticsearch(RESOLVE_RULE_ROW_AFTER_DELETE, true);
    /* A copy from there proves that it was there, as an acknowledged copy to there does. */
    if (document_gone && ((f->own_document.recorded && f->own_document.acknowledged) ||
                          (f->own_row.recorded && f->own_row.holds)))
        return decision(RESOLVE_NOTHING, RESOLVE_RULE_HARD_DELETE);
    return to_elasticsearch(RESOLVE_RULE_ROW_NEWER, false);
}

/* The daemon's copy was replaced since: by a write of this version, or by one of a lower version
 * that came later, whose entry then turns up. Only the former is a tie. */
static bool copy_replaced(const struct resolve_facts *f)
{
    return f->own_row.recorded && !f->own_row.holds;
}

static struct resolve_decision tie(const struct resolve_facts *f, const struct resolve_rules *r)
{
    if (r->tie == RESOLVE_TIE_ELASTICSEARCH)
        return to_cassandra(f, r, RESOLVE_RULE_TIE);
    /* guard timestamp: a lower version replaces nothing */
    if (!copy_replaced(f) || r->guard == RESOLVE_GUARD_TIMESTAMP)
        return row_wins(f, r, RESOLVE_RULE_TIE);
    if (f->row_may_be_lower)
        return to_cassandra(f, r, RESOLVE_RULE_OWN_ROW_REPLACED);
    if (!f->row_settled)
        return decision(RESOLVE_PUT_OFF, RESOLVE_RULE_COPY_REPLACED);
    if (!r->whole_overlap)
        return decision(RESOLVE_PUT_OFF, RESOLVE_RULE_WINDOW_TOO_SHORT);
    return row_wins(f, r, RESOLVE_RULE_TIE);
}

static struct resolve_decision same_version(const struct resolve_facts *f,
                                            const struct resolve_rules *r)
{
    if (f->equal || (f->row_missing && f->document_missing))
        return decision(RESOLVE_NOTHING, RESOLVE_RULE_EQUAL);
    const bool own_row = f->own_row.recorded && f->own_row.holds;
    const bool own_document = f->own_document.recorded && f->own_document.holds;
    if (own_row && !own_document)
        return to_cassandra(f, r, RESOLVE_RULE_OWN_COPY_IN_CASSANDRA);
    if (own_document && !own_row)
        return row_wins(f, r, RESOLVE_RULE_OWN_COPY_IN_ELASTICSEARCH);
    return tie(f, r);
}

struct resolve_decision resolve_decide(const struct resolve_facts *f, const struct resolve_rules *r)
{
    const int64_t version = higher_version(f);
    struct resolve_decision d;
    if (version == 0)
        d = decision(RESOLVE_NOTHING, RESOLVE_RULE_UNKNOWN_KEY);
    else if (r->latest_version && version > r->latest_version)
        d = decision(RESOLVE_DEAD, RESOLVE_RULE_VERSION_IN_FUTURE);
    else if (f->document_version > f->entry_version)
        d = to_cassandra(f, r, RESOLVE_RULE_DOCUMENT_NEWER);
    else if (f->entry_version > f->document_version)
        d = row_newer(f, r);
    else
        d = same_version(f, r);
    d.version = version;
    return d;
}

#include "resolve/mend.h"

#include "change/state.h"

static struct resolve_decision decision(enum resolve_action action, enum resolve_rule rule)
{
    return (struct resolve_decision){.action = action, .rule = rule};
}

static struct resolve_decision row_wins(const struct resolve_mend_facts *f, enum resolve_rule rule)
{
    struct resolve_decision d = decision(RESOLVE_TO_ELASTICSEARCH, rule);
    d.delete = f->row_missing;
    d.gte = true;
    return d;
}

static struct resolve_decision document_wins(const struct resolve_mend_facts *f,
                                             const struct resolve_rules *r, enum resolve_rule rule)
{
    if (f->document_unreadable && !f->document_missing)
        return decision(RESOLVE_DEAD, RESOLVE_RULE_UNREADABLE);
    const bool timed = !f->row_missing && f->row_write_time != CHANGE_NO_WRITE_TIME;
    if (timed && f->row_write_time > r->latest_write_us)
        return decision(RESOLVE_DEAD, RESOLVE_RULE_WRITE_TIME_IN_FUTURE);
    if (timed && !f->row_is_known && f->row_write_time > r->settled)
        return decision(RESOLVE_PUT_OFF, RESOLVE_RULE_ROW_TOO_FRESH);
    struct resolve_decision d = decision(RESOLVE_TO_CASSANDRA, rule);
    d.delete = f->document_missing;
    return d;
}

/* Nothing on one side, and no version that says why. */
static struct resolve_decision one_side(const struct resolve_mend_facts *f,
                                        const struct resolve_rules *r, enum resolve_missing missing)
{
    const bool copy = missing == RESOLVE_MISSING_COPY;
    const enum resolve_rule rule =
        copy ? RESOLVE_RULE_ONE_SIDE_COPIED : RESOLVE_RULE_ONE_SIDE_DELETED;
    return f->row_missing == copy ? document_wins(f, r, rule) : row_wins(f, rule);
}

static struct resolve_decision newest(const struct resolve_mend_facts *f,
                                      const struct resolve_rules *r)
{
    if (f->document_version > f->row_version)
        return document_wins(f, r, RESOLVE_RULE_DOCUMENT_NEWER);
    if (f->row_version > f->document_version)
        return row_wins(f, RESOLVE_RULE_ROW_NEWER);
    if (r->tie == RESOLVE_TIE_ELASTICSEARCH)
        return document_wins(f, r, RESOLVE_RULE_TIE);
    if (f->copy_replaced && f->row_may_be_lower)
        return document_wins(f, r, RESOLVE_RULE_OWN_ROW_REPLACED);
    if (f->copy_replaced && !f->row_settled)
        return decision(RESOLVE_PUT_OFF, RESOLVE_RULE_COPY_REPLACED);
    return row_wins(f, RESOLVE_RULE_TIE);
}

static struct resolve_decision choose(const struct resolve_mend_facts *f,
                                      const struct resolve_rules *r, enum resolve_policy policy,
                                      enum resolve_missing missing)
{
    if (f->document_version == 0 || (f->row_missing && f->row_version == 0))
        return one_side(f, r, missing);
    if (policy == RESOLVE_POLICY_ELASTICSEARCH)
        return document_wins(f, r, RESOLVE_RULE_POLICY);
    if (policy == RESOLVE_POLICY_CASSANDRA)
        return row_wins(f, RESOLVE_RULE_POLICY);
    return newest(f, r);
}

/* A write that loses by no version must not cover what nobody has compared. */
static bool covers_another(const struct resolve_mend_facts *f, const struct resolve_decision *d)
{
    if (d->rule != RESOLVE_RULE_POLICY && d->rule != RESOLVE_RULE_ONE_SIDE_DELETED)
        return false;
    return d->action == RESOLVE_TO_ELASTICSEARCH ? f->document_is_other : f->row_is_other;
}

/* Deletes that the brake refused are neither carried out nor undone, unless that is asked for. */
static bool is_undecided(const struct resolve_mend_facts *f, const struct resolve_decision *d,
                         enum resolve_policy policy, enum resolve_missing missing)
{
    if (!f->delete_refused || missing == RESOLVE_MISSING_DELETE ||
        policy == RESOLVE_POLICY_ELASTICSEARCH)
        return false;
    return d->rule == RESOLVE_RULE_ONE_SIDE_COPIED ||
           (d->action == RESOLVE_TO_ELASTICSEARCH && d->delete);
}

/* A version that follows from the write time of a row whose entry may show yet. */
static bool may_be_told(const struct resolve_mend_facts *f, const struct resolve_rules *r)
{
    return f->version_guessed && !f->row_is_known && f->row_write_time > r->settled &&
           f->row_write_time <= r->latest_write_us;
}

/* What keeps a decision from being carried out. */
static struct resolve_decision guarded(const struct resolve_mend_facts *f,
                                       const struct resolve_rules *r, struct resolve_decision d)
{
    if (covers_another(f, &d))
        return decision(RESOLVE_PUT_OFF, RESOLVE_RULE_WRITTEN_SINCE);
    if (d.rule != RESOLVE_RULE_ROW_NEWER && d.rule != RESOLVE_RULE_TIE)
        return d;
    if (d.action == RESOLVE_TO_ELASTICSEARCH && d.delete &&f->delete_unsettled)
        return decision(RESOLVE_PUT_OFF, RESOLVE_RULE_ROW_MISSING_YET);
    if (d.action == RESOLVE_TO_ELASTICSEARCH && !d.delete &&may_be_told(f, r))
        return decision(RESOLVE_PUT_OFF, RESOLVE_RULE_ROW_TOO_FRESH);
    return d;
}

struct resolve_decision resolve_mend(const struct resolve_mend_facts *f,
                                     const struct resolve_rules *r, enum resolve_policy policy,
                                     enum resolve_missing missing)
{
    const int64_t version =
        f->document_version > f->row_version ? f->document_version : f->row_version;
    struct resolve_decision d;
    if (f->equal || (f->row_missing && f->document_missing))
        d = decision(RESOLVE_NOTHING, RESOLVE_RULE_EQUAL);
    else if (version == 0)
        d = decision(RESOLVE_DEAD, RESOLVE_RULE_NO_VERSION);
    else if (r->latest_version && version > r->latest_version)
        d = decision(RESOLVE_DEAD, RESOLVE_RULE_VERSION_IN_FUTURE);
    else
        d = choose(f, r, policy, missing);
    if (is_undecided(f, &d, policy, missing))
        d = decision(RESOLVE_DEAD, RESOLVE_RULE_TOO_MANY_DELETES);
    d = guarded(f, r, d);
    d.version = version;
    return d;
}

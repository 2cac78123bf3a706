#include "resolve/mend.h"

#include "change/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* Every combination of what the two sides can be, against the rules in words. */

enum { LATEST = 1000, SETTLED = 500 };

static const int64_t versions[] = {0, 5, 7, LATEST + 1};
static const int64_t times[] = {CHANGE_NO_WRITE_TIME, SETTLED - 1, SETTLED + 1, 2000};

static bool valid(const struct resolve_mend_facts *f)
{
    if (f->document_version == 0 && (!f->document_missing || f->document_unreadable))
        return false; /* no document: it is missing, and there is nothing to read */
    if (f->row_missing && f->row_write_time != CHANGE_NO_WRITE_TIME)
        return false;
    return !f->equal || (!f->row_missing && !f->document_missing);
}

static bool row_side_wins(const struct resolve_mend_facts *f, enum resolve_tie tie,
                          enum resolve_policy policy, enum resolve_missing missing)
{
    const bool no_document = f->document_version == 0;
    const bool no_row = f->row_missing && f->row_version == 0;
    if (no_document)
        return missing == RESOLVE_MISSING_COPY;
    if (no_row)
        return missing == RESOLVE_MISSING_DELETE;
    if (policy != RESOLVE_POLICY_NEWEST)
        return policy == RESOLVE_POLICY_CASSANDRA;
    if (f->row_version != f->document_version)
        return f->row_version > f->document_version;
    return tie == RESOLVE_TIE_CASSANDRA;
}

static void check(const struct resolve_mend_facts *f, const struct resolve_rules *r,
                  enum resolve_policy policy, enum resolve_missing missing)
{
    const struct resolve_decision d = resolve_mend(f, r, policy, missing);
    const int64_t higher =
        f->document_version > f->row_version ? f->document_version : f->row_version;
    assert_true(d.version == higher);
    if (f->equal || (f->row_missing && f->document_missing)) {
        assert_int_equal(d.action, RESOLVE_NOTHING);
        return;
    }
    if (higher == 0 || higher > LATEST) {
        assert_int_equal(d.action, RESOLVE_DEAD);
        return;
    }
    if (row_side_wins(f, r->tie, policy, missing)) {
        assert_int_equal(d.action, RESOLVE_TO_ELASTICSEARCH);
        assert_true(d.gte && d.delete == f->row_missing);
        return;
    }
    if (f->document_unreadable && !f->document_missing) {
        assert_int_equal(d.action, RESOLVE_DEAD);
    } else if (f->row_write_time > r->latest_write_us) {
        assert_int_equal(d.action, RESOLVE_DEAD);
    } else if (f->row_write_time > SETTLED && !f->row_is_known) {
        assert_int_equal(d.action, RESOLVE_PUT_OFF);
    } else {
        assert_int_equal(d.action, RESOLVE_TO_CASSANDRA);
        assert_true(d.delete == f->document_missing);
    }
}

static void test_all(void **state)
{
    (void)state;
    unsigned count = 0;
    for (unsigned n = 0; n < 4U * 4 * 4 * 32 * 3 * 2 * 2 * 2; n++) {
        unsigned rest = n;
        const struct resolve_mend_facts f = {
            .document_version = versions[rest % 4],
            .row_version = versions[rest / 4 % 4],
            .row_write_time = times[rest / 16 % 4],
            .document_missing = rest / 64 & 1,
            .document_unreadable = rest / 64 & 2,
            .row_missing = rest / 64 & 4,
            .row_is_known = rest / 64 & 8,
            .equal = rest / 64 & 16,
        };
        rest /= 64 * 32;
        const enum resolve_policy policy = (enum resolve_policy)(rest % 3);
        const enum resolve_missing missing = (enum resolve_missing)(rest / 3 % 2);
        const struct resolve_rules r = {
            .guard = rest / 6 % 2 ? RESOLVE_GUARD_TIMESTAMP : RESOLVE_GUARD_SNAPSHOT,
            .tie = rest / 12 % 2 ? RESOLVE_TIE_CASSANDRA : RESOLVE_TIE_ELASTICSEARCH,
            .settled = SETTLED,
            .latest_version = LATEST,
            .latest_write_us = 1500};
        if (!valid(&f))
            continue;
        check(&f, &r, policy, missing);
        count++;
    }
    assert_true(count > 5000);
}

struct guarded {
    struct resolve_mend_facts facts;
    enum resolve_policy policy;
    enum resolve_missing missing;
    enum resolve_action action;
    enum resolve_rule rule;
    bool cassandra_wins;
};

#define DOCUMENT(v) .document_version = (v)
#define ROW(v)      .row_version = (v), .row_write_time = SETTLED - 1
#define FRESH(v)    .row_version = (v), .row_write_time = SETTLED + 1
#define NO_ROW      .row_missing = true, .row_write_time = CHANGE_NO_WRITE_TIME
#define THEN(a, r)  .action = RESOLVE_##a, .rule = RESOLVE_RULE_##r
#define TO_C        .policy = RESOLVE_POLICY_CASSANDRA
#define TO_E        .policy = RESOLVE_POLICY_ELASTICSEARCH
#define DELETE      .missing = RESOLVE_MISSING_DELETE

/* Each line, and the one below it without the reason. */
static const struct guarded lines[] = {
    {{DOCUMENT(7), ROW(5), .document_is_other = true}, TO_C, THEN(PUT_OFF, WRITTEN_SINCE)},
    {{DOCUMENT(7), ROW(5), .row_is_other = true}, TO_C, THEN(TO_ELASTICSEARCH, POLICY)},
    {{DOCUMENT(5), ROW(7), .row_is_other = true}, TO_E, THEN(PUT_OFF, WRITTEN_SINCE)},
    {{DOCUMENT(5), ROW(7), .document_is_other = true}, TO_E, THEN(TO_CASSANDRA, POLICY)},
    {{DOCUMENT(7), NO_ROW, .document_is_other = true}, DELETE, THEN(PUT_OFF, WRITTEN_SINCE)},
    {{DOCUMENT(7), NO_ROW}, DELETE, THEN(TO_ELASTICSEARCH, ONE_SIDE_DELETED)},
    {{.document_missing = true, ROW(7), .row_is_other = true},
     DELETE,
     THEN(PUT_OFF, WRITTEN_SINCE)},
    {{.document_missing = true, ROW(7)}, DELETE, THEN(TO_CASSANDRA, ONE_SIDE_DELETED)},
    {{DOCUMENT(5), ROW(7), .document_is_other = true}, THEN(TO_ELASTICSEARCH, ROW_NEWER)},
    {{DOCUMENT(7), ROW(5), .row_is_other = true}, THEN(TO_CASSANDRA, DOCUMENT_NEWER)},

    {{DOCUMENT(5), NO_ROW, .row_version = 7, .delete_refused = true}, THEN(DEAD, TOO_MANY_DELETES)},
    {{DOCUMENT(5), NO_ROW, .row_version = 7, .delete_unsettled = true},
     THEN(PUT_OFF, ROW_MISSING_YET)},
    {{DOCUMENT(5), NO_ROW, .row_version = 7, .delete_refused = true},
     DELETE,
     THEN(TO_ELASTICSEARCH, ROW_NEWER)},
    {{DOCUMENT(5), NO_ROW, .row_version = 7}, THEN(TO_ELASTICSEARCH, ROW_NEWER)},
    {{DOCUMENT(5), NO_ROW, .delete_refused = true}, THEN(DEAD, TOO_MANY_DELETES)},
    {{DOCUMENT(5), NO_ROW}, THEN(TO_CASSANDRA, ONE_SIDE_COPIED)},
    {{DOCUMENT(5), NO_ROW, .row_version = 7, .delete_refused = true},
     TO_C,
     THEN(DEAD, TOO_MANY_DELETES)},
    {{DOCUMENT(5), NO_ROW, .delete_refused = true}, TO_C, THEN(DEAD, TOO_MANY_DELETES)},
    {{DOCUMENT(5), NO_ROW, .row_version = 7, .delete_refused = true},
     TO_E,
     THEN(TO_CASSANDRA, POLICY)},
    {{DOCUMENT(5), NO_ROW, .delete_refused = true}, TO_E, THEN(TO_CASSANDRA, ONE_SIDE_COPIED)},
    {{DOCUMENT(5), NO_ROW, .delete_refused = true},
     DELETE,
     THEN(TO_ELASTICSEARCH, ONE_SIDE_DELETED)},

    {{DOCUMENT(5), FRESH(7), .version_guessed = true}, THEN(PUT_OFF, ROW_TOO_FRESH)},
    {{DOCUMENT(5), FRESH(7), .version_guessed = true, .row_is_known = true},
     THEN(TO_ELASTICSEARCH, ROW_NEWER)},
    {{DOCUMENT(5), FRESH(7)}, THEN(TO_ELASTICSEARCH, ROW_NEWER)},
    {{DOCUMENT(5), ROW(7), .version_guessed = true}, THEN(TO_ELASTICSEARCH, ROW_NEWER)},
    {{DOCUMENT(5), .row_version = 7, .row_write_time = 2000, .version_guessed = true},
     THEN(TO_ELASTICSEARCH, ROW_NEWER)},

    {{DOCUMENT(7), ROW(7), .copy_replaced = true},
     THEN(PUT_OFF, COPY_REPLACED),
     .cassandra_wins = true},
    {{DOCUMENT(7), ROW(7), .copy_replaced = true, .row_settled = true},
     THEN(TO_ELASTICSEARCH, TIE),
     .cassandra_wins = true},
    {{DOCUMENT(7), ROW(7), .copy_replaced = true, .row_may_be_lower = true},
     THEN(TO_CASSANDRA, OWN_ROW_REPLACED),
     .cassandra_wins = true},
    {{DOCUMENT(7), ROW(7)}, THEN(TO_ELASTICSEARCH, TIE), .cassandra_wins = true},
    {{DOCUMENT(7), ROW(7), .copy_replaced = true}, THEN(TO_CASSANDRA, TIE)},
};

static void what_holds_it_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        const struct guarded *l = &lines[i];
        const struct resolve_rules r = {.tie = l->cassandra_wins ? RESOLVE_TIE_CASSANDRA
                                                                 : RESOLVE_TIE_ELASTICSEARCH,
                                        .settled = SETTLED,
                                        .latest_version = LATEST,
                                        .latest_write_us = 1500};
        const struct resolve_decision d = resolve_mend(&l->facts, &r, l->policy, l->missing);
        if (d.action != l->action || d.rule != l->rule)
            fail_msg("line %zu: action %d, %s", i, d.action, resolve_rule_text(d.rule));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all),
                                       cmocka_unit_test(what_holds_it_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

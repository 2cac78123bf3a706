#include "pipeline/internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Own copies, when the same version is sent more than once and some sends don't arrive: two stores
 * of one record each, and sinks that do what the test says. */

enum { SECOND = 1000000, READING = SECOND / 10, V = 1000 };

struct side {
    struct sink sink;    /* first: the sink's ops get it */
    const char *content; /* NULL: missing */
    int64_t version;     /* of the document */
    int64_t write_time;  /* of the row, µs */
    enum sink_outcome answer;
    bool in_vain; /* answers SINK_RETRY, but it takes effect */
    bool hidden;  /* answers, but something newer stays */
    unsigned sent;
    bool nulls; /* the last write wrote nulls whatever the row holds */
};

static char folder[64], path[96];
static struct pipeline p;
static struct side document, row;
static struct arena arena;
static int64_t now, between; /* µs; of two looks */
static struct err err;

static void must(bool fine)
{
    if (!fine)
        fail_msg("%s", err.text);
}

static void apply(struct sink *sink, struct sink_write *const *writes, size_t count)
{
    struct side *side = (struct side *)sink;
    assert_int_equal(count, 1);
    struct sink_write *w = writes[0];
    side->sent++;
    side->nulls = w->every_column;
    w->outcome = side->answer;
    w->err.code = side->answer == SINK_RETRY ? ERR_TIMEOUT : ERR_NONE;
    if (side->hidden || (side->answer != SINK_APPLIED && !side->in_vain))
        return;
    side->content = w->delete ? NULL : arena_copy(&arena, w->content->cells[0]).ptr;
    side->version = w->version;
    side->write_time = w->write_time;
}

static const struct sink_ops to_document = {.side = CHANGE_ELASTICSEARCH, .apply = apply};
static const struct sink_ops to_row = {.side = CHANGE_CASSANDRA, .apply = apply};

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/caes_own_XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/state.db", folder);
    err = (struct err){0};
    now = 2000LL * SECOND;
    between = 10LL * SECOND;
    document = (struct side){.sink.ops = &to_document};
    row = (struct side){.sink.ops = &to_row, .write_time = CHANGE_NO_WRITE_TIME};
    p = (struct pipeline){.options = {.table.unit_us = SECOND,
                                      .overlap = 6000,
                                      .overlap_us = 6000LL * SECOND,
                                      .settle_us = 2 * SECOND},
                          .to_elasticsearch = &document.sink,
                          .to_cassandra = &row.sink};
    struct map_table_column data[] = {
        {.name = SLICE_LIT("id"), .type = SLICE_LIT("text"), .kind = MAP_PARTITION_KEY},
        {.name = SLICE_LIT("body"), .type = SLICE_LIT("text"), .kind = MAP_REGULAR},
    };
    p.table.schema =
        map_schema_build(data, ARRAY_LEN(data), &p.options.table.map, &p.table.arena, &err);
    must(p.table.schema != NULL);
    p.store = store_open(path, &err);
    must(p.store != NULL);
    must(store_pipeline(p.store, "default", &p.id, &err));
    p.memory = memory_new(p.store, p.id, 100, &err);
    must(p.memory != NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    memory_free(p.memory);
    store_close(p.store);
    source_table_free(&p.table);
    arena_free(&arena);
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        char file[128];
        snprintf(file, sizeof file, "%s%s", path, suffixes[i]);
        unlink(file);
    }
    return rmdir(folder);
}

/* The daemon is killed: what it knows is in the file. */
static void restart(void)
{
    memory_free(p.memory);
    p.memory = memory_new(p.store, p.id, 100, &err);
    must(p.memory != NULL);
}

/* cell lives as long as what is returned. */
static struct change_content content_of(const char *text, struct slice *cell)
{
    if (!text)
        return (struct change_content){.missing = true};
    *cell = slice_str(text);
    return (struct change_content){.cells = cell, .cell_count = 1};
}

/* The application's entry of a version. */
static void an_entry_of(int64_t version)
{
    struct memory_entry *e = memory_entry(p.memory, SLICE_LIT("k"), version, now, &err);
    must(e != NULL);
    if (!e)
        return;
    e->entry.seen |= STORE_SEEN_ENTRY;
    memory_changed(p.memory, e);
}

static void an_entry(void)
{
    an_entry_of(V);
}

/* When the entry is looked at next. */
static int64_t due(void)
{
    struct memory_entry *e = memory_entry(p.memory, SLICE_LIT("k"), V, now, &err);
    must(e != NULL);
    return e ? e->entry.due : 0;
}

static int64_t replaced_since(void)
{
    struct memory_entry *e = memory_entry(p.memory, SLICE_LIT("k"), V, now, &err);
    must(e != NULL);
    return e ? e->replaced_since : 0;
}

static void row_is(const char *text)
{
    row.content = text;
    row.write_time = now;
}

/* One look; the rule that decided. */
static enum resolve_rule look(enum sink_outcome to_elasticsearch, enum sink_outcome to_cassandra)
{
    now += between;
    document.answer = to_elasticsearch;
    row.answer = to_cassandra;
    struct slice cells[2];
    struct pipeline_report report = {0};
    struct cycle c = {.p = &p,
                      .report = &report,
                      .now = now,
                      .looked = now,
                      .read = now + READING,
                      .settled = now - p.options.settle_us,
                      .rules = {.tie = p.options.tie,
                                .settled = now - p.options.settle_us,
                                .latest_write_us = INT64_MAX,
                                .whole_overlap = true}};
    struct item item = {.key = {.text = SLICE_LIT("k")},
                        .document = {.version = document.version,
                                     .content = content_of(document.content, &cells[0])},
                        .row = {.content = content_of(row.content, &cells[1]),
                                .write_time = row.content ? row.write_time : CHANGE_NO_WRITE_TIME}};
    must(memory_entries(p.memory, item.key.text, &item.entries, &err));
    examine_facts(&c, &item);
    item.decision = resolve_decide(&item.facts, &c.rules);
    if (item.decision.action == RESOLVE_TO_CASSANDRA ||
        item.decision.action == RESOLVE_TO_ELASTICSEARCH)
        examine_prepare(&c, &item);
    must(examine_write(&c, &item, 1, &arena, &err));
    must(outcome_record(&c, &item, 1, &err));
    return item.decision.rule;
}

/* An application's batch that shows half by half: the entry and one column, then another. */
static void half_a_row_was_copied(void)
{
    an_entry();
    row_is("half");
    assert_int_equal(look(SINK_APPLIED, SINK_APPLIED), RESOLVE_RULE_ROW_NEWER);
    assert_string_equal(document.content, "half");
    row_is("whole");
}

static void a_second_copy_that_fails(void **state)
{
    (void)state;
    half_a_row_was_copied();
    for (int i = 0; i < 3; i++) {
        assert_int_equal(look(SINK_RETRY, SINK_APPLIED), RESOLVE_RULE_OWN_COPY_IN_ELASTICSEARCH);
        restart();
    }
    assert_int_equal(look(SINK_APPLIED, SINK_APPLIED), RESOLVE_RULE_OWN_COPY_IN_ELASTICSEARCH);
    assert_string_equal(document.content, "whole");
    assert_int_equal(look(SINK_APPLIED, SINK_APPLIED), RESOLVE_RULE_EQUAL);
    assert_int_equal(row.sent, 0);
}

/* The first copy is not needed any more: what somebody writes like it is a tie. */
static void what_took_effect_replaces_what_was_before(void **state)
{
    (void)state;
    half_a_row_was_copied();
    assert_int_equal(look(SINK_APPLIED, SINK_APPLIED), RESOLVE_RULE_OWN_COPY_IN_ELASTICSEARCH);
    document.content = "half";
    assert_int_equal(look(SINK_APPLIED, SINK_APPLIED), RESOLVE_RULE_TIE);
    assert_string_equal(row.content, "half");
}

/* A send of unknown outcome that shows after the next one was tried. */
static void a_late_one(void **state)
{
    (void)state;
    an_entry();
    row_is("half");
    assert_int_equal(look(SINK_RETRY, SINK_APPLIED), RESOLVE_RULE_ROW_NEWER);
    row_is("whole");
    assert_int_equal(look(SINK_RETRY, SINK_APPLIED), RESOLVE_RULE_ROW_NEWER);
    document.content = "half";
    document.version = V;
    assert_int_equal(look(SINK_APPLIED, SINK_APPLIED), RESOLVE_RULE_OWN_COPY_IN_ELASTICSEARCH);
    assert_string_equal(document.content, "whole");
}

/* One that shows after the next one even took effect. */
static void a_late_one_after_the_next(void **state)
{
    (void)state;
    an_entry();
    row_is("half");
    assert_int_equal(look(SINK_RETRY, SINK_APPLIED), RESOLVE_RULE_ROW_NEWER);
    restart();
    row_is("whole");
    assert_int_equal(look(SINK_APPLIED, SINK_APPLIED), RESOLVE_RULE_ROW_NEWER);
    document.content = "half";
    restart();
    assert_int_equal(look(SINK_APPLIED, SINK_APPLIED), RESOLVE_RULE_OWN_COPY_IN_ELASTICSEARCH);
    assert_string_equal(document.content, "whole");
    assert_int_equal(row.sent, 0);
}

/* It shows between the look and the next send, which is superseded: there is one more look. */
static void a_late_one_before_the_next(void **state)
{
    (void)state;
    an_entry();
    row_is("half");
    assert_int_equal(look(SINK_RETRY, SINK_APPLIED), RESOLVE_RULE_ROW_NEWER);
    row_is("whole");
    assert_int_equal(look(SINK_SUPERSEDED, SINK_APPLIED), RESOLVE_RULE_ROW_NEWER);
    assert_int_equal(due(), now + 1);
    document.content = "half";
    document.version = V;
    assert_int_equal(look(SINK_APPLIED, SINK_APPLIED), RESOLVE_RULE_OWN_COPY_IN_ELASTICSEARCH);
    assert_true(due() > now + 1);
}

static void a_second_copy_to_cassandra_that_fails(void **state)
{
    (void)state;
    p.options.tie = RESOLVE_TIE_ELASTICSEARCH;
    document.content = "one";
    document.version = V;
    assert_int_equal(look(SINK_APPLIED, SINK_APPLIED), RESOLVE_RULE_DOCUMENT_NEWER);
    an_entry(); /* our own */
    document.content = "two";
    for (int i = 0; i < 3; i++) {
        assert_int_equal(look(SINK_APPLIED, SINK_RETRY), RESOLVE_RULE_OWN_COPY_IN_CASSANDRA);
        assert_int_equal(row.nulls, i > 0); /* the one before may show after this one */
    }
    restart();
    assert_string_equal(row.content, "one");
    row.in_vain = true;
    assert_int_equal(look(SINK_APPLIED, SINK_RETRY), RESOLVE_RULE_OWN_COPY_IN_CASSANDRA);
    assert_int_equal(look(SINK_APPLIED, SINK_APPLIED), RESOLVE_RULE_EQUAL);
    assert_int_equal(document.sent, 0);
}

/* Nulls are written over sends that may show yet, until that was done. */
static void nulls_over_what_may_show_yet(void **state)
{
    (void)state;
    static const enum sink_outcome answers[] = {SINK_RETRY, SINK_RETRY, SINK_APPLIED, SINK_APPLIED};
    for (int i = 0; i < 4; i++) {
        document.content = "one";
        document.version = V + i;
        assert_int_equal(look(SINK_APPLIED, answers[i]), RESOLVE_RULE_DOCUMENT_NEWER);
        assert_int_equal(row.nulls, i == 1 || i == 2);
    }
}

/* A row that came after its entry was taken for deleted; its copy does not arrive, and the index
 * has forgotten the delete. */
static void a_copy_after_an_own_delete(void **state)
{
    (void)state;
    an_entry();
    document.content = "old";
    document.version = V - 1;
    assert_int_equal(look(SINK_APPLIED, SINK_APPLIED), RESOLVE_RULE_ROW_DELETED);
    assert_null(document.content);
    document.version = 0;
    row_is("late");
    assert_int_equal(look(SINK_RETRY, SINK_APPLIED), RESOLVE_RULE_ROW_AFTER_DELETE);
    restart();
    assert_int_equal(look(SINK_RETRY, SINK_APPLIED), RESOLVE_RULE_ROW_AFTER_DELETE);
    assert_int_equal(look(SINK_APPLIED, SINK_APPLIED), RESOLVE_RULE_ROW_AFTER_DELETE);
    assert_string_equal(document.content, "late");
}

/* The copy that was acknowledged before proves that the document was there. */
static void a_hard_delete_after_a_second_copy_that_failed(void **state)
{
    (void)state;
    half_a_row_was_copied();
    assert_int_equal(look(SINK_RETRY, SINK_APPLIED), RESOLVE_RULE_OWN_COPY_IN_ELASTICSEARCH);
    document.content = NULL;
    document.version = 0;
    assert_int_equal(look(SINK_APPLIED, SINK_APPLIED), RESOLVE_RULE_HARD_DELETE);
}

/* tie: cassandra. The copy is replaced by a write that leaves no write time; its entry may show
 * settle later. What was put off before, for whatever reason, is no proof that it had the time. */
static void a_copy_was_replaced(const char *by)
{
    p.options.tie = RESOLVE_TIE_CASSANDRA;
    document.content = "one";
    document.version = V;
    for (int i = 0; i < 3; i++)
        assert_int_equal(look(SINK_APPLIED, SINK_RETRY), RESOLVE_RULE_DOCUMENT_NEWER);
    assert_int_equal(look(SINK_APPLIED, SINK_APPLIED), RESOLVE_RULE_DOCUMENT_NEWER);
    an_entry(); /* our own */
    row.content = by;
    between = SECOND;
    assert_int_equal(look(SINK_APPLIED, SINK_APPLIED), RESOLVE_RULE_COPY_REPLACED);
    assert_int_equal(look(SINK_APPLIED, SINK_APPLIED), RESOLVE_RULE_COPY_REPLACED);
}

static void a_replaced_copy(void **state)
{
    (void)state;
    a_copy_was_replaced("nulled");
    /* settle after the look, but not after all was read */
    assert_int_equal(look(SINK_APPLIED, SINK_APPLIED), RESOLVE_RULE_COPY_REPLACED);
    assert_int_equal(look(SINK_APPLIED, SINK_APPLIED), RESOLVE_RULE_TIE);
    assert_string_equal(document.content, "nulled");
}

static void a_copy_that_is_replaced_twice(void **state)
{
    (void)state;
    a_copy_was_replaced("nulled");
    row.content = "nulled again";
    for (int i = 0; i < 3; i++)
        assert_int_equal(look(SINK_APPLIED, SINK_APPLIED), RESOLVE_RULE_COPY_REPLACED);
    row.content = NULL;
    for (int i = 0; i < 3; i++)
        assert_int_equal(look(SINK_APPLIED, SINK_APPLIED), RESOLVE_RULE_COPY_REPLACED);
    row_is("one more");
    for (int i = 0; i < 3; i++)
        assert_int_equal(look(SINK_APPLIED, SINK_APPLIED), RESOLVE_RULE_COPY_REPLACED);
    assert_int_equal(look(SINK_APPLIED, SINK_APPLIED), RESOLVE_RULE_TIE);
    assert_int_equal(replaced_since(), 0); /* it waits no more */
    assert_string_equal(document.content, "one more");
}

/* A copy was made in between: the next one that deletes it is another. */
static void a_copy_that_is_deleted_twice(void **state)
{
    (void)state;
    a_copy_was_replaced(NULL);
    row_is("one");
    document.content = "two";
    between = 10LL * SECOND;
    assert_int_equal(look(SINK_APPLIED, SINK_APPLIED), RESOLVE_RULE_OWN_COPY_IN_CASSANDRA);
    assert_string_equal(row.content, "two");
    row.content = NULL;
    assert_int_equal(look(SINK_APPLIED, SINK_APPLIED), RESOLVE_RULE_COPY_REPLACED);
}

/* It holds the copy again for a while. */
static void a_copy_that_was_back(void **state)
{
    (void)state;
    a_copy_was_replaced(NULL);
    row_is("one");
    assert_int_equal(look(SINK_APPLIED, SINK_APPLIED), RESOLVE_RULE_EQUAL);
    row.content = NULL;
    between = 10LL * SECOND;
    assert_int_equal(look(SINK_APPLIED, SINK_APPLIED), RESOLVE_RULE_COPY_REPLACED);
}

/* The tie is Cassandra's, but its copy does not arrive: the row stays settled. */
static void a_replaced_copy_whose_way_back_fails(void **state)
{
    (void)state;
    a_copy_was_replaced("nulled");
    assert_int_equal(look(SINK_APPLIED, SINK_APPLIED), RESOLVE_RULE_COPY_REPLACED);
    for (int i = 0; i < 3; i++)
        assert_int_equal(look(SINK_RETRY, SINK_APPLIED), RESOLVE_RULE_TIE);
}

/* tie: cassandra. A lower version deletes the row about when the document is seen; the copy does
 * not replace that, being older. */
static void a_lower_version_hides_the_copy(void)
{
    p.options.tie = RESOLVE_TIE_CASSANDRA;
    document.content = "one";
    document.version = V;
    an_entry_of(V - 1);
    row.hidden = true;
    assert_int_equal(look(SINK_APPLIED, SINK_APPLIED), RESOLVE_RULE_DOCUMENT_NEWER);
    an_entry(); /* our own */
    between = 3LL * SECOND;
}

static void a_second_copy_over_a_lower_version_that_fails(void **state)
{
    (void)state;
    a_lower_version_hides_the_copy();
    for (int i = 0; i < 3; i++) {
        assert_int_equal(look(SINK_APPLIED, SINK_RETRY), RESOLVE_RULE_OWN_ROW_REPLACED);
        restart();
    }
    row.hidden = false;
    assert_int_equal(look(SINK_APPLIED, SINK_APPLIED), RESOLVE_RULE_OWN_ROW_REPLACED);
    assert_string_equal(row.content, "one");
    assert_int_equal(document.sent, 0);
}

/* Within settle, the clock of who deleted it is ahead: the second copy is hidden as well. */
static void a_second_copy_that_is_hidden(void **state)
{
    (void)state;
    a_lower_version_hides_the_copy();
    assert_int_equal(look(SINK_APPLIED, SINK_APPLIED), RESOLVE_RULE_OWN_ROW_REPLACED);
    row.hidden = false;
    between = 6000LL * SECOND; /* the last look */
    assert_int_equal(look(SINK_APPLIED, SINK_APPLIED), RESOLVE_RULE_OWN_ROW_REPLACED);
    assert_string_equal(row.content, "one");
    assert_int_equal(document.sent, 0);
}

/* An application writes a lower version once more (NULL: deletes it), which leaves no new entry. */
static void a_lower_version_again(const char *lower, bool copied_to_cassandra)
{
    p.options.tie = RESOLVE_TIE_CASSANDRA;
    document.content = "before";
    document.version = V - 2;
    row_is("before");
    an_entry_of(V - 2);
    if (copied_to_cassandra) {
        document.content = lower;
        document.version = V - 1;
        assert_int_equal(look(SINK_APPLIED, SINK_APPLIED), RESOLVE_RULE_DOCUMENT_NEWER);
    } else {
        row_is(lower);
    }
    an_entry_of(V - 1); /* where it is copied, our own */
    look(SINK_APPLIED, SINK_APPLIED);
    between = 100LL * SECOND;
    document.content = "one";
    document.version = V;
    assert_int_equal(look(SINK_APPLIED, SINK_APPLIED), RESOLVE_RULE_DOCUMENT_NEWER);
    an_entry(); /* our own */
    row_is(lower);
    assert_int_equal(look(SINK_APPLIED, SINK_APPLIED), RESOLVE_RULE_OWN_ROW_REPLACED);
    assert_string_equal(row.content, "one");
    row_is("another");
    assert_int_equal(look(SINK_APPLIED, SINK_APPLIED), RESOLVE_RULE_COPY_REPLACED);
    assert_int_equal(look(SINK_APPLIED, SINK_APPLIED), RESOLVE_RULE_TIE);
}

static void a_lower_copied_version_again(void **state)
{
    (void)state;
    a_lower_version_again("lower", true);
}

static void a_lower_copied_delete_again(void **state)
{
    (void)state;
    a_lower_version_again(NULL, true);
}

static void a_lower_own_version_again(void **state)
{
    (void)state;
    a_lower_version_again("lower", false);
}

static void a_lower_own_delete_again(void **state)
{
    (void)state;
    a_lower_version_again(NULL, false);
}

/* Nothing was copied of it. */
static void a_lower_delete_of_nothing_again(void **state)
{
    (void)state;
    p.options.tie = RESOLVE_TIE_CASSANDRA;
    an_entry_of(V - 1);
    assert_int_equal(look(SINK_APPLIED, SINK_APPLIED), RESOLVE_RULE_DELETED_EVERYWHERE);
    between = 100LL * SECOND;
    document.content = "one";
    document.version = V;
    assert_int_equal(look(SINK_APPLIED, SINK_APPLIED), RESOLVE_RULE_DOCUMENT_NEWER);
    an_entry(); /* our own */
    row.content = NULL;
    assert_int_equal(look(SINK_APPLIED, SINK_APPLIED), RESOLVE_RULE_OWN_ROW_REPLACED);
}

/* The daemon's copy of a lower version never arrived; now an application writes a part of it. */
static void a_lower_version_that_was_tried(void **state)
{
    (void)state;
    p.options.tie = RESOLVE_TIE_CASSANDRA;
    document.content = "lower";
    document.version = V - 1;
    assert_int_equal(look(SINK_APPLIED, SINK_RETRY), RESOLVE_RULE_DOCUMENT_NEWER);
    document.content = "one";
    document.version = V;
    assert_int_equal(look(SINK_APPLIED, SINK_APPLIED), RESOLVE_RULE_DOCUMENT_NEWER);
    an_entry(); /* our own */
    an_entry_of(V - 1);
    row_is("part");
    assert_int_equal(look(SINK_APPLIED, SINK_APPLIED), RESOLVE_RULE_OWN_ROW_REPLACED);
    assert_string_equal(row.content, "one");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_second_copy_that_fails),
        TEST(what_took_effect_replaces_what_was_before),
        TEST(a_late_one),
        TEST(a_late_one_after_the_next),
        TEST(a_late_one_before_the_next),
        TEST(a_second_copy_to_cassandra_that_fails),
        TEST(nulls_over_what_may_show_yet),
        TEST(a_copy_after_an_own_delete),
        TEST(a_hard_delete_after_a_second_copy_that_failed),
        TEST(a_replaced_copy),
        TEST(a_copy_that_is_replaced_twice),
        TEST(a_copy_that_is_deleted_twice),
        TEST(a_copy_that_was_back),
        TEST(a_replaced_copy_whose_way_back_fails),
        TEST(a_second_copy_over_a_lower_version_that_fails),
        TEST(a_second_copy_that_is_hidden),
        TEST(a_lower_copied_version_again),
        TEST(a_lower_copied_delete_again),
        TEST(a_lower_own_version_again),
        TEST(a_lower_own_delete_again),
        TEST(a_lower_delete_of_nothing_again),
        TEST(a_lower_version_that_was_tried),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "pipeline/internal.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* When the second look at a record may do with its row. */

enum { NOW = 1000, LOOKED = 900, COPIED = STORE_OWN_RECORDED | STORE_OWN_ACKNOWLEDGED };

static struct memory_entry entries[2];
static struct item item;

/* The second look at a record that was copied to Elasticsearch is due. */
static void set_up(void)
{
    item = (struct item){.entries = entries};
    entries[0] = (struct memory_entry){
        .entry = {.version = 5,
                  .due = NOW,
                  .looks = STORE_LOOKS_SECOND - 1,
                  .first_look = LOOKED,
                  .own_document.flags = COPIED},
        .next = NULL,
    };
    entries[1] = (struct memory_entry){.entry = {.version = 4, .due = NOW + 1}};
}

static bool may_do(void)
{
    return examine_row_may_do(NOW, LOOKED, &item);
}

static void one_copy_that_took_effect(void **state)
{
    (void)state;
    set_up();
    assert_true(may_do());
    entries[0].entry.own_row.flags = COPIED; /* to both sides */
    assert_false(may_do());
    entries[0].entry.own_document.flags = 0;
    assert_true(may_do());
    entries[0].entry.own_row.flags = 0; /* nothing was sent */
    assert_false(may_do());
}

/* Whatever else is known of a copy, a document may have become of it that nobody has seen. */
static void any_other_flag(void **state)
{
    (void)state;
    static const int others[] = {STORE_OWN_DELETED, STORE_OWN_BEFORE, STORE_OWN_BEFORE_DELETED,
                                 STORE_OWN_OPEN, STORE_OWN_BEFORE_OPEN};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        set_up();
        entries[0].entry.own_document.flags = COPIED | others[i];
        assert_false(may_do());
    }
    set_up();
    entries[0].entry.own_document.flags = STORE_OWN_RECORDED;
    assert_false(may_do());
}

static void only_the_second_look(void **state)
{
    (void)state;
    for (int looks = 0; looks < STORE_LOOKS_ALL; looks++) {
        set_up();
        entries[0].entry.looks = (uint8_t)looks;
        assert_int_equal(may_do(), looks == STORE_LOOKS_SECOND - 1);
    }
    set_up();
    entries[0].put_off_since = 1;
    assert_false(may_do());
    set_up();
    item.retried = true;
    assert_false(may_do());
    item = (struct item){.entries = NULL};
    assert_false(may_do());
}

static void other_entries_of_the_key(void **state)
{
    (void)state;
    set_up();
    entries[0].next = &entries[1];
    assert_true(may_do());
    entries[1].entry.due = NOW; /* its first look */
    assert_false(may_do());
    entries[1].entry.due = NOW + 1;
    entries[1].entry.version = 6; /* a higher one that was not copied */
    assert_false(may_do());
}

/* The document may have something for a column that the copy's schema did not have. */
static void by_an_older_schema(void **state)
{
    (void)state;
    set_up();
    assert_false(examine_row_may_do(NOW, LOOKED + 1, &item));
    assert_true(examine_row_may_do(NOW, LOOKED - 1, &item));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_copy_that_took_effect), cmocka_unit_test(any_other_flag),
        cmocka_unit_test(only_the_second_look),      cmocka_unit_test(other_entries_of_the_key),
        cmocka_unit_test(by_an_older_schema),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

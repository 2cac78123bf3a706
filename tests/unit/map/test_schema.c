#include "map/schema.h"

#include "map/codec.h"
#include "map/fields.h"
#include "map/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define assert_slice(s, text) assert_true(slice_is((s), text))

static void test_order(void **state)
{
    (void)state;
    struct err err;
    const struct map_schema *s = fixture_schema(
        "zeta int, alpha text, c2 int c, p1 uuid p, beta bigint, c1 text c, p2 text p, al text",
        NULL, &err);
    assert_non_null(s);
    assert_int_equal(s->key_count, 4);
    assert_slice(s->keys[0].name, "p1");
    assert_slice(s->keys[1].name, "p2");
    /* "c2" has the lower position among the clustering columns. */
    assert_slice(s->keys[2].name, "c2");
    assert_slice(s->keys[3].name, "c1");
    static const char *const names[] = {"al", "alpha", "beta", "zeta"};
    assert_int_equal(s->column_count, ARRAY_LEN(names));
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_slice(s->columns[i].name, names[i]);
        assert_slice(s->columns[i].field, names[i]);
        assert_true(s->columns[i].to_cassandra && s->columns[i].to_elasticsearch);
        assert_int_equal(map_fields_find(s->fields, slice_str(names[i])), i);
    }
    assert_int_equal(s->columns[2].type->id, CQL_BIGINT);
    assert_string_equal(s->columns[2].codec->name, "bigint");
    assert_int_equal(map_fields_find(s->fields, SLICE_LIT("gamma")), MAP_FIELD_UNKNOWN);
    assert_int_equal(map_fields_find(s->fields, SLICE_LIT("p1")), MAP_FIELD_UNKNOWN);
}

static void test_include_and_exclude(void **state)
{
    (void)state;
    struct map_options o = {0};
    struct err err;
    const struct slice ab[] = {SLICE_LIT("a"), SLICE_LIT("b")},
                       bc[] = {SLICE_LIT("b"), SLICE_LIT("c")};
    /* include beats exclude: b is in both lists and passes, c is in neither include and doesn't */
    o.elasticsearch_include = ab;
    o.elasticsearch_include_count = 2;
    o.elasticsearch_exclude = bc;
    o.elasticsearch_exclude_count = 2;
    o.cassandra_exclude = bc;
    o.cassandra_exclude_count = 2;
    const struct map_schema *s = fixture_schema("id int p, a int, b int, c int, d int", &o, &err);
    assert_non_null(s);
    assert_int_equal(s->column_count, 3);
    assert_slice(s->columns[0].name, "a");
    assert_true(s->columns[0].to_cassandra && s->columns[0].to_elasticsearch);
    assert_slice(s->columns[1].name, "b");
    assert_true(s->columns[1].to_cassandra && !s->columns[1].to_elasticsearch);
    assert_slice(s->columns[2].name, "d");
    assert_true(!s->columns[2].to_cassandra && s->columns[2].to_elasticsearch);
    assert_int_equal(map_fields_find(s->fields, SLICE_LIT("c")), MAP_FIELD_UNKNOWN);
}

static void test_rename_and_reserved(void **state)
{
    (void)state;
    const struct slice fields[] = {SLICE_LIT("Title"), SLICE_LIT("when")};
    const struct slice columns[] = {SLICE_LIT("title"), SLICE_LIT("ts")};
    struct map_options o = {.rename_field = fields,
                            .rename_column = columns,
                            .rename_count = 2,
                            .timestamp_field = SLICE_LIT("when"),
                            .deleted_field = SLICE_LIT("gone")};
    struct err err;
    const struct map_schema *s =
        fixture_schema("id int p, title text, ts bigint, gone boolean, n int", &o, &err);
    assert_non_null(s);
    assert_int_equal(s->column_count, 2);
    assert_slice(s->columns[1].name, "title");
    assert_slice(s->columns[1].field, "Title");
    assert_int_equal(map_fields_find(s->fields, SLICE_LIT("Title")), 1);
    assert_int_equal(map_fields_find(s->fields, SLICE_LIT("title")), MAP_FIELD_UNKNOWN);
    assert_int_equal(map_fields_find(s->fields, SLICE_LIT("when")), MAP_FIELD_TIMESTAMP);
    assert_int_equal(map_fields_find(s->fields, SLICE_LIT("gone")), MAP_FIELD_DELETED);
}

static void expect_error(const char *columns, const struct map_options *o, const char *text)
{
    struct err err;
    if (fixture_schema(columns, o, &err))
        fail_msg("accepted: %s", columns);
    assert_int_equal(err.code, ERR_SCHEMA);
    assert_string_equal(err.text, text);
}

static void test_errors(void **state)
{
    (void)state;
    static const char remedy[] = "exclude the column in ElasticSearchConfig and CassandraConfig";
    char text[256];
    snprintf(text, sizeof text, "column \"n\": type 'x.Y' can't be mapped; %s", remedy);
    expect_error("id int p, n 'x.Y'", NULL, text);
    expect_error("id int p, n nothing", NULL, "column \"n\": there is no type nothing");
    expect_error("id int p, n int s", NULL,
                 "column \"n\": static columns belong to no row; exclude it in "
                 "ElasticSearchConfig and CassandraConfig");
    expect_error("n int", NULL, "the table has no primary key");
    expect_error("id frozen<list<int>> p", NULL,
                 "column \"id\": type frozen<list<int>> can't be part of a key");
    expect_error("id int p, c decimal c", NULL,
                 "column \"c\": type decimal can't be part of a key");
    const struct slice b[] = {SLICE_LIT("b")}, x[] = {SLICE_LIT("x")};
    struct map_options o = {.rename_field = b, .rename_column = x, .rename_count = 1};
    expect_error(
        "id int p, a int, b int", &o,
        "column \"x\": rename names it, but the table has no such column; mend the name, or "
        "remove the line");
    expect_error(
        "id int p, b int, x int", &o,
        "column \"x\": another column has the field \"b\" too; give one of them another with "
        "rename, or exclude it on both sides");
    const struct slice wrong[] = {SLICE_LIT("k2"), SLICE_LIT("k1")};
    struct map_options keys = {.key_names = wrong, .key_name_count = 2};
    expect_error("k1 int p, k2 int c", &keys,
                 "dataIdFieldName must name the primary key in its order: k1, k2");
}

static void test_names_that_no_field_can_have(void **state)
{
    (void)state;
    static const char *const bad[] = {"_id", "_source", "_version", ".", ".x", "x.", "a..b"};
    static const char *const good[] = {"id", "_x", "a.b", "_ids", "\xc3\xa9"};
    char columns[64], text[256];
    struct err err;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        snprintf(columns, sizeof columns, "did int p, %s int", bad[i]);
        snprintf(text, sizeof text,
                 "column \"%s\": no document can have a field of that name; give it another with "
                 "rename, or exclude it in CassandraConfig",
                 bad[i]);
        expect_error(columns, NULL, text);
    }
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        snprintf(columns, sizeof columns, "did int p, %s int", good[i]);
        assert_non_null(fixture_schema(columns, NULL, &err));
    }
    const struct slice id[] = {SLICE_LIT("_id")}, blank[] = {SLICE_LIT(" ")};
    const struct map_options excluded = {.cassandra_exclude = id, .cassandra_exclude_count = 1};
    assert_non_null(fixture_schema("did int p, _id int", &excluded, &err));
    const struct map_options renamed = {
        .rename_field = blank, .rename_column = id, .rename_count = 1};
    assert_null(fixture_schema("did int p, _id int", &renamed, &err));
    assert_non_null(fixture_schema("_id int p, v int", NULL, &err)); /* a key is no field */
}

static void test_excluded_in_both_directions(void **state)
{
    (void)state;
    const struct slice names[] = {SLICE_LIT("n"), SLICE_LIT("s")};
    struct map_options o = {.elasticsearch_exclude = names,
                            .elasticsearch_exclude_count = 2,
                            .cassandra_exclude = names,
                            .cassandra_exclude_count = 2};
    struct err err;
    const struct map_schema *s = fixture_schema("id int p, n 'x.Y', s text s, a int", &o, &err);
    assert_non_null(s);
    assert_int_equal(s->column_count, 1);
    o.cassandra_exclude_count = 0;
    assert_null(fixture_schema("id int p, n 'x.Y'", &o, &err));
}

static void test_key_names(void **state)
{
    (void)state;
    const struct slice names[] = {SLICE_LIT("k1"), SLICE_LIT("k2")};
    struct map_options o = {.key_names = names, .key_name_count = 2};
    struct err err;
    assert_non_null(fixture_schema("k1 int p, k2 int c, a int", &o, &err));
    o.key_name_count = 1;
    assert_null(fixture_schema("k1 int p, k2 int c, a int", &o, &err));
    assert_non_null(fixture_schema("k1 int p", &o, &err));
    assert_int_equal(fixture_schema("k1 int p", &o, &err)->column_count, 0);
}

static void test_many_columns(void **state)
{
    (void)state;
    enum { COUNT = 2000 };
    struct map_table_column table[COUNT + 1] = {
        {.name = SLICE_LIT("id"), .type = SLICE_LIT("int"), .kind = MAP_PARTITION_KEY}};
    for (int i = 1; i <= COUNT; i++) {
        char name[16];
        snprintf(name, sizeof name, "c%d", i);
        table[i].name = arena_copy(&fixture_arena, slice_str(name));
        table[i].type = SLICE_LIT("text");
        table[i].kind = MAP_REGULAR;
    }
    struct err err;
    const struct map_schema *s =
        map_schema_build(table, COUNT + 1, &(struct map_options){0}, &fixture_arena, &err);
    assert_int_equal(s->column_count, COUNT);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(map_fields_find(s->fields, s->columns[i].field), i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_include_and_exclude),
        cmocka_unit_test(test_rename_and_reserved),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_names_that_no_field_can_have),
        cmocka_unit_test(test_excluded_in_both_directions),
        cmocka_unit_test(test_key_names),
        cmocka_unit_test(test_many_columns),
    };
    int failed = cmocka_run_group_tests_name("map/schema", tests, NULL, NULL);
    arena_free(&fixture_arena);
    return failed;
}

#include "map/propose.h"

#include "map/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const char table[] = "id uuid p, a text, b ascii, c timestamp, d inet, e double, f uuid, "
                            "g tinyint, h boolean, i date, j float, k int, l bigint, m smallint";

static const char *mapping(const struct map_options *o, bool legacy)
{
    static struct buf out;
    struct err err;
    const struct map_schema *s = fixture_schema(table, o, &err);
    assert_non_null(s);
    buf_clear(&out);
    map_propose_mapping(s, (struct map_index_style){.legacy = legacy}, o->timestamp_field,
                        o->deleted_field, &out);
    fixture_json(buf_cstr(&out));
    return buf_cstr(&out);
}

static void test_mapping(void **state)
{
    (void)state;
    const struct slice field[] = {SLICE_LIT("A\"")}, column[] = {SLICE_LIT("a")};
    struct map_options o = {.rename_field = field,
                            .rename_column = column,
                            .rename_count = 1,
                            .timestamp_field = SLICE_LIT("timestamp"),
                            .deleted_field = SLICE_LIT("gone")};
    assert_string_equal(
        mapping(&o, false),
        "{\"dynamic\":false,\"properties\":{\"A\\\"\":{\"type\":\"text\"},"
        "\"b\":{\"type\":\"keyword\",\"ignore_above\":32766},\"c\":{\"type\":\"date\"},\"d\":{"
        "\"type\":\"ip\"},"
        "\"e\":{\"type\":\"double\"},\"f\":{\"type\":\"keyword\"},\"g\":{\"type\":\"byte\"},"
        "\"h\":{\"type\":\"boolean\"},\"i\":{\"type\":\"date\"},\"j\":{\"type\":\"float\"},"
        "\"k\":{\"type\":\"integer\"},\"l\":{\"type\":\"long\"},\"m\":{\"type\":\"short\"},"
        "\"timestamp\":{\"type\":\"long\"},\"gone\":{\"type\":\"boolean\"}}}");
}

static void test_legacy_mapping(void **state)
{
    (void)state;
    const struct slice only[] = {SLICE_LIT("a"), SLICE_LIT("b"), SLICE_LIT("d"), SLICE_LIT("f"),
                                 SLICE_LIT("k")};
    struct map_options o = {.cassandra_include = only,
                            .cassandra_include_count = ARRAY_LEN(only),
                            .elasticsearch_include = only,
                            .elasticsearch_include_count = ARRAY_LEN(only)};
    assert_string_equal(mapping(&o, true),
                        "{\"_timestamp\":{\"enabled\":true},\"dynamic\":false,\"properties\":{"
                        "\"a\":{\"type\":\"string\"},"
                        "\"b\":{\"type\":\"string\",\"index\":\"not_analyzed\","
                        "\"ignore_above\":32766},"
                        "\"d\":{\"type\":\"string\",\"index\":\"not_analyzed\"},"
                        "\"f\":{\"type\":\"string\",\"index\":\"not_analyzed\"},"
                        "\"k\":{\"type\":\"integer\"}}}");
}

#define ANY "frozen<caes_json>"

/* What a column of this type is proposed as. */
static void check_property(const char *type, struct map_index_style style, bool non_finite,
                           const char *expected)
{
    static struct buf out;
    char table_text[256], text[512];
    struct err err;
    const struct map_options o = {.non_finite_text = non_finite};
    snprintf(table_text, sizeof table_text, "id int p, a %s", type);
    const struct map_schema *s = fixture_schema(table_text, &o, &err);
    if (!s)
        fail_msg("%s: %s", type, err.text);
    buf_clear(&out);
    map_propose_mapping(s, style, SLICE_NULL, SLICE_NULL, &out);
    snprintf(text, sizeof text, "{%s\"dynamic\":false,\"properties\":{\"a\":%s}}",
             style.legacy ? "\"_timestamp\":{\"enabled\":true}," : "", expected);
    assert_string_equal(buf_cstr(&out), text);
}

static void test_composite_columns(void **state)
{
    (void)state;
    static const char closed[] = "{\"type\":\"object\",\"enabled\":false}";
    const struct map_index_style modern = {.dense_vector = true}, older = {0},
                                 legacy = {.legacy = true};
    check_property("counter", modern, false, "{\"type\":\"long\"}");
    check_property("list<int>", modern, false, "{\"type\":\"integer\"}");
    check_property("set<frozen<list<uuid>>>", legacy, false,
                   "{\"type\":\"string\",\"index\":\"not_analyzed\"}");
    check_property("map<text;int>", modern, false, closed);
    check_property("date", legacy, false, "{\"type\":\"date\",\"ignore_malformed\":true}");
    check_property("tuple<int;int>", legacy, false, closed);
    check_property("list<frozen<map<text;int>>>", modern, false, closed);
    check_property("vector<float;3>", modern, false,
                   "{\"type\":\"dense_vector\",\"dims\":3,\"index\":true,\"similarity\":"
                   "\"l2_norm\"}");
    check_property("vector<float;4097>", modern, false, "{\"type\":\"float\"}");
    check_property("vector<float;3>", older, false, "{\"type\":\"float\"}");
    check_property("vector<int;3>", modern, false, "{\"type\":\"integer\"}");
    check_property("list<frozen<vector<float;3>>>", modern, false, "{\"type\":\"float\"}");
    check_property("addr", modern, false,
                   "{\"type\":\"object\",\"properties\":{\"street\":{\"type\":\"text\"},"
                   "\"zip\":{\"type\":\"integer\"}}}");
    check_property("list<frozen<addr>>", legacy, false,
                   "{\"type\":\"object\",\"properties\":{\"street\":{\"type\":\"string\"},"
                   "\"zip\":{\"type\":\"integer\"}}}");
    check_property(ANY, modern, false, closed);
    check_property("float", modern, true, "{\"type\":\"float\",\"ignore_malformed\":true}");
    check_property("list<double>", legacy, true, "{\"type\":\"double\",\"ignore_malformed\":true}");
}

/* Names that no field may have, and more fields than an index. */
static void test_objects_without_properties(void **state)
{
    (void)state;
    enum { MANY = 501 };
    struct slice names[MANY], kinds[MANY];
    struct map_user_type one = {SLICE_LIT("t"), names, kinds, 2};
    const struct map_user_types types = {&one, 1};
    struct map_table_column columns[] = {
        {.name = SLICE_LIT("id"), .type = SLICE_LIT("int"), .kind = MAP_PARTITION_KEY},
        {.name = SLICE_LIT("a"), .type = SLICE_LIT("t"), .kind = MAP_REGULAR, .user_types = &types},
    };
    static const char *const bad[] = {"", " ", "a.b", "\t\n"};
    for (size_t i = 0; i <= ARRAY_LEN(bad); i++) {
        char text[MANY][8];
        for (int f = 0; f < MANY; f++) {
            snprintf(text[f], sizeof text[f], "f%d", f);
            names[f] = slice_str(text[f]);
            kinds[f] = SLICE_LIT("int");
        }
        if (i < ARRAY_LEN(bad))
            names[1] = slice_str(bad[i]);
        else
            one.field_count = MANY;
        struct err err;
        struct buf out = {0};
        const struct map_schema *s =
            map_schema_build(columns, 2, &(struct map_options){0}, &fixture_arena, &err);
        assert_non_null(s);
        map_propose_mapping(s, (struct map_index_style){0}, SLICE_NULL, SLICE_NULL, &out);
        assert_string_equal(buf_cstr(&out), "{\"dynamic\":false,\"properties\":{\"a\":{\"type\":"
                                            "\"object\",\"enabled\":false}}}");
        buf_free(&out);
    }
}

static void test_columns(void **state)
{
    (void)state;
    static const struct {
        const char *field, *column, *type, *remark;
    } rows[] = {
        {"t", "t", "text", NULL},
        {"k", "k2", "text", NULL},
        {"l", "l", "bigint", NULL},
        {"d", "d", "timestamp", NULL},
        {"i", "i", "inet", NULL},
        {"n", "n", "text", NULL},
        {"y", "y", "date", NULL},
        {"e", "e", "bigint", NULL},
        {"f", "f", "timestamp", NULL},
        {"c", "c", "text", NULL},
        {"em", "em", "bigint", NULL},
        {"nm", "nm", "text", NULL},
        {"h", "h", ANY, "no column type for dates of the format dd/MM/yyyy||basic_date"},
        {"s", "s", "double", NULL},
        {"b", "b", "blob", NULL},
        {"u", "u", "varint", NULL},
        {"v", "v", "vector<float, 3>", NULL},
        {"w", "w", ANY, "no column type for every form of a dense_vector"},
        {"z", "z", "vector<float, 8192>", NULL},
        {"g", "g", ANY, "no column type for every form of a geo_point"},
        {"o", "o", ANY, "an object, whose documents may have any form"},
        {"p", "p", ANY, "no column type for every form of a nested"},
    };
    const struct json_node *root = fixture_json(
        "{\"dynamic\":\"strict\",\"properties\":{\"t\":{\"type\":\"text\",\"fields\":{\"raw\":{"
        "\"type\":\"keyword\"}}},\"k\":{\"type\":\"keyword\"},\"timestamp\":{\"type\":\"long\"},"
        "\"l\":{\"type\":\"long\"},\"d\":{\"type\":\"date\"},\"i\":{\"type\":\"ip\"},"
        "\"n\":{\"type\":\"date_nanos\"},\"y\":{\"type\":\"date\",\"format\":\"yyyy-MM-dd\"},"
        "\"e\":{\"type\":\"date\",\"format\":\"epoch_second\"},\"f\":{\"type\":\"date\","
        "\"format\":\"strict_date_optional_time||epoch_millis\"},"
        "\"c\":{\"type\":\"date\",\"format\":\"dd/MM/yyyy||yyyy-MM\"},"
        "\"em\":{\"type\":\"date\",\"format\":\"epoch_millis\"},"
        "\"nm\":{\"type\":\"date\",\"format\":\"strict_date_time_no_millis\"},"
        "\"h\":{\"type\":\"date\",\"format\":\"dd/MM/yyyy||basic_date\"},"
        "\"s\":{\"type\":\"scaled_float\",\"scaling_factor\":100},\"b\":{\"type\":\"binary\"},"
        "\"u\":{\"type\":\"unsigned_long\"},"
        "\"a\":{\"type\":\"alias\",\"path\":\"u\"},"
        "\"v\":{\"type\":\"dense_vector\",\"dims\":3},"
        "\"w\":{\"type\":\"dense_vector\",\"dims\":3,\"element_type\":\"byte\"},"
        "\"z\":{\"type\":\"knn_vector\",\"dimension\":8192},\"g\":{\"type\":\"geo_point\"},"
        "\"o\":{\"properties\":{\"x\":{\"type\":\"long\"}}},\"p\":{\"type\":\"nested\"}}}");
    const struct slice field[] = {SLICE_LIT("k")}, column[] = {SLICE_LIT("k2")};
    struct map_options o = {.rename_field = field,
                            .rename_column = column,
                            .rename_count = 1,
                            .timestamp_field = SLICE_LIT("timestamp")};
    const struct map_proposal *list;
    uint32_t count;
    map_propose_columns(root, &o, true, &fixture_arena, &list, &count);
    assert_int_equal(count, ARRAY_LEN(rows));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_true(slice_is(list[i].field, rows[i].field));
        assert_true(slice_is(list[i].column, rows[i].column));
        assert_true(slice_equal(slice_str(list[i].type), slice_str(rows[i].type)));
        assert_true(slice_equal(list[i].remark, slice_str(rows[i].remark)));
    }
    map_propose_columns(fixture_json("{}"), &o, true, &fixture_arena, &list, &count);
    assert_int_equal(count, 0);
    map_propose_columns(fixture_json("{\"properties\":[1]}"), &o, true, &fixture_arena, &list,
                        &count);
    assert_int_equal(count, 0);
}

/* What one side proposes fits what the other has: each column type comes back as itself or as the
 * one type that its field stands for. */
static void test_there_and_back(void **state)
{
    (void)state;
    struct map_options o = {0};
    const struct map_proposal *list;
    uint32_t count;
    struct err err;
    const struct map_schema *s = fixture_schema(table, &o, &err);
    map_propose_columns(fixture_json(mapping(&o, false)), &o, true, &fixture_arena, &list, &count);
    assert_int_equal(count, s->column_count);
    for (uint32_t i = 0; i < count; i++) {
        assert_non_null(list[i].type);
        assert_non_null(fixture_type(list[i].type));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mapping),           cmocka_unit_test(test_legacy_mapping),
        cmocka_unit_test(test_composite_columns), cmocka_unit_test(test_objects_without_properties),
        cmocka_unit_test(test_columns),           cmocka_unit_test(test_there_and_back),
    };
    int failed = cmocka_run_group_tests_name("map/propose", tests, NULL, NULL);
    arena_free(&fixture_arena);
    return failed;
}

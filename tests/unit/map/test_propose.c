#include "map/propose.h"

#include "map/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
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

static void test_columns(void **state)
{
    (void)state;
    static const struct {
        const char *field, *column, *type, *reason;
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
        {"c", "c", NULL, "no column type for dates of the format dd/MM/yyyy"},
        {"s", "s", "double", NULL},
        {"b", "b", "blob", NULL},
        {"u", "u", "varint", NULL},
        {"g", "g", NULL, "no column type for the field type geo_point"},
        {"o", "o", NULL, "an object with fields of its own"},
    };
    const struct json_node *root = fixture_json(
        "{\"dynamic\":\"strict\",\"properties\":{\"t\":{\"type\":\"text\",\"fields\":{\"raw\":{"
        "\"type\":\"keyword\"}}},\"k\":{\"type\":\"keyword\"},\"timestamp\":{\"type\":\"long\"},"
        "\"l\":{\"type\":\"long\"},\"d\":{\"type\":\"date\"},\"i\":{\"type\":\"ip\"},"
        "\"n\":{\"type\":\"date_nanos\"},\"y\":{\"type\":\"date\",\"format\":\"yyyy-MM-dd\"},"
        "\"e\":{\"type\":\"date\",\"format\":\"epoch_second\"},\"f\":{\"type\":\"date\","
        "\"format\":\"strict_date_optional_time||epoch_millis\"},"
        "\"c\":{\"type\":\"date\",\"format\":\"dd/MM/yyyy\"},"
        "\"s\":{\"type\":\"scaled_float\",\"scaling_factor\":100},\"b\":{\"type\":\"binary\"},"
        "\"u\":{\"type\":\"unsigned_long\"},\"g\":{\"type\":\"geo_point\"},"
        "\"o\":{\"properties\":{\"x\":{\"type\":\"long\"}}}}}");
    const struct slice field[] = {SLICE_LIT("k")}, column[] = {SLICE_LIT("k2")};
    struct map_options o = {.rename_field = field,
                            .rename_column = column,
                            .rename_count = 1,
                            .timestamp_field = SLICE_LIT("timestamp")};
    const struct map_proposal *list;
    uint32_t count;
    map_propose_columns(root, &o, &fixture_arena, &list, &count);
    assert_int_equal(count, ARRAY_LEN(rows));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_true(slice_is(list[i].field, rows[i].field));
        assert_true(slice_is(list[i].column, rows[i].column));
        assert_true(slice_equal(slice_str(list[i].type), slice_str(rows[i].type)));
        assert_true(slice_equal(list[i].reason, slice_str(rows[i].reason)));
    }
    map_propose_columns(fixture_json("{}"), &o, &fixture_arena, &list, &count);
    assert_int_equal(count, 0);
    map_propose_columns(fixture_json("{\"properties\":[1]}"), &o, &fixture_arena, &list, &count);
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
    map_propose_columns(fixture_json(mapping(&o, false)), &o, &fixture_arena, &list, &count);
    assert_int_equal(count, s->column_count);
    for (uint32_t i = 0; i < count; i++) {
        assert_non_null(list[i].type);
        assert_non_null(fixture_type(list[i].type));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mapping),
        cmocka_unit_test(test_legacy_mapping),
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_there_and_back),
    };
    int failed = cmocka_run_group_tests_name("map/propose", tests, NULL, NULL);
    arena_free(&fixture_arena);
    return failed;
}

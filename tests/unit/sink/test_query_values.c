#include "sink/query_values.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct arena arena;

static const struct map_schema *schema(void)
{
    static const struct map_schema *built;
    static const struct map_table_column columns[] = {{.name = SLICE_LIT("uid"),
                                                       .type = SLICE_LIT("int"),
                                                       .kind = MAP_PARTITION_KEY,
                                                       .position = 0},
                                                      {.name = SLICE_LIT("user"),
                                                       .type = SLICE_LIT("text"),
                                                       .kind = MAP_REGULAR,
                                                       .position = -1}};
    const struct map_options options = {.timestamp_field = SLICE_LIT("timestamp")};
    struct err err;
    if (!built)
        built = map_schema_build(columns, ARRAY_LEN(columns), &options, &arena, &err);
    assert_non_null(built);
    return built;
}

static const struct cql_type *type_of(const char *name)
{
    struct err err;
    const struct cql_type *type = cql_type_parse(slice_str(name), &arena, &err);
    assert_non_null(type);
    return type;
}

static const char source_text[] =
    "{\"user\":\"ana\",\"n\":7,\"none\":null,\"a\":{\"b\":{\"c\":\"deep\"}},\"a.b\":{\"x\":1},"
    "\"n\":8,\"ts\":\"own\",\"big\":99999999999,\"uid\":5}";

/* The value of %(field)s in a column of that type, "null", "unset", or "!" and the error. */
static const char *value_as(const char *field, const char *type, const char *column,
                            int64_t unit_us)
{
    static char out[600];
    struct json_doc *doc = json_doc_new();
    struct err err = {0};
    const struct slice key = SLICE_LIT("\0\0\1\0");
    const struct change_key keys = {.text = SLICE_LIT("256"), .cells = &key};
    const struct sink_write write = {.key = &keys, .version = 1427254212, .write_time = 1000};
    struct query_values values = {.schema = schema(), .unit_us = unit_us, .write = &write};
    assert_true(json_parse(doc, slice_str(source_text), false, &err));
    values.source = json_root(doc);
    const struct cql_column bound = {.name = slice_str(column), .type = type_of(type)};
    struct query_bind bind;
    struct cql_value value = {0};
    struct buf text = {0};
    if (!query_bind_plan(schema(), unit_us, slice_str(field), &bound, &bind, &err) ||
        !query_bind_value(&bind, &values, &arena, &value, &err))
        snprintf(out, sizeof out, "!%s", err.text);
    else if (value.kind != CQL_VALUE_SET)
        snprintf(out, sizeof out, "%s", value.kind == CQL_VALUE_NULL ? "null" : "unset");
    else if (!bind.codec)
        snprintf(out, sizeof out, "%lld", (long long)cql_decode_int(value.bytes));
    else if (map_codec_to_json(bind.codec, bind.type, value.bytes, &text, &err))
        snprintf(out, sizeof out, "%s", buf_cstr(&text));
    buf_free(&text);
    json_doc_free(doc);
    return out;
}

static void test_fields(void **state)
{
    (void)state;
    assert_string_equal(value_as("user", "text", "c", 1000000), "\"ana\"");
    assert_string_equal(value_as("n", "int", "c", 1000000), "8"); /* the last counts */
    assert_string_equal(value_as("n", "bigint", "c", 1000000), "8");
    assert_string_equal(value_as("none", "text", "c", 1000000), "null");
    assert_string_equal(value_as("nobody", "text", "c", 1000000), "null");
    assert_string_equal(value_as("user.nobody", "text", "c", 1000000), "null");
    assert_string_equal(value_as("a.b.c", "text", "c", 1000000), "\"deep\"");
    assert_string_equal(value_as("n", "int", "[ttl]", 1000000), "8");
    assert_string_equal(value_as("nobody", "int", "[ttl]", 1000000), "unset");
    assert_string_equal(value_as("nobody", "bigint", "[timestamp]", 1000000), "unset");
    assert_non_null(strstr(value_as("user", "int", "c", 1000000), "!field \"user\": a string"));
    assert_non_null(strstr(value_as("big", "int", "c", 1000000), "!field \"big\": 99999999999"));
    assert_non_null(strstr(value_as("user", "counter", "c", 1000000),
                           "!%(user)s: nothing can be bound to type counter"));
}

static void test_keys(void **state)
{
    (void)state;
    assert_string_equal(value_as("uid", "int", "c", 1000000), "256"); /* not the document's */
    assert_string_equal(value_as("did", "int", "c", 1000000), "256"); /* the seed's name */
    assert_string_equal(value_as("uid", "text", "c", 1000000), "\"256\"");
    assert_string_equal(value_as("uid", "bigint", "c", 1000000), "256");
    assert_string_equal(value_as("uid", "varint", "c", 1000000), "256");
    assert_non_null(strstr(value_as("uid", "tinyint", "c", 1000000), "!field \"uid\""));
    assert_string_equal(value_as("uid", "list<int>", "c", 1000000),
                        "!%(uid)s: a key can't be bound to type list<int>");
}

static void test_versions(void **state)
{
    (void)state;
    assert_string_equal(value_as("ts", "int", "c", 1000000), "1427254212");
    assert_string_equal(value_as("ts", "text", "c", 1000000), "\"1427254212\"");
    assert_string_equal(value_as("ts", "decimal", "c", 1000000), "\"1427254212\"");
    assert_string_equal(value_as("ts", "timestamp", "c", 1000000), "\"2015-03-25T03:30:12.000Z\"");
    assert_string_equal(value_as("ts", "timestamp", "c", 1000), "\"1970-01-17T12:27:34.212Z\"");
    assert_string_equal(value_as("ts", "timestamp", "c", 0), "\"1970-01-17T12:27:34.212Z\"");
    assert_non_null(strstr(value_as("ts", "timestamp", "c", 1), "sync.versionUnit is us"));
    assert_non_null(strstr(value_as("ts", "smallint", "c", 1000000), "!field \"ts\""));
    assert_string_equal(value_as(NULL, "bigint", "[timestamp]", 1000000), "999");
}

static void test_a_column_of_a_field_called_ts(void **state)
{
    (void)state;
    static const struct map_table_column columns[] = {
        {.name = SLICE_LIT("did"),
         .type = SLICE_LIT("int"),
         .kind = MAP_PARTITION_KEY,
         .position = 0},
        {.name = SLICE_LIT("ts"), .type = SLICE_LIT("text"), .kind = MAP_REGULAR, .position = -1}};
    const struct map_options options = {0};
    struct err err;
    const struct map_schema *s =
        map_schema_build(columns, ARRAY_LEN(columns), &options, &arena, &err);
    const struct cql_column bound = {.name = SLICE_LIT("c"), .type = type_of("text")};
    struct query_bind bind;
    assert_true(query_bind_plan(s, 1000000, SLICE_LIT("ts"), &bound, &bind, &err));
    assert_int_equal(bind.from, QUERY_FROM_FIELD);
}

static int free_arena(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_fields), cmocka_unit_test(test_keys),
                                       cmocka_unit_test(test_versions),
                                       cmocka_unit_test(test_a_column_of_a_field_called_ts)};
    return cmocka_run_group_tests(tests, NULL, free_arena);
}

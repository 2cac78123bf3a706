#include "map/convert.h"

#include "map/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const char two_texts[] = "a text p, b text p";

static const struct map_schema *schema_of(const char *columns)
{
    struct err err;
    const struct map_schema *schema = fixture_schema(columns, NULL, &err);
    if (!schema)
        fail_msg("%s: %s", columns, err.text);
    return schema;
}

/* Cells in hex, separated by '/'. */
static void read_cells(const char *hex, struct slice *cells)
{
    char *text = (char *)arena_copy(&fixture_arena, slice_str(hex)).ptr, *rest = text;
    for (char *one; (one = strsep(&rest, "/"));)
        *cells++ = fixture_bytes(one);
}

static void test_both_ways(void **state)
{
    (void)state;
    static const struct {
        const char *columns, *cells, *id;
    } rows[] = {
        {"id uuid p", "ffeeddccbbaa99887766554433221100", "ffeeddcc-bbaa-9988-7766-554433221100"},
        {"id timeuuid p", "50554d6e29bb11e5b345feff819cdc9f",
         "50554d6e-29bb-11e5-b345-feff819cdc9f"},
        {"id int p", "80000000", "-2147483648"},
        {"id bigint p", "0000000000000000", "0"},
        {"id bigint p", "7fffffffffffffff", "9223372036854775807"},
        {"id smallint p", "ffff", "-1"},
        {"id text p", "61", "a"},
        {"id ascii p", "20", " "},
        {"id date p", "80000001", "1970-01-02"},
        {"id timestamp p", "0000000000000000", "1970-01-01T00:00:00.000Z"},
        {"id inet p", "7f000001", "127.0.0.1"},
        {"id varint p", "0080", "128"},
        {"id decimal p", "0000000203e8", "10.00"},
        {two_texts, "61/62", "a|b"},
        {two_texts, "617c/5c62", "a\\||\\\\b"},
        {two_texts, "/", "|"},
        {"a text p, b text c", "61/", "a|"},
        {"a boolean p, b double p", "01/3fb999999999999a", "true|0.1"},
        {two_texts, "/7c", "|\\|"},
        {two_texts, "5c/", "\\\\|"},
        {"a uuid p, b int p, c text c", "00000000000000000000000000000001/ffffffff/c3a9",
         "00000000-0000-0000-0000-000000000001|-1|\xC3\xA9"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct map_schema *schema = schema_of(rows[i].columns);
        struct slice cells[4], again[4];
        struct buf out = {0};
        struct err err = {0};
        const char *id = rows[i].id;
        read_cells(rows[i].cells, cells);
        buf_append_str(&out, ">");
        if (!map_key_text(schema, cells, &out, &err))
            fail_msg("%s: %s", id, err.text);
        assert_string_equal(buf_cstr(&out) + 1, id);
        if (!map_key_parse(schema, slice_str(buf_cstr(&out) + 1), again, &fixture_arena, &err))
            fail_msg("%s: %s", id, err.text);
        for (uint32_t k = 0; k < schema->key_count; k++)
            assert_true(slice_equal(cells[k], again[k]));
        buf_free(&out);
    }
}

static void test_one_part_is_not_escaped(void **state)
{
    (void)state;
    struct slice cell = SLICE_LIT("a|b\\c");
    struct buf out = {0};
    struct err err;
    assert_true(map_key_text(schema_of("id text p"), &cell, &out, &err));
    assert_string_equal(buf_cstr(&out), "a|b\\c");
    buf_free(&out);
}

static void test_not_canonical(void **state)
{
    (void)state;
    static const struct {
        const char *columns, *id, *why;
    } rows[] = {
        {"id int p", "007", "not the canonical form, which is \"7\""},
        {"id int p", "-0", "not the canonical form, which is \"0\""},
        {"id int p", "+1", "is no int"},
        {"id int p", "1.0", "not the canonical form"},
        {"id int p", "1e0", "not the canonical form"},
        {"id int p", " 1", "is no int"},
        {"id int p", "1 ", "is no int"},
        {"id int p", "1x", "is no int"},
        {"id int p", "0x1", "is no int"},
        {"id int p", "", "is no int"},
        {"id int p", "-", "is no int"},
        {"id int p", "2147483648", "does not fit into int"},
        {"id int p", "1|2", "is no int"},
        {"id bigint p", "9223372036854775808", "does not fit into bigint"},
        {"id uuid p", "FFEEDDCC-BBAA-9988-7766-554433221100", "not the canonical form"},
        {"id uuid p", "{ffeeddcc-bbaa-9988-7766-554433221100}", "is no uuid"},
        {"id timeuuid p", "ffeeddcc-bbaa-9988-7766-554433221100", "is no timeuuid"},
        {"id text p", "", "the key is empty"},
        {"id text p", "\xFF", "not UTF-8"},
        {"id ascii p", "\xC3\xA9", "not ASCII"},
        {"id timestamp p", "1970-01-01", "not the canonical form"},
        {"id timestamp p", "100000", "not the canonical form"},
        {"id inet p", "::0", "not the canonical form, which is \"::\""},
        {two_texts, "a", "the primary key has 2 parts"},
        {two_texts, "a\\|b", "the primary key has 2 parts"},
        {two_texts, "a|b|c", "the primary key has 2 parts"},
        {two_texts, "a|b|", "the primary key has 2 parts"},
        {two_texts, "a|b\\", "a '\\' without a character behind it"},
        {two_texts, "\\a|b", "not the canonical form, which is \"a|b\""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct slice cells[4];
        struct err err = {0};
        if (map_key_parse(schema_of(rows[i].columns), slice_str(rows[i].id), cells, &fixture_arena,
                          &err))
            fail_msg("%s accepted %s", rows[i].columns, rows[i].id);
        assert_int_equal(err.code, ERR_VALUE);
        if (!strstr(err.text, rows[i].why) || strncmp(err.text, "_id \"", 5) != 0)
            fail_msg("%s: \"%s\" lacks \"%s\"", rows[i].id, err.text, rows[i].why);
    }
}

static void test_length(void **state)
{
    (void)state;
    char text[600];
    memset(text, 'x', sizeof text);
    const struct map_schema *schema = schema_of("id text p");
    struct slice cell = slice_of(text, 512), again;
    struct buf out = {0};
    struct err err;
    assert_true(map_key_text(schema, &cell, &out, &err));
    assert_int_equal(out.len, 512);
    assert_true(map_key_parse(schema, cell, &again, &fixture_arena, &err));
    cell.len = 513;
    assert_false(map_key_text(schema, &cell, &out, &err));
    assert_int_equal(out.len, 512);
    assert_string_equal(err.text, "the key has 513 bytes as text, an _id at most 512");
    assert_false(map_key_parse(schema, cell, &again, &fixture_arena, &err));
    /* 300 bytes of '|' are 600 when they are escaped. */
    memset(text, '|', sizeof text);
    struct slice two[2] = {slice_of(text, 300), SLICE_LIT("b")};
    assert_false(map_key_text(schema_of(two_texts), two, &out, &err));
    buf_free(&out);
}

static void test_cells_that_are_no_key(void **state)
{
    (void)state;
    struct buf out = {0};
    struct err err;
    struct slice cell = SLICE_NULL;
    assert_false(map_key_text(schema_of("id int p"), &cell, &out, &err));
    assert_string_equal(err.text, "key column \"id\": null in a key");
    cell = SLICE_LIT("");
    assert_false(map_key_text(schema_of("id int p"), &cell, &out, &err));
    assert_string_equal(err.text, "key column \"id\": empty value of type int");
    cell = SLICE_LIT("");
    assert_false(map_key_text(schema_of("id text p"), &cell, &out, &err));
    assert_string_equal(err.text, "the key is empty, Elasticsearch has no such _id");
    assert_false(map_key_parse(schema_of("id text p"), SLICE_NULL, &cell, &fixture_arena, &err));
    cell = SLICE_LIT("\xFF");
    assert_false(map_key_text(schema_of("id text p"), &cell, &out, &err));
    cell = fixture_bytes("0001");
    assert_false(map_key_text(schema_of("id varint p"), &cell, &out, &err));
    assert_string_equal(err.text, "key column \"id\": not the shortest encoding of a varint");
    struct slice empty[2] = {SLICE_LIT(""), SLICE_LIT("a")};
    assert_false(map_key_text(schema_of("a text p, b text c"), empty, &out, &err));
    assert_string_equal(err.text, "the partition key is empty, Cassandra has no such row");
    struct slice two[2] = {SLICE_LIT("a"), SLICE_LIT("\xFF")};
    assert_false(map_key_text(schema_of(two_texts), two, &out, &err));
    assert_int_equal(out.len, 0);
    buf_free(&out);
}

/* No two keys have the same text: all pairs of short strings over the characters that matter. */
static void test_no_collisions(void **state)
{
    (void)state;
    static const char *const parts[] = {"",    "a",    "|",    "\\",   "||",   "\\\\",
                                        "|\\", "\\|",  "a|",   "|a",   "a\\",  "\\a",
                                        "a|a", "\\||", "|\\|", "||\\", "\\\\|"};
    enum { N = ARRAY_LEN(parts) };
    static char texts[N * N][32];
    const struct map_schema *schema = schema_of(two_texts);
    for (size_t i = 0; i < N * N; i++) {
        struct slice cells[2] = {slice_str(parts[i / N]), slice_str(parts[i % N])}, again[2];
        struct buf out = {0};
        struct err err;
        assert_true(map_key_text(schema, cells, &out, &err));
        assert_true(map_key_parse(schema, buf_slice(&out), again, &fixture_arena, &err));
        assert_true(slice_equal(cells[0], again[0]) && slice_equal(cells[1], again[1]));
        snprintf(texts[i], sizeof texts[i], "%s", buf_cstr(&out));
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(texts[i], texts[j]);
        buf_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ways),
        cmocka_unit_test(test_one_part_is_not_escaped),
        cmocka_unit_test(test_not_canonical),
        cmocka_unit_test(test_length),
        cmocka_unit_test(test_cells_that_are_no_key),
        cmocka_unit_test(test_no_collisions),
    };
    int failed = cmocka_run_group_tests_name("map/key", tests, NULL, NULL);
    arena_free(&fixture_arena);
    return failed;
}

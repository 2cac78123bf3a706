#include "map/convert.h"

#include "map/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

#include <cmocka.h>

enum { CELLS = 16 };

static const char table[] = "id uuid p, vint int, vtext text, vdate timestamp, vbool boolean";
/* in the order of their names: vbool, vdate, vint, vtext */
enum { VBOOL, VDATE, VINT, VTEXT };

static const struct map_schema *schema_with(const char *columns, const struct map_options *o)
{
    struct err err;
    const struct map_schema *s = fixture_schema(columns, o, &err);
    if (!s)
        fail_msg("%s", err.text);
    return s;
}

static void read_document(const struct map_schema *s, const char *json, struct slice *cells,
                          bool *extra)
{
    struct err err = {0};
    if (!map_document_cells(s, fixture_json(json), cells, extra, &fixture_arena, &err))
        fail_msg("%s: %s", json, err.text);
}

static const char *render(const struct map_schema *s, const struct slice *cells, struct slice field,
                          int64_t version, const char *present)
{
    static struct buf out;
    struct err err = {0};
    buf_clear(&out);
    buf_append_char(&out, '#'); /* what stands before is left alone */
    if (!map_document_render(s, cells, field, version, present ? fixture_json(present) : NULL, &out,
                             &err))
        fail_msg("%s", err.text);
    assert_int_equal(out.ptr[0], '#');
    assert_null(memchr(out.ptr, '\n', out.len));
    fixture_json(buf_cstr(&out) + 1);
    return buf_cstr(&out) + 1;
}

static void test_document_and_back(void **state)
{
    (void)state;
    const struct map_schema *s = schema_with(table, NULL);
    struct slice cells[CELLS];
    bool extra;
    read_document(s, "{\"vtext\":\"a\",\"vint\":7.0,\"vdate\":1427254212000,\"vbool\":true}", cells,
                  &extra);
    assert_false(extra);
    assert_string_equal(render(s, cells, SLICE_NULL, 0, NULL),
                        "{\"vbool\":true,\"vdate\":\"2015-03-25T03:30:12.000Z\",\"vint\":7,"
                        "\"vtext\":\"a\"}");
    assert_string_equal(render(s, cells, SLICE_LIT("t\"s"), -5, NULL),
                        "{\"vbool\":true,\"vdate\":\"2015-03-25T03:30:12.000Z\",\"vint\":7,"
                        "\"vtext\":\"a\",\"t\\\"s\":-5}");
}

static void test_null_missing_empty(void **state)
{
    (void)state;
    const struct map_schema *s = schema_with(table, NULL);
    struct slice cells[CELLS];
    bool extra = true;
    read_document(s, "{}", cells, &extra);
    assert_false(extra);
    for (int i = 0; i <= VTEXT; i++)
        assert_null(cells[i].ptr);
    assert_string_equal(render(s, cells, SLICE_NULL, 0, NULL), "{}");
    assert_string_equal(render(s, cells, SLICE_LIT("ts"), 1, NULL), "{\"ts\":1}");
    read_document(s, "{\"vint\":null,\"vtext\":\"\"}", cells, NULL);
    assert_null(cells[VINT].ptr);
    assert_non_null(cells[VTEXT].ptr);
    assert_int_equal(cells[VTEXT].len, 0);
    assert_string_equal(render(s, cells, SLICE_NULL, 0, NULL), "{\"vtext\":\"\"}");
}

static void test_last_of_equal_fields_counts(void **state)
{
    (void)state;
    const struct map_schema *s = schema_with(table, NULL);
    struct slice cells[CELLS];
    read_document(s, "{\"vint\":\"no int\",\"vint\":1,\"vint\":2}", cells, NULL);
    assert_string_equal(render(s, cells, SLICE_NULL, 0, NULL), "{\"vint\":2}");
}

static void test_rejected_documents(void **state)
{
    (void)state;
    const struct map_schema *s = schema_with(table, NULL);
    struct slice cells[CELLS];
    struct err err;
    assert_false(map_document_cells(s, fixture_json("{\"vint\":3000000000}"), cells, NULL,
                                    &fixture_arena, &err));
    assert_int_equal(err.code, ERR_VALUE);
    assert_string_equal(err.text, "field \"vint\": 3000000000 does not fit into int");
    assert_false(map_document_cells(s, fixture_json("[]"), cells, NULL, &fixture_arena, &err));
    assert_false(map_document_cells(s, NULL, cells, NULL, &fixture_arena, &err));
    assert_string_equal(err.text, "the document has no _source");
    struct slice row[CELLS] = {0};
    struct buf out = {0};
    buf_append_str(&out, "before");
    row[VBOOL] = SLICE_LIT("\1");
    row[VTEXT] = SLICE_LIT("\xFF");
    assert_false(map_document_render(s, row, SLICE_NULL, 0, NULL, &out, &err));
    assert_int_equal(err.code, ERR_VALUE);
    assert_string_equal(err.text, "column \"vtext\": not UTF-8 in a column of type text");
    assert_string_equal(buf_cstr(&out), "before");
    buf_free(&out);
}

static void test_present_fields_are_kept(void **state)
{
    (void)state;
    struct map_options o = {.timestamp_field = SLICE_LIT("ts"), .deleted_field = SLICE_LIT("gone")};
    const struct map_schema *s = schema_with(table, &o);
    struct slice cells[CELLS] = {0};
    cells[VINT] = SLICE_LIT("\0\0\0\7");
    static const char present[] =
        "{\"vtext\":\"goes: the row has null\",\"x\":{ \"y\":\n [1, 2.50,\r\n 1e999] },\"vint\":1,"
        "\"gone\":true,\"ts\":3,\"q\\\"\\n\\ud800\":\"\\u0041\\n\",\"x2\":1,\"x2\":2}";
    assert_string_equal(render(s, cells, SLICE_LIT("ts"), 9, present),
                        "{\"vint\":7,\"ts\":9,\"x\":{ \"y\": [1, 2.50, 1e999] },"
                        "\"q\\\"\\n\\ud800\":\"\\u0041\\n\",\"x2\":2}");
    /* Before 5.0 the time stands elsewhere, and a field of that name is one like any other. */
    assert_string_equal(render(s, cells, SLICE_NULL, 0, "{\"ts\":3,\"gone\":false}"),
                        "{\"vint\":7,\"ts\":3}");
    assert_string_equal(render(s, cells, SLICE_NULL, 0, "{}"), "{\"vint\":7}");
    bool extra = true;
    struct slice read[CELLS];
    read_document(s, "{\"ts\":3,\"gone\":false,\"vint\":1}", read, &extra);
    assert_false(extra);
    read_document(s, present, read, &extra);
    assert_true(extra);
}

static void test_many_present_fields(void **state)
{
    (void)state;
    enum { COUNT = 50000 };
    const struct map_schema *s = schema_with(table, NULL);
    struct buf json = {0}, expected = {0};
    buf_append_char(&json, '{');
    buf_append_str(&expected, "{\"vint\":7");
    for (int i = 0; i < COUNT; i++)
        buf_printf(&json, "\"f%d\":%d,", i % (COUNT / 2), i);
    for (int i = COUNT / 2; i < COUNT; i++)
        buf_printf(&expected, ",\"f%d\":%d", i - COUNT / 2, i);
    buf_append_str(&json, "\"vint\":1}");
    buf_append_char(&expected, '}');
    struct slice cells[CELLS] = {0};
    cells[VINT] = SLICE_LIT("\0\0\0\7");
    assert_string_equal(render(s, cells, SLICE_NULL, 0, buf_cstr(&json)), buf_cstr(&expected));
    buf_free(&json);
    buf_free(&expected);
}

static void test_directions_and_names(void **state)
{
    (void)state;
    const struct slice field[] = {SLICE_LIT("Text")}, column[] = {SLICE_LIT("vtext")};
    const struct slice vint[] = {SLICE_LIT("vint")}, vbool[] = {SLICE_LIT("vbool")};
    struct map_options o = {.rename_field = field,
                            .rename_column = column,
                            .rename_count = 1,
                            .elasticsearch_exclude = vint,
                            .elasticsearch_exclude_count = 1,
                            .cassandra_exclude = vbool,
                            .cassandra_exclude_count = 1};
    const struct map_schema *s = schema_with(table, &o);
    struct slice cells[CELLS];
    bool extra;
    /* vint goes only to Elasticsearch: what stands in the document is of no interest. */
    read_document(s, "{\"vint\":\"no int\",\"Text\":\"a\"}", cells, &extra);
    assert_null(cells[VINT].ptr);
    assert_false(extra);
    /* vbool goes only to Cassandra: a copy to Elasticsearch has to keep it. */
    read_document(s, "{\"vbool\":true,\"Text\":\"a\"}", cells, &extra);
    assert_non_null(cells[VBOOL].ptr);
    assert_true(extra);
    cells[VINT] = SLICE_LIT("\0\0\0\7");
    assert_string_equal(render(s, cells, SLICE_NULL, 0, "{\"vbool\":false,\"vtext\":1,\"vint\":2}"),
                        "{\"vint\":7,\"Text\":\"a\",\"vbool\":false,\"vtext\":1}");
}

static struct change_content content_of(const struct map_schema *s, const char *json)
{
    struct slice *cells = arena_alloc(&fixture_arena, CELLS * sizeof *cells);
    read_document(s, json, cells, NULL);
    map_row_normalise(s, cells, &fixture_arena);
    return (struct change_content){.cells = cells, .cell_count = s->column_count};
}

static bool equal(const struct map_schema *s, const char *a, const char *b)
{
    struct change_content x = content_of(s, a), y = content_of(s, b);
    assert_int_equal(map_content_equal(s, &x, &y), map_content_equal(s, &y, &x));
    return map_content_equal(s, &x, &y);
}

static void test_equality(void **state)
{
    (void)state;
    const struct map_schema *s = schema_with(table, NULL);
    assert_true(equal(s, "{\"vint\":1}", "{\"vint\":1.0}"));
    assert_true(equal(s, "{\"vint\":1}", "{\"vint\":1e0,\"vtext\":null,\"other\":5}"));
    assert_true(equal(s, "{\"vdate\":1427254212000}", "{\"vdate\":\"2015-03-25T04:30:12+01:00\"}"));
    assert_false(equal(s, "{\"vint\":1}", "{\"vint\":2}"));
    assert_false(equal(s, "{\"vtext\":\"\"}", "{}"));
    assert_false(equal(s, "{\"vtext\":\"a\"}", "{\"vtext\":\"A\"}"));
    struct change_content there = content_of(s, "{}"), missing = {.missing = true};
    assert_false(map_content_equal(s, &there, &missing));
    assert_false(map_content_equal(s, &missing, &there));
    assert_true(map_content_equal(s, &missing, &missing));
    const struct slice vint[] = {SLICE_LIT("vint")};
    struct map_options o = {.cassandra_exclude = vint, .cassandra_exclude_count = 1};
    s = schema_with(table, &o);
    assert_true(equal(s, "{\"vint\":1}", "{\"vint\":2}"));
}

static void test_normalised_rows(void **state)
{
    (void)state;
    static const struct {
        const char *before, *after;
    } rows[] = {{"0000000005", "05"}, {"0080", "0080"}, {"000080", "0080"},
                {"ffff80", "80"},     {"ff7f", "ff7f"}, {"0000", "00"},
                {"ffff", "ff"},       {"", ""},         {NULL, NULL}};
    const struct map_schema *s = schema_with("id int p, a boolean, b varint, c text", NULL);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct slice cells[] = {SLICE_LIT("\x7f"), fixture_bytes(rows[i].before),
                                SLICE_LIT("\0\0")};
        map_row_normalise(s, cells, &fixture_arena);
        assert_true(slice_is(cells[0], "\1"));
        assert_true(slice_equal(cells[1], fixture_bytes(rows[i].after)));
        assert_int_equal(cells[2].len, 2);
    }
    struct slice null[3] = {0};
    map_row_normalise(s, null, &fixture_arena);
    assert_null(null[0].ptr);
}

static struct change_hash hash_of(const struct map_schema *s, const char *json, bool to_cassandra)
{
    struct change_content c = content_of(s, json);
    return map_content_hash(s, &c, to_cassandra);
}

static bool same_hash(struct change_hash a, struct change_hash b)
{
    return a.high == b.high && a.low == b.low;
}

static void test_hash(void **state)
{
    (void)state;
    const struct map_schema *s = schema_with(table, NULL);
    struct change_hash one = hash_of(s, "{\"vint\":1,\"vtext\":\"ab\"}", true);
    assert_true(same_hash(one, hash_of(s, "{\"vtext\":\"ab\",\"vint\":1.0}", true)));
    assert_true(same_hash(one, hash_of(s, "{\"vtext\":\"ab\",\"vint\":1}", false)));
    assert_false(same_hash(one, hash_of(s, "{\"vtext\":\"ab\",\"vint\":2}", true)));
    assert_false(same_hash(one, hash_of(s, "{\"vint\":1}", true)));
    /* It is stored: another value means that every own copy is forgotten. */
    assert_true(one.high == 0x5d1a70d5340a306e && one.low == 0x17c9a5ee40416648);
    /* A column more that is null changes nothing. */
    const struct map_schema *wider = schema_with("id uuid p, vint int, aa text, vtext text", NULL);
    assert_true(same_hash(one, hash_of(wider, "{\"vtext\":\"ab\",\"vint\":1}", true)));
    /* Where one value ends and the next begins is part of it. */
    const struct map_schema *texts = schema_with("id uuid p, a text, b text", NULL);
    assert_false(same_hash(hash_of(texts, "{\"a\":\"x\",\"b\":\"yz\"}", true),
                           hash_of(texts, "{\"a\":\"xy\",\"b\":\"z\"}", true)));
    assert_false(
        same_hash(hash_of(texts, "{\"a\":\"x\"}", true), hash_of(texts, "{\"b\":\"x\"}", true)));
    assert_false(same_hash(hash_of(texts, "{\"a\":\"\"}", true), hash_of(texts, "{}", true)));
    struct change_content missing = {.missing = true};
    assert_false(same_hash(hash_of(texts, "{}", true), map_content_hash(texts, &missing, true)));
}

/* It lies in state files: it must stay what it is, however long a value. */
static void test_hash_of_any_length(void **state)
{
    (void)state;
    struct err err;
    const struct map_schema *s = fixture_schema("id uuid p, a text, b text", NULL, &err);
    char text[3000];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)i;
    for (size_t len = 0; len<sizeof text; len += len> 800 && len < 1200 ? 1 : 97) {
        const struct slice cells[] = {slice_of(text, len), slice_of(text, sizeof text - len)};
        const struct change_content content = {.cells = cells, .cell_count = 2};
        struct buf bytes = {0};
        const struct slice parts[] = {SLICE_LIT("present"), SLICE_LIT("a"), cells[0],
                                      SLICE_LIT("b"), cells[1]};
        for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
            for (int shift = 0; shift < 64; shift += 8)
                buf_append_char(&bytes, (char)((uint64_t)parts[i].len >> shift));
            buf_append_slice(&bytes, parts[i]);
        }
        const XXH128_hash_t expected = XXH3_128bits(bytes.ptr, bytes.len);
        assert_true(same_hash(map_content_hash(s, &content, true),
                              (struct change_hash){expected.high64, expected.low64}));
        buf_free(&bytes);
    }
}

static void test_hash_by_direction(void **state)
{
    (void)state;
    const struct slice vint[] = {SLICE_LIT("vint")};
    struct map_options o = {.cassandra_exclude = vint, .cassandra_exclude_count = 1};
    const struct map_schema *s = schema_with(table, &o);
    assert_true(same_hash(hash_of(s, "{\"vint\":1}", false), hash_of(s, "{\"vint\":2}", false)));
    assert_false(same_hash(hash_of(s, "{\"vint\":1}", true), hash_of(s, "{\"vint\":2}", true)));
    /* A row that was sent and the document that came of it. */
    o = (struct map_options){.elasticsearch_exclude = vint, .elasticsearch_exclude_count = 1};
    struct slice cells[] = {fixture_bytes("00000007"), SLICE_LIT("ab")};
    const struct change_content row = {.cells = cells, .cell_count = ARRAY_LEN(cells)};
    s = schema_with("id uuid p, vint int, vtext text", &o);
    assert_true(same_hash(map_content_hash(s, &row, false),
                          hash_of(s, "{\"vint\":7,\"vtext\":\"ab\"}", false)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_document_and_back),
        cmocka_unit_test(test_null_missing_empty),
        cmocka_unit_test(test_last_of_equal_fields_counts),
        cmocka_unit_test(test_rejected_documents),
        cmocka_unit_test(test_present_fields_are_kept),
        cmocka_unit_test(test_many_present_fields),
        cmocka_unit_test(test_directions_and_names),
        cmocka_unit_test(test_equality),
        cmocka_unit_test(test_normalised_rows),
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_hash_of_any_length),
        cmocka_unit_test(test_hash_by_direction),
    };
    int failed = cmocka_run_group_tests_name("map/convert", tests, NULL, NULL);
    arena_free(&fixture_arena);
    return failed;
}

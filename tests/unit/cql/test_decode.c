/* Errors, types, results and events of a server, good and bad. */
#include "cql/answer.h"
#include "cql/error.h"
#include "cql/prepared.h"
#include "cql/type_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static struct arena arena;

static int reset(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

/* --- errors --- */

static void test_classes(void **state)
{
    (void)state;
    static const struct {
        int code;
        enum err_code as;
        enum err_class class;
    } cases[] = {
        {0x0000, ERR_UNAVAILABLE, ERR_CLASS_RETRY}, {0x000A, ERR_PROTOCOL, ERR_CLASS_FATAL},
        {0x0100, ERR_AUTH, ERR_CLASS_FATAL},        {0x1000, ERR_UNAVAILABLE, ERR_CLASS_RETRY},
        {0x1001, ERR_OVERLOADED, ERR_CLASS_RETRY},  {0x1002, ERR_UNAVAILABLE, ERR_CLASS_RETRY},
        {0x1003, ERR_UNAVAILABLE, ERR_CLASS_RETRY}, {0x1100, ERR_TIMEOUT, ERR_CLASS_RETRY},
        {0x1200, ERR_TIMEOUT, ERR_CLASS_RETRY},     {0x1300, ERR_UNAVAILABLE, ERR_CLASS_RETRY},
        {0x1400, ERR_REQUEST, ERR_CLASS_REJECT},    {0x1500, ERR_UNAVAILABLE, ERR_CLASS_RETRY},
        {0x1600, ERR_OVERLOADED, ERR_CLASS_RETRY},  {0x1700, ERR_TIMEOUT, ERR_CLASS_RETRY},
        {0x2000, ERR_SCHEMA, ERR_CLASS_FATAL},      {0x2100, ERR_AUTH, ERR_CLASS_FATAL},
        {0x2200, ERR_REQUEST, ERR_CLASS_REJECT},    {0x2300, ERR_SCHEMA, ERR_CLASS_FATAL},
        {0x2400, ERR_REQUEST, ERR_CLASS_REJECT},    {0x2500, ERR_UNAVAILABLE, ERR_CLASS_RETRY},
        {0x1999, ERR_UNAVAILABLE, ERR_CLASS_RETRY}, {0x2999, ERR_REQUEST, ERR_CLASS_REJECT},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf b = {0};
        buf_append_be32(&b, (uint32_t)cases[i].code);
        cql_write_string(&b, SLICE_LIT("what\nit says"));
        cql_write_string(&b, SLICE_LIT("ID")); /* read of UNPREPARED only */
        struct cql_server_error error;
        struct err err;
        assert_true(cql_error_decode(cql_reader_of(buf_slice(&b)), false, &error, &err));
        assert_int_equal(error.code, cases[i].code);
        assert_int_equal(err.code, cases[i].as);
        assert_int_equal(err_class_of(err.code), cases[i].class);
        assert_non_null(strstr(err.text, "what it says"));
        assert_int_equal(slice_is_null(error.prepared_id), cases[i].code != 0x2500);
        for (size_t cut = 0; cut < (cases[i].code == 0x2500 ? b.len : b.len - 4); cut++) {
            assert_false(
                cql_error_decode(cql_reader_of(slice_of(b.ptr, cut)), false, &error, &err));
            assert_int_equal(err.code, ERR_PROTOCOL);
        }
        /* What a PREPARE can't do, no record can. */
        assert_true(cql_error_decode(cql_reader_of(buf_slice(&b)), true, &error, &err));
        assert_true(err_class_of(err.code) != ERR_CLASS_REJECT);
        buf_free(&b);
    }
}

/* --- types --- */

static const char *spelled(const struct cql_type *type)
{
    struct buf b = {0};
    cql_type_append(&b, type);
    const struct slice copy = arena_copy(&arena, buf_slice(&b));
    buf_free(&b);
    return copy.ptr;
}

static void test_options(void **state)
{
    (void)state;
#define VECTOR                                    \
    "org.apache.cassandra.db.marshal.VectorType(" \
    "org.apache.cassandra.db.marshal.FloatType , 1536)"
    static const struct {
        struct slice bytes;
        const char *spelled;
    } cases[] = {
        {SLICE_LIT("\0\1"), "ascii"},
        {SLICE_LIT("\0\2"), "bigint"},
        {SLICE_LIT("\0\3"), "blob"},
        {SLICE_LIT("\0\4"), "boolean"},
        {SLICE_LIT("\0\5"), "counter"},
        {SLICE_LIT("\0\6"), "decimal"},
        {SLICE_LIT("\0\7"), "double"},
        {SLICE_LIT("\0\x08"), "float"},
        {SLICE_LIT("\0\x09"), "int"},
        {SLICE_LIT("\0\x0b"), "timestamp"},
        {SLICE_LIT("\0\x0c"), "uuid"},
        {SLICE_LIT("\0\x0d"), "text"},
        {SLICE_LIT("\0\x0e"), "varint"},
        {SLICE_LIT("\0\x0f"), "timeuuid"},
        {SLICE_LIT("\0\x10"), "inet"},
        {SLICE_LIT("\0\x11"), "date"},
        {SLICE_LIT("\0\x12"), "time"},
        {SLICE_LIT("\0\x13"), "smallint"},
        {SLICE_LIT("\0\x14"), "tinyint"},
        {SLICE_LIT("\0\x15"), "duration"},
        {SLICE_LIT("\0\x20\0\x09"), "list<int>"},
        {SLICE_LIT("\0\x21\0\x09\0\x22\0\x0d"), "map<int, set<text>>"},
        {SLICE_LIT("\0\x31\0\2\0\x09\0\x31\0\0"), "tuple<int, tuple<>>"},
        {SLICE_LIT("\0\x30\0\2ks\0\4Name\0\1\0\1f\0\x09"), "\"Name\""},
        {SLICE_LIT("\0\0\0\x50"
                   "xxxxxxxxxx"
                   "xxxxxxxxxx"
                   "xxxxxxxxxx"
                   "xxxxxxxxxx"
                   "xxxxxxxxxx"
                   "xxxxxxxxxx"
                   "xxxxxxxxxx"
                   "xxxxxxxxxx"),
         "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'"},
        {SLICE_LIT("\0\0\0\x5c" VECTOR), "vector<float, 1536>"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = {0};
        struct slice at = cases[i].bytes;
        const struct cql_type *type = cql_type_decode(&at, &arena, &err);
        if (!type)
            fail_msg("%zu: %s", i, err.text);
        assert_int_equal(at.len, 0);
        assert_string_equal(spelled(type), cases[i].spelled);
        for (size_t cut = 0; cut < cases[i].bytes.len; cut++) {
            at = slice_of(cases[i].bytes.ptr, cut);
            assert_null(cql_type_decode(&at, &arena, &err));
            assert_int_equal(err.code, ERR_PROTOCOL);
            assert_ptr_equal(at.ptr, cases[i].bytes.ptr);
        }
    }
}

static void test_hostile_options(void **state)
{
    (void)state;
    struct err err;
    struct buf b = {0};
    for (int depth = 1; depth <= CQL_TYPE_DEPTH_MAX + 1; depth++) {
        buf_clear(&b);
        for (int i = 1; i < depth; i++)
            buf_append_be16(&b, CQL_LIST);
        buf_append_be16(&b, CQL_INT);
        struct slice at = buf_slice(&b);
        assert_int_equal(cql_type_decode(&at, &arena, &err) != NULL, depth <= CQL_TYPE_DEPTH_MAX);
    }
    buf_free(&b);
    static const struct slice bad[] = {
        SLICE_LIT("\0\x0a"),                 /* the old text */
        SLICE_LIT("\x12\x34"),               /* nothing */
        SLICE_LIT("\0\x31\xff\xff\0\x09"),   /* more elements than bytes */
        SLICE_LIT("\0\x30\0\0\0\0\xff\xff"), /* more fields than bytes */
        SLICE_LIT("\0\0\0\0"),
        SLICE_LIT("\0\0\0\1("),
        SLICE_LIT("\0\0\0\x0bVectorType("),
        SLICE_LIT("\0\0\0\x15VectorType(FloatType)"),
        SLICE_LIT("\0\0\0\x18VectorType(FloatType, 0)"),
        SLICE_LIT("\0\0\0\x1dVectorType(FloatType, 999999)"),
        SLICE_LIT("\0\0\0\x09ListType("),
        SLICE_LIT("\0\0\0\x16MapType(Int32Type)    "),
        SLICE_LIT("\0\0\0\x14UserType(ks,6,61:x)"),
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct slice at = bad[i];
        if (cql_type_decode(&at, &arena, &err))
            fail_msg("hostile option %zu was taken", i);
        assert_int_equal(err.code, ERR_PROTOCOL);
    }
}

/* An answer within its limit must not take all memory. */
static void test_hostile_amounts(void **state)
{
    (void)state;
    enum { TUPLES = 20, ELEMENTS = 65535, COLUMNS = 65536 };
    struct err err = {0};
    struct buf b = {0};
    buf_append_be16(&b, CQL_TUPLE);
    buf_append_be16(&b, TUPLES);
    for (int i = 0; i < TUPLES; i++) {
        buf_append_be16(&b, CQL_TUPLE);
        buf_append_be16(&b, ELEMENTS);
        for (int e = 0; e < ELEMENTS; e++)
            buf_append_be16(&b, CQL_INT);
    }
    struct slice at = buf_slice(&b);
    assert_null(cql_type_decode(&at, &arena, &err));
    assert_int_equal(err.code, ERR_PROTOCOL);
    assert_true(arena.total < 100 * 1024 * 1024);

    buf_clear(&b);
    arena_free(&arena);
    buf_append_be32(&b, 2); /* rows */
    buf_append_be32(&b, 1); /* one table */
    buf_append_be32(&b, COLUMNS);
    buf_append(&b, "\0\1k\0\1t", 6);
    for (int i = 0; i < COLUMNS; i++)
        buf_append(&b, "\0\0\0\x09", 4);
    buf_append_be32(&b, 0);
    struct cql_metadata columns;
    struct cql_result result;
    struct slice new_id;
    assert_false(cql_answer_result(cql_reader_of(buf_slice(&b)), NULL, &arena, &columns, &result,
                                   &new_id, &err));
    assert_non_null(strstr(err.text, "65536 columns"));
    assert_true(arena.total < 1024 * 1024);
    buf_free(&b);
}

static void test_classes_of_types(void **state)
{
    (void)state;
#define M "org.apache.cassandra.db.marshal."
    static const struct {
        const char *class, *spelled;
    } cases[] = {
        {M "Int32Type", "int"},
        {M "ReversedType(" M "TimestampType)", "timestamp"},
        {M "FrozenType(" M "ListType(" M "UTF8Type))", "list<text>"},
        {M "MapType(" M "UTF8Type," M "SetType(" M "LongType))", "map<text, set<bigint>>"},
        {M "VectorType(" M "VectorType(" M "Int32Type , 2) , 3)", "vector<vector<int, 2>, 3>"},
        {M "TupleType(" M "Int32Type," M "BytesType)", "tuple<int, blob>"},
        {M "UserType(ks,61646472,6e72:" M "Int32Type,73:" M "UTF8Type)", "addr"},
        {M "CompositeType(" M "Int32Type," M "UTF8Type)",
         "'" M "CompositeType(" M "Int32Type," M "UTF8Type)'"},
        {"com.example.Odd", "'com.example.Odd'"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = {0};
        const struct cql_type *type = cql_type_parse_class(slice_str(cases[i].class), &arena, &err);
        if (!type)
            fail_msg("%s: %s", cases[i].class, err.text);
        assert_string_equal(spelled(type), cases[i].spelled);
    }
    const struct cql_type *user = cql_type_parse_class(slice_str(cases[6].class), &arena, NULL);
    assert_true(slice_is(user->keyspace, "ks"));
    assert_true(slice_is(user->field_names[0], "nr"));
    assert_int_equal(user->elements[1]->id, CQL_VARCHAR);
}

static void test_parsing_cql(void **state)
{
    (void)state;
    static const char *const same[] = {
        "int",
        "text",
        "frozen<list<text>>",
        "vector<float, 3>",
        "map<text, frozen<set<int>>>",
        "tuple<int, text, blob>",
        "addr",
        "\"Od\"\"d\"",
        "frozen<\"Addr\">",
        "'com.example.Odd'",
        "\"map\"",
        "\"int\"",
        "\"select\"",
        "map<frozen<tuple<int, int>>, vector<bigint, 10>>",
        "counter",
        "duration",
    };
    for (size_t i = 0; i < ARRAY_LEN(same); i++) {
        struct err err = {0};
        const struct cql_type *type = cql_type_parse(slice_str(same[i]), &arena, &err);
        if (!type)
            fail_msg("%s", err.text);
        assert_string_equal(spelled(type), same[i]);
    }
    assert_string_equal(spelled(cql_type_parse(SLICE_LIT(" map<varchar ,int> "), &arena, NULL)),
                        "map<text, int>");
    assert_true(cql_type_parse(SLICE_LIT("frozen<addr>"), &arena, NULL)->frozen);
    static const char *const bad[] = {
        "",
        " ",
        "list",
        "list<",
        "list<int",
        "list<int>>",
        "list<int, int>",
        "map<int>",
        "<int>",
        "vector<float>",
        "vector<float, x>",
        "vector<float, 0>",
        "vector<float, 99999999999>",
        "tuple<>",
        "frozen",
        "frozen<int",
        "int text",
        "\"open",
        "'",
        "list<>",
        ",",
        "a,b",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err err = {0};
        if (cql_type_parse(slice_str(bad[i]), &arena, &err))
            fail_msg("%s was taken for a type", bad[i]);
        assert_int_equal(err.code, ERR_SCHEMA);
    }
    struct buf b = {0};
    for (int i = 0; i < 100000; i++)
        buf_append_str(&b, "list<");
    assert_null(cql_type_parse(buf_slice(&b), &arena, NULL));
    buf_free(&b);
}

/* --- results --- */

static void test_rows_with_nulls(void **state)
{
    (void)state;
    static const struct slice body = SLICE_LIT("\0\0\0\2"
                                               "\0\0\0\2" /* more pages, tables by column */
                                               "\0\0\0\2"
                                               "\0\0\0\3"
                                               "abc"
                                               "\0\1k\0\1t\0\1a\0\x09"
                                               "\0\1k\0\1u\0\1b\0\x0d"
                                               "\0\0\0\3"
                                               "\0\0\0\4\0\0\0\7\0\0\0\0"
                                               "\xff\xff\xff\xff\0\0\0\1x"
                                               "\0\0\0\4\0\0\0\x08\xff\xff\xff\xfe");
    struct cql_metadata columns;
    struct cql_result result;
    struct slice new_id, cells[2];
    struct err err;
    assert_true(
        cql_answer_result(cql_reader_of(body), NULL, &arena, &columns, &result, &new_id, &err));
    assert_int_equal(result.kind, CQL_RESULT_ROWS);
    assert_true(slice_is(result.paging_state, "abc"));
    assert_true(slice_is(columns.columns[1].table, "u"));
    /* Zero-copy: cells lie in the body. */
    struct cql_cursor c = cql_rows(&result);
    assert_true(cql_next(&c, cells));
    assert_true(cells[0].ptr > body.ptr && cells[0].ptr < body.ptr + body.len);
    assert_int_equal(cql_decode_int(cells[0]), 7);
    assert_false(slice_is_null(cells[1]));
    assert_int_equal(cells[1].len, 0);
    assert_true(cql_next(&c, cells));
    assert_true(slice_is_null(cells[0]));
    assert_true(slice_is(cells[1], "x"));
    assert_true(cql_next(&c, cells));
    assert_true(slice_is_null(cells[1]));
    assert_false(cql_next(&c, cells));
    assert_false(cql_next(&c, cells));
    for (size_t cut = 0; cut < body.len; cut++) {
        assert_false(cql_answer_result(cql_reader_of(slice_of(body.ptr, cut)), NULL, &arena,
                                       &columns, &result, &new_id, &err));
        assert_int_equal(err.code, ERR_PROTOCOL);
    }
}

static void test_rows_without_metadata(void **state)
{
    (void)state;
    static const struct slice body = SLICE_LIT("\0\0\0\2\0\0\0\4\0\0\0\1\0\0\0\1\0\0\0\1x");
    const struct cql_metadata one = {.count = 1}, two = {.count = 2};
    struct cql_metadata columns;
    struct cql_result result;
    struct slice new_id;
    const struct cql_reader r = cql_reader_of(body);
    assert_true(cql_answer_result(r, &one, &arena, &columns, &result, &new_id, NULL));
    assert_ptr_equal(result.columns, &one);
    assert_false(cql_answer_result(r, &two, &arena, &columns, &result, &new_id, NULL));
    assert_false(cql_answer_result(r, NULL, &arena, &columns, &result, &new_id, NULL));
}

static void test_other_results(void **state)
{
    (void)state;
    struct cql_metadata columns;
    struct cql_result result;
    struct slice new_id;
    static const struct slice bodies[] = {SLICE_LIT("\0\0\0\1"), SLICE_LIT("\0\0\0\3\0\2ks"),
                                          SLICE_LIT("\0\0\0\5\0\7CREATED")};
    static const enum cql_result_kind kinds[] = {CQL_RESULT_VOID, CQL_RESULT_KEYSPACE,
                                                 CQL_RESULT_SCHEMA};
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        assert_true(cql_answer_result(cql_reader_of(bodies[i]), NULL, &arena, &columns, &result,
                                      &new_id, NULL));
        assert_int_equal(result.kind, kinds[i]);
        assert_int_equal(result.columns->count, 0);
        struct cql_cursor c = cql_rows(&result);
        assert_false(cql_next(&c, NULL));
    }
}

static void test_events(void **state)
{
    (void)state;
    static const struct slice table =
        SLICE_LIT("\0\x0dSCHEMA_CHANGE\0\7UPDATED\0\5TABLE\0\2ks\0\1t");
    static const struct slice keyspace =
        SLICE_LIT("\0\x0dSCHEMA_CHANGE\0\7DROPPED\0\x08KEYSPACE\0\2ks");
    static const struct slice node =
        SLICE_LIT("\0\x0fTOPOLOGY_CHANGE\0\x08NEW_NODE\4\x0a\0\0\1\0\0\x23\x52");
    static const struct slice bad =
        SLICE_LIT("\0\x0dSTATUS_CHANGE\0\2UP\5\x0a\0\0\1\0\0\0\x23\x52");
    struct cql_event event;
    assert_true(cql_answer_event(cql_reader_of(table), &event, NULL));
    assert_true(slice_is(event.type, "SCHEMA_CHANGE") && slice_is(event.change, "UPDATED"));
    assert_true(slice_is(event.keyspace, "ks") && slice_is(event.object, "t"));
    assert_true(cql_answer_event(cql_reader_of(keyspace), &event, NULL));
    assert_true(slice_is_null(event.object));
    assert_true(cql_answer_event(cql_reader_of(node), &event, NULL));
    assert_int_equal(event.address.len, 4);
    assert_int_equal(event.port, 9042);
    assert_false(cql_answer_event(cql_reader_of(bad), &event, NULL));
    for (size_t cut = 0; cut < table.len; cut++)
        assert_false(cql_answer_event(cql_reader_of(slice_of(table.ptr, cut)), &event, NULL));
    for (size_t cut = 0; cut < node.len; cut++)
        assert_false(cql_answer_event(cql_reader_of(slice_of(node.ptr, cut)), &event, NULL));
}

/* --- shapes --- */

static void test_shapes_are_bounded(void **state)
{
    (void)state;
    struct cql_registry registry = {0};
    struct cql_prepared *prepared = cql_registry_add(&registry, SLICE_LIT("Q"));
    assert_ptr_equal(prepared, cql_registry_add(&registry, SLICE_LIT("Q")));
    const struct cql_metadata none = {0};
    for (int i = 0; i < 2000; i++) {
        char id[4];
        cql_prepared_reshape(&registry, prepared, cql_encode_i32(id, i % 1000), &none);
    }
    assert_true(prepared->shape_count <= 256);
    assert_null(cql_registry_find(&registry, SLICE_LIT("ID")));
    prepared->id = SLICE_LIT("ID");
    assert_ptr_equal(prepared, cql_registry_find(&registry, SLICE_LIT("ID")));
    cql_registry_free(&registry);
}

#define TEST(name) cmocka_unit_test_teardown(name, reset)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_classes),
        TEST(test_options),
        TEST(test_hostile_options),
        TEST(test_hostile_amounts),
        TEST(test_classes_of_types),
        TEST(test_parsing_cql),
        TEST(test_rows_with_nulls),
        TEST(test_rows_without_metadata),
        TEST(test_other_results),
        TEST(test_events),
        TEST(test_shapes_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Values that hold others. */
#include "map/codec.h"
#include "map/fixture.h"
#include "map/normal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define ONE   "00000004 00000001"
#define TWO   "00000004 00000002"
#define MINUS "00000004 ffffffff"

/* --- both ways: this JSON is this cell, and the cell is rendered as exactly this JSON */
static const struct {
    const char *type, *json, *cell;
} exact[] = {
    {"list<int>", "[2,1,2]", "00000003" TWO ONE TWO},
    {"frozen<list<int>>", "[-1]", "00000001" MINUS},
    {"list<text>", "[\"\",\"a\\u0000\"]", "00000002 00000000 00000002 6100"},
    {"list<frozen<list<int>>>", "[[],[1]]", "00000002 00000004 00000000 0000000c 00000001" ONE},
    {"set<int>", "[-1,1,2]", "00000003" MINUS ONE TWO},
    {"set<tinyint>", "[-128,0,127]", "00000003 00000001 80 00000001 00 00000001 7f"},
    {"set<float>", "[-0.0,0.0,1.5]",
     "00000003 00000004 80000000 00000004 00000000 00000004 3fc00000"},
    {"set<varint>", "[-129,-1,0,128]",
     "00000004 00000002 ff7f 00000001 ff 00000001 00 00000002 0080"},
    {"set<decimal>", "[\"-1.5\",\"0.1\",\"2\"]",
     "00000003 00000005 00000001f1 00000005 0000000101 00000005 0000000002"},
    {"set<frozen<list<int>>>", "[[],[1],[1,2]]",
     "00000003 00000004 00000000 0000000c 00000001" ONE "00000014 00000002" ONE TWO},
    {"map<text,int>", "{\"\":1,\"a.b\":2}", "00000002 00000000" ONE "00000003 612e62" TWO},
    {"map<int,text>", "{\"-1\":\"x\",\"2\":\"y\"}",
     "00000002" MINUS "00000001 78" TWO "00000001 79"},
    {"map<boolean,int>", "{\"false\":1,\"true\":2}", "00000002 00000001 00" ONE "00000001 01" TWO},
    {"map<double,int>", "{\"1.5\":1}", "00000001 00000008 3ff8000000000000" ONE},
    {"~map<double,int>", "{\"1.5\":1,\"NaN\":2}",
     "00000002 00000008 3ff8000000000000" ONE "00000008 7ff8000000000000" TWO},
    {"map<timestamp,int>", "{\"1970-01-01T00:00:00.000Z\":1}",
     "00000001 00000008 0000000000000000" ONE},
    {"map<frozen<list<int>>,int>", "[{\"key\":[],\"value\":1},{\"key\":[2],\"value\":2}]",
     "00000002 00000004 00000000" ONE "0000000c 00000001" TWO TWO},
    {"map<text,frozen<map<int,text>>>", "{\"a\":{},\"b\":{\"1\":\"x\"}}",
     "00000002 00000001 61 00000004 00000000 00000001 62 00000011 00000001" ONE "00000001 78"},
    {"tuple<int,text>", "[1,null]", ONE "ffffffff"},
    {"tuple<int,text>", "[null,null]", "ffffffff ffffffff"},
    {"tuple<int,frozen<tuple<int,int>>>", "[1,[null,2]]", ONE "0000000c ffffffff" TWO},
    {"addr", "{\"street\":\"x\"}", "00000001 78 ffffffff"},
    {"frozen<addr>", "{}", "ffffffff ffffffff"},
    {"frozen<\"Per.son\">", "{\"First Name\":\"a\",\"home\":{\"zip\":1},\"tags\":[]}",
     "00000001 61 0000000c ffffffff" ONE "00000004 00000000"},
    {"list<frozen<addr>>", "[{\"zip\":1}]", "00000001 0000000c ffffffff" ONE},
    {"vector<float,3>", "[0.1,-0.0,3.4028235e+38]", "3dcccccd 80000000 7f7fffff"},
    {"vector<boolean,2>", "[true,false]", "0100"},
    {"vector<smallint,2>", "[1,2]", "020001 020002"},
    {"vector<text,2>", "[\"a\",\"bc\"]", "0161 026263"},
    {"vector<frozen<vector<float,2>>,2>", "[[1.0,2.0],[3.0,4.0]]",
     "3f800000 40000000 40400000 40800000"},
    {"vector<frozen<list<int>>,1>", "[[1]]", "0c 00000001" ONE},
    {"vector<uuid,1>", "[\"00000000-0000-0000-0000-000000000001\"]",
     "00000000000000000000000000000001"},
    {"frozen<caes_json>", "{\"lat\":1.10,\"lon\":[1,{}],\"t\":\"\xC3\xA9\\n\"}",
     "00000024 7b226c6174223a312e31302c226c6f6e223a5b312c7b7d5d2c2274223a22c3a95c6e227d"},
    {"frozen<caes_json>", "\"a\"", "00000003 226122"},
    {"frozen<caes_json>", "[]", "00000002 5b5d"},
    {"frozen<caes_json>", "1e400", "00000005 3165343030"},
    {"list<frozen<caes_json>>", "[{\"json\":\"{}\"}]", "00000001 00000006 00000002 7b7d"},
};

/* --- read as well, though written otherwise */
static const struct {
    const char *type, *json, *as; /* as: NULL is no value */
} accepted[] = {
    {"list<int>", "5", "[5]"},
    {"list<int>", "[]", NULL},
    {"set<text>", "\"a\"", "[\"a\"]"},
    {"set<text>", "[\"b\",\"a\",\"b\"]", "[\"a\",\"b\"]"},
    {"set<decimal>", "[\"1.00\",1,\"1.0\"]", "[\"1\"]"},
    {"set<decimal>", "[\"1.0\",\"1.00\",1]", "[\"1\"]"},
    {"list<frozen<addr>>", "{\"zip\":1}", "[{\"zip\":1}]"},
    {"list<frozen<map<text,int>>>", "{\"a\":1}", "[{\"a\":1}]"},
    {"map<text,int>", "{}", NULL},
    {"map<int,int>", "{\"2\":1.0,\"1.0\":2,\"1e1\":3}", "{\"1\":2,\"2\":1,\"10\":3}"},
    {"map<text,int>", "{\"a\":\"no int\",\"a\":2}", "{\"a\":2}"},
    {"map<frozen<set<int>>,int>", "[{\"value\":1,\"key\":[2,1,2]}]",
     "[{\"key\":[1,2],\"value\":1}]"},
    {"map<frozen<set<int>>,int>", "[]", NULL},
    {"addr", "{}", NULL},
    {"addr", "{\"zip\":null}", NULL},
    {"addr", "{\"zip\":\"no int\",\"zip\":3}", "{\"zip\":3}"},
    {"vector<float,2>", "[1,0.1000000000000000055]", "[1.0,0.1]"},
    {"frozen<caes_json>", " { \"a\" : [ 1 ,\n2 ] , \"b\" : \"\\u00e9\\/\" } ",
     "{\"a\":[1,2],\"b\":\"\xC3\xA9/\"}"},
    {"frozen<caes_json>", "{\"\":{\"\":[[],{},[[]]]}}", "{\"\":{\"\":[[],{},[[]]]}}"},
};

/* --- refused, with words that say why */
static const struct {
    const char *type, *json, *why;
} refused[] = {
    {"list<int>", "[1,null]", "[1]: null is no element of a list"},
    {"list<int>", "[1,\"a\"]", "[1]: a string is no value for a column of type int"},
    {"list<int>", "\"a\"", "a string is no value for a column of type int"},
    {"list<frozen<list<int>>>", "[1]", "[0]: a number is no value for a column of type list"},
    {"set<int>", "[null]", "[0]: null is no element of a set"},
    {"map<text,int>", "[]", "an array is no value for a column of type map"},
    {"map<text,int>", "{\"a\":null}", "\"a\": null is no value of a map"},
    {"map<int,int>", "{\"a\":1}", "\"a\": a is no int"},
    {"map<int,int>", "{\"1\":1,\"1.0\":2}", "two entries of a map have the same key"},
    {"map<decimal,int>", "{\"1\":1,\"1.0\":2}", "two entries of a map have the same key"},
    {"map<text,int>", "{\"\\ud800\":1}", "\"?\": not UTF-8 in a column of type text"},
    {"map<double,int>", "{\"NaN\":1}", "\"NaN\": NaN does not fit into double"},
    {"map<frozen<list<int>>,int>", "{}", "an object is no value for a column of type map"},
    {"map<frozen<list<int>>,int>", "[[[1],1]]", "[0]: an entry of this map is"},
    {"map<frozen<list<int>>,int>", "[{\"key\":[1]}]", "[0]: an entry of this map is"},
    {"map<frozen<list<int>>,int>", "[{\"key\":[1],\"value\":1,\"x\":1}]", "[0]: an entry of this"},
    {"map<frozen<list<int>>,int>", "[{\"key\":null,\"value\":1}]", "[0]: an entry of this map is"},
    {"map<frozen<list<int>>,int>", "[{\"key\":[],\"value\":null}]", "[0]: null is no value of a"},
    {"map<frozen<list<int>>,int>", "[{\"key\":[],\"value\":1},{\"key\":[],\"value\":1}]",
     "two entries of a map have the same key"},
    {"tuple<int,text>", "[1]", "1 values in place of the 2 of this tuple"},
    {"tuple<int,text>", "[1,\"a\",1]", "3 values in place of the 2 of this tuple"},
    {"tuple<int,text>", "{}", "an object is no value for a column of type tuple"},
    {"tuple<int,text>", "[\"a\",1]", "[0]: a string is no value for a column of type int"},
    {"addr", "{\"city\":1}", "\"city\" is no field of type addr"},
    {"addr", "[]", "an array is no value for a column of type addr"},
    {"addr", "{\"zip\":1.5}", "\"zip\": 1.5 has a fraction and is no int"},
    {"\"Per.son\"", "{\"home\":{\"zip\":[]}}", "\"home\": \"zip\": an array is no value"},
    {"vector<float,2>", "[1]", "1 values in place of the 2 of this vector"},
    {"vector<float,2>", "[1,2,3]", "3 values in place of the 2 of this vector"},
    {"vector<float,2>", "[1,null]", "[1]: null is no element of a vector"},
    {"vector<float,2>", "[1,\"NaN\"]", "[1]: a string is no value for a column of type float"},
    {"vector<float,1>", "1", "a number is no value for a column of type vector"},
};

/* --- cells that have no form in JSON */
static const struct {
    const char *type, *cell, *why;
} silent[] = {
    {"list<int>", "", "empty value of type list"},
    {"list<int>", "000000", "broken value of type list<int>"},
    {"list<int>", "ffffffff", "broken value of type list<int>"},
    {"list<int>", "7fffffff", "broken value of type list<int>"},
    {"list<int>", "00000001", "broken value of type list<int>"},
    {"list<int>", "00000001 00000004 000000", "broken value of type list<int>"},
    {"list<int>", "00000001 7fffffff 00000001", "broken value of type list<int>"},
    {"list<int>", "00000001" ONE "00", "broken value of type list<int>"},
    {"list<int>", "00000001 ffffffff", "a null inside, which JSON can't hold here"},
    {"list<int>", "00000001 00000000", "[0]: empty value of type int"},
    {"list<int>", "00000002" ONE "00000003 000001", "[1]: 3 bytes are no value of type int"},
    {"map<int,int>", "7fffffff" ONE ONE, "broken value of type map<int, int>"},
    {"map<int,int>", "00000001" ONE, "broken value of type map<int, int>"},
    {"map<int,int>", "00000001" ONE "ffffffff", "a null inside, which JSON can't hold here"},
    {"map<text,int>", "00000001 00000001 ff" ONE, "key: not UTF-8 in a column of type text"},
    {"map<double,int>", "00000001 00000008 7ff8000000000000" ONE,
     "key: NaN has no form in JSON; see CassandraConfig.nonFinite"},
    {"map<int,int>", "00000002" ONE TWO ONE TWO, "two entries of a map have the same key"},
    {"map<int,int>", "00000003" TWO TWO ONE TWO TWO ONE, "two entries of a map have the same key"},
    {"map<frozen<list<int>>,int>", "00000002 00000004 00000000" ONE "00000004 00000000" TWO,
     "two entries of a map have the same key"},
    {"tuple<int,int>", "00000004 0000", "broken value of type tuple<int, int>"},
    {"tuple<int,int>", ONE ONE "00", "broken value of type tuple<int, int>"},
    {"tuple<int,int>", "7fffffff 0000", "broken value of type tuple<int, int>"},
    {"vector<float,2>", "3f800000", "broken value of type vector<float, 2>"},
    {"vector<float,2>", "3f800000 3f800000 3f800000", "broken value of type vector<float, 2>"},
    {"vector<float,1>", "7fc00000", "[0]: NaN has no form in JSON; see CassandraConfig.nonFinite"},
    {"vector<text,2>", "0161", "broken value of type vector<text, 2>"},
    {"vector<text,1>", "ffffffffffffffffff", "broken value of type vector<text, 1>"},
    {"vector<text,1>", "0261", "broken value of type vector<text, 1>"},
    {"vector<text,1>", "016161", "broken value of type vector<text, 1>"},
    {"frozen<caes_json>", "00000001 7b", "the text is no JSON: JSON: "},
    {"frozen<caes_json>", "00000003 312c32", "the text is no JSON: no JSON, or several values"},
    {"frozen<caes_json>", "00000000", "the text is no JSON: no JSON, or several values"},
    {"frozen<caes_json>", "ffffffff", "no text in a caes_json"},
};

static void test_exact(void **state)
{
    (void)state;
    struct err err;
    for (size_t i = 0; i < ARRAY_LEN(exact); i++) {
        struct slice expected = fixture_bytes(exact[i].cell), cell;
        if (!fixture_read(exact[i].type, exact[i].json, &cell, &err))
            fail_msg("%s %s: %s", exact[i].type, exact[i].json, err.text);
        const char *json = fixture_write(exact[i].type, expected, &err);
        if (!json)
            fail_msg("%s %s: %s", exact[i].type, exact[i].json, err.text);
        assert_string_equal(json, exact[i].json);
        if (!slice_equal(cell, expected))
            fail_msg("%s %s: other bytes", exact[i].type, exact[i].json);
        if (!slice_equal(map_normal(fixture_type(exact[i].type), cell, &fixture_arena), cell))
            fail_msg("%s %s: not the normal form", exact[i].type, exact[i].json);
    }
}

static void test_accepted(void **state)
{
    (void)state;
    struct err err;
    for (size_t i = 0; i < ARRAY_LEN(accepted); i++) {
        struct slice cell;
        if (!fixture_read(accepted[i].type, accepted[i].json, &cell, &err))
            fail_msg("%s %s: %s", accepted[i].type, accepted[i].json, err.text);
        if (accepted[i].as)
            assert_string_equal(fixture_write(accepted[i].type, cell, &err), accepted[i].as);
        else
            assert_null(cell.ptr);
    }
}

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct err err;
        struct slice cell;
        if (fixture_read(refused[i].type, refused[i].json, &cell, &err))
            fail_msg("%s accepted %s", refused[i].type, refused[i].json);
        assert_int_equal(err.code, ERR_VALUE);
        if (strncmp(err.text, refused[i].why, strlen(refused[i].why)) != 0)
            fail_msg("%s %s: \"%s\" instead of \"%s\"", refused[i].type, refused[i].json, err.text,
                     refused[i].why);
    }
}

static void test_cells_without_json(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(silent); i++) {
        struct err err;
        struct slice cell = fixture_bytes(silent[i].cell);
        if (fixture_write(silent[i].type, cell, &err))
            fail_msg("%s accepted %s", silent[i].type, silent[i].cell);
        assert_int_equal(err.code, ERR_VALUE);
        if (strncmp(err.text, silent[i].why, strlen(silent[i].why)) != 0)
            fail_msg("%s %s: \"%s\" instead of \"%s\"", silent[i].type, silent[i].cell, err.text,
                     silent[i].why);
        map_normal(fixture_type(silent[i].type), cell, &fixture_arena); /* any bytes will do */
    }
}

/* A type that has got another field since its table was read: no fault of the value. */
static void test_altered_type(void **state)
{
    (void)state;
    struct err err;
    assert_null(fixture_write("addr", fixture_bytes("ffffffff" ONE ONE), &err));
    assert_int_equal(err.code, ERR_SCHEMA);
    assert_string_equal(err.text, "type addr has more fields than it had");
    /* and values that are older than a field */
    assert_string_equal(fixture_write("addr", fixture_bytes("00000001 78"), &err),
                        "{\"street\":\"x\"}");
    assert_string_equal(fixture_write("frozen<addr>", fixture_bytes("ffffffff"), &err), "{}");
}

/* As many levels as a type may have, and one more. */
static void test_deep_values(void **state)
{
    (void)state;
    enum { LEVELS = CQL_TYPE_DEPTH_MAX - 1 };
    struct buf type = {0}, json = {0};
    struct err err;
    struct slice cell;
    for (int i = 0; i < LEVELS; i++) {
        buf_append_str(&type, "list<");
        buf_append_char(&json, '[');
    }
    buf_append_str(&type, "int");
    buf_append_char(&json, '1');
    for (int i = 0; i < LEVELS; i++) {
        buf_append_char(&type, '>');
        buf_append_char(&json, ']');
    }
    assert_true(fixture_read(buf_cstr(&type), buf_cstr(&json), &cell, &err));
    assert_string_equal(fixture_write(buf_cstr(&type), cell, &err), buf_cstr(&json));
    /* A name that stands for a type of two levels is below as many others. */
    struct buf named = {0};
    for (int i = 0; i < LEVELS; i++)
        buf_append_str(&named, i + 1 < LEVELS ? "list<" : "addr");
    for (int i = 0; i + 1 < LEVELS; i++)
        buf_append_char(&named, '>');
    const struct cql_type *parsed = cql_type_parse(buf_slice(&named), &fixture_arena, &err);
    assert_non_null(
        map_user_type_resolve(parsed, &fixture_user_types, false, &fixture_arena, &err));
    buf_clear(&type);
    buf_printf(&type, "list<%s>", buf_cstr(&named));
    parsed = cql_type_parse(buf_slice(&type), &fixture_arena, &err);
    assert_null(map_user_type_resolve(parsed, &fixture_user_types, false, &fixture_arena, &err));
    assert_int_equal(err.code, ERR_SCHEMA);
    buf_free(&type);
    buf_free(&json);
    buf_free(&named);
}

/* Types that can't be, and a tree of types that would be larger than any memory. */
static void test_hostile_types(void **state)
{
    (void)state;
    enum { COUNT = 14, FIELDS = 50 };
    struct map_user_type items[COUNT];
    struct slice names[FIELDS], kinds[COUNT][FIELDS];
    struct err err;
    for (int f = 0; f < FIELDS; f++)
        names[f] = SLICE_LIT("f");
    for (int i = 0; i < COUNT; i++) {
        static char text[COUNT + 1][32];
        snprintf(text[i], sizeof text[i], "t%d", i);
        snprintf(text[COUNT], sizeof text[COUNT], "int");
        for (int f = 0; f < FIELDS; f++)
            kinds[i][f] = i ? slice_str(text[i - 1]) : SLICE_LIT("int");
        items[i] = (struct map_user_type){slice_str(text[i]), names, kinds[i], FIELDS};
    }
    struct map_user_types types = {items, COUNT};
    const struct cql_type *t13 = cql_type_parse(SLICE_LIT("t13"), &fixture_arena, &err);
    assert_non_null(map_user_type_resolve(t13, &types, false, &fixture_arena, &err));
    kinds[0][0] = SLICE_LIT("t13"); /* round in a circle */
    assert_null(map_user_type_resolve(t13, &types, false, &fixture_arena, &err));
    assert_int_equal(err.code, ERR_SCHEMA);
    kinds[0][0] = SLICE_LIT("t14");
    assert_null(map_user_type_resolve(t13, &types, false, &fixture_arena, &err));
    assert_non_null(strstr(err.text, "there is no type t14"));
    kinds[0][0] = SLICE_LIT("list<");
    assert_null(map_user_type_resolve(t13, &types, false, &fixture_arena, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exact),         cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_refused),       cmocka_unit_test(test_cells_without_json),
        cmocka_unit_test(test_altered_type),  cmocka_unit_test(test_deep_values),
        cmocka_unit_test(test_hostile_types),
    };
    int failed = cmocka_run_group_tests_name("map/composite", tests, NULL, NULL);
    arena_free(&fixture_arena);
    return failed;
}

#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static struct json_doc *doc;

static int set_up(void **state)
{
    (void)state;
    doc = json_doc_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    json_doc_free(doc);
    return 0;
}

/* The text ends where readable memory ends: no byte behind it may be looked at. */
static const struct json_node *parse_slice(struct slice text, struct err *err)
{
    static char *guarded;
    enum { ROOM = 1 << 20 };
    long page = sysconf(_SC_PAGESIZE);
    if (!guarded) {
        guarded = mmap(NULL, ROOM + (size_t)page, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        assert_true(guarded != MAP_FAILED);
        assert_int_equal(mprotect(guarded + ROOM, (size_t)page, PROT_NONE), 0);
    }
    assert_true(text.len <= ROOM);
    memcpy(guarded + ROOM - text.len, text.ptr, text.len);
    *err = (struct err){0};
    bool ok = json_parse(doc, slice_of(guarded + ROOM - text.len, text.len), false, err);
    assert_int_equal(ok, json_count(doc) > 0);
    assert_int_equal(ok, err->code == ERR_NONE);
    return ok ? json_root(doc) : NULL;
}

static const struct json_node *parse(const char *text)
{
    struct err err;
    const struct json_node *root = parse_slice(slice_str(text), &err);
    if (!root)
        fail_msg("%s: %s", text, err.text);
    return root;
}

#define assert_slice(s, text)                                               \
    do {                                                                    \
        struct slice s_ = (s);                                              \
        if (!slice_is(s_, text))                                            \
            fail_msg("got \"%.*s\", expected \"%s\"", SLICE_ARG(s_), text); \
    } while (0)

static void test_scalars_at_the_root(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum json_type type;
        const char *value, *raw;
    } rows[] = {
        {"null", JSON_NULL, "null", "null"},
        {" true\n", JSON_TRUE, "true", "true"},
        {"\r\tfalse", JSON_FALSE, "false", "false"},
        {"0", JSON_NUMBER, "0", "0"},
        {" -0.0e+10 ", JSON_NUMBER, "-0.0e+10", "-0.0e+10"},
        {"1e999", JSON_NUMBER, "1e999", "1e999"},
        {"123456789012345678901234567890", JSON_NUMBER, "123456789012345678901234567890",
         "123456789012345678901234567890"},
        {"\"\"", JSON_STRING, "", "\"\""},
        {" \"a b\" ", JSON_STRING, "a b", "\"a b\""},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", JSON_STRING, "\"\\/\b\f\n\r\t",
         "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""},
        {"\"\\u00e9\\u20AC\\ud83d\\uDE00\"", JSON_STRING, "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80",
         "\"\\u00e9\\u20AC\\ud83d\\uDE00\""},
        {"{}", JSON_OBJECT, "{}", "{}"},
        {"[ ]", JSON_ARRAY, "[ ]", "[ ]"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct json_node *n = parse(rows[i].text);
        assert_int_equal(n->type, rows[i].type);
        assert_slice(n->text, rows[i].value);
        assert_slice(n->raw, rows[i].raw);
        assert_int_equal(n->span, 1);
        assert_int_equal(n->children, 0);
        assert_null(n->key.ptr);
        assert_null(json_first(n));
    }
}

static void test_nul_in_a_string(void **state)
{
    (void)state;
    const struct json_node *n = parse("\"a\\u0000b\"");
    assert_int_equal(n->text.len, 3);
    assert_memory_equal(n->text.ptr, "a\0b", 3);
}

static void test_tree(void **state)
{
    (void)state;
    const struct json_node *root =
        parse("{\"a\": [1, {\"x\": []}, \"s\"] , \"b\\n\":{ \"c\":\n-1.5 } }");
    assert_int_equal(json_count(doc), 8);
    assert_int_equal(root->span, 8);
    assert_int_equal(root->children, 2);
    const struct json_node *a = json_first(root), *b = json_next(root, a);
    assert_slice(a->key, "a");
    assert_slice(a->raw, "[1, {\"x\": []}, \"s\"]");
    assert_int_equal(a->children, 3);
    assert_slice(b->key, "b\n");
    assert_slice(b->raw, "{ \"c\":\n-1.5 }");
    assert_null(json_next(root, b));
    const struct json_node *one = json_first(a), *x = json_next(a, one), *s = json_next(a, x);
    assert_null(one->key.ptr);
    assert_slice(one->raw, "1");
    assert_int_equal(x->span, 2);
    assert_slice(s->text, "s");
    assert_null(json_next(a, s));
    assert_slice(json_path(root, "b\n.c")->text, "-1.5");
    assert_null(json_path(root, "b\n.c.d"));
    assert_null(json_path(root, "z.c"));
}

static void test_members(void **state)
{
    (void)state;
    const struct json_node *root = parse("{\"a\":1,\"b\":2,\"a\":3,\"\":4}");
    assert_int_equal(root->children, 4);
    assert_slice(json_member(root, "a")->text, "3");
    assert_slice(json_member(root, "")->text, "4");
    assert_null(json_member(root, "c"));
    assert_null(json_member(NULL, "a"));
    assert_null(json_member(json_first(root), "a"));
    assert_null(json_member(parse("[1]"), "a"));
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        " ",
        "\n",
        "nul",
        "nulll",
        "null x",
        "True",
        "truefalse",
        "-",
        "+1",
        "01",
        "-01",
        "1.",
        ".5",
        "1.e1",
        "1e",
        "1e+",
        "0x10",
        "1 2",
        "1,2",
        "NaN",
        "Infinity",
        "-Infinity",
        "--1",
        "1\"a\"",
        "\"a\"1",
        "\"a\" \"b\"",
        "\"a\"\"b\"",
        "\"",
        "\"abc",
        "\"abc\\\"",
        "\"\\",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\u\"",
        "\"a\nb\"",
        "\"a\x01\"",
        "\"\\\n\"",
        "'a'",
        "\\\"a\"",
        "[",
        "]",
        "{",
        "}",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1}",
        "{]",
        "[]]",
        "{}}",
        "[\"a\" 1]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,}",
        "{\"a\" 1}",
        "{\"a\"::1}",
        "{1:1}",
        "{a:1}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":1,\"b\"}",
        "{\"a\":1]",
        "{null:1}",
        "[1]x",
        "[1]\"x\"",
        "/**/1",
        "1//",
        "\xEF\xBB\xBF"
        "1",
        "\"\xFF\"",
        "\"\xC0\x80\"",
        "\"\xED\xA0\x80\"",
        "\"\xF4\x90\x80\x80\"",
        "\"\xE2\x82\"",
        "\x01",
        "1\x0B",
        "\xA0"
        "1",
        ":",
        ",",
        "[:]",
        "{\"a\":1:2}",
        "[[[]",
        "{\"\\ux\":1}",
        "[1,,2]",
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err;
        if (parse_slice(slice_str(rows[i]), &err))
            fail_msg("accepted: %s", rows[i]);
        assert_int_equal(err.code, ERR_VALUE);
        assert_non_null(strstr(err.text, "JSON: "));
    }
    struct err err;
    assert_null(parse_slice(slice_of("1\0", 2), &err));
    assert_null(parse_slice(slice_of("[1\0]", 4), &err));
    assert_null(parse_slice(slice_of("\"\0\"", 3), &err));
}

static void test_offsets(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"[1, x]", "JSON: value expected at byte 4"},
        {"[1, 01]", "JSON: invalid number at byte 4"},
        {"{\"a\" 1}", "JSON: ':' expected at byte 5"},
        {"{\"a\":1", "JSON: ',' or '}' expected at byte 6"},
        {"[\"ab\\q\"]", "JSON: invalid escape in the string at byte 1"},
        {"[\"a\", \"\xFF\"]", "JSON: not UTF-8 near byte 7"},
        {"[\"a\", \"b\n\"]", "JSON: control character in the string at byte 8"},
        {"[\"a\", \"b]", "JSON: string without an end at byte 6"},
        {"[] 1", "JSON: more behind the end at byte 3"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err;
        assert_null(parse_slice(slice_str(rows[i].text), &err));
        assert_string_equal(err.text, rows[i].message);
    }
}

static void test_half_pairs(void **state)
{
    (void)state;
    static const struct {
        const char *text, *value;
    } rows[] = {
        {"\"\\ud800\"", "\xED\xA0\x80"},
        {"\"\\uDFFFx\"", "\xED\xBF\xBFx"},
        {"\"\\ud83d\\ud83d\\ude00\"", "\xED\xA0\xBD\xF0\x9F\x98\x80"},
        {"\"\\ud83d\\n\"", "\xED\xA0\xBD\n"},
        {"\"\\ude00\\ud83d\"", "\xED\xB8\x80\xED\xA0\xBD"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct json_node *n = parse(rows[i].text);
        assert_slice(n->text, rows[i].value);
        assert_true(n->half_pair);
        assert_false(json_utf8_valid(n->text));
        struct buf out = {0};
        assert_false(json_append_string(&out, n->text));
        assert_int_equal(out.len, 0);
        json_append_parsed(&out, n->text);
        assert_slice(parse(buf_cstr(&out))->text, rows[i].value);
        buf_free(&out);
    }
    assert_false(parse("\"\\ud83d\\ude00\"")->half_pair);
}

static void test_depth(void **state)
{
    (void)state;
    char text[2 * (JSON_DEPTH_MAX + 1)];
    struct err err;
    memset(text, '[', JSON_DEPTH_MAX);
    memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
    assert_non_null(parse_slice(slice_of(text, 2 * JSON_DEPTH_MAX), &err));
    assert_int_equal(json_count(doc), JSON_DEPTH_MAX);
    memset(text, '[', JSON_DEPTH_MAX + 1);
    memset(text + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
    assert_null(parse_slice(slice_of(text, sizeof text), &err));
    assert_int_equal(err.code, ERR_TOO_LARGE);
}

static void test_big_and_again(void **state)
{
    (void)state;
    struct buf b = {0};
    buf_append_char(&b, '[');
    for (int i = 0; i < 20000; i++)
        buf_printf(&b, "%s{\"n\":%d,\"s\":\"x\\n%d\"}", i ? "," : "", i, i);
    buf_append_char(&b, ']');
    for (int round = 0; round < 3; round++) {
        struct err err;
        const struct json_node *root = parse_slice(buf_slice(&b), &err);
        assert_int_equal(root->children, 20000);
        int i = 0;
        for (const struct json_node *n = json_first(root); n; n = json_next(root, n), i++) {
            int64_t v;
            char expected[32];
            assert_true(json_int64(json_member(n, "n"), &v));
            assert_int_equal(v, i);
            snprintf(expected, sizeof expected, "x\n%d", i);
            assert_slice(json_member(n, "s")->text, expected);
        }
        assert_int_equal(i, 20000);
        parse("\"small\\n\"");
        assert_int_equal(json_count(doc), 1);
    }
    buf_free(&b);
}

static void test_int64(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool ok;
        int64_t v;
    } rows[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"18446744073709551616", false, 0},
        {"99999999999999999999999", false, 0},
        {"1.0", false, 0},
        {"1e1", false, 0},
        {"\"1\"", false, 0},
        {"null", false, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t v = 0;
        assert_int_equal(json_int64(parse(rows[i].text), &v), rows[i].ok);
        assert_true(v == rows[i].v);
    }
    int64_t v;
    assert_false(json_int64(NULL, &v));
}

static void test_append_string(void **state)
{
    (void)state;
    struct buf out = {0};
    assert_true(json_append_string(&out, SLICE_LIT("")));
    assert_true(json_append_string(&out, SLICE_LIT("a\"b\\c/\b\t\n\f\r\x01\x1f\x7f\xC3\xA9")));
    assert_true(json_append_string(&out, slice_of("\0z", 2)));
    assert_string_equal(buf_cstr(&out),
                        "\"\"\"a\\\"b\\\\c/\\b\\t\\n\\f\\r\\u0001\\u001f\x7f\xC3\xA9\""
                        "\"\\u0000z\"");
    size_t before = out.len;
    static const char *const bad[] = {"\xFF", "a\xC3", "\xC0\xAF", "\xED\xA0\x80",
                                      "\xF8\x88\x80\x80\x80"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(json_append_string(&out, slice_str(bad[i])));
    assert_int_equal(out.len, before);
    buf_free(&out);
}

/* Every code point out and in again. */
static void test_round_trip(void **state)
{
    (void)state;
    for (uint32_t c = 0; c < 0x110000; c += c < 0x3000 ? 1 : 97) {
        char text[4];
        size_t len = 0;
        if (c >= 0xD800 && c < 0xE000)
            continue;
        if (c < 0x80) {
            text[len++] = (char)c;
        } else if (c < 0x800) {
            text[len++] = (char)(0xC0 | c >> 6);
        } else if (c < 0x10000) {
            text[len++] = (char)(0xE0 | c >> 12);
            text[len++] = (char)(0x80 | (c >> 6 & 0x3F));
        } else {
            text[len++] = (char)(0xF0 | c >> 18);
            text[len++] = (char)(0x80 | (c >> 12 & 0x3F));
            text[len++] = (char)(0x80 | (c >> 6 & 0x3F));
        }
        if (c >= 0x80)
            text[len++] = (char)(0x80 | (c & 0x3F));
        struct buf out = {0};
        struct err err;
        assert_true(json_append_string(&out, slice_of(text, len)));
        const struct json_node *n = parse_slice(buf_slice(&out), &err);
        assert_true(n && slice_equal(n->text, slice_of(text, len)));
        buf_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scalars_at_the_root),
        cmocka_unit_test(test_nul_in_a_string),
        cmocka_unit_test(test_tree),
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_offsets),
        cmocka_unit_test(test_half_pairs),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_big_and_again),
        cmocka_unit_test(test_int64),
        cmocka_unit_test(test_append_string),
        cmocka_unit_test(test_round_trip),
    };
    return cmocka_run_group_tests_name("base/json", tests, set_up, tear_down);
}

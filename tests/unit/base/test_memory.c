#include "base/arena.h"
#include "base/buf.h"
#include "base/slice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_slice(void **state)
{
    (void)state;
    struct slice empty = SLICE_LIT(""), null = SLICE_NULL;
    assert_false(slice_equal(empty, null));
    assert_false(slice_equal(null, empty));
    assert_true(slice_equal(null, slice_str(NULL)));
    assert_true(slice_equal(empty, slice_str("")));
    assert_true(slice_equal(SLICE_LIT("a\0b"), slice_of("a\0b", 3)));
    assert_false(slice_equal(SLICE_LIT("a"), SLICE_LIT("ab")));
    assert_false(slice_equal(SLICE_LIT("a"), SLICE_LIT("b")));
    assert_true(slice_is_null(null));
    assert_false(slice_is_null(empty));
    assert_true(slice_is(SLICE_LIT("ab"), "ab"));
    assert_false(slice_is(SLICE_LIT("ab"), "a"));
    assert_false(slice_is(null, ""));
}

static void test_buf_grows(void **state)
{
    (void)state;
    struct buf b = {0};
    assert_true(slice_is(buf_slice(&b), ""));
    assert_string_equal(buf_cstr(&b), "");
    for (int i = 0; i < 5000; i++)
        buf_append_char(&b, (char)('a' + i % 26));
    assert_int_equal(b.len, 5000);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(b.ptr[i], 'a' + i % 26);
    buf_append(&b, NULL, 0);
    buf_append_slice(&b, SLICE_NULL);
    assert_int_equal(b.len, 5000);
    buf_clear(&b);
    assert_int_equal(b.len, 0);
    assert_true(b.cap >= 5000);
    buf_free(&b);
    assert_null(b.ptr);
    assert_int_equal(b.cap, 0);
}

static void test_buf_numbers(void **state)
{
    (void)state;
    static const struct {
        int64_t v;
        const char *text;
    } rows[] = {{0, "0"},
                {-1, "-1"},
                {10, "10"},
                {INT64_MAX, "9223372036854775807"},
                {INT64_MIN, "-9223372036854775808"}};
    struct buf b = {0};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        buf_clear(&b);
        buf_append_i64_text(&b, rows[i].v);
        assert_string_equal(buf_cstr(&b), rows[i].text);
    }
    buf_clear(&b);
    buf_append_be16(&b, 0x0102);
    buf_append_be32(&b, 0xFF030405);
    buf_append_be64(&b, 0x8000000000000001);
    assert_int_equal(b.len, 14);
    assert_memory_equal(b.ptr, "\1\2\xFF\3\4\5\x80\0\0\0\0\0\0\1", 14);
    buf_free(&b);
}

static void test_buf_printf(void **state)
{
    (void)state;
    struct buf b = {0};
    buf_append_str(&b, "x=");
    buf_printf(&b, "%d %s", 7, "seven");
    buf_printf(&b, "%s", "");
    buf_printf(&b, "%200d", 1);
    assert_int_equal(b.len, 209);
    assert_memory_equal(b.ptr, "x=7 seven ", 10);
    assert_int_equal(b.ptr[208], '1');
    buf_free(&b);
}

static void test_arena(void **state)
{
    (void)state;
    struct arena a = {0};
    arena_free(&a);
    unsigned char *parts[400];
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        parts[i] = arena_alloc(&a, i * 7);
        assert_int_equal((uintptr_t)parts[i] % _Alignof(max_align_t), 0);
        memset(parts[i], (int)i, i * 7);
    }
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        for (size_t at = 0; at < i * 7; at++)
            assert_int_equal(parts[i][at], (unsigned char)i);
    assert_true(a.total >= 400 * 399 / 2 * 7);
    char *zeros = arena_zalloc(&a, 200000);
    for (size_t i = 0; i < 200000; i++)
        assert_int_equal(zeros[i], 0);
    arena_free(&a);
    assert_int_equal(a.total, 0);
    assert_null(a.head);
}

static void test_arena_copy(void **state)
{
    (void)state;
    struct arena a = {0};
    char text[] = "abc";
    struct slice copy = arena_copy(&a, slice_of(text, 2));
    text[0] = 'x';
    assert_true(slice_is(copy, "ab"));
    assert_int_equal(copy.ptr[2], '\0');
    assert_null(arena_copy(&a, SLICE_NULL).ptr);
    struct slice empty = arena_copy(&a, SLICE_LIT(""));
    assert_non_null(empty.ptr);
    assert_int_equal(empty.len, 0);
    arena_free(&a);
}

static void test_arena_reset(void **state)
{
    (void)state;
    struct arena a = {0};
    arena_reset(&a);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 300; i++)
            memset(arena_alloc(&a, 1000), 1, 1000);
        memset(arena_alloc(&a, 1000000), 1, 1000000);
        arena_reset(&a);
        assert_true(a.total > 0 && a.total < 100000);
        size_t kept = a.total;
        memset(arena_alloc(&a, 100), 2, 100);
        assert_int_equal(a.total, kept);
    }
    arena_reset(&a);
    memset(arena_alloc(&a, 1000000), 1, 1000000);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slice),       cmocka_unit_test(test_buf_grows),
        cmocka_unit_test(test_buf_numbers), cmocka_unit_test(test_buf_printf),
        cmocka_unit_test(test_arena),       cmocka_unit_test(test_arena_copy),
        cmocka_unit_test(test_arena_reset),
    };
    return cmocka_run_group_tests_name("base/memory", tests, NULL, NULL);
}

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_set_and_context(void **state)
{
    (void)state;
    struct err err = {0};
    assert_false(err_set(&err, ERR_VALUE, "%d does not fit", 300));
    assert_int_equal(err.code, ERR_VALUE);
    assert_string_equal(err.text, "300 does not fit");
    assert_false(err_context(&err, "field \"%s\"", "n"));
    assert_int_equal(err.code, ERR_VALUE);
    assert_string_equal(err.text, "field \"n\": 300 does not fit");
    assert_false(err_set(NULL, ERR_VALUE, "x"));
    assert_false(err_context(NULL, "x"));
}

static void test_one_clean_line(void **state)
{
    (void)state;
    struct err err = {0};
    err_set(&err, ERR_REQUEST, "%s", "a\nb\r\tc\x1b[31m\x7f\xC3\xA9");
    assert_string_equal(err.text, "a b  c [31m \xC3\xA9");
    err_context(&err, "%s", "x\ny");
    assert_string_equal(err.text, "x y: a b  c [31m \xC3\xA9");
}

static void test_always_utf8(void **state)
{
    (void)state;
    static const struct {
        const char *given, *kept;
    } texts[] = {
        {"caf\xE9 \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80",
         "caf? \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80"},
        {"\xC0\x80 \xE0\x80\x80 \xED\xA0\x80 \xF4\x90\x80\x80 \xFF", "?? ??? ??? ???? ?"},
        {"\xE2\x82", "??"},
        {"\xC3", "?"},
        {"\xC2\x9B"
         "31m \xC2\xA0",
         "  31m \xC2\xA0"}, /* a control character of two bytes */
    };
    struct err err = {0};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        err_set(&err, ERR_VALUE, "%s", texts[i].given);
        assert_string_equal(err.text, texts[i].kept);
    }
    for (int front = 0; front < 4; front++) { /* cut inside of a character */
        char text[2 * ERR_TEXT_MAX] = "";
        memset(text, 'x', (size_t)front);
        for (size_t len = (size_t)front; len < ERR_TEXT_MAX; len += 4)
            memcpy(text + len, "\xF0\x9F\x98\x80", 5);
        err_set(&err, ERR_VALUE, "%s", text);
        assert_int_equal(strlen(err.text), front + (ERR_TEXT_MAX - 1 - front) / 4 * 4);
        assert_null(strchr(err.text, '?'));
        err_context(&err, "y");
        assert_null(strchr(err.text, '?'));
        assert_int_equal((strlen(err.text) - 3 - (size_t)front) % 4, 0);
    }
}

static void test_cut(void **state)
{
    (void)state;
    char text[2 * ERR_TEXT_MAX];
    struct err err = {0};
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    err_set(&err, ERR_VALUE, "%s", text);
    assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
    err_context(&err, "front");
    assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
    assert_memory_equal(err.text, "front: xxx", 10);
    err_context(&err, "%s", text);
    assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
}

static void test_classes(void **state)
{
    (void)state;
    assert_int_equal(err_class_of(ERR_NONE), ERR_CLASS_NONE);
    assert_int_equal(err_class_of(ERR_TIMEOUT), ERR_CLASS_RETRY);
    assert_int_equal(err_class_of(ERR_VALUE), ERR_CLASS_REJECT);
    assert_int_equal(err_class_of(ERR_SCHEMA), ERR_CLASS_FATAL);
    for (int code = ERR_NONE; code <= ERR_INTERNAL; code++) {
        assert_non_null(err_code_name((enum err_code)code));
        assert_int_equal(err_class_of((enum err_code)code) == ERR_CLASS_NONE, code == ERR_NONE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_and_context), cmocka_unit_test(test_one_clean_line),
        cmocka_unit_test(test_always_utf8),     cmocka_unit_test(test_cut),
        cmocka_unit_test(test_classes),
    };
    return cmocka_run_group_tests_name("base/err", tests, NULL, NULL);
}

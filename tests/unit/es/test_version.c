#include "es/version.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Capabilities as one letter each, in the order of the table. */
static const char letters[] = "tumswpgrSqhcPOldv";

static const struct {
    const char *distribution, *number, *has;
} servers[] = {
    {NULL, "1.7.6", "tumswp"},          {NULL, "2.4.6", "tumsw"},
    {NULL, "5.6.16", "tugrS"},          {NULL, "6.6.2", "tgrS"},
    {NULL, "6.8.23", "tgrSq"},          {NULL, "7.0.0", "grSqh"},
    {NULL, "7.3.2", "grSqh"},           {NULL, "7.4.0", "grSqhc"},
    {NULL, "7.11.2", "grSqhc"},         {NULL, "7.17.28", "grSqhcP"},
    {NULL, "8.10.4", "grSqhcPl"},       {NULL, "8.19.21", "grSqhcPld"},
    {NULL, "9.0.0-beta1", "grSqhcPld"}, {NULL, "9.2.0", "grSqhcPldv"},
    {NULL, "9.5.3", "grSqhcPldv"},      {NULL, "12.0.0", "grSqhcPldv"},
    {"opensearch", "1.3.20", "grSqh"},  {"opensearch", "2.11.0", "grSqh"},
    {"opensearch", "3.2.0", "grSqh"},   {"opensearch", "3.6.0-SNAPSHOT", "grSqhO"},
    {"opensearch", "9.5.0", "grSqhO"},
};

static void test_capabilities(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof servers / sizeof *servers; i++) {
        struct es_version v;
        struct err err = {0};
        assert_true(es_version_parse(slice_str(servers[i].distribution),
                                     slice_str(servers[i].number), &v, &err));
        char has[32] = "";
        size_t letter = 0, count = 0;
#define NOTE(name, from, before, os_from, os_before) \
    if (v.name)                                      \
        has[count++] = letters[letter];              \
    letter++;
        ES_CAPABILITIES(NOTE)
#undef NOTE
        if (strcmp(has, servers[i].has) != 0)
            fail_msg("%s: %s in place of %s", servers[i].number, has, servers[i].has);
        assert_string_equal(v.text, servers[i].number);
        assert_int_equal(v.opensearch, servers[i].distribution != NULL);
    }
}

static void test_what_is_no_version(void **state)
{
    (void)state;
    static const char *const bad[] = {"",  "9",   "x.y.z",          "-1.2.3", "9.-5.3",
                                      ".", "9..", "99999999999999", "9,5"};
    struct es_version v;
    struct err err = {0};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (es_version_parse(SLICE_NULL, slice_str(bad[i]), &v, &err))
            fail_msg("%s", bad[i]);
        assert_int_equal(err.code, ERR_PROTOCOL);
    }
    assert_false(es_version_parse(SLICE_NULL, SLICE_LIT("1.6.2"), &v, &err));
    assert_int_equal(err.code, ERR_CONFIG);
    assert_false(es_version_parse(SLICE_NULL, SLICE_LIT("0.90.13"), &v, &err));
    char text[5000];
    memset(text, '9', sizeof text);
    assert_false(es_version_parse(SLICE_NULL, slice_of(text, sizeof text), &v, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_capabilities),
        cmocka_unit_test(test_what_is_no_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

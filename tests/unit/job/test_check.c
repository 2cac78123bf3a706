/* What `check` makes of facts, without any server. */
#include "job/check_clock.h"
#include "job/check_connection.h"
#include "job/check_finding.h"
#include "job/check_fit.h"
#include "job/check_keyspace.h"
#include "job/check_settings.h"
#include "job/check_versions.h"

#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* Exactly one finding that is no info, with this text in what; severity CHECK_INFO: none. */
static void assert_judged(const char *name, struct check_findings *f, enum check_severity severity,
                          const char *what)
{
    struct buf text = {0};
    size_t hits = 0, serious = 0;
    for (size_t i = 0; i < f->count; i++) {
        const struct check_finding *one = &f->items[i];
        serious += one->severity != CHECK_INFO;
        hits += one->severity == severity && strstr(one->what, what) != NULL;
    }
    check_render_text(f, &text);
    if ((*what && hits != 1) || serious != (severity != CHECK_INFO))
        fail_msg("%s: wanted %s \"%s\", got\n%s", name, check_severity_name(severity), what,
                 buf_cstr(&text));
    buf_free(&text);
    check_findings_free(f);
}

/* --- findings */

static void test_findings_are_rendered(void **state)
{
    (void)state;
    struct check_findings f = {0};
    struct buf out = {0};
    struct err err = {0};
    check_add(&f, CHECK_INFO, "a", "", "first %d", 1);
    err_set(&err, ERR_SCHEMA, "no; such column; create \"it\"");
    check_add_err(&f, CHECK_ERROR, check_text(&f, "b%s", "\x1b[1m"), &err, "unused");
    err_set(&err, ERR_SCHEMA, "gone");
    check_add_err(&f, CHECK_WARNING, "c", &err, "wait");
    check_sort(&f);
    check_render_json(&f, &out);
    assert_string_equal(
        buf_cstr(&out),
        "{\"findings\":[{\"severity\":\"error\",\"where\":\"b [1m\",\"what\":\"no; such column\","
        "\"remedy\":\"create \\\"it\\\"\"},{\"severity\":\"warning\",\"where\":\"c\",\"what\":"
        "\"gone\",\"remedy\":\"wait\"},{\"severity\":\"info\",\"where\":\"a\",\"what\":\"first 1\","
        "\"remedy\":\"\"}]}\n");
    buf_clear(&out);
    check_render_text(&f, &out);
    assert_string_equal(buf_cstr(&out), "error    b [1m\n"
                                        "         no; such column\n"
                                        "         -> create \"it\"\n"
                                        "warning  c\n"
                                        "         gone\n"
                                        "         -> wait\n"
                                        "info     a\n"
                                        "         first 1\n"
                                        "\n"
                                        "1 error, 1 warning\n");
    buf_free(&out);
    check_findings_free(&f);
}

static void test_long_and_broken_texts(void **state)
{
    (void)state;
    struct check_findings f = {0};
    struct buf out = {0}, text = {0};
    for (int i = 0; i < 700; i++)
        buf_append_str(&text, "ä");
    for (int i = 0; i < 100; i++)
        check_add(&f, CHECK_INFO, "\xff", "", "%sx", buf_cstr(&text));
    check_add(&f, CHECK_INFO, check_text(&f, "\xff"), "", "\xc3");
    assert_true(json_utf8_valid(slice_str(f.items[0].what)));
    assert_true(json_utf8_valid(slice_str(f.items[100].where)));
    assert_true(json_utf8_valid(slice_str(f.items[100].what)));
    check_render_json(&f, &out);
    struct json_doc *doc = json_doc_new();
    assert_true(json_parse(doc, buf_slice(&out), false, NULL));
    json_doc_free(doc);
    buf_free(&out);
    buf_free(&text);
    check_findings_free(&f);
}

/* --- versions of servers */

static void test_server_versions(void **state)
{
    (void)state;
    static const struct {
        const char *release;
        enum check_severity severity;
    } cassandras[] = {
        {"5.0.9", CHECK_INFO},     {"4.0.18", CHECK_INFO},        {"4.1.10-SNAPSHOT", CHECK_INFO},
        {"3.11.4", CHECK_WARNING}, {"6.0-alpha1", CHECK_WARNING}, {"2.2.19", CHECK_ERROR},
        {"?", CHECK_ERROR},
    };
    static const struct {
        const char *distribution, *number;
        enum check_severity severity;
    } others[] = {
        {NULL, "9.5.3", CHECK_INFO},         {NULL, "8.19.21", CHECK_INFO},
        {NULL, "7.17.28", CHECK_INFO},       {NULL, "2.4.6", CHECK_INFO},
        {NULL, "1.7.6", CHECK_INFO},         {NULL, "6.8.23", CHECK_WARNING},
        {NULL, "7.10.2", CHECK_WARNING},     {NULL, "10.0.0", CHECK_WARNING},
        {"opensearch", "3.6.0", CHECK_INFO}, {"opensearch", "1.3.0", CHECK_WARNING},
    };
    for (size_t i = 0; i < ARRAY_LEN(cassandras); i++) {
        struct check_findings f = {0};
        check_cassandra_version(&f, "here", cassandras[i].release, 5);
        assert_judged(cassandras[i].release, &f, cassandras[i].severity, cassandras[i].release);
    }
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        struct check_findings f = {0};
        struct es_version version;
        assert_true(es_version_parse(slice_str(others[i].distribution), slice_str(others[i].number),
                                     &version, NULL));
        check_elasticsearch_version(&f, "here", &version);
        assert_judged(others[i].number, &f, others[i].severity, others[i].number);
    }
}

/* --- replication */

static void test_replication(void **state)
{
    (void)state;
    static const struct check_copies none[] = {{SLICE_LIT("replication_factor"), 0}};
    static const struct check_copies one[] = {{SLICE_LIT("replication_factor"), 1}};
    static const struct check_copies three[] = {{SLICE_LIT("replication_factor"), 3}};
    static const struct check_copies both[] = {{SLICE_LIT("here"), 3}, {SLICE_LIT("there"), 2}};
    static const struct check_copies there[] = {{SLICE_LIT("there"), 3}};
    static const struct check_copies two_here[] = {{SLICE_LIT("here"), 2}};
    static const struct slice datacenters[] = {SLICE_LIT("here"), SLICE_LIT("there")};
    static const struct {
        const char *name, *strategy;
        const struct check_copies *copies;
        size_t count, datacenters;
        enum cql_consistency consistency;
        bool lazy;
        enum check_severity severity;
        const char *what;
    } cases[] = {
        {"alone", "SimpleStrategy", one, 1, 1, CQL_LOCAL_QUORUM, false, CHECK_INFO, "one copy"},
        {"three", "SimpleStrategy", three, 1, 1, CQL_LOCAL_QUORUM, false, CHECK_INFO, ""},
        {"no copies", "SimpleStrategy", none, 1, 1, CQL_ONE, false, CHECK_ERROR, "no copy"},
        {"two centers", "SimpleStrategy", three, 1, 2, CQL_LOCAL_QUORUM, false, CHECK_WARNING,
         "2 data centers"},
        {"ONE", "SimpleStrategy", three, 1, 1, CQL_ONE, false, CHECK_WARNING, "1 of 3"},
        {"TWO", "SimpleStrategy", three, 1, 1, CQL_TWO, false, CHECK_INFO, ""},
        {"ONE of one", "SimpleStrategy", one, 1, 1, CQL_ONE, false, CHECK_INFO, "one copy"},
        {"TWO of one", "SimpleStrategy", one, 1, 1, CQL_TWO, false, CHECK_ERROR, "needs 2"},
        {"ALL", "SimpleStrategy", three, 1, 1, CQL_ALL, false, CHECK_WARNING, "all 3"},
        {"elsewhere", "NetworkTopologyStrategy", there, 1, 2, CQL_LOCAL_QUORUM, false, CHECK_ERROR,
         "data center here"},
        {"elsewhere by QUORUM", "NetworkTopologyStrategy", there, 1, 2, CQL_QUORUM, false,
         CHECK_INFO, ""},
        {"both", "NetworkTopologyStrategy", both, 2, 2, CQL_LOCAL_QUORUM, false, CHECK_INFO,
         "2 data centers have copies"},
        {"both by LOCAL_ONE", "NetworkTopologyStrategy", both, 2, 2, CQL_LOCAL_ONE, false,
         CHECK_WARNING, "1 of 3"},
        {"two", "NetworkTopologyStrategy", two_here, 1, 1, CQL_LOCAL_QUORUM, false, CHECK_INFO,
         "all 2 replicas"},
        {"lazy", "SimpleStrategy", three, 1, 1, CQL_LOCAL_QUORUM, true, CHECK_WARNING,
         "durable_writes"},
        {"unknown", "EverywhereStrategy", NULL, 0, 1, CQL_LOCAL_QUORUM, false, CHECK_INFO, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct check_findings f = {0};
        const struct check_replication r = {
            .strategy = slice_str(cases[i].strategy),
            .copies = cases[i].copies,
            .copies_count = cases[i].count,
            .durable = !cases[i].lazy,
            .datacenters = datacenters,
            .datacenter_count = cases[i].datacenters,
            .local_datacenter = datacenters[0],
            .local_given = true,
            .consistency = cases[i].consistency,
        };
        check_judge_replication(&f, "keyspace", "option", "local", &r);
        assert_judged(cases[i].name, &f, cases[i].severity, cases[i].what);
    }
}

static void test_the_local_datacenter_is_to_be_given(void **state)
{
    (void)state;
    static const struct check_copies both[] = {{SLICE_LIT("a"), 3}, {SLICE_LIT("b"), 3}};
    static const struct slice names[] = {SLICE_LIT("a"), SLICE_LIT("b")};
    struct check_replication r = {.strategy = SLICE_LIT("NetworkTopologyStrategy"),
                                  .copies = both,
                                  .copies_count = 2,
                                  .durable = true,
                                  .datacenters = names,
                                  .datacenter_count = 2,
                                  .local_datacenter = names[0],
                                  .consistency = CQL_LOCAL_QUORUM};
    struct check_findings f = {0};
    check_judge_replication(&f, "keyspace", "option", "local", &r);
    assert_judged("not given", &f, CHECK_WARNING, "whichever node answers first");
    r.datacenter_count = 1;
    check_judge_replication(&f, "keyspace", "option", "local", &r);
    assert_judged("one", &f, CHECK_INFO, "");
}

static void test_replication_is_read(void **state)
{
    (void)state;
    static const char cell[] = "\0\0\0\2\0\0\0\5class\0\0\0\22o.a.SimpleStrategy\0\0\0\2dc"
                               "\0\0\0\0033/1";
    const struct slice whole = slice_of(cell, sizeof cell - 1);
    struct check_findings f = {0};
    struct check_replication r = {0};
    assert_true(check_read_replication(&f, whole, &r));
    assert_true(slice_is(r.strategy, "SimpleStrategy"));
    assert_int_equal(r.copies_count, 1);
    assert_true(slice_is(r.copies[0].datacenter, "dc"));
    assert_int_equal(r.copies[0].count, 3);
    for (size_t len = 0; len < whole.len; len++) {
        struct check_replication cut = {0};
        assert_false(check_read_replication(&f, slice_of(cell, len), &cut));
    }
    check_findings_free(&f);
}

/* --- clocks */

static void test_clocks(void **state)
{
    (void)state;
    enum { SETTLE = 2000000 };
    static const struct {
        int64_t asked, answered, said;
        enum check_severity severity;
        const char *what;
    } cases[] = {
        {1000000, 1010000, 1005000, CHECK_INFO, ""},
        {1000000, 1010000, 1000000 - 1000, CHECK_INFO, ""},
        {10000000, 15000000, 12000000, CHECK_INFO, ""}, /* slow: it may be right */
        {10000000, 15000000, 16100000, CHECK_WARNING, "1.1 s ahead of"},
        {10000000, 10001000, 8500000, CHECK_WARNING, "1.5 s behind"},
        {10000000, 10001000, 12500000, CHECK_ERROR, "2.5 s ahead of"},
        {10000000, 10001000, 7000000, CHECK_ERROR, "3.0 s behind"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct check_findings f = {0};
        const struct check_clock_reading reading = {cases[i].asked, cases[i].answered,
                                                    cases[i].said, 1000};
        char name[8];
        snprintf(name, sizeof name, "%zu", i);
        check_judge_clock(&f, "node", "settle", &reading, SETTLE);
        assert_judged(name, &f, cases[i].severity, cases[i].what);
    }
}

/* --- settings */

static void test_times_of_settings(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool fine;
        int64_t ms;
    } cases[] = {
        {"60s", true, 60000},
        {"500ms", true, 500},
        {"1m", true, 60000},
        {"2h", true, 7200000},
        {"1d", true, 86400000},
        {"-1", true, -1},
        {"0", true, 0},
        {"", false, 0},
        {"s", false, 0},
        {"5 s", false, 0},
        {"5w", false, 0},
        {"-", false, 0},
        {"99999999999999999999s", false, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t ms = 0;
        const bool fine = check_read_time(slice_str(cases[i].text), &ms);
        if (fine != cases[i].fine || ms != cases[i].ms)
            fail_msg("%s: %d %lld", cases[i].text, fine, (long long)ms);
    }
}

/* --- fields and columns */

static void test_fields_fit_columns(void **state)
{
    (void)state;
    static const struct {
        const char *column, *field;
        enum check_fit fit;
    } cases[] = {
        {"text", "{\"type\":\"keyword\"}", CHECK_FITS},
        {"text", "{\"type\":\"string\"}", CHECK_FITS},
        {"text", "{\"type\":\"long\"}", CHECK_REFUSES},
        {"text", "{\"type\":\"long\",\"ignore_malformed\":true}", CHECK_FITS},
        {"text", "{\"type\":\"boolean\"}", CHECK_REFUSES},
        {"text", "{\"type\":\"date\"}", CHECK_FITS_SOME},
        {"uuid", "{\"type\":\"date\"}", CHECK_REFUSES},
        {"text", "{\"type\":\"ip\"}", CHECK_REFUSES},
        {"text", "{\"properties\":{}}", CHECK_REFUSES},
        {"text", "{\"type\":\"object\",\"enabled\":false}", CHECK_FITS},
        {"text", "{\"type\":\"alias\",\"path\":\"x\"}", CHECK_REFUSES},
        {"text", "{\"type\":\"from_a_plugin\"}", CHECK_FITS},
        {"uuid", "{\"type\":\"keyword\"}", CHECK_FITS},
        {"uuid", "{\"type\":\"binary\"}", CHECK_REFUSES},
        {"inet", "{\"type\":\"ip\"}", CHECK_FITS},
        {"inet", "{\"type\":\"keyword\"}", CHECK_FITS},
        {"inet", "{\"type\":\"long\"}", CHECK_REFUSES},
        {"blob", "{\"type\":\"binary\"}", CHECK_FITS},
        {"blob", "{\"type\":\"ip\"}", CHECK_REFUSES},
        {"boolean", "{\"type\":\"boolean\"}", CHECK_FITS},
        {"boolean", "{\"type\":\"keyword\"}", CHECK_FITS},
        {"boolean", "{\"type\":\"byte\"}", CHECK_REFUSES},
        {"int", "{\"type\":\"integer\"}", CHECK_FITS},
        {"int", "{\"type\":\"long\"}", CHECK_WIDER},
        {"int", "{\"type\":\"short\"}", CHECK_FITS_SOME},
        {"int", "{\"type\":\"double\"}", CHECK_FITS},
        {"int", "{\"type\":\"keyword\"}", CHECK_FITS},
        {"int", "{\"type\":\"boolean\"}", CHECK_REFUSES},
        {"bigint", "{\"type\":\"integer\"}", CHECK_FITS_SOME},
        {"bigint", "{\"type\":\"long\"}", CHECK_FITS},
        {"bigint", "{\"type\":\"unsigned_long\"}", CHECK_FITS_SOME},
        {"bigint", "{\"type\":\"date\"}", CHECK_FITS},
        {"bigint", "{\"type\":\"date\",\"format\":\"strict_date\"}", CHECK_REFUSES},
        {"counter", "{\"type\":\"keyword\"}", CHECK_FITS},
        {"counter", "{\"type\":\"short\"}", CHECK_FITS_SOME},
        {"frozen<caes_json>", "{\"type\":\"object\"}", CHECK_FITS},
        {"varint", "{\"type\":\"long\"}", CHECK_FITS_SOME},
        {"varint", "{\"type\":\"keyword\"}", CHECK_FITS},
        {"decimal", "{\"type\":\"scaled_float\"}", CHECK_FITS},
        {"decimal", "{\"type\":\"date\"}", CHECK_REFUSES},
        {"double", "{\"type\":\"float\"}", CHECK_FITS_SOME},
        {"float", "{\"type\":\"double\"}", CHECK_FITS},
        {"float", "{\"type\":\"ip\"}", CHECK_REFUSES},
        {"timestamp", "{\"type\":\"date\"}", CHECK_FITS},
        {"timestamp", "{\"type\":\"date\",\"format\":\"yyyy-MM-dd||strict_date_time\"}",
         CHECK_FITS},
        {"timestamp", "{\"type\":\"date\",\"format\":\"yyyy-MM-dd'T'HH:mm:ss.SSSX\"}", CHECK_FITS},
        {"timestamp", "{\"type\":\"date\",\"format\":\"yyyy-MM-dd\"}", CHECK_REFUSES},
        {"timestamp", "{\"type\":\"date\",\"format\":\"epoch_millis\"}", CHECK_REFUSES},
        {"timestamp", "{\"type\":\"date_nanos\"}", CHECK_FITS_SOME},
        {"timestamp", "{\"type\":\"long\"}", CHECK_REFUSES},
        {"date", "{\"type\":\"date\",\"format\":\"yyyy-MM-dd\"}", CHECK_FITS},
        {"date", "{\"type\":\"date\",\"format\":\"epoch_second\"}", CHECK_REFUSES},
        {"list<int>", "{\"type\":\"integer\"}", CHECK_FITS},
        {"set<text>", "{\"type\":\"long\"}", CHECK_REFUSES},
        {"map<text, int>", "{\"type\":\"long\"}", CHECK_FITS}, /* nothing is said of those */
    };
    struct json_doc *doc = json_doc_new();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena arena = {0};
        const char *why;
        const struct cql_type *type = cql_type_parse(slice_str(cases[i].column), &arena, NULL);
        assert_true(json_parse(doc, slice_str(cases[i].field), false, NULL));
        const enum check_fit fit = check_field_fit(type, json_root(doc), &why);
        if (fit != cases[i].fit || (*why == '\0') != (fit == CHECK_FITS))
            fail_msg("%s on %s: %d \"%s\"", cases[i].column, cases[i].field, fit, why);
        arena_free(&arena);
    }
    json_doc_free(doc);
}

/* --- versions */

static const int64_t now_s = 1700000000;

static void test_units_are_guessed(void **state)
{
    (void)state;
    static const struct {
        int64_t versions[3];
        size_t count;
        const char *unit;
    } cases[] = {
        {{1427254212, 1700000000, 5}, 3, "s"},
        {{1427254212123, 1700000000000, 5}, 3, "ms"},
        {{1427254212123456, 1700000000000000, 1700000000000001}, 3, "us"},
        {{9, 10, 11}, 3, "none"},
        {{1427254212, 1700000000000, 5}, 3, "none"},
        {{INT64_MAX, INT64_MAX, 1}, 3, "none"},
        {{0}, 0, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct check_versions sample = {.versions = cases[i].versions,
                                              .count = cases[i].count};
        const char *unit = check_guess_unit(&sample);
        if ((unit == NULL) != (cases[i].unit == NULL) || (unit && strcmp(unit, cases[i].unit) != 0))
            fail_msg("%zu: %s", i, unit ? unit : "none told");
    }
}

static void test_versions_are_judged(void **state)
{
    (void)state;
    static int64_t counted[40], spread[40];
    for (int i = 0; i < 40; i++) {
        counted[i] = 1 + i % 5;
        spread[i] = 1 + i;
    }
    static const int64_t times[] = {1700000000, 1699999999, 1699999998};
    static const int64_t mixed[] = {1700000000, 1699999999, 1699999998, 2};
    static const int64_t future[] = {1700000301, 1700000000, 1700000300};
    static const int64_t millis[] = {1700000000000};
    static const struct {
        const char *name;
        const int64_t *versions;
        size_t count;
        int64_t unit_us;
        enum check_severity severity;
        const char *what;
    } cases[] = {
        {"fine", times, 3, 1000000, CHECK_INFO, ""},
        {"none at all", times, 0, 1000000, CHECK_INFO, ""},
        {"a counter among times", mixed, 4, 1000000, CHECK_WARNING, "1 of 4 entries"},
        {"the future", future, 3, 1000000, CHECK_ERROR, "1 of 3 entries"},
        {"ms for s", millis, 1, 1000000, CHECK_ERROR, "look like ms"},
        {"s for ms", times, 3, 1000, CHECK_ERROR, "look like s"},
        {"s for none", times, 3, 0, CHECK_INFO, "times in s"},
        {"counted", counted, 40, 0, CHECK_WARNING, "counted per record"},
        {"few", counted, 10, 0, CHECK_INFO, ""},
        {"one sequence", spread, 40, 0, CHECK_INFO, ""},
        {"no times", spread, 40, 1000000, CHECK_WARNING, "no such times"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct check_findings f = {0};
        const struct check_versions sample = {.versions = cases[i].versions,
                                              .count = cases[i].count,
                                              .unit_us = cases[i].unit_us,
                                              .now_us = now_s * 1000000,
                                              .skew_us = 300000000,
                                              .things = "entries"};
        check_judge_versions(&f, "series", "unit", &sample);
        assert_judged(cases[i].name, &f, cases[i].severity, cases[i].what);
    }
}

static void test_write_times_are_judged(void **state)
{
    (void)state;
    static const int64_t us = 1700000000000000;
    static const struct {
        const char *name;
        struct check_write writes[3];
        bool guard_timestamp;
        int64_t unit_us;
        enum check_severity severity;
        const char *what;
    } cases[] = {
        {"a clock's",
         {{now_s, us + 5}, {now_s, us + 9}, {now_s, us}},
         false,
         1000000,
         CHECK_INFO,
         ""},
        {"the daemon's",
         {{now_s, us + 1}, {now_s, us - 1}, {now_s, us}},
         true,
         1000000,
         CHECK_INFO,
         ""},
        {"versions",
         {{now_s, us}, {now_s, us}, {now_s, us}},
         false,
         1000000,
         CHECK_INFO,
         "guard timestamp fits"},
        {"no versions",
         {{now_s, us}, {now_s, us}, {now_s, us + 700}},
         true,
         1000000,
         CHECK_ERROR,
         "1 of 3 rows"},
        {"seconds",
         {{now_s, us}, {now_s, now_s}, {now_s, us}},
         false,
         1000000,
         CHECK_ERROR,
         "the version itself"},
        {"counters", {{3, 3}, {4, 4}, {5, 5}}, false, 0, CHECK_ERROR, "3 of 3 rows"},
        {"the future",
         {{now_s, us}, {now_s, us + 400000000}, {now_s, us}},
         false,
         1000000,
         CHECK_ERROR,
         "further in the future"},
        {"beyond all", {{INT64_MAX, us}, {now_s, us}, {now_s, us}}, false, 1000000, CHECK_INFO, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct check_findings f = {0};
        const struct check_writes sample = {.writes = cases[i].writes,
                                            .count = 3,
                                            .guard_timestamp = cases[i].guard_timestamp,
                                            .unit_us = cases[i].unit_us,
                                            .now_us = us,
                                            .skew_us = 300000000};
        check_judge_writes(&f, "table", "guard", &sample);
        assert_judged(cases[i].name, &f, cases[i].severity, cases[i].what);
    }
}

static void test_stamps_are_judged(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct check_stamp stamps[2];
        enum check_severity severity;
        const char *what;
    } cases[] = {
        {"equal", {{7, 7, SLICE_LIT("a")}, {8, 8, SLICE_LIT("b")}}, CHECK_INFO, ""},
        {"internal",
         {{1, now_s, SLICE_LIT("a")}, {2, now_s, SLICE_LIT("b")}},
         CHECK_ERROR,
         "Elasticsearch counted them"},
        {"units",
         {{now_s, now_s * 1000, SLICE_LIT("a")}, {8, 8, SLICE_LIT("b")}},
         CHECK_ERROR,
         "1 of 2 documents have a _version that differs from t (a: 1700000000, 1700000000000); "
         "they "
         "are of different units"},
        {"other",
         {{now_s, now_s - 9, SLICE_LIT("a")}, {8, 8, SLICE_LIT("b")}},
         CHECK_ERROR,
         "must be the application's"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct check_findings f = {0};
        check_judge_stamps(&f, "index", "t", cases[i].stamps, 2);
        assert_judged(cases[i].name, &f, cases[i].severity, cases[i].what);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_findings_are_rendered),
        cmocka_unit_test(test_long_and_broken_texts),
        cmocka_unit_test(test_server_versions),
        cmocka_unit_test(test_replication),
        cmocka_unit_test(test_the_local_datacenter_is_to_be_given),
        cmocka_unit_test(test_replication_is_read),
        cmocka_unit_test(test_clocks),
        cmocka_unit_test(test_times_of_settings),
        cmocka_unit_test(test_fields_fit_columns),
        cmocka_unit_test(test_units_are_guessed),
        cmocka_unit_test(test_versions_are_judged),
        cmocka_unit_test(test_write_times_are_judged),
        cmocka_unit_test(test_stamps_are_judged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

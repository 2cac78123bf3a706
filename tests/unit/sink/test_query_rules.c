#include "sink/query_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define C(n, t, k)                                                  \
    {                                                               \
        .name = SLICE_LIT(n), .type = SLICE_LIT(t), .kind = MAP_##k \
    }

/* The data table, whose column "own" is not mapped; every other table has these, too. */
static const struct map_table_column columns[] = {
    C("did", "uuid", PARTITION_KEY),
    C("at", "timestamp", CLUSTERING),
    C("user", "text", REGULAR),
    C("own", "int", REGULAR),
    C("l", "list<int>", REGULAR),
    C("st", "set<int>", REGULAR),
    C("fl", "frozen<list<int>>", REGULAR),
    C("shared", "list<int>", STATIC),
};

static const struct map_column mapped[] = {{.name = SLICE_LIT("user"), .field = SLICE_LIT("user")}};
static const struct map_schema schema = {.columns = mapped, .column_count = ARRAY_LEN(mapped)};

static const struct {
    const char *text;
    bool same_time;
    const char *why; /* NULL: fine */
    size_t at;       /* offset of what is wrong */
} cases[] = {
    {"INSERT INTO t (did, at, user, l, st) VALUES (%(did)s, 1, 'a', [1], {2})", false, NULL, 0},
    {"UPDATE t SET st = st + %(x)s, st = st - {1}, fl = %(l)s WHERE did = 1", true, NULL, 0},
    {"UPDATE t SET l[0] = 1, l = l - %(x)s WHERE did = 1", false, NULL, 0},
    {"DELETE l, shared FROM t WHERE did = 1", true, NULL, 0},
    {"DELETE FROM t WHERE did = 1", false, NULL, 0},
    {"UPDATE t SET user = toText(uuid()) WHERE did = 1", false, NULL, 0},
    {"UPDATE t SET l = %(l)s WHERE did = 1", false, NULL, 0},
    {"UPDATE t SET l = %(l)s WHERE did = 1", true, "double; take a frozen list or a set", 13},
    {"INSERT INTO t (did, shared) VALUES (1, %(l)s)", true, "is not idempotent", 20},
    {"UPDATE t SET user = 'a', l = l + %(x)s WHERE did = 1", false, "append to a list", 25},
    {"UPDATE t SET l = %(x)s + l WHERE did = 1", false, "append to a list", 13},
    {"UPDATE t SET l += %(x)s WHERE did = 1", false, "append to a list", 13},
    {"DELETE user, l[1] FROM t WHERE did = 1", false, "by its position", 13},
    {"INSERT INTO t (did, at) VALUES (%(did)s, toTimestamp(now()))", false,
     "column \"at\": a key that is made here", 20},
    {"UPDATE t SET \"User\" = 'a' WHERE did = 1", false, "table ks.t has no column \"User\"", 13},
    {"INSERT INTO ts (did) VALUES (1)", false, "writes the time series table", 0},
    {"INSERT INTO ks.ts (did) VALUES (1)", false, "writes the time series table", 0},
    {"INSERT INTO other.ts (did) VALUES (1)", false, NULL, 0},
    {"UPDATE data SET own = 1 WHERE did = 1", false, NULL, 0},
    {"INSERT INTO data (did, own) VALUES (1, 1)", false, NULL, 0},
    {"DELETE own FROM data WHERE did = 1", false, NULL, 0},
    {"DELETE FROM data WHERE did = 1", false, "writes the rows of the data table", 0},
    {"INSERT INTO data JSON %(x)s", false, "writes the rows of the data table", 0},
    {"INSERT INTO other.data JSON %(x)s", false, NULL, 0},
    {"INSERT INTO other.data JSON %(x)s", true, "column \"l\": a list is not idempotent", 0},
    {"UPDATE data SET own = 1, user = 'a' WHERE did = 1", false, "writes column \"user\"", 25},
    {"DELETE USER FROM data WHERE did = 1", false, "writes column \"user\"", 7},
};

static void test_rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct query_rules rules = {.keyspace = "ks",
                                          .data = "data",
                                          .series = "ts",
                                          .schema = &schema,
                                          .same_time = cases[i].same_time};
        struct arena arena = {0};
        struct query_script script;
        struct query_place place;
        struct err err = {0};
        size_t at = 99;
        assert_true(query_text_parse(slice_str(cases[i].text), SLICE_LIT("ks"), &arena, &script,
                                     &place, &err));
        const bool fine =
            query_rules_check(&rules, script.statements, columns, ARRAY_LEN(columns), &at, &err);
        if (fine != !cases[i].why || at != cases[i].at)
            print_error("%s\n  %zu: %s\n", cases[i].text, at, err.text);
        assert_int_equal(fine, !cases[i].why);
        assert_int_equal(at, cases[i].at);
        if (!fine) {
            assert_int_equal(err.code, ERR_SCHEMA);
            assert_non_null(strstr(err.text, cases[i].why));
        }
        arena_free(&arena);
    }
}

static void test_counters(void **state)
{
    (void)state;
    static const struct map_table_column hits[] = {C("did", "uuid", PARTITION_KEY),
                                                   C("n", "counter", REGULAR)};
    const struct query_rules rules = {
        .keyspace = "ks", .data = "data", .series = "ts", .schema = &schema};
    static const char *const texts[] = {"UPDATE hits SET n = n + %(n)s WHERE did = 1",
                                        "DELETE FROM hits WHERE did = 1"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct arena arena = {0};
        struct query_script script;
        struct query_place place;
        struct err err = {0};
        size_t at;
        assert_true(
            query_text_parse(slice_str(texts[i]), SLICE_LIT("ks"), &arena, &script, &place, &err));
        assert_false(
            query_rules_check(&rules, script.statements, hits, ARRAY_LEN(hits), &at, &err));
        assert_non_null(strstr(err.text, "column \"n\" is a counter, which is not idempotent"));
        arena_free(&arena);
    }
}

static void test_needs_value(void **state)
{
    (void)state;
    static const char *const wanted[] = {"did",    "at",   "in(did)", "key(m)",
                                         "idx(l)", "(at)", "[json]"};
    static const char *const others[] = {"user", "st", "value(m)", "[ttl]", "a.b", "DID"};
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
        assert_true(query_rules_needs_value(slice_str(wanted[i]), columns, ARRAY_LEN(columns)));
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        assert_false(query_rules_needs_value(slice_str(others[i]), columns, ARRAY_LEN(columns)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rules),
                                       cmocka_unit_test(test_counters),
                                       cmocka_unit_test(test_needs_value)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

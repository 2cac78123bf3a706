#include "sink/query_text.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define assert_slice(s, text) assert_true(slice_is((s), text))

struct parsed {
    struct arena arena;
    struct query_script script;
    struct query_place place;
    struct err err;
    bool fine;
};

static struct parsed parse(const char *text)
{
    struct parsed p = {0};
    p.fine =
        query_text_parse(slice_str(text), SLICE_LIT("ks"), &p.arena, &p.script, &p.place, &p.err);
    return p;
}

/* Of one statement. */
static const struct query_statement *only(const struct parsed *p)
{
    if (!p->fine)
        print_error("%u:%u: %s\n", p->place.line, p->place.column, p->err.text);
    assert_true(p->fine);
    assert_int_equal(p->script.count, 1);
    return p->script.statements;
}

/* "name, other" of the marks; the write's time is "-". */
static void assert_marks(const struct query_statement *s, const char *expected)
{
    struct buf names = {0};
    for (uint32_t i = 0; i < s->mark_count; i++) {
        buf_append_str(&names, i ? ", " : "");
        buf_append_slice(&names,
                         slice_is_null(s->marks[i].field) ? SLICE_LIT("-") : s->marks[i].field);
    }
    assert_string_equal(buf_cstr(&names), expected);
    buf_free(&names);
}

static const struct {
    const char *text, *cql, *marks;
} accepted[] = {
    {"INSERT INTO by_user (user, did) VALUES (%(user)s, %(did)s)",
     "INSERT INTO \"ks\".by_user (user, did) VALUES (?, ?)", "user, did"},
    {"insert into t(a,b)values(%(a)s,1)using ttl %(ttl)s;",
     "insert into \"ks\".t(a,b)values(?,1)using ttl ?", "a, ttl"},
    {"INSERT INTO other.T (\"A\", a) VALUES (%(A b.c)s, 'it''s 100%%, no -- comment')",
     "INSERT INTO other.T (\"A\", a) VALUES (?, 'it''s 100%, no -- comment')", "A b.c"},
    {"-- one\nINSERT /* two\n */ INTO t // three\n (a)\n\tVALUES (%(a)s) -- %(no)s",
     "INSERT INTO \"ks\".t (a) VALUES (?)", "a"},
    {"INSERT INTO t JSON %(all)s", "INSERT INTO \"ks\".t JSON ?", "all"},
    {"INSERT INTO t (a, m) VALUES ($$it's$$, {'a:b': 'c', 'd':null})",
     "INSERT INTO \"ks\".t (a, m) VALUES ($$it's$$, {'a:b': 'c', 'd':null})", ""},
    {"UPDATE t USING TTL 5 AND TIMESTAMP %(at)s SET a = %(a)s, m['k'] = %(m)s, u.f = 1 "
     "WHERE did = %(did)s",
     "UPDATE \"ks\".t USING TTL 5 AND TIMESTAMP ? SET a = ?, m['k'] = ?, u.f = 1 WHERE did = ?",
     "at, a, m, did"},
    {"UPDATE t SET a = 7 %% 2 WHERE k = 1 AND (c, d) IN ((1, 2), (3, 4))",
     "UPDATE \"ks\".t SET a = 7 % 2 WHERE k = 1 AND (c, d) IN ((1, 2), (3, 4))", ""},
    {"DELETE FROM t WHERE did = %(did)s", "DELETE FROM \"ks\".t USING TIMESTAMP ? WHERE did = ?",
     "-, did"},
    {"DELETE a, m['x'], u.f FROM \"My\".\"T\" USING TIMESTAMP %(ts)s WHERE did = %(did)s",
     "DELETE a, m['x'], u.f FROM \"My\".\"T\" USING TIMESTAMP ? WHERE did = ?", "ts, did"},
    {"UPDATE t SET id = ed31ee76-d49a-4c05-8f0a-6a856a94de8e WHERE k = 0xCAFE",
     "UPDATE \"ks\".t SET id = ed31ee76-d49a-4c05-8f0a-6a856a94de8e WHERE k = 0xCAFE", ""},
    {"UPDATE t SET at = now() WHERE k = %(did)s", "UPDATE \"ks\".t SET at = now() WHERE k = ?",
     "did"},
    {"DELETE FROM t WHERE k = 1 AND at < now()",
     "DELETE FROM \"ks\".t USING TIMESTAMP ? WHERE k = 1 AND at < now()", "-"},
};

static void test_accepted(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(accepted); i++) {
        struct parsed p = parse(accepted[i].text);
        const struct query_statement *s = only(&p);
        struct buf cql = {0};
        buf_append_slice(&cql, s->cql);
        assert_string_equal(buf_cstr(&cql), accepted[i].cql);
        assert_marks(s, accepted[i].marks);
        buf_free(&cql);
        arena_free(&p.arena);
    }
}

static void test_names(void **state)
{
    (void)state;
    struct parsed p = parse("INSERT INTO \"My\".Tab (Key, \"Odd\"\"%% One\") VALUES (1, 2)");
    const struct query_statement *s = only(&p);
    assert_slice(s->keyspace, "My");
    assert_slice(s->table, "tab");
    assert_int_equal(s->column_count, 2);
    assert_slice(s->columns[0].name, "key");
    assert_slice(s->columns[1].name, "Odd\"% One");
    arena_free(&p.arena);
    p = parse("DELETE a, l[0] FROM t WHERE k = 1");
    s = only(&p);
    assert_slice(s->keyspace, "ks");
    assert_slice(s->table, "t");
    assert_int_equal(s->columns[0].use, QUERY_ASSIGNED);
    assert_int_equal(s->columns[1].use, QUERY_ELEMENT);
    assert_false(s->whole_rows);
    arena_free(&p.arena);
    p = parse("DELETE FROM t WHERE k = 1");
    assert_true(only(&p)->whole_rows);
    arena_free(&p.arena);
}

static void test_uses(void **state)
{
    (void)state;
    struct parsed p = parse("UPDATE t SET a = a + %(x)s, b = %(x)s + \"b\", c += {1}, d -= %(x)s, "
                            "e = E - {%(x)s}, f = f(f + 1), g[%(x)s] = 2, h = (i + j) WHERE k = 1");
    static const enum query_use uses[] = {QUERY_ADDED,      QUERY_ADDED,      QUERY_ADDED,
                                          QUERY_SUBTRACTED, QUERY_SUBTRACTED, QUERY_ASSIGNED,
                                          QUERY_ELEMENT,    QUERY_ASSIGNED};
    const struct query_statement *s = only(&p);
    assert_int_equal(s->column_count, ARRAY_LEN(uses));
    for (size_t i = 0; i < ARRAY_LEN(uses); i++)
        assert_int_equal(s->columns[i].use, uses[i]);
    arena_free(&p.arena);
    p = parse("INSERT INTO t (a, b, c) VALUES (%(a)s, toTimestamp(now()), uuid)");
    s = only(&p);
    assert_false(s->columns[0].generated);
    assert_true(s->columns[1].generated);
    assert_false(s->columns[2].generated);
    arena_free(&p.arena);
}

static void test_several(void **state)
{
    (void)state;
    struct parsed p = parse(";; INSERT INTO a (k) VALUES (1);\n UPDATE b SET x = 1 WHERE k = 1 ; ; "
                            "DELETE FROM c WHERE k = 1\n;");
    assert_true(p.fine);
    assert_int_equal(p.script.count, 3);
    assert_int_equal(p.script.statements[1].kind, QUERY_UPDATE);
    assert_int_equal(p.script.statements[2].kind, QUERY_DELETE);
    arena_free(&p.arena);
    /* As they stood in the seed's batch. */
    p = parse("INSERT INTO a (k) VALUES (1)\nINSERT INTO b (k) VALUES (2) delete from c where k=1");
    assert_true(p.fine);
    assert_int_equal(p.script.count, 3);
    assert_slice(p.script.statements[0].cql, "INSERT INTO \"ks\".a (k) VALUES (1)");
    assert_slice(p.script.statements[1].cql, "INSERT INTO \"ks\".b (k) VALUES (2)");
    arena_free(&p.arena);
}

static void test_places_of_the_server(void **state)
{
    (void)state;
    struct parsed p = parse("-- é\nINSERT INTO t (a)\n  VALUES (%(some field)s, é");
    assert_false(p.fine);
    assert_int_equal(p.place.line, 3);
    assert_int_equal(p.place.column, 10);
    arena_free(&p.arena);
    p = parse("-- é\nINSERT INTO t (a)\n  VALUES (%(some field)s, 'é' x)");
    const struct query_statement *s = only(&p);
    const char *cql = "INSERT INTO \"ks\".t (a) VALUES (?, 'é' x)";
    assert_slice(s->cql, cql);
    const size_t character = (size_t)(strchr(cql, 'x') - cql) - 1; /* é has two bytes */
    struct query_place place = query_statement_place(&p.script, s, character);
    assert_int_equal(place.line, 3);
    assert_int_equal(place.column, 31);
    place = query_statement_place(&p.script, s, 0);
    assert_int_equal(place.line, 2);
    assert_int_equal(place.column, 1);
    arena_free(&p.arena);
}

static const struct {
    const char *text;
    unsigned line, column;
    const char *why;
} refused[] = {
    {"", 1, 1, "it holds no statement"},
    {" ; -- nothing\n;", 1, 1, "it holds no statement"},
    {"SELECT * FROM t", 1, 1, "SELECT writes nothing"},
    {"INSERT INTO t (a) VALUES (1);\n  select 1", 2, 3, "SELECT writes nothing"},
    {"BEGIN BATCH INSERT INTO t (a) VALUES (1); APPLY BATCH", 1, 1, "leave BEGIN BATCH"},
    {"INSERT INTO t (a) VALUES (1) APPLY BATCH;", 1, 30, "leave BEGIN BATCH"},
    {"TRUNCATE t", 1, 1, "INSERT, UPDATE or DELETE is expected, not TRUNCATE"},
    {"%(query)s", 1, 1, "INSERT, UPDATE or DELETE is expected, not %(query)s"},
    {"INSERT INTO t (a) VALUES (1) IF NOT EXISTS", 1, 30, "conditional statements (IF)"},
    {"UPDATE t SET a = 1 WHERE k = 1 if a = 2", 1, 32, "conditional statements (IF)"},
    {"DELETE FROM t WHERE k = 1\nIF EXISTS", 2, 1, "conditional statements (IF)"},
    {"UPDATE t SET c = c + 1 WHERE k = 1", 1, 14, "a counter is not idempotent"},
    {"UPDATE t SET a = 1, c = 1 + c WHERE k = 1", 1, 21, "a counter is not idempotent"},
    {"UPDATE t SET c -= 2 WHERE k = 1", 1, 14, "a counter is not idempotent"},
    {"UPDATE t SET l = l + [%(x)s] WHERE k = 1", 1, 14, "an append to a list is not idempotent"},
    {"UPDATE t SET l = [1] + l WHERE k = 1", 1, 14, "an append to a list is not idempotent"},
    {"UPDATE t SET l += ['a'] WHERE k = 1", 1, 14, "an append to a list is not idempotent"},
    {"UPDATE t SET a = 1 WHERE k = uuid()", 1, 20, "a key that is made here is not idempotent"},
    {"INSERT INTO t (a) VALUES ('%(a)s')", 1, 28, "leave the quotes away"},
    {"INSERT INTO t (a) VALUES ($$ %(a)s$$)", 1, 30, "leave the quotes away"},
    {"INSERT INTO t (\"%(a)s\") VALUES (1)", 1, 17, "leave the quotes away"},
    {"INSERT INTO t (a) VALUES ('100%')", 1, 31, "% is no placeholder here; write %% for"},
    {"INSERT INTO t (a) VALUES (%s)", 1, 27, "% is no placeholder here; write %(field)s"},
    {"INSERT INTO t (a) VALUES (%(a)d)", 1, 27, "a placeholder ends in s: write %(a)s"},
    {"INSERT INTO t (a) VALUES (%(a)", 1, 27, "a placeholder ends in s"},
    {"INSERT INTO t (a) VALUES (%(a)sx)", 1, 27, "a placeholder ends in s"},
    {"INSERT INTO t (a) VALUES (%()s)", 1, 27, "has no name"},
    {"INSERT INTO t (a) VALUES (%(a", 1, 27, "has no end"},
    {"INSERT INTO t (a) VALUES (%(a\n)s)", 1, 27, "has no end"},
    {"INSERT INTO t (a) VALUES (?)", 1, 27, "? names no field"},
    {"INSERT INTO t (a) VALUES (:a)", 1, 27, "placeholders are written %(field)s"},
    {"INSERT INTO t (a) VALUES ('a", 1, 27, "this string has no end; close it with '"},
    {"INSERT INTO t (a) VALUES ('a'')", 1, 27, "this string has no end"},
    {"INSERT INTO t (a) VALUES ($$a)", 1, 27, "close it with $$"},
    {"INSERT INTO t (\"a) VALUES (1)", 1, 16, "this name has no end; close it with \""},
    {"INSERT INTO t /* a", 1, 15, "close it with */"},
    {"INSERT INTO t (a) VALUES (1", 1, 26, "this bracket is not closed"},
    {"INSERT INTO t (a) VALUES (1; 2)", 1, 26, "this bracket is not closed"},
    {"INSERT INTO t (a) VALUES ([1)]", 1, 29, "this bracket closes none"},
    {"INSERT INTO t (a) VALUES (1))", 1, 29, "this bracket closes none"},
    {"INSERT t (a) VALUES (1)", 1, 8, "INTO is expected, not t"},
    {"INSERT INTO t VALUES (1)", 1, 15, "( is expected, not VALUES"},
    {"INSERT INTO t (a b) VALUES (1)", 1, 18, ", is expected, not b"},
    {"INSERT INTO t (a)", 1, 18, "the statement ends where VALUES is expected"},
    {"INSERT INTO INSERT", 1, 13, "the name of a table is expected"},
    {"INSERT INTO %(t)s (a) VALUES (1)", 1, 13, "never for a name"},
    {"INSERT INTO t (%(c)s) VALUES (1)", 1, 16, "never for a name"},
    {"UPDATE t SET %(c)s = 1 WHERE k = 1", 1, 14, "never for a name"},
    {"UPDATE t WHERE k = 1", 1, 21, "the statement ends where SET is expected"},
    {"UPDATE t SET a = 1", 1, 19, "the statement ends where WHERE is expected"},
    {"UPDATE t SET a 1 WHERE k = 1", 1, 16, "= is expected, not 1"},
    {"DELETE a b FROM t WHERE k = 1", 1, 10, ", is expected, not b"},
    {"DELETE t WHERE k = 1", 1, 10, ", is expected, not WHERE"},
    {"INSERT INTO t (a) VALUES (1\001)", 1, 28, "a control character"},
};

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct parsed p = parse(refused[i].text);
        if (p.fine || !strstr(p.err.text, refused[i].why) || p.place.line != refused[i].line ||
            p.place.column != refused[i].column)
            print_error("%s\n  %u:%u: %s\n", refused[i].text, p.place.line, p.place.column,
                        p.err.text);
        assert_false(p.fine);
        assert_int_equal(p.err.code, ERR_CONFIG);
        assert_non_null(strstr(p.err.text, refused[i].why));
        assert_int_equal(p.place.line, refused[i].line);
        assert_int_equal(p.place.column, refused[i].column);
        arena_free(&p.arena);
    }
}

static void test_nesting(void **state)
{
    (void)state;
    struct buf text = {0};
    buf_append_str(&text, "INSERT INTO t (a) VALUES (");
    for (int i = 0; i < 100; i++)
        buf_append_char(&text, '[');
    struct parsed p = parse(buf_cstr(&text));
    assert_false(p.fine);
    assert_non_null(strstr(p.err.text, "nested too deeply"));
    arena_free(&p.arena);
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted), cmocka_unit_test(test_names),
        cmocka_unit_test(test_uses),     cmocka_unit_test(test_several),
        cmocka_unit_test(test_refused),  cmocka_unit_test(test_places_of_the_server),
        cmocka_unit_test(test_nesting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "es/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static struct json_doc *doc;

static const struct json_node *parse(const char *text)
{
    struct err err = {0};
    if (!json_parse(doc, slice_str(text), false, &err))
        fail_msg("%s", err.text);
    return json_root(doc);
}

static void test_status_codes(void **state)
{
    (void)state;
    static const struct {
        int status;
        enum err_code code;
    } codes[] = {
        {301, ERR_CONFIG},      {400, ERR_REQUEST},     {401, ERR_AUTH},
        {403, ERR_AUTH},        {404, ERR_NOT_FOUND},   {405, ERR_REQUEST},
        {408, ERR_OVERLOADED},  {409, ERR_CONFLICT},    {413, ERR_TOO_LARGE},
        {429, ERR_OVERLOADED},  {500, ERR_UNAVAILABLE}, {502, ERR_UNAVAILABLE},
        {503, ERR_UNAVAILABLE}, {504, ERR_UNAVAILABLE}, {599, ERR_UNAVAILABLE},
    };
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        assert_int_equal(es_status_code(codes[i].status, NULL), codes[i].code);
    /* a full disk is nobody's login */
    assert_int_equal(es_status_code(403, parse("{\"type\":\"cluster_block_exception\"}")),
                     ERR_UNAVAILABLE);
    assert_int_equal(es_status_code(403, parse("\"ClusterBlockException[blocked by: [x];]\"")),
                     ERR_UNAVAILABLE);
    assert_int_equal(es_status_code(403, parse("{\"type\":\"security_exception\"}")), ERR_AUTH);
    /* nor is a closed index a fault of the documents: 400 from 5 on, 403 before */
    assert_int_equal(es_status_code(400, parse("{\"type\":\"index_closed_exception\"}")),
                     ERR_UNAVAILABLE);
    assert_int_equal(es_status_code(403, parse("{\"type\":\"index_closed_exception\"}")),
                     ERR_UNAVAILABLE);
    assert_int_equal(es_status_code(403, parse("\"IndexClosedException[[i] closed]\"")),
                     ERR_UNAVAILABLE);
    assert_int_equal(es_status_code(400, parse("{\"type\":\"mapper_parsing_exception\"}")),
                     ERR_REQUEST);
}

static void test_error_texts(void **state)
{
    (void)state;
    static const struct {
        const char *json, *text;
    } texts[] = {
        {"{\"type\":\"a\",\"reason\":\"b\"}", "a: b"},
        {"{\"type\":\"a\",\"reason\":\"b\",\"caused_by\":{\"type\":\"c\",\"reason\":\"d\"}}",
         "a: b: d"},
        {"{\"type\":\"a\",\"reason\":null}", "a"},
        {"{\"reason\":\"b\"}", "b"},
        {"\"IndexMissingException[[x] missing]\"", "IndexMissingException[[x] missing]"},
        {"{\"type\":\"a\",\"reason\":\"two\\nlines\\u001b[31m\"}", "a: two lines [31m"},
        {"{\"type\":\"\\ud800\"}", "   "},
        {"{\"type\":\"index_closed_exception\",\"reason\":\"closed\",\"index\":\"t9\"}",
         "index_closed_exception: closed: t9"},
        {"[1]", ""},
        {"{}", ""},
        {"17", ""},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct buf out = {0};
        es_error_text(parse(texts[i].json), &out);
        assert_string_equal(buf_cstr(&out), texts[i].text);
        buf_free(&out);
    }
}

static void test_long_error_text(void **state)
{
    (void)state;
    struct buf json = {0}, out = {0};
    buf_append_str(&json, "{\"type\":\"abc");
    for (int i = 0; i < 2000; i++)
        buf_append_str(&json, "\xe2\x82\xac");
    buf_append_str(&json, "\"}");
    buf_append_str(&out, "before");
    es_error_text(parse(buf_cstr(&json)), &out);
    assert_true(out.len <= 6 + ERR_TEXT_MAX);
    assert_true(out.len > 6 + ERR_TEXT_MAX - 4);
    assert_true(json_utf8_valid(buf_slice(&out)));
    buf_free(&json);
    buf_free(&out);
}

static bool read_bulk(const char *json, struct es_bulk_item *items, size_t count, struct buf *texts,
                      struct err *err)
{
    buf_clear(texts);
    return es_bulk_read(parse(json), items, count, texts, err);
}

static void test_bulk_items(void **state)
{
    (void)state;
    struct es_bulk_item items[8];
    struct buf texts = {0};
    struct err err = {0};
    assert_true(read_bulk(
        "{\"items\":[{\"index\":{\"status\":201}},{\"delete\":{\"status\":404}},"
        "{\"index\":{\"status\":409,\"error\":{\"type\":\"version_conflict_engine_exception\","
        "\"reason\":\"current [9]\"}}},"
        "{\"index\":{\"status\":429,\"error\":{\"type\":\"rejected\"}}},"
        "{\"index\":{\"status\":400,\"error\":{\"type\":\"mapper\",\"reason\":\"r\"}}},"
        "{\"delete\":{\"status\":404,\"error\":{\"type\":\"index_not_found_exception\"}}},"
        "{\"index\":{\"status\":503}},"
        "{\"index\":{\"status\":409,\"error\":\"VersionConflictEngineException[x]\"}}]}",
        items, 8, &texts, &err));
    static const struct {
        enum err_code code;
        const char *reason;
    } expected[] = {
        {ERR_NONE, NULL},
        {ERR_NONE, NULL},
        {ERR_CONFLICT, "version_conflict_engine_exception: current [9]"},
        {ERR_OVERLOADED, "rejected"},
        {ERR_REQUEST, "mapper: r"},
        {ERR_NOT_FOUND, "index_not_found_exception"},
        {ERR_UNAVAILABLE, "refused without a reason"},
        {ERR_CONFLICT, "VersionConflictEngineException[x]"},
    };
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(items[i].code, expected[i].code);
        assert_true(slice_equal(items[i].reason, slice_str(expected[i].reason)));
    }
    buf_free(&texts);
}

static void test_bulk_answers_that_are_none(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{}",
        "[]",
        "null",
        "{\"items\":{}}",
        "{\"items\":[]}",
        "{\"items\":[{\"index\":{\"status\":201}}]}",
        "{\"items\":[{\"index\":{\"status\":201}},{\"index\":{\"status\":201}},{\"index\":{"
        "\"status\":201}}]}",
        "{\"items\":[{\"index\":{\"status\":201}},{}]}",
        "{\"items\":[{\"index\":{\"status\":201}},[]]}",
        "{\"items\":[{\"index\":{\"status\":201}},[{\"status\":201}]]}",
        "{\"items\":[{\"index\":{\"status\":201}},{\"index\":[]}]}",
        "{\"items\":[{\"index\":{\"status\":201}},{\"index\":{}}]}",
        "{\"items\":[{\"index\":{\"status\":201}},{\"index\":{\"status\":\"201\"}}]}",
        "{\"items\":[{\"index\":{\"status\":201}},{\"index\":{\"status\":99999999999}}]}",
        "{\"items\":[{\"index\":{\"status\":201}},{\"index\":{\"status\":0}}]}",
    };
    struct es_bulk_item items[2];
    struct buf texts = {0};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err err = {0};
        if (read_bulk(bad[i], items, 2, &texts, &err))
            fail_msg("%s", bad[i]);
        assert_int_equal(err.code, ERR_PROTOCOL);
    }
    buf_free(&texts);
}

static void test_documents(void **state)
{
    (void)state;
    const struct slice ids[] = {SLICE_LIT("a"), SLICE_LIT("b"), SLICE_LIT("c\"\xc3\xa9")};
    struct es_document documents[3];
    struct err err = {0};
    assert_true(
        es_mget_read(parse("{\"docs\":[{\"_id\":\"a\",\"_version\":9007199254740993,\"_seq_no\":3,"
                           "\"_primary_term\":1,\"found\":true,\"_source\":{\"x\":1}},"
                           "{\"_id\":\"b\",\"found\":false},"
                           "{\"_id\":\"c\\\"\\u00e9\",\"_version\":1,\"found\":true}]}"),
                     ids, documents, 3, &err));
    assert_true(documents[0].found);
    assert_true(documents[0].version == 9007199254740993);
    assert_int_equal(documents[0].seq_no, 3);
    assert_int_equal(documents[0].primary_term, 1);
    assert_true(slice_is(documents[0].source->raw, "{\"x\":1}"));
    assert_false(documents[1].found);
    assert_null(documents[1].source);
    assert_true(documents[2].found);
    assert_null(documents[2].source);
    assert_int_equal(documents[2].seq_no, -1);
}

/* An index may take no document without a routing; then there is none by the _id alone. */
static void test_documents_with_a_routing(void **state)
{
    (void)state;
    const struct slice ids[] = {SLICE_LIT("a"), SLICE_LIT("b")};
    struct es_document documents[2];
    struct err err = {0};
    assert_true(es_mget_read(
        parse("{\"docs\":[{\"_id\":\"a\",\"_version\":1,\"_routing\":\"r\\\"\",\"found\":true},"
              "{\"_id\":\"b\",\"error\":{\"type\":\"routing_missing_exception\"}}]}"),
        ids, documents, 2, &err));
    assert_true(documents[0].found);
    assert_true(slice_is(documents[0].routing, "r\""));
    assert_false(documents[1].found);
    assert_true(slice_is_null(documents[1].routing));
}

static void test_documents_that_are_none(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        enum err_code code;
    } bad[] = {
        {"{}", ERR_PROTOCOL},
        {"{\"docs\":[]}", ERR_PROTOCOL},
        {"{\"docs\":[1]}", ERR_PROTOCOL},
        {"{\"docs\":[{\"found\":false}]}", ERR_PROTOCOL},
        {"{\"docs\":[{\"_id\":7,\"found\":false}]}", ERR_PROTOCOL},
        {"{\"docs\":[{\"_id\":\"other\",\"found\":false}]}", ERR_PROTOCOL},
        {"{\"docs\":[{\"_id\":\"a\",\"found\":true}]}", ERR_PROTOCOL},
        {"{\"docs\":[{\"_id\":\"a\",\"_version\":1e3}]}", ERR_PROTOCOL},
        {"{\"docs\":[{\"_id\":\"a\",\"_version\":99999999999999999999}]}", ERR_PROTOCOL},
        {"{\"docs\":[{\"_id\":\"a\",\"_version\":1,\"_seq_no\":\"x\"}]}", ERR_PROTOCOL},
        {"{\"docs\":[{\"_id\":\"a\",\"error\":{\"type\":\"index_not_found_exception\"}}]}",
         ERR_NOT_FOUND},
        {"{\"docs\":[{\"_id\":\"a\",\"error\":\"IndexMissingException[[x] missing]\"}]}",
         ERR_NOT_FOUND},
        {"{\"docs\":[{\"_id\":\"a\",\"error\":{\"type\":\"no_shard_available\"}}]}",
         ERR_UNAVAILABLE},
    };
    const struct slice ids[] = {SLICE_LIT("a")};
    struct es_document documents[1];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err err = {0};
        if (es_mget_read(parse(bad[i].json), ids, documents, 1, &err))
            fail_msg("%s", bad[i].json);
        if (err.code != bad[i].code)
            fail_msg("%s: %s", bad[i].json, err.text);
    }
}

static void test_searches(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        enum err_code code;
    } cases[] = {
        {"{\"timed_out\":false,\"_shards\":{\"total\":2,\"successful\":2,\"failed\":0},"
         "\"hits\":{\"hits\":[{}]}}",
         ERR_NONE},
        {"{\"_shards\":{\"total\":0,\"successful\":0,\"failed\":0},\"hits\":{\"hits\":[]}}",
         ERR_NONE},
        {"{\"timed_out\":true,\"_shards\":{\"total\":2,\"successful\":2,\"failed\":0},"
         "\"hits\":{\"hits\":[]}}",
         ERR_UNAVAILABLE},
        {"{\"_shards\":{\"total\":5,\"successful\":4,\"failed\":0},\"hits\":{\"hits\":[]}}",
         ERR_UNAVAILABLE},
        {"{\"_shards\":{\"total\":2,\"successful\":1,\"failed\":1,\"failures\":[{\"reason\":{"
         "\"type\":\"t\"}}]},\"hits\":{\"hits\":[]}}",
         ERR_UNAVAILABLE},
        {"{\"hits\":{\"hits\":[]}}", ERR_PROTOCOL},
        {"{\"_shards\":{\"total\":2,\"successful\":2,\"failed\":0}}", ERR_PROTOCOL},
        {"{\"_shards\":{\"failed\":0},\"hits\":{\"hits\":[]}}", ERR_PROTOCOL},
        {"{\"_shards\":{\"total\":2,\"successful\":2,\"failed\":0},\"hits\":{\"hits\":{}}}",
         ERR_PROTOCOL},
        {"[]", ERR_PROTOCOL},
        {"\"x\"", ERR_PROTOCOL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err = {0};
        const struct json_node *hits = es_hits(parse(cases[i].json), &err);
        assert_true((hits != NULL) == (err.code == ERR_NONE));
        if (err.code != cases[i].code)
            fail_msg("%s: %s", cases[i].json, err.text);
    }
}

static void test_mappings(void **state)
{
    (void)state;
    static const struct {
        const char *json, *type, *mapping;
        enum err_code code;
    } cases[] = {
        {"{\"i\":{\"mappings\":{\"properties\":{}}}}", NULL, "{\"properties\":{}}", ERR_NONE},
        {"{\"i\":{\"mappings\":{\"doc\":{\"a\":1}}}}", "doc", "{\"a\":1}", ERR_NONE},
        {"{\"i\":{\"mappings\":{}}}", "doc", "{}", ERR_NONE},
        {"{\"i\":{\"mappings\":{}}}", NULL, "{}", ERR_NONE},
        {"{}", "doc", "{}", ERR_NONE},
        {"{\"i\":{\"mappings\":{\"other\":{}}}}", "doc", NULL, ERR_SCHEMA},
        {"{\"i\":{\"mappings\":{}},\"j\":{\"mappings\":{}}}", NULL, NULL, ERR_SCHEMA},
        {"{\"i\":{}}", NULL, NULL, ERR_PROTOCOL},
        {"{\"i\":7}", NULL, NULL, ERR_PROTOCOL},
        {"[]", NULL, NULL, ERR_PROTOCOL},
        {"{\"i\":{\"mappings\":[]}}", NULL, NULL, ERR_PROTOCOL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err = {0};
        const struct json_node *m = es_mapping_read(parse(cases[i].json), cases[i].type, &err);
        if (err.code != cases[i].code)
            fail_msg("%s: %s", cases[i].json, err.text);
        assert_true(slice_equal(m ? m->raw : SLICE_NULL, slice_str(cases[i].mapping)));
    }
}

int main(void)
{
    doc = json_doc_new();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status_codes),
        cmocka_unit_test(test_error_texts),
        cmocka_unit_test(test_long_error_text),
        cmocka_unit_test(test_bulk_items),
        cmocka_unit_test(test_bulk_answers_that_are_none),
        cmocka_unit_test(test_documents),
        cmocka_unit_test(test_documents_with_a_routing),
        cmocka_unit_test(test_documents_that_are_none),
        cmocka_unit_test(test_searches),
        cmocka_unit_test(test_mappings),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    json_doc_free(doc);
    return failed;
}

/* Every request, byte for byte, in both versions. */
#include "cql/message.h"
#include "cql/prepared.h"
#include "cql/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static struct buf out;

#define EXPECT(bytes)                                           \
    do {                                                        \
        assert_int_equal(out.len, sizeof(bytes) - 1);           \
        assert_memory_equal(out.ptr, bytes, sizeof(bytes) - 1); \
        buf_clear(&out);                                        \
    } while (0)

static const struct cql_value three[] = {
    {CQL_VALUE_SET, SLICE_LIT("ab")},
    {CQL_VALUE_NULL, {NULL, 0}},
    {CQL_VALUE_UNSET, {NULL, 0}},
};
static const struct cql_execution plain = {.consistency = CQL_LOCAL_QUORUM};
static const struct cql_execution full = {
    .consistency = CQL_ONE,
    .page_size = 5000,
    .paging_state = {"PS", 2},
    .has_timestamp = true,
    .timestamp = 0x0102030405060708,
};

static void test_startup(void **state)
{
    (void)state;
    cql_encode_startup(&out, NULL);
    EXPECT("\0\3\0\x0b"
           "CQL_VERSION\0\5"
           "3.0.0\0\x0b"
           "DRIVER_NAME\0\x09"
           "caes-sync\0\x0e"
           "DRIVER_VERSION\0\5" CAES_VERSION);
    cql_encode_startup(&out, "lz4");
    assert_int_equal(out.ptr[1], 4);
    assert_memory_equal(out.ptr + out.len - 18,
                        "\0\x0b"
                        "COMPRESSION\0\3lz4",
                        18);
    buf_clear(&out);
    cql_encode_auth_response(&out, "me", "pw");
    EXPECT("\0\0\0\6\0me\0pw");
    cql_encode_register(&out);
    EXPECT("\0\3\0\x0fTOPOLOGY_CHANGE\0\x0dSTATUS_CHANGE\0\x0dSCHEMA_CHANGE");
}

static void test_query(void **state)
{
    (void)state;
    struct cql_statement statement = {.text = SLICE_LIT("Q")};
    cql_encode_query(&out, 4, &statement, &plain);
    EXPECT("\0\0\0\1Q\0\6\0");
    cql_encode_query(&out, 5, &statement, &plain);
    EXPECT("\0\0\0\1Q\0\6\0\0\0\0");
    statement.values = three;
    statement.value_count = 3;
#define PARAMETERS     \
    "\0\3"             \
    "\0\0\0\2ab"       \
    "\xff\xff\xff\xff" \
    "\xff\xff\xff\xfe" \
    "\0\0\x13\x88"     \
    "\0\0\0\2PS"       \
    "\1\2\3\4\5\6\7\x08"
    cql_encode_query(&out, 4, &statement, &full);
    EXPECT("\0\0\0\1Q\0\1\x2d" PARAMETERS);
    cql_encode_query(&out, 5, &statement, &full);
    EXPECT("\0\0\0\1Q\0\1\0\0\0\x2d" PARAMETERS);
}

static void test_prepare(void **state)
{
    (void)state;
    cql_encode_prepare(&out, 4, SLICE_LIT("Q"));
    EXPECT("\0\0\0\1Q");
    cql_encode_prepare(&out, 5, SLICE_LIT("Q"));
    EXPECT("\0\0\0\1Q\0\0\0\0");
}

static void test_execute(void **state)
{
    (void)state;
    const struct cql_statement statement = {.values = three, .value_count = 1};
    cql_encode_execute(&out, 4, SLICE_LIT("ID"), SLICE_LIT("RID"), false, &statement, &plain);
    EXPECT("\0\2ID\0\6\1\0\1\0\0\0\2ab");
    cql_encode_execute(&out, 5, SLICE_LIT("ID"), SLICE_LIT("RID"), true, &statement, &plain);
    EXPECT("\0\2ID\0\3RID\0\6\0\0\0\3\0\1\0\0\0\2ab");
}

static void test_batch(void **state)
{
    (void)state;
    const struct cql_prepared prepared = {.id = {"ID", 2}};
    const struct cql_statement statements[] = {
        {.prepared = &prepared, .values = three, .value_count = 2},
        {.text = SLICE_LIT("Q")},
    };
#define STATEMENTS                           \
    "\0\2"                                   \
    "\1\0\2ID\0\2\0\0\0\2ab\xff\xff\xff\xff" \
    "\0\0\0\0\1Q\0\0"
    cql_encode_batch(&out, 4, CQL_BATCH_LOGGED, statements, 2, &plain);
    EXPECT("\0" STATEMENTS "\0\6\0");
    cql_encode_batch(&out, 5, CQL_BATCH_UNLOGGED, statements, 2, &full);
    EXPECT("\1" STATEMENTS "\0\1\0\0\0\x20\1\2\3\4\5\6\7\x08");
}

/* What is sent after the caller's memory is gone. */
static void test_request_copies(void **state)
{
    (void)state;
    char text[] = "Q", value[] = "ab", paging[] = "PS";
    struct cql_value values[] = {{CQL_VALUE_SET, slice_of(value, 2)}, three[1], three[2]};
    struct cql_statement statement = {
        .text = slice_of(text, 1), .values = values, .value_count = 3};
    struct cql_execution execution = full;
    execution.paging_state = slice_of(paging, 2);
    struct cql_request *r = cql_request_new(CQL_REQUEST_QUERY, &statement, 1, &execution, NULL);
    memset(text, 'X', 1);
    memset(value, 'X', 2);
    memset(paging, 'X', 2);
    memset(values, 0xff, sizeof values);
    memset(&statement, 0xff, sizeof statement);
    assert_int_equal(cql_request_opcode(r), CQL_OP_QUERY);
    cql_request_encode(r, 5, &out);
    EXPECT("\0\0\0\1Q\0\1\0\0\0\x2d" PARAMETERS);
    free(r);
}

/* Without an id of the columns (v4), rows must not come without them. */
static void test_metadata_is_skipped_only_when_safe(void **state)
{
    (void)state;
    struct cql_shape shape = {.id = SLICE_LIT("RID"), .metadata = {.count = 1}};
    const struct cql_prepared prepared = {.id = {"ID", 2}, .columns = &shape};
    const struct cql_statement statement = {.prepared = &prepared};
    struct cql_request *r = cql_request_new(CQL_REQUEST_QUERY, &statement, 1, &plain, NULL);
    assert_int_equal(cql_request_opcode(r), CQL_OP_EXECUTE);
    cql_request_encode(r, 4, &out);
    EXPECT("\0\2ID\0\6\0");
    assert_null(r->shape);
    cql_request_encode(r, 5, &out);
    EXPECT("\0\2ID\0\3RID\0\6\0\0\0\2");
    assert_ptr_equal(r->shape, &shape);
    shape.metadata.count = 0; /* a conditional write answers with columns of its own */
    cql_request_encode(r, 5, &out);
    EXPECT("\0\2ID\0\3RID\0\6\0\0\0\0");
    assert_null(r->shape);
    free(r);
}

static int free_out(void **state)
{
    (void)state;
    buf_free(&out);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_startup),
        cmocka_unit_test(test_query),
        cmocka_unit_test(test_prepare),
        cmocka_unit_test(test_execute),
        cmocka_unit_test(test_batch),
        cmocka_unit_test(test_request_copies),
        cmocka_unit_test(test_metadata_is_skipped_only_when_safe),
    };
    return cmocka_run_group_tests(tests, NULL, free_out);
}

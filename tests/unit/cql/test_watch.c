/* What is told of requests for measurements: each that was taken, once, and its end, once. */
#include "cql/fake.h"
#include "cql/sync.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct cql_execution one = {.consistency = CQL_ONE, .timeout_ms = 2000};

static struct told {
    int begun[4], ended[4], failed[4];
    enum err_code last;
    uint64_t longest_us;
} told;

static void on_begun(void *ctx, enum cql_operation operation)
{
    struct told *t = ctx;
    t->begun[operation]++;
}

static void on_ended(void *ctx, enum cql_operation operation, uint64_t took_us,
                     const struct err *err)
{
    struct told *t = ctx;
    t->ended[operation]++;
    if (took_us > t->longest_us)
        t->longest_us = took_us;
    if (!err)
        return;
    t->failed[operation]++;
    t->last = err->code;
}

static int forget;

static void answer(struct fake *fake, const struct fake_request *r)
{
    (void)fake;
    if (r->opcode == CQL_OP_PREPARE)
        fake_prepared(r->peer, r->stream, SLICE_LIT("ID"), "S", "S");
    else if (memmem(r->body.ptr, r->body.len, "busy", 4))
        fake_error(r->peer, r->stream, 0x1001, "overloaded");
    else if (memmem(r->body.ptr, r->body.len, "hang", 4))
        return;
    else if (r->opcode == CQL_OP_EXECUTE && forget-- > 0)
        fake_unprepared(r->peer, r->stream, SLICE_LIT("ID"));
    else
        fake_void(r->peer, r->stream);
}

static void check(enum cql_operation operation, int count, int failed)
{
    assert_int_equal(told.begun[operation], count);
    assert_int_equal(told.ended[operation], count);
    assert_int_equal(told.failed[operation], failed);
}

static void test_told(void **state)
{
    (void)state;
    struct fake node = {.on_request = answer};
    fake_start(&node, sync_loop());
    const char *point = node.address;
    struct cql_client *client = sync_client(
        &(struct cql_options){.contact_points = &point,
                              .contact_point_count = 1,
                              .connections = 1,
                              .watch = {.begun = on_begun, .ended = on_ended, .ctx = &told}});
    assert_int_equal(sync_connect(client).err.code, ERR_NONE);
    sync_query(client, "SELECT 1");
    sync_query(client, "INSERT INTO t");
    check(CQL_OPERATION_READ, 1, 0);
    check(CQL_OPERATION_WRITE, 1, 0);
    sync_query(client, "UPDATE busy");
    check(CQL_OPERATION_WRITE, 2, 1);
    assert_int_equal(told.last, ERR_OVERLOADED);

    const struct cql_prepared *prepared = sync_prepare(client, "SELECT ?").prepared;
    check(CQL_OPERATION_PREPARE, 1, 0);
    sync_prepare(client, "SELECT ?"); /* known: nothing is sent */
    check(CQL_OPERATION_PREPARE, 1, 0);
    forget = 1;
    const struct cql_statement statement = {.prepared = prepared};
    assert_int_equal(sync_execute(client, &statement, &one).err.code, ERR_NONE);
    check(CQL_OPERATION_READ, 2, 0); /* sent twice, one request */
    check(CQL_OPERATION_PREPARE, 2, 0);
    assert_int_equal(sync_batch(client, CQL_BATCH_LOGGED, &statement, 1, &one).err.code, ERR_NONE);
    check(CQL_OPERATION_BATCH, 1, 0);

    assert_true(told.longest_us < 1000000);
    const struct cql_statement hang = {.text = SLICE_LIT("SELECT hang")};
    const struct cql_execution brief = {.consistency = CQL_ONE, .timeout_ms = 60};
    assert_int_equal(sync_execute(client, &hang, &brief).err.code, ERR_TIMEOUT);
    check(CQL_OPERATION_READ, 3, 1);
    assert_in_range(told.longest_us, 50000, 10000000);

    struct sync_outcome late = {0};
    assert_true(cql_execute(client, &hang, &one, sync_on_result, &late, NULL));
    sync_close(client);
    check(CQL_OPERATION_READ, 4, 2);
    assert_int_equal(told.last, ERR_CANCELLED);
    fake_close(&node);
    sync_reset();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_told)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

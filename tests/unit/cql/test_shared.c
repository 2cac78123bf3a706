/* Clients beside each other: one set of connections, and neither suffers from the other. */
#include "cql/fake.h"
#include "cql/sync.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { HELD_MAX = 64 };

static const struct cql_execution once = {.consistency = CQL_ONE};

static struct fake node;
static struct cql_options options;
static const char *point;

/* What the node has not answered yet. */
static struct {
    struct fake_peer *peer;
    int stream;
    char client; /* the first letter of the statement */
} held[HELD_MAX];
static int held_count;

static int setup(void **state)
{
    (void)state;
    node = (struct fake){0};
    held_count = 0;
    fake_start(&node, sync_loop());
    point = node.address;
    options = (struct cql_options){
        .contact_points = &point,
        .contact_point_count = 1,
        .connect_timeout_ms = 10000,
        .request_timeout_ms = 10000,
    };
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake_close(&node);
    sync_reset();
    return 0;
}

static void hold(struct fake *fake, const struct fake_request *r)
{
    (void)fake;
    assert_true(held_count < HELD_MAX);
    held[held_count].peer = r->peer;
    held[held_count].stream = r->stream;
    held[held_count++].client = r->body.len > 4 ? r->body.ptr[4] : '\0';
}

static struct cql_client *beside(const struct cql_client *other)
{
    struct cql_options own = options;
    own.beside = other;
    return sync_client(&own);
}

static void assert_connects(struct cql_client *client)
{
    struct sync_outcome o = sync_connect(client);
    if (o.err.code != ERR_NONE)
        fail_msg("%s", o.err.text);
}

static void start(struct cql_client *client, const char *text, struct sync_outcome *o)
{
    const struct cql_statement statement = {.text = slice_str(text)};
    *o = (struct sync_outcome){0};
    assert_true(cql_execute(client, &statement, &once, sync_on_result, o, NULL));
}

static void count_event(void *ctx, const struct cql_event *event)
{
    (void)event;
    ++*(int *)ctx;
}

static void test_one_set_of_connections(void **state)
{
    (void)state;
    struct cql_client *first = beside(NULL);
    assert_connects(first);
    struct cql_client *second = beside(first), *third = beside(second);
    assert_connects(second);
    assert_connects(third);
    assert_string_equal(cql_release_version(third), "9.8.7");
    assert_int_equal(cql_protocol_version(third), 5);
    assert_int_equal(sync_query(first, "INSERT").err.code, ERR_NONE);
    assert_int_equal(sync_query(second, "INSERT").err.code, ERR_NONE);
    UNTIL(node.connections == 2 && node.registers == 1 && node.topologies == 1);
    sync_turn(50);
    assert_int_equal(node.connections, 2);
    assert_int_equal(node.registers, 1);
    assert_int_equal(node.topologies, 1);
    sync_close(second);
    sync_close(first);
    assert_int_equal(sync_query(third, "INSERT").err.code, ERR_NONE);
    assert_int_equal(node.connections, 2);
    sync_close(third);
    UNTIL(node.open == 0);
    assert_int_equal(node.open, 0);
}

/* Both ask at once, and a third one when all is lost already. */
static void test_connecting(void **state)
{
    (void)state;
    fake_stop_listening(&node);
    struct cql_client *first = beside(NULL), *second = beside(first);
    struct sync_outcome one = {0}, two = {0};
    assert_true(cql_connect(first, sync_on_done, &one, NULL));
    assert_true(cql_connect(second, sync_on_done, &two, NULL));
    sync_run(&one);
    sync_run(&two);
    assert_int_equal(one.err.code, ERR_CONNECTION);
    assert_int_equal(two.err.code, ERR_CONNECTION);
    struct cql_client *third = beside(first);
    assert_int_equal(sync_connect(third).err.code, ERR_CONNECTION);
    fake_listen_again(&node, sync_loop());
    assert_int_equal(sync_query(third, "INSERT").err.code, ERR_NONE);
    assert_int_equal(sync_query(first, "INSERT").err.code, ERR_NONE);
    sync_close(first);
    sync_close(second);
    sync_close(third);
}

static void test_one_leaves_at_once(void **state)
{
    (void)state;
    struct cql_client *first = beside(NULL), *second = beside(first);
    struct sync_outcome one = {0};
    assert_connects(first);
    assert_true(cql_connect(second, sync_on_done, &one, NULL));
    assert_false(one.done);
    sync_close(second);
    assert_int_equal(one.err.code, ERR_CANCELLED);
    assert_int_equal(sync_query(first, "INSERT").err.code, ERR_NONE);
    /* Who is leaving shares nothing any more. */
    cql_client_close(first, NULL, NULL);
    sync_forget();
    const int connections = node.connections;
    struct cql_client *third = beside(first);
    assert_connects(third);
    assert_true(node.connections > connections);
    sync_close(third);
}

/* Its requests end, those of the other go on, though they are on the same connection. */
static void test_requests_of_one_that_leaves(void **state)
{
    (void)state;
    options.connections = 1;
    struct cql_client *first = beside(NULL), *second = beside(first);
    assert_connects(first);
    assert_connects(second);
    UNTIL(node.topologies == 1);
    node.on_request = hold;
    struct sync_outcome a, b, late;
    start(first, "a", &a);
    start(second, "b", &b);
    UNTIL(held_count == 2);
    start(first, "a", &late); /* not sent yet */
    sync_close(first);
    assert_int_equal(a.err.code, ERR_CANCELLED);
    assert_int_equal(late.err.code, ERR_CANCELLED);
    assert_false(b.done);
    for (int i = 0; i < held_count; i++)
        fake_void(held[i].peer, held[i].stream);
    sync_run(&b);
    assert_int_equal(b.err.code, ERR_NONE);
    assert_int_equal(node.open, 1);
    sync_close(second);
}

/* Many that wait of one client let those of the other pass. */
static void test_turns(void **state)
{
    (void)state;
    enum { MANY = 30, AT_ONCE = 4 };
    options.connections = 1;
    options.in_flight = AT_ONCE;
    struct cql_client *greedy = beside(NULL), *modest = beside(greedy);
    assert_connects(greedy);
    assert_connects(modest);
    UNTIL(node.topologies == 1);
    node.on_request = hold;
    struct sync_outcome many[MANY], few[3];
    for (int i = 0; i < MANY; i++)
        start(greedy, "greedy", &many[i]);
    UNTIL(held_count == AT_ONCE);
    for (int i = 0; i < 3; i++)
        start(modest, "modest", &few[i]);
    sync_turn(20);
    assert_int_equal(held_count, AT_ONCE);
    for (int i = 0; i < 6; i++) { /* one answer makes room for one */
        fake_void(held[i].peer, held[i].stream);
        UNTIL(held_count == AT_ONCE + i + 1);
        assert_int_equal(held_count, AT_ONCE + i + 1);
    }
    int modest_ones = 0;
    for (int i = AT_ONCE; i < held_count; i++)
        modest_ones += held[i].client == 'm';
    assert_int_equal(modest_ones, 3);
    node.on_request = NULL;
    for (int i = 6; i < held_count; i++)
        fake_void(held[i].peer, held[i].stream);
    UNTIL(many[MANY - 1].done && few[2].done);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(many[i].err.code, ERR_NONE);
    for (int i = 0; i < 3; i++)
        assert_int_equal(few[i].err.code, ERR_NONE);
    sync_close(greedy);
    sync_close(modest);
}

static void test_events(void **state)
{
    (void)state;
    int one = 0, two = 0;
    struct cql_client *first = beside(NULL), *second = beside(first);
    cql_on_event(first, count_event, &one);
    cql_on_event(second, count_event, &two);
    assert_connects(second);
    UNTIL(node.registers == 1 && node.topologies == 1);
    struct fake_peer *peer = node.peers;
    while (fake_next(peer))
        peer = fake_next(peer);
    fake_event(peer, "STATUS_CHANGE", "UP", 9042);
    UNTIL(one && two);
    assert_int_equal(one, 1);
    assert_int_equal(two, 1);
    sync_close(first);
    fake_event(peer, "STATUS_CHANGE", "UP", 9042);
    UNTIL(two == 2);
    assert_int_equal(one, 1);
    assert_int_equal(two, 2);
    sync_close(second);
}

static void answer_prepares(struct fake *fake, const struct fake_request *r)
{
    (void)fake;
    if (r->opcode == CQL_OP_PREPARE)
        fake_prepared(r->peer, r->stream, SLICE_LIT("ID"), "S", "S");
    else
        fake_void(r->peer, r->stream);
}

/* The handle lives as long as its own client. */
static void test_statements(void **state)
{
    (void)state;
    node.on_request = answer_prepares;
    struct cql_client *first = beside(NULL), *second = beside(first);
    assert_connects(first);
    assert_connects(second);
    const struct cql_prepared *theirs = sync_prepare(first, "SELECT ?").prepared;
    const struct cql_prepared *ours = sync_prepare(second, "SELECT ?").prepared;
    assert_ptr_not_equal(theirs, ours);
    assert_int_equal(node.prepares, 2);
    sync_close(first);
    const struct cql_value value = {.bytes = SLICE_LIT("\0\0\0\1")};
    const struct cql_statement statement = {.prepared = ours, .values = &value, .value_count = 1};
    assert_int_equal(sync_execute(second, &statement, &once).err.code, ERR_NONE);
    sync_close(second);
}

/* A connection that breaks is each client's affair: all are called back. */
static void test_lost(void **state)
{
    (void)state;
    options.connections = 1;
    struct cql_client *first = beside(NULL), *second = beside(first);
    assert_connects(first);
    assert_connects(second);
    UNTIL(node.topologies == 1);
    node.on_request = hold;
    struct sync_outcome a, b;
    start(first, "a", &a);
    start(second, "b", &b);
    UNTIL(held_count == 2);
    node.on_request = NULL;
    fake_reset(node.peers);
    UNTIL(a.done && b.done);
    assert_int_equal(a.err.code, ERR_CONNECTION);
    assert_int_equal(b.err.code, ERR_CONNECTION);
    assert_int_equal(sync_query(first, "INSERT").err.code, ERR_NONE);
    assert_int_equal(sync_query(second, "INSERT").err.code, ERR_NONE);
    assert_int_equal(node.connections, 2);
    sync_close(second);
    sync_close(first);
}

/* Both ask, one in vain. */
static void wear_out(struct cql_client *patient, struct cql_client *impatient,
                     struct sync_outcome *waits)
{
    struct sync_outcome in_vain[15];
    held_count = 0;
    start(patient, "P", waits);
    UNTIL(held_count == 1);
    for (size_t i = 0; i < ARRAY_LEN(in_vain); i++)
        start(impatient, "I", &in_vain[i]);
    for (size_t i = 0; i < ARRAY_LEN(in_vain); i++) {
        sync_run(&in_vain[i]);
        assert_int_equal(in_vain[i].err.code, ERR_TIMEOUT);
    }
    assert_false(waits->done);
}

/* What one gives up does not break what the other one waits for, unless that is in vain too. */
static void test_one_gives_up(void **state)
{
    (void)state;
    struct sync_outcome waits;
    node.on_request = hold;
    options.in_flight = 40;
    options.connections = 1;
    options.heartbeat_ms = 1000;
    struct cql_client *patient = beside(NULL);
    options.request_timeout_ms = 100;
    struct cql_client *impatient = beside(patient);
    assert_connects(patient);
    assert_connects(impatient);
    wear_out(patient, impatient, &waits);
    fake_int(held[0].peer, held[0].stream, 1);
    sync_run(&waits);
    assert_int_equal(waits.err.code, ERR_NONE);
    UNTIL(node.connections == 2 && cql_is_up(patient));
    assert_int_equal(node.connections, 2);

    wear_out(patient, impatient, &waits);
    sync_run(&waits);
    assert_int_equal(waits.err.code, ERR_CONNECTION);
    UNTIL(node.connections == 3);
    assert_int_equal(node.connections, 3);
    sync_close(impatient);
    sync_close(patient);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_set_of_connections, setup, teardown),
        cmocka_unit_test_setup_teardown(test_connecting, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_leaves_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_requests_of_one_that_leaves, setup, teardown),
        cmocka_unit_test_setup_teardown(test_turns, setup, teardown),
        cmocka_unit_test_setup_teardown(test_events, setup, teardown),
        cmocka_unit_test_setup_teardown(test_statements, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lost, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_gives_up, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

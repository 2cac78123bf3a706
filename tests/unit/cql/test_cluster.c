/* Several scripted nodes: which of them get connections, and which get what. */
#include "cql/fake.h"
#include "cql/sync.h"
#include "cql/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { NODES = 3 };

static const struct cql_execution one = {.consistency = CQL_ONE};
static const char *const tokens[NODES] = {"-6000000000000000000", "0", "6000000000000000000"};

static struct fake nodes[NODES];
static struct fake *others[NODES][NODES];
static struct cql_options options;
static const char *points[2];
static int served[NODES]; /* requests answered well */

static void answer(struct fake *fake, const struct fake_request *r)
{
    if (r->opcode == CQL_OP_PREPARE) {
        fake_prepared(r->peer, r->stream, SLICE_LIT("ID"), "S", "value");
        return;
    }
    served[fake - nodes]++;
    fake_int(r->peer, r->stream, (int)(fake - nodes));
}

/* Node a and node b know of each other. */
static void acquaint(int a, int b)
{
    others[a][nodes[a].other_count++] = &nodes[b];
    others[b][nodes[b].other_count++] = &nodes[a];
}

static int setup(void **state)
{
    (void)state;
    for (int i = 0; i < NODES; i++) {
        nodes[i] = (struct fake){
            .token = tokens[i], .others = others[i], .keyed = true, .on_request = answer};
        fake_start(&nodes[i], sync_loop());
        served[i] = 0;
    }
    points[0] = nodes[0].address;
    options = (struct cql_options){
        .contact_points = points, .contact_point_count = 1, .request_timeout_ms = 5000};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (int i = 0; i < NODES; i++)
        fake_close(&nodes[i]);
    sync_reset();
    return 0;
}

#define EXPECT(condition) \
    UNTIL(condition);     \
    assert_true(condition)

static struct cql_client *connected(void)
{
    struct cql_client *client = sync_client(&options);
    const struct sync_outcome o = sync_connect(client);
    if (o.err.code != ERR_NONE)
        fail_msg("%s", o.err.text);
    return client;
}

/* All three are there, with two connections each. */
static struct cql_client *connected_to_all(void)
{
    acquaint(0, 1);
    acquaint(0, 2);
    acquaint(1, 2);
    struct cql_client *client = connected();
    EXPECT(nodes[0].open == 2 && nodes[1].open == 2 && nodes[2].open == 2);
    sync_turn(50);
    return client;
}

static struct sync_outcome ask(struct cql_client *client)
{
    return sync_query(client, "SELECT x");
}

static void test_the_others_are_found(void **state)
{
    (void)state;
    struct cql_client *client = connected_to_all();
    for (int i = 0; i < 30; i++)
        assert_int_equal(ask(client).err.code, ERR_NONE);
    for (int i = 0; i < NODES; i++)
        assert_true(served[i] >= 5);
    sync_close(client);
}

/* Before Cassandra 4.0: without ports. */
static void test_the_others_are_found_by_the_old_table(void **state)
{
    (void)state;
    nodes[0].old = nodes[1].old = true;
    acquaint(0, 1);
    options.port = nodes[1].port;
    struct cql_client *client = connected();
    EXPECT(nodes[1].open == 2);
    sync_close(client);
}

static int owner_of(int value)
{
    char bytes[4];
    const int64_t token = cql_token(cql_encode_i32(bytes, value));
    for (int i = 0; i < NODES; i++)
        if (token <= atoll(tokens[i]))
            return i;
    return 0;
}

static struct sync_outcome execute(struct cql_client *client, const struct cql_prepared *prepared,
                                   int value, bool batch)
{
    char bytes[4];
    const struct cql_value v = cql_value_of(cql_encode_i32(bytes, value));
    const struct cql_statement statement = {.prepared = prepared, .values = &v, .value_count = 1};
    return batch ? sync_batch(client, CQL_BATCH_UNLOGGED, &statement, 1, &one)
                 : sync_execute(client, &statement, &one);
}

static void test_a_key_goes_to_its_node(void **state)
{
    (void)state;
    struct cql_client *client = connected_to_all();
    const struct cql_prepared *prepared = sync_prepare(client, "SELECT y").prepared;
    int owned[NODES] = {0};
    for (int value = 0; value < 60; value++) {
        const struct sync_outcome o = execute(client, prepared, value, value % 3 == 0);
        assert_int_equal(o.err.code, ERR_NONE);
        assert_int_equal(cql_decode_int(o.cells[0]), owner_of(value));
        owned[owner_of(value)]++;
    }
    for (int i = 0; i < NODES; i++)
        assert_int_equal(owned[i], served[i]);

    /* A value that is null has no place on the ring. */
    const struct cql_value null = {.kind = CQL_VALUE_NULL};
    const struct cql_statement statement = {
        .prepared = prepared, .values = &null, .value_count = 1};
    assert_int_equal(sync_execute(client, &statement, &one).err.code, ERR_NONE);
    sync_close(client);
}

static void never(struct fake *fake, const struct fake_request *r)
{
    (void)fake;
    (void)r;
}

static void test_a_node_that_fails(void **state)
{
    (void)state;
    struct cql_client *client = connected_to_all();
    const struct cql_prepared *read = sync_prepare(client, "SELECT y").prepared;
    const struct cql_prepared *write = sync_prepare(client, "UPDATE y").prepared;
    int value = 0;
    while (owner_of(value) != 2)
        value++;
    char bytes[4];
    const struct cql_value v = cql_value_of(cql_encode_i32(bytes, value));
    for (int i = 0; i < 3; i++) { /* a read; a write that says so; any other write */
        nodes[2].on_request = never;
        const struct cql_execution how = {.consistency = CQL_ONE, .repeatable = i == 1};
        const struct cql_statement statement = {
            .prepared = i == 0 ? read : write, .values = &v, .value_count = 1};
        struct sync_outcome o = {0};
        const int before = nodes[2].requests;
        assert_true(cql_execute(client, &statement, &how, sync_on_result, &o, NULL));
        EXPECT(nodes[2].requests > before);
        assert_false(o.done);
        fake_stop_listening(&nodes[2]);
        while (nodes[2].open > 0) {
            for (struct fake_peer *p = nodes[2].peers; p; p = fake_next(p))
                fake_reset(p);
            sync_turn(5);
        }
        sync_run(&o);
        if (i < 2) {
            assert_int_equal(o.err.code, ERR_NONE);
            assert_int_not_equal(cql_decode_int(o.cells[0]), 2);
        } else {
            assert_int_equal(o.err.code, ERR_CONNECTION);
        }
        assert_int_equal(execute(client, read, value, false).err.code, ERR_NONE);
        nodes[2].on_request = answer;
        fake_listen_again(&nodes[2], sync_loop());
        EXPECT(nodes[2].open == 2);
        sync_turn(50);
        assert_int_equal(cql_decode_int(execute(client, read, value, false).cells[0]), 2);
    }
    sync_close(client);
}

/* Connections that stay open, but bring nothing. */
static void test_a_node_that_stands_still(void **state)
{
    (void)state;
    options.request_timeout_ms = 1000;
    struct cql_client *client = connected_to_all();
    nodes[2].dead = true;
    const uint64_t start = uv_hrtime();
    struct sync_outcome o[60] = {{0}};
    const struct cql_statement statement = {.text = SLICE_LIT("SELECT x")};
    for (int i = 0; i < 60; i++)
        assert_true(cql_execute(client, &statement, &one, sync_on_result, &o[i], NULL));
    for (int i = 0; i < 60; i++) {
        sync_run(&o[i]);
        assert_int_equal(o[i].err.code, ERR_NONE);
    }
    assert_true(uv_hrtime() - start > 450 * 1000000ull);
    const struct cql_statement write = {.text = SLICE_LIT("UPDATE x")};
    unsigned late = 0;
    for (int i = 0; i < 3; i++)
        late += sync_execute(client, &write, &one).err.code == ERR_TIMEOUT;
    assert_true(late > 0);
    sync_close(client);
}

static int refusals;

static void refuse(struct fake *fake, const struct fake_request *r)
{
    if (refusals-- > 0)
        fake_error(r->peer, r->stream, 0x1000, "too few");
    else
        answer(fake, r);
}

static void test_what_a_node_refuses_for_now(void **state)
{
    (void)state;
    struct cql_client *client = connected_to_all();
    for (int i = 0; i < NODES; i++)
        nodes[i].on_request = refuse;
    refusals = 3;
    assert_int_equal(ask(client).err.code, ERR_NONE);
    refusals = 1000;
    assert_int_equal(ask(client).err.code, ERR_UNAVAILABLE);
    assert_int_equal(refusals, 1000 - 6);
    refusals = 1;
    assert_int_equal(sync_query(client, "UPDATE x").err.code, ERR_UNAVAILABLE);

    refusals = 1000; /* the deadline comes in a pause */
    const struct cql_statement statement = {.text = SLICE_LIT("SELECT x")};
    const struct cql_execution soon = {.consistency = CQL_ONE, .timeout_ms = 80};
    assert_int_equal(sync_execute(client, &statement, &soon).err.code, ERR_TIMEOUT);
    struct sync_outcome o = {0}; /* the client is closed in a pause */
    assert_true(cql_execute(client, &statement, &one, sync_on_result, &o, NULL));
    sync_turn(20);
    sync_close(client);
    assert_int_equal(o.err.code, ERR_CANCELLED);
}

static void test_data_centers(void **state)
{
    (void)state;
    nodes[0].datacenter = "far";
    nodes[1].datacenter = nodes[2].datacenter = "near";
    options.local_datacenter = "near";
    acquaint(0, 1);
    acquaint(0, 2);
    acquaint(1, 2);
    struct cql_client *client = connected();
    EXPECT(nodes[0].open == 0 && nodes[1].open == 2 && nodes[2].open == 2);
    for (int i = 0; i < 20; i++)
        assert_int_equal(ask(client).err.code, ERR_NONE);
    assert_int_equal(served[0], 0);
    assert_true(served[1] > 0 && served[2] > 0);
    /* No other data center stands in. */
    for (int i = 1; i < NODES; i++) {
        fake_stop_listening(&nodes[i]);
        for (struct fake_peer *p = nodes[i].peers; p; p = fake_next(p))
            fake_hang_up(p);
    }
    const struct cql_statement statement = {.text = SLICE_LIT("SELECT x")};
    const struct cql_execution soon = {.consistency = CQL_ONE, .timeout_ms = 500};
    assert_int_equal(sync_execute(client, &statement, &soon).err.code, ERR_CONNECTION);
    assert_int_equal(served[0], 0);
    fake_listen_again(&nodes[1], sync_loop());
    assert_int_equal(ask(client).err.code, ERR_NONE);
    sync_close(client);
}

static void test_no_node_in_the_data_center(void **state)
{
    (void)state;
    nodes[0].datacenter = "far";
    options.local_datacenter = "near";
    acquaint(0, 1); /* "dc1" */
    struct cql_client *client = sync_client(&options);
    const struct sync_outcome o = sync_connect(client);
    assert_int_equal(o.err.code, ERR_CONFIG);
    assert_non_null(strstr(o.err.text, "\"near\""));
    assert_non_null(strstr(o.err.text, "\"far\""));
    assert_non_null(strstr(o.err.text, "\"dc1\""));
    sync_close(client);

    nodes[1].datacenter = "near"; /* there is one, which is down */
    fake_stop_listening(&nodes[1]);
    sync_turn(5);
    client = sync_client(&options);
    assert_int_equal(sync_connect(client).err.code, ERR_CONNECTION);
    fake_listen_again(&nodes[1], sync_loop());
    assert_int_equal(ask(client).err.code, ERR_NONE);
    assert_int_equal(served[1], 1);
    sync_close(client);
}

static void test_nodes_come_and_go(void **state)
{
    (void)state;
    acquaint(0, 1);
    struct cql_client *client = connected();
    EXPECT(nodes[1].open == 2);
    assert_int_equal(nodes[2].open, 0);
    acquaint(0, 2);
    for (struct fake_peer *p = nodes[0].peers; p; p = fake_next(p))
        fake_event(p, "TOPOLOGY_CHANGE", "NEW_NODE", nodes[2].port);
    EXPECT(nodes[2].open == 2);
    nodes[0].other_count = 0;
    acquaint(0, 2);
    for (struct fake_peer *p = nodes[0].peers; p; p = fake_next(p))
        fake_event(p, "TOPOLOGY_CHANGE", "REMOVED_NODE", nodes[1].port);
    EXPECT(nodes[1].open == 0);
    for (int i = 0; i < 20; i++)
        assert_int_equal(ask(client).err.code, ERR_NONE);
    assert_int_equal(served[1], 0);
    sync_close(client);
}

static void test_a_node_that_is_up_again(void **state)
{
    (void)state;
    acquaint(0, 1);
    struct cql_client *client = connected();
    while (nodes[1].connections < 7 || nodes[1].open > 0) {
        for (struct fake_peer *p = nodes[1].peers; p; p = fake_next(p))
            fake_reset(p);
        sync_turn(5);
    }
    /* It has failed six times at least: the back-off that begins now is 1.6 s or more. */
    for (struct fake_peer *p = nodes[0].peers; p; p = fake_next(p))
        fake_event(p, "STATUS_CHANGE", "UP", nodes[1].port);
    for (int tries = 0; tries < 150 && nodes[1].open < 2; tries++)
        sync_turn(10);
    assert_int_equal(nodes[1].open, 2);
    sync_close(client);
}

static void test_two_ways_to_one_node(void **state)
{
    (void)state;
    nodes[0].node = nodes[1].node = 7;
    points[1] = nodes[1].address;
    options.contact_point_count = 2;
    struct cql_client *client = connected();
    EXPECT(nodes[0].open + nodes[1].open == 2 && nodes[0].topologies + nodes[1].topologies == 1);
    const int first = nodes[0].open ? 0 : 1;
    assert_int_equal(nodes[first].open, 2);
    /* The other one is taken when this one fails. */
    fake_stop_listening(&nodes[first]);
    for (struct fake_peer *p = nodes[first].peers; p; p = fake_next(p))
        fake_reset(p);
    assert_int_equal(ask(client).err.code, ERR_NONE);
    assert_int_equal(served[1 - first], 1);
    sync_close(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_others_are_found, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_others_are_found_by_the_old_table, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_key_goes_to_its_node, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_node_that_fails, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_node_that_stands_still, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_a_node_refuses_for_now, setup, teardown),
        cmocka_unit_test_setup_teardown(test_data_centers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_node_in_the_data_center, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nodes_come_and_go, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_node_that_is_up_again, setup, teardown),
        cmocka_unit_test_setup_teardown(test_two_ways_to_one_node, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The client against scripted nodes: every request is called back once, with the right code. */
#include "cql/fake.h"
#include "cql/pki.h"
#include "cql/sync.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static const struct cql_execution one = {.consistency = CQL_ONE};

static struct fake node;
static struct cql_options options;
static const char *points[4];

static void configure(void)
{
    points[0] = node.address;
    options = (struct cql_options){
        .contact_points = points,
        .contact_point_count = 1,
        .connections = 1,
        .connect_timeout_ms = 10000,
        .request_timeout_ms = 10000,
    };
}

static int setup(void **state)
{
    (void)state;
    node = (struct fake){0};
    fake_start(&node, sync_loop());
    configure();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake_close(&node);
    sync_reset();
    return 0;
}

static struct cql_client *new_client(void)
{
    return sync_client(&options);
}

static struct cql_client *connected_to_any(void)
{
    struct cql_client *client = new_client();
    struct sync_outcome o = sync_connect(client);
    if (o.err.code != ERR_NONE)
        fail_msg("%s", o.err.text);
    return client;
}

static struct cql_client *connected(void)
{
    const int topologies = node.topologies;
    struct cql_client *client = connected_to_any();
    UNTIL(node.topologies > topologies);
    assert_int_equal(node.topologies, topologies + 1);
    return client;
}

/* Many queries "echo <i>" at once. */
struct many {
    struct sync_outcome *outcomes;
    unsigned count, left;
};

static struct many start_many(struct cql_client *client, unsigned count)
{
    struct many many = {.outcomes = calloc(count, sizeof(struct sync_outcome)), .count = count};
    unsigned *left = malloc(sizeof *left);
    *left = count;
    for (unsigned i = 0; i < count; i++) {
        char text[32];
        snprintf(text, sizeof text, "echo %u", i);
        const struct cql_statement statement = {.text = slice_str(text)};
        many.outcomes[i].left = left;
        assert_true(cql_execute(client, &statement, &one, sync_on_result, &many.outcomes[i], NULL));
    }
    return many;
}

static void end_many(struct many *many)
{
    sync_run(&many->outcomes[0]);
}

static void free_many(struct many *many)
{
    free(many->outcomes[0].left);
    free(many->outcomes);
}

static void all_have(const struct many *many, enum err_code code)
{
    for (unsigned i = 0; i < many->count; i++) {
        assert_true(many->outcomes[i].done);
        if (many->outcomes[i].err.code != code)
            fail_msg("request %u: %s (%s)", i, err_code_name(many->outcomes[i].err.code),
                     many->outcomes[i].err.text);
    }
}

static int echo_of(const struct fake_request *r)
{
    char text[32] = "";
    const char *at = memmem(r->body.ptr, r->body.len, "echo ", 5);
    if (!at)
        return -1;
    const size_t len = (size_t)(r->body.ptr + r->body.len - at);
    memcpy(text, at, len < 31 ? len : 31);
    return atoi(text + 5);
}

static void echo(struct fake *fake, const struct fake_request *r)
{
    (void)fake;
    fake_int(r->peer, r->stream, echo_of(r));
}

static void assert_echo(struct cql_client *client)
{
    struct many many = start_many(client, 3);
    end_many(&many);
    all_have(&many, ERR_NONE);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(cql_decode_int(many.outcomes[i].cells[0]), i);
    free_many(&many);
}

/* --- order and cuts --- */

enum { HELD = 40 };
static struct {
    struct fake_peer *peer;
    int stream, value;
} held[HELD];
static int held_count;

static void hold(struct fake *fake, const struct fake_request *r)
{
    (void)fake;
    held[held_count].peer = r->peer;
    held[held_count].stream = r->stream;
    held[held_count++].value = echo_of(r);
    if (held_count < HELD)
        return;
    for (int i = 0; i < HELD; i++) {
        const int at = (i * 23 + 5) % HELD;
        fake_int(held[at].peer, held[at].stream, held[at].value);
    }
}

static void test_any_order(void **state)
{
    (void)state;
    held_count = 0;
    node.on_request = hold;
    struct cql_client *client = connected();
    assert_string_equal(cql_release_version(client), "9.8.7");
    const int segments = node.segments;
    struct many many = start_many(client, HELD);
    end_many(&many);
    all_have(&many, ERR_NONE);
    for (int i = 0; i < HELD; i++)
        assert_int_equal(cql_decode_int(many.outcomes[i].cells[0]), i);
    free_many(&many);
    /* Queued in one turn: one segment. */
    assert_int_equal(node.segments, segments + 1);
    sync_close(client);
}

static void test_byte_by_byte(void **state)
{
    (void)state;
    node.on_request = echo;
    node.by_byte = true;
    for (int mode = 0; mode < 3; mode++) {
        node.lz4 = mode == 1;
        options.compression = mode == 1;
        options.protocol_version = mode == 2 ? 4 : 5;
        struct cql_client *client = connected();
        assert_int_equal(cql_protocol_version(client), mode == 2 ? 4 : 5);
        assert_echo(client);
        sync_close(client);
    }
}

/* --- broken connections --- */

static void test_reset(void **state)
{
    (void)state;
    struct cql_client *client = connected();
    node.on_request = NULL;
    for (int i = 0; i < 3; i++) {
        node.dead = true;
        struct many many = start_many(client, 20);
        sync_turn(20);
        node.dead = false;
        if (i == 1)
            fake_hang_up(node.peers);
        else
            fake_reset(node.peers);
        end_many(&many);
        all_have(&many, ERR_CONNECTION);
        assert_false(cql_is_up(client));
        free_many(&many);
        node.on_request = echo;
        assert_echo(client); /* waits for the new connection */
        assert_int_equal(node.connections, i + 2);
    }
    sync_close(client);
}

static void test_reset_while_connecting(void **state)
{
    (void)state;
    node.dead = true;
    struct cql_client *client = new_client();
    struct sync_outcome o = {0};
    assert_true(cql_connect(client, sync_on_done, &o, NULL));
    UNTIL(node.peers);
    assert_false(o.done);
    fake_reset(node.peers);
    sync_run(&o);
    assert_int_equal(o.err.code, ERR_CONNECTION);
    node.dead = false;
    node.on_request = echo;
    assert_echo(client);
    sync_close(client);
}

static void test_connect_timeout(void **state)
{
    (void)state;
    node.dead = true;
    options.connect_timeout_ms = 50;
    options.request_timeout_ms = 100;
    struct cql_client *client = new_client();
    struct sync_outcome o = sync_connect(client);
    assert_int_equal(o.err.code, ERR_CONNECTION);
    assert_non_null(strstr(o.err.text, "50 ms"));
    const struct cql_statement statement = {.text = SLICE_LIT("x")};
    assert_int_equal(sync_execute(client, &statement, &one).err.code, ERR_CONNECTION);
    sync_close(client);
}

static void test_no_connection(void **state)
{
    (void)state;
    fake_stop_listening(&node);
    sync_turn(5);
    struct cql_client *client = new_client();
    struct sync_outcome o = sync_connect(client);
    assert_int_equal(o.err.code, ERR_CONNECTION);
    assert_non_null(strstr(o.err.text, "refused"));
    const struct cql_statement statement = {.text = SLICE_LIT("x")};
    const struct cql_execution soon = {.consistency = CQL_ONE, .timeout_ms = 50};
    o = sync_execute(client, &statement, &soon);
    assert_int_equal(o.err.code, ERR_CONNECTION);
    assert_non_null(strstr(o.err.text, "refused"));
    fake_listen_again(&node, sync_loop());
    node.on_request = echo;
    assert_echo(client);
    sync_close(client);
}

static void test_unknown_name(void **state)
{
    (void)state;
    points[0] = "no-such-host.invalid";
    options.connect_timeout_ms = 5000;
    struct cql_client *client = new_client();
    assert_int_equal(sync_connect(client).err.code, ERR_CONNECTION);
    sync_close(client);
}

/* --- time-outs --- */

static int seen_streams[64], seen_count;
static struct fake_peer *seen_peer;

static void note(struct fake *fake, const struct fake_request *r)
{
    (void)fake;
    seen_peer = r->peer;
    seen_streams[seen_count++ % 64] = r->stream;
}

static void test_timeout_keeps_stream(void **state)
{
    (void)state;
    seen_count = 0;
    node.on_request = note;
    options.in_flight = 40;
    options.request_timeout_ms = 500;
    struct cql_client *client = connected();
    struct many many = start_many(client, 10); /* as many as may be orphans */
    end_many(&many);
    all_have(&many, ERR_TIMEOUT);
    free_many(&many);
    assert_int_equal(seen_count, 10);
    node.on_request = echo;
    assert_echo(client);
    node.on_request = note;
    struct many more = start_many(client, 20);
    UNTIL(seen_count == 30);
    assert_int_equal(seen_count, 30);
    for (int old = 0; old < 10; old++)
        for (int young = 10; young < 30; young++)
            assert_int_not_equal(seen_streams[old], seen_streams[young]);
    /* Late answers are swallowed and free their ids. */
    for (int i = 0; i < 30; i++)
        fake_int(seen_peer, seen_streams[i], 1);
    end_many(&more);
    all_have(&more, ERR_NONE);
    free_many(&more);
    assert_int_equal(node.connections, 1);
    node.on_request = echo;
    assert_echo(client);
    sync_close(client);
}

static void test_too_many_orphans(void **state)
{
    (void)state;
    seen_count = 0;
    node.on_request = note;
    options.in_flight = 40;
    options.request_timeout_ms = 60;
    struct cql_client *client = connected();
    struct many many = start_many(client, 30);
    end_many(&many);
    unsigned timeouts = 0, broken = 0;
    for (int i = 0; i < 30; i++) {
        timeouts += many.outcomes[i].err.code == ERR_TIMEOUT;
        broken += many.outcomes[i].err.code == ERR_CONNECTION;
    }
    assert_int_equal(timeouts, 30);
    assert_int_equal(broken, 0);
    free_many(&many);
    node.on_request = echo;
    options.request_timeout_ms = 2000;
    UNTIL(cql_is_up(client));
    assert_true(cql_is_up(client));
    assert_int_equal(node.connections, 2);
    sync_close(client);
}

/* The answer is there, but the loop has no time for it. */
static void answer_and_stand_still(struct fake *fake, const struct fake_request *r)
{
    echo(fake, r);
    usleep(300 * 1000);
}

static void test_a_loop_that_stood_still(void **state)
{
    (void)state;
    node.on_request = answer_and_stand_still;
    options.request_timeout_ms = 100;
    struct cql_client *client = connected();
    assert_echo(client);
    assert_int_equal(node.connections, 1);
    sync_close(client);

    options.request_timeout_ms = 10000;
    options.heartbeat_ms = 20;
    client = connected();
    assert_echo(client);
    assert_int_equal(node.connections, 2);
    sync_close(client);
}

/* Nothing comes in any more that would tell of the room. */
static void test_timeout_makes_room(void **state)
{
    (void)state;
    node.on_request = note;
    seen_count = 0;
    options.in_flight = 8;
    struct cql_client *client = connected();
    struct sync_outcome o[9] = {{0}};
    const struct cql_statement statement = {.text = SLICE_LIT("x")};
    for (int i = 0; i < 9; i++) {
        const struct cql_execution execution = {.consistency = CQL_ONE,
                                                .timeout_ms = i == 0 ? 60 : 10000};
        assert_true(cql_execute(client, &statement, &execution, sync_on_result, &o[i], NULL));
    }
    sync_run(&o[0]);
    assert_int_equal(o[0].err.code, ERR_TIMEOUT);
    UNTIL(seen_count >= 9);
    assert_int_equal(seen_count, 9);
    for (int i = 0; i < 9; i++)
        fake_void(seen_peer, seen_streams[i]);
    for (int i = 1; i < 9; i++)
        sync_run(&o[i]);
    sync_close(client);
}

static void test_different_timeouts(void **state)
{
    (void)state;
    node.on_request = note;
    seen_count = 0;
    struct cql_client *client = connected();
    static const uint64_t timeouts[] = {150, 50, 100, 250, 10};
    static const int order[] = {4, 1, 2, 0, 3};
    struct sync_outcome o[5] = {{0}};
    const uint64_t start = uv_hrtime();
    for (int i = 0; i < 5; i++) {
        const struct cql_statement statement = {.text = SLICE_LIT("x")};
        const struct cql_execution execution = {.consistency = CQL_ONE, .timeout_ms = timeouts[i]};
        assert_true(cql_execute(client, &statement, &execution, sync_on_result, &o[i], NULL));
    }
    for (int i = 0; i < 5; i++) {
        sync_run(&o[order[i]]);
        const uint64_t ms = (uv_hrtime() - start) / 1000000;
        assert_int_equal(o[order[i]].err.code, ERR_TIMEOUT);
        assert_true(ms + 1 >= timeouts[order[i]]);
        assert_true(i == 4 || !o[order[i + 1]].done || ms + 1 >= timeouts[order[i + 1]]);
    }
    sync_close(client);
}

static void test_heartbeat(void **state)
{
    (void)state;
    options.heartbeat_ms = 40;
    node.on_request = echo;
    struct cql_client *client = connected();
    UNTIL(node.options >= 4);
    assert_true(node.options >= 4);
    assert_int_equal(node.connections, 1);
    node.dead = true;
    struct many many = start_many(client, 5);
    end_many(&many);
    all_have(&many, ERR_CONNECTION);
    free_many(&many);
    node.dead = false;
    assert_echo(client);
    sync_close(client);
}

/* --- limits --- */

static int outstanding, outstanding_max;

struct late {
    struct fake_peer *peer;
    int stream;
};

static void answer_late(void *ctx)
{
    struct late *late = ctx;
    outstanding--;
    fake_void(late->peer, late->stream);
    free(late);
}

static void slow(struct fake *fake, const struct fake_request *r)
{
    (void)fake;
    if (++outstanding > outstanding_max)
        outstanding_max = outstanding;
    struct late *late = malloc(sizeof *late);
    *late = (struct late){r->peer, r->stream};
    io_timer_start(sync_loop(), 2, answer_late, late);
}

static void test_in_flight(void **state)
{
    (void)state;
    outstanding = outstanding_max = 0;
    node.on_request = slow;
    options.in_flight = 7;
    struct cql_client *client = connected();
    struct many many = start_many(client, 100);
    end_many(&many);
    all_have(&many, ERR_NONE);
    free_many(&many);
    assert_int_equal(outstanding_max, 7);
    sync_close(client);
}

static void test_close_cancels(void **state)
{
    (void)state;
    seen_count = 0;
    node.on_request = note;
    options.in_flight = 8;
    struct cql_client *client = connected();
    struct many many = start_many(client, 20); /* 8 sent, 12 queued */
    UNTIL(seen_count >= 8);
    sync_turn(20);
    assert_int_equal(seen_count, 8);
    sync_close(client);
    all_have(&many, ERR_CANCELLED);
    free_many(&many);

    client = new_client();
    struct sync_outcome o = {0};
    assert_true(cql_connect(client, sync_on_done, &o, NULL));
    cql_client_close(client, NULL, NULL);
    struct err err;
    const struct cql_statement statement = {.text = SLICE_LIT("x")};
    assert_false(cql_execute(client, &statement, &one, sync_on_result, &o, &err));
    assert_int_equal(err.code, ERR_CANCELLED);
    sync_run(&o);
    assert_int_equal(o.err.code, ERR_CANCELLED);
    sync_forget();
}

static void test_refuses_impossible_requests(void **state)
{
    (void)state;
    struct cql_client *client = new_client();
    struct err err;
    const struct cql_value huge =
        cql_value_of(slice_of("", (size_t)CQL_FRAME_BODY_MAX + 1)); /* never read */
    const struct cql_statement statement = {
        .text = SLICE_LIT("x"), .values = &huge, .value_count = 1};
    assert_false(cql_execute(client, &statement, &one, sync_on_result, NULL, &err));
    assert_int_equal(err.code, ERR_TOO_LARGE);
    assert_false(
        cql_batch(client, CQL_BATCH_LOGGED, &statement, 0, &one, sync_on_result, NULL, &err));
    assert_int_equal(err.code, ERR_VALUE);
    sync_close(client);
}

/* --- prepared statements --- */

static int forget; /* how many EXECUTEs are answered with UNPREPARED */
static const char *node_id = "ID-1";
static const char *shape = "S1";
static int shape_at_server = 1;

/* EXECUTE answers with its bound int; the column is named after the shape at the server. */
static void on_execute(struct fake *fake, const struct fake_request *r)
{
    (void)fake;
    struct cql_reader body = cql_reader_of(r->body);
    const struct slice id = cql_read_string(&body);
    const struct slice known = r->version >= 5 ? cql_read_string(&body) : SLICE_NULL;
    if (forget > 0 || !slice_is(id, node_id)) {
        forget -= forget > 0;
        fake_unprepared(r->peer, r->stream, id);
        return;
    }
    struct buf b = {0};
    const bool changed = r->version >= 5 && !slice_is(known, shape);
    buf_append_be32(&b, 2);
    if (r->version >= 5 && !changed) {
        buf_append_be32(&b, 4); /* no metadata */
        buf_append_be32(&b, (uint32_t)shape_at_server);
    } else {
        buf_append_be32(&b, changed ? 9 : 1);
        buf_append_be32(&b, (uint32_t)shape_at_server);
        if (changed)
            cql_write_string(&b, slice_str(shape));
        cql_write_string(&b, SLICE_LIT("k"));
        cql_write_string(&b, SLICE_LIT("t"));
        for (int i = 0; i < shape_at_server; i++) {
            cql_write_string(&b, slice_str(i ? "more" : shape));
            buf_append_be16(&b, 9);
        }
    }
    buf_append_be32(&b, 1);
    for (int i = 0; i < shape_at_server; i++)
        cql_write_long_string(&b, slice_of(r->body.ptr + r->body.len - 4, 4));
    fake_answer(r->peer, r->stream, CQL_OP_RESULT, buf_slice(&b));
    buf_free(&b);
}

static void on_prepared_request(struct fake *fake, const struct fake_request *r)
{
    if (r->opcode == CQL_OP_PREPARE && memmem(r->body.ptr, r->body.len, "wrong", 5))
        fake_error(r->peer, r->stream, 0x2200, "no such table");
    else if (r->opcode == CQL_OP_PREPARE)
        fake_prepared(r->peer, r->stream, slice_str(node_id), shape, shape);
    else if (r->opcode == CQL_OP_EXECUTE)
        on_execute(fake, r);
    else if (r->opcode == CQL_OP_BATCH && forget-- > 0)
        fake_unprepared(r->peer, r->stream, slice_str(node_id));
    else
        fake_void(r->peer, r->stream);
}

static void prepared_node(void)
{
    forget = 0;
    node_id = "ID-1";
    shape = "S1";
    shape_at_server = 1;
    node.on_request = on_prepared_request;
}

static struct sync_outcome execute_int(struct cql_client *client,
                                       const struct cql_prepared *prepared, int value)
{
    char bytes[4];
    const struct cql_value v = cql_value_of(cql_encode_i32(bytes, value));
    const struct cql_statement statement = {.prepared = prepared, .values = &v, .value_count = 1};
    return sync_execute(client, &statement, &one);
}

static void test_prepare(void **state)
{
    (void)state;
    prepared_node();
    struct cql_client *client = connected();
    const struct cql_prepared *prepared = sync_prepare(client, "get").prepared;
    assert_ptr_equal(prepared, sync_prepare(client, "get").prepared);
    assert_int_equal(node.prepares, 1);
    assert_true(slice_is(cql_prepared_binds(prepared)->columns[0].name, "bind"));
    assert_int_equal(sync_prepare(client, "wrong").err.code, ERR_SCHEMA);
    assert_int_equal(sync_prepare(client, "wrong").err.code, ERR_SCHEMA);
    assert_int_equal(node.prepares, 3);
    struct sync_outcome o = execute_int(client, prepared, 42);
    assert_int_equal(cql_decode_int(o.cells[0]), 42);
    assert_true(slice_is(o.names[0], "S1"));
    sync_close(client);
}

static void test_unprepared(void **state)
{
    (void)state;
    for (int version = 4; version <= 5; version++) {
        prepared_node();
        node.prepares = 0;
        options.protocol_version = version;
        struct cql_client *client = connected();
        const struct cql_prepared *prepared = sync_prepare(client, "get").prepared;
        forget = 50;
        struct sync_outcome outcomes[50] = {{0}};
        unsigned left = 50;
        for (int i = 0; i < 50; i++) {
            char bytes[4];
            const struct cql_value v = cql_value_of(cql_encode_i32(bytes, i));
            const struct cql_statement statement = {
                .prepared = prepared, .values = &v, .value_count = 1};
            outcomes[i].left = &left;
            assert_true(cql_execute(client, &statement, &one, sync_on_result, &outcomes[i], NULL));
        }
        sync_run(&outcomes[0]);
        for (int i = 0; i < 50; i++) {
            assert_int_equal(outcomes[i].err.code, ERR_NONE);
            assert_int_equal(cql_decode_int(outcomes[i].cells[0]), i);
        }
        assert_int_equal(node.prepares, 2); /* one for all 50 */

        forget = 1;
        const struct cql_statement statement = {.prepared = prepared};
        assert_int_equal(sync_batch(client, CQL_BATCH_LOGGED, &statement, 1, &one).err.code,
                         ERR_NONE);
        assert_int_equal(node.prepares, 3);

        /* The node gives it another id now. */
        node_id = "ID-2";
        assert_int_equal(cql_decode_int(execute_int(client, prepared, 9).cells[0]), 9);

        /* A node that forgets for ever. */
        forget = 1000;
        struct sync_outcome o = execute_int(client, prepared, 9);
        assert_int_equal(err_class_of(o.err.code), ERR_CLASS_RETRY);
        assert_true(node.prepares < 20);
        sync_close(client);
    }
}

static void fail_again(struct fake *fake, const struct fake_request *r)
{
    if (r->opcode == CQL_OP_PREPARE)
        fake_error(r->peer, r->stream, 0x2200, "table is gone");
    else
        on_prepared_request(fake, r);
}

static void stall_again(struct fake *fake, const struct fake_request *r)
{
    if (r->opcode != CQL_OP_PREPARE)
        on_prepared_request(fake, r);
}

static void test_unprepared_and_worse(void **state)
{
    (void)state;
    prepared_node();
    options.request_timeout_ms = 1000;
    struct cql_client *client = connected();
    const struct cql_prepared *prepared = sync_prepare(client, "get").prepared;
    node.on_request = fail_again;
    forget = 1;
    struct sync_outcome o = execute_int(client, prepared, 1);
    assert_int_equal(o.err.code, ERR_SCHEMA);
    assert_non_null(strstr(o.err.text, "table is gone"));

    node.on_request = stall_again;
    forget = 1;
    assert_int_equal(execute_int(client, prepared, 1).err.code, ERR_TIMEOUT);

    sync_turn(200); /* until the preparation has timed out, too */

    /* The connection breaks while it is prepared again: nothing took effect, so it goes on. */
    forget = 1;
    o = (struct sync_outcome){0};
    char bytes[4];
    const struct cql_value v = cql_value_of(cql_encode_i32(bytes, 5));
    const struct cql_statement statement = {.prepared = prepared, .values = &v, .value_count = 1};
    const struct cql_execution long_one = {.consistency = CQL_ONE, .timeout_ms = 10000};
    assert_true(cql_execute(client, &statement, &long_one, sync_on_result, &o, NULL));
    sync_turn(30);
    assert_false(o.done);
    node.on_request = on_prepared_request;
    fake_reset(node.peers);
    sync_run(&o);
    assert_int_equal(o.err.code, ERR_NONE);
    assert_int_equal(cql_decode_int(o.cells[0]), 5);

    node.on_request = stall_again;
    forget = 1;
    o = (struct sync_outcome){0};
    assert_true(cql_execute(client, &statement, &long_one, sync_on_result, &o, NULL));
    sync_turn(30);
    sync_close(client);
    assert_int_equal(o.err.code, ERR_CANCELLED);
}

static void test_metadata_changed(void **state)
{
    (void)state;
    prepared_node();
    options.protocol_version = 5;
    struct cql_client *client = connected();
    const struct cql_prepared *prepared = sync_prepare(client, "get").prepared;
    const struct cql_metadata *before = cql_prepared_columns(prepared);
    assert_int_equal(execute_int(client, prepared, 1).column_count, 1);
    for (int i = 0; i < 3; i++) {
        shape = i == 1 ? "S1" : "S2";
        shape_at_server = i == 1 ? 1 : 2;
        for (int again = 0; again < 2; again++) {
            struct sync_outcome o = execute_int(client, prepared, 7);
            assert_int_equal(o.err.code, ERR_NONE);
            assert_int_equal(o.column_count, shape_at_server);
            assert_true(slice_is(o.names[0], shape));
            assert_int_equal(cql_prepared_columns(prepared)->count, shape_at_server);
        }
        if (i == 1)
            assert_ptr_equal(cql_prepared_columns(prepared), before);
    }
    assert_true(slice_is(before->columns[0].name, "S1"));
    sync_close(client);
}

/* --- handshakes --- */

static void test_login(void **state)
{
    (void)state;
    node.user = "u";
    node.password = "p\xc3\xa4ss";
    node.on_request = echo;
    for (int version = 4; version <= 5; version++) {
        options.protocol_version = version;
        options.username = "u";
        options.password = "p\xc3\xa4ss";
        struct cql_client *client = connected();
        assert_echo(client);
        sync_close(client);

        options.password = "wrong";
        client = new_client();
        struct sync_outcome o = sync_connect(client);
        assert_int_equal(o.err.code, ERR_AUTH);
        assert_null(strstr(o.err.text, "wrong"));
        sync_close(client);

        options.username = options.password = NULL;
        client = new_client();
        assert_int_equal(sync_connect(client).err.code, ERR_AUTH);
        sync_close(client);
    }
}

static void test_downgrade(void **state)
{
    (void)state;
    node.version = 4;
    node.on_request = echo;
    struct cql_client *client = connected();
    assert_int_equal(cql_protocol_version(client), 4);
    assert_int_equal(node.connections, 2);
    assert_echo(client);
    sync_close(client);

    options.protocol_version = 5;
    client = new_client();
    assert_int_equal(sync_connect(client).err.code, ERR_PROTOCOL);
    sync_close(client);
}

static void test_compression_only_where_offered(void **state)
{
    (void)state;
    node.on_request = echo;
    options.compression = true;
    for (int lz4 = 0; lz4 < 2; lz4++) {
        node.lz4 = lz4;
        struct cql_client *client = connected();
        assert_echo(client);
        sync_close(client);
    }
}

static enum err_code connect_error(void)
{
    struct cql_client *client = new_client();
    const enum err_code code = sync_connect(client).err.code;
    sync_close(client);
    return code;
}

static void test_tls(void **state)
{
    (void)state;
    struct pki pki, other;
    pki_make(&pki, "127.0.0.1");
    pki_make(&other, "elsewhere.example");
    fake_tls(&node, pki.cert, pki.key, NULL);
    node.on_request = echo;
    options.tls = (struct cql_tls_options){.enabled = true, .ca = pki.ca};
    for (int by_byte = 0; by_byte < 2; by_byte++) {
        node.by_byte = by_byte;
        struct cql_client *client = connected();
        assert_echo(client);
        struct many many = start_many(client, by_byte ? 10 : 1000);
        end_many(&many);
        all_have(&many, ERR_NONE);
        free_many(&many);
        fake_reset(node.peers);
        sync_turn(10);
        assert_echo(client);
        sync_close(client);
    }
    node.by_byte = false;

    options.tls.ca = other.ca; /* another authority */
    assert_int_equal(connect_error(), ERR_TRUST);
    options.tls.ca = NULL; /* those of the system */
    assert_int_equal(connect_error(), ERR_TRUST);
    options.tls.no_verify = true;
    assert_int_equal(connect_error(), ERR_NONE);
    options.tls.no_verify = false;
    options.tls.enabled = false; /* plain TCP to a server that wants TLS */
    options.connect_timeout_ms = 100;
    assert_int_equal(connect_error(), ERR_CONNECTION);
    options.connect_timeout_ms = 10000;

    fake_tls(&node, other.cert, other.key, NULL); /* another host's certificate */
    options.tls = (struct cql_tls_options){.enabled = true, .ca = other.ca};
    assert_int_equal(connect_error(), ERR_TRUST);

    options.tls.server_name = "elsewhere.example"; /* which is whom it is expected to be for */
    assert_int_equal(connect_error(), ERR_NONE);
    options.tls.server_name = NULL;

    fake_tls(&node, pki.cert, pki.key, pki.ca); /* a server that asks for one */
    options.tls.ca = pki.ca;
    assert_int_not_equal(connect_error(), ERR_NONE);
    assert_false(node.asked);
    options.tls.cert = pki.cert;
    options.tls.key = pki.key;
    assert_int_equal(connect_error(), ERR_NONE);
    assert_true(node.asked);

    struct err err;
    options.tls.key = other.key; /* not the certificate's */
    assert_null(cql_client_new(sync_loop(), &options, &err));
    assert_int_equal(err.code, ERR_CONFIG);
    options.tls = (struct cql_tls_options){.enabled = true, .ca = "/nowhere.pem"};
    assert_null(cql_client_new(sync_loop(), &options, &err));
    assert_non_null(strstr(err.text, "/nowhere.pem"));
    pki_free(&pki);
    pki_free(&other);
}

static void test_tls_to_a_plain_server(void **state)
{
    (void)state;
    options.tls = (struct cql_tls_options){.enabled = true, .no_verify = true};
    options.connect_timeout_ms = 100;
    assert_int_equal(connect_error(), ERR_CONNECTION);
}

/* --- nonsense --- */

static const char *nonsense;

static void answer_nonsense(struct fake *fake, const struct fake_request *r)
{
    const bool v5 = r->version >= 5;
    if (!strcmp(nonsense, "stream")) {
        fake_void(r->peer, 999);
    } else if (!strcmp(nonsense, "complaint")) {
        fake_error(r->peer, 999, 0x2200, "CRC mismatch");
    } else if (!strcmp(nonsense, "high stream")) {
        fake_void(r->peer, 32767);
    } else if (!strcmp(nonsense, "negative stream")) {
        fake_void(r->peer, -7);
    } else if (!strcmp(nonsense, "not an event")) {
        fake_void(r->peer, -1);
    } else if (!strcmp(nonsense, "event")) {
        fake_answer(r->peer, -1, CQL_OP_EVENT, SLICE_LIT("\0\5abc"));
    } else if (!strcmp(nonsense, "length")) {
        fake_raw(r->peer, SLICE_LIT("\x84\0\0\0\x08\x7f\xff\xff\xff"));
    } else if (!strcmp(nonsense, "http")) {
        fake_raw(r->peer, SLICE_LIT("HTTP/1.1 400 Bad Request\r\n\r\n"));
    } else if (!strcmp(nonsense, "cut")) {
        fake_raw(r->peer, v5 ? SLICE_LIT("\x10\0\x02") : SLICE_LIT("\x84\0\0\0\x08\0\0"));
        fake_hang_up(r->peer);
    } else if (!strcmp(nonsense, "version")) {
        struct buf b = {0}, packed = {0};
        const size_t start = cql_frame_begin(&b, 0x83, CQL_OP_RESULT, (int16_t)r->stream);
        cql_frame_end(&b, start);
        cql_segment_pack(&packed, buf_slice(&b), false);
        fake_raw(r->peer, buf_slice(v5 ? &packed : &b));
        buf_free(&b);
        buf_free(&packed);
    } else { /* "crc24", "crc32" */
        struct buf b = {0}, packed = {0};
        const size_t start = cql_frame_begin(&b, 0x85, CQL_OP_RESULT, (int16_t)r->stream);
        buf_append_be32(&b, 1);
        cql_frame_end(&b, start);
        cql_segment_pack(&packed, buf_slice(&b), false);
        packed.ptr[!strcmp(nonsense, "crc24") ? 4 : packed.len - 1] ^= 1;
        fake_raw(r->peer, buf_slice(&packed));
        buf_free(&b);
        buf_free(&packed);
    }
    fake->on_request = note;
}

static void test_nonsense(void **state)
{
    (void)state;
    static const char *const kinds[] = {
        "stream", "complaint", "high stream", "negative stream", "not an event", "event",
        "length", "http",      "cut",         "version",         "crc24",        "crc32"};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        for (int version = 4; version <= 5; version++) {
            if (version == 4 && !strncmp(kinds[i], "crc", 3))
                continue;
            nonsense = kinds[i];
            seen_count = 0;
            node.on_request = note;
            options.protocol_version = version;
            struct cql_client *client = connected();
            node.on_request = answer_nonsense;
            const int before = node.connections;
            struct many many = start_many(client, 5);
            end_many(&many);
            all_have(&many, ERR_CONNECTION);
            if (!strcmp(nonsense, "complaint")) /* what the server says is not lost */
                assert_non_null(strstr(many.outcomes[0].err.text, "CRC mismatch"));
            free_many(&many);
            node.on_request = echo;
            assert_echo(client);
            assert_int_equal(node.connections, before + 1);
            sync_close(client);
        }
    }
}

static const struct {
    int opcode, flags;
    struct slice body;
} malformed[] = {
    {CQL_OP_RESULT, 0, SLICE_LIT("")},
    {CQL_OP_RESULT, 0, SLICE_LIT("\0\0\0")},
    {CQL_OP_RESULT, 0, SLICE_LIT("\0\0\0\x09")},
    {CQL_OP_RESULT, 0, SLICE_LIT("\0\0\0\x04\0\1x")},
    {CQL_OP_RESULT, 0, SLICE_LIT("\0\0\0\2\0\0\0\1\x7f\xff\xff\xff\0\1k\0\1t")},
    {CQL_OP_RESULT, 0, SLICE_LIT("\0\0\0\2\0\0\0\1\0\0\0\0\0\1k\0\1t\x7f\xff\xff\xff")},
    {CQL_OP_RESULT, 0, SLICE_LIT("\0\0\0\2\0\0\0\4\0\0\0\1\0\0\0\0")},
    {CQL_OP_RESULT, 0,
     SLICE_LIT("\0\0\0\2\0\0\0\1\0\0\0\1\0\1k\0\1t\0\1c\0\x09\0\0\0\1\0\0\0\5xx")},
    {CQL_OP_RESULT, CQL_FLAG_WARNING, SLICE_LIT("\xff\xff\0\1a")},
    {CQL_OP_RESULT, CQL_FLAG_TRACING, SLICE_LIT("\0\0\0\1")},
    {CQL_OP_ERROR, 0, SLICE_LIT("\0\0")},
    {CQL_OP_ERROR, 0, SLICE_LIT("\0\0\x25\0\0\1x")},
    {CQL_OP_SUPPORTED, 0, SLICE_LIT("\0\0")},
};
static size_t malformed_at;

static void answer_malformed(struct fake *fake, const struct fake_request *r)
{
    if (echo_of(r) == 1)
        fake_answer_flags(r->peer, r->stream, malformed[malformed_at].opcode,
                          malformed[malformed_at].flags, malformed[malformed_at].body);
    else
        echo(fake, r);
}

static void test_malformed_answer_hits_its_request_only(void **state)
{
    (void)state;
    struct cql_client *client = connected();
    for (malformed_at = 0; malformed_at < ARRAY_LEN(malformed); malformed_at++) {
        node.on_request = answer_malformed;
        struct many many = start_many(client, 3);
        end_many(&many);
        for (int i = 0; i < 3; i++)
            if (many.outcomes[i].err.code != (i == 1 ? ERR_PROTOCOL : ERR_NONE))
                fail_msg("malformed %zu: request %d has %s", malformed_at, i,
                         many.outcomes[i].err.text);
        free_many(&many);
    }
    assert_int_equal(node.connections, 1);
    sync_close(client);
}

/* --- several nodes --- */

static void test_contact_points(void **state)
{
    (void)state;
    struct fake second = {.on_request = echo}, elsewhere = {.datacenter = "dc2"};
    fake_start(&second, sync_loop());
    fake_start(&elsewhere, sync_loop());
    node.on_request = echo;
    points[1] = second.address;
    points[2] = "127.0.0.1:1"; /* nobody */
    points[3] = elsewhere.address;
    options.contact_point_count = 4;
    options.connections = 2;
    options.local_datacenter = "dc1";
    struct cql_client *client = connected_to_any();
    UNTIL(node.options == 2 && second.options == 2);
    sync_turn(50);
    assert_int_equal(node.open, 2);
    assert_int_equal(second.open, 2);
    assert_int_equal(elsewhere.requests, 0);
    struct many many = start_many(client, 100);
    end_many(&many);
    all_have(&many, ERR_NONE);
    free_many(&many);
    assert_int_equal(node.requests, 50);
    assert_int_equal(second.requests, 50);

    /* One goes: the other serves all. It comes back: it serves again. */
    fake_close(&second);
    sync_turn(30);
    many = start_many(client, 100);
    end_many(&many);
    all_have(&many, ERR_NONE);
    free_many(&many);
    assert_int_equal(node.requests, 150);
    fake_listen_again(&second, sync_loop());
    UNTIL(second.open == 2 && second.options == 4);
    sync_turn(50);
    many = start_many(client, 100);
    end_many(&many);
    all_have(&many, ERR_NONE);
    free_many(&many);
    assert_int_equal(second.requests, 100);
    sync_close(client);
    fake_close(&second);
    fake_close(&elsewhere);
    sync_turn(10);
}

static int warnings;

static void count_warning(void *ctx, enum log_level level, const char *name, const char *text)
{
    (void)ctx;
    (void)name;
    (void)text;
    warnings += level == LOG_WARNING;
}

static void test_an_outage_is_told_once(void **state)
{
    (void)state;
    static const struct log log = {.level = LOG_DEBUG, .name = "cql", .write = count_warning};
    options.log = &log;
    points[0] = "127.0.0.1:1"; /* nobody, and nobody else */
    points[1] = "127.0.0.1:2";
    points[2] = node.address;
    options.contact_point_count = 3;
    node.on_request = echo;
    warnings = 0;
    struct cql_client *client = connected();
    UNTIL(warnings >= 2);
    sync_turn(1000); /* some attempts */
    assert_int_equal(warnings, 2);
    for (int i = 1; i <= 2; i++) {
        fake_reset(node.peers);
        UNTIL(warnings >= 2 + i);
        sync_turn(10);
        assert_echo(client);
        assert_int_equal(warnings, 2 + i);
    }
    sync_close(client);
}

static int event_count;
static char event_text[64];

static void on_event(void *ctx, const struct cql_event *event)
{
    (void)ctx;
    event_count++;
    snprintf(event_text, sizeof event_text, "%.*s %.*s %zu %d", SLICE_ARG(event->type),
             SLICE_ARG(event->change), event->address.len, (int)event->port);
}

static void test_events_after_reconnect(void **state)
{
    (void)state;
    node.on_request = echo;
    struct cql_client *client = connected();
    event_count = 0;
    cql_on_event(client, on_event, NULL);
    for (int i = 1; i <= 2; i++) {
        assert_echo(client);
        UNTIL(node.registers >= i && event_count >= 2 * (i - 1));
        sync_turn(10);
        assert_int_equal(node.registers, i);
        assert_int_equal(event_count, 2 * (i - 1));
        if (i > 1) /* what happened meanwhile is not known */
            assert_string_equal(event_text, "SCHEMA_CHANGE MISSED 0 0");
        fake_answer(node.peers, -1, CQL_OP_EVENT,
                    SLICE_LIT("\0\xdSTATUS_CHANGE\0\4DOWN\4\x7f\0\0\1\0\0\x23\x52"));
        UNTIL(event_count >= 2 * i - 1);
        sync_turn(10);
        assert_int_equal(event_count, 2 * i - 1);
        assert_string_equal(event_text, "STATUS_CHANGE DOWN 4 9042");
        fake_reset(node.peers);
        sync_turn(10);
    }
    sync_close(client);
}

static void test_options(void **state)
{
    (void)state;
    struct err err;
    static const char *const bad[] = {"",         "host:", "host:0", "host:65536",
                                      "host:12x", "[::1",  "[::1]x", ":9042"};
    static const char *const good[] = {"host",  "host:1",     "::1",
                                       "[::1]", "[::1]:9042", "10.0.0.1:65535"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        points[0] = bad[i];
        assert_null(cql_client_new(sync_loop(), &options, &err));
        assert_int_equal(err.code, ERR_CONFIG);
    }
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        points[0] = good[i];
        sync_close(sync_client(&options));
    }
    options.protocol_version = 3;
    assert_null(cql_client_new(sync_loop(), &options, &err));
    options.protocol_version = 0;
    options.contact_point_count = 0;
    assert_null(cql_client_new(sync_loop(), &options, &err));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_any_order),
        TEST(test_byte_by_byte),
        TEST(test_reset),
        TEST(test_reset_while_connecting),
        TEST(test_connect_timeout),
        TEST(test_no_connection),
        TEST(test_unknown_name),
        TEST(test_timeout_keeps_stream),
        TEST(test_too_many_orphans),
        TEST(test_a_loop_that_stood_still),
        TEST(test_timeout_makes_room),
        TEST(test_different_timeouts),
        TEST(test_heartbeat),
        TEST(test_in_flight),
        TEST(test_close_cancels),
        TEST(test_refuses_impossible_requests),
        TEST(test_prepare),
        TEST(test_unprepared),
        TEST(test_unprepared_and_worse),
        TEST(test_metadata_changed),
        TEST(test_login),
        TEST(test_downgrade),
        TEST(test_compression_only_where_offered),
        TEST(test_tls),
        TEST(test_tls_to_a_plain_server),
        TEST(test_nonsense),
        TEST(test_malformed_answer_hits_its_request_only),
        TEST(test_contact_points),
        TEST(test_an_outage_is_told_once),
        TEST(test_events_after_reconnect),
        TEST(test_options),
    };
    cmocka_set_test_filter(getenv("CQL_TEST"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Against a real Cassandra: CASSANDRA_HOSTS and CASSANDRA_PORT as `tools/servers env` prints them;
 * skipped without. */
#include "cql/sync.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static const char *points[1];
static struct cql_options options;
static char keyspace[64];

static void say(void *ctx, enum log_level level, const char *name, const char *text)
{
    (void)ctx;
    fprintf(stderr, "%d %s: %s\n", level, name, text);
}

static const struct log to_stderr = {.level = LOG_WARNING, .name = "cql", .write = say};

static void set_options(int version, bool compression)
{
    const char *port = getenv("CASSANDRA_PORT");
    if (!port)
        skip();
    const char *hosts = getenv("CASSANDRA_HOSTS");
    points[0] = hosts && !strchr(hosts, ',') ? hosts : "127.0.0.1";
    options = (struct cql_options){
        .contact_points = points,
        .contact_point_count = 1,
        .port = (uint16_t)atoi(port),
        .protocol_version = version,
        .compression = compression,
        .log = &to_stderr,
    };
    snprintf(keyspace, sizeof keyspace, "cql_unit_%d", (int)getpid());
}

static struct sync_outcome must(struct sync_outcome o)
{
    if (o.err.code != ERR_NONE)
        fail_msg("%s", o.err.text);
    return o;
}

PRINTF_LIKE(2, 3)
static struct sync_outcome query(struct cql_client *client, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return sync_query(client, text);
}

static struct cql_client *connect_to(int version, bool compression)
{
    set_options(version, compression);
    struct cql_client *client = sync_client(&options);
    must(sync_connect(client));
    must(query(client,
               "CREATE KEYSPACE IF NOT EXISTS %s WITH replication = "
               "{'class': 'SimpleStrategy', 'replication_factor': 1}",
               keyspace));
    must(query(client,
               "CREATE TABLE IF NOT EXISTS %s.t (p int, c int, v text, w vector<float, 3>, "
               "m map<text, frozen<list<int>>>, PRIMARY KEY (p, c))",
               keyspace));
    must(query(client, "TRUNCATE %s.t", keyspace));
    return client;
}

static const struct cql_prepared *prepare(struct cql_client *client, const char *fmt)
{
    char text[256];
    /* Every format of this file names the keyspace once. */
    const char *at = strstr(fmt, "%s");
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - fmt), fmt, keyspace, at + 2);
    return must(sync_prepare(client, text)).prepared;
}

static void finish(struct cql_client *client)
{
    must(query(client, "DROP KEYSPACE %s", keyspace));
    sync_close(client);
    sync_reset();
}

static const struct cql_execution one = {.consistency = CQL_ONE};

static struct sync_outcome insert(struct cql_client *client, const struct cql_prepared *prepared,
                                  int p, int c, struct slice v)
{
    char pb[4], cb[4];
    const struct cql_value values[] = {cql_value_of(cql_encode_i32(pb, p)),
                                       cql_value_of(cql_encode_i32(cb, c)), cql_value_of(v)};
    const struct cql_statement statement = {
        .prepared = prepared, .values = values, .value_count = 3};
    return sync_execute(client, &statement, &one);
}

static void write_read_page(int version, bool compression)
{
    struct cql_client *client = connect_to(version, compression);
    assert_true(cql_is_up(client));
    assert_int_equal(cql_protocol_version(client), version ? version : 5);
    assert_true(strlen(cql_release_version(client)) > 2);

    const struct cql_prepared *put = prepare(client, "INSERT INTO %s.t (p, c, v) VALUES (?, ?, ?)");
    assert_ptr_equal(put, prepare(client, "INSERT INTO %s.t (p, c, v) VALUES (?, ?, ?)"));
    const struct cql_metadata *binds = cql_prepared_binds(put);
    assert_int_equal(binds->count, 3);
    assert_int_equal(binds->key_count, 1);
    assert_int_equal(binds->key_indexes[0], 0);
    assert_int_equal(binds->columns[2].type->id, CQL_VARCHAR);
    char large[3000];
    memset(large, 'x', sizeof large);
    for (int c = 0; c < 100; c++)
        must(insert(client, put, 1, c,
                    c == 7 ? SLICE_NULL : slice_of(large, c == 8 ? 0 : sizeof large)));

    const struct cql_prepared *get = prepare(client, "SELECT * FROM %s.t WHERE p = ?");
    assert_int_equal(cql_prepared_columns(get)->count, 5);
    assert_int_equal(cql_prepared_columns(get)->columns[4].type->id, CQL_VECTOR);
    assert_int_equal(cql_prepared_columns(get)->columns[4].type->dimensions, 3);
    char pb[4];
    const struct cql_value key = cql_value_of(cql_encode_i32(pb, 1));
    const struct cql_statement all = {.prepared = get, .values = &key, .value_count = 1};
    struct cql_execution paged = {.consistency = CQL_ONE, .page_size = 30};
    int rows = 0, pages = 0;
    do {
        struct sync_outcome o = must(sync_execute(client, &all, &paged));
        for (uint32_t i = 0; i < o.row_count; i++, rows++) {
            const struct slice *cells = o.cells + (size_t)i * o.column_count;
            assert_int_equal(cql_decode_int(cells[1]), rows);
            assert_int_equal(slice_is_null(cells[3]), rows == 7);
            assert_int_equal(cells[3].len, rows == 7 || rows == 8 ? 0 : sizeof large);
        }
        paged.paging_state = o.paging_state;
        pages++;
    } while (!slice_is_null(paged.paging_state));
    assert_int_equal(rows, 100);
    assert_int_equal(pages, 4);
    /* One frame over several segments. */
    assert_int_equal(must(sync_execute(client, &all, &one)).row_count, 100);
    finish(client);
}

static void test_v5(void **state)
{
    (void)state;
    write_read_page(5, false);
    write_read_page(0, true);
}

static void test_v4(void **state)
{
    (void)state;
    write_read_page(4, false);
    write_read_page(4, true);
}

static void test_large_value(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct cql_client *client = connect_to(4 + i / 2, i % 2);
        const struct cql_prepared *put =
            prepare(client, "INSERT INTO %s.t (p, c, v) VALUES (?, ?, ?)");
        const size_t len = 700000;
        char *text = malloc(len);
        for (size_t at = 0; at < len; at++)
            text[at] = (char)('a' + (at * at / 7) % 26);
        must(insert(client, put, 1, 1, slice_of(text, len)));
        struct sync_outcome o = must(query(client, "SELECT v FROM %s.t", keyspace));
        assert_int_equal(o.row_count, 1);
        assert_true(slice_equal(o.cells[0], slice_of(text, len)));
        free(text);
        finish(client);
    }
}

static void test_batch(void **state)
{
    (void)state;
    struct cql_client *client = connect_to(0, true);
    const struct cql_prepared *put = prepare(client, "INSERT INTO %s.t (p, c, v) VALUES (?, ?, ?)");
    struct cql_value values[50][3];
    char p[4], c[50][4];
    struct cql_statement statements[51];
    for (int i = 0; i < 50; i++) {
        values[i][0] = cql_value_of(cql_encode_i32(p, 1));
        values[i][1] = cql_value_of(cql_encode_i32(c[i], i));
        values[i][2] = cql_value_of(SLICE_LIT("x"));
        statements[i] =
            (struct cql_statement){.prepared = put, .values = values[i], .value_count = 3};
    }
    char text[128];
    snprintf(text, sizeof text, "INSERT INTO %s.t (p, c, v) VALUES (1, 50, 'y')", keyspace);
    statements[50] = (struct cql_statement){.text = slice_str(text)};
    const struct cql_execution at = {
        .consistency = CQL_ONE, .has_timestamp = true, .timestamp = 1234567};
    must(sync_batch(client, CQL_BATCH_UNLOGGED, statements, 51, &at));
    must(sync_batch(client, CQL_BATCH_LOGGED, statements, 51, &at));
    struct sync_outcome o = must(query(client, "SELECT WRITETIME(v) FROM %s.t", keyspace));
    assert_int_equal(o.row_count, 51);
    for (uint32_t i = 0; i < 51; i++)
        assert_int_equal(cql_decode_int(o.cells[i]), 1234567);

    /* UNSET leaves a column, null empties it. */
    values[0][2].kind = CQL_VALUE_UNSET;
    values[1][2].kind = CQL_VALUE_NULL;
    must(sync_batch(client, CQL_BATCH_UNLOGGED, statements, 2, &one));
    o = must(query(client, "SELECT v FROM %s.t WHERE p = 1 AND c < 2", keyspace));
    assert_true(slice_is(o.cells[0], "x"));
    assert_true(slice_is_null(o.cells[1]));
    finish(client);
}

static void test_many_in_flight(void **state)
{
    (void)state;
    struct cql_client *client = connect_to(0, false);
    const struct cql_prepared *put = prepare(client, "INSERT INTO %s.t (p, c, v) VALUES (?, ?, ?)");
    enum { COUNT = 5000 };
    struct sync_outcome *outcomes = calloc(COUNT, sizeof *outcomes);
    unsigned left = COUNT;
    for (int i = 0; i < COUNT; i++) {
        char pb[4], cb[4];
        const struct cql_value values[] = {cql_value_of(cql_encode_i32(pb, i % 10)),
                                           cql_value_of(cql_encode_i32(cb, i)),
                                           cql_value_of(SLICE_LIT("many"))};
        const struct cql_statement statement = {
            .prepared = put, .values = values, .value_count = 3};
        outcomes[i].left = &left;
        assert_true(cql_execute(client, &statement, &one, sync_on_result, &outcomes[i], NULL));
    }
    sync_run(&outcomes[0]);
    for (int i = 0; i < COUNT; i++)
        must(outcomes[i]);
    free(outcomes);
    struct sync_outcome o = must(query(client, "SELECT count(*) FROM %s.t", keyspace));
    assert_int_equal(cql_decode_int(o.cells[0]), COUNT);
    finish(client);
}

static void test_schema_changes(void **state)
{
    (void)state;
    for (int version = 4; version <= 5; version++) {
        struct cql_client *client = connect_to(version, false);
        const struct cql_prepared *put =
            prepare(client, "INSERT INTO %s.t (p, c, v) VALUES (?, ?, ?)");
        const struct cql_prepared *get = prepare(client, "SELECT * FROM %s.t");
        const struct cql_statement all = {.prepared = get};
        must(insert(client, put, 1, 1, SLICE_LIT("x")));
        assert_int_equal(must(sync_execute(client, &all, &one)).column_count, 5);

        must(query(client, "ALTER TABLE %s.t ADD added int", keyspace));
        must(query(client, "INSERT INTO %s.t (p, c, added) VALUES (1, 1, 77)", keyspace));
        struct sync_outcome o = must(sync_execute(client, &all, &one));
        assert_int_equal(o.column_count, 6);
        assert_true(slice_is(o.names[2], "added"));
        assert_int_equal(cql_decode_int(o.cells[2]), 77);
        if (version == 5)
            assert_int_equal(cql_prepared_columns(get)->count, 6);
        assert_int_equal(must(sync_execute(client, &all, &one)).column_count, 6);

        must(query(client, "DROP TABLE %s.t", keyspace));
        o = insert(client, put, 1, 1, SLICE_LIT("x"));
        assert_int_equal(o.err.code, ERR_SCHEMA);
        must(query(client, "CREATE TABLE %s.t (p int, c int, v text, PRIMARY KEY (p, c))",
                   keyspace));
        must(insert(client, put, 1, 1, SLICE_LIT("x")));
        o = must(sync_execute(client, &all, &one));
        assert_int_equal(o.column_count, 3);
        assert_int_equal(o.row_count, 1);
        assert_true(slice_is(o.cells[2], "x"));
        finish(client);
    }
}

static void test_errors(void **state)
{
    (void)state;
    struct cql_client *client = connect_to(0, false);
    assert_int_equal(query(client, "SELEC 1").err.code, ERR_SCHEMA);
    assert_int_equal(query(client, "SELECT * FROM %s.nothing", keyspace).err.code, ERR_REQUEST);
    assert_int_equal(sync_prepare(client, "SELECT * FROM nowhere.nothing").err.code, ERR_SCHEMA);
    const struct cql_prepared *put = prepare(client, "INSERT INTO %s.t (p, c, v) VALUES (?, ?, ?)");
    const struct cql_value short_value = cql_value_of(SLICE_LIT("ab"));
    const struct cql_value values[] = {short_value, short_value, short_value};
    const struct cql_statement bad = {.prepared = put, .values = values, .value_count = 3};
    struct sync_outcome o = sync_execute(client, &bad, &one);
    assert_int_equal(o.err.code, ERR_REQUEST);
    assert_non_null(strstr(o.err.text, "Expected 4"));
    finish(client);
}

static void on_event(void *ctx, const struct cql_event *event)
{
    if (slice_is(event->target, "TABLE") && slice_is(event->object, "t") &&
        slice_is(event->keyspace, keyspace))
        ++*(int *)ctx;
}

static void test_events(void **state)
{
    (void)state;
    struct cql_client *client = connect_to(0, false);
    int events = 0;
    cql_on_event(client, on_event, &events);
    must(query(client, "ALTER TABLE %s.t ADD more int", keyspace));
    for (int i = 0; i < 1000 && !events; i++) {
        uv_run(io_loop_uv(sync_loop()), UV_RUN_NOWAIT);
        usleep(20000);
    }
    assert_true(events > 0);
    finish(client);
}

static void test_refused(void **state)
{
    (void)state;
    set_options(0, false);
    options.local_datacenter = "elsewhere";
    struct cql_client *client = sync_client(&options);
    struct sync_outcome o = sync_connect(client);
    assert_int_equal(o.err.code, ERR_CONFIG);
    assert_non_null(strstr(o.err.text, "elsewhere"));
    sync_close(client);
    sync_reset();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_v5),
        cmocka_unit_test(test_v4),
        cmocka_unit_test(test_large_value),
        cmocka_unit_test(test_batch),
        cmocka_unit_test(test_many_in_flight),
        cmocka_unit_test(test_schema_changes),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

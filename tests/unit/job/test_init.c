/* Against real servers, as `tools/servers env` prints them; skipped without. */
#include "job/init.h"

#include "es/request.h"
#include "io/task.h"
#include "source/await.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

/* One pair of a keyspace and an index of our own, a fresh client for every step. */
static struct {
    char keyspace[64], index[64];
    const char *url;
    struct slice key_names[2];
    struct source_table_options table;
    struct job_init_options options;
    /* of the last step */
    struct buf said;
    int created;
    struct err err;
    bool fine;
} t;

typedef bool step_fn(struct cql_client *cassandra, struct es_client *elasticsearch, void *arg);

struct step {
    struct io_loop *loop;
    struct cql_client *cassandra;
    struct es_client *elasticsearch;
    step_fn *fn;
    void *arg;
    int open;
};

static void run_step(void *ctx)
{
    struct step *step = ctx;
    t.fine = step->fn(step->cassandra, step->elasticsearch, step->arg);
}

static void on_closed(void *ctx)
{
    struct step *step = ctx;
    step->open--;
}

static void on_end(void *ctx)
{
    struct step *step = ctx;
    step->open = 2;
    cql_client_close(step->cassandra, on_closed, step);
    es_client_close(step->elasticsearch, on_closed, step);
}

static void with_servers(step_fn *fn, void *arg)
{
    const char *hosts = getenv("CASSANDRA_HOSTS");
    const char *points[] = {hosts && !strchr(hosts, ',') ? hosts : "127.0.0.1"};
    const struct cql_options cassandra = {
        .contact_points = points,
        .contact_point_count = 1,
        .port = (uint16_t)atoi(getenv("CASSANDRA_PORT")),
        .request_timeout_ms = 30000,
    };
    const struct es_options elasticsearch = {
        .hosts = &t.url,
        .host_count = 1,
        .index = t.index,
        .type = "note",
        .timestamp_field = "ts_version",
    };
    t.err = (struct err){0};
    struct step step = {.fn = fn, .arg = arg, .loop = io_loop_new(&t.err)};
    step.cassandra = cql_client_new(step.loop, &cassandra, &t.err);
    step.elasticsearch = es_client_new(step.loop, &elasticsearch, &t.err);
    assert_non_null(step.cassandra);
    assert_non_null(step.elasticsearch);
    t.options.loop = step.loop;
    io_task_start(step.loop, run_step, &step, on_end);
    io_loop_run(step.loop);
    assert_int_equal(step.open, 0);
    io_loop_free(step.loop);
}

/* --- steps */

static bool init_step(struct cql_client *cassandra, struct es_client *elasticsearch, void *arg)
{
    (void)arg;
    buf_clear(&t.said);
    return job_init(cassandra, elasticsearch, &t.options, &t.said, &t.created, &t.err);
}

static bool cql_step(struct cql_client *cassandra, struct es_client *elasticsearch, void *arg)
{
    (void)elasticsearch;
    return await_cql_connect(cassandra, &t.err) && await_cql_run(cassandra, slice_str(arg), &t.err);
}

struct http {
    const char *method, *suffix, *body;
    struct buf answer;
    struct io_group group;
    struct err err;
};

static void on_http(void *ctx, const struct json_node *json, int status, const struct err *err)
{
    struct http *http = ctx;
    (void)status;
    if (err)
        http->err = *err;
    else
        buf_append_slice(&http->answer, json->raw);
    io_group_done(&http->group);
}

static bool http_step(struct cql_client *cassandra, struct es_client *elasticsearch, void *arg)
{
    (void)cassandra;
    struct http *http = arg;
    if (!await_es_connect(elasticsearch, &t.err))
        return false;
    struct buf path = {0}, body = {0};
    buf_printf(&path, "/%s%s", t.index, http->suffix);
    buf_append_str(&body, http->body ? http->body : "");
    io_group_add(&http->group);
    if (!es_send(elasticsearch, http->method, buf_cstr(&path), http->body ? &body : NULL, ES_JSON,
                 on_http, http, &http->err))
        fail_msg("%s", http->err.text);
    io_group_wait(&http->group);
    buf_free(&path);
    buf_free(&body);
    return true;
}

static bool table_step(struct cql_client *cassandra, struct es_client *elasticsearch, void *arg)
{
    (void)elasticsearch;
    return await_cql_connect(cassandra, &t.err) &&
           source_table_read(cassandra, &t.table, arg, &t.err);
}

/* --- words of the tests */

static void must(void)
{
    if (!t.fine)
        fail_msg("%s", t.err.text);
}

PRINTF_LIKE(1, 2)
static void cql(const char *fmt, ...)
{
    char text[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    with_servers(cql_step, text);
    must();
}

/* The answer lives until the test ends; NULL when the server refused. */
static const char *es(const char *method, const char *suffix, const char *body)
{
    static struct buf last;
    struct http http = {.method = method, .suffix = suffix, .body = body};
    with_servers(http_step, &http);
    must();
    buf_free(&last);
    last = http.answer;
    return http.err.code == ERR_NONE ? buf_cstr(&last) : NULL;
}

static void init(int created)
{
    with_servers(init_step, NULL);
    must();
    if (t.created != created)
        fail_msg("created %d things instead of %d:\n%s", t.created, created, buf_cstr(&t.said));
}

static void assert_said(const char *part)
{
    if (!strstr(buf_cstr(&t.said), part))
        fail_msg("not said: %s\nbut: %s", part, buf_cstr(&t.said));
}

static void start(const char *variable)
{
    static int number;
    t.url = getenv(variable);
    if (!t.url || !getenv("CASSANDRA_PORT"))
        skip();
    snprintf(t.keyspace, sizeof t.keyspace, "init_%d_%d", (int)getpid(), ++number);
    snprintf(t.index, sizeof t.index, "init_%d_%d", (int)getpid(), number);
    t.key_names[0] = SLICE_LIT("did");
    t.table = (struct source_table_options){
        .keyspace = t.keyspace,
        .data = "Notes",
        .series = "ts",
        .series_id = "id",
        .series_version = "timestamp",
        .buckets = 1,
        .unit_us = 1000000,
        .consistency = CQL_LOCAL_QUORUM,
        .map = {.key_names = t.key_names,
                .key_name_count = 1,
                .timestamp_field = SLICE_LIT("ts_version")},
    };
    t.options = (struct job_init_options){
        .table = &t.table, .index = t.index, .type = "note", .timestamp_field = "ts_version"};
}

static void end(void)
{
    cql("DROP KEYSPACE IF EXISTS %s", t.keyspace);
    es("DELETE", "", NULL);
    buf_free(&t.said);
    t.said = (struct buf){0};
}

static void make_keyspace(void)
{
    cql("CREATE KEYSPACE %s WITH replication = "
        "{'class': 'SimpleStrategy', 'replication_factor': 1}",
        t.keyspace);
}

/* What init made is what a run needs. */
static void assert_readable(enum source_version_type type)
{
    struct source_table table;
    with_servers(table_step, &table);
    must();
    assert_int_equal(table.version_type, type);
    assert_false(table.entry_per_version);
    source_table_free(&table);
}

/* --- tests */

static void check_index_from_table(const char *variable, const char *const *parts, size_t count)
{
    start(variable);
    make_keyspace();
    cql("CREATE TABLE %s.\"Notes\" (did uuid PRIMARY KEY, \"Title\" text, code ascii, likes int, "
        "big bigint, ok boolean, at timestamp, day date, ip inet, score double, other uuid)",
        t.keyspace);
    t.options.dry_run = true;
    init(2);
    assert_null(es("GET", "/_mapping", NULL));
    t.options.dry_run = false;
    struct buf planned = t.said;
    t.said = (struct buf){0};
    init(2);
    assert_string_equal(buf_cstr(&planned), buf_cstr(&t.said)); /* a dry run says the truth */
    buf_free(&planned);
    assert_readable(SOURCE_VERSION_BIGINT);
    char *made = strdup(es("GET", "/_mapping", NULL));
    for (size_t i = 0; i < count; i++)
        if (!strstr(made, parts[i]))
            fail_msg("no %s in %s", parts[i], made);
    init(0); /* what exists is not touched */
    assert_int_equal(t.said.len, 0);
    assert_string_equal(made, es("GET", "/_mapping", NULL));
    free(made);
    end();
}

static void index_from_table(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "\"dynamic\":\"false\"",
        "\"Title\":{\"type\":\"text\"}",
        "\"code\":{\"type\":\"keyword\",\"ignore_above\":32766}",
        "\"likes\":{\"type\":\"integer\"}",
        "\"big\":{\"type\":\"long\"}",
        "\"ok\":{\"type\":\"boolean\"}",
        "\"at\":{\"type\":\"date\"}",
        "\"day\":{\"type\":\"date\"}",
        "\"ip\":{\"type\":\"ip\"}",
        "\"score\":{\"type\":\"double\"}",
        "\"other\":{\"type\":\"keyword\"}",
        "\"ts_version\":{\"type\":\"long\"}",
    };
    check_index_from_table("ELASTICSEARCH_URL", parts, ARRAY_LEN(parts));
}

static void index_from_table_in_2015(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "\"note\":{\"dynamic\":\"false\"",
        "\"_timestamp\":{\"enabled\":true",
        "\"Title\":{\"type\":\"string\"}",
        "\"code\":{\"type\":\"string\",\"index\":\"not_analyzed\",\"ignore_above\":32766}",
        "\"ip\":{\"type\":\"string\",\"index\":\"not_analyzed\"}",
        "\"likes\":{\"type\":\"integer\"}",
    };
    check_index_from_table("ELASTICSEARCH_2_4_6_URL", parts, ARRAY_LEN(parts));
}

static const char mapping[] =
    "{\"properties\":{\"title\":{\"type\":\"text\"},\"likes\":{\"type\":\"integer\"},"
    "\"at\":{\"type\":\"date\"},\"place\":{\"type\":\"geo_point\"},"
    "\"ts_version\":{\"type\":\"long\"}}}";

static void make_index(void)
{
    char body[1024];
    snprintf(body, sizeof body, "{\"mappings\":%s}", mapping);
    assert_non_null(es("PUT", "", body));
}

static void table_from_index(void **state)
{
    (void)state;
    start("ELASTICSEARCH_URL");
    make_index();
    t.options.dry_run = true;
    init(4);
    assert_said("CREATE KEYSPACE");
    assert_said("CREATE TYPE IF NOT EXISTS");
    assert_said("-- the key is a uuid: the index is empty");
    t.options.dry_run = false;
    init(4);
    assert_said("-- field \"place\" is kept as JSON: no column type for every form of a geo_point");
    assert_said("\"place\" frozen<caes_json>");
    assert_said("\"title\" text");
    assert_said("\"likes\" int");
    assert_said("\"at\" timestamp");
    assert_said("\"did\" uuid");
    assert_null(strstr(buf_cstr(&t.said), "ts_version"));
    assert_readable(SOURCE_VERSION_BIGINT);
    init(0);
    end();
}

static void key_from_ids(void **state)
{
    (void)state;
    start("ELASTICSEARCH_URL");
    make_index();
    assert_non_null(es("PUT", "/_doc/00000000-0000-4000-8000-000000000001?refresh=true", "{}"));
    t.options.dry_run = true;
    init(4);
    assert_said("all 1 documents");
    assert_said("\"did\" uuid");
    /* upper case names no row */
    assert_non_null(es("PUT", "/_doc/00000000-0000-4000-8000-00000000000A?refresh=true", "{}"));
    t.options.dry_run = false;
    init(4);
    assert_said("of 2 documents looked at, 1 have");
    assert_said("\"did\" text");
    assert_readable(SOURCE_VERSION_BIGINT);
    end();
}

static void several_key_columns(void **state)
{
    (void)state;
    start("ELASTICSEARCH_URL");
    make_index();
    t.key_names[0] = SLICE_LIT("tenant");
    t.key_names[1] = SLICE_LIT("number");
    t.table.map.key_name_count = 2;
    init(4);
    assert_said("PRIMARY KEY (\"tenant\", \"number\")");
    assert_said("PRIMARY KEY (\"id\", \"timestamp\", \"tenant\", \"number\")");
    assert_readable(SOURCE_VERSION_BIGINT);
    end();
}

static void series_alone(void **state)
{
    (void)state;
    start("ELASTICSEARCH_URL");
    make_keyspace();
    make_index();
    cql("CREATE TABLE %s.\"Notes\" (did timeuuid PRIMARY KEY, title text)", t.keyspace);
    init(1);
    assert_said("\"did\" timeuuid");
    assert_null(strstr(buf_cstr(&t.said), "Notes"));
    end();
    /* that of the seed stays as it is */
    start("ELASTICSEARCH_URL");
    make_keyspace();
    make_index();
    cql("CREATE TABLE %s.\"Notes\" (did uuid PRIMARY KEY, title text)", t.keyspace);
    cql("CREATE TABLE %s.ts (id int, timestamp int, did uuid, PRIMARY KEY (id, timestamp, did))",
        t.keyspace);
    init(0);
    assert_readable(SOURCE_VERSION_INT);
    end();
}

static void nothing_there(void **state)
{
    (void)state;
    start("ELASTICSEARCH_URL");
    with_servers(init_step, NULL);
    assert_false(t.fine);
    assert_int_equal(t.err.code, ERR_SCHEMA);
    assert_non_null(strstr(t.err.text, "create one of them"));
    assert_int_equal(t.created, 0);
    /* nothing was begun */
    make_keyspace();
    end();
}

static void index_without_fields(void **state)
{
    (void)state;
    const char *const servers[] = {"ELASTICSEARCH_URL", "ELASTICSEARCH_2_4_6_URL"};
    for (size_t i = 0; i < ARRAY_LEN(servers); i++) {
        start(servers[i]);
        assert_non_null(es("PUT", "", "{}"));
        with_servers(init_step, NULL);
        assert_false(t.fine);
        if (t.err.code != ERR_SCHEMA)
            fail_msg("%s", t.err.text);
        /* with a table there is nothing to take from it, and it is not made again */
        make_keyspace();
        cql("CREATE TABLE %s.\"Notes\" (did uuid PRIMARY KEY, title text)", t.keyspace);
        init(1);
        end();
    }
}

static void replication(void **state)
{
    (void)state;
    start("ELASTICSEARCH_URL");
    make_index();
    t.options.replication = "{'class': 'NoSuchStrategy'}";
    with_servers(init_step, NULL);
    assert_false(t.fine);
    assert_non_null(strstr(t.err.text, "creating keyspace"));
    assert_int_equal(t.created, 0);
    assert_int_equal(t.said.len, 0);
    t.options.replication = "{'class': 'SimpleStrategy', 'replication_factor': '1'}";
    init(4);
    assert_said("WITH replication = {'class': 'SimpleStrategy', 'replication_factor': '1'}");
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(index_from_table),    cmocka_unit_test(index_from_table_in_2015),
        cmocka_unit_test(table_from_index),    cmocka_unit_test(key_from_ids),
        cmocka_unit_test(several_key_columns), cmocka_unit_test(series_alone),
        cmocka_unit_test(nothing_there),       cmocka_unit_test(index_without_fields),
        cmocka_unit_test(replication),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

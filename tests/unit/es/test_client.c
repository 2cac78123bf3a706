#include "es/sync.h"
#include "support/http_server.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The client against a scripted server in the same loop: what real servers don't do on demand. */

#define ROOT(number) "{\"version\":{\"number\":\"" number "\"}}"
#define OPENSEARCH(number) \
    "{\"version\":{\"distribution\":\"opensearch\",\"number\":\"" number "\"}}"
#define SHARDS        "\"timed_out\":false,\"_shards\":{\"total\":1,\"successful\":1,\"failed\":0}"
#define HIT(id, sort) "{\"_id\":\"" id "\",\"_version\":7,\"_source\":{},\"sort\":[" sort "]}"

struct world {
    struct sync s;
    struct http_server *server;
};

static void set_up(struct world *w, const struct http_reply *script, size_t count,
                   const struct es_options *options)
{
    struct io_loop *loop = io_loop_new(NULL);
    w->server = http_server_new(io_loop_uv(loop), script, count);
    sync_open_on(&w->s, loop, http_server_url(w->server), "my index", options);
}

static void set_up_connected(struct world *w, const struct http_reply *script, size_t count,
                             const struct es_options *options)
{
    set_up(w, script, count, options);
    if (!sync_connect(&w->s))
        fail_msg("%s", w->s.err.text);
}

static void tear_down(struct world *w)
{
    http_server_stop(w->server);
    sync_close(&w->s);
    http_server_free(w->server);
}

static const struct http_seen *seen(const struct world *w, size_t at)
{
    assert_true(at < http_server_count(w->server));
    return http_server_seen(w->server, at);
}

static void check_seen(const struct world *w, size_t at, const char *method, const char *path,
                       const char *body)
{
    assert_string_equal(seen(w, at)->method, method);
    assert_string_equal(seen(w, at)->path, path);
    if (body)
        assert_string_equal(seen(w, at)->body, body);
}

static void wait_for(const struct world *w, size_t requests)
{
    while (http_server_count(w->server) < requests)
        uv_run(io_loop_uv(w->s.loop), UV_RUN_ONCE);
}

/* -- connecting ---------------------------------------------------------------------------- */

static void test_root_tells_the_version(void **state)
{
    (void)state;
    static const struct http_reply script[] = {{.body = OPENSEARCH("3.6.0"), .split = 7}};
    struct world w;
    set_up_connected(&w, script, 1, NULL);
    assert_true(es_client_version(w.s.client)->opensearch);
    assert_int_equal(es_client_version(w.s.client)->major, 3);
    check_seen(&w, 0, "GET", "/", "");
    tear_down(&w);
}

static void test_root_that_is_missing(void **state)
{
    (void)state;
    static const struct http_reply script[] = {
        {.status = 405, .body = "{\"error\":\"Incorrect HTTP method\",\"status\":405}"},
        {.body = "{\"nodes\":{\"icZo8\":{\"version\":\"9.5.3\"}}}"}};
    struct world w;
    set_up_connected(&w, script, 2, NULL);
    assert_string_equal(es_client_version(w.s.client)->text, "9.5.3");
    check_seen(&w, 1, "GET", "/_nodes/_local?filter_path=nodes.*.version", "");
    tear_down(&w);
}

/* Answers to GET / and what becomes of the connection. */
static const struct {
    struct http_reply replies[2];
    enum err_code code;
    const char *text;
} no_servers[] = {
    {{{.status = 405}, {.status = 403}}, ERR_AUTH, "version"},
    {{{.status = 405}, {.body = "{}"}}, ERR_PROTOCOL, "version"},
    {{{.status = 405}, {.body = "{\"nodes\":[1]}"}}, ERR_PROTOCOL, "version"},
    {{{.status = 401,
       .body = "{\"error\":{\"type\":\"security_exception\",\"reason\":\"missing\"},"
               "\"status\":401}"}},
     ERR_AUTH,
     "401 security_exception: missing; look at username"},
    {{{.body = "{\"hello\":\"world\"}"}}, ERR_PROTOCOL, "no Elasticsearch"},
    {{{.body = "<html>It works!</html>"}}, ERR_PROTOCOL, "can't be read"},
    {{{.body = ROOT("1.6.0")}}, ERR_CONFIG, "too old"},
    {{{.body = "{\"version\":{\"number\":7}}"}}, ERR_PROTOCOL, "version"},
    {{{.status = 503, .body = "{}"}}, ERR_UNAVAILABLE, "503"},
    {{{.status = 302, .headers = "Location: https://other/\r\n", .body = ""}},
     ERR_CONFIG,
     "redirects to https://other/"},
    {{{.reset = true}}, ERR_CONNECTION, ""},
    {{{.stall = true}}, ERR_TIMEOUT, ""},
};

static void test_what_is_no_server(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof no_servers / sizeof *no_servers; i++) {
        struct world w;
        const uint64_t limit_ms = no_servers[i].code == ERR_TIMEOUT ? 150 : 10000;
        set_up(&w, no_servers[i].replies, 2, &(struct es_options){.request_timeout_ms = limit_ms});
        assert_false(sync_connect(&w.s));
        if (w.s.err.code != no_servers[i].code || !strstr(w.s.err.text, no_servers[i].text) ||
            !strstr(w.s.err.text, "elasticsearch"))
            fail_msg("%zu: %s %s", i, err_code_name(w.s.err.code), w.s.err.text);
        tear_down(&w);
    }
}

static void test_hosts_take_turns(void **state)
{
    (void)state;
    static const struct http_reply script[] = {{.body = ROOT("9.5.3")}, {.body = "{" SHARDS "}"}};
    struct io_loop *loop = io_loop_new(NULL);
    struct world w;
    w.server = http_server_new(io_loop_uv(loop), script, 2);
    char hosts[128];
    snprintf(hosts, sizeof hosts, "http://127.0.0.1:1 %s/prefix", http_server_url(w.server));
    sync_open_on(&w.s, loop, hosts, "i", NULL);
    assert_true(sync_connect(&w.s));
    for (int i = 0; i < 4; i++) /* the dead one sits out */
        assert_true(sync_refresh(&w.s));
    check_seen(&w, 4, "POST", "/prefix/i/_refresh", NULL);
    tear_down(&w);
}

/* Two servers; the first one does what first says, the second one is well. */
struct pair {
    struct world w;
    struct http_server *second;
};

static void set_up_pair(struct pair *p, const struct http_reply *first, size_t count)
{
    static const struct http_reply well[] = {{.body = "{\"items\":[{\"index\":{\"status\":201}}],"
                                                      "\"errors\":false,\"took\":1," SHARDS "}"}};
    struct io_loop *loop = io_loop_new(NULL);
    p->w.server = http_server_new(io_loop_uv(loop), first, count);
    p->second = http_server_new(io_loop_uv(loop), well, 1);
    char hosts[128];
    snprintf(hosts, sizeof hosts, "%s %s", http_server_url(p->w.server),
             http_server_url(p->second));
    sync_open_on(&p->w.s, loop, hosts, "i", NULL);
    assert_true(sync_connect(&p->w.s));
    assert_int_equal(http_server_count(p->w.server), 1);
}

static void tear_down_pair(struct pair *p)
{
    http_server_stop(p->second);
    tear_down(&p->w);
    http_server_free(p->second);
}

static bool bulk_one(struct world *w)
{
    struct buf body = {0};
    assert_true(es_bulk_index(w->s.client, &body,
                              &(struct es_action){.id = SLICE_LIT("a"), .version = 1},
                              SLICE_LIT("{}"), NULL));
    return sync_bulk(&w->s, &body, 1);
}

/* What reached nobody goes elsewhere, a write too. */
static void test_a_host_that_is_gone(void **state)
{
    (void)state;
    static const struct http_reply first[] = {{.body = ROOT("9.5.3")}};
    struct pair p;
    set_up_pair(&p, first, 1);
    http_server_stop(p.w.server);
    for (int i = 0; i < 6; i++) {
        if (i % 2 ? !bulk_one(&p.w) : !sync_refresh(&p.w.s))
            fail_msg("%s", p.w.s.err.text);
    }
    assert_int_equal(http_server_count(p.second), 6);
    assert_non_null(strstr(http_server_seen(p.second, 1)->body, "\"a\""));
    tear_down_pair(&p);
}

/* What has reached one goes elsewhere only if it does no harm twice. */
static void test_a_host_that_ends_under_a_request(void **state)
{
    (void)state;
    static const struct http_reply first[] = {{.body = ROOT("9.5.3")}, {.reset = true}};
    struct pair p;
    set_up_pair(&p, first, 2);
    assert_true(sync_refresh(&p.w.s)); /* the second one's turn */
    assert_true(sync_refresh(&p.w.s));
    assert_int_equal(http_server_count(p.second), 2);
    tear_down_pair(&p);

    set_up_pair(&p, first, 2);
    assert_true(bulk_one(&p.w));
    assert_false(bulk_one(&p.w));
    assert_int_equal(p.w.s.err.code, ERR_CONNECTION);
    assert_int_equal(http_server_count(p.w.server), 2);
    assert_true(bulk_one(&p.w)); /* it sits out */
    assert_true(bulk_one(&p.w));
    assert_int_equal(http_server_count(p.second), 3);
    tear_down_pair(&p);
}

/* That the next connection is refused does not undo what was sent on the one before. */
static void test_a_host_that_leaves_under_a_write(void **state)
{
    (void)state;
    static const struct http_reply first[] = {
        {.body = ROOT("9.5.3")}, {.body = "{" SHARDS "}"}, {.leave = true}};
    struct pair p;
    set_up_pair(&p, first, 3);
    assert_true(sync_refresh(&p.w.s)); /* the second one's turn */
    assert_true(sync_refresh(&p.w.s));
    assert_true(sync_refresh(&p.w.s));
    assert_false(bulk_one(&p.w));
    assert_int_equal(p.w.s.err.code, ERR_CONNECTION);
    assert_non_null(strstr(p.w.s.err.text, http_server_url(p.w.server)));
    assert_int_equal(http_server_count(p.w.server), 3);
    assert_int_equal(http_server_count(p.second), 2);
    assert_true(bulk_one(&p.w));
    assert_int_equal(http_server_count(p.second), 3);
    tear_down_pair(&p);
}

static void test_a_host_that_is_not_ready(void **state)
{
    (void)state;
    static const struct http_reply first[] = {{.body = ROOT("9.5.3")}, {.status = 503}};
    struct pair p;
    set_up_pair(&p, first, 2);
    assert_true(bulk_one(&p.w));
    assert_false(bulk_one(&p.w));
    assert_int_equal(p.w.s.err.code, ERR_UNAVAILABLE);
    for (int i = 0; i < 4; i++)
        assert_true(bulk_one(&p.w));
    tear_down_pair(&p);
}

struct answer {
    bool came;
    enum err_code code;
};

static void on_answer(void *ctx, const struct json_node *json, const struct err *err)
{
    struct answer *answer = ctx;
    assert_true((json == NULL) == (err != NULL));
    *answer = (struct answer){true, err ? err->code : ERR_NONE};
}

static void ask(struct world *w, const char *path, const char *body, enum err_code code)
{
    struct answer answer = {0};
    struct buf text = {0};
    if (body)
        buf_append_str(&text, body);
    assert_true(es_ask(w->s.client, path, body ? &text : NULL, on_answer, &answer, NULL));
    while (!answer.came)
        uv_run(io_loop_uv(w->s.loop), UV_RUN_ONCE);
    assert_int_equal(answer.code, code);
}

static void test_other_questions(void **state)
{
    (void)state;
    static const struct http_reply script[] = {
        {.body = ROOT("2.4.6")}, {.body = "{}"}, {.body = "{}"}, {.status = 404, .body = "{}"}};
    struct world w;
    set_up_connected(&w, script, 4, &(struct es_options){.type = "log"});
    ask(&w, "/_cluster/state/metadata/{index}?x={", NULL, ERR_NONE);
    check_seen(&w, 1, "GET", "/_cluster/state/metadata/my%20index?x={", "");
    ask(&w, "/{documents}/_search", "{\"size\":1}", ERR_NONE);
    check_seen(&w, 2, "POST", "/my%20index/log/_search", "{\"size\":1}");
    ask(&w, "/{index}", NULL, ERR_NOT_FOUND);
    tear_down(&w);
}

static void test_logins(void **state)
{
    (void)state;
    static const struct http_reply script[] = {{.body = ROOT("9.5.3")}, {.status = 401}};
    struct world w;
    set_up_connected(&w, script, 2,
                     &(struct es_options){.username = "elastic", .password = "sesame"});
    assert_false(sync_refresh(&w.s));
    assert_non_null(strstr(seen(&w, 1)->headers, "Authorization: Basic ZWxhc3RpYzpzZXNhbWU="));
    assert_null(strstr(w.s.err.text, "sesame"));
    tear_down(&w);
    set_up_connected(&w, script, 2, &(struct es_options){.api_key = "c2VjcmV0"});
    assert_non_null(strstr(seen(&w, 0)->headers, "Authorization: ApiKey c2VjcmV0"));
    tear_down(&w);
}

/* -- bulk ---------------------------------------------------------------------------------- */

static const struct {
    const char *root, *path, *lines;
} bodies[] = {
    {ROOT("1.7.6"), "/my%20index/a%2Fb/_bulk",
     "{\"index\":{\"_id\":\"k\\\"\",\"_version\":5,\"_version_type\":\"external\",\"_timestamp\":"
     "5}}\n{\"a\":1}\n{\"delete\":{\"_id\":\"d\",\"_version\":6,\"_version_type\":\"external_gte\","
     "\"_timestamp\":6}}\n{\"delete\":{\"_id\":\"s\",\"_version\":7,\"_version_type\":\"external_"
     "gte\",\"_timestamp\":7}}\n"},
    {ROOT("5.6.16"), "/my%20index/a%2Fb/_bulk",
     "{\"index\":{\"_id\":\"k\\\"\",\"_version\":5,\"_version_type\":\"external\"}}\n{\"a\":1}\n{"
     "\"delete\":{\"_id\":\"d\",\"_version\":6,\"_version_type\":\"external_gte\"}}\n{\"delete\":{"
     "\"_id\":\"s\",\"_version\":7,\"_version_type\":\"external_gte\"}}\n"},
    {ROOT("6.8.23"), "/my%20index/a%2Fb/_bulk",
     "{\"index\":{\"_id\":\"k\\\"\",\"version\":5,\"version_type\":\"external\"}}\n{\"a\":1}\n{"
     "\"delete\":{\"_id\":\"d\",\"version\":6,\"version_type\":\"external_gte\"}}\n{\"delete\":{"
     "\"_id\":\"s\",\"if_seq_no\":3,\"if_primary_term\":1}}\n"},
    {ROOT("9.5.3"), "/my%20index/_bulk",
     "{\"index\":{\"_id\":\"k\\\"\",\"version\":5,\"version_type\":\"external\"}}\n{\"a\":1}\n{"
     "\"delete\":{\"_id\":\"d\",\"version\":6,\"version_type\":\"external_gte\"}}\n{\"delete\":{"
     "\"_id\":\"s\",\"if_seq_no\":3,\"if_primary_term\":1}}\n"},
};

static void append_actions(struct world *w, struct buf *body)
{
    const struct es_document doc = {
        .id = SLICE_LIT("s"), .version = 7, .seq_no = 3, .primary_term = 1};
    assert_true(es_bulk_index(w->s.client, body,
                              &(struct es_action){.id = SLICE_LIT("k\""), .version = 5},
                              SLICE_LIT("{\"a\":1}"), &w->s.err));
    assert_true(es_bulk_delete(w->s.client, body,
                               &(struct es_action){.id = SLICE_LIT("d"), .version = 6, .gte = true},
                               &w->s.err));
    assert_true(es_bulk_delete_if(w->s.client, body, &doc, &w->s.err));
}

static void test_bulk_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        const struct http_reply script[] = {
            {.body = bodies[i].root},
            {.body = "{\"items\":[{\"index\":{\"status\":201}},{\"delete\":{\"status\":404}},{"
                     "\"delete\":{\"status\":200}}]}",
             .split = 11}};
        struct world w;
        struct buf body = {0};
        set_up_connected(&w, script, 2, &(struct es_options){.type = "a/b"});
        append_actions(&w, &body);
        assert_true(sync_bulk(&w.s, &body, 3));
        assert_int_equal(w.s.count, 3);
        assert_int_equal(w.s.items[1].status, 404);
        assert_string_equal(seen(&w, 1)->body, bodies[i].lines);
        assert_memory_equal(seen(&w, 1)->path, bodies[i].path, strlen(bodies[i].path));
        assert_non_null(strstr(seen(&w, 1)->headers, "Content-Type: application/x-ndjson"));
        tear_down(&w);
    }
}

static void test_actions_that_spoil_a_bulk(void **state)
{
    (void)state;
    const struct http_reply script[] = {{.body = ROOT("2.4.6")}};
    struct world w;
    set_up_connected(&w, script, 1, NULL);
    struct buf body = {0}, id = {0};
    buf_append_str(&body, "before");
    for (int i = 0; i < 513; i++)
        buf_append_char(&id, 'x');
    const struct {
        struct slice id;
        int64_t version;
        const char *source;
    } bad[] = {
        {SLICE_LIT(""), 1, "{}"},
        {buf_slice(&id), 1, "{}"},
        {SLICE_LIT("\xff"), 1, "{}"},
        {SLICE_LIT("a"), -1, "{}"},
        {SLICE_LIT("a"), 10000000000000, "{}"},
        {SLICE_LIT("a"), 1, "{\n}"},
        {SLICE_LIT("a"), 1, ""},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err err = {0};
        assert_false(es_bulk_index(w.s.client, &body,
                                   &(struct es_action){.id = bad[i].id, .version = bad[i].version},
                                   slice_str(bad[i].source), &err));
        assert_int_equal(err.code, ERR_VALUE);
        assert_string_equal(buf_cstr(&body), "before");
    }
    assert_true(
        es_bulk_index(w.s.client, &body,
                      &(struct es_action){.id = slice_of(id.ptr, 512), .version = 9999999999999},
                      SLICE_LIT("{}"), NULL));
    buf_free(&body);
    buf_free(&id);
    assert_false(sync_bulk(&w.s, &body, 0));
    buf_reserve(&body, (100 << 20) + 1);
    body.len = (100 << 20) + 1;
    assert_false(sync_bulk(&w.s, &body, 1));
    assert_int_equal(w.s.err.code, ERR_TOO_LARGE);
    tear_down(&w);
}

/* Answers to a bulk of two that fail as a whole. */
static const struct {
    struct http_reply reply;
    enum err_code code;
    const char *text;
} bad_bulks[] = {
    {{.status = 429, .body = "{\"error\":{\"type\":\"es_rejected_execution_exception\"}}"},
     ERR_OVERLOADED,
     ": 429 es_rejected_execution_exception"},
    {{.status = 413, .body = ""}, ERR_TOO_LARGE, ": 413"},
    {{.status = 400,
      .body = "{\"error\":{\"root_cause\":[],\"type\":\"mapper_parsing_exception\",\"reason\":"
              "\"failed to parse field [x]\"},\"status\":400}"},
     ERR_REQUEST,
     ": 400 mapper_parsing_exception: failed to parse field [x]"},
    {{.status = 502, .body = "<html>\r\n<h1>502 Bad Gateway</h1>"},
     ERR_UNAVAILABLE,
     ": 502 not in JSON: <html>  <h1>502 Bad Gateway</h1>"},
    {{.body = "<html>"}, ERR_PROTOCOL, "can't be read"},
    {{.body = "{\"items\":[{\"index\":{\"status\":201}},{\"ind"}, ERR_PROTOCOL, "can't be read"},
    {{.body = ""}, ERR_PROTOCOL, "can't be read"},
    {{.body = "{\"items\":[{\"index\":{\"status\":201}}]}"}, ERR_PROTOCOL, "that many"},
    {{.status = 307, .headers = "Location: /x\r\n", .body = ""}, ERR_CONFIG, "redirects"},
    {{.reset = true}, ERR_CONNECTION, ""},
    {{.stall = true}, ERR_TIMEOUT, "0.15 s"},
    {{.raw = "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"items\":", .close = true},
     ERR_CONNECTION,
     ""},
};

static void test_bulks_that_fail(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_bulks / sizeof *bad_bulks; i++) {
        const struct http_reply script[] = {{.body = ROOT("9.5.3")}, bad_bulks[i].reply};
        struct world w;
        struct buf body = {0};
        const uint64_t limit_ms = bad_bulks[i].code == ERR_TIMEOUT ? 150 : 10000;
        set_up_connected(&w, script, 2, &(struct es_options){.request_timeout_ms = limit_ms});
        buf_append_str(&body, "x\n");
        assert_false(sync_bulk(&w.s, &body, 2));
        if (w.s.err.code != bad_bulks[i].code || !strstr(w.s.err.text, bad_bulks[i].text) ||
            strncmp(w.s.err.text, "elasticsearch", 13) != 0)
            fail_msg("%zu: %s %s", i, err_code_name(w.s.err.code), w.s.err.text);
        tear_down(&w);
    }
}

static void test_part_of_a_bulk_fails(void **state)
{
    (void)state;
    const struct http_reply script[] = {
        {.body = ROOT("9.5.3")},
        {.body = "{\"items\":[{\"index\":{\"status\":429,\"error\":{\"type\":\"busy\"}}},{\"index\""
                 ":{\"status\":201}}]}"}};
    struct world w;
    struct buf body = {0};
    set_up_connected(&w, script, 2, NULL);
    assert_true(sync_bulk(&w.s, &body, 2));
    assert_int_equal(w.s.items[0].code, ERR_OVERLOADED);
    assert_string_equal(w.s.items[0].reason, "busy");
    assert_int_equal(w.s.items[1].code, ERR_NONE);
    tear_down(&w);
}

static void test_no_gzip_for_old_servers(void **state)
{
    (void)state;
    static const char *const roots[] = {ROOT("2.4.6"), ROOT("9.5.3")};
    for (int i = 0; i < 2; i++) {
        const struct http_reply script[] = {{.body = roots[i]},
                                            {.body = "{\"items\":[{\"index\":{\"status\":201}}]}"}};
        struct world w;
        struct buf body = {0};
        set_up_connected(&w, script, 2, &(struct es_options){.compression = true});
        for (int j = 0; j < 20000; j++)
            buf_append_str(&body, "xy");
        assert_true(sync_bulk(&w.s, &body, 1));
        assert_int_equal(strstr(seen(&w, 1)->headers, "Content-Encoding: gzip") != NULL, i);
        tear_down(&w);
    }
}

/* -- reading ------------------------------------------------------------------------------- */

static void test_mget_requests(void **state)
{
    (void)state;
    const struct http_reply script[] = {
        {.body = ROOT("9.5.3")},
        {.body =
             "{\"docs\":[{\"_id\":\"a\\\"\",\"found\":false},{\"_id\":\"b\",\"found\":false}]}"}};
    struct world w;
    set_up_connected(&w, script, 2, NULL);
    assert_true(sync_mget(&w.s, (const char *const[]){"a\"", "b"}, 2));
    check_seen(&w, 1, "POST", "/my%20index/_mget?_source_exclude_vectors=false",
               "{\"ids\":[\"a\\\"\",\"b\"]}");
    assert_false(sync_mget(&w.s, (const char *const[]){"b", "a\""}, 2)); /* answers swapped */
    assert_int_equal(w.s.err.code, ERR_PROTOCOL);
    assert_false(sync_mget(&w.s, (const char *const[]){"\xff"}, 1));
    assert_int_equal(w.s.err.code, ERR_VALUE);
    assert_false(sync_mget(&w.s, NULL, 0));
    tear_down(&w);
}

static void expect_page(struct world *w, size_t count, const char *first)
{
    if (!sync_feed_next(&w->s))
        fail_msg("%s", w->s.err.text);
    assert_int_equal(w->s.count, count);
    if (count)
        assert_string_equal(w->s.documents[0].id, first);
}

#define SEARCH_9                                                                                  \
    "{\"size\":2,\"version\":true,\"seq_no_primary_term\":true,\"track_total_hits\":false,"       \
    "\"_source\":{\"exclude_vectors\":false},\"query\":{\"range\":{\"timestamp\":{\"gte\":\"5\"," \
    "\"lte\":\"9\"}}}"

static void test_point_in_time(void **state)
{
    (void)state;
    const struct http_reply script[] = {
        {.body = ROOT("9.5.3")},
        {.body = "{" SHARDS ",\"hits\":{\"hits\":[" HIT("x", "1") "," HIT("y", "2") "]}}"},
        {.body = "{\"id\":\"one\"}"},
        {.body = "{" SHARDS ",\"pit_id\":\"two\",\"hits\":{\"hits\":[" HIT("a", "1") "," HIT(
             "b", "4294967298") "]}}"},
        {.body = "{" SHARDS ",\"pit_id\":\"three\",\"hits\":{\"hits\":[" HIT("c", "7") "]}}"},
        {.body = "{}"}};
    struct world w;
    set_up_connected(&w, script, 6, NULL);
    const struct es_feed_options options = {.since = 5, .until = 9, .page_size = 2};
    assert_true(sync_feed_open(&w.s, &options));
    assert_int_equal(http_server_count(w.server), 1);
    expect_page(&w, 2, "a");
    expect_page(&w, 1, "c");
    expect_page(&w, 0, NULL);
    sync_feed_close(&w.s);
    wait_for(&w, 6);
    check_seen(&w, 1, "POST", "/my%20index/_search", SEARCH_9 "}");
    check_seen(&w, 2, "POST", "/my%20index/_pit?keep_alive=5m", "");
    check_seen(&w, 3, "POST", "/_search",
               SEARCH_9
               ",\"pit\":{\"id\":\"one\",\"keep_alive\":\"5m\"},\"sort\":[\"_shard_doc\"]}");
    check_seen(&w, 4, "POST", "/_search",
               SEARCH_9 ",\"pit\":{\"id\":\"two\",\"keep_alive\":\"5m\"},\"sort\":[\"_shard_doc\"],"
                        "\"search_after\":[4294967298]}");
    check_seen(&w, 5, "DELETE", "/_pit", "{\"id\":\"three\"}");
    tear_down(&w);
}

static void test_opensearch_point_in_time(void **state)
{
    (void)state;
    const struct http_reply script[] = {
        {.body = OPENSEARCH("3.6.0")},
        {.body = "{\"pit_id\":\"one\"}"},
        {.body = "{" SHARDS ",\"hits\":{\"hits\":[" HIT("a", "1,1") "]}}"},
        {.body = "{}"}};
    struct world w;
    set_up_connected(&w, script, 4, NULL);
    assert_true(sync_feed_open(
        &w.s, &(struct es_feed_options){.all = true, .page_size = 2, .slice = 1, .slices = 4}));
    expect_page(&w, 1, "a");
    expect_page(&w, 0, NULL);
    sync_feed_close(&w.s);
    wait_for(&w, 4);
    check_seen(&w, 1, "POST", "/my%20index/_search/point_in_time?keep_alive=5m", "");
    check_seen(&w, 2, "POST", "/_search",
               "{\"size\":2,\"version\":true,\"seq_no_primary_term\":true,\"track_total_hits\":"
               "false,\"query\":{\"match_all\":{}},\"pit\":{\"id\":\"one\",\"keep_alive\":"
               "\"5m\"},\"sort\":[\"_doc\",\"_shard_doc\"],\"slice\":{\"id\":1,\"max\":4}}");
    check_seen(&w, 3, "DELETE", "/_search/point_in_time", "{\"pit_id\":[\"one\"]}");
    tear_down(&w);
}

static void test_slices_of_one_moment(void **state)
{
    (void)state;
    const struct http_reply script[] = {
        {.body = ROOT("9.5.3")},
        {.body = "{\"id\":\"one\"}"},
        {.body = "{" SHARDS ",\"hits\":{\"hits\":[" HIT("a", "1") "]}}"},
        {.body = "{" SHARDS ",\"hits\":{\"hits\":[" HIT("b", "2") "]}}"},
        {.body = "{}"}};
    struct es_feed_options options = {.since = 5, .until = 9, .page_size = 2, .slices = 2};
    struct world w;
    set_up_connected(&w, script, 5, NULL);
    assert_true(es_feed_divides(w.s.client));
    assert_true(sync_feed_open(&w.s, &options));
    expect_page(&w, 1, "a");
    struct es_feed *first = w.s.feed;
    options.slice = 1;
    options.moment = es_feed_moment(first);
    assert_true(sync_feed_open(&w.s, &options));
    expect_page(&w, 1, "b");
    expect_page(&w, 0, NULL);
    sync_feed_close(&w.s);
    w.s.feed = first;
    expect_page(&w, 0, NULL);
    sync_feed_close(&w.s);
    wait_for(&w, 5);
    static const char pit[] = SEARCH_9 ",\"pit\":{\"id\":\"one\",\"keep_alive\":\"5m\"},\"sort\":["
                                       "\"_shard_doc\"],\"slice\":{\"id\":%d,"
                                       "\"max\":2}}";
    for (int i = 0; i < 2; i++) {
        char body[512];
        snprintf(body, sizeof body, pit, i);
        check_seen(&w, 2 + (size_t)i, "POST", "/_search", body);
    }
    check_seen(&w, 4, "DELETE", "/_pit", "{\"id\":\"one\"}");
    tear_down(&w);
}

/* Documents of about 160 bytes; a page of some thousand bytes. */
static void test_pages_by_bytes(void **state)
{
    (void)state;
    enum { HITS = 20 };
    static char page[HITS * 200];
    char *at = page + sprintf(page, "{%s,\"hits\":{\"hits\":[", SHARDS);
    for (int i = 0; i < HITS; i++)
        at += sprintf(at, "%s%s", i ? "," : "", HIT("a", "1"));
    sprintf(at, "]}}");
    const struct http_reply script[] = {{.body = ROOT("9.5.3")},
                                        {.body = "{\"id\":\"one\"}"},
                                        {.body = page},
                                        {.body = "{" SHARDS ",\"hits\":{\"hits\":[]}}"},
                                        {.body = "{}"}};
    struct world w;
    set_up_connected(&w, script, 5, NULL);
    assert_true(sync_feed_open(
        &w.s, &(struct es_feed_options){.all = true, .page_size = HITS, .page_bytes = 12 * 160}));
    expect_page(&w, HITS, "a");
    expect_page(&w, 0, NULL);
    sync_feed_close(&w.s);
    wait_for(&w, 5);
    assert_non_null(strstr(seen(&w, 2)->body, "{\"size\":20,"));
    assert_non_null(strstr(seen(&w, 3)->body, "{\"size\":12,"));
    tear_down(&w);
}

static void test_window_of_one_page(void **state)
{
    (void)state;
    const struct http_reply script[] = {
        {.body = ROOT("9.5.3")}, {.body = "{" SHARDS ",\"hits\":{\"hits\":[" HIT("a", "1") "]}}"}};
    struct world w;
    set_up_connected(&w, script, 2, NULL);
    assert_true(sync_feed_open(&w.s, &(struct es_feed_options){.since = -5}));
    expect_page(&w, 1, "a");
    expect_page(&w, 0, NULL);
    expect_page(&w, 0, NULL);
    sync_feed_close(&w.s);
    assert_int_equal(http_server_count(w.server), 2);
    assert_non_null(strstr(seen(&w, 1)->body, "{\"gte\":\"0\"}"));
    tear_down(&w);
}

static void test_scroll(void **state)
{
    (void)state;
    const struct http_reply script[] = {
        {.body = ROOT("7.11.0")},
        {.body = "{\"_scroll_id\":\"one\"," SHARDS
                 ",\"hits\":{\"hits\":[" HIT("a", "1") "," HIT("b", "1") "]}}"},
        {.body = "{\"_scroll_id\":\"two\"," SHARDS
                 ",\"hits\":{\"hits\":[" HIT("c", "1") "," HIT("d", "1") "]}}"},
        {.body = "{\"_scroll_id\":\"three\"," SHARDS ",\"hits\":{\"hits\":[]}}"},
        {.body = "{}"}};
    struct world w;
    set_up_connected(&w, script, 5, NULL);
    assert_true(sync_feed_open(&w.s, &(struct es_feed_options){.all = true, .page_size = 2}));
    expect_page(&w, 2, "a");
    expect_page(&w, 2, "c");
    expect_page(&w, 0, NULL);
    sync_feed_close(&w.s);
    wait_for(&w, 5);
    check_seen(&w, 1, "POST", "/my%20index/_search?scroll=5m",
               "{\"size\":2,\"version\":true,\"seq_no_primary_term\":true,\"query\":{"
               "\"match_all\":{}},\"sort\":[\"_doc\"]}");
    check_seen(&w, 2, "POST", "/_search/scroll", "{\"scroll\":\"5m\",\"scroll_id\":\"one\"}");
    check_seen(&w, 3, "POST", "/_search/scroll", "{\"scroll\":\"5m\",\"scroll_id\":\"two\"}");
    check_seen(&w, 4, "DELETE", "/_search/scroll", "{\"scroll_id\":[\"three\"]}");
    tear_down(&w);
}

static void test_scroll_of_1_7(void **state)
{
    (void)state;
    const struct http_reply script[] = {
        {.body = ROOT("1.7.6")},
        {.body = "{" SHARDS ",\"hits\":{\"hits\":[" HIT("a", "1") "]}}"},
        {.body = "{\"_scroll_id\":\"one\"," SHARDS ",\"hits\":{\"hits\":[" HIT("a", "1") "]}}"},
        {.body = "{\"_scroll_id\":\"two\"," SHARDS ",\"hits\":{\"hits\":[]}}"},
        {.body = "{}"}};
    struct world w;
    set_up_connected(&w, script, 5, NULL);
    assert_true(sync_feed_open(&w.s, &(struct es_feed_options){.since = 5, .page_size = 1}));
    expect_page(&w, 1, "a");
    expect_page(&w, 0, NULL);
    sync_feed_close(&w.s);
    wait_for(&w, 5);
    check_seen(&w, 1, "POST", "/my%20index/doc/_search",
               "{\"size\":1,\"version\":true,\"query\":{\"range\":{\"_timestamp\":{\"gte\":5}}}}");
    check_seen(&w, 3, "POST", "/_search/scroll?scroll=5m", "one");
    check_seen(&w, 4, "DELETE", "/_search/scroll", "two");
    assert_true(
        sync_feed_open(&w.s, &(struct es_feed_options){.all = true, .slice = 1, .slices = 2}));
    expect_page(&w, 0, NULL); /* no slices there: the first has it all */
    sync_feed_close(&w.s);
    assert_int_equal(http_server_count(w.server), 5);
    tear_down(&w);
}

/* A kept connection that ends in place of an answer. What would change something, or move on, is
 * not sent twice; what only reads is. */
static void test_what_is_sent_again(void **state)
{
    (void)state;
    const struct http_reply cut = {.raw = "", .close = true};
    const struct http_reply scroll[] = {
        {.body = ROOT("7.11.0")},
        {.body = "{\"_scroll_id\":\"one\"," SHARDS ",\"hits\":{\"hits\":[" HIT("a", "1") "]}}"},
        cut,
        {.body = "{\"_scroll_id\":\"two\"," SHARDS ",\"hits\":{\"hits\":[]}}"}};
    const struct http_reply bulk[] = {
        {.body = ROOT("9.5.3")}, cut, {.body = "{\"items\":[{\"index\":{\"status\":409}}]}"}};
    const struct http_reply search[] = {
        {.body = ROOT("9.5.3")}, cut, {.body = "{" SHARDS ",\"hits\":{\"hits\":[]}}"}};
    struct world w;
    set_up_connected(&w, scroll, 4, NULL);
    assert_true(sync_feed_open(&w.s, &(struct es_feed_options){.all = true, .page_size = 1}));
    expect_page(&w, 1, "a");
    assert_false(sync_feed_next(&w.s));
    assert_int_equal(w.s.err.code, ERR_CONNECTION);
    assert_int_equal(http_server_count(w.server), 3);
    sync_feed_close(&w.s);
    tear_down(&w);

    struct buf body = {0};
    set_up_connected(&w, bulk, 3, NULL);
    buf_append_str(&body, "x\n");
    assert_false(sync_bulk(&w.s, &body, 1));
    assert_int_equal(w.s.err.code, ERR_CONNECTION);
    assert_int_equal(http_server_count(w.server), 2);
    tear_down(&w);

    set_up_connected(&w, search, 3, NULL);
    assert_true(sync_max(&w.s));
    assert_int_equal(http_server_count(w.server), 3);
    tear_down(&w);
}

/* What a feed says when its second page is answered by this. */
static const struct {
    struct http_reply reply;
    enum err_code code;
    const char *text;
} bad_pages[] = {
    {{.status = 404,
      .body = "{\"error\":{\"type\":\"search_phase_execution_exception\",\"reason\":\"all shards "
              "failed\",\"caused_by\":{\"reason\":\"No search context\"}},\"status\":404}"},
     ERR_UNAVAILABLE,
     "waited too long"},
    {{.body = "{\"_shards\":{\"total\":5,\"successful\":4,\"failed\":1,\"failures\":[{\"reason\":{"
              "\"type\":\"oom\"}}]},\"hits\":{\"hits\":[" HIT("a", "1") "]}}"},
     ERR_UNAVAILABLE,
     "1 shards failed: oom"},
    {{.body = "{\"_shards\":{\"total\":5,\"successful\":4,\"failed\":0},\"hits\":{\"hits\":[]}}"},
     ERR_UNAVAILABLE,
     "4 of 5 shards"},
    {{.body = "{" SHARDS ",\"hits\":{\"hits\":[{\"_id\":\"a\",\"_version\":1}]}}"},
     ERR_PROTOCOL,
     "continued"},
    {{.body = "{" SHARDS ",\"hits\":{\"hits\":[{\"_id\":\"a\",\"sort\":[1]}]}}"},
     ERR_PROTOCOL,
     "_version"},
    {{.body = "{" SHARDS ",\"pit_id\":7,\"hits\":{\"hits\":[]}}"}, ERR_PROTOCOL, "continued"},
    {{.body = "{}"}, ERR_PROTOCOL, "shards"},
    {{.status = 429, .body = "{}"}, ERR_OVERLOADED, "429"},
    {{.reset = true}, ERR_CONNECTION, ""},
};

static void test_pages_that_fail(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_pages / sizeof *bad_pages; i++) {
        const struct http_reply script[] = {
            {.body = ROOT("9.5.3")},
            {.body = "{\"id\":\"one\"}"},
            {.body = "{" SHARDS ",\"hits\":{\"hits\":[" HIT("x", "1") "]}}"},
            bad_pages[i].reply};
        struct world w;
        set_up_connected(&w, script, 4, NULL);
        assert_true(sync_feed_open(&w.s, &(struct es_feed_options){.all = true, .page_size = 1}));
        expect_page(&w, 1, "x");
        assert_false(sync_feed_next(&w.s));
        if (w.s.err.code != bad_pages[i].code || !strstr(w.s.err.text, bad_pages[i].text) ||
            !strstr(w.s.err.text, "elasticsearch"))
            fail_msg("%zu: %s %s", i, err_code_name(w.s.err.code), w.s.err.text);
        sync_feed_close(&w.s);
        tear_down(&w);
    }
}

static void test_pages_that_are_too_long(void **state)
{
    (void)state;
    char *padding = malloc(5001), *body = malloc(6000);
    memset(padding, ' ', 5000);
    padding[5000] = '\0';
    snprintf(body, 6000, "{" SHARDS ",\"hits\":{\"hits\":[]}}%s", padding);
    const struct http_reply script[] = {
        {.body = ROOT("9.5.3")},
        {.body = body},
        {.body = "{\"id\":\"one\"}"},
        {.body = body},
        {.body = body},
        {.body = "{" SHARDS ",\"hits\":{\"hits\":[" HIT("x", "1") "]}}"}};
    struct world w;
    set_up_connected(&w, script, 6, &(struct es_options){.answer_max = 4000});
    assert_true(sync_feed_open(&w.s, &(struct es_feed_options){.since = 1, .page_size = 1000}));
    expect_page(&w, 1, "x");
    assert_non_null(strstr(seen(&w, 1)->body, "{\"size\":1000,"));
    assert_non_null(strstr(seen(&w, 3)->body, "{\"size\":500,"));
    assert_non_null(strstr(seen(&w, 4)->body, "{\"size\":250,"));
    assert_non_null(strstr(seen(&w, 5)->body, "{\"size\":125,"));
    sync_feed_close(&w.s);
    tear_down(&w);
    free(padding);
    free(body);
}

/* Those of an index with a max_result_window of its own. */
static void test_pages_that_are_refused(void **state)
{
    (void)state;
    const struct http_reply refusal = {
        .status = 400,
        .body = "{\"error\":{\"type\":\"illegal_argument_exception\",\"reason\":\"too large\"},"
                "\"status\":400}"};
    const struct http_reply script[] = {
        {.body = ROOT("9.5.3")},
        refusal,
        {.body = "{\"id\":\"one\"}"},
        {.body = "{" SHARDS ",\"hits\":{\"hits\":[" HIT("x", "1") "]}}"},
        {.body = "{}"},
        refusal};
    struct world w;
    set_up_connected(&w, script, 6, NULL);
    assert_true(sync_feed_open(&w.s, &(struct es_feed_options){.since = 1, .page_size = 5000}));
    expect_page(&w, 1, "x");
    assert_non_null(strstr(seen(&w, 1)->body, "{\"size\":5000,"));
    assert_non_null(strstr(seen(&w, 3)->body, "{\"size\":1000,"));
    sync_feed_close(&w.s);
    wait_for(&w, 5);
    assert_true(sync_feed_open(&w.s, &(struct es_feed_options){.since = 1}));
    assert_false(sync_feed_next(&w.s));
    assert_int_equal(http_server_count(w.server), 6); /* it is about something else */
    sync_feed_close(&w.s);
    tear_down(&w);
}

/* -- documents that are no JSON: what is stored of them comes back as it was sent ----------- */

#define ODD(id)  "{\"_id\":\"" id "\",\"found\":true,\"_version\":7,\"_source\":{\"x\":1 /* y */}}"
#define BARE(id) "{\"_id\":\"" id "\",\"found\":true,\"_version\":7}"
#define GOOD(id) "{\"_id\":\"" id "\",\"found\":true,\"_version\":7,\"_source\":{\"x\":1}}"

static void check_sources(const struct world *w, size_t count, const char *without)
{
    assert_int_equal(w->s.count, count);
    for (size_t i = 0; i < count; i++) {
        const struct sync_document *d = &w->s.documents[i];
        assert_true(d->found);
        assert_int_equal(d->version, 7);
        assert_string_equal(d->source, strcmp(d->id, without) == 0 ? "" : "{\"x\":1}");
    }
}

/* The first read brings a document with a routing: what it did not find may be on another shard. */
static void test_mget_of_routed_documents(void **state)
{
    (void)state;
#define FOUND(id, version, routing) \
    "{\"_id\":\"" id "\",\"_version\":" version ",\"_routing\":\"" routing "\",\"found\":true}"
    const struct http_reply script[] = {
        {.body = ROOT("9.5.3")},
        {.body = "{\"docs\":[" FOUND("a", "1", "x") ",{\"_id\":\"bb\",\"found\":false},"
                                                    "{\"_id\":\"c\",\"found\":false}]}"},
        {.body =
             "{" SHARDS ",\"hits\":{\"hits\":["
             "{\"_id\":\"bb\",\"_version\":8,\"_routing\":\"new\\\"\"},"
             "{\"_id\":\"bb\",\"_version\":7},{\"_id\":\"a\",\"_version\":1,\"_routing\":\"x\"},"
             "{\"_id\":\"other\",\"_version\":1}]}}"},
        {.body = "{\"docs\":[" FOUND("a", "1", "x") "," FOUND(
             "bb", "9", "new\\\"") ","
                                   "{\"_id\":\"c\",\"found\":false}]}"},
        {.body = "{\"timed_out\":false,\"_shards\":{\"total\":2,\"successful\":1,\"failed\":0},"
                 "\"hits\":{\"hits\":[]}}"}};
    struct world w;
    set_up_connected(&w, script, ARRAY_LEN(script), NULL);
    assert_true(sync_mget(&w.s, (const char *const[]){"a", "bb", "c"}, 3));
    check_seen(
        &w, 2, "POST", "/my%20index/_search",
        "{\"size\":6,\"version\":true,\"_source\":false,\"query\":{\"ids\":{\"values\":[\"a\","
        "\"bb\",\"c\"]}}}");
    check_seen(
        &w, 3, "POST", "/my%20index/_mget?_source_exclude_vectors=false",
        "{\"docs\":[{\"_id\":\"a\",\"routing\":\"x\"},{\"_id\":\"bb\",\"routing\":\"new\\\"\"},"
        "{\"_id\":\"c\",\"routing\":\"c\"}]}");
    assert_int_equal(w.s.documents[1].version, 9);
    assert_false(w.s.documents[2].found);
    assert_false(sync_mget(&w.s, (const char *const[]){"a"}, 1)); /* a shard is missing */
    assert_int_equal(w.s.err.code, ERR_UNAVAILABLE);
    assert_false(sync_mget(&w.s, (const char *const[]){"\xff"}, 1));
    assert_int_equal(w.s.err.code, ERR_VALUE);
    assert_int_equal(http_server_count(w.server), 5);
    tear_down(&w);
}

static void test_bulk_with_a_routing(void **state)
{
    (void)state;
    const struct http_reply script[] = {{.body = ROOT("9.5.3")}};
    const struct es_action action = {
        .id = SLICE_LIT("k"), .routing = SLICE_LIT("r\""), .version = 5};
    const struct es_document seen = {
        .id = SLICE_LIT("k"), .routing = SLICE_LIT("r"), .seq_no = 3, .primary_term = 1};
    struct world w;
    struct buf body = {0};
    set_up_connected(&w, script, 1, NULL);
    assert_true(es_bulk_index(w.s.client, &body, &action, SLICE_LIT("{}"), NULL));
    assert_true(es_bulk_delete(w.s.client, &body, &action, NULL));
    assert_true(es_bulk_delete_if(w.s.client, &body, &seen, NULL));
    assert_string_equal(
        buf_cstr(&body),
        "{\"index\":{\"_id\":\"k\",\"routing\":\"r\\\"\",\"version\":5,\"version_type\":"
        "\"external\"}}\n"
        "{}\n{\"delete\":{\"_id\":\"k\",\"routing\":\"r\\\"\",\"version\":5,\"version_type\":"
        "\"external\"}}\n{\"delete\":{\"_id\":\"k\",\"routing\":\"r\",\"if_seq_no\":3,"
        "\"if_primary_term\":1}}\n");
    buf_free(&body);
    tear_down(&w);
}

static void test_mget_of_no_json(void **state)
{
    (void)state;
    const struct http_reply script[] = {
        {.body = ROOT("9.5.3")},
        {.body = "{\"docs\":[" GOOD("a") "," GOOD("b") "," ODD("c") "," GOOD("d") "]}"},
        {.body = "{\"docs\":[" BARE("a") "," BARE("b") "," BARE("c") "," BARE("d") "]}"},
        {.body = "{\"docs\":[" GOOD("a") "," GOOD("b") "]}"},
        {.body = "{\"docs\":[" ODD("c") "]}"},
        {.body = "{\"docs\":[" ODD("c") "]}"},
        {.body = "{\"docs\":[" GOOD("a") "," GOOD("b") "," BARE("c") "," GOOD("d") "]}"}};
    struct world w;
    set_up_connected(&w, script, 7, NULL);
    assert_true(sync_mget(&w.s, (const char *const[]){"a", "b", "c", "d"}, 4));
    check_sources(&w, 4, "c");
    assert_int_equal(http_server_count(w.server), 7);
    assert_string_equal(
        seen(&w, 2)->body,
        "{\"docs\":[{\"_id\":\"a\",\"_source\":false},{\"_id\":\"b\",\"_source\":false},"
        "{\"_id\":\"c\",\"_source\":false},{\"_id\":\"d\",\"_source\":false}]}");
    assert_string_equal(seen(&w, 3)->body, "{\"docs\":[{\"_id\":\"a\"},{\"_id\":\"b\"}]}");
    assert_string_equal(seen(&w, 5)->body, "{\"docs\":[{\"_id\":\"c\"}]}");
    assert_string_equal(
        seen(&w, 6)->body,
        "{\"docs\":[{\"_id\":\"a\"},{\"_id\":\"b\"},{\"_id\":\"c\",\"_source\":false},"
        "{\"_id\":\"d\"}]}");
    tear_down(&w);
}

/* It is no document's fault: the answer of something else, or one that is readable by itself. */
static void test_mget_that_stays_unreadable(void **state)
{
    (void)state;
    static const struct http_reply pages[] = {{.body = ROOT("9.5.3")}, {.body = "<html>"}};
    static const struct http_reply changing[] = {
        {.body = ROOT("9.5.3")},
        {.body = "{\"docs\":[" GOOD("a") "," ODD("b") "]}"},
        {.body = "{\"docs\":[" BARE("a") "," BARE("b") "]}"},
        {.body = "{\"docs\":[" GOOD("a") "]}"},
        {.body = "{\"docs\":[" GOOD("b") "]}"}};
    static const struct http_reply broken[] = {
        {.body = ROOT("9.5.3")}, {.body = "{\"docs\":[" ODD("a") "]}"}, {.status = 503}};
    const struct {
        const struct http_reply *script;
        size_t count, requests;
        enum err_code code;
    } cases[] = {{pages, 2, 3, ERR_PROTOCOL},
                 {changing, 5, 5, ERR_PROTOCOL},
                 {broken, 3, 3, ERR_UNAVAILABLE}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world w;
        set_up_connected(&w, cases[i].script, cases[i].count, NULL);
        assert_false(sync_mget(&w.s, (const char *const[]){"a", "b"}, 2));
        assert_int_equal(w.s.err.code, cases[i].code);
        assert_int_equal(http_server_count(w.server), cases[i].requests);
        tear_down(&w);
    }
}

static void test_page_of_no_json(void **state)
{
    (void)state;
    const struct http_reply script[] = {
        {.body = ROOT("9.5.3")},
        {.body = "{" SHARDS ",\"hits\":{\"hits\":[" GOOD("a") "," ODD("b") "]}}"},
        {.body = "{" SHARDS ",\"hits\":{\"hits\":[" BARE("a") "," BARE("b") "," BARE("c") "]}}"},
        {.body = "{\"docs\":[" GOOD("a") "," ODD("b") ",{\"_id\":\"c\",\"found\":false}]}"},
        {.body = "{\"docs\":[" BARE("a") "," BARE("b") ",{\"_id\":\"c\",\"found\":false}]}"},
        {.body = "{\"docs\":[" GOOD("a") "," ODD("b") "]}"},
        {.body = "{\"docs\":[" GOOD("a") "]}"},
        {.body = "{\"docs\":[" ODD("b") "]}"},
        {.body = "{\"docs\":[" GOOD("a") "," BARE("b") ",{\"_id\":\"c\",\"found\":false}]}"}};
    struct world w;
    set_up_connected(&w, script, 9, NULL);
    assert_true(sync_feed_open(&w.s, &(struct es_feed_options){.since = 5}));
    expect_page(&w, 2, "a");
    check_sources(&w, 2, "b");
    assert_int_equal(http_server_count(w.server), 9);
    assert_non_null(strstr(seen(&w, 1)->body, "\"_source\":{\"exclude_vectors\":false}"));
    assert_non_null(strstr(seen(&w, 2)->body, "\"_source\":false"));
    assert_string_equal(seen(&w, 3)->body, "{\"ids\":[\"a\",\"b\",\"c\"]}");
    expect_page(&w, 0, NULL);
    sync_feed_close(&w.s);
    tear_down(&w);
}

#define NO_SOURCE(id) "{\"_id\":\"" id "\",\"_version\":1,\"sort\":[1]}"

static void test_pages_without_sources(void **state)
{
    (void)state;
    const struct http_reply script[] = {
        {.body = ROOT("9.5.3")},
        {.body = "{\"id\":\"one\"}"},
        {.body = "{" SHARDS ",\"hits\":{\"hits\":[" NO_SOURCE("a") "," NO_SOURCE("b") "]}}"},
        {.body = "{" SHARDS ",\"hits\":{\"hits\":[}}"}};
    struct world w;
    set_up_connected(&w, script, 4, NULL);
    assert_true(sync_feed_open(
        &w.s,
        &(struct es_feed_options){.since = 1, .no_source = true, .many = true, .page_size = 2}));
    expect_page(&w, 2, "a");
    assert_string_equal(w.s.documents[0].source, "");
    assert_string_equal(seen(&w, 1)->path, "/my%20index/_pit?keep_alive=5m");
    assert_non_null(strstr(seen(&w, 2)->body, "\"_source\":false"));
    assert_null(strstr(seen(&w, 2)->body, "seq_no"));
    /* No document can be what makes it unreadable. */
    assert_false(sync_feed_next(&w.s));
    assert_int_equal(http_server_count(w.server), 4);
    sync_feed_close(&w.s);
    tear_down(&w);
}

/* The view goes on from where it was, with sources again. */
static void test_point_in_time_of_no_json(void **state)
{
    (void)state;
    const struct http_reply script[] = {
        {.body = ROOT("9.5.3")},
        {.body = "{\"id\":\"one\"}"},
        {.body = "{" SHARDS ",\"hits\":{\"hits\":[" ODD("a") "]}}"},
        {.body = "{" SHARDS ",\"hits\":{\"hits\":[{\"_id\":\"a\",\"_version\":7,\"sort\":[3]}]}}"},
        {.body = "{\"docs\":[{\"_id\":\"a\",\"found\":false}]}"}, /* gone: no end of the feed */
        {.body = "{" SHARDS ",\"hits\":{\"hits\":[]}}"}};
    struct world w;
    set_up_connected(&w, script, 6, NULL);
    assert_true(sync_feed_open(&w.s, &(struct es_feed_options){.all = true, .page_size = 1}));
    expect_page(&w, 0, NULL);
    assert_int_equal(http_server_count(w.server), 6);
    assert_null(strstr(seen(&w, 3)->body, "search_after"));
    assert_non_null(strstr(seen(&w, 3)->body, "\"_source\":false"));
    assert_non_null(strstr(seen(&w, 5)->body, "\"search_after\":[3]"));
    assert_null(strstr(seen(&w, 5)->body, "\"_source\":false"));
    sync_feed_close(&w.s);
    tear_down(&w);
}

static void test_scroll_of_no_json(void **state)
{
    (void)state;
    const struct http_reply script[] = {
        {.body = ROOT("2.4.6")},
        {.body = "{\"_scroll_id\":\"one\"," SHARDS ",\"hits\":{\"hits\":[" GOOD("a") "]}}"},
        {.body = "{\"_scroll_id\":\"two\"," SHARDS ",\"hits\":{\"hits\":[" ODD("b") "]}}"},
        {.body = "{}"},
        {.body = "{\"_scroll_id\":\"three\"," SHARDS ",\"hits\":{\"hits\":[" BARE("a") "]}}"},
        {.body = "{\"docs\":[" GOOD("a") "]}"},
        {.body = "{\"_scroll_id\":\"four\"," SHARDS ",\"hits\":{\"hits\":[" BARE("b") "]}}"},
        {.body = "{\"docs\":[" ODD("b") "]}"},
        {.body = "{\"docs\":[" BARE("b") "]}"},
        {.body = "{\"docs\":[" ODD("b") "]}"},
        {.body = "{\"docs\":[" BARE("b") "]}"},
        {.body = "{\"_scroll_id\":\"five\"," SHARDS ",\"hits\":{\"hits\":[]}}"}};
    struct world w;
    set_up_connected(&w, script, 12, &(struct es_options){.connections = 1});
    assert_true(sync_feed_open(&w.s, &(struct es_feed_options){.all = true, .page_size = 1}));
    expect_page(&w, 1, "a");
    expect_page(&w, 1, "a"); /* once more, from the beginning */
    check_sources(&w, 1, "b");
    expect_page(&w, 1, "b");
    check_sources(&w, 1, "b");
    expect_page(&w, 0, NULL);
    check_seen(&w, 3, "DELETE", "/_search/scroll", "{\"scroll_id\":[\"one\"]}");
    check_seen(&w, 4, "POST", "/my%20index/doc/_search?scroll=5m",
               "{\"size\":1,\"version\":true,\"_source\":false,\"query\":{\"match_all\":{}},"
               "\"sort\":[\"_doc\"]}");
    sync_feed_close(&w.s);
    tear_down(&w);
}

/* What the server has let in must not stop all that it is read with. */
static void test_a_deep_document(void **state)
{
    (void)state;
    enum { DEPTH = 4000 };
    struct buf body = {0};
    buf_append_str(&body, "{" SHARDS ",\"hits\":{\"hits\":[" HIT(
                              "x", "1") ",{\"_id\":\"deep\",\"_version\":7,\"_source\":{\"a\":");
    for (int i = 0; i < DEPTH; i++)
        buf_append_char(&body, '[');
    for (int i = 0; i < DEPTH; i++)
        buf_append_char(&body, ']');
    buf_append_str(&body, "}}]}}");
    const struct http_reply script[] = {{.body = ROOT("9.5.3")}, {.body = buf_cstr(&body)}};
    struct world w;
    set_up_connected(&w, script, 2, NULL);
    assert_true(sync_feed_open(&w.s, &(struct es_feed_options){.since = 1}));
    expect_page(&w, 2, "x");
    assert_string_equal(w.s.documents[1].id, "deep");
    sync_feed_close(&w.s);
    tear_down(&w);
    buf_free(&body);
}

static void test_max(void **state)
{
    (void)state;
    const struct http_reply script[] = {
        {.body = ROOT("9.5.3")},
        {.body = "{" SHARDS ",\"hits\":{\"hits\":[" HIT("x", "7000") "]}}"},
        {.body = "{" SHARDS ",\"hits\":{\"hits\":[]}}"}};
    struct world w;
    set_up_connected(&w, script, 3, &(struct es_options){.timestamp_field = "at\"\\"});
    assert_true(sync_max(&w.s));
    assert_true(w.s.found);
    assert_int_equal(w.s.value, 7);
    check_seen(
        &w, 1, "POST", "/my%20index/_search",
        "{\"size\":1,\"version\":true,\"_source\":false,\"sort\":[{\"at\\\"\\\\\":{\"order\":"
        "\"desc\",\"unmapped_type\":\"long\"}}],\"query\":{\"range\":{\"at\\\"\\\\\":{\"gte\":"
        "\"0\"}}}}");
    assert_true(sync_max(&w.s));
    assert_false(w.s.found);
    tear_down(&w);
}

/* -- the index ----------------------------------------------------------------------------- */

static void test_refresh_that_is_partial(void **state)
{
    (void)state;
    const struct http_reply script[] = {
        {.body = ROOT("9.5.3")},
        {.body = "{\"_shards\":{\"total\":4,\"successful\":2,\"failed\":0}}"}, /* replicas */
        {.body = "{\"_shards\":{\"total\":4,\"successful\":2,\"failed\":2}}"}};
    struct world w;
    set_up_connected(&w, script, 3, NULL);
    assert_true(sync_refresh(&w.s));
    assert_false(sync_refresh(&w.s));
    assert_int_equal(w.s.err.code, ERR_UNAVAILABLE);
    tear_down(&w);
}

static void test_index_requests(void **state)
{
    (void)state;
    const struct http_reply script[] = {{.body = ROOT("2.4.6")},
                                        {.body = "{\"acknowledged\":true}"},
                                        {.status = 408, .body = "{\"timed_out\":true}"},
                                        {.body = "{\"i\":{\"mappings\":{\"doc\":{\"a\":1}}}}"}};
    struct world w;
    set_up_connected(&w, script, 4, NULL);
    assert_true(sync_create(&w.s, "{\"properties\":{}}"));
    assert_true(sync_mapping(&w.s));
    assert_string_equal(buf_cstr(&w.s.json), "{\"a\":1}");
    check_seen(&w, 1, "PUT", "/my%20index", "{\"mappings\":{\"doc\":{\"properties\":{}}}}");
    check_seen(&w, 2, "GET", "/_cluster/health/my%20index?wait_for_status=yellow&timeout=10s",
               NULL);
    check_seen(&w, 3, "GET", "/my%20index/_mapping", NULL);
    tear_down(&w);
}

static unsigned cancelled;

static void on_cancelled(void *ctx, const struct err *err)
{
    (void)ctx;
    assert_non_null(err);
    assert_int_equal(err->code, ERR_CANCELLED);
    cancelled++;
}

static void test_close_cancels(void **state)
{
    (void)state;
    const struct http_reply script[] = {{.body = ROOT("9.5.3")}, {.stall = true}};
    struct world w;
    set_up_connected(&w, script, 2, &(struct es_options){.connections = 2});
    cancelled = 0;
    for (int i = 0; i < 5; i++)
        assert_true(es_refresh(w.s.client, on_cancelled, NULL, &w.s.err));
    wait_for(&w, 3);
    tear_down(&w);
    assert_int_equal(cancelled, 5);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_root_tells_the_version),
        cmocka_unit_test(test_root_that_is_missing),
        cmocka_unit_test(test_what_is_no_server),
        cmocka_unit_test(test_hosts_take_turns),
        cmocka_unit_test(test_a_host_that_is_gone),
        cmocka_unit_test(test_a_host_that_ends_under_a_request),
        cmocka_unit_test(test_a_host_that_leaves_under_a_write),
        cmocka_unit_test(test_a_host_that_is_not_ready),
        cmocka_unit_test(test_other_questions),
        cmocka_unit_test(test_logins),
        cmocka_unit_test(test_bulk_lines),
        cmocka_unit_test(test_actions_that_spoil_a_bulk),
        cmocka_unit_test(test_bulks_that_fail),
        cmocka_unit_test(test_part_of_a_bulk_fails),
        cmocka_unit_test(test_no_gzip_for_old_servers),
        cmocka_unit_test(test_mget_requests),
        cmocka_unit_test(test_point_in_time),
        cmocka_unit_test(test_opensearch_point_in_time),
        cmocka_unit_test(test_slices_of_one_moment),
        cmocka_unit_test(test_pages_by_bytes),
        cmocka_unit_test(test_window_of_one_page),
        cmocka_unit_test(test_scroll),
        cmocka_unit_test(test_scroll_of_1_7),
        cmocka_unit_test(test_what_is_sent_again),
        cmocka_unit_test(test_pages_that_fail),
        cmocka_unit_test(test_pages_that_are_too_long),
        cmocka_unit_test(test_pages_that_are_refused),
        cmocka_unit_test(test_mget_of_routed_documents),
        cmocka_unit_test(test_bulk_with_a_routing),
        cmocka_unit_test(test_mget_of_no_json),
        cmocka_unit_test(test_mget_that_stays_unreadable),
        cmocka_unit_test(test_page_of_no_json),
        cmocka_unit_test(test_pages_without_sources),
        cmocka_unit_test(test_point_in_time_of_no_json),
        cmocka_unit_test(test_scroll_of_no_json),
        cmocka_unit_test(test_a_deep_document),
        cmocka_unit_test(test_max),
        cmocka_unit_test(test_refresh_that_is_partial),
        cmocka_unit_test(test_index_requests),
        cmocka_unit_test(test_close_cancels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

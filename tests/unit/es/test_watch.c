#include "es/sync.h"
#include "support/http_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* What is told of requests for measurements. */

#define ROOT   "{\"version\":{\"number\":\"9.5.3\"}}"
#define SHARDS "{\"_shards\":{\"total\":1,\"successful\":1,\"failed\":0}}"

struct told {
    char text[256];
    int running;
};

static void on_begun(void *ctx, enum es_operation operation)
{
    struct told *t = ctx;
    const size_t len = strlen(t->text);
    snprintf(t->text + len, sizeof t->text - len, "+%d ", (int)operation);
    t->running++;
}

static void on_ended(void *ctx, enum es_operation operation, uint64_t took_us,
                     const struct err *err)
{
    struct told *t = ctx;
    const size_t len = strlen(t->text);
    snprintf(t->text + len, sizeof t->text - len, "-%d%s ", (int)operation,
             err ? err_code_name(err->code) : "");
    assert_true(took_us < 60000000);
    t->running--;
}

static void test_told(void **state)
{
    (void)state;
    static const struct http_reply script[] = {
        {.body = ROOT}, {.body = SHARDS}, {.status = 429}, {.status = 503}, {.reset = true},
    };
    struct told told = {0};
    struct io_loop *loop = io_loop_new(NULL);
    struct http_server *server = http_server_new(io_loop_uv(loop), script, 5);
    struct sync s;
    sync_open_on(&s, loop, http_server_url(server), "i",
                 &(struct es_options){.watch = {on_begun, on_ended, &told}});
    assert_true(sync_connect(&s));
    assert_true(sync_refresh(&s));
    struct buf body = {0};
    assert_true(es_bulk_delete(s.client, &body,
                               &(struct es_action){.id = SLICE_LIT("k"), .version = 1}, &s.err));
    assert_false(sync_bulk(&s, &body, 1));
    const char *ids[] = {"a"};
    assert_false(sync_mget(&s, ids, 1));
    assert_false(sync_max(&s));
    assert_int_equal(told.running, 0);
    char want[256];
    snprintf(want, sizeof want, "+%d -%d +%d -%d +%d -%d%s +%d -%d%s +%d -%d%s ",
             ES_OPERATION_OTHER, ES_OPERATION_OTHER, ES_OPERATION_REFRESH, ES_OPERATION_REFRESH,
             ES_OPERATION_BULK, ES_OPERATION_BULK, err_code_name(ERR_OVERLOADED), ES_OPERATION_GET,
             ES_OPERATION_GET, err_code_name(ERR_UNAVAILABLE), ES_OPERATION_SEARCH,
             ES_OPERATION_SEARCH, err_code_name(ERR_CONNECTION));
    assert_string_equal(told.text, want);
    http_server_stop(server);
    sync_close(&s);
    http_server_free(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_told)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

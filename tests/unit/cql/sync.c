#include "cql/sync.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static struct io_loop *loop;
static struct arena arena;
static int open_clients;

struct io_loop *sync_loop(void)
{
    if (!loop) {
        signal(SIGPIPE, SIG_IGN); /* as the program does */
        loop = io_loop_new(NULL);
    }
    return loop;
}

static void ended(struct sync_outcome *o, const struct err *err)
{
    assert_false(o->done);
    o->done = true;
    if (err)
        o->err = *err;
    if (!o->left || --*o->left == 0)
        io_loop_stop(loop);
}

void sync_on_done(void *ctx, const struct err *err)
{
    ended(ctx, err);
}

void sync_on_prepared(void *ctx, const struct cql_prepared *prepared, const struct err *err)
{
    struct sync_outcome *o = ctx;
    assert_true((prepared != NULL) == (err == NULL));
    o->prepared = prepared;
    ended(o, err);
}

void sync_on_result(void *ctx, const struct cql_result *result, const struct err *err)
{
    struct sync_outcome *o = ctx;
    assert_true((result != NULL) == (err == NULL));
    if (result) {
        o->kind = result->kind;
        o->row_count = result->row_count;
        o->column_count = result->columns->count;
        o->paging_state = arena_copy(&arena, result->paging_state);
        o->cells = arena_alloc(&arena, (size_t)o->row_count * o->column_count * sizeof *o->cells);
        o->names = arena_alloc(&arena, o->column_count * sizeof *o->names);
        for (uint32_t i = 0; i < o->column_count; i++)
            o->names[i] = arena_copy(&arena, result->columns->columns[i].name);
        struct cql_cursor cursor = cql_rows(result);
        struct slice *at = o->cells;
        for (; cql_next(&cursor, at); at += o->column_count)
            for (uint32_t i = 0; i < o->column_count; i++)
                at[i] = arena_copy(&arena, at[i]);
        assert_int_equal(at - o->cells, (size_t)o->row_count * o->column_count);
    }
    ended(o, err);
}

void sync_turn(unsigned ms)
{
    uv_update_time(io_loop_uv(sync_loop()));
    const uint64_t end = uv_hrtime() + ms * 1000000ull;
    while (uv_hrtime() < end)
        uv_run(io_loop_uv(sync_loop()), UV_RUN_NOWAIT);
}

void sync_run(struct sync_outcome *outcome)
{
    while (!outcome->done || (outcome->left && *outcome->left > 0))
        io_loop_run(loop);
}

struct cql_client *sync_client(const struct cql_options *options)
{
    struct err err;
    struct cql_client *client = cql_client_new(sync_loop(), options, &err);
    if (!client)
        fail_msg("%s", err.text);
    open_clients++;
    return client;
}

struct sync_outcome sync_connect(struct cql_client *client)
{
    struct sync_outcome o = {0};
    assert_true(cql_connect(client, sync_on_done, &o, NULL));
    sync_run(&o);
    return o;
}

struct sync_outcome sync_prepare(struct cql_client *client, const char *text)
{
    struct sync_outcome o = {0};
    assert_true(cql_prepare(client, text, sync_on_prepared, &o, NULL));
    assert_false(o.done);
    sync_run(&o);
    return o;
}

struct sync_outcome sync_execute(struct cql_client *client, const struct cql_statement *statement,
                                 const struct cql_execution *execution)
{
    struct sync_outcome o = {0};
    assert_true(cql_execute(client, statement, execution, sync_on_result, &o, NULL));
    assert_false(o.done);
    sync_run(&o);
    return o;
}

struct sync_outcome sync_query(struct cql_client *client, const char *text)
{
    const struct cql_statement statement = {.text = slice_str(text)};
    const struct cql_execution execution = {.consistency = CQL_ONE, .timeout_ms = 30000};
    return sync_execute(client, &statement, &execution);
}

struct sync_outcome sync_batch(struct cql_client *client, enum cql_batch_kind kind,
                               const struct cql_statement *statements, size_t count,
                               const struct cql_execution *execution)
{
    struct sync_outcome o = {0};
    assert_true(cql_batch(client, kind, statements, count, execution, sync_on_result, &o, NULL));
    sync_run(&o);
    return o;
}

static void on_closed(void *ctx)
{
    *(bool *)ctx = true;
}

void sync_close(struct cql_client *client)
{
    bool closed = false;
    cql_client_close(client, on_closed, &closed);
    assert_false(closed);
    while (!closed)
        uv_run(io_loop_uv(loop), UV_RUN_ONCE);
    open_clients--;
}

void sync_forget(void)
{
    open_clients--;
}

void sync_reset(void)
{
    arena_free(&arena);
    /* A test that failed has left its client behind, and its outcomes are gone: so is the loop. */
    if (open_clients == 0)
        io_loop_free(loop);
    open_clients = 0;
    loop = NULL;
}

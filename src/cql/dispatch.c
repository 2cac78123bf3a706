#include "cql/dispatch.h"

#include "base/mem.h"
#include "cql/agreement.h"
#include "cql/answer.h"
#include "cql/error.h"

#include <stdlib.h>
#include <utlist.h>

enum {
    HELD_UP_MS = 50,
    REPEATS_MAX = 5,
    PAUSE_MS = 50, /* before the first repeat; doubles each time */
};

static uint64_t now_us(void)
{
    return uv_hrtime() / 1000;
}

static uint64_t now_ms(void)
{
    return now_us() / 1000;
}

/* --- deadlines --- */

static void on_due(uv_timer_t *timer);

/* When another node is asked, if this one has not answered. */
static uint64_t move_at(const struct cql_request *r)
{
    return r->deadline - r->timeout / 2;
}

static struct cql_request *first_to_move(const struct cql_dispatch *d, uint64_t until)
{
    struct cql_request *r;
    DL_FOREACH2(d->due, r, due_next)
    {
        if (move_at(r) > until)
            return NULL;
        if (r->repeatable && !r->moved)
            return r;
    }
    return NULL;
}

static void arm(struct cql_dispatch *d)
{
    if (!d->due) {
        uv_timer_stop(&d->timer);
        return;
    }
    uint64_t next = d->due->deadline;
    const struct cql_request *r;
    DL_FOREACH (d->paused, r)
        next = r->resume_at < next ? r->resume_at : next;
    r = first_to_move(d, next);
    next = r ? move_at(r) : next;
    const uint64_t now = now_ms();
    uv_update_time(d->timer.loop);
    uv_timer_start(&d->timer, on_due, next > now ? next - now : 0, 0);
}

/* Nearly all requests have the same timeout, so the place is nearly always the end. */
static void add_due(struct cql_dispatch *d, struct cql_request *r)
{
    struct cql_request *before = d->due ? d->due->due_prev : NULL;
    while (before && before->deadline > r->deadline)
        before = before == d->due ? NULL : before->due_prev;
    if (before)
        DL_APPEND_ELEM2(d->due, before, r, due_prev, due_next);
    else
        DL_PREPEND2(d->due, r, due_prev, due_next);
    if (d->due == r)
        arm(d);
}

/* --- ending --- */

static void requeue(struct cql_dispatch *d, struct cql_request *r, struct cql_host *home)
{
    r->state = CQL_REQUEST_QUEUED;
    r->home = home;
    DL_PREPEND(d->queue, r);
    cql_pool_wake(d->pool);
}

/* A lost connection says nothing about the other nodes; what a node answers may be true of all of
 * them, for a while. */
static bool repeat(struct cql_dispatch *d, struct cql_request *r, const struct err *err, bool pause)
{
    if (!r->repeatable || r->again || r->repeats == REPEATS_MAX || err->code == ERR_CANCELLED ||
        err_class_of(err->code) != ERR_CLASS_RETRY)
        return false;
    r->avoid = r->host;
    if (pause) {
        r->resume_at = now_ms() + ((uint64_t)PAUSE_MS << r->repeats);
        r->state = CQL_REQUEST_PAUSED;
        DL_APPEND(d->paused, r);
        arm(d);
    } else {
        requeue(d, r, NULL);
    }
    r->repeats++;
    return true;
}

static void resume(struct cql_dispatch *d, uint64_t now)
{
    struct cql_request *r, *next;
    DL_FOREACH_SAFE (d->paused, r, next) {
        if (r->resume_at > now)
            continue;
        DL_DELETE(d->paused, r);
        requeue(d, r, NULL);
    }
}

/* A node that stands still keeps its connections for longer than a request has time. */
static void move_late(struct cql_dispatch *d, uint64_t now)
{
    struct cql_request *r;
    while ((r = first_to_move(d, now))) {
        struct cql_connection *connection = r->connection;
        r->moved = true;
        if (r->state != CQL_REQUEST_SENT || r->again || !cql_cluster_has_other(d->cluster, r->host))
            continue;
        r->avoid = r->host;
        requeue(d, r, NULL);
        cql_connection_abandon(connection, &r->call); /* may break it, and end other requests */
    }
}

static void finish(struct cql_dispatch *d, struct cql_request *r, const struct cql_result *result,
                   const struct err *err);

static void tell_end(const struct cql_dispatch *d, const struct cql_request *r,
                     const struct err *err)
{
    if (d->watch.ended && !r->settled)
        d->watch.ended(d->watch.ctx, cql_request_operation(r), now_us() - r->since_us, err);
}

/* A statement was prepared again, or was not: those that wait for it go on. */
static void finish_again(struct cql_dispatch *d, struct cql_request *r, const struct err *err)
{
    LL_DELETE2(d->again, r, next_again);
    while (r->waiting) {
        struct cql_request *waiter = r->waiting;
        DL_DELETE(r->waiting, waiter);
        /* A lost connection says nothing about the waiters: none of them took effect. */
        if (!err || err->code == ERR_CONNECTION)
            requeue(d, waiter, err ? NULL : r->home);
        else
            finish(d, waiter, NULL, err);
    }
}

/* r is in no list but that of deadlines. */
static void finish(struct cql_dispatch *d, struct cql_request *r, const struct cql_result *result,
                   const struct err *err)
{
    DL_DELETE2(d->due, r, due_prev, due_next);
    tell_end(d, r, err);
    if (r->again)
        finish_again(d, r, err);
    else if (r->kind == CQL_REQUEST_PREPARE)
        r->on_prepared(r->ctx, err ? NULL : r->prepared, err);
    else
        r->on_result(r->ctx, result, err);
    free(r);
}

static void take_out(struct cql_dispatch *d, struct cql_request *r)
{
    if (r->state == CQL_REQUEST_QUEUED) {
        DL_DELETE(d->queue, r);
    } else if (r->state == CQL_REQUEST_WAITING) {
        DL_DELETE(r->preparation->waiting, r);
    } else if (r->state == CQL_REQUEST_PAUSED) {
        DL_DELETE(d->paused, r);
    }
}

static void expire(struct cql_dispatch *d, struct cql_request *r)
{
    struct err err;
    struct cql_connection *connection = NULL;
    const unsigned long long timeout = r->timeout;
    if (r->state == CQL_REQUEST_SENT || r->state == CQL_REQUEST_PAUSED) {
        connection = r->state == CQL_REQUEST_SENT ? r->connection : NULL;
        err_set(&err, ERR_TIMEOUT, "no answer within %llu ms", timeout);
        if (connection)
            cql_connection_blame(connection, &err);
        else
            err_context(&err, "cassandra");
    } else if (cql_cluster_is_up(d->cluster)) {
        err_set(&err, ERR_TIMEOUT, "cassandra: not sent within %llu ms: too many requests wait",
                timeout);
    } else {
        err_set(&err, ERR_CONNECTION, "cassandra: no connection within %llu ms (%s)", timeout,
                cql_pool_error(d->pool)->text);
    }
    take_out(d, r);
    if (connection)
        cql_connection_abandon(connection, &r->call);
    finish(d, r, NULL, &err);
}

static void on_due(uv_timer_t *timer)
{
    struct cql_dispatch *d = timer->data;
    const uint64_t now = now_ms();
    /* Timers come before sockets: what arrived while the loop stood still is not late. */
    if (d->due && d->due->deadline + HELD_UP_MS <= now && !d->held_up) {
        d->held_up = true;
        uv_timer_start(timer, on_due, 1, 0);
        return;
    }
    d->held_up = false;
    resume(d, now);
    move_late(d, now);
    while (d->due && d->due->deadline <= now)
        expire(d, d->due);
    cql_pool_room(d->pool); /* those given up have made some */
    arm(d);
}

/* --- answers --- */

/* What is wrong with the node rather than with a record or the table names it. */
static void blame(struct cql_dispatch *d, struct cql_request *r, struct err *err)
{
    if (err->code == ERR_AUTH || err->code == ERR_PROTOCOL)
        cql_connection_blame(r->connection, err);
    finish(d, r, NULL, err);
}

/* The node has forgotten a statement, or never knew it. All requests that meet this at one node
 * wait for one PREPARE. */
static void prepare_again(struct cql_dispatch *d, struct cql_request *r,
                          struct cql_prepared *prepared, struct cql_host *host)
{
    struct cql_request *again;
    LL_FOREACH2(d->again, again, next_again)
    if (again->prepared == prepared && again->home == host)
        break;
    if (!again) {
        again = cql_request_new_prepare(prepared);
        again->again = true;
        again->home = host;
        LL_PREPEND2(d->again, again, next_again);
        cql_dispatch_add(d, again, d->request_timeout_ms);
    }
    r->state = CQL_REQUEST_WAITING;
    r->preparation = again;
    DL_APPEND(again->waiting, r);
}

static void on_server_error(struct cql_dispatch *d, struct cql_request *r,
                            struct cql_reader message)
{
    struct err err;
    struct cql_server_error error;
    const bool decoded = cql_error_decode(message, r->kind == CQL_REQUEST_PREPARE, &error, &err);
    if (decoded && error.code != CQL_ERROR_UNPREPARED && repeat(d, r, &err, true))
        return;
    if (!decoded || error.code != CQL_ERROR_UNPREPARED || r->kind == CQL_REQUEST_PREPARE ||
        r->attempts_left == 0) {
        /* The statement was fine once: not the values that wait for it, the table is wrong now. */
        if (r->again && err_class_of(err.code) == ERR_CLASS_REJECT)
            err.code = ERR_SCHEMA;
        blame(d, r, &err);
        return;
    }
    r->attempts_left--;
    struct cql_prepared *prepared = cql_registry_find(&d->registry, error.prepared_id);
    if (prepared)
        prepare_again(d, r, prepared, r->host);
    else /* the id has changed since it was sent */
        requeue(d, r, r->host);
}

static void on_prepared(struct cql_dispatch *d, struct cql_request *r, struct cql_reader message,
                        int version)
{
    struct err err;
    struct cql_preparation preparation;
    if (!cql_answer_prepared(message, version, &d->scratch, &preparation, &err)) {
        blame(d, r, &err);
        return;
    }
    const bool fits = !r->again || cql_prepared_fits(r->prepared, &preparation);
    cql_prepared_update(&d->registry, r->prepared, &preparation);
    if (!fits)
        err_set(&err, ERR_SCHEMA, "columns have other types than before: %.*s",
                SLICE_ARG(r->prepared->text));
    finish(d, r, NULL, fits ? NULL : &err);
}

static void on_agreed(struct cql_agreement *a)
{
    static const struct cql_metadata none;
    static const struct cql_result result = {.kind = CQL_RESULT_SCHEMA, .columns = &none};
    DL_DELETE(*a->list, a);
    a->on_result(a->ctx, &result, NULL);
    free(a);
}

static void await_agreement(struct cql_dispatch *d, struct cql_request *r)
{
    struct cql_agreement *a = mem_zalloc(sizeof *a);
    a->loop = d->loop;
    a->cluster = d->cluster;
    a->host = r->host;
    a->done = on_agreed;
    a->on_result = r->on_result;
    a->ctx = r->ctx;
    a->list = &d->agreements;
    DL_APPEND(d->agreements, a);
    DL_DELETE2(d->due, r, due_prev, due_next);
    tell_end(d, r, NULL);
    free(r);
    cql_agreement_start(a);
}

static void on_result(struct cql_dispatch *d, struct cql_request *r, struct cql_reader message)
{
    struct err err;
    struct cql_metadata columns;
    struct cql_result result;
    struct slice new_id;
    if (!cql_answer_result(message, r->shape ? &r->shape->metadata : NULL, &d->scratch, &columns,
                           &result, &new_id, &err)) {
        blame(d, r, &err);
        return;
    }
    if (!slice_is_null(new_id) && r->kind == CQL_REQUEST_QUERY && r->statements[0].prepared) {
        /* Handles are const for callers only. */
        struct cql_prepared *prepared = (struct cql_prepared *)r->statements[0].prepared;
        cql_prepared_reshape(&d->registry, prepared, new_id, &columns);
    }
    if (result.kind == CQL_RESULT_SCHEMA)
        await_agreement(d, r);
    else
        finish(d, r, &result, NULL);
}

static void on_answer(struct cql_call *call, const struct cql_frame *answer, const struct err *err)
{
    struct cql_request *r = (struct cql_request *)call;
    struct cql_dispatch *d = r->dispatch;
    cql_pool_room(d->pool);
    if (err) {
        if (!repeat(d, r, err, false))
            finish(d, r, NULL, err);
        return;
    }
    struct cql_reader message;
    struct slice warning;
    struct err malformed;
    arena_reset(&d->scratch);
    if (!cql_frame_open(answer, &message, &warning, &malformed)) {
        blame(d, r, &malformed);
    } else if (answer->opcode == CQL_OP_ERROR) {
        on_server_error(d, r, message);
    } else if (answer->opcode != CQL_OP_RESULT) {
        err_set(&malformed, ERR_PROTOCOL, "unexpected answer (opcode 0x%02X)", answer->opcode);
        blame(d, r, &malformed);
    } else if (r->kind == CQL_REQUEST_PREPARE) {
        on_prepared(d, r, message, answer->version);
    } else {
        on_result(d, r, message);
    }
}

/* --- sending --- */

static struct cql_connection *pick(struct cql_dispatch *d, struct cql_request *r)
{
    struct cql_connection *connection = r->home ? cql_host_pick(r->home) : NULL;
    r->host = r->home;
    if (connection)
        return connection;
    const struct cql_route route = cql_request_route(r);
    return cql_cluster_pick(d->cluster, &route, r->avoid, &r->host);
}

static void send_to(struct cql_request *r, struct cql_connection *connection)
{
    struct buf *body = cql_connection_begin(connection, &r->call, cql_request_opcode(r));
    cql_request_encode(r, cql_connection_version(connection), body);
    cql_connection_end(connection);
    r->connection = connection;
    r->since_us = now_us();
    r->state = CQL_REQUEST_SENT;
}

bool cql_dispatch_send(struct cql_dispatch *d)
{
    struct cql_request *r = d->queue;
    if (!r || d->closing)
        return false;
    struct cql_connection *connection = r->settled ? NULL : pick(d, r);
    if (!r->settled && !connection)
        return false;
    DL_DELETE(d->queue, r);
    if (connection)
        send_to(r, connection);
    else
        finish(d, r, NULL, NULL);
    return true;
}

void cql_dispatch_add(struct cql_dispatch *d, struct cql_request *r, uint64_t timeout_ms)
{
    r->dispatch = d;
    r->call.done = on_answer;
    r->timeout = timeout_ms;
    r->since_us = now_us();
    r->deadline = r->since_us / 1000 + timeout_ms;
    r->state = CQL_REQUEST_QUEUED;
    if (r->settled || r->again)
        DL_PREPEND(d->queue, r);
    else
        DL_APPEND(d->queue, r);
    add_due(d, r);
    if (d->watch.begun && !r->settled)
        d->watch.begun(d->watch.ctx, cql_request_operation(r));
    cql_pool_wake(d->pool);
}

/* --- life --- */

void cql_dispatch_init(struct cql_dispatch *d, struct io_loop *loop)
{
    d->loop = loop;
    uv_timer_init(io_loop_uv(loop), &d->timer);
    d->timer.data = d;
}

void cql_dispatch_cancel(struct cql_dispatch *d)
{
    struct err err;
    err_set(&err, ERR_CANCELLED, "the client was closed");
    while (d->due) {
        struct cql_request *r = d->due;
        struct cql_connection *connection = r->state == CQL_REQUEST_SENT ? r->connection : NULL;
        take_out(d, r);
        if (connection)
            cql_connection_abandon(connection, &r->call);
        finish(d, r, NULL, &err);
    }
    while (d->agreements)
        cql_agreement_end(d->agreements);
}

void cql_dispatch_forget(struct cql_dispatch *d, const struct cql_host *host)
{
    struct cql_request *r;
    DL_FOREACH2(d->due, r, due_next)
    {
        r->host = r->host == host ? NULL : r->host;
        r->home = r->home == host ? NULL : r->home;
        r->avoid = r->avoid == host ? NULL : r->avoid;
    }
    struct cql_agreement *a;
    DL_FOREACH (d->agreements, a)
        a->host = a->host == host ? NULL : a->host;
}

void cql_dispatch_free(struct cql_dispatch *d)
{
    cql_registry_free(&d->registry);
    arena_free(&d->scratch);
}

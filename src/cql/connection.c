#include "cql/connection.h"

#include "base/mem.h"
#include "cql/answer.h"
#include "cql/error.h"
#include "cql/handshake.h"
#include "cql/inbound.h"
#include "cql/message.h"
#include "cql/outbound.h"
#include "cql/streams.h"
#include "cql/transport.h"

#include <stdlib.h>

enum {
    SPARE_STREAMS = 8,            /* for our own requests */
    UNSENT_MAX = 4 * 1024 * 1024, /* bytes; a peer that does not read gets no more */
    WARNING_EVERY_MS = 60 * 1000,
};

enum state { CONNECTING, READY, CLOSING };

struct cql_connection {
    struct cql_connection_options options;
    const struct cql_connection_events *events;
    void *ctx;
    uv_loop_t *loop;
    enum state state;

    struct cql_transport *transport;
    uv_timer_t timer; /* first the end of connecting, then the heartbeat */
    int open_parts;   /* transport and timer */

    struct cql_inbound inbound;
    struct cql_outbound outbound;
    struct cql_streams streams;
    struct cql_handshake handshake;
    struct cql_call own; /* handshake */
    struct cql_call heartbeat, registration;
    bool greeted, registering;
    bool heartbeat_sent, last_look;
    uint64_t heard_at, warned_at; /* loop time in ms */
    uint64_t worn_at;             /* the same; 0: it is not */
};

/* --- closing --- */

static void part_closed(struct cql_connection *c)
{
    if (--c->open_parts > 0)
        return;
    c->events->closed(c->ctx, c);
    cql_inbound_free(&c->inbound);
    cql_outbound_free(&c->outbound);
    cql_streams_free(&c->streams);
    free(c);
}

static void on_timer_closed(uv_handle_t *handle)
{
    part_closed(handle->data);
}

static void on_transport_closed(void *ctx)
{
    part_closed(ctx);
}

static void end(struct cql_connection *c, const struct err *err, bool tell)
{
    if (c->state == CLOSING)
        return;
    c->state = CLOSING;
    if (tell)
        c->events->broken(c->ctx, c, err);
    /* Whether a request in flight took effect is unknown, whatever broke the connection. */
    struct err each = *err;
    if (err_class_of(each.code) == ERR_CLASS_FATAL)
        each.code = ERR_CONNECTION;
    struct cql_call *call;
    for (unsigned at = 0; (call = cql_streams_pop(&c->streams, &at));)
        call->done(call, NULL, &each);
    cql_transport_close(c->transport);
    uv_close((uv_handle_t *)&c->timer, on_timer_closed);
}

static void broke(struct cql_connection *c, const struct err *err)
{
    struct err where = *err;
    err_context(&where, "%s:%u", c->options.host, c->options.port);
    end(c, &where, true);
}

void cql_connection_close(struct cql_connection *c)
{
    struct err err;
    err_set(&err, ERR_CANCELLED, "the client was closed");
    end(c, &err, false);
}

void cql_connection_retire(struct cql_connection *c, const struct err *err)
{
    end(c, err, false);
}

/* A server hangs up, without a word or with one that is lost, on a plain greeting where it speaks
 * TLS, and on a client without a certificate where it wants one. */
static void on_transport_broken(void *ctx, const struct err *err)
{
    struct cql_connection *c = ctx;
    struct err own = *err;
    if (err->code == ERR_CONNECTION && c->greeted && c->handshake.step == CQL_HANDSHAKE_OPTIONS)
        err_set(&own, err->code, "%s; %s", err->text,
                c->options.tls ? "should it want a client's certificate, look at tls.cert and "
                                 "tls.key"
                               : "should this port speak TLS, set tls.ca");
    broke(c, &own);
}

/* --- sending --- */

/* Too many requests were never answered: it takes no more, and goes once nobody waits for it, or
 * after two heartbeats. */
static bool is_worn(const struct cql_connection *c)
{
    return c->streams.orphans > c->options.in_flight / 4;
}

static void break_if_worn(struct cql_connection *c)
{
    struct err err;
    if (c->state == CLOSING || !c->worn_at)
        return;
    if (c->streams.busy > 0 && uv_now(c->loop) - c->worn_at < 2 * c->options.heartbeat_ms)
        return;
    err_set(&err, ERR_CONNECTION, "%u requests were never answered", c->streams.orphans);
    broke(c, &err);
}

bool cql_connection_has_room(const struct cql_connection *c)
{
    return c->state == READY && !is_worn(c) && c->streams.busy < c->options.in_flight &&
           c->streams.free_count > SPARE_STREAMS &&
           cql_transport_unsent(c->transport) + c->outbound.frames.len < UNSENT_MAX;
}

struct buf *cql_connection_begin(struct cql_connection *c, struct cql_call *call,
                                 enum cql_opcode opcode)
{
    if (c->state == CLOSING || !cql_streams_take(&c->streams, call))
        return NULL;
    return cql_outbound_begin(&c->outbound, c->options.version, opcode, (int16_t)call->stream);
}

void cql_connection_end(struct cql_connection *c)
{
    cql_outbound_end(&c->outbound);
}

void cql_connection_flush(struct cql_connection *c)
{
    if (c->state == CLOSING || c->outbound.frames.len == 0)
        return;
    cql_transport_write(c->transport, cql_outbound_take(&c->outbound));
}

static void on_drained(void *ctx)
{
    struct cql_connection *c = ctx;
    if (c->state == READY)
        c->events->drained(c->ctx, c);
}

void cql_connection_abandon(struct cql_connection *c, struct cql_call *call)
{
    if (c->state == CLOSING)
        return;
    cql_streams_orphan(&c->streams, call);
    if (is_worn(c) && c->worn_at == 0)
        c->worn_at = uv_now(c->loop);
    break_if_worn(c);
}

static void on_registered(struct cql_call *call, const struct cql_frame *answer,
                          const struct err *err)
{
    (void)err;
    struct cql_connection *c =
        (struct cql_connection *)((char *)call - offsetof(struct cql_connection, registration));
    if (answer && answer->opcode != CQL_OP_READY)
        log_warning(c->options.log, "%s:%u: the server sends no events", c->options.host,
                    c->options.port);
}

void cql_connection_register(struct cql_connection *c)
{
    if (c->registering || c->state != READY)
        return;
    c->registration.done = on_registered;
    struct buf *body = cql_connection_begin(c, &c->registration, CQL_OP_REGISTER);
    if (!body)
        return;
    c->registering = true;
    cql_encode_register(body);
    cql_connection_end(c);
    cql_connection_flush(c);
}

/* --- heartbeat --- */

static void start_heartbeat(struct cql_connection *c);

static void on_heartbeat_answer(struct cql_call *call, const struct cql_frame *answer,
                                const struct err *err)
{
    (void)call;
    (void)answer;
    (void)err;
}

static void on_heartbeat_due(uv_timer_t *timer)
{
    struct cql_connection *c = timer->data;
    const uint64_t silent = uv_now(c->loop) - c->heard_at;
    break_if_worn(c);
    if (c->state == CLOSING)
        return;
    if (c->heartbeat_sent && !c->last_look) {
        /* Timers come before sockets: it may be the loop that stood still. */
        c->last_look = true;
        uv_timer_start(&c->timer, on_heartbeat_due, 1, 0);
        return;
    }
    if (c->heartbeat_sent) {
        struct err err;
        err_set(&err, ERR_CONNECTION, "the peer is silent for %llu ms", (unsigned long long)silent);
        broke(c, &err);
        return;
    }
    if (silent >= c->options.heartbeat_ms) {
        c->heartbeat_sent = true;
        /* One that was not answered yet, though other answers came, serves as well. */
        if (c->heartbeat.stream < 0 || c->streams.calls[c->heartbeat.stream] != &c->heartbeat) {
            if (cql_connection_begin(c, &c->heartbeat, CQL_OP_OPTIONS))
                cql_connection_end(c);
            cql_connection_flush(c);
        }
    }
    start_heartbeat(c);
}

static void start_heartbeat(struct cql_connection *c)
{
    const uint64_t silent = uv_now(c->loop) - c->heard_at;
    const uint64_t every = c->options.heartbeat_ms;
    uv_timer_start(&c->timer, on_heartbeat_due,
                   c->heartbeat_sent || silent >= every ? every : every - silent, 0);
}

/* --- handshake --- */

static void send_handshake(struct cql_connection *c)
{
    struct buf *body = cql_connection_begin(c, &c->own, cql_handshake_opcode(&c->handshake));
    cql_handshake_request(&c->handshake, body);
    cql_connection_end(c);
    cql_connection_flush(c);
}

/* The answer to STARTUP is the last in the old form (v5 specification section 2.3.1). */
static void change_form(struct cql_connection *c)
{
    const bool v5 = c->options.version >= 5;
    c->inbound.segments = v5;
    c->inbound.lz4 = c->handshake.lz4;
    c->outbound.segments = v5;
    c->outbound.lz4 = c->handshake.lz4;
}

static void on_handshake_answer(struct cql_call *call, const struct cql_frame *answer,
                                const struct err *failure)
{
    struct cql_connection *c =
        (struct cql_connection *)((char *)call - offsetof(struct cql_connection, own));
    if (failure)
        return;
    struct err err;
    const bool starting = c->handshake.step == CQL_HANDSHAKE_STARTUP;
    if (!cql_handshake_answer(&c->handshake, answer, &err)) {
        broke(c, &err);
        return;
    }
    if (starting)
        change_form(c);
    if (c->handshake.step != CQL_HANDSHAKE_READY) {
        send_handshake(c);
        return;
    }
    c->state = READY;
    start_heartbeat(c);
    c->events->ready(c->ctx, c);
}

static void on_open(void *ctx)
{
    struct cql_connection *c = ctx;
    c->greeted = true;
    send_handshake(c);
}

static void on_connect_timeout(uv_timer_t *timer)
{
    struct cql_connection *c = timer->data;
    struct err err;
    err_set(&err, ERR_CONNECTION, "not ready within %llu ms",
            (unsigned long long)c->options.connect_timeout_ms);
    broke(c, &err);
}

/* --- receiving --- */

static void on_event(struct cql_connection *c, const struct cql_frame *frame)
{
    struct cql_reader message;
    struct slice warning;
    struct cql_event event;
    struct err err;
    if (cql_frame_open(frame, &message, &warning, &err) && cql_answer_event(message, &event, &err))
        c->events->event(c->ctx, c, &event);
    else
        broke(c, &err);
}

static void log_warning_of(struct cql_connection *c, const struct cql_frame *frame)
{
    struct cql_reader message;
    struct slice warning;
    const uint64_t now = uv_now(c->loop);
    if (c->warned_at && now - c->warned_at < WARNING_EVERY_MS)
        return;
    c->warned_at = now;
    if (cql_frame_open(frame, &message, &warning, NULL) && !slice_is_null(warning))
        log_warning(c->options.log, "%s:%u warns: %.*s", c->options.host, c->options.port,
                    SLICE_ARG(warning));
}

/* Servers that can't tell which request they complain about answer stream 0, then hang up. */
static void on_stray_answer(struct cql_connection *c, const struct cql_frame *frame)
{
    struct cql_reader message;
    struct slice warning;
    struct cql_server_error error;
    struct err err;
    if (frame->opcode == CQL_OP_ERROR && cql_frame_open(frame, &message, &warning, &err) &&
        cql_error_decode(message, false, &error, &err))
        err.code = ERR_PROTOCOL; /* it is about no record */
    else
        err_set(&err, ERR_PROTOCOL, "an answer to stream %d, where nothing was asked",
                frame->stream);
    broke(c, &err);
}

static void on_frame(struct cql_connection *c, const struct cql_frame *frame)
{
    struct err err;
    struct cql_call *call;
    const bool starting = c->state == CONNECTING && c->handshake.step <= CQL_HANDSHAKE_STARTUP;
    if (frame->version != c->options.version && !(starting && frame->opcode == CQL_OP_ERROR)) {
        err_set(&err, ERR_PROTOCOL, "an answer in version %u of the protocol", frame->version);
        broke(c, &err);
    } else if (frame->stream == -1 && frame->opcode == CQL_OP_EVENT) {
        on_event(c, frame);
    } else if (!cql_streams_answered(&c->streams, frame->stream, &call)) {
        on_stray_answer(c, frame);
    } else if (call) {
        if (frame->flags & CQL_FLAG_WARNING)
            log_warning_of(c, frame);
        call->done(call, frame, NULL);
        break_if_worn(c);
    } else if (c->worn_at && !is_worn(c)) {
        c->worn_at = 0;
        on_drained(c);
    }
}

static void on_received(void *ctx, size_t len)
{
    struct cql_connection *c = ctx;
    c->heard_at = uv_now(c->loop);
    c->heartbeat_sent = c->last_look = false;
    cql_inbound_added(&c->inbound, len);
    while (c->state != CLOSING) {
        struct cql_frame frame;
        struct err err;
        const enum cql_step step = cql_inbound_next(&c->inbound, &frame, &err);
        if (step == CQL_STEP_MORE)
            return;
        if (step == CQL_STEP_DONE)
            on_frame(c, &frame);
        else
            broke(c, &err);
    }
}

static char *on_room(void *ctx, size_t *len)
{
    struct cql_connection *c = ctx;
    return cql_inbound_room(&c->inbound, len);
}

/* --- */

struct cql_connection *cql_connection_open(uv_loop_t *loop,
                                           const struct cql_connection_options *options,
                                           const struct cql_connection_events *events, void *ctx)
{
    static const struct cql_transport_events transport_events = {
        .open = on_open,
        .room = on_room,
        .received = on_received,
        .drained = on_drained,
        .broken = on_transport_broken,
        .closed = on_transport_closed,
    };
    struct cql_connection *c = mem_zalloc(sizeof *c);
    c->options = *options;
    c->events = events;
    c->ctx = ctx;
    c->loop = loop;
    c->own.done = on_handshake_answer;
    c->heartbeat = (struct cql_call){.done = on_heartbeat_answer, .stream = -1};
    c->handshake = (struct cql_handshake){
        .version = options->version,
        .compression = options->compression,
        .username = options->username,
        .password = options->password,
    };
    cql_streams_init(&c->streams, options->in_flight + options->in_flight / 4 + 2 * SPARE_STREAMS);
    uv_update_time(loop);
    c->heard_at = uv_now(loop);
    uv_timer_init(loop, &c->timer);
    c->timer.data = c;
    uv_timer_start(&c->timer, on_connect_timeout, options->connect_timeout_ms, 0);
    c->open_parts = 2;
    c->transport =
        cql_transport_open(loop, options->host, options->port, options->tls, &transport_events, c);
    return c;
}

void cql_connection_blame(const struct cql_connection *c, struct err *err)
{
    err_context(err, "cassandra %s:%u", c->options.host, c->options.port);
}

int cql_connection_version(const struct cql_connection *c)
{
    return c->options.version;
}

bool cql_connection_version_refused(const struct cql_connection *c)
{
    return c->handshake.version_refused;
}

const char *cql_connection_release(const struct cql_connection *c)
{
    return c->handshake.release;
}

struct slice cql_connection_host_id(const struct cql_connection *c)
{
    return slice_of(c->handshake.host_id, sizeof c->handshake.host_id);
}

unsigned cql_connection_busy(const struct cql_connection *c)
{
    return c->streams.busy;
}

const char *cql_connection_datacenter(const struct cql_connection *c)
{
    return c->handshake.datacenter;
}

#include "cql/transport.h"

#include "base/mem.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>

struct cql_transport {
    uv_loop_t *loop;
    const char *host;
    const struct cql_transport_events *events;
    void *ctx;

    uv_getaddrinfo_t resolve;
    struct addrinfo *addresses, *next_address;
    uv_tcp_t tcp;
    uv_connect_t connect;
    uv_write_t write;
    uv_timer_t late; /* reports failures of a call from the loop */
    struct buf sending, waiting;
    struct cql_tls *tls; /* NULL: plain TCP */
    struct buf cipher;   /* what came in */
    bool established;    /* TLS */
    struct err err;
    bool resolving, writing, closing, tcp_open, broken;
    int open_handles;
};

enum { CIPHER_ROOM = 64 * 1024 };

static void report_err(struct cql_transport *t)
{
    if (t->broken || t->closing)
        return;
    t->broken = true;
    t->events->broken(t->ctx, &t->err);
}

static void report(struct cql_transport *t, int rc, const char *doing)
{
    err_set(&t->err, ERR_CONNECTION, "%s: %s", doing, uv_strerror(rc));
    report_err(t);
}

static void finish_close(struct cql_transport *t)
{
    if (t->open_handles > 0 || t->resolving)
        return;
    if (t->addresses)
        uv_freeaddrinfo(t->addresses);
    buf_free(&t->sending);
    buf_free(&t->waiting);
    buf_free(&t->cipher);
    cql_tls_free(t->tls);
    t->events->closed(t->ctx);
    free(t);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct cql_transport *t = handle->data;
    t->open_handles--;
    finish_close(t);
}

/* --- connecting --- */

static void try_next_address(struct cql_transport *t, int rc);

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    struct cql_transport *t = handle->data;
    size_t len = CIPHER_ROOM;
    char *at = t->tls ? buf_reserve(&t->cipher, CIPHER_ROOM) : t->events->room(t->ctx, &len);
    *buf = uv_buf_init(at, len > UINT32_MAX ? UINT32_MAX : (unsigned)len);
}

static void start_write(struct cql_transport *t);

/* Every call of the TLS library may leave bytes for the peer. */
static void send_cipher(struct cql_transport *t)
{
    cql_tls_take(t->tls, &t->waiting);
    start_write(t);
}

static void shake_hands(struct cql_transport *t)
{
    const int done = cql_tls_handshake(t->tls, &t->err);
    send_cipher(t);
    if (done < 0) {
        report_err(t);
    } else if (done > 0) {
        t->established = true;
        t->events->open(t->ctx);
    }
}

static void on_cipher(struct cql_transport *t, size_t len)
{
    cql_tls_received(t->tls, t->cipher.ptr, len);
    if (!t->established)
        shake_hands(t);
    while (t->established && !t->closing && !t->broken) {
        size_t room;
        char *at = t->events->room(t->ctx, &room);
        const int got = cql_tls_read(t->tls, at, room, &t->err);
        send_cipher(t);
        if (got > 0)
            t->events->received(t->ctx, (size_t)got);
        else if (got < 0)
            report_err(t);
        else
            break;
    }
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    (void)buf;
    struct cql_transport *t = stream->data;
    if (t->closing || t->broken || len == 0)
        return;
    if (len > 0 && t->tls)
        on_cipher(t, (size_t)len);
    else if (len > 0)
        t->events->received(t->ctx, (size_t)len);
    else
        report(t, (int)len, len == UV_EOF ? "closed by the peer" : "read");
}

static void on_connect(uv_connect_t *request, int rc)
{
    struct cql_transport *t = request->handle->data;
    if (t->closing)
        return;
    if (rc == 0)
        rc = uv_read_start((uv_stream_t *)&t->tcp, on_alloc, on_read);
    if (rc != 0) {
        try_next_address(t, rc);
        return;
    }
    uv_tcp_nodelay(&t->tcp, 1);
    if (t->tls)
        shake_hands(t);
    else
        t->events->open(t->ctx);
}

static void start_connect(struct cql_transport *t)
{
    const struct addrinfo *address = t->next_address;
    t->next_address = address->ai_next;
    int rc = uv_tcp_init(t->loop, &t->tcp);
    if (rc != 0) {
        report(t, rc, "socket");
        return;
    }
    t->tcp.data = t;
    t->tcp_open = true;
    t->open_handles++;
    rc = uv_tcp_connect(&t->connect, &t->tcp, address->ai_addr, on_connect);
    if (rc != 0)
        try_next_address(t, rc);
}

static void on_tried(uv_handle_t *handle)
{
    struct cql_transport *t = handle->data;
    t->open_handles--;
    if (t->closing)
        finish_close(t);
    else
        start_connect(t);
}

/* A socket that failed to connect can't be used again: close it, then take a new one. */
static void try_next_address(struct cql_transport *t, int rc)
{
    if (!t->next_address) {
        report(t, rc, "connect");
        return;
    }
    t->tcp_open = false;
    uv_close((uv_handle_t *)&t->tcp, on_tried);
}

static void on_resolved(uv_getaddrinfo_t *request, int rc, struct addrinfo *addresses)
{
    struct cql_transport *t = request->data;
    t->resolving = false;
    t->addresses = addresses;
    t->next_address = addresses;
    if (t->closing)
        finish_close(t);
    else if (rc != 0 || !addresses)
        report(t, rc ? rc : UV_EAI_NONAME, "name");
    else
        start_connect(t);
}

static void on_late(uv_timer_t *timer)
{
    struct cql_transport *t = timer->data;
    if (!t->closing)
        t->events->broken(t->ctx, &t->err);
}

/* From inside a function of ours nothing may be called back. */
static void report_late(struct cql_transport *t)
{
    t->broken = true;
    uv_timer_start(&t->late, on_late, 0, 0);
}

struct cql_transport *cql_transport_open(uv_loop_t *loop, const char *host, uint16_t port,
                                         struct cql_tls_context *tls,
                                         const struct cql_transport_events *events, void *ctx)
{
    struct cql_transport *t = mem_zalloc(sizeof *t);
    t->tls = tls ? cql_tls_new(tls, host) : NULL;
    t->loop = loop;
    t->host = host;
    t->events = events;
    t->ctx = ctx;
    t->resolve.data = t;
    t->late.data = t;
    uv_timer_init(loop, &t->late);
    t->open_handles = 1;

    char service[8];
    snprintf(service, sizeof service, "%u", port);
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    const int rc = uv_getaddrinfo(loop, &t->resolve, on_resolved, host, service, &hints);
    t->resolving = rc == 0;
    if (rc != 0) {
        err_set(&t->err, ERR_CONNECTION, "name: %s", uv_strerror(rc));
        report_late(t);
    }
    return t;
}

/* --- writing --- */

static void on_written(uv_write_t *request, int rc)
{
    struct cql_transport *t = request->data;
    t->writing = false;
    buf_clear(&t->sending);
    if (t->closing || t->broken)
        return;
    if (rc != 0) {
        report(t, rc, "write");
        return;
    }
    start_write(t);
    if (!t->writing && (!t->tls || t->established))
        t->events->drained(t->ctx);
}

/* One write at a time: what comes meanwhile leaves together with the next. */
static void start_write(struct cql_transport *t)
{
    if (t->closing || t->broken || t->writing || t->waiting.len == 0)
        return;
    const struct buf swap = t->sending;
    t->sending = t->waiting;
    t->waiting = swap;
    const uv_buf_t bytes = uv_buf_init(t->sending.ptr, (unsigned)t->sending.len);
    t->write.data = t;
    t->writing = true;
    const int rc = uv_write(&t->write, (uv_stream_t *)&t->tcp, &bytes, 1, on_written);
    if (rc != 0) {
        t->writing = false;
        err_set(&t->err, ERR_CONNECTION, "write: %s", uv_strerror(rc));
        report_late(t);
    }
}

static void encrypt(struct cql_transport *t, struct buf *bytes)
{
    const bool ok = cql_tls_write(t->tls, buf_slice(bytes), &t->err);
    buf_clear(bytes);
    cql_tls_take(t->tls, &t->waiting);
    if (!ok && !t->broken)
        report_late(t);
}

void cql_transport_write(struct cql_transport *t, struct buf *bytes)
{
    if (t->tls) {
        encrypt(t, bytes);
    } else if (t->waiting.len == 0) {
        const struct buf swap = t->waiting;
        t->waiting = *bytes;
        *bytes = swap;
    } else {
        buf_append_slice(&t->waiting, buf_slice(bytes));
        buf_clear(bytes);
    }
    start_write(t);
}

size_t cql_transport_unsent(const struct cql_transport *t)
{
    return t->waiting.len +
           (t->writing ? uv_stream_get_write_queue_size((uv_stream_t *)&t->tcp) : 0);
}

void cql_transport_close(struct cql_transport *t)
{
    if (t->closing)
        return;
    t->closing = true;
    if (t->resolving)
        uv_cancel((uv_req_t *)&t->resolve);
    uv_close((uv_handle_t *)&t->late, on_handle_closed);
    if (t->tcp_open)
        uv_close((uv_handle_t *)&t->tcp, on_handle_closed);
}

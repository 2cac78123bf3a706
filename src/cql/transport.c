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
    struct err err;
    bool resolving, writing, closing, tcp_open, broken;
    int open_handles;
};

static void report(struct cql_transport *t, int rc, const char *doing)
{
    if (t->broken || t->closing)
        return;
    t->broken = true;
    err_set(&t->err, ERR_CONNECTION, "%s: %s", doing, uv_strerror(rc));
    t->events->broken(t->ctx, &t->err);
}

static void finish_close(struct cql_transport *t)
{
    if (t->open_handles > 0 || t->resolving)
        return;
    if (t->addresses)
        uv_freeaddrinfo(t->addresses);
    buf_free(&t->sending);
    buf_free(&t->waiting);
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
    size_t len;
    char *at = t->events->room(t->ctx, &len);
    *buf = uv_buf_init(at, len > UINT32_MAX ? UINT32_MAX : (unsigned)len);
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    (void)buf;
    struct cql_transport *t = stream->data;
    if (t->closing || t->broken || len == 0)
        return;
    if (len > 0)
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

struct cql_transport *cql_transport_open(uv_loop_t *loop, const char *host, uint16_t port,
                                         const struct cql_transport_events *events, void *ctx)
{
    struct cql_transport *t = mem_zalloc(sizeof *t);
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
        t->broken = true;
        err_set(&t->err, ERR_CONNECTION, "name: %s", uv_strerror(rc));
        uv_timer_start(&t->late, on_late, 0, 0);
    }
    return t;
}

/* --- writing --- */

static void start_write(struct cql_transport *t);

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
    if (!t->writing)
        t->events->drained(t->ctx);
}

/* One write at a time: what comes meanwhile leaves together with the next. */
static void start_write(struct cql_transport *t)
{
    if (t->writing || t->waiting.len == 0)
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
        t->broken = true;
        err_set(&t->err, ERR_CONNECTION, "write: %s", uv_strerror(rc));
        uv_timer_start(&t->late, on_late, 0, 0);
    }
}

void cql_transport_write(struct cql_transport *t, struct buf *bytes)
{
    if (t->waiting.len == 0) {
        const struct buf swap = t->waiting;
        t->waiting = *bytes;
        *bytes = swap;
    } else {
        buf_append_slice(&t->waiting, buf_slice(bytes));
        buf_clear(bytes);
    }
    if (!t->broken)
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

#include "io/http.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "io/http_pool.h"

#include <stdlib.h>
#include <string.h>

enum { CONNECTIONS = 4, CONNECT_MS = 5000, TOTAL_MS = 60000, ANSWER_MAX = 64 << 20 };

struct io_http {
    struct io_loop *loop;
    struct io_http_options options;
    char *ca, *cert, *key; /* what the options point to */
    struct io_http_user user;
    uv_timer_t soon; /* cancelling and closing happen on the loop's own stack */
    unsigned parts;  /* the timer and the place in the pool */
    void (*closed)(void *ctx);
    void *closed_ctx;
};

/* -- calls --------------------------------------------------------------------------------- */

/* Takes the call out of everything, then lets its owner know: from there on anything may be sent.
 */
static void end_call(struct io_http_call *call, int status, const struct err *err)
{
    struct io_http *http = call->http;
    io_http_pool_remove(&http->user, call);
    struct io_http_answer answer = {.status = status};
    if (!err) {
        char *redirect = NULL;
        curl_easy_getinfo(call->easy, CURLINFO_REDIRECT_URL, &redirect);
        answer.redirect = redirect;
        answer.took_us = (uint64_t)(clock_mono_us() - call->started_us);
        memset(buf_reserve(&call->answer, JSON_PADDING), 0, JSON_PADDING);
        answer.body = call->answer;
        call->answer = (struct buf){0};
    }
    call->done(call->ctx, err ? NULL : &answer, err);
    buf_free(&answer.body);
    io_http_call_free(call);
    io_http_pool_start(http->user.pool);
}

static void end_cancelled(struct io_http_call *call)
{
    struct err err;
    err_set(&err, ERR_CANCELLED, "given up");
    end_call(call, 0, &err);
}

static bool start_elsewhere(struct io_http_call *call, CURLcode rc, const struct err *err)
{
    const char *url = io_http_call_may_move(call, rc, err) ? call->elsewhere(call->ctx, err) : NULL;
    if (!url)
        return false;
    io_http_pool_again(call->http->user.pool, call, url);
    return true;
}

void io_http_ended(struct io_http_call *call, CURLcode rc)
{
    long status = 0;
    struct err err;
    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    if (call->http->user.closing) {
        end_cancelled(call);
    } else if (rc == CURLE_OK) {
        end_call(call, (int)status, NULL);
    } else {
        io_http_call_error(call, rc, &err);
        if (!start_elsewhere(call, rc, &err))
            end_call(call, 0, &err);
    }
}

/* -- a request ----------------------------------------------------------------------------- */

struct io_http_call *io_http_send(struct io_http *http, const struct io_http_request *request,
                                  io_http_fn *done, void *ctx, struct err *err)
{
    if (http->user.closing) {
        err_set(err, ERR_CANCELLED, "closing down");
        return NULL;
    }
    struct io_http_call *call = io_http_call_new(&http->options, request, err);
    if (!call)
        return NULL;
    call->http = http;
    call->done = done;
    call->ctx = ctx;
    io_http_pool_add(&http->user, call);
    return call;
}

/* -- cancelling, opening, closing ---------------------------------------------------------- */

static void end_part(struct io_http *http)
{
    if (--http->parts > 0)
        return;
    void (*closed)(void *) = http->closed;
    void *ctx = http->closed_ctx;
    free(http->ca);
    free(http->cert);
    free(http->key);
    free(http);
    if (closed)
        closed(ctx);
}

static void on_left(void *ctx)
{
    end_part(ctx);
}

static void on_soon_closed(uv_handle_t *handle)
{
    end_part(handle->data);
}

static void close_now(struct io_http *http)
{
    while (http->user.first)
        end_cancelled(http->user.first);
    uv_close((uv_handle_t *)&http->soon, on_soon_closed);
    io_http_pool_leave(&http->user, on_left, http);
}

static void on_soon(uv_timer_t *timer)
{
    struct io_http *http = timer->data;
    if (http->user.closing) {
        close_now(http);
        return;
    }
    struct io_http_call *call = http->user.first;
    while (call) {
        if (call->cancelled) {
            end_cancelled(call);
            call = http->user.first; /* its owner may have changed the list */
        } else {
            call = call->next;
        }
    }
}

void io_http_cancel(struct io_http_call *call)
{
    call->cancelled = true;
    uv_timer_start(&call->http->soon, on_soon, 0, 0);
}

void io_http_close(struct io_http *http, void (*closed)(void *ctx), void *ctx)
{
    http->user.closing = true;
    http->closed = closed;
    http->closed_ctx = ctx;
    uv_timer_start(&http->soon, on_soon, 0, 0);
}

static char *copy(const char *text)
{
    return text ? mem_strdup(text) : NULL;
}

static void fill_options(struct io_http *http, const struct io_http_options *options)
{
    http->options = *options;
    struct io_http_options *o = &http->options;
    o->beside = NULL;
    o->connections = o->connections ? o->connections : CONNECTIONS;
    o->connect_timeout_ms = o->connect_timeout_ms ? o->connect_timeout_ms : CONNECT_MS;
    o->total_timeout_ms = o->total_timeout_ms ? o->total_timeout_ms : TOTAL_MS;
    o->answer_max = o->answer_max ? o->answer_max : ANSWER_MAX;
    o->tls.ca = http->ca = copy(o->tls.ca);
    o->tls.cert = http->cert = copy(o->tls.cert);
    o->tls.key = http->key = copy(o->tls.key);
}

struct io_http *io_http_new(struct io_loop *loop, const struct io_http_options *options,
                            struct err *err)
{
    const struct io_http *beside = options->beside;
    struct io_http_pool *pool =
        beside && !beside->user.closing ? beside->user.pool : io_http_pool_new(loop, err);
    if (!pool)
        return NULL;
    struct io_http *http = mem_zalloc(sizeof *http);
    http->loop = loop;
    http->parts = 2;
    fill_options(http, options);
    http->user.limit = http->options.connections;
    io_http_pool_join(pool, &http->user);
    uv_timer_init(io_loop_uv(loop), &http->soon);
    http->soon.data = http;
    return http;
}

#include "io/http.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "io/http_call.h"

#include <stdlib.h>
#include <string.h>

/* curl does the protocol, the loop the waiting: curl says which sockets it wants watched and when
 * it wants to be woken, and is told what happened (multi_socket_action). Requests beyond the limit
 * wait in a list of ours rather than in curl's, so that their timeout starts with their turn. */

enum { CONNECTIONS = 4, CONNECT_MS = 5000, TOTAL_MS = 60000, ANSWER_MAX = 64 << 20 };

struct io_http {
    struct io_loop *loop;
    struct io_http_options options;
    char *ca, *cert, *key; /* what the options point to */
    CURLM *multi;
    uv_timer_t timer; /* curl's */
    uv_timer_t soon;  /* ours: cancelling and closing happen on the loop's own stack */
    struct io_http_call *first, *last;
    unsigned active;
    unsigned handles; /* of the loop, still open */
    bool closing;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

struct watch {
    uv_poll_t poll;
    struct io_http *http;
    curl_socket_t socket;
};

/* -- calls --------------------------------------------------------------------------------- */

static void link_call(struct io_http *http, struct io_http_call *call)
{
    call->prev = http->last;
    *(http->last ? &http->last->next : &http->first) = call;
    http->last = call;
}

static void unlink_call(struct io_http *http, struct io_http_call *call)
{
    *(call->prev ? &call->prev->next : &http->first) = call->next;
    *(call->next ? &call->next->prev : &http->last) = call->prev;
}

static void start_waiting(struct io_http *http)
{
    struct io_http_call *next = NULL;
    for (struct io_http_call *call = http->first; call; call = next) {
        next = call->next;
        if (http->closing || http->active >= http->options.connections)
            return;
        if (call->active || call->cancelled)
            continue;
        call->active = true;
        call->started_us = clock_mono_us();
        http->active++;
        if (curl_multi_add_handle(http->multi, call->easy) != CURLM_OK)
            io_http_cancel(call);
    }
}

/* Takes the call out of everything, then lets its owner know: from there on anything may be sent.
 */
static void end_call(struct io_http_call *call, int status, const struct err *err)
{
    struct io_http *http = call->http;
    if (call->active) {
        curl_multi_remove_handle(http->multi, call->easy);
        http->active--;
    }
    unlink_call(http, call);
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
    start_waiting(http);
}

static bool start_elsewhere(struct io_http_call *call, CURLcode rc, const struct err *err)
{
    CURLM *multi = call->http->multi;
    const char *url = io_http_call_may_move(call, rc, err) ? call->elsewhere(call->ctx, err) : NULL;
    if (!url)
        return false;
    curl_multi_remove_handle(multi, call->easy);
    if (!io_http_call_move(call, url) || curl_multi_add_handle(multi, call->easy) != CURLM_OK)
        io_http_cancel(call);
    return true;
}

static void end_finished(struct io_http *http)
{
    CURLMsg *message;
    int left;
    while (!http->closing && (message = curl_multi_info_read(http->multi, &left))) {
        if (message->msg != CURLMSG_DONE)
            continue;
        struct io_http_call *call = NULL;
        long status = 0;
        const CURLcode rc = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call);
        curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
        if (rc == CURLE_OK) {
            end_call(call, (int)status, NULL);
            continue;
        }
        struct err err;
        io_http_call_error(call, rc, &err);
        if (!start_elsewhere(call, rc, &err))
            end_call(call, 0, &err);
    }
}

/* -- curl on the loop ---------------------------------------------------------------------- */

static void handle_gone(struct io_http *http);

static void tell_curl(struct io_http *http, curl_socket_t socket, int what)
{
    int running;
    curl_multi_socket_action(http->multi, socket, what, &running);
    end_finished(http);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    const struct watch *watch = poll->data;
    int what = status < 0 ? CURL_CSELECT_ERR : 0;
    if (events & UV_READABLE)
        what |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        what |= CURL_CSELECT_OUT;
    tell_curl(watch->http, watch->socket, what);
}

static void on_timer(uv_timer_t *timer)
{
    tell_curl(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer_wanted(CURLM *multi UNUSED, long timeout_ms, void *ctx)
{
    struct io_http *http = ctx;
    if (timeout_ms < 0 || http->closing)
        uv_timer_stop(&http->timer);
    else
        uv_timer_start(&http->timer, on_timer, (uint64_t)timeout_ms, 0);
    return 0;
}

static void on_watch_closed(uv_handle_t *handle)
{
    struct watch *watch = handle->data;
    struct io_http *http = watch->http;
    free(watch);
    handle_gone(http);
}

static int on_socket_wanted(CURL *easy UNUSED, curl_socket_t socket, int what, void *ctx,
                            void *socket_ctx)
{
    struct io_http *http = ctx;
    struct watch *watch = socket_ctx;
    if (what == CURL_POLL_REMOVE) {
        if (watch) {
            curl_multi_assign(http->multi, socket, NULL);
            uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
        }
        return 0;
    }
    if (!watch) {
        watch = mem_zalloc(sizeof *watch);
        watch->http = http;
        watch->socket = socket;
        if (uv_poll_init_socket(io_loop_uv(http->loop), &watch->poll, socket) != 0) {
            free(watch);
            return -1;
        }
        watch->poll.data = watch;
        http->handles++;
        curl_multi_assign(http->multi, socket, watch);
    }
    int events = 0;
    if (what & CURL_POLL_IN)
        events |= UV_READABLE;
    if (what & CURL_POLL_OUT)
        events |= UV_WRITABLE;
    uv_poll_start(&watch->poll, events, on_poll);
    return 0;
}

/* -- a request ----------------------------------------------------------------------------- */

struct io_http_call *io_http_send(struct io_http *http, const struct io_http_request *request,
                                  io_http_fn *done, void *ctx, struct err *err)
{
    if (http->closing) {
        err_set(err, ERR_CANCELLED, "closing down");
        return NULL;
    }
    struct io_http_call *call = io_http_call_new(&http->options, request, err);
    if (!call)
        return NULL;
    call->http = http;
    call->done = done;
    call->ctx = ctx;
    link_call(http, call);
    start_waiting(http);
    return call;
}

/* -- cancelling, opening, closing ---------------------------------------------------------- */

static void end_cancelled(struct io_http_call *call)
{
    struct err err;
    err_set(&err, ERR_CANCELLED, "given up");
    end_call(call, 0, &err);
}

static void on_handle_closed(uv_handle_t *handle)
{
    handle_gone(handle->data);
}

static void close_now(struct io_http *http)
{
    while (http->first)
        end_cancelled(http->first);
    curl_multi_cleanup(http->multi);
    uv_close((uv_handle_t *)&http->timer, on_handle_closed);
    uv_close((uv_handle_t *)&http->soon, on_handle_closed);
}

static void on_soon(uv_timer_t *timer)
{
    struct io_http *http = timer->data;
    if (http->closing) {
        close_now(http);
        return;
    }
    struct io_http_call *call = http->first;
    while (call) {
        if (call->cancelled) {
            end_cancelled(call);
            call = http->first; /* its owner may have changed the list */
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

static void handle_gone(struct io_http *http)
{
    if (--http->handles > 0)
        return;
    void (*closed)(void *) = http->closed;
    void *ctx = http->closed_ctx;
    free(http->ca);
    free(http->cert);
    free(http->key);
    free(http);
    curl_global_cleanup();
    if (closed)
        closed(ctx);
}

void io_http_close(struct io_http *http, void (*closed)(void *ctx), void *ctx)
{
    http->closing = true;
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
    CURLM *multi = NULL;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(multi = curl_multi_init())) {
        err_set(err, ERR_INTERNAL, "curl can't be set up");
        return NULL;
    }
    struct io_http *http = mem_zalloc(sizeof *http);
    http->loop = loop;
    http->multi = multi;
    http->handles = 2;
    fill_options(http, options);
    uv_timer_init(io_loop_uv(loop), &http->timer);
    uv_timer_init(io_loop_uv(loop), &http->soon);
    http->timer.data = http;
    http->soon.data = http;
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket_wanted);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, http);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer_wanted);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, http);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)http->options.connections + 1);
    return http;
}

#include "io/http.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* curl does the protocol, the loop the waiting: curl says which sockets it wants watched and when
 * it wants to be woken, and is told what happened (multi_socket_action). Requests beyond the limit
 * wait in a list of ours rather than in curl's, so that their timeout starts with their turn. */

enum { CONNECTIONS = 4, CONNECT_MS = 5000, TOTAL_MS = 60000, ANSWER_MAX = 64 << 20 };
enum { TRANSFER_BUFFER = 256 << 10 };

struct io_http_call {
    struct io_http *http;
    struct io_http_call *prev, *next;
    CURL *easy;
    struct curl_slist *headers;
    struct buf body;
    struct buf answer;
    io_http_fn *done;
    void *ctx;
    int64_t started_us;
    bool active; /* curl has it */
    bool cancelled;
    bool too_large;
};

struct io_http {
    struct io_loop *loop;
    struct io_http_options options;
    char *ca, *cert, *key;
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

static void free_call(struct io_http_call *call)
{
    curl_easy_cleanup(call->easy);
    curl_slist_free_all(call->headers);
    buf_free(&call->body);
    buf_free(&call->answer);
    free(call);
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
    free_call(call);
    start_waiting(http);
}

static enum err_code code_of(CURLcode rc, const struct io_http_call *call)
{
    curl_off_t connected = 0;
    switch (rc) {
    case CURLE_OPERATION_TIMEDOUT:
        curl_easy_getinfo(call->easy, CURLINFO_PRETRANSFER_TIME_T, &connected);
        return connected > 0 ? ERR_TIMEOUT : ERR_CONNECTION;
    case CURLE_WRITE_ERROR:
        return call->too_large ? ERR_TOO_LARGE : ERR_CONNECTION;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CIPHER:
    case CURLE_URL_MALFORMAT:
        return ERR_CONFIG;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
        return ERR_PROTOCOL;
    default:
        return ERR_CONNECTION;
    }
}

static void set_error(struct err *err, CURLcode rc, const struct io_http_call *call)
{
    const struct io_http_options *options = &call->http->options;
    const enum err_code code = code_of(rc, call);
    long tls = 0;
    if (code == ERR_TIMEOUT)
        err_set(err, code, "no complete answer within %g s",
                (double)options->total_timeout_ms / 1e3);
    else if (rc == CURLE_OPERATION_TIMEDOUT)
        err_set(err, code, "no connection within %g s", (double)options->connect_timeout_ms / 1e3);
    else if (code == ERR_TOO_LARGE)
        err_set(err, code, "the answer is longer than %zu bytes", options->answer_max);
    else if (rc == CURLE_PEER_FAILED_VERIFICATION &&
             curl_easy_getinfo(call->easy, CURLINFO_SSL_VERIFYRESULT, &tls) == CURLE_OK && tls != 0)
        err_set(err, code, "%s (OpenSSL's code %ld)", curl_easy_strerror(rc), tls);
    else
        err_set(err, code, "%s", curl_easy_strerror(rc));
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
        set_error(&err, rc, call);
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

static size_t on_bytes(char *data, size_t size, size_t count, void *ctx)
{
    struct io_http_call *call = ctx;
    const size_t len = size * count, max = call->http->options.answer_max;
    if (len > max - call->answer.len) {
        call->too_large = true;
        return CURL_WRITEFUNC_ERROR;
    }
    if (call->answer.len == 0) {
        curl_off_t expected = 0;
        curl_easy_getinfo(call->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &expected);
        if (expected > 0 && (uint64_t)expected <= max)
            buf_reserve(&call->answer, (size_t)expected + JSON_PADDING);
    }
    buf_append(&call->answer, data, len);
    return len;
}

/* Level 1: on the loop's thread speed matters more than the last tenth. */
static bool compress_body(const struct buf *body, struct buf *out)
{
    enum { GZIP_WINDOW = 15 + 16, MEMORY = 8 };
    z_stream z = {0};
    if (body->len > UINT32_MAX / 2 ||
        deflateInit2(&z, 1, Z_DEFLATED, GZIP_WINDOW, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    const size_t bound = deflateBound(&z, body->len);
    z.next_in = (Bytef *)body->ptr;
    z.avail_in = (uInt)body->len;
    z.next_out = (Bytef *)buf_reserve(out, bound);
    z.avail_out = (uInt)bound;
    const bool done = deflate(&z, Z_FINISH) == Z_STREAM_END;
    out->len = z.total_out;
    deflateEnd(&z);
    return done;
}

static void add_header(struct io_http_call *call, const char *name, const char *value)
{
    struct buf line = {0};
    buf_printf(&line, "%s: %s", name, value);
    call->headers = curl_slist_append(call->headers, buf_cstr(&line));
    explicit_bzero(line.ptr, line.len);
    buf_free(&line);
}

static void set_body(struct io_http_call *call, const struct io_http_request *request)
{
    const size_t limit = call->http->options.gzip_above;
    call->body = *request->body;
    *request->body = (struct buf){0};
    struct buf small = {0};
    if (!request->plain && limit > 0 && call->body.len > limit &&
        compress_body(&call->body, &small)) {
        buf_free(&call->body);
        call->body = small;
        add_header(call, "Content-Encoding", "gzip");
    } else {
        buf_free(&small);
    }
    add_header(call, "Content-Type", request->content_type);
    /* Otherwise curl asks for leave to send a large body and waits up to a second for it. */
    call->headers = curl_slist_append(call->headers, "Expect:");
    curl_easy_setopt(call->easy, CURLOPT_POSTFIELDS, call->body.ptr ? call->body.ptr : "");
    curl_easy_setopt(call->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.len);
}

static void set_login(struct io_http_call *call, const struct io_http_login *login)
{
    if (login->api_key) {
        struct buf value = {0};
        buf_printf(&value, "ApiKey %s", login->api_key);
        add_header(call, "Authorization", buf_cstr(&value));
        explicit_bzero(value.ptr, value.len);
        buf_free(&value);
    } else if (login->username) {
        curl_easy_setopt(call->easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
        curl_easy_setopt(call->easy, CURLOPT_USERNAME, login->username);
        curl_easy_setopt(call->easy, CURLOPT_PASSWORD, login->password ? login->password : "");
    }
}

static void set_tls(CURL *easy, const struct io_http *http)
{
    const long verify = http->options.tls.no_verify ? 0 : 1;
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, verify);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, verify * 2);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
    if (http->ca)
        curl_easy_setopt(easy, CURLOPT_CAINFO, http->ca);
    if (http->cert)
        curl_easy_setopt(easy, CURLOPT_SSLCERT, http->cert);
    if (http->key)
        curl_easy_setopt(easy, CURLOPT_SSLKEY, http->key);
}

static void set_transfer(struct io_http_call *call)
{
    CURL *easy = call->easy;
    const struct io_http_options *options = &call->http->options;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)options->connect_timeout_ms);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)options->total_timeout_ms);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)TRANSFER_BUFFER);
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)TRANSFER_BUFFER);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "caes-sync/" CAES_VERSION);
    if (options->accept_gzip)
        curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
}

struct io_http_call *io_http_send(struct io_http *http, const struct io_http_request *request,
                                  io_http_fn *done, void *ctx, struct err *err)
{
    if (http->closing) {
        err_set(err, ERR_CANCELLED, "closing down");
        return NULL;
    }
    struct io_http_call *call = mem_zalloc(sizeof *call);
    *call = (struct io_http_call){.http = http, .done = done, .ctx = ctx};
    call->easy = curl_easy_init();
    if (!call->easy || curl_easy_setopt(call->easy, CURLOPT_URL, request->url) != CURLE_OK) {
        free_call(call);
        err_set(err, ERR_INTERNAL, "curl can't start a request");
        return NULL;
    }
    set_transfer(call);
    set_tls(call->easy, http);
    if (strcmp(request->method, "HEAD") == 0)
        curl_easy_setopt(call->easy, CURLOPT_NOBODY, 1L);
    else
        curl_easy_setopt(call->easy, CURLOPT_CUSTOMREQUEST, request->method);
    if (request->body)
        set_body(call, request);
    if (request->login)
        set_login(call, request->login);
    curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers);
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
    http->ca = copy(o->tls.ca);
    http->cert = copy(o->tls.cert);
    http->key = copy(o->tls.key);
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

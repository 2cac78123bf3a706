#include "io/http_pool.h"

#include "base/clock.h"
#include "base/mem.h"

#include <stdlib.h>
#include <utlist.h>

/* curl does the protocol, the loop the waiting: curl says which sockets it wants watched and when
 * it wants to be woken, and is told what happened (multi_socket_action). Requests beyond the limit
 * wait in a list of ours rather than in curl's, so that their timeout starts with their turn.
 *
 * curl gives a request a connection that another one has used only where host, port, authorities,
 * certificate and their checks are the same; logins travel with each request. */

enum { SLOW_US = 20000 }; /* a request that takes longer counts for its own client only */

struct io_http_pool {
    struct io_loop *loop;
    CURLM *multi;
    uv_timer_t timer; /* curl's */
    uv_timer_t turn;  /* somebody waits until another's request counts as slow */
    struct io_http_user *users;
    unsigned handles; /* of the loop, still open */
    bool closing;
    void (*left)(void *ctx);
    void *left_ctx;
};

struct watch {
    uv_poll_t poll;
    struct io_http_pool *pool;
    curl_socket_t socket;
};

/* -- whose turn it is ---------------------------------------------------------------------- */

static struct io_http_call *next_of(const struct io_http_user *user)
{
    if (user->closing || user->active >= user->limit)
        return NULL;
    struct io_http_call *call = user->first;
    while (call && (call->active || call->cancelled))
        call = call->next;
    return call;
}

/* That of the client with the fewest under way; of two, whose turn was longer ago. */
static struct io_http_user *choose(const struct io_http_pool *p, struct io_http_call **call)
{
    struct io_http_user *user, *best = NULL;
    DL_FOREACH (p->users, user) {
        struct io_http_call *next = best && best->active <= user->active ? NULL : next_of(user);
        if (!next)
            continue;
        best = user;
        *call = next;
    }
    return best;
}

/* How many calls were begun since then, and when the oldest of them. */
static unsigned begun_since(const struct io_http_pool *p, int64_t since_us, int64_t *oldest_us)
{
    const struct io_http_user *user;
    unsigned count = 0;
    *oldest_us = INT64_MAX;
    DL_FOREACH (p->users, user) {
        unsigned left = user->active;
        for (const struct io_http_call *call = user->first; left > 0; call = call->next) {
            left -= call->active;
            if (!call->active || call->started_us <= since_us)
                continue;
            count++;
            *oldest_us = call->started_us < *oldest_us ? call->started_us : *oldest_us;
        }
    }
    return count;
}

static void begin(struct io_http_user *user, struct io_http_call *call, int64_t now)
{
    call->active = true;
    call->started_us = now;
    user->active++;
    DL_DELETE(user->pool->users, user);
    DL_APPEND(user->pool->users, user);
    if (curl_multi_add_handle(user->pool->multi, call->easy) != CURLM_OK)
        io_http_cancel(call);
}

static void on_turn(uv_timer_t *timer)
{
    io_http_pool_start(timer->data);
}

void io_http_pool_start(struct io_http_pool *p)
{
    struct io_http_call *call;
    struct io_http_user *user;
    while (!p->closing && (user = choose(p, &call))) {
        const int64_t now = clock_mono_us();
        int64_t oldest_us;
        if (begun_since(p, now - SLOW_US, &oldest_us) >= user->limit) {
            const int64_t wait_us = oldest_us + SLOW_US - now;
            uv_timer_start(&p->turn, on_turn, (uint64_t)wait_us / 1000 + 1, 0);
            return;
        }
        begin(user, call, now);
    }
}

void io_http_pool_add(struct io_http_user *user, struct io_http_call *call)
{
    DL_APPEND(user->first, call);
    io_http_pool_start(user->pool);
}

void io_http_pool_remove(struct io_http_user *user, struct io_http_call *call)
{
    if (call->active) {
        curl_multi_remove_handle(user->pool->multi, call->easy);
        user->active--;
    }
    DL_DELETE(user->first, call);
}

void io_http_pool_again(struct io_http_pool *p, struct io_http_call *call, const char *url)
{
    curl_multi_remove_handle(p->multi, call->easy);
    if (!io_http_call_move(call, url) || curl_multi_add_handle(p->multi, call->easy) != CURLM_OK)
        io_http_cancel(call);
}

/* -- curl on the loop ---------------------------------------------------------------------- */

static void end_finished(const struct io_http_pool *p)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(p->multi, &left))) {
        struct io_http_call *call = NULL;
        const CURLcode rc = message->data.result;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call);
        io_http_ended(call, rc);
    }
}

static void tell_curl(const struct io_http_pool *p, curl_socket_t socket, int what)
{
    int running;
    curl_multi_socket_action(p->multi, socket, what, &running);
    end_finished(p);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    const struct watch *watch = poll->data;
    int what = status < 0 ? CURL_CSELECT_ERR : 0;
    if (events & UV_READABLE)
        what |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        what |= CURL_CSELECT_OUT;
    tell_curl(watch->pool, watch->socket, what);
}

static void on_timer(uv_timer_t *timer)
{
    tell_curl(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer_wanted(CURLM *multi UNUSED, long timeout_ms, void *ctx)
{
    struct io_http_pool *p = ctx;
    if (timeout_ms < 0 || p->closing)
        uv_timer_stop(&p->timer);
    else
        uv_timer_start(&p->timer, on_timer, (uint64_t)timeout_ms, 0);
    return 0;
}

static void handle_gone(struct io_http_pool *p)
{
    if (--p->handles > 0)
        return;
    void (*left)(void *) = p->left;
    void *ctx = p->left_ctx;
    free(p);
    curl_global_cleanup();
    left(ctx);
}

static void on_handle_closed(uv_handle_t *handle)
{
    handle_gone(handle->data);
}

static void on_watch_closed(uv_handle_t *handle)
{
    struct watch *watch = handle->data;
    struct io_http_pool *p = watch->pool;
    free(watch);
    handle_gone(p);
}

static int on_socket_wanted(CURL *easy UNUSED, curl_socket_t socket, int what, void *ctx,
                            void *socket_ctx)
{
    struct io_http_pool *p = ctx;
    struct watch *watch = socket_ctx;
    if (what == CURL_POLL_REMOVE) {
        if (watch) {
            curl_multi_assign(p->multi, socket, NULL);
            uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
        }
        return 0;
    }
    if (!watch) {
        watch = mem_zalloc(sizeof *watch);
        watch->pool = p;
        watch->socket = socket;
        if (uv_poll_init_socket(io_loop_uv(p->loop), &watch->poll, socket) != 0) {
            free(watch);
            return -1;
        }
        watch->poll.data = watch;
        p->handles++;
        curl_multi_assign(p->multi, socket, watch);
    }
    int events = 0;
    if (what & CURL_POLL_IN)
        events |= UV_READABLE;
    if (what & CURL_POLL_OUT)
        events |= UV_WRITABLE;
    uv_poll_start(&watch->poll, events, on_poll);
    return 0;
}

/* -- life ---------------------------------------------------------------------------------- */

struct io_http_pool *io_http_pool_new(struct io_loop *loop, struct err *err)
{
    CURLM *multi = NULL;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(multi = curl_multi_init())) {
        err_set(err, ERR_INTERNAL, "curl can't be set up");
        return NULL;
    }
    struct io_http_pool *p = mem_zalloc(sizeof *p);
    p->loop = loop;
    p->multi = multi;
    p->handles = 2;
    uv_timer_init(io_loop_uv(loop), &p->timer);
    uv_timer_init(io_loop_uv(loop), &p->turn);
    p->timer.data = p;
    p->turn.data = p;
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket_wanted);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, p);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer_wanted);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, p);
    return p;
}

/* Busy ones count: with fewer curl would close each that ends its request while all others have
 * one. */
static void keep_connections(struct io_http_pool *p)
{
    const struct io_http_user *user;
    long kept = 0;
    DL_FOREACH (p->users, user)
        kept += (long)user->limit + 1;
    curl_multi_setopt(p->multi, CURLMOPT_MAXCONNECTS, kept);
}

void io_http_pool_join(struct io_http_pool *p, struct io_http_user *user)
{
    user->pool = p;
    DL_APPEND(p->users, user);
    keep_connections(p);
}

void io_http_pool_leave(struct io_http_user *user, void (*left)(void *ctx), void *ctx)
{
    struct io_http_pool *p = user->pool;
    DL_DELETE(p->users, user);
    if (p->users) {
        keep_connections(p);
        io_http_pool_start(p);
        left(ctx);
        return;
    }
    p->closing = true;
    p->left = left;
    p->left_ctx = ctx;
    curl_multi_cleanup(p->multi);
    uv_close((uv_handle_t *)&p->timer, on_handle_closed);
    uv_close((uv_handle_t *)&p->turn, on_handle_closed);
}

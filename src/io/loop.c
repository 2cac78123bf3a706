#include "io/loop.h"

#include "base/mem.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* What another thread wants to be called. */
struct post {
    struct post *next;
    io_loop_fn *fn;
    void *ctx;
    bool *done; /* NULL: nobody waits */
};

struct io_loop {
    uv_loop_t uv;
    uv_async_t posted;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    struct post *first, **last;
    bool lent; /* to this thread */
    pthread_t thread;
};

struct io_timer {
    uv_timer_t uv;
    io_timer_fn *fn;
    void *ctx;
};

/* Calls all that is posted. The lock is held, but for the calls. */
static void take_posts(struct io_loop *loop)
{
    while (loop->first) {
        struct post *post = loop->first;
        loop->first = post->next;
        if (!loop->first)
            loop->last = &loop->first;
        pthread_mutex_unlock(&loop->lock);
        post->fn(post->ctx);
        pthread_mutex_lock(&loop->lock);
        if (post->done) {
            *post->done = true;
            pthread_cond_broadcast(&loop->changed);
        }
        free(post);
    }
}

static void on_posted(uv_async_t *async)
{
    struct io_loop *loop = async->data;
    pthread_mutex_lock(&loop->lock);
    take_posts(loop);
    pthread_mutex_unlock(&loop->lock);
}

struct io_loop *io_loop_new(struct err *err)
{
    struct io_loop *loop = mem_zalloc(sizeof *loop);
    int rc = uv_loop_init(&loop->uv);
    if (rc == 0 && (rc = uv_async_init(&loop->uv, &loop->posted, on_posted)) != 0)
        uv_loop_close(&loop->uv);
    if (rc != 0) {
        free(loop);
        err_set(err, ERR_INTERNAL, "event loop: %s", uv_strerror(rc));
        return NULL;
    }
    loop->posted.data = loop;
    uv_unref((uv_handle_t *)&loop->posted);
    loop->last = &loop->first;
    pthread_mutex_init(&loop->lock, NULL);
    pthread_cond_init(&loop->changed, NULL);
    return loop;
}

void io_loop_free(struct io_loop *loop)
{
    if (!loop)
        return;
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    on_posted(&loop->posted);
    uv_close((uv_handle_t *)&loop->posted, NULL);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    uv_loop_close(&loop->uv);
    pthread_mutex_destroy(&loop->lock);
    pthread_cond_destroy(&loop->changed);
    free(loop);
}

uv_loop_t *io_loop_uv(struct io_loop *loop)
{
    return &loop->uv;
}

void io_loop_run(struct io_loop *loop)
{
    uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void io_loop_stop(struct io_loop *loop)
{
    uv_stop(&loop->uv);
}

/* --- from other threads */

/* The lock is held. */
static void add_post(struct io_loop *loop, io_loop_fn *fn, void *ctx, bool *done)
{
    struct post *post = mem_alloc(sizeof *post);
    *post = (struct post){.fn = fn, .ctx = ctx, .done = done};
    *loop->last = post;
    loop->last = &post->next;
    uv_async_send(&loop->posted);
}

void io_loop_post(struct io_loop *loop, io_loop_fn *fn, void *ctx)
{
    pthread_mutex_lock(&loop->lock);
    add_post(loop, fn, ctx, NULL);
    pthread_mutex_unlock(&loop->lock);
}

static bool is_here(const struct io_loop *loop)
{
    return !loop->lent || pthread_equal(loop->thread, pthread_self());
}

bool io_loop_is_here(struct io_loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    const bool here = is_here(loop);
    pthread_mutex_unlock(&loop->lock);
    return here;
}

void io_loop_call(struct io_loop *loop, io_loop_fn *fn, void *ctx)
{
    bool done = false;
    pthread_mutex_lock(&loop->lock);
    const bool here = is_here(loop);
    if (!here)
        add_post(loop, fn, ctx, &done);
    while (!here && !done)
        pthread_cond_wait(&loop->changed, &loop->lock);
    pthread_mutex_unlock(&loop->lock);
    if (here)
        fn(ctx);
}

struct io_thread {
    struct io_loop *loop;
    io_loop_fn *fn;
    void *ctx;
};

/* Who posts later finds that the loop is nobody's: its owner, who joins. */
static void *thread_main(void *ctx)
{
    struct io_thread *t = ctx;
    t->fn(t->ctx);
    pthread_mutex_lock(&t->loop->lock);
    take_posts(t->loop);
    t->loop->lent = false;
    pthread_mutex_unlock(&t->loop->lock);
    return NULL;
}

/* Signals are for the thread that was there before; faults are each thread's own. */
static int start_thread(struct io_thread *t)
{
    sigset_t all, before;
    sigfillset(&all);
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        sigdelset(&all, faults[i]);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_mutex_lock(&t->loop->lock);
    const int rc = pthread_create(&t->loop->thread, NULL, thread_main, t);
    t->loop->lent = rc == 0;
    pthread_mutex_unlock(&t->loop->lock);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

struct io_thread *io_thread_start(struct io_loop *loop, io_loop_fn *fn, void *ctx, struct err *err)
{
    struct io_thread *t = mem_alloc(sizeof *t);
    *t = (struct io_thread){loop, fn, ctx};
    const int rc = start_thread(t);
    if (rc == 0)
        return t;
    free(t);
    err_set(err, ERR_INTERNAL, "can't start a thread: %s", strerror(rc));
    return NULL;
}

void io_thread_join(struct io_thread *t)
{
    if (!t)
        return;
    pthread_join(t->loop->thread, NULL);
    free(t);
}

/* --- timers */

static void on_timer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_timer(uv_timer_t *uv)
{
    struct io_timer *timer = uv->data;
    io_timer_fn *fn = timer->fn;
    void *ctx = timer->ctx;
    uv_close((uv_handle_t *)uv, on_timer_closed);
    fn(ctx);
}

struct io_timer *io_timer_start(struct io_loop *loop, uint64_t delay_ms, io_timer_fn *fn, void *ctx)
{
    struct io_timer *timer = mem_zalloc(sizeof *timer);
    timer->fn = fn;
    timer->ctx = ctx;
    timer->uv.data = timer;
    uv_timer_init(&loop->uv, &timer->uv);
    timer->uv.data = timer;
    uv_update_time(&loop->uv);
    uv_timer_start(&timer->uv, on_timer, delay_ms, 0);
    return timer;
}

void io_timer_cancel(struct io_timer *timer)
{
    if (timer)
        uv_close((uv_handle_t *)&timer->uv, on_timer_closed);
}

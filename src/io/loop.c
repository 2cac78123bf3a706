#include "io/loop.h"

#include "base/mem.h"

#include <stdlib.h>

struct io_loop {
    uv_loop_t uv;
};

struct io_timer {
    uv_timer_t uv;
    io_timer_fn *fn;
    void *ctx;
};

struct io_loop *io_loop_new(struct err *err)
{
    struct io_loop *loop = mem_zalloc(sizeof *loop);
    int rc = uv_loop_init(&loop->uv);
    if (rc != 0) {
        free(loop);
        err_set(err, ERR_INTERNAL, "event loop: %s", uv_strerror(rc));
        return NULL;
    }
    return loop;
}

void io_loop_free(struct io_loop *loop)
{
    if (!loop)
        return;
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    uv_loop_close(&loop->uv);
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

#include "app/signals.h"

#include "base/mem.h"

#include <signal.h>
#include <stdlib.h>

static const int numbers[] = {SIGTERM, SIGINT};

struct signals {
    struct io_loop *loop;
    struct engine *const *engines;
    size_t count;
    uv_signal_t handles[ARRAY_LEN(numbers)];
};

static void on_signal(uv_signal_t *handle, int number)
{
    (void)number;
    const struct signals *s = handle->data;
    for (size_t i = 0; i < s->count; i++)
        engine_stop(s->engines[i]);
    uv_signal_stop(handle);
}

struct signals *signals_stop(struct io_loop *loop, struct engine *const *engines, size_t count)
{
    struct signals *s = mem_zalloc(sizeof *s);
    s->loop = loop;
    s->engines = engines;
    s->count = count;
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        uv_signal_init(io_loop_uv(s->loop), &s->handles[i]);
        s->handles[i].data = s;
        uv_signal_start(&s->handles[i], on_signal, numbers[i]);
        uv_unref((uv_handle_t *)&s->handles[i]);
    }
    return s;
}

void signals_close(struct signals *s)
{
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        uv_close((uv_handle_t *)&s->handles[i], NULL);
    /* The handles must outlive their closing. */
    uv_run(io_loop_uv(s->loop), UV_RUN_NOWAIT);
    free(s);
}

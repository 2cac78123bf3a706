#include "app/service.h"

#include "app/notify.h"
#include "base/clock.h"
#include "base/mem.h"
#include "status/judge.h"

#include <stdlib.h>

/* Twice within the time that the manager waits, and once more. */
enum { FEEDS = 3 };

struct service {
    struct notify *notify;
    uv_timer_t watchdog;
    bool stuck, stopping;
    struct buf status; /* as it was told last */
};

/* The timer itself proves that the loop turns. */
static void feed(uv_timer_t *timer)
{
    struct service *s = timer->data;
    if (!s->stuck)
        notify_send(s->notify, "WATCHDOG=1", false);
}

struct service *service_open(struct io_loop *loop, const struct log *log)
{
    struct notify *notify = notify_open(log);
    if (!notify)
        return NULL;
    struct service *s = mem_zalloc(sizeof *s);
    s->notify = notify;
    uv_timer_init(io_loop_uv(loop), &s->watchdog);
    s->watchdog.data = s;
    const uint64_t limit_us = (uint64_t)notify_watchdog_us(log);
    const uint64_t every_ms = limit_us / 1000 / FEEDS;
    if (limit_us > 0)
        uv_timer_start(&s->watchdog, feed, 0, every_ms ? every_ms : 1);
    return s;
}

void service_ready(struct service *s)
{
    if (s)
        notify_send(s->notify, "READY=1", true);
}

/* The time lets the manager tell the answer to its signal from an earlier one. */
void service_reloading(struct service *s)
{
    struct buf lines = {0};
    if (!s)
        return;
    buf_printf(&lines, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)clock_mono_us());
    notify_send(s->notify, buf_cstr(&lines), true);
    buf_free(&lines);
}

/* One line; errors may quote a server's. */
static void append_status(struct buf *lines, const char *text)
{
    buf_append_str(lines, "STATUS=");
    for (; *text; text++)
        buf_append_char(lines, (unsigned char)*text < ' ' ? ' ' : *text);
}

void service_stopping(struct service *s, const char *why)
{
    struct buf lines = {0};
    if (!s)
        return;
    s->stopping = true;
    buf_append_str(&lines, "STOPPING=1\n");
    append_status(&lines, why ? why : "Finishing its batch");
    notify_send(s->notify, buf_cstr(&lines), true);
    buf_free(&lines);
}

void service_look(struct service *s, const struct status_snapshot *snapshot)
{
    struct status_verdict verdict;
    struct buf lines = {0};
    if (!s)
        return;
    s->stuck = false;
    for (size_t i = 0; i < snapshot->count; i++) {
        status_judge(snapshot, &snapshot->pipelines[i], 0, &verdict);
        s->stuck = s->stuck || verdict.state == STATUS_STUCK;
    }
    if (s->stopping)
        return;
    status_judge_all(snapshot, 0, &verdict);
    append_status(&lines, verdict.text);
    if (!slice_equal(buf_slice(&lines), buf_slice(&s->status)) &&
        notify_send(s->notify, buf_cstr(&lines), false)) {
        buf_clear(&s->status);
        buf_append_slice(&s->status, buf_slice(&lines));
    }
    buf_free(&lines);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void service_close(struct service *s)
{
    if (!s)
        return;
    notify_close(s->notify);
    buf_free(&s->status);
    uv_close((uv_handle_t *)&s->watchdog, on_closed);
}

#include "app/engine_internal.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* A job of an engine whose loop has a thread of its own: its lines wait here until a task at home
 * has given them to the client, who may make it wait. */

enum { QUEUE_MAX = 1 << 20, FULL_MS = 20, FOREVER_MS = 3600 * 1000 };

struct line {
    struct line *next;
    size_t len;
    char text[];
};

struct engine_relay {
    struct engine *e;
    const struct engine_client *client;
    void *ctx;
    struct engine_job front; /* what the client has of it */

    struct engine_job *job; /* the engine's thread's; NULL: it has ended */

    pthread_mutex_t lock; /* of what follows */
    struct line *first, **last;
    size_t bytes;
    uint64_t told; /* times that home was told of something */
    bool ended, fine;
    struct buf result;
    struct err err;

    uint64_t heard; /* home's: of told */
    struct io_wake arrived;
};

/* --- on the engine's thread */

static void on_arrived(void *ctx)
{
    struct engine_relay *r = ctx;
    r->heard++;
    io_wake_raise(&r->arrived);
}

/* The lock is held. */
static void tell_home(struct engine_relay *r)
{
    r->told++;
    io_loop_post(r->e->home, on_arrived, r);
}

static bool is_full(struct engine_relay *r)
{
    pthread_mutex_lock(&r->lock);
    const bool full = r->bytes > QUEUE_MAX;
    pthread_mutex_unlock(&r->lock);
    return full;
}

static void relay_line(void *ctx, struct slice text)
{
    struct engine_relay *r = ctx;
    struct line *line = mem_alloc(sizeof *line + text.len);
    line->next = NULL;
    line->len = text.len;
    memcpy(line->text, text.ptr, text.len);
    pthread_mutex_lock(&r->lock);
    *r->last = line;
    r->last = &line->next;
    r->bytes += line->len;
    tell_home(r);
    pthread_mutex_unlock(&r->lock);
    while (is_full(r) && !r->job->stop.raised)
        io_sleep(r->e->loop, FULL_MS, NULL);
}

static void relay_ended(void *ctx, struct slice result, const struct err *err)
{
    struct engine_relay *r = ctx;
    r->job = NULL;
    pthread_mutex_lock(&r->lock);
    r->ended = true;
    r->fine = !err;
    if (err)
        r->err = *err;
    else
        buf_append_slice(&r->result, result);
    tell_home(r);
    pthread_mutex_unlock(&r->lock);
}

struct starting {
    struct engine_relay *relay;
    const struct json_node *request;
    bool fine;
};

static void start_here(void *ctx)
{
    static const struct engine_client client = {relay_line, relay_ended};
    struct starting *s = ctx;
    s->relay->job = engine_job_start_here(s->relay->e, s->request, &client, s->relay);
    s->fine = s->relay->job != NULL;
}

static void cancel_here(void *ctx)
{
    const struct engine_relay *r = ctx;
    if (r->job)
        engine_job_cancel(r->job);
}

/* --- at home */

/* over: nothing will come any more. */
static struct line *take_line(struct engine_relay *r, bool *over)
{
    pthread_mutex_lock(&r->lock);
    struct line *line = r->first;
    if (line) {
        r->first = line->next;
        if (!r->first)
            r->last = &r->first;
        r->bytes -= line->len;
    }
    *over = !line && r->ended && r->heard == r->told;
    pthread_mutex_unlock(&r->lock);
    return line;
}

static void relay_main(void *ctx)
{
    struct engine_relay *r = ctx;
    for (bool over = false; !over;) {
        r->arrived.raised = false;
        struct line *line = take_line(r, &over);
        if (line)
            r->client->line(r->ctx, slice_of(line->text, line->len));
        else if (!over)
            io_sleep(r->e->home, FOREVER_MS, &r->arrived);
        free(line);
    }
}

static void relay_free(struct engine_relay *r)
{
    pthread_mutex_destroy(&r->lock);
    buf_free(&r->result);
    free(r);
}

static void relay_over(void *ctx)
{
    struct engine_relay *r = ctx;
    r->client->ended(r->ctx, r->fine ? buf_slice(&r->result) : SLICE_NULL,
                     r->fine ? NULL : &r->err);
    r->e->relays--;
    io_loop_stop(r->e->home);
    relay_free(r);
}

struct engine_job *engine_relay_start(struct engine *e, const struct json_node *request,
                                      const struct engine_client *client, void *ctx)
{
    struct engine_relay *r = mem_zalloc(sizeof *r);
    struct starting starting = {r, request, false};
    r->e = e;
    r->client = client;
    r->ctx = ctx;
    r->front.relay = r;
    r->last = &r->first;
    pthread_mutex_init(&r->lock, NULL);
    io_loop_call(e->loop, start_here, &starting);
    if (!starting.fine) {
        relay_free(r);
        return NULL;
    }
    e->relays++;
    io_task_start(e->home, relay_main, r, relay_over);
    return &r->front;
}

void engine_relay_cancel(struct engine_relay *r)
{
    io_loop_call(r->e->loop, cancel_here, r);
}

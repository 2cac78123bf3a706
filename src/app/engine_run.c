#include "app/engine_internal.h"
#include "base/clock.h"
#include "base/mem.h"

#include <stdlib.h>

enum {
    BACKOFF_MIN_MS = 200,
    BACKOFF_MAX_MS = 10000,
    PAUSED_LOOK_MS = 200, /* for a resume */
};

static int64_t total(const struct pipeline_counts *c)
{
    return c->copied + c->deleted + c->superseded + c->dead;
}

/* One line a cycle, and only when something happened. */
void engine_tell_report(const struct engine *e, const struct pipeline_report *r, int64_t took_us)
{
    const struct pipeline_counts *to_es = &r->to_elasticsearch, *to_c = &r->to_cassandra;
    const enum log_level level = total(to_es) + total(to_c) > 0 ? LOG_INFO : LOG_DEBUG;
    if (log_enabled(e->log, level))
        log_line(e->log, level,
                 "%s: to Elasticsearch %lld copied, %lld deleted, %lld superseded, %lld dead; to "
                 "Cassandra %lld copied, %lld deleted, %lld dead; %lld put off; %lld ms",
                 e->options.name, (long long)to_es->copied, (long long)to_es->deleted,
                 (long long)to_es->superseded, (long long)to_es->dead, (long long)to_c->copied,
                 (long long)to_c->deleted, (long long)to_c->dead, (long long)r->put_off,
                 (long long)(took_us / 1000));
}

bool engine_cycle(struct engine *e, bool whole, struct pipeline_report *report, struct err *err)
{
    const int64_t start = clock_mono_us();
    engine_restore(e);
    engine_cycle_begins(e);
    const bool fine = pipeline_cycle(e->pipeline, whole, &e->halt, report, err);
    engine_cycle_ends(e, fine, err);
    engine_tell_report(e, report, clock_mono_us() - start);
    return fine;
}

struct syncing {
    struct engine *e;
    struct pipeline_report *report;
};

static bool sync_all(void *ctx, struct err *err)
{
    const struct syncing *s = ctx;
    struct engine *e = s->e;
    struct pipeline_report *sum = s->report;
    *sum = (struct pipeline_report){0};
    if (!engine_may_copy(e, err))
        return false;
    for (;;) {
        struct pipeline_report one;
        const bool fine = engine_cycle(e, true, &one, err);
        pipeline_counts_add(&sum->to_elasticsearch, &one.to_elasticsearch);
        pipeline_counts_add(&sum->to_cassandra, &one.to_cassandra);
        sum->put_off = one.put_off;
        sum->gap = one.gap;
        if (fine && one.put_off == 0)
            break;
        /* What was too fresh for this cycle is settled in the next. */
        if (fine)
            io_sleep(e->loop, (uint64_t)(e->options.settle_us / 1000) + 50, &e->stop);
        if (e->stop.raised)
            return err_set(
                err, ERR_CANCELLED,
                "stopped before its end; what it did stays, the next goes on from there");
        if (!fine)
            return false;
    }
    if (sum->gap) {
        struct pipeline_status status;
        engine_close_gap(e);
        pipeline_status(e->pipeline, &status);
        sum->gap = status.gap;
    }
    return true;
}

bool engine_sync(struct engine *e, struct pipeline_report *report, struct err *err)
{
    struct syncing s = {e, report};
    return engine_block_on(e, sync_all, &s, err);
}

/* Once an outage, and again when it becomes another one. */
static void tell_failure(struct engine *e, const struct err *err)
{
    /* A schema that has changed in the middle of a cycle is read again by the next. */
    const bool first = e->backoff_ms == 0;
    const bool quiet = e->told == err->code || (err->code == ERR_SCHEMA && first);
    e->failure = *err;
    if (!e->failing_since_us)
        e->failing_since_us = clock_wall_us();
    if (!quiet)
        e->told = err->code;
    log_line(e->log, quiet ? LOG_DEBUG : LOG_ERROR, "%s: %s; trying again until it works",
             e->options.name, err->text);
}

static void tell_recovery(struct engine *e)
{
    if (e->told != ERR_NONE)
        log_info(e->log, "%s: works again after %lld s", e->options.name,
                 (long long)((clock_wall_us() - e->failing_since_us) / 1000000));
    e->told = ERR_NONE;
    e->failure = (struct err){0};
    e->failing_since_us = 0;
}

static uint64_t next_backoff(struct engine *e)
{
    e->backoff_ms = e->backoff_ms ? e->backoff_ms * 2 : BACKOFF_MIN_MS;
    if (e->backoff_ms > BACKOFF_MAX_MS)
        e->backoff_ms = BACKOFF_MAX_MS;
    return e->backoff_ms / 2 + (uint64_t)random() % (e->backoff_ms / 2 + 1);
}

static bool run_cycles(struct engine *e, struct io_wake *stop, struct err *why)
{
    bool whole = true;
    while (!e->stop.raised && !stop->raised) {
        if (e->halt.raised) {
            io_sleep(e->loop, PAUSED_LOOK_MS, stop);
            continue;
        }
        struct pipeline_report report;
        struct err err = {0};
        const int64_t start = clock_mono_us();
        io_lock_take(&e->lock);
        const bool fine = engine_cycle(e, whole, &report, &err);
        io_lock_give(&e->lock);
        if (e->halt.raised)
            continue;
        if (fine) {
            whole = false;
            engine_start_from(e, 0);
            e->backoff_ms = 0;
            tell_recovery(e);
            engine_self_check(e, report.gap);
        } else if (err.code == ERR_STATE) {
            *why = err;
            return false;
        } else {
            tell_failure(e, &err);
        }
        const int64_t took = (clock_mono_us() - start) / 1000;
        const int64_t rest = e->settings->interval - took;
        const uint64_t wait = fine ? (rest > 0 ? (uint64_t)rest : 1) : next_backoff(e);
        io_sleep(e->loop, wait, stop);
    }
    return true;
}

bool engine_cycles(struct engine *e, struct io_wake *stop, struct err *why)
{
    e->cycling = true;
    if (e->paused_us)
        log_warning(e->log, "%s: is paused; caes-sync resume lets it go on", e->options.name);
    const bool fine = run_cycles(e, stop, why);
    e->cycling = false;
    return fine;
}

/* Several engines, each in a task of its own: one that waits for its servers holds up nobody. */
struct running {
    struct engine *const *engines;
    size_t count, left;
    bool fine;
    struct err *err;
};

/* Those of one loop; without a thread where that is their home. */
struct worker {
    struct io_loop *loop;
    struct io_thread *thread;
    struct runner *runners;
    size_t count, left; /* of all; its own that run */
};

struct runner {
    struct running *all;
    struct worker *worker;
    struct engine *e;
    bool fine;
    struct err err;
};

static void runner_main(void *ctx)
{
    struct runner *r = ctx;
    r->fine = engine_cycles(r->e, &r->e->stop, &r->err);
    engine_jobs_end(r->e);
    r->e->over = true;
}

static void stop_all(struct running *all, const struct err *err)
{
    if (!all->fine)
        return;
    all->fine = false;
    *all->err = *err;
    for (size_t i = 0; i < all->count; i++)
        engine_stop(all->engines[i]);
}

/* At home. */
static void count_out(void *ctx)
{
    const struct runner *r = ctx;
    struct running *all = r->all;
    all->left--;
    io_loop_stop(r->e->home);
    if (!r->fine)
        stop_all(all, &r->err);
}

static void runner_ended(void *ctx)
{
    struct runner *r = ctx;
    if (--r->worker->left == 0)
        io_loop_stop(r->e->loop);
    if (r->e->loop == r->e->home)
        count_out(r);
    else
        io_loop_post(r->e->home, count_out, r);
}

static void start_runners(struct worker *w)
{
    for (size_t i = 0; i < w->count; i++) {
        if (w->runners[i].worker == w)
            io_task_start(w->loop, runner_main, &w->runners[i], runner_ended);
    }
}

static void worker_main(void *ctx)
{
    struct worker *w = ctx;
    start_runners(w);
    while (w->left > 0)
        io_loop_run(w->loop);
}

static struct worker *worker_of(struct worker *workers, const struct engine *e)
{
    struct worker *w = workers;
    while (w->loop && w->loop != e->loop)
        w++;
    w->loop = e->loop;
    w->left++;
    return w;
}

/* Nobody will run its loop: jobs must not begin there. */
static void give_up(struct worker *w)
{
    for (size_t i = 0; i < w->count; i++) {
        if (w->runners[i].worker == w)
            w->runners[i].e->over = true;
    }
}

static void start_workers(struct running *all, struct worker *workers)
{
    struct err err;
    for (struct worker *w = workers; w->loop; w++) {
        if (w->loop == all->engines[0]->home) {
            start_runners(w);
        } else if (!(w->thread = io_thread_start(w->loop, worker_main, w, &err))) {
            give_up(w);
            all->left -= w->left;
            stop_all(all, &err);
        }
    }
}

static size_t relays(const struct running *all)
{
    size_t count = 0;
    for (size_t i = 0; i < all->count; i++)
        count += all->engines[i]->relays;
    return count;
}

bool engine_run(struct engine *const *engines, size_t count, struct err *err)
{
    struct io_loop *home = engines[0]->home;
    struct running all = {engines, count, count, true, err};
    struct runner *runners = mem_array(count, sizeof *runners);
    struct worker *workers = mem_array(count + 1, sizeof *workers);
    for (size_t i = 0; i < count; i++)
        runners[i] =
            (struct runner){.all = &all, .worker = worker_of(workers, engines[i]), .e = engines[i]};
    for (struct worker *w = workers; w->loop; w++) {
        w->runners = runners;
        w->count = count;
    }
    start_workers(&all, workers);
    while (all.left > 0 || relays(&all) > 0)
        io_loop_run(home);
    for (struct worker *w = workers; w->loop; w++)
        io_thread_join(w->thread);
    free(workers);
    free(runners);
    return all.fine;
}

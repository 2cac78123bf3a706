#include "base/mem.h"
#include "job/verify_internal.h"
#include "job/walk.h"

#include <stdlib.h>

/* A comparison on several threads: documents are read in slices and sorted by part, a part of the
 * tokens is merged by each. */

enum { FOREVER_MS = 3600 * 1000 };

struct verify_hand {
    struct job_verify o;
    struct job_verify_report report;
    struct verify verify;
};

struct verify *verify_of_part(struct verify *v, unsigned part)
{
    struct verify *home = v->home ? v->home : v;
    return part > 0 ? &home->hands[part - 1].verify : home;
}

unsigned verify_part_of(struct verify *v, int64_t token)
{
    unsigned part = 0;
    while (part + 1 < v->parts && token > verify_of_part(v, part)->high)
        part++;
    return part;
}

void verify_crew_open(struct verify *v)
{
    v->hands = mem_array(v->parts, sizeof *v->hands);
    for (unsigned i = 1; i < v->parts; i++) {
        struct verify_hand *h = &v->hands[i - 1];
        struct job_hand *hand = job_crew_hand(v->o->crew, i - 1);
        h->o = *v->o;
        h->o.stores = &hand->stores;
        h->o.stop = &hand->stop;
        h->verify = (struct verify){.home = v,
                                    .parts = v->parts,
                                    .part = i,
                                    .o = &h->o,
                                    .report = &h->report,
                                    .started_us = v->started_us,
                                    .same_stores = v->same_stores};
        verify_sorters_open(&h->verify);
    }
    for (unsigned i = 0; i < v->parts; i++) {
        struct verify *part = verify_of_part(v, i);
        job_walk_part(v->o->low, v->o->high, v->parts, i, &part->low, &part->high);
    }
}

static void close_rows(void *ctx, struct job_hand *hand)
{
    struct verify *home = ctx;
    if (hand->number + 1 < home->parts)
        verify_rows_close(verify_of_part(home, hand->number + 1));
}

void verify_crew_close(struct verify *v)
{
    if (!v->hands)
        return;
    if (v->parts > 1)
        job_crew_each(v->o->crew, close_rows, v);
    for (unsigned i = 1; i < v->parts; i++)
        verify_sorters_close(verify_of_part(v, i));
    free(v->hands);
}

void verify_at_home(struct verify *v, io_task_fn *fn, void *ctx)
{
    io_task_visit(v->o->stores->loop, verify_of_part(v, 0)->o->stores->loop, fn, ctx);
}

void verify_add_report(struct job_verify_report *to, const struct job_verify_report *r)
{
    to->documents += r->documents;
    to->rows += r->rows;
    to->compared += r->compared;
    to->equal += r->equal;
}

/* --- all at once */

struct working {
    struct verify *home;
    verify_work_fn *work;
    unsigned running;
    struct io_wake ended;
    struct err err; /* the first */
};

struct worker {
    struct working *working;
    struct verify *v;
    bool fine;
    struct err err;
};

static void work_on(void *ctx)
{
    struct worker *k = ctx;
    k->fine = k->working->work(k->v, &k->err);
}

static void work_main(void *ctx)
{
    struct worker *k = ctx;
    io_task_visit(k->working->home->o->stores->loop, k->v->o->stores->loop, work_on, k);
}

static void work_ended(void *ctx)
{
    struct worker *k = ctx;
    struct working *w = k->working;
    if (!k->fine && !w->home->failed) {
        w->home->failed = true;
        w->err = k->err;
    }
    if (k->v->home) {
        verify_add_report(w->home->report, k->v->report);
        *k->v->report = (struct job_verify_report){0};
    }
    free(k);
    if (--w->running == 0)
        io_wake_raise(&w->ended);
}

bool verify_each(struct verify *v, verify_work_fn *work, struct err *err)
{
    struct working w = {.home = v, .work = work, .running = v->parts};
    for (unsigned i = 0; i < v->parts; i++) {
        struct worker *k = mem_zalloc(sizeof *k);
        k->working = &w;
        k->v = verify_of_part(v, i);
        io_task_start(v->o->stores->loop, work_main, k, work_ended);
    }
    while (w.running > 0)
        io_sleep(v->o->stores->loop, FOREVER_MS, &w.ended);
    if (v->failed && err)
        *err = w.err;
    return !v->failed;
}

static bool take_all(struct verify *v, struct job_sorter *from, struct err *err)
{
    struct job_sorted record;
    bool more = true;
    if (!job_sorter_finish(from, err))
        return false;
    while (job_sorter_next(from, &record, &more, err)) {
        if (!more)
            return true;
        if (!job_sorter_add(v->doubts, &record, err))
            return false;
    }
    return false;
}

bool verify_take_doubts(struct verify *v, struct err *err)
{
    for (unsigned i = 1; i < v->parts; i++) {
        if (!take_all(v, verify_of_part(v, i)->doubts, err))
            return false;
    }
    return true;
}

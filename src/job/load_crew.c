#include "base/mem.h"
#include "job/load_internal.h"

#include <stdatomic.h>
#include <stdlib.h>

/* A load on several threads. Each has a struct load of its own, whose parts are those that no other
 * one took. */

enum { TICK_MS = 200 };

struct load_hand {
    struct job_load o;
    struct job_load_report report;
    struct load load;
    bool open;
    struct err err;
};

static void open_hand(void *ctx, struct job_hand *hand)
{
    const struct load *home = ctx;
    struct load_hand *h = &home->hands[hand->number];
    h->o = *home->o;
    h->o.stores = &hand->stores;
    h->o.stop = &hand->stop;
    h->load = (struct load){.home = (struct load *)ctx,
                            .o = &h->o,
                            .report = &h->report,
                            .border = home->border,
                            .recent = home->recent,
                            .latest = home->latest,
                            .versions = home->versions};
    load_flows_open(&h->load);
    h->open = h->o.from == CHANGE_CASSANDRA ? load_rows_open(&h->load, &h->err)
                                            : load_documents_open(&h->load, &h->err);
}

static void close_hand(void *ctx, struct job_hand *hand)
{
    const struct load *home = ctx;
    load_rows_close(&home->hands[hand->number].load);
    load_documents_close(&home->hands[hand->number].load);
}

/* A hand that can't begin is left out. */
void load_crew_open(struct load *l)
{
    l->hand_count = job_crew_count(l->o->crew);
    l->hands = mem_array(l->hand_count + 1, sizeof *l->hands);
    job_crew_each(l->o->crew, open_hand, l);
    for (unsigned i = 0; i < l->hand_count; i++) {
        if (!l->hands[i].open)
            job_crew_left_out(l->o->crew, &l->hands[i].err);
    }
}

void load_crew_close(struct load *l)
{
    if (l->hands)
        job_crew_each(l->o->crew, close_hand, l);
    free(l->hands);
}

void load_at_home(struct load *l, io_task_fn *fn, void *ctx)
{
    io_task_visit(l->o->stores->loop, load_home(l)->o->stores->loop, fn, ctx);
}

/* --- what was counted */

static void add_report(struct job_load_report *to, const struct job_load_report *r)
{
    to->records += r->records;
    to->copied += r->copied;
    to->unchanged += r->unchanged;
    to->superseded += r->superseded;
    to->skipped += r->skipped;
    to->dead += r->dead;
    to->deleted += r->deleted;
    to->bytes += r->bytes;
}

/* At home it is there already. */
struct load_counted load_take_counted(struct load *l)
{
    struct load_counted counted = {.cassandra_us = 0};
    if (!l->home)
        return counted;
    counted = (struct load_counted){.report = *l->report,
                                    .cassandra_us = l->cassandra.waited_us,
                                    .elasticsearch_us = l->elasticsearch.waited_us};
    *l->report = (struct job_load_report){0};
    l->cassandra.waited_us = l->elasticsearch.waited_us = 0;
    return counted;
}

void load_add_counted(struct load *home, const struct load_counted *counted)
{
    add_report(home->report, &counted->report);
    home->cassandra.waited_us += counted->cassandra_us;
    home->elasticsearch.waited_us += counted->elasticsearch_us;
}

/* --- several tasks */

struct working {
    struct load *l;
    load_work_fn *work;
    uint32_t count;
    atomic_uint next;
    atomic_bool failed;
    unsigned running;
    struct io_wake ended;
    struct err err; /* the first */
};

struct worker {
    struct working *working;
    struct load *l;
    bool failed;
    struct err err;
};

static void work_on(void *ctx)
{
    struct worker *k = ctx;
    struct working *w = k->working;
    while (!k->failed && !w->failed) {
        const unsigned number = atomic_fetch_add(&w->next, 1);
        if (number >= w->count)
            return;
        k->failed = !w->work(k->l, number, &k->err);
        if (k->failed)
            w->failed = true;
    }
}

/* At home, as it is waited for there. */
static void work_main(void *ctx)
{
    struct worker *k = ctx;
    io_task_visit(k->working->l->o->stores->loop, k->l->o->stores->loop, work_on, k);
}

static void work_ended(void *ctx)
{
    struct worker *k = ctx;
    struct working *w = k->working;
    if (k->failed && !w->l->failed) {
        w->l->failed = true;
        w->err = k->err;
    }
    free(k);
    if (--w->running == 0)
        io_wake_raise(&w->ended);
}

static void start(struct working *w, struct load *l, unsigned tasks)
{
    for (unsigned i = 0; i < tasks; i++) {
        struct worker *k = mem_zalloc(sizeof *k);
        k->working = w;
        k->l = l;
        w->running++;
        io_task_start(w->l->o->stores->loop, work_main, k, work_ended);
    }
}

bool load_each(struct load *l, unsigned tasks, uint32_t count, load_work_fn *work, struct err *err)
{
    struct working w = {.l = l, .work = work, .count = count};
    start(&w, l, tasks);
    for (unsigned i = 0; i < l->hand_count; i++) {
        if (l->hands[i].open)
            start(&w, &l->hands[i].load, tasks);
    }
    while (w.running > 0) {
        io_sleep(l->o->stores->loop, TICK_MS, &w.ended);
        if (l->o->stop->raised || l->failed)
            job_crew_stop(l->o->crew);
        if (job_pace_tells(&l->pace))
            load_tell(l);
    }
    for (unsigned i = 0; i < l->hand_count; i++) {
        const struct load_counted counted = load_take_counted(&l->hands[i].load);
        load_add_counted(l, &counted);
    }
    if (w.failed && err)
        *err = w.err;
    return !w.failed;
}

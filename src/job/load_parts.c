#include "job/load_internal.h"
#include "source/index.h"
#include "store/dead_letter.h"

/* --- the state */

static void take_part(void *ctx, uint32_t number, const struct store_load_part *part)
{
    struct load *l = ctx;
    (void)number;
    load_add_part(l, part->low, part->high);
    l->parts[l->part_count - 1] = *part;
}

/* Whether the target holds nothing that could be older than what is copied: then nothing has to be
 * looked at before it is written. */
static bool look_at_target(struct load *l, struct err *err)
{
    const struct es_page_options old = {.high = -1, .below = l->border.since};
    int64_t count = 0;
    if (l->o->from != CHANGE_CASSANDRA)
        return true;
    if (!source_index_count(l->o->stores->elasticsearch, &old, &count, err))
        return false;
    l->border.fresh = count == 0;
    return true;
}

static bool begin(struct load *l, struct err *err)
{
    return look_at_target(l, err) && load_divide(l, err) &&
           store_load_begin(l->o->store, pipeline_id(l->o->pipeline), l->o->from, &l->border,
                            l->parts, l->part_count, err);
}

static bool go_on(struct load *l, const struct store_load *before, struct err *err)
{
    l->border = *before;
    l->report->resumed = true;
    const int64_t pipeline = pipeline_id(l->o->pipeline);
    if (!store_load_parts(l->o->store, pipeline, l->o->from, take_part, l, err) ||
        !store_dead_count(l->o->store, pipeline, &l->report->dead_before, err))
        return false;
    l->share_before = load_share(l);
    load_note(l, "goes on at %.0f %%", l->share_before * 100.0);
    return true;
}

static void say_why_anew(struct load *l, const struct store_load *before, const char *differs)
{
    if (!before->exists && l->o->resume)
        load_note(l, "there is no unfinished load to go on with: begins anew");
    else if (before->exists && !l->o->resume)
        load_note(l, "an unfinished load is given up (--resume would have gone on with it)");
    else if (before->exists && before->stale)
        load_note(l, "begins anew: since the load was begun no cycle ran for longer than entries "
                     "live");
    else if (before->exists && differs)
        load_note(l, "begins anew: %s", differs);
}

static void set_bounds(struct load *l)
{
    const struct pipeline_options *o = l->o->stores->options;
    l->recent = l->border.started - pipeline_ends_after(o);
    l->latest =
        o->table.unit_us ? (l->border.started + o->future_skew_us) / o->table.unit_us : INT64_MAX;
}

/* What is new is brought over first. */
static bool cycle_first(struct load *l, struct err *err)
{
    struct pipeline_report report;
    l->phase = "cycle";
    return pipeline_cycle(l->o->pipeline, true, l->o->stop, &report, err);
}

static bool find_way(struct load *l, struct store_load *before, bool *goes_on, struct err *err)
{
    struct pipeline_border border;
    if (!store_load_read(l->o->store, pipeline_id(l->o->pipeline), l->o->from, before, err) ||
        !load_stores(l, l->border.stores, err))
        return false;
    const char *differs = load_differs(before, &l->border);
    *goes_on = l->o->resume && before->exists && !before->stale && !differs;
    if (*goes_on)
        return true;
    say_why_anew(l, before, differs);
    if (!pipeline_load_begin(l->o->pipeline, &border, err))
        return false;
    l->border.since = border.since;
    l->border.started = border.started;
    l->border.settled = border.settled;
    return true;
}

bool load_prepare(struct load *l, struct err *err)
{
    struct store_load before;
    bool goes_on = false;
    io_lock_take(l->o->lock);
    bool fine = cycle_first(l, err) && find_way(l, &before, &goes_on, err);
    io_lock_give(l->o->lock);
    if (!fine || !(goes_on ? go_on(l, &before, err) : begin(l, err)) ||
        !load_count_left_out(l, err))
        return false;
    set_bounds(l);
    return true;
}

struct store_load_part load_part(struct load *l, uint32_t number)
{
    return load_home(l)->parts[number];
}

/* Done at home, for whoever copied it. */
struct part_done {
    struct load *home;
    uint32_t number;
    const struct store_load_part *part;
    const struct slice *later;
    size_t later_count;
    struct load_counted counted;
    bool fine;
    struct err *err;
};

static bool write_part(const struct part_done *d)
{
    const struct job_load *o = d->home->o;
    const int64_t pipeline = pipeline_id(o->pipeline);
    bool fine = store_load_part_write(o->store, pipeline, o->from, d->number, d->part, d->err);
    for (size_t i = 0; fine && i < d->later_count; i++)
        fine = store_load_later_add(o->store, pipeline, o->from, d->later[i], d->err);
    return fine && store_commit(o->store, d->err);
}

static void save_part(void *ctx)
{
    struct part_done *d = ctx;
    struct store *store = d->home->o->store;
    d->home->parts[d->number] = *d->part;
    load_add_counted(d->home, &d->counted);
    if (!store_begin(store, d->err))
        return;
    d->fine = write_part(d);
    if (!d->fine)
        store_rollback(store);
}

bool load_part_done(struct load *l, uint32_t number, const struct store_load_part *part,
                    const struct slice *later, size_t later_count, struct err *err)
{
    struct part_done d = {.home = load_home(l),
                          .number = number,
                          .part = part,
                          .later = later,
                          .later_count = later_count,
                          .counted = load_take_counted(l),
                          .err = err};
    load_at_home(l, save_part, &d);
    return d.fine;
}

double load_share(const struct load *l)
{
    double done = 0.0;
    for (uint32_t i = 0; i < l->part_count; i++) {
        const struct store_load_part *p = &l->parts[i];
        if (p->done)
            done += 1.0;
        else if (p->high > p->low)
            done += ((double)p->position - (double)p->low) / ((double)p->high - (double)p->low);
    }
    return l->part_count > 0 ? done / l->part_count : 0.0;
}

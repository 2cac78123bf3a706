#include "job/load.h"

#include "base/clock.h"
#include "base/mem.h"
#include "job/load_internal.h"
#include "source/await.h"
#include "source/index.h"

#include <stdlib.h>

enum {
    TICK_MS = 200,
    BULKS = 4,
    BULK_MIN = 50,
    BULK_MAX = 4000,
    PAGES = 4,
    ROWS_MIN = 4,
    ROWS_MAX = 32,
    LATER = 500
};

void load_flows_open(struct load *l)
{
    struct io_loop *loop = l->o->stores->loop;
    job_flow_open(&l->cassandra, loop, l->o->stop, PAGES, ROWS_MIN, ROWS_MAX);
    job_flow_open(&l->elasticsearch, loop, l->o->stop, BULKS, BULK_MIN, BULK_MAX);
}

/* --- the index's settings */

static bool relax(struct load *l, struct err *err)
{
    const struct job_load *o = l->o;
    struct es_settings settings;
    struct store_relaxed before;
    if (!o->relax)
        return true;
    if (!source_index_settings(o->stores->elasticsearch, &settings, err) ||
        !store_relaxed_read(o->store, pipeline_id(o->pipeline), &before, err))
        return false;
    /* What a load that was killed left behind and nobody could restore yet is not how it was. */
    if (!before.exists) {
        before.exists = true;
        memcpy(before.refresh_interval, settings.refresh_interval, sizeof before.refresh_interval);
        memcpy(before.replicas, settings.replicas, sizeof before.replicas);
        if (!store_relaxed_write(o->store, pipeline_id(o->pipeline), &before, err))
            return false;
    }
    /* Without the cycles' own refresh nothing would show any more. */
    if (o->stores->options->refresh)
        memcpy(settings.refresh_interval, "-1", sizeof "-1");
    memcpy(settings.replicas, "0", sizeof "0");
    return source_index_change_settings(o->stores->elasticsearch, &settings, err);
}

bool job_load_restore(struct store *store, int64_t pipeline, struct es_client *client,
                      const struct log *log, struct err *err)
{
    struct store_relaxed before;
    struct es_settings settings = {.uuid = ""};
    if (!store_relaxed_read(store, pipeline, &before, err))
        return false;
    if (!before.exists)
        return true;
    if (!await_es_connect(client, err))
        return false;
    memcpy(settings.refresh_interval, before.refresh_interval, sizeof settings.refresh_interval);
    memcpy(settings.replicas, before.replicas, sizeof settings.replicas);
    if (!source_index_change_settings(client, &settings, err) && err->code != ERR_NOT_FOUND)
        return err_context(err,
                           "the index's settings, which a load has changed, can't be restored");
    before.exists = false;
    if (!store_relaxed_write(store, pipeline, &before, err))
        return false;
    log_info(log, "the index's refresh_interval and replicas are as they were before the load");
    return true;
}

static bool restore(struct load *l, struct err *err)
{
    const struct job_load *o = l->o;
    struct err own = {0};
    if (job_load_restore(o->store, pipeline_id(o->pipeline), o->stores->elasticsearch,
                         o->stores->options->log, &own))
        return true;
    load_note(l, "%.300s; the next start does it", own.text);
    if (err && err->code == ERR_NONE)
        *err = own;
    return false;
}

/* --- from the beginning to the end */

static bool open_direction(struct load *l, struct err *err)
{
    const bool rows = l->o->from == CHANGE_CASSANDRA;
    if (!(rows ? load_rows_open(l, err) : load_documents_open(l, err)))
        return false;
    load_crew_open(l);
    return rows || load_documents_keys(l, err);
}

static bool copy(struct load *l, struct err *err)
{
    const bool rows = l->o->from == CHANGE_CASSANDRA;
    l->phase = "copy";
    job_pace_start(&l->pace, l->o->stores->loop, l->o->rate, l->o->stop);
    /* More pages are on their way than writes, so that these never wait for the next one. */
    return load_each(l, rows ? BULKS + 2 : PAGES, l->part_count,
                     rows ? load_rows_part : load_documents_part, err);
}

/* Until the entries of what was written before the first cycle must have shown. */
static bool wait_for_entries(struct load *l, struct err *err)
{
    const struct pipeline_options *o = l->o->stores->options;
    const int64_t until = l->border.started + (l->border.started - l->recent) + o->settle_us;
    l->phase = "wait";
    while (clock_wall_us() < until) {
        if (io_sleep(l->o->stores->loop, TICK_MS, NULL) || l->o->stop->raised)
            return load_goes_on(l, 0, err);
        if (job_pace_tells(&l->pace))
            load_tell(l);
    }
    while (!load_read_entries(l, err)) {
        if (!load_retries_failed(l, &l->cassandra, err))
            return false;
    }
    job_flow_went_well(&l->cassandra);
    return true;
}

struct keys {
    struct arena arena;
    struct slice items[LATER];
    size_t count;
};

static void take_key(void *ctx, struct slice key)
{
    struct keys *keys = ctx;
    keys->items[keys->count++] = arena_copy(&keys->arena, key);
}

static bool look_again(struct load *l, struct keys *keys, struct err *err)
{
    const struct job_load *o = l->o;
    struct slice behind = SLICE_NULL;
    for (bool waited = false;; waited = true) {
        struct arena before = keys->arena; /* holds behind */
        keys->arena = (struct arena){0};
        keys->count = 0;
        bool fine = store_load_later_page(o->store, pipeline_id(o->pipeline), o->from, behind,
                                          LATER, take_key, keys, err);
        arena_free(&before);
        if (!fine || keys->count == 0)
            return fine;
        fine = waited || wait_for_entries(l, err);
        l->at_the_end = true;
        l->phase = "again";
        if (!fine ||
            !(o->from == CHANGE_CASSANDRA ? load_rows_again(l, keys->items, keys->count, err)
                                          : load_documents_again(l, keys->items, keys->count, err)))
            return false;
        behind = keys->items[keys->count - 1];
    }
}

static bool again(struct load *l, struct err *err)
{
    struct keys *keys = mem_zalloc(sizeof *keys);
    const bool fine = look_again(l, keys, err);
    arena_free(&keys->arena);
    free(keys);
    return fine;
}

/* What was copied is where it was to go: an index that is made anew lets a load go on as well. */
static bool same_stores(struct load *l, const struct store_load *begun, struct err *err)
{
    struct store_load now = {.exists = true};
    while (!load_stores(l, now.stores, err)) {
        if (!load_retries_failed(l, &l->elasticsearch, err))
            return false;
    }
    const char *differs = load_differs(begun, &now);
    return !differs || err_set(err, ERR_CONFLICT, "%s: load again", differs);
}

static bool finish(struct load *l, struct err *err)
{
    const struct job_load *o = l->o;
    const int64_t pipeline = pipeline_id(o->pipeline);
    struct store_load begun;
    io_lock_take(o->lock); /* a cycle says that it is stale */
    bool fine = store_load_read(o->store, pipeline, o->from, &begun, err);
    if (fine && begun.stale)
        fine = err_set(err, ERR_UNAVAILABLE,
                       "no cycle was complete for longer than entries live: changes may have been "
                       "missed meanwhile; load again");
    fine = fine && same_stores(l, &begun, err);
    load_stores_alone(&begun);
    fine = fine && pipeline_loaded(o->pipeline, o->from, begun.stores, err) &&
           store_load_end(o->store, pipeline, o->from, err);
    io_lock_give(o->lock);
    return fine;
}

bool job_load(const struct job_load *o, struct job_load_report *report, struct err *err)
{
    struct load l = {.o = o, .report = report, .phase = "start"};
    const int64_t started = clock_mono_us();
    *report = (struct job_load_report){0};
    job_pace_start(&l.pace, o->stores->loop, o->rate, o->stop);
    load_flows_open(&l);
    bool fine = load_prepare(&l, err) && load_read_entries(&l, err) && open_direction(&l, err) &&
                relax(&l, err) && copy(&l, err) && again(&l, err) && finish(&l, err);
    fine = restore(&l, err) && fine;
    if (fine)
        load_tell(&l);
    load_crew_close(&l);
    load_rows_close(&l);
    load_documents_close(&l);
    job_versions_free(l.versions);
    free(l.parts);
    report->seconds = (double)(clock_mono_us() - started) / 1e6;
    buf_free(&l.text);
    return fine;
}

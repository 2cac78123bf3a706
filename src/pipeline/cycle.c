#include "base/clock.h"
#include "io/task.h"
#include "pipeline/internal.h"
#include "source/await.h"
#include "source/documents.h"

/* Keys that are looked at together, and about how much their rows and documents may take. */
enum { BATCH_MIN = 10, BATCH_FIRST = 250, BATCH_MAX = 1000, BATCH_BYTES = 16 << 20 };

static bool is_full(const struct cycle *c)
{
    return c->p->dead_letters >= c->p->options.dead_letters_max;
}

/* What is left is done by a later cycle. */
static bool interrupted(const struct cycle *c, const struct io_wake *stop)
{
    return (stop && stop->raised) || c->report->transient > 0 || c->cut_short ||
           (is_full(c) && !c->retry);
}

/* False, and err tells why, when the cycle can't be completed. */
static bool may_go_on(const struct cycle *c, const struct io_wake *stop, struct err *err)
{
    if (!interrupted(c, stop))
        return true;
    if (c->report->transient > 0) {
        if (err)
            *err = c->report->failure;
        return false;
    }
    if (stop && stop->raised)
        return err_set(err, ERR_CANCELLED, "stopped");
    return err_set(err, ERR_UNAVAILABLE,
                   "%lld dead letters are all that deadLetters.max allows: nothing more is copied "
                   "until they are settled",
                   (long long)c->p->options.dead_letters_max);
}

/* Hands the source's window to take, page by page. What cut it short may be over before the cycle
 * is: a batch can make room among the dead letters. */
static bool read_window(struct cycle *c, struct source *s, int64_t known, intake_page_fn *take,
                        const struct io_wake *stop, struct err *err)
{
    const struct source_window window = {c->from, known, c->whole};
    if (!s->ops->open(s, &window, err))
        return false;
    struct arena arena = {0};
    struct source_page page;
    bool fine;
    do {
        arena_reset(&arena);
        fine = s->ops->next(s, &page, &arena, err) && take(c, &page, &arena, err);
        if (fine)
            memory_trim(c->p->memory);
    } while (fine && page.count > 0 && !interrupted(c, stop));
    c->cut_short = c->cut_short || (fine && page.count > 0);
    arena_free(&arena);
    s->ops->close(s);
    return fine;
}

/* Rows may be of any length. */
static uint32_t next_batch(uint32_t before, size_t count, size_t bytes)
{
    if (count == 0)
        return before;
    size_t size = BATCH_BYTES / (bytes / count + 1);
    size = size < 4 * (size_t)before ? size : 4 * (size_t)before;
    return size < BATCH_MIN ? BATCH_MIN : size > BATCH_MAX ? BATCH_MAX : (uint32_t)size;
}

/* New entries of Cassandra, looks, and what was put off. */
static bool examine_due(struct cycle *c, const struct io_wake *stop, struct err *err)
{
    struct arena arena = {0};
    bool fine;
    size_t count = 0;
    if (c->p->batch == 0)
        c->p->batch = BATCH_FIRST;
    do {
        arena_reset(&arena);
        struct slice *keys;
        fine = memory_flush(c->p->memory, err) &&
               memory_due(c->p->memory, c->now, c->p->batch, &arena, &keys, &count, err) &&
               intake_keys(c, keys, count, &arena, err);
        c->p->batch = next_batch(c->p->batch, count, arena.total);
        if (fine)
            memory_trim(c->p->memory);
    } while (fine && count > 0 && !interrupted(c, stop));
    arena_free(&arena);
    return fine;
}

static void raise_checkpoint(const struct cycle *c, int64_t *highest, int64_t version)
{
    const int64_t now = window_version_at(c->p, c->now);
    if (version > now)
        version = now;
    if (version > *highest)
        *highest = version;
}

/* Others may be given the highest one still. Below --since nothing was dealt with. */
static void note_known(const struct cycle *c)
{
    int64_t highest = 0;
    raise_checkpoint(c, &highest, c->highest_elasticsearch);
    if (highest - 1 > c->p->documents_known)
        c->p->documents_known = highest - 1;
    if (c->floor)
        return;
    c->p->documents->ops->done(c->p->documents);
    c->p->series->ops->done(c->p->series);
}

static bool complete(struct cycle *c, struct err *err)
{
    struct pipeline *p = c->p;
    struct store_checkpoint *checkpoint = &p->checkpoint;
    const struct store_checkpoint before = *checkpoint;
    checkpoint->exists = true;
    raise_checkpoint(c, &checkpoint->highest_cassandra, c->highest_cassandra);
    raise_checkpoint(c, &checkpoint->highest_elasticsearch, c->highest_elasticsearch);
    if (c->whole)
        checkpoint->whole_lowest = c->lowest;
    /* A row that waits for the whole overlap to be read is judged by the P it was found with. */
    if (c->settled > checkpoint->settled && !p->whole_wanted)
        checkpoint->settled = c->settled;
    checkpoint->completed = c->now;
    synced_note(c, checkpoint);
    bool fine = store_begin(p->store, err) && memory_write(p->memory, err) &&
                store_checkpoint_write(p->store, p->id, checkpoint, err);
    /* One overlap longer than needed: the window widens when something old is put off. */
    if (fine && c->whole)
        fine = memory_forget(p->memory, c->since - p->options.overlap, err);
    if (fine && memory_merge(p->memory, err) && store_commit(p->store, err)) {
        memory_written(p->memory);
        p->status.completed_us = c->now;
        if (c->whole) {
            p->whole_read = c->now;
            p->whole_took = clock_wall_us() - c->now;
        }
        p->broken = false;
        note_known(c);
        return true;
    }
    store_rollback(p->store);
    *checkpoint = before;
    return false;
}

/* The index shows what it holds before it is searched; meanwhile Cassandra is read. */
struct refreshing {
    struct pipeline *p;
    struct io_group group;
    struct err err;
    bool fine;
};

static void refresh(void *ctx)
{
    struct refreshing *r = ctx;
    r->fine = source_documents_refresh(r->p->documents, &r->err);
}

static void on_refreshed(void *ctx)
{
    io_group_done(&((struct refreshing *)ctx)->group);
}

static bool read_entries(struct cycle *c, const struct io_wake *stop, struct err *err)
{
    if (!window_open(c, err) || !synced_open(c, err) ||
        (c->whole && !await_es_routing(c->p->elasticsearch, err)))
        return false;
    if (c->whole)
        c->p->whole_wanted = false;
    return read_window(c, c->p->series, c->p->checkpoint.highest_cassandra, intake_entries, stop,
                       err);
}

static bool begin(struct cycle *c, const struct io_wake *stop, struct err *err)
{
    struct refreshing r = {.p = c->p, .fine = true};
    if (c->p->options.refresh) {
        io_group_add(&r.group);
        io_task_start(c->p->loop, refresh, &r, on_refreshed);
    }
    if (!c->p->checkpoint.exists) /* the first window begins at the highest version that shows */
        io_group_wait(&r.group);
    const bool fine = r.fine && read_entries(c, stop, err);
    io_group_wait(&r.group);
    if (!r.fine && err)
        *err = r.err;
    return fine && r.fine;
}

static bool run_cycle(struct cycle *c, const struct io_wake *stop, struct err *err)
{
    struct pipeline *p = c->p;
    if (!outcome_sound(p, err) || !may_go_on(c, stop, err) || !bind_servers(p, err) ||
        !memory_flush(p->memory, err))
        return false;
    c->now = clock_wall_us();
    c->settled = c->now - p->options.settle_us;
    if (!begin(c, stop, err) || !may_go_on(c, stop, err))
        return false;
    if (is_full(c)) /* to make room is all that may be done */
        return retry_letters(c, stop, err) && may_go_on(c, stop, err);
    return read_window(c, p->documents, p->documents_known, intake_documents, stop, err) &&
           examine_due(c, stop, err) && may_go_on(c, stop, err) &&
           (!c->retry || retry_letters(c, stop, err)) && may_go_on(c, stop, err) &&
           complete(c, err) && sweep_deleted(c, stop, err);
}

static bool cycle(struct cycle *c, const struct io_wake *stop, struct err *err)
{
    struct pipeline *p = c->p;
    struct pipeline_report *report = c->report;
    *report = (struct pipeline_report){0};
    p->counting = report;
    const bool fine = run_cycle(c, stop, err);
    p->counting = NULL;
    lag_cycle_ended(c, fine);
    report->gap = p->checkpoint.gap;
    pipeline_counts_add(&p->status.to_elasticsearch, &report->to_elasticsearch);
    pipeline_counts_add(&p->status.to_cassandra, &report->to_cassandra);
    p->status.cycles++;
    /* What is no passing failure may be a changed schema: look at it again. */
    if (!fine && err && err_class_of(err->code) != ERR_CLASS_RETRY)
        unbind_servers(p);
    return fine;
}

bool pipeline_cycle(struct pipeline *p, bool whole, const struct io_wake *stop,
                    struct pipeline_report *report, struct err *err)
{
    struct cycle c = {.p = p, .report = report, .whole = whole};
    return cycle(&c, stop, err);
}

bool pipeline_retry(struct pipeline *p, struct pipeline_retry *retry, const struct io_wake *stop,
                    struct pipeline_report *report, struct err *err)
{
    /* A whole cycle: each letter is decided from all that is known now. */
    struct cycle c = {.p = p, .report = report, .whole = true, .retry = retry};
    retry->put_off = 0;
    return cycle(&c, stop, err);
}

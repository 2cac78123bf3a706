#include "pipeline/internal.h"
#include "store/load.h"

/* Where the windows of a cycle begin: docs/semantics.md, "Windows and looks". */

/* Records that want the whole overlap read don't make the daemon do little else: they wait for so
 * many times what the last cycle with a whole read took. */
enum { WHOLE_REST = 10 };

static int64_t max64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t min64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t window_version_at(const struct pipeline *p, int64_t us)
{
    return p->options.table.unit_us ? us / p->options.table.unit_us : INT64_MAX;
}

static int64_t lower_positive(int64_t a, int64_t b)
{
    if (a == 0 || b == 0)
        return a + b;
    return min64(a, b);
}

/* Where it all began is kept before anything is read: a first cycle that fails, or is killed, must
 * not begin later the next time. */
static bool keep_start(struct cycle *c, int64_t document, int64_t entry, struct err *err)
{
    struct pipeline *p = c->p;
    const int64_t now = window_version_at(p, c->now);
    const struct store_checkpoint start = {
        .exists = true,
        .highest_elasticsearch = min64(document, now),
        .highest_cassandra = min64(entry, now),
        .whole_lowest = c->lowest,
        .settled = c->settled,
    };
    if (!store_checkpoint_write(p->store, p->id, &start, err))
        return false;
    p->checkpoint = start;
    return true;
}

static bool first_start(struct cycle *c, struct err *err)
{
    struct pipeline *p = c->p;
    int64_t document = 0, entry = 0;
    if (!p->documents->ops->highest(p->documents, &document, err) ||
        !p->series->ops->highest(p->series, &entry, err))
        return false;
    c->lowest = min64(max64(document, entry), window_version_at(p, c->now));
    c->since = max64(1, c->lowest - p->options.overlap);
    c->whole = true;
    c->from = c->since;
    return p->since_given || keep_start(c, document, entry, err);
}

static void from_checkpoint(struct cycle *c)
{
    struct pipeline *p = c->p;
    const int64_t highest =
        max64(p->checkpoint.highest_elasticsearch, p->checkpoint.highest_cassandra);
    const int64_t now = window_version_at(p, c->now);
    const int64_t pending = memory_lowest_pending(p->memory);
    c->lowest = lower_positive(min64(highest, now), pending);
    c->since = max64(1, c->lowest - p->options.overlap);
    const int64_t unit = p->options.table.unit_us;
    const int64_t since_whole = c->now - p->whole_read;
    c->whole = c->whole || unit == 0 || since_whole >= p->options.overlap_us / 4 ||
               (p->whole_wanted && since_whole >= WHOLE_REST * p->whole_took) || since_whole < 0;
    /* What showed late since the last whole read lies below this overlap by now, but not below
     * that of then. */
    if (c->whole)
        c->from = max64(1, min64(c->lowest, p->checkpoint.whole_lowest) - p->options.overlap);
    else
        c->from = max64(c->since, c->lowest - (p->options.settle_us + unit - 1) / unit - 1);
}

/* Entries live for ttl: who was away for longer may have missed some. */
static bool notice_gap(struct pipeline *p, int64_t now, struct err *err)
{
    const int64_t away = now - p->checkpoint.settled;
    if (!p->checkpoint.exists || p->options.ttl <= 0 || away <= (int64_t)p->options.ttl * 1000000)
        return true;
    p->broken = true;
    /* One that is half done counts on all entries since it began. */
    if (!store_load_stale(p->store, p->id, err))
        return false;
    if (p->checkpoint.gap)
        return true;
    p->checkpoint.gap = true;
    log_error(p->options.log,
              "the last complete cycle is %lld s ago, but entries of %s live for %d s only: "
              "changes made in Cassandra meanwhile may be missing",
              (long long)(away / 1000000), p->options.table.series, (int)p->options.ttl);
    return true;
}

bool window_open(struct cycle *c, struct err *err)
{
    struct pipeline *p = c->p;
    if (!notice_gap(p, c->now, err))
        return false;
    if (p->checkpoint.exists)
        from_checkpoint(c);
    else if (!first_start(c, err))
        return false;
    if (p->since_given) {
        c->floor = p->since_given;
        if (!p->checkpoint.exists || p->since_given < c->from)
            c->from = c->since = p->since_given;
        c->whole = true;
    }
    if (c->whole)
        memory_leave(p->memory, c->since);
    const int64_t skew = p->options.future_skew_us;
    c->rules = (struct resolve_rules){
        .guard = p->options.guard,
        .tie = p->options.tie,
        .skip_missing_rows = p->options.skip_missing_rows,
        .settled = c->settled,
        /* Before the first cycle nothing is known of any row, and entries below --since are not
         * looked at: no row counts as unexplained then. */
        .settled_before = p->checkpoint.exists && !c->floor ? p->checkpoint.settled : c->settled,
        .read_from = c->from,
        .latest_version = p->options.table.unit_us ? window_version_at(p, c->now + skew) : 0,
        .latest_write_us = c->now + skew,
        .whole_overlap = c->whole,
    };
    return true;
}

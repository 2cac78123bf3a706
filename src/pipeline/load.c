#include "base/clock.h"
#include "pipeline/internal.h"

#include <stdio.h>

/* What a load that runs beside the cycles needs of the pipeline. */

static void lift(int64_t *version, int64_t to)
{
    if (*version < to)
        *version = to;
}

/* In stores that were idle for long (or are empty) the windows begin at the highest version that is
 * there: what the load writes above it would look new, and be copied back. So they begin at the
 * time of the cycle instead, as if somebody had written then. */
bool pipeline_load_begin(struct pipeline *p, struct pipeline_border *out, struct err *err)
{
    struct store_checkpoint *c = &p->checkpoint;
    const struct store_checkpoint before = *c;
    if (p->options.table.unit_us > 0) {
        const int64_t version = window_version_at(p, c->completed);
        lift(&c->highest_elasticsearch, version);
        lift(&c->highest_cassandra, version);
        lift(&c->whole_lowest, version);
        if (!store_checkpoint_write(p->store, p->id, c, err)) {
            *c = before;
            return false;
        }
    }
    const int64_t since = c->whole_lowest - p->options.overlap;
    *out = (struct pipeline_border){.since = since > 1 ? since : 1,
                                    .started = c->completed,
                                    .settled = c->completed - p->options.settle_us};
    return true;
}

void pipeline_watch(struct pipeline *p, pipeline_touch_fn *touch, void *ctx)
{
    p->touch = touch;
    p->touch_ctx = ctx;
}

static bool write_letters(struct pipeline *p, const struct pipeline_letter *letters, size_t count,
                          int64_t *added, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct pipeline_letter *l = &letters[i];
        const struct store_dead_letter letter = {
            .key = l->key,
            .version = l->version,
            .target = l->target,
            .rule = l->rule,
            .reason = l->reason,
            .payload = l->payload,
            .at = clock_wall_us(),
        };
        bool fresh = false;
        if (!store_dead_write(p->store, p->id, &letter, &fresh, err))
            return false;
        *added += fresh;
        if (fresh)
            log_warning(p->options.log, "%.*s version %lld to the dead letters (%s): %s",
                        SLICE_ARG(l->key), (long long)l->version,
                        l->target == CHANGE_CASSANDRA ? "to Cassandra" : "to Elasticsearch",
                        l->reason);
    }
    return true;
}

bool pipeline_dead_letters(struct pipeline *p, const struct pipeline_letter *letters, size_t count,
                           struct err *err)
{
    int64_t added = 0;
    if (count == 0)
        return true;
    if (!store_begin(p->store, err))
        return false;
    if (!write_letters(p, letters, count, &added, err) || !store_commit(p->store, err)) {
        store_rollback(p->store);
        return false;
    }
    p->dead_letters += added;
    if (letters[0].target == CHANGE_CASSANDRA) /* as all of them */
        p->status.to_cassandra.dead += added;
    else
        p->status.to_elasticsearch.dead += added;
    return p->dead_letters < p->options.dead_letters_max ||
           err_set(err, ERR_CONFLICT,
                   "%lld dead letters are all that deadLetters.max allows: settle them (dlq), then "
                   "go on with --resume",
                   (long long)p->dead_letters);
}

/* A load from Cassandra makes good what expired entries would have told; one from Elasticsearch
 * says nothing of Cassandra's rows. */
bool pipeline_loaded(struct pipeline *p, enum change_side from, const char *stores, struct err *err)
{
    if (from != CHANGE_CASSANDRA)
        return true;
    const struct store_checkpoint before = p->checkpoint;
    p->checkpoint.synced_from = 1;
    snprintf(p->checkpoint.synced_stores, sizeof p->checkpoint.synced_stores, "%s", stores);
    p->checkpoint.gap = false;
    if (store_checkpoint_write(p->store, p->id, &p->checkpoint, err))
        return true;
    p->checkpoint = before;
    return false;
}

#include "pipeline/internal.h"
#include "source/identity.h"

/* From which version up everything of Cassandra is known to have come over: a row of one of them
 * that has no document (any more) once had one. */

_Static_assert((int)SOURCE_IDENTITY_MAX <= (int)STORE_STORES_MAX,
               "an identity fits into the state");

/* Entries that had expired before a first cycle, or before the first after a gap, say nothing; and
 * so does a cycle that skips versions. */
static bool begins(const struct cycle *c)
{
    return c->p->checkpoint.synced_from == 0 || c->p->broken || c->floor > c->from;
}

bool synced_open(struct cycle *c, struct err *err)
{
    struct pipeline *p = c->p;
    struct err own = {0};
    if (!begins(c) || p->no_identity ||
        source_identity(p->cassandra, p->elasticsearch, &p->options.table, c->stores, &own))
        return true;
    if (err_class_of(own.code) == ERR_CLASS_RETRY) {
        *err = own;
        return false;
    }
    p->no_identity = true;
    log_info(p->options.log,
             "%s: verify can't tell deletes in Elasticsearch from what was never copied: %s",
             p->options.name, own.text);
    return true;
}

void synced_note(const struct cycle *c, struct store_checkpoint *checkpoint)
{
    if (!begins(c))
        return;
    const int64_t highest = checkpoint->highest_elasticsearch > checkpoint->highest_cassandra
                                ? checkpoint->highest_elasticsearch
                                : checkpoint->highest_cassandra;
    const bool timed = c->p->options.table.unit_us > 0;
    checkpoint->synced_from =
        c->stores[0] == '\0' ? 0 : (timed ? window_version_at(c->p, c->now) : highest) + 1;
    memcpy(checkpoint->synced_stores, c->stores, sizeof c->stores);
}

struct pipeline_synced pipeline_synced(const struct pipeline *p)
{
    const struct store_checkpoint *c = &p->checkpoint;
    const int64_t overlap = p->options.overlap;
    struct pipeline_synced out = {.stores = c->synced_stores};
    if (!c->exists || c->synced_from == 0)
        return out;
    const int64_t pending = memory_lowest_pending(p->memory);
    int64_t done = p->options.table.unit_us ? window_version_at(p, c->settled)
                   : c->highest_elasticsearch > c->highest_cassandra ? c->highest_elasticsearch
                                                                     : c->highest_cassandra;
    if (pending > 0 && pending < done)
        done = pending;
    /* An entry may show an overlap late; then it takes until the whole overlap is read again. And a
     * write time, where that has to do as the version, may be as late. */
    out.to = done - 2 * overlap;
    out.from = c->synced_from > 1 ? c->synced_from + overlap : 1;
    return out;
}

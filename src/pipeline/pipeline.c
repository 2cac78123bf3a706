#include "pipeline/pipeline.h"

#include "base/clock.h"
#include "base/mem.h"
#include "pipeline/internal.h"
#include "store/dead_letter.h"
#include "store/uncopied.h"

#include <stdlib.h>

enum { MEMORY_ENTRIES = 8000 }; /* about 2.5 MB with keys of 36 bytes and one entry each */

struct pipeline *pipeline_new(struct io_loop *loop, struct cql_client *cassandra,
                              struct es_client *elasticsearch, struct store *store,
                              const struct pipeline_options *options, struct err *err)
{
    struct pipeline *p = mem_zalloc(sizeof *p);
    p->loop = loop;
    p->cassandra = cassandra;
    p->elasticsearch = elasticsearch;
    p->store = store;
    p->options = *options;
    p->created = clock_wall_us();
    if (store_pipeline(store, options->name, &p->id, err) &&
        store_checkpoint_read(store, p->id, &p->checkpoint, err) &&
        store_dead_count(store, p->id, &p->dead_letters, err))
        p->memory = memory_new(store, p->id, MEMORY_ENTRIES, err);
    if (p->memory) {
        p->deletes_waiting = memory_waiting(p->memory);
        return p;
    }
    pipeline_free(p);
    return NULL;
}

void pipeline_free(struct pipeline *p)
{
    if (!p)
        return;
    unbind_servers(p);
    memory_free(p->memory);
    free(p);
}

void pipeline_start_from(struct pipeline *p, int64_t since)
{
    p->since_given = since;
}

void pipeline_status(const struct pipeline *p, struct pipeline_status *out)
{
    *out = p->status;
    out->highest_elasticsearch = p->checkpoint.highest_elasticsearch;
    out->highest_cassandra = p->checkpoint.highest_cassandra;
    out->dead_letters = p->dead_letters;
    out->gap = p->checkpoint.gap;
    out->full = p->dead_letters >= p->options.dead_letters_max;
    if (out->completed_us == 0)
        out->completed_us = p->checkpoint.completed;
    const int64_t now = clock_wall_us();
    out->lag_to_elasticsearch_us = lag_of(p, CHANGE_ELASTICSEARCH, now);
    out->lag_to_cassandra_us = lag_of(p, CHANGE_CASSANDRA, now);
    if (!p->counting)
        return;
    pipeline_counts_add(&out->to_elasticsearch, &p->counting->to_elasticsearch);
    pipeline_counts_add(&out->to_cassandra, &p->counting->to_cassandra);
}

void pipeline_counts_add(struct pipeline_counts *to, const struct pipeline_counts *from)
{
    to->copied += from->copied;
    to->deleted += from->deleted;
    to->superseded += from->superseded;
    to->unchanged += from->unchanged;
    to->dead += from->dead;
}

bool pipeline_purge(struct pipeline *p, struct slice key, int64_t *removed, struct err *err)
{
    if (!store_begin(p->store, err))
        return false;
    if (!store_uncopied_keep(p->store, p->id, key, err) ||
        !store_dead_purge(p->store, p->id, key, removed, err) || !store_commit(p->store, err)) {
        store_rollback(p->store);
        return false;
    }
    return store_dead_count(p->store, p->id, &p->dead_letters, err);
}

int64_t pipeline_id(const struct pipeline *p)
{
    return p->id;
}

int64_t pipeline_version_of(const struct pipeline_options *o, int64_t write_time)
{
    if (o->table.unit_us == 0 || write_time == CHANGE_NO_WRITE_TIME)
        return 0;
    /* With guard: timestamp the daemon writes one µs beside the version. */
    const bool below = o->guard == RESOLVE_GUARD_TIMESTAMP && o->tie == RESOLVE_TIE_CASSANDRA;
    return (write_time + below) / o->table.unit_us;
}

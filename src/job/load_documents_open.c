#include "base/mem.h"
#include "job/load_documents.h"
#include "job/walk.h"
#include "sink/rows.h"
#include "source/scan.h"

#include <stdlib.h>

/* What a load from Elasticsearch needs before the first document: the statements, and the keys that
 * have a row. */

enum { KEY_TASKS = 4, KEYS_PER_PART = 50000, KEY_PARTS_MIN = 8, KEY_PARTS_MAX = 4096 };

static void add_key(void *ctx, const struct source_scanned *row)
{
    const struct load *l = ctx;
    if (!row->unusable)
        load_guard_add(l->documents->guard, row->key.text);
}

static bool read_keys(struct load *l, uint32_t number, struct err *err)
{
    struct source_range range;
    int64_t low, high;
    bool fine = true;
    job_walk_part(INT64_MIN, INT64_MAX, load_home(l)->documents->key_parts, number, &low, &high);
    source_range_open(&range, low, high);
    while (fine && !range.ended) {
        if (source_scan_page(l->documents->keys, &range, add_key, l, err)) {
            job_flow_went_well(&l->cassandra);
            fine = load_goes_on(l, 0, err);
        } else {
            fine = load_retries_failed(l, &l->cassandra, err);
        }
    }
    source_range_close(&range);
    return fine;
}

static void touch(void *ctx, struct slice key)
{
    const struct load *l = ctx;
    load_guard_touch(l->documents->guard, key);
}

static bool prepare_keys(struct load *l, struct err *err)
{
    const struct job_stores *stores = l->o->stores;
    const struct source_scan_options options = {.keys_only = true};
    l->documents->keys =
        source_scan_new(stores->cassandra, &stores->table, &stores->options->table, &options, err);
    return l->documents->keys != NULL;
}

bool load_documents_keys(struct load *l, struct err *err)
{
    const struct job_stores *stores = l->o->stores;
    int64_t partitions;
    if (!source_scan_estimate(stores->cassandra, &stores->options->table, &partitions, err))
        return false;
    const int64_t parts = partitions / KEYS_PER_PART;
    l->documents->key_parts = parts < KEY_PARTS_MIN   ? KEY_PARTS_MIN
                              : parts > KEY_PARTS_MAX ? KEY_PARTS_MAX
                                                      : (uint32_t)parts;
    l->phase = "keys";
    return load_each(l, KEY_TASKS, l->documents->key_parts, read_keys, err);
}

static bool prepare_sink(struct load *l, struct err *err)
{
    const struct job_stores *stores = l->o->stores;
    const struct pipeline_options *o = stores->options;
    const struct sink_rows_options options = {
        .table = &o->table,
        .logged = o->logged_batch,
        .ttl = o->ttl,
        .query = {.texts = o->queries,
                  .count = o->query_count,
                  .same_time = o->guard == RESOLVE_GUARD_TIMESTAMP},
    };
    if (stores->table.schema->counters)
        return err_set(err, ERR_SCHEMA,
                       "table %s.%s has counters, which can't be written by copies",
                       o->table.keyspace, o->table.data);
    if (o->query_count > 0 || o->table.unit_us == 0) {
        l->documents->rows = sink_rows_new(stores->cassandra, &stores->table, &options, err);
        return l->documents->rows != NULL;
    }
    if (!slice_is_null(o->deleted_field)) {
        l->documents->deletes = sink_rows_new(stores->cassandra, &stores->table, &options, err);
        if (!l->documents->deletes)
            return false;
    }
    l->documents->bulk = sink_rows_bulk_new(stores->cassandra, &stores->table, &o->table, err);
    return l->documents->bulk != NULL;
}

bool load_documents_open(struct load *l, struct err *err)
{
    l->documents = mem_zalloc(sizeof *l->documents);
    if (l->home) {
        l->documents->guard = l->home->documents->guard;
    } else {
        l->documents->guard = load_guard_new(l->o->stores->loop);
        pipeline_watch(l->o->pipeline, touch, l); /* before the first key is read */
    }
    return prepare_sink(l, err) && prepare_keys(l, err);
}

void load_documents_close(struct load *l)
{
    struct load_documents *d = l->documents;
    if (!d)
        return;
    if (!l->home) {
        pipeline_watch(l->o->pipeline, NULL, NULL);
        load_guard_free(d->guard);
    }
    source_scan_free(d->keys);
    sink_rows_bulk_free(d->bulk);
    if (d->rows)
        d->rows->ops->free(d->rows);
    if (d->deletes)
        d->deletes->ops->free(d->deletes);
    free(d);
}

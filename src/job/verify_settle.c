#include "job/verify_internal.h"

#include "base/clock.h"
#include "map/convert.h"
#include "source/documents.h"

/* Second looks: what differs may only be on its way. */

enum { BATCH = 500, ROUNDS = 6 };

/* A doubt and what both sides hold now. */
struct look {
    struct doubt before;
    struct change_key key;
    struct change_row row;
    struct change_document document;
};

static int64_t row_version(const struct verify *v, const struct look *l)
{
    if (l->row.content.missing)
        return l->before.entry_version;
    if (l->row.version)
        return l->row.version;
    const int64_t derived = pipeline_version_of(v->o->stores->options, l->row.write_time);
    /* What was written since the entries were read has an entry that nobody knows here. */
    const bool older = l->row.write_time <= v->started_us;
    return l->before.entry_version && older ? l->before.entry_version : derived;
}

static bool is_equal(const struct verify *v, const struct look *l)
{
    if (l->document.content.missing || l->row.content.missing)
        return l->document.content.missing && l->row.content.missing;
    return !l->document.unreadable &&
           map_content_equal(v->o->stores->table.schema, &l->document.content, &l->row.content);
}

/* Nothing has moved since the look before. */
static bool stood_still(const struct verify *v, const struct look *l)
{
    const struct doubt *b = &l->before;
    const bool document = l->document.version != 0, row = !l->row.content.missing;
    if (!b->looked || document != b->had_document || row != b->had_row ||
        l->document.version != b->document_version)
        return false;
    if (!row || l->row.write_time == CHANGE_NO_WRITE_TIME)
        return true;
    if (b->write_time != CHANGE_NO_WRITE_TIME)
        return b->write_time == l->row.write_time;
    return l->row.write_time <= v->started_us - v->o->stores->options->settle_us;
}

/* A version that was given twice is found by the last look at it, which may wait for a read of the
 * whole overlap, and copied within the lag, µs. */
static int64_t repeated_for(const struct verify *v)
{
    const struct pipeline_options *o = v->o->stores->options;
    return pipeline_ends_after(o) + o->overlap_us / 4 + (int64_t)v->o->lag_ms * 1000;
}

static bool may_be_repeated(const struct verify *v, const struct look *l)
{
    const struct pipeline_options *o = v->o->stores->options;
    if (o->table.unit_us == 0 || l->document.version != row_version(v, l))
        return false;
    return l->document.version >= (clock_wall_us() - repeated_for(v)) / o->table.unit_us;
}

static bool had_document(const struct verify *v, const struct look *l, int64_t version)
{
    return v->same_stores && job_synced_had_document(v->o->synced, l->before.key, version);
}

static enum job_kind kind_of(const struct verify *v, const struct look *l, int64_t row_v)
{
    const int64_t document_v = l->document.version;
    if (l->document.unreadable && !l->document.content.missing)
        return JOB_UNPARSABLE;
    if (document_v == 0)
        return had_document(v, l, row_v) ? JOB_DELETED_IN_ELASTICSEARCH
                                         : JOB_MISSING_IN_ELASTICSEARCH;
    if (l->row.content.missing)
        return JOB_MISSING_IN_CASSANDRA;
    if (row_v == 0 || row_v == document_v)
        return JOB_DIFFERENT;
    return document_v < row_v ? JOB_OLDER_IN_ELASTICSEARCH : JOB_OLDER_IN_CASSANDRA;
}

/* What the row's side says: of a row that is missing, that of a delete which is newer than the
 * document. An older entry, or the same, says nothing of why the row is not there. */
static int64_t told_version(const struct look *l, int64_t version)
{
    return !l->row.content.missing || version > l->document.version ? version : 0;
}

static void found(struct verify *v, const struct look *l)
{
    const int64_t version = row_version(v, l);
    const struct job_difference difference = {
        .key = l->before.key,
        .kind = kind_of(v, l, version),
        .elasticsearch_version = l->document.version,
        .cassandra_version = told_version(l, version),
        .cassandra_write_time = l->row.write_time == CHANGE_NO_WRITE_TIME ? 0 : l->row.write_time,
    };
    verify_found(v, &difference);
}

static bool read_both(struct verify *v, struct look *looks, size_t count, struct arena *arena,
                      struct err *err)
{
    const struct job_stores *stores = v->o->stores;
    const struct map_schema *schema = stores->table.schema;
    struct change_key *keys = arena_alloc(arena, (count + 1) * sizeof *keys);
    struct slice *ids = arena_alloc(arena, (count + 1) * sizeof *ids);
    struct change_row *rows = arena_alloc(arena, (count + 1) * sizeof *rows);
    struct change_document *documents = arena_alloc(arena, (count + 1) * sizeof *documents);
    for (size_t i = 0; i < count; i++) {
        struct slice *cells = arena_alloc(arena, schema->key_count * sizeof *cells);
        if (!map_key_parse(schema, looks[i].before.key, cells, arena, err))
            return false;
        keys[i] = (struct change_key){.text = looks[i].before.key, .cells = cells};
        ids[i] = looks[i].before.key;
    }
    if (!source_rows_read(stores->rows, keys, count, rows, arena, err) ||
        !source_documents_read(stores->elasticsearch, schema, stores->options->deleted_field, ids,
                               count, documents, arena, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        looks[i].row = rows[i];
        looks[i].document = documents[i];
    }
    return true;
}

static bool look_again(const struct look *l, struct job_sorter *later, struct err *err)
{
    struct doubt doubt = l->before;
    doubt.looked = true;
    doubt.had_document = l->document.version != 0;
    doubt.had_row = !l->row.content.missing;
    doubt.document_version = l->document.version;
    doubt.write_time = l->row.write_time;
    return verify_doubt(later, &doubt, err);
}

static bool settle_batch(struct verify *v, struct look *looks, size_t count, bool last,
                         struct job_sorter *later, struct arena *arena, struct err *err)
{
    if (!read_both(v, looks, count, arena, err))
        return false;
    v->report->looked_again += (int64_t)count;
    for (size_t i = 0; i < count; i++) {
        if (is_equal(v, &looks[i]))
            v->report->equal++;
        else if (stood_still(v, &looks[i]) && (last || !may_be_repeated(v, &looks[i])))
            found(v, &looks[i]);
        else if (last)
            v->report->still_changing++;
        else if (!look_again(&looks[i], later, err))
            return false;
    }
    return verify_goes_on(v, (int64_t)count, err);
}

/* The first doubt of the next batch. */
struct carried {
    bool there;
    struct doubt doubt; /* its key in key */
    struct buf key;
};

static bool next_doubt(struct verify *v, struct carried *carried, struct doubt *doubt, bool *more,
                       struct err *err)
{
    struct job_sorted record;
    *more = true;
    if (carried->there) {
        carried->there = false;
        *doubt = carried->doubt;
        return true;
    }
    if (!job_sorter_next(v->doubts, &record, more, err))
        return false;
    if (*more)
        *doubt = verify_doubt_of(&record);
    return true;
}

static void carry(struct carried *carried, const struct doubt *doubt)
{
    buf_clear(&carried->key);
    buf_append_slice(&carried->key, doubt->key);
    carried->doubt = *doubt;
    carried->doubt.key = buf_slice(&carried->key);
    carried->there = true;
}

/* The next doubts, each key once with the highest of its entries. */
static bool take_doubts(struct verify *v, struct look *looks, size_t *count, bool *more,
                        struct carried *carried, struct arena *arena, struct err *err)
{
    *count = 0;
    for (;;) {
        struct doubt doubt;
        if (!next_doubt(v, carried, &doubt, more, err))
            return false;
        if (!*more)
            return true;
        if (*count > 0 && slice_equal(looks[*count - 1].before.key, doubt.key)) {
            if (doubt.entry_version > looks[*count - 1].before.entry_version)
                looks[*count - 1].before.entry_version = doubt.entry_version;
            continue;
        }
        if (*count == BATCH) {
            carry(carried, &doubt);
            return true;
        }
        doubt.key = arena_copy(arena, doubt.key);
        looks[(*count)++] = (struct look){.before = doubt};
    }
}

static bool settle_round(struct verify *v, bool counts, bool last, struct job_sorter *later,
                         struct err *err)
{
    struct arena arena = {0};
    struct carried carried = {0};
    bool more = true, fine = job_sorter_finish(v->doubts, err);
    while (fine && more) {
        size_t count;
        arena_reset(&arena);
        struct look *looks = arena_alloc(&arena, BATCH * sizeof *looks);
        fine = take_doubts(v, looks, &count, &more, &carried, &arena, err) &&
               settle_batch(v, looks, count, last, later, &arena, err);
        v->report->compared += counts ? (int64_t)count : 0;
    }
    buf_free(&carried.key);
    arena_free(&arena);
    return fine;
}

/* Longer and longer: most of what is on its way arrives at once. */
static bool wait_for_lag(struct verify *v, int round, struct err *err)
{
    const int64_t overlap_ms = v->o->stores->options->overlap_us / 1000;
    int64_t wait = (int64_t)v->o->lag_ms << (round < 8 ? round : 8);
    if (wait > overlap_ms / 4)
        wait = overlap_ms / 4 > (int64_t)v->o->lag_ms ? overlap_ms / 4 : (int64_t)v->o->lag_ms;
    const int64_t until = clock_mono_us() + wait * 1000;
    while (clock_mono_us() < until) {
        io_sleep(v->o->stores->loop, 100, NULL);
        if (!verify_goes_on(v, 0, err))
            return false;
    }
    return true;
}

bool verify_settle(struct verify *v, bool count, struct err *err)
{
    const int64_t start = clock_mono_us();
    bool fine = true;
    v->phase = "differences";
    v->share = 0.0;
    for (int round = 0; fine && job_sorter_count(v->doubts) > 0; round++) {
        struct job_sorter *later = job_sorter_new(v->o->folder, v->o->memory / 8);
        /* Nobody has looked at a sample yet. */
        fine = (count && round == 0) || wait_for_lag(v, round, err);
        const bool last = round + 1 >= ROUNDS && clock_mono_us() - start > repeated_for(v);
        fine = fine && settle_round(v, count && round == 0, last, later, err);
        job_sorter_free(v->doubts);
        v->doubts = later;
    }
    return fine;
}

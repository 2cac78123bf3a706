#include "job/verify.h"

#include "base/clock.h"
#include "cql/token.h"
#include "job/verify_internal.h"
#include "map/convert.h"

bool verify_doubt(struct job_sorter *to, const struct doubt *d, struct err *err)
{
    const struct job_sorted record = {
        .token = d->token,
        .key = d->key,
        .version = d->document_version,
        .hash = {(uint64_t)d->entry_version, (uint64_t)d->write_time},
        .flags = (uint8_t)(d->looked | d->had_document << 1 | d->had_row << 2),
    };
    return job_sorter_add(to, &record, err);
}

struct doubt verify_doubt_of(const struct job_sorted *record)
{
    return (struct doubt){
        .token = record->token,
        .key = record->key,
        .looked = record->flags & 1,
        .had_document = record->flags & 2,
        .had_row = record->flags & 4,
        .document_version = record->version,
        .entry_version = (int64_t)record->hash.high,
        .write_time = (int64_t)record->hash.low,
    };
}

bool verify_token(const struct map_schema *schema, struct slice key, struct arena *arena,
                  struct slice *cells, int64_t *token, struct err *err)
{
    if (!map_key_parse(schema, key, cells, arena, err))
        return false;
    if (schema->partition_count == 1) {
        *token = cql_token(cells[0]);
        return true;
    }
    struct buf routing = {0};
    cql_token_key(cells, schema->partition_count, &routing);
    *token = cql_token(buf_slice(&routing));
    buf_free(&routing);
    return true;
}

struct finding {
    struct verify *home;
    const struct job_difference *difference;
};

static void find(void *ctx)
{
    const struct finding *f = ctx;
    f->home->report->kinds[f->difference->kind]++;
    if (f->home->o->found)
        f->home->o->found(f->home->o->ctx, f->difference);
}

void verify_found(struct verify *v, const struct job_difference *difference)
{
    struct finding f = {verify_of_part(v, 0), difference};
    verify_at_home(v, find, &f);
}

static void tell(struct verify *v)
{
    const struct job_verify_report *r = v->report;
    int64_t differences = 0;
    for (int i = 0; i < JOB_KIND_COUNT; i++)
        differences += r->kinds[i];
    buf_clear(&v->text);
    buf_printf(&v->text,
               "{\"progress\":{\"phase\":\"%s\",\"share\":%.4f,\"documents\":%lld,\"rows\":%lld,"
               "\"differences\":%lld,\"in_doubt\":%llu,\"seconds\":%.1f}}",
               v->phase, v->share, (long long)r->documents, (long long)r->rows,
               (long long)differences, (unsigned long long)job_sorter_count(v->doubts),
               job_pace_seconds(&v->pace));
    v->o->line(v->o->ctx, buf_slice(&v->text));
}

struct going_on {
    struct verify *home;
    struct job_verify_report counted; /* elsewhere */
    int64_t count;
    bool stopped;
};

static void go_on(void *ctx)
{
    struct going_on *g = ctx;
    struct verify *v = g->home;
    verify_add_report(v->report, &g->counted);
    job_pace_wait(&v->pace, g->count);
    if (v->o->line && job_pace_tells(&v->pace))
        tell(v);
    g->stopped = v->o->stop->raised || v->failed;
}

bool verify_goes_on(struct verify *v, int64_t count, struct err *err)
{
    struct going_on g = {.home = verify_of_part(v, 0), .count = count};
    if (v->home) {
        g.counted = *v->report;
        *v->report = (struct job_verify_report){0};
    }
    verify_at_home(v, go_on, &g);
    return !g.stopped || err_set(err, ERR_CANCELLED, "stopped");
}

/* Rows come in their order, documents don't: rows are read ahead until all documents are there. */
static bool everything(struct verify *v, struct err *err)
{
    verify_crew_open(v);
    return verify_read_entries(v, 1, false, err) && verify_each(v, verify_rows_open, err) &&
           verify_read_documents(v, err) && verify_each(v, verify_merge, err) &&
           verify_take_doubts(v, err) && verify_settle(v, false, err);
}

static bool compare(struct verify *v, struct err *err)
{
    if (v->o->sample)
        return verify_sample(v, err) && verify_settle(v, true, err);
    if (v->o->since)
        return verify_read_entries(v, v->o->since, true, err) && verify_read_documents(v, err) &&
               verify_settle(v, true, err);
    return everything(v, err);
}

/* Documents are most of it; entries live for an hour, doubts should be few. */
void verify_sorters_open(struct verify *v)
{
    const struct job_verify *o = v->o;
    for (unsigned i = 0; i < v->parts; i++)
        v->documents[i] = job_sorter_new(o->folder, o->memory / 2 / (v->parts * v->parts));
    v->entries = job_sorter_new(o->folder, o->memory / 8 / v->parts);
    v->doubts = job_sorter_new(o->folder, o->memory / 8 / v->parts);
}

void verify_sorters_close(struct verify *v)
{
    for (unsigned i = 0; i < v->parts; i++)
        job_sorter_free(v->documents[i]);
    job_sorter_free(v->entries);
    job_sorter_free(v->doubts);
}

unsigned job_verify_hands(const struct job_verify *o)
{
    return o->since || o->sample || o->rate > 0 ? 0 : VERIFY_PARTS_MAX - 1;
}

static unsigned count_parts(const struct job_verify *o)
{
    const unsigned hands = job_crew_count(o->crew), most = job_verify_hands(o);
    return hands < most ? hands + 1 : most + 1;
}

bool job_verify(const struct job_verify *options, struct job_verify_report *report, struct err *err)
{
    struct verify v = {.o = options,
                       .report = report,
                       .started_us = clock_wall_us(),
                       .parts = count_parts(options),
                       .low = options->low,
                       .high = options->high};
    *report = (struct job_verify_report){0};
    verify_sorters_open(&v);
    job_pace_start(&v.pace, options->stores->loop, options->rate, options->stop);
    const bool fine = (!options->synced ||
                       job_synced_check(options->synced, options->stores, &v.same_stores, err)) &&
                      compare(&v, err);
    report->seconds = job_pace_seconds(&v.pace);
    verify_crew_close(&v);
    verify_rows_close(&v);
    verify_sorters_close(&v);
    buf_free(&v.text);
    return fine;
}

void job_verify_append(struct buf *out, const struct job_verify_report *r)
{
    buf_printf(out, "\"compared\":%lld,\"equal\":%lld", (long long)r->compared,
               (long long)r->equal);
    for (int i = 0; i < JOB_KIND_COUNT; i++)
        buf_printf(out, ",\"%s\":%lld", job_kind_text((enum job_kind)i), (long long)r->kinds[i]);
    buf_printf(out,
               ",\"still_changing\":%lld,\"documents\":%lld,\"rows\":%lld,\"looked_again\":%lld,"
               "\"seconds\":%.3f",
               (long long)r->still_changing, (long long)r->documents, (long long)r->rows,
               (long long)r->looked_again, r->seconds);
}

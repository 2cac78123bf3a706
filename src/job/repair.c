#include "job/repair.h"

#include "base/mem.h"
#include "job/spool.h"

#include <stdlib.h>

enum { BATCH = 200, TRIES = 5 };

struct repairing {
    const struct job_repair *o;
    struct job_repair_report *report;
    struct job_spool *spool; /* differences, a JSON object a line */
    struct buf line;
    int64_t put_off; /* in the end: nobody knows what to do about them */
    bool spool_failed;
    struct err spool_error;
    /* a batch */
    struct pipeline_mend mends[BATCH];
    struct job_difference differences[BATCH];
    struct arena arena;
    size_t count;
};

/* --- what there is to mend */

static void keep_difference(void *ctx, const struct job_difference *d)
{
    struct repairing *r = ctx;
    buf_clear(&r->line);
    job_difference_append(&r->line, d);
    if (!r->spool_failed && !job_spool_add(r->spool, buf_slice(&r->line), &r->spool_error))
        r->spool_failed = true;
}

static void say_progress(void *ctx, struct slice line)
{
    const struct repairing *r = ctx;
    r->o->line(r->o->ctx, line);
}

static bool find_differences(struct repairing *r, struct err *err)
{
    struct job_verify verify = r->o->verify;
    verify.found = keep_difference;
    verify.line = say_progress;
    verify.ctx = r;
    if (!job_verify(&verify, &r->report->verify, err))
        return false;
    if (r->spool_failed && err)
        *err = r->spool_error;
    return !r->spool_failed;
}

static bool spool_keys(struct repairing *r, struct err *err)
{
    const struct json_node *keys = r->o->keys;
    for (const struct json_node *n = json_first(keys); n; n = json_next(keys, n)) {
        if (!job_spool_add(r->spool, n->raw, err))
            return false;
    }
    return true;
}

/* --- mending */

static const char *action_of(const struct resolve_decision *d)
{
    switch (d->action) {
    case RESOLVE_TO_CASSANDRA:
        return d->delete ? "delete in Cassandra" : "copy to Cassandra";
    case RESOLVE_TO_ELASTICSEARCH:
        return d->delete ? "delete in Elasticsearch" : "copy to Elasticsearch";
    default:
        return "nothing";
    }
}

static void say_item(struct repairing *r, const struct job_difference *d,
                     const struct pipeline_mend *mend)
{
    char rule[RESOLVE_RULE_NAME_MAX];
    resolve_rule_name(mend->decision.rule, rule);
    buf_clear(&r->line);
    buf_append_str(&r->line, "{\"item\":{");
    json_append_member(&r->line, "key", d->key);
    buf_printf(&r->line, ",\"kind\":\"%s\",\"action\":\"%s\",\"rule\":\"%s\",\"mended\":%s,",
               job_kind_text(d->kind), action_of(&mend->decision), rule,
               mend->outcome == PIPELINE_MENDED || mend->outcome == PIPELINE_EQUAL ? "true"
                                                                                   : "false");
    json_append_member(&r->line, "why", slice_str(mend->why));
    buf_append_str(&r->line, "}}");
    r->o->line(r->o->ctx, buf_slice(&r->line));
}

/* Counts and says what is decided; the others stay, to be tried again. */
static void take_outcomes(struct repairing *r, bool last)
{
    size_t left = 0;
    for (size_t i = 0; i < r->count; i++) {
        const struct pipeline_mend *mend = &r->mends[i];
        if (mend->outcome == PIPELINE_PUT_OFF && !last) {
            r->mends[left] = *mend;
            r->differences[left++] = r->differences[i];
            continue;
        }
        r->report->mended += mend->outcome == PIPELINE_MENDED;
        r->report->equal += mend->outcome == PIPELINE_EQUAL;
        r->put_off += mend->outcome == PIPELINE_PUT_OFF;
        r->report->unmended +=
            mend->outcome == PIPELINE_UNMENDED || mend->outcome == PIPELINE_PUT_OFF;
        say_item(r, &r->differences[i], mend);
    }
    r->count = left;
}

/* A server that fails for a while is no reason to give up: what a cycle should have seen is put
 * off. */
static bool bring_over(const struct job_repair *o, bool whole, struct err *err)
{
    struct pipeline_report report;
    struct err own = {0};
    if (o->dry_run || pipeline_cycle(o->pipeline, whole, o->verify.stop, &report, &own) ||
        (err_class_of(own.code) == ERR_CLASS_RETRY && !o->verify.stop->raised))
        return true;
    *err = own;
    return false;
}

/* A cycle before each attempt: what was written meanwhile is known then. */
static bool mend_batch(struct repairing *r, struct err *err)
{
    const struct job_repair *o = r->o;
    const struct job_verify *v = &o->verify;
    for (int i = 0; r->count > 0; i++) {
        const struct pipeline_repair repair = {.policy = o->policy,
                                               .missing = o->missing,
                                               .dry_run = o->dry_run,
                                               .mends = r->mends,
                                               .count = r->count};
        io_lock_take(o->lock);
        const bool fine = bring_over(o, i > 0, err) && pipeline_repair(o->pipeline, &repair, err);
        io_lock_give(o->lock);
        if (!fine)
            return false;
        take_outcomes(r, i + 1 == TRIES);
        if (r->count > 0)
            io_sleep(v->stores->loop, (uint64_t)v->stores->options->settle_us / 1000 + 100,
                     v->stop);
        if (v->stop->raised)
            return err_set(err, ERR_CANCELLED, "stopped");
    }
    arena_reset(&r->arena);
    return true;
}

static bool add_mend(struct repairing *r, struct slice line, struct json_doc *doc, struct err *err)
{
    struct job_difference *d = &r->differences[r->count];
    if (!json_parse(doc, line, false, err))
        return false;
    if (!job_difference_read(json_root(doc), d))
        return err_set(err, ERR_CONFIG, "no difference as verify writes it: %.*s",
                       line.len > 100 ? 100 : (int)line.len, line.ptr);
    d->key = arena_copy(&r->arena, d->key);
    r->mends[r->count++] = (struct pipeline_mend){
        .key = d->key,
        .row_version = d->cassandra_version,
        .row_write_time = d->cassandra_write_time,
        .document_version = d->elasticsearch_version,
        .no_document =
            d->kind == JOB_MISSING_IN_ELASTICSEARCH || d->kind == JOB_DELETED_IN_ELASTICSEARCH,
        .no_row = d->kind == JOB_MISSING_IN_CASSANDRA,
    };
    return true;
}

static bool mend_all(struct repairing *r, struct err *err)
{
    struct json_doc *doc = json_doc_new();
    bool fine = true;
    for (struct slice line = SLICE_LIT(""); fine && !slice_is_null(line);) {
        fine = job_spool_next(r->spool, &line, err) &&
               (slice_is_null(line) || add_mend(r, line, doc, err));
        if (fine && (r->count == BATCH || (slice_is_null(line) && r->count > 0)))
            fine = mend_batch(r, err);
    }
    json_doc_free(doc);
    return fine;
}

/* What is new is brought over first: its entries tell the versions of rows. */
static bool sync_first(const struct job_repair *o, struct err *err)
{
    struct pipeline_report report;
    io_lock_take(o->lock);
    const bool fine = pipeline_cycle(o->pipeline, true, o->verify.stop, &report, err);
    io_lock_give(o->lock);
    return fine;
}

static bool is_whole(const struct job_repair *o)
{
    const struct job_verify *v = &o->verify;
    return !o->keys && !o->dry_run && o->policy == RESOLVE_POLICY_NEWEST && v->since == 0 &&
           v->sample == 0 && v->low == INT64_MIN && v->high == INT64_MAX;
}

static bool close_gap(const struct job_repair *o, struct err *err)
{
    io_lock_take(o->lock);
    const bool fine = pipeline_close_gap(o->pipeline, err);
    io_lock_give(o->lock);
    return fine;
}

bool job_repair(const struct job_repair *o, struct job_repair_report *report, struct err *err)
{
    struct repairing *r = mem_zalloc(sizeof *r);
    *report = (struct job_repair_report){0};
    r->o = o;
    r->report = report;
    r->spool = job_spool_new(o->verify.folder, err);
    bool fine = r->spool && (o->dry_run || sync_first(o, err)) &&
                (o->keys ? spool_keys(r, err) : find_differences(r, err)) && mend_all(r, err);
    if (fine && is_whole(o) && r->put_off == 0)
        fine = close_gap(o, err);
    job_spool_free(r->spool);
    arena_free(&r->arena);
    buf_free(&r->line);
    free(r);
    return fine;
}

void job_repair_append(struct buf *out, const struct job_repair *o,
                       const struct job_repair_report *r)
{
    buf_printf(out, "{\"mended\":%lld,\"unmended\":%lld,\"equal\":%lld,\"dry_run\":%s",
               (long long)r->mended, (long long)r->unmended, (long long)r->equal,
               o->dry_run ? "true" : "false");
    if (!o->keys)
        buf_printf(out, ",\"compared\":%lld", (long long)r->verify.compared);
    buf_append_char(out, '}');
}

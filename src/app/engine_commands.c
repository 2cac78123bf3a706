#include "app/engine_internal.h"
#include "job/dead_letters.h"
#include "job/explain.h"
#include "job/repair.h"
#include "job/synced.h"

/* What the commands beside the cycles do. */

enum { VERIFY_MEMORY = 64 << 20 };

static void say_line(void *ctx, struct slice line)
{
    const struct engine_job *job = ctx;
    job->client->line(job->ctx, line);
}

static struct slice text_member(const struct engine_job *job, const char *name)
{
    const struct json_node *node = json_member(job->request, name);
    return node && node->type == JSON_STRING ? node->text : SLICE_NULL;
}

static bool dlq(struct engine_job *job, struct err *err)
{
    struct engine *e = job->e;
    const struct job_dead_letters options = {
        .store = e->store,
        .pipeline = e->pipeline,
        .lock = &e->lock,
        .loop = e->loop,
        .settle_ms = (uint64_t)e->options.settle_us / 1000,
        .stop = &job->stop,
        .line = say_line,
        .ctx = job,
    };
    const struct slice action = text_member(job, "action"), key = text_member(job, "key");
    if (slice_is(action, "list"))
        return job_dead_letters_list(&options, &job->result, err);
    if (slice_is(action, "show"))
        return job_dead_letters_show(&options, key, &job->result, err);
    if (slice_is(action, "retry"))
        return job_dead_letters_retry(&options, key, &job->result, err);
    if (slice_is(action, "purge"))
        return job_dead_letters_purge(&options, key, &job->result, err);
    return err_set(err, ERR_INTERNAL, "no such action of dlq");
}

static bool explain(struct engine_job *job, struct err *err)
{
    struct engine *e = job->e;
    const struct job_explain options = {.store = e->store,
                                        .pipeline = e->pipeline,
                                        .elasticsearch = e->elasticsearch,
                                        .lock = &e->lock};
    return job_explain(&options, text_member(job, "key"), &job->result, err);
}

static int64_t number_member(const struct engine_job *job, const char *name, int64_t otherwise)
{
    int64_t value;
    const struct json_node *node = json_member(job->request, name);
    return node && json_int64(node, &value) ? value : otherwise;
}

static bool is_true(const struct engine_job *job, const char *name)
{
    const struct json_node *node = json_member(job->request, name);
    return node && node->type == JSON_TRUE;
}

static enum resolve_policy policy_of(struct slice name)
{
    return slice_is(name, "elasticsearch") ? RESOLVE_POLICY_ELASTICSEARCH
           : slice_is(name, "cassandra")   ? RESOLVE_POLICY_CASSANDRA
                                           : RESOLVE_POLICY_NEWEST;
}

static bool repair(struct engine_job *job, struct err *err)
{
    struct engine *e = job->e;
    struct job_stores stores = engine_stores(e);
    struct job_repair options = {
        .verify = engine_verify_options(e, &stores),
        .pipeline = e->pipeline,
        .lock = &e->lock,
        .policy = policy_of(text_member(job, "policy")),
        .missing = slice_is(text_member(job, "missing"), "delete") ? RESOLVE_MISSING_DELETE
                                                                   : RESOLVE_MISSING_COPY,
        .dry_run = is_true(job, "dry_run"),
        .keys = json_member(job->request, "keys"),
        .line = say_line,
        .ctx = job,
    };
    options.verify.memory = (size_t)number_member(job, "memory", VERIFY_MEMORY);
    options.verify.rate = number_member(job, "rate", 0);
    options.verify.since = number_member(job, "since", 0);
    options.verify.low = number_member(job, "low", INT64_MIN);
    options.verify.high = number_member(job, "high", INT64_MAX);
    options.verify.stop = &job->stop;
    struct job_repair_report report;
    struct job_synced synced;
    options.verify.synced = &synced;
    job_synced_open(&synced);
    bool fine = job_synced_read(&synced, e->store, e->pipeline, err) &&
                pipeline_connect(e->pipeline, err) && job_stores_open(&stores, true, err);
    if (fine) {
        options.verify.crew =
            engine_crew(e, &stores, options.keys ? 0 : job_verify_hands(&options.verify));
        fine = job_repair(&options, &report, err);
        job_crew_free(options.verify.crew);
    }
    job_synced_close(&synced);
    job_stores_close(&stores);
    if (fine)
        job_repair_append(&job->result, &options, &report);
    return fine;
}

/* The daemon's own comparison; the command `verify` does the same in a process of its own. */
static bool verify(struct engine_job *job, struct err *err)
{
    struct engine *e = job->e;
    struct job_stores stores = engine_stores(e);
    struct job_verify options = engine_verify_options(e, &stores);
    struct job_verify_report report;
    options.memory = VERIFY_MEMORY;
    options.rate = number_member(job, "rate", 0);
    options.stop = &job->stop;
    struct job_synced synced;
    options.synced = &synced;
    job_synced_open(&synced);
    bool fine = job_synced_read(&synced, e->store, e->pipeline, err) &&
                pipeline_connect(e->pipeline, err) && job_stores_open(&stores, true, err);
    if (fine) {
        options.crew = engine_crew(e, &stores, job_verify_hands(&options));
        fine = job_verify(&options, &report, err);
        job_crew_free(options.crew);
    }
    job_synced_close(&synced);
    job_stores_close(&stores);
    if (!fine)
        return false;
    buf_append_char(&job->result, '{');
    job_verify_append(&job->result, &report);
    buf_append_char(&job->result, '}');
    return true;
}

static bool synced(struct engine_job *job, struct err *err)
{
    return job_synced_tell(job->e->store, job->e->pipeline, say_line, job, &job->result, err);
}

static const struct {
    const char *name;
    engine_command_fn *run;
} commands[] = {
    {"dlq", dlq},       {"explain", explain},      {"load", engine_load}, {"pause", engine_pause},
    {"repair", repair}, {"resume", engine_resume}, {"synced", synced},    {"verify", verify},
};

engine_command_fn *engine_command_find(struct slice name)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        if (slice_is(name, commands[i].name))
            return commands[i].run;
    }
    return NULL;
}

#include "app/engine_internal.h"
#include "job/load.h"

#include <limits.h>

/* `load`: a job beside the cycles, which it needs. Without a daemon they run here. */

static void say_line(void *ctx, struct slice line)
{
    const struct engine_job *job = ctx;
    job->client->line(job->ctx, line);
}

static bool is_true(const struct engine_job *job, const char *name)
{
    const struct json_node *node = json_member(job->request, name);
    return node && node->type == JSON_TRUE;
}

static int64_t rate_of(const struct engine_job *job)
{
    int64_t rate = 0;
    const struct json_node *node = json_member(job->request, "rate");
    return node && json_int64(node, &rate) ? rate : 0;
}

/* Cycles for as long as the load takes. */
struct cycling {
    struct engine *e;
    struct io_wake stop;
    struct io_group running;
    struct err err;
};

static void cycle_main(void *ctx)
{
    struct cycling *c = ctx;
    if (!engine_cycles(c->e, &c->stop, &c->err))
        engine_stop(c->e); /* our own state can't go on */
}

static void cycle_ended(void *ctx)
{
    struct cycling *c = ctx;
    io_group_done(&c->running);
}

static void start_cycles(struct cycling *c)
{
    if (c->e->cycling)
        return;
    io_group_add(&c->running);
    io_task_start(c->e->loop, cycle_main, c, cycle_ended);
}

static bool load(struct engine_job *job, struct err *err)
{
    struct engine *e = job->e;
    struct job_stores stores = engine_stores(e);
    struct cycling cycling = {.e = e};
    const struct json_node *from = json_member(job->request, "from");
    struct job_load options = {
        .stores = &stores,
        .store = e->store,
        .pipeline = e->pipeline,
        .lock = &e->lock,
        .folder = e->config->state_folder,
        .from =
            from && slice_is(from->text, "elasticsearch") ? CHANGE_ELASTICSEARCH : CHANGE_CASSANDRA,
        .resume = is_true(job, "resume"),
        .relax = is_true(job, "relax"),
        .rate = rate_of(job),
        .stop = &job->stop,
        .line = say_line,
        .ctx = job,
    };
    struct job_load_report report;
    bool fine = pipeline_connect(e->pipeline, err) && job_stores_open(&stores, true, err);
    if (fine) {
        start_cycles(&cycling);
        options.crew = engine_crew(e, &stores, UINT_MAX);
        fine = job_load(&options, &report, err);
        job_crew_free(options.crew);
        io_wake_raise(&cycling.stop);
        io_group_wait(&cycling.running);
        if (cycling.err.code != ERR_NONE)
            *err = cycling.err;
    }
    job_stores_close(&stores);
    if (fine)
        job_load_append(&job->result, &options, &report);
    return fine;
}

bool engine_load(struct engine_job *job, struct err *err)
{
    struct engine *e = job->e;
    if (!engine_may_copy(e, err)) /* the cycles beside it */
        return false;
    if (e->loading)
        return err_set(err, ERR_RUNNING, "a load is running already; wait for its end");
    e->loading = true;
    const bool fine = load(job, err);
    e->loading = false;
    e->restored = false; /* looked at once more, in case that it could not */
    return fine;
}

void engine_restore(struct engine *e)
{
    struct err err = {0};
    if (e->restored || e->loading)
        return;
    e->restored =
        job_load_restore(e->store, pipeline_id(e->pipeline), e->elasticsearch, e->log, &err);
    if (!e->restored)
        log_warning(e->log, "%s: %s; trying again", e->options.name, err.text);
}

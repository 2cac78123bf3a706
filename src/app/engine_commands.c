#include "app/engine_internal.h"
#include "job/dead_letters.h"
#include "job/explain.h"

/* What the commands beside the cycles do. */

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

static const struct {
    const char *name;
    engine_command_fn *run;
} commands[] = {
    {"dlq", dlq},
    {"explain", explain},
};

engine_command_fn *engine_command_find(struct slice name)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        if (slice_is(name, commands[i].name))
            return commands[i].run;
    }
    return NULL;
}

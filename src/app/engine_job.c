#include "app/engine_internal.h"
#include "base/mem.h"

#include <stdlib.h>

/* Commands as tasks beside the cycles. */

static void job_main(void *ctx)
{
    struct engine_job *job = ctx;
    engine_restore(job->e);
    job->fine = job->run(job, &job->err);
}

static void job_ended(void *ctx)
{
    struct engine_job *job = ctx;
    struct engine *e = job->e;
    struct engine_job **at = &e->jobs;
    while (*at != job)
        at = &(*at)->next;
    *at = job->next;
    job->client->ended(job->ctx, job->fine ? buf_slice(&job->result) : SLICE_NULL,
                       job->fine ? NULL : &job->err);
    json_doc_free(job->doc);
    buf_free(&job->text);
    buf_free(&job->result);
    free(job);
    io_group_done(&e->jobs_running);
}

struct engine_job *engine_job_start_here(struct engine *e, const struct json_node *request,
                                         const struct engine_client *client, void *ctx)
{
    const struct json_node *name = json_member(request, "command");
    engine_command_fn *run = name ? engine_command_find(name->text) : NULL;
    if (!run || e->over)
        return NULL;
    struct engine_job *job = mem_zalloc(sizeof *job);
    job->e = e;
    job->client = client;
    job->ctx = ctx;
    job->run = run;
    job->doc = json_doc_new();
    buf_append_slice(&job->text, request->raw);
    if (!json_parse(job->doc, buf_slice(&job->text), false, &job->err))
        abort(); /* it was parsed before */
    job->request = json_root(job->doc);
    job->next = e->jobs;
    e->jobs = job;
    io_group_add(&e->jobs_running);
    if (e->stop.raised)
        engine_job_cancel(job);
    io_task_start(e->loop, job_main, job, job_ended);
    return job;
}

struct engine_job *engine_job_start(struct engine *e, const struct json_node *request,
                                    const struct engine_client *client, void *ctx)
{
    return io_loop_is_here(e->loop) ? engine_job_start_here(e, request, client, ctx)
                                    : engine_relay_start(e, request, client, ctx);
}

void engine_job_cancel(struct engine_job *job)
{
    if (job->relay)
        engine_relay_cancel(job->relay);
    else
        io_wake_raise(&job->stop);
}

void engine_jobs_end(struct engine *e)
{
    for (struct engine_job *job = e->jobs; job; job = job->next)
        engine_job_cancel(job);
    io_group_wait(&e->jobs_running);
}

struct performing {
    struct engine *e;
    void (*line)(void *ctx, struct slice line);
    void *ctx;
    struct buf *result;
    struct err *err;
    bool fine, ended;
};

static void perform_line(void *ctx, struct slice line)
{
    const struct performing *p = ctx;
    p->line(p->ctx, line);
}

static void perform_ended(void *ctx, struct slice result, const struct err *err)
{
    struct performing *p = ctx;
    p->fine = !err;
    p->ended = true;
    if (err)
        *p->err = *err;
    else
        buf_append_slice(p->result, result);
    io_loop_stop(p->e->loop);
}

bool engine_perform(struct engine *e, struct slice request,
                    void (*line)(void *ctx, struct slice line), void *ctx, struct buf *result,
                    struct err *err)
{
    static const struct engine_client client = {perform_line, perform_ended};
    struct performing p = {.e = e, .line = line, .ctx = ctx, .result = result, .err = err};
    struct json_doc *doc = json_doc_new();
    bool fine = json_parse(doc, request, false, err);
    if (fine && !engine_job_start(e, json_root(doc), &client, &p))
        fine = err_set(err, ERR_INTERNAL, "no such command");
    json_doc_free(doc);
    while (fine && !p.ended)
        io_loop_run(e->loop);
    return fine && p.fine;
}

#include "app/engine_internal.h"
#include "base/clock.h"
#include "store/times.h"

/* A pause is for what the daemon does by itself, cycles and comparisons; what somebody asks for
 * beside them (dlq, repair) is done. It is in the state, so that no restart ends it. */

bool engine_pause_restore(struct engine *e, struct err *err)
{
    if (!store_time_read(e->store, pipeline_id(e->pipeline), STORE_PAUSED, &e->paused_us, err))
        return false;
    e->halt.raised = e->paused_us > 0;
    return true;
}

bool engine_may_copy(const struct engine *e, struct err *err)
{
    return !e->paused_us ||
           err_set(err, ERR_RUNNING, "%s is paused; caes-sync resume lets it go on",
                   e->options.name);
}

static bool keep(struct engine *e, int64_t paused_us, struct err *err)
{
    if (!store_time_write(e->store, pipeline_id(e->pipeline), STORE_PAUSED, paused_us, err))
        return false;
    e->paused_us = paused_us;
    return true;
}

static void say_paused(struct engine_job *job, bool changed)
{
    const struct engine *e = job->e;
    buf_printf(&job->result, "{\"paused\":%s,\"changed\":%s}", e->paused_us ? "true" : "false",
               changed ? "true" : "false");
}

static void let_go(struct engine *e)
{
    e->halt.raised = e->stop.raised;
}

/* What was wrong with the servers is not known any more. */
static void forget_failure(struct engine *e)
{
    e->failure = (struct err){0};
    e->failing_since_us = 0;
    e->told = ERR_NONE;
    e->backoff_ms = 0;
}

static bool pause_now(struct engine *e, struct err *err)
{
    if (e->self)
        engine_job_cancel(e->self);
    io_wake_raise(&e->halt);
    io_lock_take(&e->lock); /* until the batch at hand has ended */
    const bool fine = keep(e, clock_wall_us(), err);
    io_lock_give(&e->lock);
    if (!fine) {
        let_go(e);
        return false;
    }
    forget_failure(e);
    log_info(e->log, "%s: paused; copies nothing until caes-sync resume", e->options.name);
    return true;
}

bool engine_pause(struct engine_job *job, struct err *err)
{
    struct engine *e = job->e;
    const bool changes = !e->paused_us;
    if (e->loading)
        return err_set(err, ERR_RUNNING,
                       "a load is running, which needs the cycles; stop it (load --resume goes on "
                       "later), then pause");
    if (changes && !pause_now(e, err))
        return false;
    say_paused(job, changes);
    return true;
}

bool engine_resume(struct engine_job *job, struct err *err)
{
    struct engine *e = job->e;
    const int64_t since_us = e->paused_us;
    if (since_us && !keep(e, 0, err))
        return false;
    if (since_us) {
        let_go(e);
        e->vitals.progress_us = clock_mono_us();
        log_info(e->log, "%s: goes on after a pause of %lld s", e->options.name,
                 (long long)((clock_wall_us() - since_us) / 1000000));
    }
    say_paused(job, since_us > 0);
    return true;
}

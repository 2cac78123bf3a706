#include "app/remote.h"

#include "app/control.h"
#include "app/pid_file.h"
#include "app/signals.h"

#include <string.h>
#include <unistd.h>

enum { ATTEMPTS = 50, PAUSE_US = 100000 };

struct receiving {
    void (*line)(void *ctx, struct slice line);
    void *ctx;
    struct buf *result;
};

static bool take_line(void *ctx, struct slice line)
{
    const struct receiving *r = ctx;
    if (control_line_is_last(line))
        buf_append_slice(r->result, line);
    else
        r->line(r->ctx, line);
    return true;
}

static bool run_here(struct session *s, struct slice request, const struct receiving *r,
                     struct err *err)
{
    if (s->engine_count == 0 && !(session_lock(s, err) && session_log(s, err) &&
                                  session_loop(s, err) && session_engine(s, true, err)))
        return false;
    struct signals *signals = signals_stop(s->loop, s->engines, 1);
    const bool fine = engine_perform(s->engines[0], request, r->line, r->ctx, r->result, err);
    signals_close(signals);
    return fine;
}

/* An answer may say that something runs already, too. */
static bool nobody_listens(const struct err *err)
{
    return err->code == ERR_RUNNING && strstr(err->text, "nobody listens");
}

static bool run_there_or_here(struct session *s, struct slice request, struct receiving *r,
                              struct err *err)
{
    if (s->engine_count > 0) /* since the request before */
        return run_here(s, request, r, err);
    const pid_t pid = pid_file_owner(s->config->pid_file, err);
    if (pid < 0)
        return false;
    if (pid == 0)
        return run_here(s, request, r, err);
    bool fine;
    /* It takes a moment from the lock to the socket. */
    for (int i = 0;
         !(fine = control_request(s->config->control_socket, request, 0, take_line, r, err)) &&
         nobody_listens(err) && i < ATTEMPTS;
         i++)
        usleep(PAUSE_US);
    if (!fine && nobody_listens(err))
        err_set(err, ERR_RUNNING, "process %d has the state and can't be asked; wait for its end",
                (int)pid);
    return fine;
}

bool remote_run(struct session *s, struct slice request, void (*line)(void *ctx, struct slice line),
                void *ctx, struct buf *result, struct err *err)
{
    struct receiving r = {line, ctx, result};
    struct buf named = {0};
    const struct config_pipeline *pipeline = session_pipeline(s, err);
    if (!pipeline)
        return false;
    buf_printf(&named, "{\"pipeline\":\"%s\",%.*s", pipeline->name, (int)request.len - 1,
               request.ptr + 1);
    const bool fine = run_there_or_here(s, buf_slice(&named), &r, err);
    buf_free(&named);
    return fine;
}

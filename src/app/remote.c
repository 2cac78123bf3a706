#include "app/remote.h"

#include "app/control.h"
#include "app/pid_file.h"

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
    return session_lock(s, err) && session_log(s, err) && session_loop(s, err) &&
           session_engine(s, true, err) &&
           engine_perform(s->engine, request, r->line, r->ctx, r->result, err);
}

bool remote_run(struct session *s, struct slice request, void (*line)(void *ctx, struct slice line),
                void *ctx, struct buf *result, struct err *err)
{
    struct receiving r = {line, ctx, result};
    const pid_t pid = pid_file_owner(s->config->pid_file, err);
    if (pid < 0)
        return false;
    if (pid == 0)
        return run_here(s, request, &r, err);
    if (control_request(s->config->control_socket, request, 0, take_line, &r, err))
        return true;
    if (err->code == ERR_RUNNING)
        err_set(err, ERR_RUNNING, "process %d has the state and can't be asked; wait for its end",
                (int)pid);
    return false;
}

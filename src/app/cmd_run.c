#include "app/command.h"

#include "app/control.h"
#include "app/monitor.h"
#include "app/pid_file.h"
#include "app/service.h"
#include "app/session.h"
#include "base/json.h"
#include "status/json.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static const int signal_numbers[] = {SIGTERM, SIGINT, SIGHUP};

/* Signals and the control socket are there from the start to the end; a reload makes a new engine
 * between them. */
struct run {
    struct session session;
    struct control *control;
    uv_signal_t signals[ARRAY_LEN(signal_numbers)];
    uv_timer_t patience; /* with the batch, once it is to stop */
    struct service *service;
    struct monitor *monitor;
    struct app_config *next; /* to be used once the engines have ended; or NULL */
    bool reload, reopening, stopping;
};

static void interrupt(struct run *run)
{
    for (size_t i = 0; i < run->session.engine_count; i++)
        engine_stop(run->session.engines[i]);
}

/* What can't be used does not stop what runs: the old engine may hold certificates that are no
 * longer there to be read. */
static bool ask_reload(struct run *run, struct err *err)
{
    struct app_config *config = session_read(&run->session, err);
    if (!config) {
        log_error(run->session.log, "goes on with the %s configuration: %s",
                  run->next ? "last good" : "old", err->text);
        logging_reopen(run->session.logging);
        return false;
    }
    /* The one that was found good: the file may be written again before it is used. */
    app_config_free(run->next);
    run->next = config;
    run->reload = true;
    service_reloading(run->service);
    interrupt(run);
    return true;
}

/* A server that neither answers nor hangs up may hold a batch for as long as requestTimeout. */
static void leave_at_once(uv_timer_t *timer)
{
    struct run *run = timer->data;
    log_warning(run->session.log, "ends without the batch: a server does not answer; nothing is "
                                  "lost, the next start goes on from here");
    if (run->control)
        unlink(run->session.config->control_socket);
    pid_file_release(run->session.pid_file);
    _exit(EXIT_DONE);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct run *run = handle->data;
    if (number == SIGHUP) {
        struct err err = {0};
        (void)ask_reload(run, &err);
        return;
    }
    log_info(run->session.log, "stopping after this batch");
    run->stopping = true;
    service_stopping(run->service, NULL);
    uv_timer_start(&run->patience, leave_at_once, DAEMON_PATIENCE_MS, 0);
    interrupt(run);
    /* A second Ctrl-C ends it at once: the state bears that. */
    uv_signal_stop(handle);
}

static void say_status(struct run *run, struct control_call *call)
{
    struct buf reply = {0};
    struct status_snapshot *now = monitor_look(run->monitor);
    status_json(now, 0, &reply);
    status_snapshot_unref(now);
    control_say(call, buf_slice(&reply));
    buf_free(&reply);
    control_end(call);
}

static void answer_reload(struct run *run, struct control_call *call)
{
    struct err err = {0};
    if (ask_reload(run, &err))
        control_say(call, SLICE_LIT("{\"reloaded\":true}"));
    else
        control_say_error(call, &err);
    control_end(call);
}

static void on_job_line(void *ctx, struct slice line)
{
    control_say(ctx, line);
    control_drain(ctx);
}

static void on_job_ended(void *ctx, struct slice result, const struct err *err)
{
    struct control_call *call = ctx;
    if (err)
        control_say_error(call, err);
    else
        control_say(call, result);
    control_end(call);
}

static void on_job_hangup(void *ctx)
{
    engine_job_cancel(ctx);
}

/* That of the pipeline that the request names; NULL: this daemon has none of the name. */
static struct engine *engine_of(const struct run *run, const struct json_node *request)
{
    const struct session *s = &run->session;
    const struct json_node *name = json_member(request, "pipeline");
    for (size_t i = 0; name && i < s->engine_count; i++)
        if (slice_is(name->text, engine_settings(s->engines[i])->name))
            return s->engines[i];
    return NULL;
}

static void start_job(struct run *run, struct control_call *call, const struct json_node *request)
{
    static const struct engine_client client = {on_job_line, on_job_ended};
    struct err err = {0};
    struct engine *engine = engine_of(run, request);
    if (run->stopping || run->reload || run->reopening) {
        err_set(&err, ERR_UNAVAILABLE, "the daemon is %s; try again in a moment",
                run->stopping ? "stopping" : "reading its configuration");
    } else if (!engine) {
        err_set(&err, ERR_UNAVAILABLE, "the daemon does not run this pipeline; restart it");
    } else {
        struct engine_job *job = engine_job_start(engine, request, &client, call);
        if (job) {
            control_on_hangup(call, on_job_hangup, job);
            return;
        }
        err_set(&err, ERR_REQUEST, "unknown command, or the daemon is about to end");
    }
    control_say_error(call, &err);
    control_end(call);
}

static void on_command(void *ctx, struct control_call *call, struct slice command,
                       const struct json_node *request)
{
    struct run *run = ctx;
    if (slice_is(command, "status"))
        say_status(run, call);
    else if (slice_is(command, "reload"))
        answer_reload(run, call);
    else
        start_job(run, call, request);
}

static void heed_signals(struct run *run)
{
    for (size_t i = 0; i < ARRAY_LEN(signal_numbers); i++) {
        uv_signal_init(io_loop_uv(run->session.loop), &run->signals[i]);
        run->signals[i].data = run;
        uv_signal_start(&run->signals[i], on_signal, signal_numbers[i]);
    }
    uv_timer_init(io_loop_uv(run->session.loop), &run->patience);
    run->patience.data = run;
}

static bool open_all(struct run *run, struct err *err)
{
    struct session *s = &run->session;
    s->spread = true;
    if (!session_loop(s, err))
        return false;
    heed_signals(run);
    if (!session_lock(s, err) || !session_log(s, err) || !session_engines(s, true, err))
        return false;
    run->control = control_open(s->loop, s->config->control_socket, on_command, run, err);
    return run->control != NULL;
}

static void close_all(struct run *run)
{
    control_close(run->control);
    monitor_close(run->monitor);
    service_close(run->service);
    if (run->session.loop) {
        for (size_t i = 0; i < ARRAY_LEN(signal_numbers); i++)
            uv_close((uv_handle_t *)&run->signals[i], NULL);
        uv_close((uv_handle_t *)&run->patience, NULL);
    }
    app_config_free(run->next);
    session_close(&run->session);
}

/* With the new configuration, or with the old one when the new one is wrong. */
static bool open_engines(struct run *run, struct err *err)
{
    struct session *s = &run->session;
    struct err why = {0};
    struct app_config *config = run->next;
    run->next = NULL;
    if (session_use(s, config, &why)) {
        log_info(s->log, "reads its configuration again");
        return true;
    }
    log_error(s->log, "goes on with the old configuration: %s", why.text);
    logging_reopen(s->logging);
    return session_engines(s, true, err);
}

static void watch(const struct run *run)
{
    const struct session *s = &run->session;
    monitor_watch(run->monitor, s->config, s->engines, s->engine_count);
}

/* While engines open and close the loop turns, and commands must wait. */
static bool reopen(struct run *run, struct err *err)
{
    monitor_leave(run->monitor);
    session_end_engines(&run->session);
    run->reload = false;
    run->reopening = true;
    const bool fine = open_engines(run, err);
    run->reopening = false;
    if (fine)
        watch(run);
    return fine;
}

static bool run_until_stopped(struct run *run, struct err *err)
{
    const struct session *s = &run->session;
    bool fine = true;
    while (fine && !run->stopping) {
        service_ready(run->service);
        fine = engine_run(s->engines, s->engine_count, err);
        while (fine && run->reload && !run->stopping)
            fine = reopen(run, err);
    }
    return fine;
}

static void end_in_error(const struct run *run, const struct err *err)
{
    log_error(run->session.log, "ends: %s", err->text);
    service_stopping(run->service, err->text);
}

/* run->session holds a configuration; closes all. */
static enum exit_code serve(struct run *run, struct daemon_link *link, struct err *err)
{
    if (!open_all(run, err)) {
        daemon_failed(link, err);
    } else {
        log_info(run->session.log, "caes-sync %s started (pid %d, %s)", CAES_VERSION, (int)getpid(),
                 run->session.file);
        session_warn(&run->session);
        /* One in the background is not the process that a manager started. */
        if (!run->session.background)
            run->service = service_open(run->session.loop, run->session.log);
        run->monitor = monitor_new(run->session.loop, run->session.log, run->service);
        watch(run);
        daemon_ready(link); /* who waits for it finds the status page */
        if (run_until_stopped(run, err))
            log_info(run->session.log, "stopped");
        else
            end_in_error(run, err);
    }
    close_all(run);
    return exit_code_of(err->code);
}

enum exit_code cmd_run(const struct command_line *line)
{
    struct run run = {0};
    struct err err = {0};
    enum exit_code code;
    if (session_open(&run.session, line, &err)) {
        code = serve(&run, NULL, &err);
    } else {
        session_close(&run.session);
        code = exit_code_of(err.code);
    }
    return code == EXIT_DONE ? code : command_fail(&err);
}

static enum exit_code in_background(void *ctx, struct daemon_link *link)
{
    struct err err = {0};
    return serve(ctx, link, &err);
}

/* Errors of the configuration are told here, before there is a second process. */
static enum exit_code start(const struct command_line *line)
{
    struct run run = {0};
    struct err err = {0};
    enum exit_code code = EXIT_DONE;
    if (!session_open(&run.session, line, &err)) {
        session_close(&run.session);
        return command_fail(&err);
    }
    run.session.background = true;
    pid_t pid = daemon_start(in_background, &run, &code, &err);
    if (pid > 0) {
        printf("started (pid %d)\n", (int)pid);
        if (run.session.config->has_logging && !logging_has_file(run.session.config->logging))
            fprintf(stderr, "caes-sync: its log goes nowhere; give logging a FileHandler\n");
    } else {
        (void)command_fail(&err);
    }
    session_close(&run.session);
    return code;
}

enum exit_code cmd_start(const struct command_line *line)
{
    return start(line);
}

enum exit_code cmd_restart(const struct command_line *line)
{
    enum exit_code code = cmd_stop(line);
    return code == EXIT_DONE || code == EXIT_RUNNING ? start(line) : code;
}

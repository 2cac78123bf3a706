#include "app/command.h"

#include "app/config.h"
#include "app/control.h"
#include "app/daemon.h"
#include "app/pid_file.h"
#include "app/session.h"
#include "app/status_report.h"

#include <stdio.h>
#include <stdlib.h>

enum { ANSWER_TIMEOUT_MS = 10000 };

enum exit_code cmd_stop(const struct command_line *line)
{
    struct session s;
    struct err err = {0};
    pid_t pid = -1;
    if (session_open(&s, line, &err)) {
        pid = daemon_stop(s.config->pid_file, DAEMON_STOP_MS, &err);
        if (pid == 0)
            err_set(&err, ERR_RUNNING, "not running (%s)", s.config->pid_file);
    }
    session_close(&s);
    if (pid > 0) {
        printf("stopped (pid %d)\n", (int)pid);
        fflush(stdout);
        return EXIT_DONE;
    }
    (void)command_fail(&err);
    return err.code == ERR_TIMEOUT ? EXIT_FOUND : exit_code_of(err.code);
}

/* The daemon's answer to a command. ERR_RUNNING when there is none. */
static bool ask(const struct session *s, const char *command, struct buf *reply, struct err *err)
{
    pid_t pid = pid_file_owner(s->config->pid_file, err);
    if (pid < 0)
        return false;
    if (pid == 0)
        return err_set(err, ERR_RUNNING, "not running (%s)", s->config->pid_file);
    if (control_ask(s->config->control_socket, command, ANSWER_TIMEOUT_MS, reply, err))
        return true;
    if (err->code != ERR_RUNNING)
        return false;
    return err_set(err, ERR_TIMEOUT, "process %d has the lock, but does not listen on %s yet",
                   (int)pid, s->config->control_socket);
}

static enum exit_code no_answer(const struct err *err, bool json)
{
    if (json && err->code == ERR_RUNNING)
        printf("{\"running\":false,\"healthy\":false}\n");
    (void)command_fail(err);
    return err->code == ERR_TIMEOUT ? EXIT_FOUND : exit_code_of(err->code);
}

enum exit_code cmd_status(const struct command_line *line)
{
    struct session s;
    struct err err = {0};
    struct buf reply = {0};
    bool json = line->values[OPT_JSON] != NULL;
    bool fine = session_open(&s, line, &err) && ask(&s, "status", &reply, &err);
    session_close(&s);
    if (!fine) {
        buf_free(&reply);
        return no_answer(&err, json);
    }
    enum exit_code code = status_report_healthy(buf_slice(&reply)) ? EXIT_DONE : EXIT_FOUND;
    struct buf text = {0};
    if (json || !status_report_text(buf_slice(&reply), &text)) {
        buf_append_slice(&text, buf_slice(&reply));
        buf_append_char(&text, '\n');
    }
    buf_free(&reply);
    command_print(&text);
    return code;
}

enum exit_code cmd_reload(const struct command_line *line)
{
    struct session s;
    struct err err = {0};
    struct buf reply = {0};
    bool fine = session_open(&s, line, &err) && ask(&s, "reload", &reply, &err);
    session_close(&s);
    buf_free(&reply);
    if (!fine)
        return no_answer(&err, false);
    printf("reloaded\n");
    return EXIT_DONE;
}
